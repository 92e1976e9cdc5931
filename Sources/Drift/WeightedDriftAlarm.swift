// The continuous alarm for outputs that were kept with different probabilities. Their labels have
// no common distribution whose density could be asked, but a bet on the share of each class, worth
// 1/π where an output was kept and nothing where it was not, is fair whatever decided over π.
//
// Kind: mixture Shiryaev–Roberts e-detector over bets. Formula: for each class k, upwards with q
// the upper bound of its baseline share, M ← (M + n/tick)·Π(1 + λ/π_i·(1{x_i = k} − q)), downwards
// with q the lower bound, M ← (M + n/tick)·Π(1 + λ/π_i·(q − 1{x_i = k})); five λ below the largest
// at which no factor could be negative; alarm where the mean of all M is at least A/tick.
// Default threshold: as `DriftAlarm`. The bounds are Wilson's at the effective size, 95 % jointly:
// where they hold, the average run length is at least A for any mix of probabilities.
// Source: A. Podkopaev and A. Ramdas, ICLR 2022 (arXiv 2110.06177); J. Shin, A. Ramdas and
// A. Rinaldo (2024) for the detector; D. Horvitz and D. Thompson (1952) for 1/π.

/// The continuous alarm of one app, classifier and segment, for outputs that were sampled with
/// different probabilities; the same interface as `DriftAlarm`, which finds smaller shifts where
/// all probabilities are equal.
///
/// The coded state holds 70·K numbers beside labels and bounds, K the classes with `__unseen__`.
public struct WeightedDriftAlarm: Hashable, Sendable, Codable {
  /// λ over the largest that is possible.
  private static let stakes = [0.9, 0.3, 0.1, 0.033, 0.011]
  private static let confidence = 0.95
  /// The bets on one class in one direction with one stake.
  private struct Stream: Hashable, Sendable, Codable {
    var wealth = 0.0
    /// ln of the product of the factors since `onset`, which is where it was lowest.
    var gain = 0.0
    var onset = AlarmReading.Onset(ticksBefore: 0, outputsBefore: 0)
    /// Σ1/π since the onset, of the class and of all.
    var hits = 0.0
    var total = 0.0

    /// Takes a tick.
    /// - Parameters:
    ///   - growth: what the bets gained, as a logarithm.
    ///   - weight: of a start in this tick.
    ///   - sums: Σ1/π in this tick.
    mutating func take(
      _ growth: Double, weight: Double, at tick: AlarmReading.Onset,
      sums: (hits: Double, total: Double)
    ) {
      // Far above every threshold, and far below the largest number.
      wealth = min((wealth + weight) * exponential(min(growth, 700)), 1e300)
      if gain <= 0 { (gain, onset, hits, total) = (0, tick, 0, 0) }
      gain += growth
      hits += sums.hits
      total += sums.total
    }
  }

  /// The baseline's share of one class and its bounds, in [0, 1], and the bets against them.
  private struct ClassBets: Hashable, Sendable, Codable {
    var share: Double
    var bounds: Interval
    /// By stake.
    var up: [Stream]
    var down: [Stream]
  }

  /// The classes in fixed order; the last is `__unseen__`.
  public let labels: [String]
  private let runLength: RunLength
  private var bets: [ClassBets]
  /// The least probability so far: stakes shrink with it.
  private var probabilityMin: Double
  private var ticks: Int64 = 0
  private var outputs: Int64 = 0
  /// The reading that raised the alarm; nil where none is open.
  public private(set) var latched: AlarmReading?

  /// - Parameters:
  ///   - baseline: the frozen baseline. Classes that it does not have count as one, `__unseen__`.
  ///   - wobbleFactor: φ of the baseline's blocks, at least 1; 1 where it is unknown.
  ///   - averageRunLength: A, in outputs as sampled, at least a tick.
  ///   - tickOutputs: outputs in an ordinary tick, at least 1.
  /// - Throws: where a number is out of its range, or the baseline is empty.
  public init(
    baseline: Tally, wobbleFactor: Double = 1, averageRunLength: Double, tickOutputs: Int64 = 25
  ) throws(AlarmFault) {
    let classes = AlarmClasses(baseline: baseline)
    try AlarmFault.check(classes: classes, wobbleFactor: wobbleFactor)
    runLength = try RunLength(outputs: averageRunLength, tickOutputs: tickOutputs)
    labels = classes.labels
    let side = Side(baseline, labels: labels)
    let z = Interval.jointZ(confidence: Self.confidence, classes: labels.count)
    let fresh = Self.stakes.map { _ in Stream() }
    bets = labels.indices.map { k in
      ClassBets(
        share: side.shares[k],
        bounds: .wilson(
          share: side.shares[k], size: side.effectiveSize(of: k) / wobbleFactor, z: z),
        up: fresh, down: fresh)
    }
    probabilityMin = baseline.probabilityMin ?? 1
  }

