// Population stability index.
//
// Kind: symmetric divergence (Jeffreys), 0 … ∞, in nats.
// Formula: Σ (q_k − p_k)·ln(q_k/p_k), p_k = (a_k + η)/(n + ηK), q_k likewise; η = 0.5.
// Default threshold: none. The customary 0.1 and 0.2 mean nothing without the sample sizes, so the
// value is shown beside what chance alone gives.
// Source: B. Yurdakul, Statistical Properties of Population Stability Index, dissertation 3208,
// Western Michigan University (2018): PSI/(1/n + 1/m) tends to χ² with K − 1 degrees of freedom.

extension CountTable {
  /// PSI with `smoothing` (η > 0) added to every count; 0 where a side is empty.
  public func populationStabilityIndex(smoothing: Double = 0.5) -> Double {
    smoothed(by: smoothing).reduce(0) { sum, cell in
      sum + cell.change * logRatio(cell)
    }
  }

  /// The mean of PSI if nothing had changed.
  public var populationStabilityIndexExpected: Double {
    Double(max(classCount - 1, 0)) * noiseScale
  }

  /// The point that PSI exceeds with probability `tail` (in (0, 1)) if nothing had changed.
  public func populationStabilityIndexQuantile(upperTail tail: Double = 0.05) -> Double {
    noiseScale * chiSquareQuantile(upperTail: tail, degreesOfFreedom: classCount - 1)
  }

  /// Smoothed shares of a class; the change is kept beside them so that no digits are lost.
  struct SmoothedShare {
    var baseline: Double
    var period: Double
    var change: Double
  }

  func smoothed(by smoothing: Double) -> [SmoothedShare] {
    guard isComparable else { return [] }
    let n = baselineTotal
    let m = periodTotal
    let added = smoothing * Double(classCount)
    return baseline.indices.map { k in
      let numerator =
        shareChanges[k] * n * m + smoothing * (n - m) + added * (period[k] - baseline[k])
      return SmoothedShare(
        baseline: (baseline[k] + smoothing) / (n + added),
        period: (period[k] + smoothing) / (m + added),
        change: numerator / ((n + added) * (m + added)))
    }
  }

  private func logRatio(_ cell: SmoothedShare) -> Double {
    let relative = cell.change / cell.baseline
    return abs(relative) < 0.5 ? ln1p(relative) : ln(cell.period / cell.baseline)
  }
}
