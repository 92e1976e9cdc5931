// The ticks at which a change may have begun, thinned so that they stay few, with the labels since.
//
// Ages alone decide which are kept: a start at tick j stands while it is younger than 64·2^v ticks,
// v the number of trailing zero bits of j, at most 12. So starts lie close together where the past
// is near and far apart where it is far: never more than a 32nd of their age, and at most 449 of
// them. No label decides, and e-values are not negative: the sum over the kept starts never exceeds
// the sum over all, so an alarm on it never comes earlier.

/// Starts of windows that all end now.
struct OnsetCandidates: Hashable, Sendable {
  /// One start with the labels from it to the next.
  struct Start: Hashable, Sendable {
    var tick: Int64
    /// What its tick was said to have started at.
    var startedAt: Int64
    /// Outputs in its own tick.
    var outputs: Int64
    /// Counts per class.
    var counts: [Int64]
  }

  private static let ticksKept: Int64 = 64
  private static let levelMax = 12

  /// The oldest first.
  private(set) var starts: [Start] = []
  /// Counts of the outputs before the oldest start.
  private(set) var forgotten: [Int64]
  /// How many ticks there were.
  private(set) var ticks: Int64 = 0
  /// How many outputs there were.
  private(set) var outputs: Int64 = 0

  init(classCount: Int) { forgotten = Array(repeating: 0, count: classCount) }

  /// Adds a tick, of which no count is below 0, and lets go of the starts that are too many.
  mutating func append(_ counts: [Int64], startedAt: Int64 = 0) {
    let size = counts.reduce(0, saturatingSum)
    thin()
    starts.append(Start(tick: ticks, startedAt: startedAt, outputs: size, counts: counts))
    ticks = saturatingSum(ticks, 1)
    outputs = saturatingSum(outputs, size)
  }

  /// Lets go of every start; their labels are among those before the starts to come.
  mutating func clear() {
    forgotten = total
    starts = []
  }

  /// Counts of all outputs.
  var total: [Int64] { starts.reduce(into: forgotten) { add($1.counts, to: &$0) } }

  private mutating func thin() {
    var kept: [Start] = []
    kept.reserveCapacity(starts.count + 1)
    for start in starts {
      if isKept(start.tick) {
        kept.append(start)
      } else if let last = kept.indices.last {
        add(start.counts, to: &kept[last].counts)
      } else {
        add(start.counts, to: &forgotten)
      }
    }
    starts = kept
  }

  private func add(_ counts: [Int64], to sums: inout [Int64]) {
    for k in sums.indices { sums[k] = saturatingSum(sums[k], counts[k]) }
  }

  private func isKept(_ tick: Int64) -> Bool {
    let level = min(tick.trailingZeroBitCount, Self.levelMax)
    return ticks - tick < Self.ticksKept << Int64(level)
  }
}

// MARK: - Stored form: ticks, outputs, 0 and what is forgotten, then every start with its counts

extension OnsetCandidates {
  var numbers: [Int64] {
    [ticks, outputs, 0] + forgotten
      + starts.flatMap { [$0.tick, $0.outputs, $0.startedAt] + $0.counts }
  }

  /// nil where the numbers are no stored form of candidates over so many classes.
  init?(numbers: [Int64], classCount: Int) {
    let width = classCount + 3
    guard numbers.count >= width, numbers.count % width == 0, numbers[2] == 0,
      numbers.indices.allSatisfy({ $0 % width == 2 || numbers[$0] >= 0 })
    else { return nil }
    ticks = numbers[0]
    outputs = numbers[1]
    forgotten = Array(numbers[3..<width])
    starts = stride(from: width, to: numbers.count, by: width).map { offset in
      Start(
        tick: numbers[offset], startedAt: numbers[offset + 2], outputs: numbers[offset + 1],
        counts: Array(numbers[(offset + 3)..<(offset + width)]))
    }
    let order = starts.map(\.tick) + [ticks]
    guard zip(order, order.dropFirst()).allSatisfy(<) else { return nil }
  }
}
