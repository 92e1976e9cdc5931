// The survival function of the F distribution, through the regularised incomplete beta function.
//
// Kind: special function. Formula: P(F > f) = I_x(d2/2, d1/2) with x = d2/(d2 + d1·f).
// Source: NIST Digital Library of Mathematical Functions 8.17.22; Lentz's method.

/// I_x(a, b) for a, b > 0 and x + y = 1, both given so that neither is rounded.
func incompleteBeta(a: Double, b: Double, x: Double, y: Double) -> LogProbability {
  if x <= 0 { return .zero }
  if y <= 0 { return .one }
  // The fraction converges fast only on the side of the mean; the other side is the complement.
  guard x <= (a + 1) / (a + b + 2) else {
    return LogProbability(complementOf: incompleteBeta(a: b, b: a, x: y, y: x).value)
  }
  let logFactor = logBinomial(a, of: a + b, p: x, q: y) + ln(b / (a + b))
  return LogProbability(log: logFactor + ln(betaFraction(a: a, b: b, x: x)))
}

private func betaFraction(a: Double, b: Double, x: Double) -> Double {
  let tiny = 1e-300
  var c = 1.0
  var d = 1 - (a + b) * x / (a + 1)
  if abs(d) < tiny { d = tiny }
  d = 1 / d
  var result = d
  for step in 1...1_000_000 {
    let m = Double(step)
    let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
    let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    var factor = 1.0
    for numerator in [even, odd] {
      d = 1 + numerator * d
      if abs(d) < tiny { d = tiny }
      c = 1 + numerator / c
      if abs(c) < tiny { c = tiny }
      d = 1 / d
      factor = d * c
      result *= factor
    }
    if abs(factor - 1) < 3e-16 { break }
  }
  return result
}

/// P(F > f) with d1 and d2 degrees of freedom; 1 where either is 0.
func fSurvival(_ f: Double, _ d1: Int, _ d2: Int) -> LogProbability {
  guard d1 > 0, d2 > 0, f > 0 else { return .one }
  guard f.isFinite else { return .zero }
  let scaled = Double(d1) * f
  let sum = Double(d2) + scaled
  return incompleteBeta(
    a: Double(d2) / 2, b: Double(d1) / 2, x: Double(d2) / sum, y: scaled / sum)
}
