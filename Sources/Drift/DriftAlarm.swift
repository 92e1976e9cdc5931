// The continuous alarm: looks after every tick, for as long as the app lives, and yet raises a
// false alarm only once in A outputs on average. A p-value looked at so often would be below 5 %
// sooner or later in every quiet stream.
//
// Kind: mixture Shiryaev–Roberts e-detector. Formula: M = Σ_j (n_j/tick)·e_j over the candidate
// onsets j, e_j the e-value of the labels since (`WindowEvidence`), n_j the outputs of tick j;
// alarm where ln M ≥ ln(A/tick). Before a change every e_j has mean 1, so M grows by one a full
// tick on average and takes A outputs to the threshold; after it some e_j grows exponentially.
// Default threshold: none; A is set for the whole installation by `averageRunLength`.
// What is proven and what measured: docs/decisions/0017-continuous-alarm.md.
// Source: J. Shin, A. Ramdas and A. Rinaldo, E-detectors, New England J. Stat. Data Sci. 2 (2024);
// A. Shiryaev (1963) and S. Roberts (1966).

/// The continuous alarm of one app, classifier and segment, for outputs that were all sampled with
/// one probability; `WeightedDriftAlarm` where probabilities differ.
///
/// Coded and read again, it goes on to the bit. The coded state holds at most 450·(K + 3) whole
/// numbers beside labels and baseline, K ≤ 50 the classes with `__other__`.
public struct DriftAlarm: Sendable {
  private let classes: AlarmClasses
  private let baseline: [Int64]
  /// Of every output of the stream, in (0, 1].
  private let probability: Double
  private var runLength: RunLength
  private let evidence: WindowEvidence
  private var candidates: OnsetCandidates
  /// The reading that raised the alarm to the level at which it is; nil where none is open.
  public private(set) var latched: AlarmReading?
  /// The limits from which a shift is `drifted`.
  public var thresholds: DriftThresholds

  /// - Parameters:
  ///   - baseline: the frozen baseline, sampled with one probability. Labels of which it has few,
  ///     or none, count as one, `__other__`.
  ///   - blocks: the same baseline apart by day, from which the wobble is measured.
  ///   - wobbleFactor: φ, at least 1, in place of what the blocks say.
  ///   - probability: with which all outputs of the stream are sampled; nil: as the baseline's.
  ///   - averageRunLength: A, in outputs, at least a tick.
  ///   - tickOutputs: outputs in an ordinary tick, at least 1.
  /// - Throws: where a number is out of its range, or the baseline is empty or weighted.
  public init(
    baseline: Tally, blocks: [Tally] = [], wobbleFactor: Double? = nil,
    probability: Double? = nil, averageRunLength: Double, tickOutputs: Int64 = 25,
    thresholds: DriftThresholds = DriftThresholds()
  ) throws(AlarmFault) {
    guard !baseline.isWeighted else {
      throw AlarmFault(
        description: "the baseline was sampled with several probabilities: use the weighted alarm")
    }
    let classes = AlarmClasses(baseline: baseline)
    try self.init(
      classes: classes, baseline: classes.counts(of: baseline),
      wobbleFactor: wobbleFactor ?? classes.wobbleFactor(of: blocks),
      probability: probability ?? baseline.probabilityMin ?? 1,
      runLength: RunLength(outputs: averageRunLength, tickOutputs: tickOutputs),
      thresholds: thresholds)
  }

  private init(
    classes: AlarmClasses, baseline: [Int64], wobbleFactor: Double, probability: Double,
    runLength: RunLength, thresholds: DriftThresholds
  ) throws(AlarmFault) {
    try AlarmFault.check(classes: classes, wobbleFactor: wobbleFactor)
    guard probability > 0, probability <= 1 else {
      throw AlarmFault(description: "a sampling probability must be in (0, 1], not \(probability)")
    }
    self.classes = classes
    self.baseline = baseline
    self.probability = probability
    self.runLength = runLength
    self.thresholds = thresholds
    evidence = WindowEvidence(baseline: baseline, wobbleFactor: wobbleFactor)
    candidates = OnsetCandidates(classCount: baseline.count)
  }

  /// The classes in fixed order; the last is `__other__`.
  public var labels: [String] { classes.labels }

  /// The class under which a label is counted.
  public func name(of label: String) -> String { classes.name(of: label) }

  /// Outputs taken so far.
  public var outputs: Int64 { candidates.outputs }

  /// Takes the labels of one tick. How many outputs a tick holds must not follow from their labels:
  /// close ticks by count.
  /// - Parameter startedAt: given back with an onset in this tick, such as a time.
  /// - Returns: what they say together with those before; nil where the tick has no output, which
  ///   changes nothing.
  /// - Throws: where outputs were sampled with another probability than the stream's; nothing is
  ///   taken then.
  public mutating func update(
    _ tick: Tally, startedAt: Int64 = 0
  ) throws(AlarmFault) -> AlarmReading? {
    guard let least = tick.probabilityMin else { return nil }
    guard !tick.isWeighted, least == probability else {
      throw AlarmFault(
        description: "outputs of a tick were sampled with a probability of \(least), those before "
          + "with \(probability): use the weighted alarm")
    }
    candidates.append(classes.counts(of: tick), startedAt: startedAt)
    var (reading, level) = read()
    reading.raise(to: level, over: &latched)
    return reading
  }