  /// Takes the labels of one tick.
  /// - Returns: what they say together with those before; nil where the tick has no output, which
  ///   changes nothing.
  public mutating func update(_ tick: Tally) -> AlarmReading? {
    guard let least = tick.probabilityMin else { return nil }
    // Known before any label of the tick, so the bets stay fair.
    probabilityMin = min(probabilityMin, least)
    let strata = CountedStratum.all(of: tick, classes: AlarmClasses(labels: labels))
    let size = tick.total
    let here = AlarmReading.Onset(ticksBefore: ticks, outputsBefore: outputs)
    let weight = runLength.weight(size)
    for k in bets.indices {
      let sums = (
        hits: strata.reduce(0) { $0 + $1.counts[k] / $1.probability },
        total: strata.reduce(0) { $0 + $1.total / $1.probability }
      )
      for (index, stake) in Self.stakes.enumerated() {
        let bounds = bets[k].bounds
        let up = growth(strata, k, stake * probabilityMin / bounds.high, bounds.high)
        let down = growth(strata, k, -stake * probabilityMin / (1 - bounds.low), bounds.low)
        bets[k].up[index].take(up, weight: weight, at: here, sums: sums)
        bets[k].down[index].take(down, weight: weight, at: here, sums: sums)
      }
    }
    ticks = saturatingSum(ticks, 1)
    outputs = saturatingSum(outputs, size)
    var reading = read()
    reading.raise(unless: &latched)
    return reading
  }

  /// Ends an open alarm and looks for the next one in the outputs from here on.
  public mutating func acknowledge() {
    guard latched != nil else { return }
    latched = nil
    let fresh = Self.stakes.map { _ in Stream() }
    for k in bets.indices { (bets[k].up, bets[k].down) = (fresh, fresh) }
  }

  /// Σ ln(1 + λ/π·(1{x = k} − q)) over the outputs of a tick; λ below 0 bets on less.
  private func growth(
    _ strata: [CountedStratum], _ k: Int, _ stake: Double, _ bound: Double
  ) -> Double {
    // A share of at least 1 or at most 0 cannot be exceeded: nothing is staked.
    guard stake.isFinite else { return 0 }
    return strata.reduce(0.0) { sum, stratum in
      let unit = stake / stratum.probability
      let hits = stratum.counts[k]
      return sum + hits * ln1p(unit * (1 - bound)) + (stratum.total - hits) * ln1p(-unit * bound)
    }
  }

  private func read() -> AlarmReading {
    var sum = 0.0
    var best = (wealth: -1.0, onset: AlarmReading.Onset(ticksBefore: 0, outputsBefore: 0))
    var shifts: [AlarmReading.Shift] = []
    let share = 1 / Double(2 * bets.count * Self.stakes.count)
    for (k, bet) in bets.enumerated() {
      for (direction, streams) in [(AlarmReading.Shift.Direction.up, bet.up), (.down, bet.down)] {
        sum += streams.reduce(0) { $0 + $1.wealth * share }
        for stream in streams where stream.wealth > best.wealth {
          best = (stream.wealth, stream.onset)
        }
        guard let most = streams.max(by: { $0.gain < $1.gain }), most.gain > 0 else { continue }
        shifts.append(
          AlarmReading.Shift(
            label: labels[k], direction: direction, evidence: most.gain,
            baselineShare: bet.share, share: most.hits / most.total))
      }
    }
    let ordered = shifts.enumerated().sorted {
      ($1.element.evidence, $0.offset) < ($0.element.evidence, $1.offset)
    }
    return AlarmReading(
      evidence: ln(max(sum, .leastNormalMagnitude)), threshold: runLength.threshold,
      isAlarm: false, outputs: outputs, onset: best.onset,
      shifts: ordered.prefix(AlarmReading.shiftsMax).map(\.element))
  }
}

/// The counts of one stratum, class by class.
private struct CountedStratum {
  var probability: Double
  var counts: [Double]
  var total: Double

  static func all(of tally: Tally, classes: AlarmClasses) -> [CountedStratum] {
    tally.strata.map { stratum in
      var counts = classes.labels.map { _ in 0.0 }
      for (label, count) in stratum.counts { counts[classes.place(of: label)] += Double(count) }
      return CountedStratum(
        probability: stratum.probability, counts: counts, total: counts.reduce(0, +))
    }
  }
}
