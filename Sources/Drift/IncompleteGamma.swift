// The survival function of the chi-square distribution, its logarithm and its quantile.
//
// Kind: special function. Formula: Q(a, x) = Γ(a, x)/Γ(a); series below a + 1, continued fraction
// above, the common factor through the Poisson density, which keeps its digits for large a.
// Source: NIST Digital Library of Mathematical Functions 8.7.1 and 8.9.2; Lentz's method.

/// A probability and its natural logarithm, which is finite where the probability itself is below
/// the smallest number.
struct LogProbability {
  var value: Double
  var log: Double

  static let one = LogProbability(value: 1, log: 0)
  static let zero = LogProbability(value: 0, log: -.infinity)

  init(value: Double, log: Double) {
    self.value = value
    self.log = log
  }

  /// From a logarithm, which rounding may have put above 0.
  init(log: Double) {
    self.log = min(log, 0)
    value = exponential(self.log)
  }

  /// 1 − p of a probability p.
  init(complementOf p: Double) {
    let bounded = min(max(p, 0), 1)
    value = 1 - bounded
    log = ln1p(-bounded)
  }
}

/// Q(a, x), the regularised upper incomplete gamma function, for a > 0; 1 for x ≤ 0.
func gammaTail(a: Double, x: Double) -> LogProbability {
  guard x > 0 else { return .one }
  guard x.isFinite else { return .zero }
  let logDensity = logPoisson(a, mean: x)
  if x < a + 1 {
    return LogProbability(complementOf: exponential(logDensity) * gammaSeries(a: a, x: x))
  }
  return LogProbability(log: logDensity + ln(a * gammaFraction(a: a, x: x)))
}

/// Σ x^n / ((a+1)…(a+n)).
private func gammaSeries(a: Double, x: Double) -> Double {
  var term = 1.0
  var sum = 1.0
  var n = a
  while term > sum * 1e-17 {
    n += 1
    term *= x / n
    sum += term
  }
  return sum
}

/// Γ(a, x)·e^x·x^(−a) as a continued fraction, for x ≥ a + 1.
private func gammaFraction(a: Double, x: Double) -> Double {
  let tiny = 1e-300
  var b = x + 1 - a
  var c = 1 / tiny
  var d = 1 / b
  var result = d
  // The number of steps grows as the square root of a; the bound is far above every use.
  for step in 1...1_000_000 {
    let i = Double(step)
    let numerator = -i * (i - a)
    b += 2
    d = numerator * d + b
    if abs(d) < tiny { d = tiny }
    c = b + numerator / c
    if abs(c) < tiny { c = tiny }
    d = 1 / d
    let factor = d * c
    result *= factor
    if abs(factor - 1) < 3e-16 { break }
  }
  return result
}

/// P(χ² > x) with `degreesOfFreedom`; 1 where there is no degree of freedom.
func chiSquareSurvival(_ x: Double, degreesOfFreedom: Int) -> LogProbability {
  guard degreesOfFreedom > 0, !x.isNaN else { return .one }
  return gammaTail(a: Double(degreesOfFreedom) / 2, x: x / 2)
}

/// The point above which a chi-square variable lies with probability `tail`, in (0, 1).
func chiSquareQuantile(upperTail tail: Double, degreesOfFreedom: Int) -> Double {
  guard degreesOfFreedom > 0, tail > 0, tail < 1 else { return 0 }
  var low = 0.0
  var high = Double(degreesOfFreedom) + 10
  while chiSquareSurvival(high, degreesOfFreedom: degreesOfFreedom).value > tail { high *= 2 }
  // Halving the interval costs a little more than Newton's method and cannot go astray.
  for _ in 0..<200 {
    let middle = (low + high) / 2
    if middle <= low || middle >= high { break }
    if chiSquareSurvival(middle, degreesOfFreedom: degreesOfFreedom).value > tail {
      low = middle
    } else {
      high = middle
    }
  }
  return (low + high) / 2
}
