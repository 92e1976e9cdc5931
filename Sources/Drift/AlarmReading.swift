// What a continuous alarm says after each tick: the same for both of its forms, so that charts,
// store and alerts need not know which of them it was.

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
    /// The share in the baseline and since the onset, in [0, 1]: whether their difference matters
    /// is another question than whether there is one.
    public var baselineShare: Double
    public var share: Double
  }

  /// Where the change most probably began.
  public struct Onset: Hashable, Sendable, Codable {
    /// Ticks that the alarm had seen before it.
    public var ticksBefore: Int64
    /// Outputs that the alarm had seen before it.
    public var outputsBefore: Int64
  }

  /// ln M, the evidence that the labels have drifted: what a chart shows against `threshold`.
  public var evidence: Double
  /// ln(A/tick), the same at every tick.
  public var threshold: Double
  /// Whether this tick raised the alarm. True once until it is acknowledged.
  public var isAlarm: Bool
  /// Outputs seen so far, those of this tick included.
  public var outputs: Int64
  public var onset: Onset
  /// The classes with most evidence, the largest first, at most five; none where no class by itself
  /// has any.
  public var shifts: [Shift]

  static let shiftsMax = 5
}

/// Why an alarm could not be set up.
public struct AlarmFault: Error, Equatable, CustomStringConvertible {
  public var description: String

  static func check(classes: AlarmClasses, wobbleFactor: Double) throws(AlarmFault) {
    guard classes.labels.count > 1 else {
      throw AlarmFault(description: "the baseline holds no labelled output")
    }
    guard wobbleFactor >= 1, wobbleFactor.isFinite else {
      throw AlarmFault(description: "the wobble factor must be at least 1, not \(wobbleFactor)")
    }
  }
}

extension AlarmReading {
  /// Raises the alarm where none is open and the evidence suffices.
  mutating func raise(unless latched: inout AlarmReading?) {
    isAlarm = latched == nil && evidence >= threshold
    if isAlarm { latched = self }
  }
}

/// What every monitor of an installation takes for its average run length A so that all of them
/// together raise one false alarm in `days` days, or fewer, on average.
///
/// A monitor's first false alarm comes within t outputs with a probability of at most t/A, on
/// average over what its baseline leaves uncertain; in t days that is t·N_i/A, and over all
/// monitors t·N/A = t/D. Of the alarms after an acknowledged one this is measured, not proven.
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

  var threshold: Double { ln(outputs / Double(tickOutputs)) }

  /// What a start in a tick of so many outputs weighs: ticks may differ, outputs are what counts.
  func weight(_ outputs: Int64) -> Double { Double(outputs) / Double(tickOutputs) }
}

/// The classes of an alarm: fixed when it starts, and a column for whatever else appears.
struct AlarmClasses: Hashable, Sendable {
  /// The baseline's classes with an output in fixed order, then `__unseen__`.
  let labels: [String]
  private let places: [String: Int]

  init(baseline: Tally) {
    let unseen = SpecialLabel.unseen.rawValue
    self.init(labels: baseline.labels.filter { baseline[$0] > 0 && $0 != unseen } + [unseen])
  }

  init(labels: [String]) {
    self.labels = labels
    places = Dictionary(labels.enumerated().map { ($1, $0) }) { first, _ in first }
  }

  func place(of label: String) -> Int { places[label] ?? labels.count - 1 }

  /// Counts per class, whatever the probabilities.
  func counts(of tally: Tally) -> [Int64] {
    var counts = labels.map { _ in Int64(0) }
    for label in tally.labels {
      let k = place(of: label)
      counts[k] = saturatingSum(counts[k], tally[label])
    }
    return counts
  }
}
