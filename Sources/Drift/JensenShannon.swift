// Jensen–Shannon distance.
//
// Kind: metric, 0 … √ln 2 ≈ 0.8326 (natural logarithm; tools that use base 2 report up to 1).
// Formula: √(½·KL(P‖M) + ½·KL(Q‖M)), M = (P + Q)/2; nothing is added to empty classes.
// Default threshold: none, shown for comparison with other tools.
// Source: D. M. Endres and J. E. Schindelin, IEEE Trans. Inf. Theory 49 (2003).

extension CountTable {
  /// The square root of the divergence; 0 where a side is empty.
  public var jensenShannonDistance: Double { jensenShannonDivergence.squareRoot() }

  /// The mean of the distance's square if nothing had changed, (K − 1)(1/n + 1/m)/8.
  public var jensenShannonDivergenceExpected: Double {
    Double(max(classCount - 1, 0)) * noiseScale / 8
  }

  /// The divergence in nats, 0 … ln 2.
  public var jensenShannonDivergence: Double {
    guard isComparable else { return 0 }
    let p = baselineShares
    let q = periodShares
    let sum = shareChanges.indices.reduce(0.0) { sum, k in
      let both = p[k] + q[k]
      let e = max(-1, min(shareChanges[k] / both, 1))
      return sum + both * (entropyExcess(e) + entropyExcess(-e))
    }
    return min(sum / 4, 0.693_147_180_559_945_31)
  }
}
