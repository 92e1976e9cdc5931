// A continuous alarm of either form, with what it was set up for: evidence against one baseline, by
// one version of a classifier, says nothing about another.

/// One app's and classifier's alarm as it is stored.
public struct DriftMonitor: Sendable, Codable {
  /// What the evidence is about.
  public struct Origin: Hashable, Sendable, Codable {
    /// The baseline's identity, which changes with its content.
    public var baseline: String
    /// The classifier's version.
    public var version: String

    public init(baseline: String, version: String) {
      self.baseline = baseline
      self.version = version
    }
  }

  private enum Form: Sendable, Codable {
    case plain(DriftAlarm)
    case weighted(WeightedDriftAlarm)
  }

  public let origin: Origin
  private var form: Form

  public init(origin: Origin, plain: DriftAlarm) {
    self.origin = origin
    form = .plain(plain)
  }

  public init(origin: Origin, weighted: WeightedDriftAlarm) {
    self.origin = origin
    form = .weighted(weighted)
  }

  /// Whether outputs may be kept with different probabilities.
  public var isWeighted: Bool {
    switch form {
    case .plain: false
    case .weighted: true
    }
  }

  public var latched: AlarmReading? {
    switch form {
    case .plain(let alarm): alarm.latched
    case .weighted(let alarm): alarm.latched
    }
  }

  /// Outputs taken so far.
  public var outputs: Int64 {
    switch form {
    case .plain(let alarm): alarm.outputs
    case .weighted(let alarm): alarm.outputs
    }
  }

  /// The class under which a label is counted.
  public func name(of label: String) -> String {
    switch form {
    case .plain(let alarm): alarm.name(of: label)
    case .weighted(let alarm): alarm.name(of: label)
    }
  }

  /// Takes a tick, as `DriftAlarm.update`.
  public mutating func update(
    _ tick: Tally, startedAt: Int64
  ) throws(AlarmFault) -> AlarmReading? {
    switch form {
    case .plain(var alarm):
      let reading = try alarm.update(tick, startedAt: startedAt)
      form = .plain(alarm)
      return reading
    case .weighted(var alarm):
      let reading = try alarm.update(tick, startedAt: startedAt)
      form = .weighted(alarm)
      return reading
    }
  }

  public mutating func acknowledge() {
    switch form {
    case .plain(var alarm):
      alarm.acknowledge()
      form = .plain(alarm)
    case .weighted(var alarm):
      alarm.acknowledge()
      form = .weighted(alarm)
    }
  }

  /// Takes over what the policy says now.
  /// - Throws: where A is less than a tick.
  public mutating func set(
    averageRunLength: Double, thresholds: DriftThresholds
  ) throws(AlarmFault) {
    switch form {
    case .plain(var alarm):
      try alarm.setAverageRunLength(averageRunLength)
      alarm.thresholds = thresholds
      form = .plain(alarm)
    case .weighted(var alarm):
      try alarm.setAverageRunLength(averageRunLength)
      alarm.thresholds = thresholds
      form = .weighted(alarm)
    }
  }
}
