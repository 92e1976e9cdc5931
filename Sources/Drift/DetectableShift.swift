// The smallest shift of a class's share that this much data would find.
//
// Kind: power. Formula: the least Δ with Δ ≥ z_α·√(φ·p̄(1 − p̄)(1/n + 1/m)) +
// z_β·√(φ·(p(1 − p)/n + q(1 − q)/m)), q = p ± Δ towards one half, where the variance is larger.
// z_α is that of the joint intervals. Default threshold: power 0.8.
// Source: J. L. Fleiss, Statistical Methods for Rates and Proportions (1981), section 3.2.

/// The least detectable |Δp|, in (0, 1]; nil where even the largest shift would be missed.
///
/// - Parameters:
///   - share: p, the baseline's share of the class.
///   - baselineSize: n, effective where weighted. `periodSize`: m.
///   - factor: φ, at least 1.
///   - jointZ: z_α. `power`: in (0, 1).
public func detectableShift(
  share: Double, baselineSize n: Double, periodSize m: Double, factor: Double, jointZ: Double,
  power: Double
) -> Double? {
  guard n > 0, m > 0 else { return nil }
  // Upwards from the smaller of p and 1 − p is the same as towards one half.
  let p = min(max(share, 0), 1) <= 0.5 ? max(share, 0) : max(1 - share, 0)
  let powerZ = normalQuantile(power)
  func isFound(_ shift: Double) -> Bool {
    let q = p + shift
    let pooled = (n * p + m * q) / (n + m)
    let nullDeviation = (factor * max(pooled * (1 - pooled), 0) * (1 / n + 1 / m)).squareRoot()
    let deviation = (factor * max(p * (1 - p) / n + q * (1 - q) / m, 0)).squareRoot()
    return shift >= jointZ * nullDeviation + powerZ * deviation
  }
  var high = 1 - p
  guard isFound(high) else { return nil }
  var low = 0.0
  for _ in 0..<60 {
    let middle = (low + high) / 2
    if isFound(middle) { high = middle } else { low = middle }
  }
  return high
}
