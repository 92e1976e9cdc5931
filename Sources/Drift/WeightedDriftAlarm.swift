// The continuous alarm for outputs that were kept with different probabilities. Their labels have
// no common distribution whose density could be asked, but a bet on the share of each class, worth
// 1/π where an output was kept and nothing where it was not, is fair whatever decided over π.
//
// Kind: mixture Shiryaev–Roberts e-detector over bets. Formula: for each class k, upwards with q
// the upper bound of its baseline share, M ← (M + n/tick)·Π(1 + λ/π_i·(1{x_i = k} − q)), downwards
// with q the lower bound, M ← (M + n/tick)·Π(1 + λ/π_i·(q − 1{x_i = k})); five λ below the largest
// at which no factor could be negative, were an output kept with the least probability that the
// policy allows; alarm where the mean of all M is at least A/tick. The same bets with q moved by
// the app's limit decide whether the shift is `drifted`.
// Default threshold: as `DriftAlarm`. The bounds are Wilson's at the effective size, 95 % jointly
// over the classes of all monitors: where they hold, the average run length is at least A for any
// mix of probabilities.
// Source: A. Podkopaev and A. Ramdas, ICLR 2022 (arXiv 2110.06177); J. Shin, A. Ramdas and
// A. Rinaldo (2024) for the detector; D. Horvitz and D. Thompson (1952) for 1/π.

/// The continuous alarm of one app, classifier and segment, for outputs that were sampled with
/// different probabilities; the same interface as `DriftAlarm`, which finds smaller shifts where
/// all probabilities are equal.
///
/// The coded state holds 100·K numbers beside labels and bounds, K ≤ 50 the classes with
/// `__other__`.
public struct WeightedDriftAlarm: Hashable, Sendable {
  private static let confidence = 0.95

  private let classes: AlarmClasses
  private let wobbleFactor: Double
  /// The least probability with which the policy keeps any output.
  private let probabilityFloor: Double
  private var runLength: RunLength
  private var bets: [ClassBets]
  private var ticks: Int64 = 0
  /// Outputs taken so far.
  public private(set) var outputs: Int64 = 0
  /// The reading that raised the alarm to the level at which it is; nil where none is open.
  public private(set) var latched: AlarmReading?
  /// The limits from which a shift is `drifted`.
  public var thresholds: DriftThresholds

  /// - Parameters:
  ///   - baseline: the frozen baseline. Labels of which it has few, or none, count as one,
  ///     `__other__`.
  ///   - blocks: the same baseline apart by day, from which the wobble is measured.
  ///   - wobbleFactor: φ, at least 1, in place of what the blocks say.
  ///   - probabilityFloor: the least probability with which the policy keeps any output, whatever
  ///     its label, in [1e-9, 1]. The bets are made by it, so it must be known before any label.
  ///   - monitors: alarms in the installation, over which the baselines' bounds hold together.
  ///   - averageRunLength: A, in outputs as sampled, at least a tick.
  ///   - tickOutputs: outputs in an ordinary tick, at least 1.
  /// - Throws: where a number is out of its range, or the baseline is empty.
  public init(
    baseline: Tally, blocks: [Tally] = [], wobbleFactor: Double? = nil, probabilityFloor: Double,
    monitors: Int = 1, averageRunLength: Double, tickOutputs: Int64 = 25,
    thresholds: DriftThresholds = DriftThresholds()
  ) throws(AlarmFault) {
    let classes = AlarmClasses(baseline: baseline)
    let wobbleFactor = wobbleFactor ?? classes.wobbleFactor(of: blocks)
    try AlarmFault.check(classes: classes, wobbleFactor: wobbleFactor)
    guard probabilityFloor >= 1e-9, probabilityFloor <= 1 else {
      throw AlarmFault(
        description: "the least probability must be from 1e-9 to 1, not \(probabilityFloor)")
    }
    runLength = try RunLength(outputs: averageRunLength, tickOutputs: tickOutputs)
    self.classes = classes
    self.wobbleFactor = wobbleFactor
    self.probabilityFloor = probabilityFloor
    self.thresholds = thresholds
    let side = Side(classes.folded(baseline), labels: classes.labels)
    let missed = (1 - Self.confidence) / Double(max(monitors, 1))
    let z = Interval.jointZ(confidence: 1 - missed, classes: classes.labels.count)
    bets = classes.labels.indices.map { k in
      let size = side.effectiveSize(of: k) / wobbleFactor
      return ClassBets(
        share: side.shares[k], size: size,
        bounds: .wilson(share: side.shares[k], size: size, z: z))
    }
  }

  /// The classes in fixed order; the last is `__other__`.
  public var labels: [String] { classes.labels }

  /// The class under which a label is counted.
  public func name(of label: String) -> String { classes.name(of: label) }

