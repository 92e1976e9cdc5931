// The results of a run: every round's figures, and what they come to against the reference.

/// What is measured of a subject in a scenario.
public enum Figure: String, Codable, CaseIterable, Sendable {
  /// CPU time of the subject, microseconds a call.
  case cpu
  /// Calls a second, as many as the subject and the core beside it could do.
  case callsPerSecond
  /// Latency of whole answers, microseconds.
  case p50, p99, p999
  /// Until the answer's first byte, microseconds: median and 99th percentile.
  case firstByte, firstByte99
  /// From an event's sending to its arrival, microseconds: median and 99th percentile.
  case eventDelay, eventDelay99
  /// Resident memory, megabytes.
  case resident
  /// How many reads of the client one answer took: fewer than a stream's events where they came
  /// joined.
  case reads
  /// Instructions in user space, a call.
  case instructions
}

/// One subject in one scenario in one round.
public struct RoundFigures: Codable, Sendable {
  public var scenario: String
  public var subject: String
  public var round: Int
  public var figures: [String: Double]

  public init(scenario: String, subject: String, round: Int, figures: [Figure: Double]) {
    self.scenario = scenario
    self.subject = subject
    self.round = round
    self.figures = Dictionary(uniqueKeysWithValues: figures.map { ($0.key.rawValue, $0.value) })
  }
}

/// All rounds of a run.
public struct Report: Codable, Sendable {
  /// One subject in one scenario over all rounds.
  public struct Row: Codable, Sendable {
    public var scenario: String
    public var subject: String
    public var figures: [String: Spread]
    /// Each round's figure over the reference's of the same round.
    public var ratios: [String: Spread]
  }

  public var machine: [String: String]
  public var notes: [String]
  public var reference: String
  public var rows: [Row]
  public var measurements: [RoundFigures]

  public init(
    machine: [String: String], notes: [String], reference: String, measurements: [RoundFigures]
  ) {
    self.machine = machine
    self.notes = notes
    self.reference = reference
    self.measurements = measurements
    rows = []
    var seen: Set<[String]> = []
    for one in measurements where seen.insert([one.scenario, one.subject]).inserted {
      rows.append(row(one.scenario, one.subject))
    }
  }

  /// The figure, round by round.
  public func values(_ scenario: String, _ subject: String, _ figure: Figure) -> [Int: Double] {
    let rounds = measurements.compactMap { one -> (Int, Double)? in
      guard one.scenario == scenario, one.subject == subject else { return nil }
      return one.figures[figure.rawValue].map { (one.round, $0) }
    }
    return Dictionary(rounds) { $1 }
  }

  /// `combine(subject, other)` for every round that has both.
  public func compare(
    _ scenario: String, _ subject: String, to other: String, _ figure: Figure,
    _ combine: (Double, Double) -> Double
  ) -> Spread? {
    let ours = values(scenario, subject, figure)
    let theirs = values(scenario, other, figure)
    return Spread(ours.compactMap { round, value in theirs[round].map { combine(value, $0) } })
  }

  private func row(_ scenario: String, _ subject: String) -> Row {
    var row = Row(scenario: scenario, subject: subject, figures: [:], ratios: [:])
    for figure in Figure.allCases {
      row.figures[figure.rawValue] = Spread(Array(values(scenario, subject, figure).values))
      guard subject != reference else { continue }
      row.ratios[figure.rawValue] = compare(scenario, subject, to: reference, figure, /)
    }
    return row
  }
}
