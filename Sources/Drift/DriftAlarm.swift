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
/// Coded and read again, it goes on to the bit. The coded state holds at most 450·(K + 2) whole
/// numbers beside labels and baseline, K the classes with `__unseen__`.
public struct DriftAlarm: Sendable {
  private let classes: AlarmClasses
  private let baseline: [Int64]
  private let runLength: RunLength
  private let evidence: WindowEvidence
  private var candidates: OnsetCandidates
  /// The reading that raised the alarm; nil where none is open.
  public private(set) var latched: AlarmReading?

  /// - Parameters:
  ///   - baseline: the frozen baseline, sampled with one probability. Classes that it does not have
  ///     count as one, `__unseen__`.
  ///   - wobbleFactor: φ of the baseline's blocks, at least 1; 1 where it is unknown.
  ///   - averageRunLength: A, in outputs, at least a tick.
  ///   - tickOutputs: outputs in an ordinary tick, at least 1.
  /// - Throws: where a number is out of its range, or the baseline is empty or weighted.
  public init(
    baseline: Tally, wobbleFactor: Double = 1, averageRunLength: Double, tickOutputs: Int64 = 25
  ) throws(AlarmFault) {
    guard !baseline.isWeighted else {
      throw AlarmFault(
        description: "the baseline was sampled with several probabilities: use the weighted alarm")
    }
    let classes = AlarmClasses(baseline: baseline)
    try self.init(
      classes: classes, baseline: classes.counts(of: baseline), wobbleFactor: wobbleFactor,
      runLength: RunLength(outputs: averageRunLength, tickOutputs: tickOutputs))
  }

  private init(
    classes: AlarmClasses, baseline: [Int64], wobbleFactor: Double, runLength: RunLength
  ) throws(AlarmFault) {
    try AlarmFault.check(classes: classes, wobbleFactor: wobbleFactor)
    self.classes = classes
    self.baseline = baseline
    self.runLength = runLength
    evidence = WindowEvidence(baseline: baseline, wobbleFactor: wobbleFactor)
    candidates = OnsetCandidates(classCount: baseline.count)
  }

  /// The classes in fixed order; the last is `__unseen__`.
  public var labels: [String] { classes.labels }

  /// Takes the labels of one tick, whose sampling probabilities must all be equal.
  /// - Returns: what they say together with those before; nil where the tick has no output, which
  ///   changes nothing.
  public mutating func update(_ tick: Tally) -> AlarmReading? {
    guard !tick.isEmpty else { return nil }
    candidates.append(classes.counts(of: tick))
    var reading = read()
    reading.raise(unless: &latched)
    return reading
  }

  /// Ends an open alarm and looks for the next one in the outputs from here on.
  public mutating func acknowledge() {
    guard latched != nil else { return }
    latched = nil
    candidates.clear()
  }

  private func read() -> AlarmReading {
    var window = CountWindow(classCount: labels.count)
    var scratch = WindowEvidence.Scratch(classCount: labels.count)
    var sum = LogSum()
    let total = candidates.total
    var past = total
    var best = Best(logE: -.infinity, tick: 0, window: window, single: scratch.single)
    for start in candidates.starts.reversed() {
      window.add(start.counts, wobbleFactor: evidence.wobbleFactor)
      for k in past.indices { past[k] = total[k] - window.sums[k] }
      let logE = evidence.logE(of: window, after: past, scratch: &scratch)
      sum.add(logE + ln(runLength.weight(start.outputs)))
      if logE > best.logE {
        best = Best(logE: logE, tick: start.tick, window: window, single: scratch.single)
      }
    }
    return AlarmReading(
      evidence: sum.value, threshold: runLength.threshold, isAlarm: false,
      outputs: candidates.outputs,
      onset: AlarmReading.Onset(
        ticksBefore: best.tick, outputsBefore: candidates.outputs - best.window.outputs),
      shifts: shifts(best))
  }

  /// The window with the most evidence.
  private struct Best {
    var logE: Double
    var tick: Int64
    var window: CountWindow
    var single: [Double]
  }

  private func shifts(_ best: Best) -> [AlarmReading.Shift] {
    best.single.indices.filter { best.single[$0] > 0 }
      .sorted { (best.single[$1], $0) < (best.single[$0], $1) }
      .prefix(AlarmReading.shiftsMax)
      .map { k in
        let share = best.window.counts[k] / best.window.total
        let baselineShare = evidence.share(k)
        return AlarmReading.Shift(
          label: labels[k], direction: share > baselineShare ? .up : .down,
          evidence: best.single[k], baselineShare: baselineShare, share: share)
      }
  }
}

// MARK: - Stored form

extension DriftAlarm: Codable {
  private enum Key: String, CodingKey {
    case labels
    case baseline
    case wobbleFactor
    case runLength
    case candidates
    case latched
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    let labels = try values.decode([String].self, forKey: .labels)
    let baseline = try values.decode([Int64].self, forKey: .baseline)
    let stored = try values.decode([Int64].self, forKey: .candidates)
    let runLength = try values.decode(RunLength.self, forKey: .runLength)
    guard baseline.count == labels.count, baseline.allSatisfy({ $0 >= 0 }),
      let candidates = OnsetCandidates(numbers: stored, classCount: labels.count)
    else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "the counts do not fit the labels"))
    }
    try self.init(
      classes: AlarmClasses(labels: labels), baseline: baseline,
      wobbleFactor: try values.decode(Double.self, forKey: .wobbleFactor),
      runLength: RunLength(outputs: runLength.outputs, tickOutputs: runLength.tickOutputs))
    self.candidates = candidates
    latched = try values.decodeIfPresent(AlarmReading.self, forKey: .latched)
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(labels, forKey: .labels)
    try values.encode(baseline, forKey: .baseline)
    try values.encode(evidence.wobbleFactor, forKey: .wobbleFactor)
    try values.encode(runLength, forKey: .runLength)
    try values.encode(candidates.numbers, forKey: .candidates)
    try values.encodeIfPresent(latched, forKey: .latched)
  }
}