  /// Ends an open alarm and looks for the next one in the outputs from here on; those before it are
  /// a part of what is known, so that the bound holds for every run.
  public mutating func acknowledge() {
    guard latched != nil else { return }
    latched = nil
    candidates.clear()
  }

  /// Sets another A, as outputs a day change. The evidence stays what it is, since it holds no A:
  /// the mean run is then at least the mean of A over the moments of alarm.
  /// - Throws: where it is less than a tick.
  public mutating func setAverageRunLength(_ outputs: Double) throws(AlarmFault) {
    runLength = try RunLength(outputs: outputs, tickOutputs: runLength.tickOutputs)
  }

  private func read() -> (AlarmReading, AlarmLevel) {
    var window = CountWindow(classCount: labels.count)
    var scratch = WindowEvidence.Scratch(classCount: labels.count)
    var sum = LogSum()
    let total = candidates.total
    var past = total
    // Windows that could be one alone, and the one with the most evidence.
    var certain: [Window] = []
    let isOpen = latched?.raised != .drifted
    var best: Window?
    for start in candidates.starts.reversed() {
      window.add(start.counts, wobbleFactor: evidence.wobbleFactor)
      for k in past.indices { past[k] = total[k] - window.sums[k] }
      let logE = evidence.logE(of: window, after: past, scratch: &scratch)
      let weighted = logE + ln(runLength.weight(start.outputs))
      sum.add(weighted)
      let isBest = logE > best?.logE ?? -.infinity
      let isCertain = isOpen && weighted >= runLength.threshold
      guard isBest || isCertain else { continue }
      let found = Window(logE: logE, start: start, counts: window, single: scratch.single)
      if isCertain { certain.append(found) }
      if isBest { best = found }
    }
    var level = AlarmLevel.watch
    if isOpen, sum.value >= runLength.threshold {
      // A large shift after a small one of old is in the windows since; the oldest has all
      // evidence.
      let windows = certain.sorted { $0.logE > $1.logE } + (best.map { [$0] } ?? [])
      if let beyond = windows.first(where: { shifts($0).contains(where: \.isBeyondLimit) }) {
        level = .drifted
        best = beyond
      }
    }
    let onset = best.map { best in
      AlarmReading.Onset(
        ticksBefore: best.start.tick, outputsBefore: candidates.outputs - best.counts.outputs,
        startedAt: best.start.startedAt)
    }
    let reading = AlarmReading(
      evidence: sum.value, threshold: runLength.threshold, raised: nil,
      outputs: candidates.outputs,
      onset: onset ?? AlarmReading.Onset(ticksBefore: 0, outputsBefore: 0),
      shifts: best.map { AlarmReading.listed(shifts($0).filter { $0.evidence > 0 }) } ?? [])
    return (reading, level)
  }

  /// The outputs since a start.
  private struct Window {
    var logE: Double
    var start: OnsetCandidates.Start
    var counts: CountWindow
    var single: [Double]
  }

  private func shifts(_ window: Window) -> [AlarmReading.Shift] {
    let known = baseline.reduce(0.0) { $0 + Double($1) }
    let size = Double(window.counts.outputs)
    let z =
      Interval.jointZ(confidence: thresholds.confidence, classes: labels.count)
      * evidence.wobbleFactor.squareRoot()
    return labels.indices.map { k in
      let share = window.counts.counts[k] / window.counts.total
      let before = Double(baseline[k]) / known
      return AlarmReading.Shift(
        label: labels[k], direction: share > before ? .up : .down, evidence: window.single[k],
        baselineShare: before, share: share,
        interval: .difference(from: before, size: known, to: share, size: size, z: z),
        limit: thresholds.shift(of: labels[k], baselineShare: before))
    }
  }
}

// MARK: - Stored form

extension DriftAlarm: Codable {
  private enum Key: String, CodingKey {
    case labels
    case baseline
    case wobbleFactor
    case probability
    case runLength
    case thresholds
    case candidates
    case latched
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    let classes = AlarmClasses(labels: try values.decode([String].self, forKey: .labels))
    let baseline = try values.decode([Int64].self, forKey: .baseline)
    let stored = try values.decode([Int64].self, forKey: .candidates)
    guard classes.isSound, baseline.count == classes.labels.count,
      baseline.allSatisfy({ $0 >= 0 }), baseline.contains(where: { $0 > 0 }),
      let candidates = OnsetCandidates(numbers: stored, classCount: classes.labels.count)
    else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "the counts do not fit the labels"))
    }
    try self.init(
      classes: classes, baseline: baseline,
      wobbleFactor: try values.decode(Double.self, forKey: .wobbleFactor),
      probability: try values.decode(Double.self, forKey: .probability),
      runLength: try values.decode(RunLength.self, forKey: .runLength),
      thresholds: try values.decode(DriftThresholds.self, forKey: .thresholds))
    self.candidates = candidates
    latched = try values.decodeIfPresent(AlarmReading.self, forKey: .latched)
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(labels, forKey: .labels)
    try values.encode(baseline, forKey: .baseline)
    try values.encode(evidence.wobbleFactor, forKey: .wobbleFactor)
    try values.encode(probability, forKey: .probability)
    try values.encode(runLength, forKey: .runLength)
    try values.encode(thresholds, forKey: .thresholds)
    try values.encode(candidates.numbers, forKey: .candidates)
    try values.encodeIfPresent(latched, forKey: .latched)
  }
}
