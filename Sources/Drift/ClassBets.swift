// The bets of `WeightedDriftAlarm` on the share of one class.

/// The baseline's share of one class and its bounds, in [0, 1], and the bets against them.
struct ClassBets: Hashable, Sendable, Codable {
  /// λ over the largest that is possible.
  static let stakes = [0.9, 0.3, 0.1, 0.033, 0.011]

  let share: Double
  /// Effective size of the baseline, over the wobble.
  let size: Double
  let bounds: Interval
  /// By stake: that the share is above the upper bound, and below the lower.
  private(set) var up = Self.stakes.map { _ in BetStream() }
  private(set) var down = Self.stakes.map { _ in BetStream() }
  /// The wealth of the same bets against the bounds and the app's limit.
  private var upBeyond = Self.stakes.map { _ in 0.0 }
  private var downBeyond = Self.stakes.map { _ in 0.0 }

  init(share: Double, size: Double, bounds: Interval) {
    self.share = share
    self.size = size
    self.bounds = bounds
  }

  var wealth: Double { (up + down).reduce(0) { $0 + $1.wealth } }
  var beyond: Double { (upBeyond + downBeyond).reduce(0, +) }

  mutating func clear() { self = ClassBets(share: share, size: size, bounds: bounds) }

  /// Takes the outputs of a tick.
  mutating func take(
    _ k: Int, of strata: [CountedStratum], floor: Double, limit: Double, weight: Double,
    at tick: AlarmReading.Onset
  ) {
    let sums = BetStream.Sums(k, of: strata)
    for index in Self.stakes.indices {
      if let growth = Self.growth(k, of: strata, index, floor, above: bounds.high) {
        up[index].take(growth, weight: weight, at: tick, sums: sums)
      }
      if let growth = Self.growth(k, of: strata, index, floor, below: bounds.low) {
        down[index].take(growth, weight: weight, at: tick, sums: sums)
      }
      if let growth = Self.growth(k, of: strata, index, floor, above: bounds.high + limit) {
        upBeyond[index] = BetStream.grown(upBeyond[index], weight, growth)
      }
      if let growth = Self.growth(k, of: strata, index, floor, below: bounds.low - limit) {
        downBeyond[index] = BetStream.grown(downBeyond[index], weight, growth)
      }
    }
  }

  /// ln of the factor of a bet that the share is above a bound, over the outputs of a tick; nil
  /// where no share is, so that nothing is staked.
  static func growth(
    _ k: Int, of strata: [CountedStratum], _ stake: Int, _ floor: Double, above bound: Double
  ) -> Double? {
    bound < 1 ? growth(k, of: strata, stakes[stake] * floor / bound, bound) : nil
  }

  /// … that it is below.
  static func growth(
    _ k: Int, of strata: [CountedStratum], _ stake: Int, _ floor: Double, below bound: Double
  ) -> Double? {
    bound > 0 ? growth(k, of: strata, -stakes[stake] * floor / (1 - bound), bound) : nil
  }

  /// Σ ln(1 + λ/π·(1{x = k} − q)).
  private static func growth(
    _ k: Int, of strata: [CountedStratum], _ stake: Double, _ bound: Double
  ) -> Double {
    strata.reduce(0.0) { sum, stratum in
      let unit = stake / stratum.probability
      let hits = stratum.counts[k]
      return sum + hits * ln1p(unit * (1 - bound)) + (stratum.total - hits) * ln1p(-unit * bound)
    }
  }

  /// Whether these can be bets after so many ticks and outputs.
  func isSound(ticks: Int64, outputs: Int64) -> Bool {
    let streams = up + down
    let wealths = upBeyond + downBeyond
    return share >= 0 && share <= 1 && size > 0 && size.isFinite && bounds.low >= 0
      && bounds.low <= share && share <= bounds.high && bounds.high <= 1
      && up.count == Self.stakes.count && down.count == Self.stakes.count
      && upBeyond.count == Self.stakes.count && downBeyond.count == Self.stakes.count
      && wealths.allSatisfy { $0 >= 0 && $0 <= BetStream.wealthMax }
      && streams.allSatisfy { $0.isSound(ticks: ticks, outputs: outputs) }
  }
}

/// The bets on one class in one direction with one stake.
struct BetStream: Hashable, Sendable, Codable {
  /// Far above every threshold, and far below the largest number.
  static let wealthMax = 1e300

  private(set) var wealth = 0.0
  /// ln of the product of the factors since `onset`, which is where it was lowest.
  private(set) var gain = 0.0
  private(set) var onset = AlarmReading.Onset(ticksBefore: 0, outputsBefore: 0)
  /// Σ1/π since the onset, of the class and of all, and Σ1/π².
  private(set) var hits = 0.0
  private(set) var total = 0.0
  private(set) var squares = 0.0

  /// Of the outputs of a tick.
  struct Sums {
    var hits = 0.0
    var total = 0.0
    var squares = 0.0

    init(_ k: Int, of strata: [CountedStratum]) {
      for stratum in strata {
        hits += stratum.counts[k] / stratum.probability
        total += stratum.total / stratum.probability
        squares += stratum.total / (stratum.probability * stratum.probability)
      }
    }
  }

  static func grown(_ wealth: Double, _ weight: Double, _ growth: Double) -> Double {
    min((wealth + weight) * exponential(min(growth, 700)), wealthMax)
  }

  /// Takes a tick.
  /// - Parameters:
  ///   - growth: what the bets gained, as a logarithm.
  ///   - weight: of a start in this tick.
  mutating func take(
    _ growth: Double, weight: Double, at tick: AlarmReading.Onset, sums: Sums
  ) {
    wealth = Self.grown(wealth, weight, growth)
    if gain <= 0 { (gain, onset, hits, total, squares) = (0, tick, 0, 0, 0) }
    gain += growth
    hits += sums.hits
    total += sums.total
    squares += sums.squares
  }

  func isSound(ticks: Int64, outputs: Int64) -> Bool {
    wealth >= 0 && wealth <= Self.wealthMax && gain.isFinite && hits >= 0
      && hits <= total * (1 + 1e-9)
      && total.isFinite && squares >= 0 && squares.isFinite && (total == 0) == (squares == 0)
      && (0...ticks).contains(onset.ticksBefore) && (0...outputs).contains(onset.outputsBefore)
  }
}

/// The counts of one stratum, class by class.
struct CountedStratum {
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
