// What a continuous alarm says after each tick: the same for both of its forms, so that charts,
// store and alerts need not know which of them it was.

/// How much an alarm says.
public enum AlarmLevel: String, Hashable, Sendable, Codable, Comparable {
  /// The labels have shifted, by less than the app's limits as far as can be told.
  case watch
  /// The share of some label has shifted beyond its limit.
  case drifted

  public static func < (left: AlarmLevel, right: AlarmLevel) -> Bool {
    left == .watch && right == .drifted
  }
}

/// The state of the evidence after a tick.
public struct AlarmReading: Hashable, Sendable, Codable {
  /// A class whose share moved, with the evidence for a change of it alone.
  public struct Shift: Hashable, Sendable, Codable {
    public enum Direction: String, Hashable, Sendable, Codable {
      case up
      case down
    }

    public var label: String
    public var direction: Direction
    /// ln of the e-value, above 0.
    public var evidence: Double
    /// The share in the baseline and since the onset, in [0, 1].
    public var baselineShare: Double
    public var share: Double
    /// Of their difference, all labels jointly. The onset is where the evidence is largest, so that
    /// the difference is more likely overstated than not.
    public var interval: Interval
    /// The difference from which it counts as drift.
    public var limit: Double

    /// Whether the whole interval lies beyond the limit.
    public var isBeyondLimit: Bool { interval.low > limit || interval.high < -limit }
  }

  /// Where the change most probably began.
  public struct Onset: Hashable, Sendable, Codable {
    /// Ticks that the alarm had seen before it.
    public var ticksBefore: Int64
    /// Outputs that the alarm had seen before it.
    public var outputsBefore: Int64
    /// What its tick was said to have started at.
    public var startedAt: Int64 = 0
  }

  /// ln M, the evidence that the labels have drifted: what a chart shows against `threshold`.
  public var evidence: Double
  /// ln(A/tick), the same at every tick for as long as A is.
  public var threshold: Double
  /// What this tick raised the alarm to; nil where it raised nothing. Each level is raised once
  /// until the alarm is acknowledged.
  public var raised: AlarmLevel?
  /// Outputs seen so far, those of this tick included.
  public var outputs: Int64
  public var onset: Onset
  /// Those beyond their limit first, then those with most evidence, at most five; none where no
  /// class by itself has any.
  public var shifts: [Shift]

  static let shiftsMax = 5
}

/// Why an alarm could not be set up, or take a tick.
public struct AlarmFault: Error, Equatable, CustomStringConvertible {
  public var description: String

  static func check(classes: AlarmClasses, wobbleFactor: Double) throws(AlarmFault) {
    guard classes.labels.count > 1 else {
      throw AlarmFault(
        description: "no label of the baseline has \(AlarmClasses.countMin) outputs or more")
    }
    guard wobbleFactor >= 1, wobbleFactor.isFinite else {
      throw AlarmFault(description: "the wobble factor must be at least 1, not \(wobbleFactor)")
    }
  }
}

extension AlarmReading {
  /// Raises the alarm to a level where the evidence suffices and it is not as high already.
  mutating func raise(to level: AlarmLevel, over latched: inout AlarmReading?) {
    guard evidence >= threshold else { return }
    if let open = latched?.raised, open >= level { return }
    raised = level
    latched = self
  }

  /// What a reading lists of the shifts that there are.
  static func listed(_ shifts: [Shift]) -> [Shift] {
    shifts.enumerated().sorted { left, right in
      let (a, b) = (left.element, right.element)
      if a.isBeyondLimit != b.isBeyondLimit { return a.isBeyondLimit }
      return (b.evidence, left.offset) < (a.evidence, right.offset)
    }.prefix(shiftsMax).map(\.element)
  }
}

/// What every monitor of an installation takes for its average run length A so that all of them
/// together raise one false alarm in `days` days, or fewer, on average.
///
/// A monitor's next false alarm comes within t outputs with a probability of at most t/A, on
/// average over what its baseline leaves uncertain; in t days that is t·N_i/A, and over all
/// monitors t·N/A = t/D.
/// - Parameters:
///   - days: D, the days for one false alarm, above 0.
///   - outputsPerDay: labelled outputs a day of each monitor: each app, classifier and segment.
/// - Returns: A = D·N in outputs. It grows with the monitors: set it anew where some are added.
public func averageRunLength(days: Double, outputsPerDay: [Double]) -> Double {
  days * outputsPerDay.reduce(0) { $0 + max($1, 0) }
}

/// How long a run without drift lasts, and what it is measured in.
struct RunLength: Hashable, Sendable, Codable {
  /// A, in outputs.
  var outputs: Double
  /// Outputs in an ordinary tick.
  var tickOutputs: Int64

  init(outputs: Double, tickOutputs: Int64) throws(AlarmFault) {
    guard tickOutputs >= 1 else {
      throw AlarmFault(description: "a tick must have at least one output, not \(tickOutputs)")
    }
    guard outputs.isFinite, outputs >= Double(tickOutputs) else {
      throw AlarmFault(
        description: "an average run length must be at least a tick of \(tickOutputs) outputs, "
          + "not \(outputs)")
    }
    self.outputs = outputs
    self.tickOutputs = tickOutputs
  }

  private enum Key: String, CodingKey {
    case outputs
    case tickOutputs
  }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    try self.init(
      outputs: try values.decode(Double.self, forKey: .outputs),
      tickOutputs: try values.decode(Int64.self, forKey: .tickOutputs))
  }

  var threshold: Double { ln(outputs / Double(tickOutputs)) }

  /// What a start in a tick of so many outputs weighs: ticks may differ, outputs are what counts.
  func weight(_ outputs: Int64) -> Double { Double(outputs) / Double(tickOutputs) }
}
