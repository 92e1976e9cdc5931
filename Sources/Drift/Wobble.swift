// How much more the label shares differ from day to day than chance allows, estimated from the
// baseline's own blocks. Without it, a large app would be called drifted on almost every night.
//
// Kind: overdispersion factor φ̂ ≥ 1. Formula: max(1, X²_blocks/((D − 1)(K − 1))), X²_blocks the
// homogeneity statistic of the D × K table of blocks; then F = X²/((K − 1)φ̂) against F with K − 1
// and (D − 1)(K − 1) degrees of freedom.
// Default threshold: at least 8 blocks.
// Source: J. N. K. Rao and A. J. Scott, JASA 76 (1981) and Ann. Stat. 12 (1984).

/// The day-to-day overdispersion of a baseline.
public struct Wobble: Hashable, Sendable, Codable {
  /// φ̂, at least 1: the variance of a share between blocks over what chance alone gives.
  public var factor: Double
  /// D: the blocks that hold any output.
  public var blocks: Int
  /// (D − 1)(K − 1), K the classes seen in the blocks.
  public var degreesOfFreedom: Int
  /// Outputs in a block on average; φ holds for periods of this size.
  public var outputsPerBlock: Double

  /// φ for periods of another size: φ(m) = 1 + (m − 1)ρ, ρ the correlation within a block.
  /// - Parameter outputs: outputs in a period, at least 1.
  public func factor(forOutputs outputs: Double) -> Double {
    guard outputsPerBlock > 1 else { return factor }
    let correlation = (factor - 1) / (outputsPerBlock - 1)
    return 1 + (max(outputs, 1) - 1) * correlation
  }

  /// Estimates the wobble; nil where fewer than `blocksMin` blocks hold an output, or where all
  /// outputs are of one class.
  public static func measured(in blocks: [Tally], blocksMin: Int = 8) -> Wobble? {
    let filled = blocks.filter { !$0.isEmpty }
    let sum = filled.reduce(into: Tally()) { $0.merge($1) }
    let labels = sum.labels.filter { sum[$0] > 0 }
    guard filled.count >= max(blocksMin, 2), labels.count > 1 else { return nil }
    let statistic =
      sum.isWeighted
      ? weightedStatistic(filled, sum, labels) : plainStatistic(filled, sum, labels)
    let degreesOfFreedom = (filled.count - 1) * (labels.count - 1)
    return Wobble(
      factor: max(1, statistic / Double(degreesOfFreedom)), blocks: filled.count,
      degreesOfFreedom: degreesOfFreedom,
      outputsPerBlock: Double(sum.total) / Double(filled.count))
  }

  private static func plainStatistic(
    _ blocks: [Tally], _ sum: Tally, _ labels: [String]
  ) -> Double {
    let total = Double(sum.total)
    let columns = labels.map { Double(sum[$0]) }
    return blocks.reduce(0.0) { statistic, block in
      let size = Double(block.total)
      return zip(labels, columns).reduce(statistic) { partial, cell in
        let expected = size * cell.1 / total
        let difference = Double(block[cell.0]) - expected
        return partial + difference * difference / expected
      }
    }
  }

  /// Σ_b (W_b/W)(p_b − p)ᵀV⁻¹(p_b − p), V the covariance of the whole: with equal weights this is
  /// the statistic above.
  private static func weightedStatistic(
    _ blocks: [Tally], _ sum: Tally, _ labels: [String]
  ) -> Double {
    let whole = Side(sum, labels: labels)
    let classes = Array(labels.indices.dropLast())
    guard let factor = CholeskyFactor(whole.covarianceMatrix(of: classes)) else { return 0 }
    let total = sum.weights(of: labels).reduce(0, +)
    return blocks.reduce(0.0) { statistic, block in
      let weights = block.weights(of: labels)
      let size = weights.reduce(0, +)
      let difference = classes.map { weights[$0] / size - whole.shares[$0] }
      return statistic + size / total * factor.quadraticForm(difference)
    }
  }
}

extension CountTable {
  /// P(F ≥ observed) of a homogeneity statistic with the wobble in the null.
  static func wobbleP(
    statistic: Double, degreesOfFreedom: Int, factor: Double, wobble: Wobble
  ) -> LogProbability {
    guard degreesOfFreedom > 0 else { return .one }
    return fSurvival(
      statistic / (Double(degreesOfFreedom) * factor), degreesOfFreedom, wobble.degreesOfFreedom)
  }
}
