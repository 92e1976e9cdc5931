// Building blocks that keep their digits where textbook formulas cancel.
//
// Source: C. Loader, Fast and Accurate Computation of Binomial Probabilities (2000); the
// recurrence of the Stirling error follows from Γ(x+1) = xΓ(x).

/// (1 + e)·ln(1 + e) − e for e ≥ −1: at least 0, and 0 only at e = 0.
func entropyExcess(_ e: Double) -> Double {
  if e <= -1 { return 1 }
  guard abs(e) < 0.1 else { return (1 + e) * ln1p(e) - e }
  // Σ (−e)^k / (k(k−1)): the direct form would subtract two nearly equal numbers.
  var power = e * e
  var sum = power / 2
  var k = 2.0
  while k < 24 {
    k += 1
    power *= -e
    let term = power / (k * (k - 1))
    sum += term
    if abs(term) < abs(sum) * 1e-17 { break }
  }
  return sum
}

/// x·ln(x/mean) + mean − x for x ≥ 0 and mean > 0.
func deviance(_ x: Double, mean: Double) -> Double {
  if x <= 0 { return mean }
  if abs(x - mean) < 0.1 * (x + mean) { return mean * entropyExcess((x - mean) / mean) }
  return x * ln(x / mean) + mean - x
}

/// ln Γ(x+1) − [(x+½)·ln x − x + ½·ln 2π] for x > 0: what Stirling's formula leaves out.
func stirlingError(_ x: Double) -> Double {
  var x = x
  var sum = 0.0
  while x < 16 {
    sum += (x + 0.5) * ln1p(1 / x) - 1
    x += 1
  }
  return sum + stirlingSeries(x)
}

/// The asymptotic series of `stirlingError`, to 1e-14 from x = 8 up.
func stirlingSeries(_ x: Double) -> Double {
  let r = 1 / (x * x)
  let series =
    1.0 / 12 - r
    * (1.0 / 360 - r
      * (1.0 / 1260 - r
        * (1.0 / 1680 - r
          * (1.0 / 1188
            - r * (691.0 / 360_360)))))
  return series / x
}

/// ½·ln 2π.
let halfLnTwoPi = 0.918_938_533_204_672_74

/// ln of the Poisson density λ^x·e^(−λ)/Γ(x+1), for real x > 0 and λ > 0.
func logPoisson(_ x: Double, mean: Double) -> Double {
  -stirlingError(x) - deviance(x, mean: mean) - halfLnTwoPi - 0.5 * ln(x)
}

/// ln of the binomial density, for real 0 ≤ x ≤ n; p + q = 1, both given so that neither is
/// rounded.
func logBinomial(_ x: Double, of n: Double, p: Double, q: Double) -> Double {
  if p <= 0 { return x <= 0 ? 0 : -.infinity }
  if q <= 0 { return x >= n ? 0 : -.infinity }
  if x <= 0 { return n * (p < 0.5 ? ln1p(-p) : ln(q)) }
  if x >= n { return n * (q < 0.5 ? ln1p(-q) : ln(p)) }
  let errors = stirlingError(n) - stirlingError(x) - stirlingError(n - x)
  let deviances = deviance(x, mean: n * p) + deviance(n - x, mean: n * q)
  return errors - deviances - halfLnTwoPi - 0.5 * (ln(x) + ln((n - x) / n))
}
