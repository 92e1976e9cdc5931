// Pearson's chi-square test of homogeneity: do baseline and period come from one distribution?
//
// Kind: two-sample test. Formula: Σ(O − E)²/E over the 2 × K table, E = row·column/N,
// K − 1 degrees of freedom, no continuity correction. The baseline is a sample too: the one-sample
// test against its shares, which some tools use, gives far too many alarms.
// Default threshold: none of its own, see `Verdict`.
// Source: K. Pearson (1900); residuals: S. J. Haberman, Biometrics 29 (1973).

extension CountTable {
  /// X²; 0 where a side is empty.
  public var chiSquare: Double {
    guard isComparable else { return 0 }
    let scale = baselineTotal * periodTotal
    return shareChanges.indices.reduce(0.0) { sum, k in
      sum + shareChanges[k] * shareChanges[k] / (baseline[k] + period[k]) * scale
    }
  }

  /// K − 1; 0 where a side is empty, or has no other class than the other.
  public var degreesOfFreedom: Int { isComparable ? max(classCount - 1, 0) : 0 }

  /// How far each class's count in the period lies from its expectation, in standard deviations.
  public var adjustedResiduals: [Double] {
    let total = baselineTotal + periodTotal
    guard isComparable else { return shareChanges.map { _ in 0 } }
    return shareChanges.indices.map { k in
      let column = baseline[k] + period[k]
      let variance = column / total * (max(total - column, 0) / total) * noiseScale
      return variance > 0 ? shareChanges[k] / variance.squareRoot() : 0
    }
  }
}