  /// Takes the labels of one tick. How many outputs a tick holds must not follow from their labels:
  /// close ticks by count.
  /// - Parameter startedAt: given back with an onset in this tick, such as a time.
  /// - Returns: what they say together with those before; nil where the tick has no output, which
  ///   changes nothing.
  /// - Throws: where an output was kept with less than the least probability: a factor could be
  ///   negative. Nothing is taken then.
  public mutating func update(
    _ tick: Tally, startedAt: Int64 = 0
  ) throws(AlarmFault) -> AlarmReading? {
    guard let least = tick.probabilityMin else { return nil }
    guard least >= probabilityFloor else {
      throw AlarmFault(
        description: "an output was sampled with a probability of \(least), and the least was said "
          + "to be \(probabilityFloor)")
    }
    let strata = CountedStratum.all(of: tick, classes: classes)
    let size = tick.total
    let here = AlarmReading.Onset(
      ticksBefore: ticks, outputsBefore: outputs, startedAt: startedAt)
    let weight = runLength.weight(size)
    for k in bets.indices {
      let limit = thresholds.shift(of: labels[k], baselineShare: bets[k].share)
      bets[k].take(
        k, of: strata, floor: probabilityFloor, limit: limit, weight: weight, at: here)
    }
    ticks = saturatingSum(ticks, 1)
    outputs = saturatingSum(outputs, size)
    var reading = read()
    let beyond = mean { $0.beyond }
    reading.raise(to: ln(beyond) >= runLength.threshold ? .drifted : .watch, over: &latched)
    return reading
  }

  /// Ends an open alarm and looks for the next one in the outputs from here on.
  public mutating func acknowledge() {
    guard latched != nil else { return }
    latched = nil
    for k in bets.indices { bets[k].clear() }
  }

  /// As `DriftAlarm.setAverageRunLength`.
  public mutating func setAverageRunLength(_ outputs: Double) throws(AlarmFault) {
    runLength = try RunLength(outputs: outputs, tickOutputs: runLength.tickOutputs)
  }

  /// The mean wealth over classes, directions and stakes.
  private func mean(_ wealth: (ClassBets) -> Double) -> Double {
    let sum = bets.reduce(0) { $0 + wealth($1) }
    return max(sum / Double(2 * bets.count * ClassBets.stakes.count), .leastNormalMagnitude)
  }

  private func read() -> AlarmReading {
    var best = (wealth: -1.0, onset: AlarmReading.Onset(ticksBefore: 0, outputsBefore: 0))
    var shifts: [AlarmReading.Shift] = []
    let z =
      Interval.jointZ(confidence: thresholds.confidence, classes: bets.count)
    for (k, bet) in bets.enumerated() {
      for (direction, streams) in [(AlarmReading.Shift.Direction.up, bet.up), (.down, bet.down)] {
        for stream in streams where stream.wealth > best.wealth {
          best = (stream.wealth, stream.onset)
        }
        guard let most = streams.max(by: { $0.gain < $1.gain }), most.gain > 0 else { continue }
        let share = most.hits / most.total
        shifts.append(
          AlarmReading.Shift(
            label: labels[k], direction: direction, evidence: most.gain, baselineShare: bet.share,
            share: share,
            interval: .difference(
              from: bet.share, size: bet.size, to: share,
              size: most.total * most.total / most.squares / wobbleFactor, z: z),
            limit: thresholds.shift(of: labels[k], baselineShare: bet.share)))
      }
    }
    return AlarmReading(
      evidence: ln(mean { $0.wealth }), threshold: runLength.threshold, raised: nil,
      outputs: outputs, onset: best.onset, shifts: AlarmReading.listed(shifts))
  }
}

// MARK: - Stored form

extension WeightedDriftAlarm: Codable {
  private enum Key: String, CodingKey {
    case labels
    case wobbleFactor
    case probabilityFloor
    case runLength
    case thresholds
    case bets
    case ticks
    case outputs
    case latched
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    classes = AlarmClasses(labels: try values.decode([String].self, forKey: .labels))
    wobbleFactor = try values.decode(Double.self, forKey: .wobbleFactor)
    probabilityFloor = try values.decode(Double.self, forKey: .probabilityFloor)
    runLength = try values.decode(RunLength.self, forKey: .runLength)
    thresholds = try values.decode(DriftThresholds.self, forKey: .thresholds)
    bets = try values.decode([ClassBets].self, forKey: .bets)
    ticks = try values.decode(Int64.self, forKey: .ticks)
    outputs = try values.decode(Int64.self, forKey: .outputs)
    latched = try values.decodeIfPresent(AlarmReading.self, forKey: .latched)
    try AlarmFault.check(classes: classes, wobbleFactor: wobbleFactor)
    let isSound =
      classes.isSound && bets.count == classes.labels.count && ticks >= 0 && outputs >= ticks
      && probabilityFloor >= 1e-9 && probabilityFloor <= 1
      && bets.allSatisfy { $0.isSound(ticks: ticks, outputs: outputs) }
    guard isSound else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "the bets are none of an alarm's"))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(labels, forKey: .labels)
    try values.encode(wobbleFactor, forKey: .wobbleFactor)
    try values.encode(probabilityFloor, forKey: .probabilityFloor)
    try values.encode(runLength, forKey: .runLength)
    try values.encode(thresholds, forKey: .thresholds)
    try values.encode(bets, forKey: .bets)
    try values.encode(ticks, forKey: .ticks)
    try values.encode(outputs, forKey: .outputs)
    try values.encodeIfPresent(latched, forKey: .latched)
  }
}
