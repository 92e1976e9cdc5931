// Kolmogorov–Smirnov distance of two samples.
//
// Kind: metric, 0 … 1. Formula: sup|F − G|; its p by permutation, since the known distribution is
// too cautious where values are tied, as tokens, lengths and scores are.
// Default threshold: none.
// Source: N. Smirnov, Ann. Math. Stat. 19 (1948).

extension PooledSamples {
  /// D of the first two samples; 0 where one is empty.
  var kolmogorovSmirnov: Double {
    guard isComparable else { return 0 }
    var largest = 0.0
    var excess = 0.0
    for j in values.indices {
      excess += counts[0][j] * sizes[1] - counts[1][j] * sizes[0]
      largest = max(largest, abs(excess))
    }
    return largest / (sizes[0] * sizes[1])
  }
}
