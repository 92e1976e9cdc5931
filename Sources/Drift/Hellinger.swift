// Hellinger distance.
//
// Kind: metric, 0 … 1. Formula: √(1 − Σ√(p_k·q_k)) = √(½·Σ(√p_k − √q_k)²).
// Default threshold: none, shown for comparison with other tools.
// Source: E. Hellinger (1909); some texts leave out the outer root.

extension CountTable {
  /// The distance; 0 where a side is empty.
  public var hellingerDistance: Double {
    guard isComparable else { return 0 }
    let p = baselineShares
    let q = periodShares
    let sum = shareChanges.indices.reduce(0.0) { sum, k in
      let difference = shareChanges[k] / (p[k].squareRoot() + q[k].squareRoot())
      return sum + difference * difference
    }
    return min(sum / 2, 1).squareRoot()
  }
}
