// Kullback–Leibler divergence of the period from the baseline.
//
// Kind: divergence, 0 … ∞, in nats; not symmetric. Formula: Σ q_k·ln(q_k/p_k) over shares smoothed
// by η as in PSI: unsmoothed it is infinite for a class that the baseline never had.
// Default threshold: none, shown for completeness.
// Source: S. Kullback and R. A. Leibler, Ann. Math. Stat. 22 (1951).

extension CountTable {
  /// KL(Q‖P) with `smoothing` (η > 0) added to every count; 0 where a side is empty.
  public func kullbackLeiblerDivergence(smoothing: Double = 0.5) -> Double {
    smoothed(by: smoothing).reduce(0) { sum, cell in
      sum + cell.baseline * entropyExcess(cell.change / cell.baseline)
    }
  }
}
