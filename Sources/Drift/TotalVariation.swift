// Total variation distance.
//
// Kind: metric, 0 … 1: the share of outputs that changed label. The headline number.
// Formula: ½·Σ|p_k − q_k|; its mean if nothing had changed is
// √((1/n + 1/m)/(2π))·Σ√(p̄_k(1 − p̄_k)), p̄ the shares of both sides together.
// Default threshold: none; it is positive under noise, so it is shown less its mean and never
// decides.
// Source: mean absolute deviation of the normal approximation to each class's difference.

extension CountTable {
  /// Half the sum of absolute changes; 0 where a side is empty.
  public var totalVariation: Double {
    min(shareChanges.reduce(0) { $0 + abs($1) } / 2, 1)
  }

  /// The mean of the total variation if nothing had changed.
  public var totalVariationExpected: Double {
    let total = baselineTotal + periodTotal
    guard isComparable else { return 0 }
    let spread = zip(baseline, period).reduce(0.0) { sum, cell in
      let column = cell.0 + cell.1
      return sum + (column / total * (max(total - column, 0) / total)).squareRoot()
    }
    return (noiseScale / (2 * Double.pi)).squareRoot() * spread
  }
}
