// What an app tolerates. Fixed cut-offs on a distance are wrong in both directions, so the limits
// are stated where a person can judge them: in points of share of a label.

/// One app's limits for the drift of its labels; every default is a documented choice.
public struct DriftThresholds: Hashable, Sendable, Codable {
  /// Share of false discoveries that is tolerated among the findings of a night, in (0, 1).
  public var falseDiscoveryRate: Double = 0.05
  /// Joint confidence of the intervals of all classes of one comparison, in (0, 1).
  public var confidence: Double = 0.95
  /// Probability with which a detectable shift is found, in (0, 1).
  public var power: Double = 0.8
  /// A shift of a share never counts as drift below this; 0.01 is one percentage point.
  public var shiftMin: Double = 0.01
  /// Share of a class's baseline share that may shift before it counts as drift.
  public var shiftRelative: Double = 0.5
  /// A shift of a share above this always counts as drift.
  public var shiftMax: Double = 0.05
  /// Limits of single classes, instead of the rule of the three above.
  public var shiftByLabel: [String: Double] = [:]
  /// Classes in which too little data is worth saying so; none means all.
  public var criticalLabels: [String] = []
  /// Least share of a period's samples that must have a label for the period to be readable.
  public var coverageMin: Double = 0.95
  /// Fewest baseline blocks from which the day-to-day wobble is estimated.
  public var blocksMin: Int = 8
  /// η, added to every count before PSI and the Kullback–Leibler divergence.
  public var smoothing: Double = 0.5
  /// Above this many classes the very rare ones are merged into `__rare__`.
  public var classesMax: Int = 100

  public init() {}

  /// δ: the shift of a label's share, in (0, 1], from which it counts as drift.
  public func shift(of label: String, baselineShare: Double) -> Double {
    shiftByLabel[label] ?? max(shiftMin, min(shiftRelative * baselineShare, shiftMax))
  }
}
