// Several samples of numbers in one order: what every statistic of numbers in this module reads.

/// Samples merged by value.
struct PooledSamples {
  /// The distinct values, ascending.
  private(set) var values: [Double] = []
  /// How many of each value a sample has: `counts[sample][value]`.
  private(set) var counts: [[Double]]
  /// Outputs in each sample.
  let sizes: [Double]
  /// The sample of each output, in the order of its value.
  private var owners: [Int]

  /// Values that are not finite must have been left out.
  init(_ samples: [[Double]]) {
    let all = samples.enumerated().flatMap { index, sample in sample.map { ($0, index) } }
      .sorted { $0.0 < $1.0 }
    owners = all.map(\.1)
    sizes = samples.map { Double($0.count) }
    counts = samples.map { _ in [] }
    for (value, owner) in all {
      if values.last != value {
        values.append(value)
        for index in counts.indices { counts[index].append(0) }
      }
      counts[owner][values.count - 1] += 1
    }
  }

  var isComparable: Bool { sizes.count > 1 && sizes.allSatisfy { $0 > 0 } }

  /// Gives every output to a sample at random; the sizes stay.
  mutating func shuffle(_ generator: inout Xoshiro256) {
    for last in owners.indices.dropFirst().reversed() {
      owners.swapAt(last, Int(generator.next(upTo: UInt64(last + 1))))
    }
    var next = 0
    for value in values.indices {
      let tied = Int(counts.reduce(0) { $0 + $1[value] })
      for index in counts.indices { counts[index][value] = 0 }
      for owner in owners[next..<(next + tied)] { counts[owner][value] += 1 }
      next += tied
    }
  }

  /// The permutation p of several statistics at once: how often a random assignment reaches them.
  ///
  /// Besag and Clifford, as in `CountTable.simulatedP`, for each statistic by itself.
  func permutationP(
    seed: UInt64, drawsMax: Int, exceedancesMax: Int = 50,
    of statistics: [(PooledSamples) -> Double]
  ) -> [SimulatedP] {
    let nothing = SimulatedP(value: 1, draws: 0)
    guard isComparable else { return statistics.map { _ in nothing } }
    // Rounding must not make an assignment that equals the observed one look smaller.
    let bounds = statistics.map { $0(self) * (1 - 1e-10) }
    var counts = statistics.map { _ in ExceedanceCount(most: exceedancesMax) }
    var generator = Xoshiro256(seed: seed)
    var shuffled = self
    for _ in 1...max(drawsMax, 1) {
      shuffled.shuffle(&generator)
      for index in statistics.indices where !counts[index].isDone {
        counts[index].take(statistics[index](shuffled) >= bounds[index])
      }
      if counts.allSatisfy(\.isDone) { break }
    }
    return counts.map(\.p)
  }
}
