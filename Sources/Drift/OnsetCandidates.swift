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
    /// Outputs in its own tick.
    var outputs: Int64
    /// Counts per class.
    var counts: [Int64]
  }

  private static let ticksKept: Int64 = 64
  private static let levelMax = 12

  /// The oldest first.
  private(set) var starts: [Start] = []
  /// Counts of the outputs before the oldest start, as far back as the last `clear`.
  private(set) var forgotten: [Int64]
  /// How many ticks there were.
  private(set) var ticks: Int64 = 0
  /// How many outputs there were.
  private(set) var outputs: Int64 = 0

  init(classCount: Int) { forgotten = Array(repeating: 0, count: classCount) }

  /// Adds a tick, of which no count is below 0, and lets go of the starts that are too many.
  mutating func append(_ counts: [Int64]) {
    let size = counts.reduce(0, saturatingSum)
    thin()
    starts.append(Start(tick: ticks, outputs: size, counts: counts))
    ticks = saturatingSum(ticks, 1)
    outputs = saturatingSum(outputs, size)
  }

  /// Forgets every start and its labels; ticks and outputs count on.
  mutating func clear() {
    starts = []
    forgotten = forgotten.map { _ in 0 }
  }

  /// Counts of all outputs since the last `clear`.
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

// MARK: - Stored form: ticks, outputs, what is forgotten, then every start with its counts

extension OnsetCandidates {
  var numbers: [Int64] {
    [ticks, outputs] + forgotten + starts.flatMap { [$0.tick, $0.outputs] + $0.counts }
  }

  /// nil where the numbers are no stored form of candidates over so many classes.
  init?(numbers: [Int64], classCount: Int) {
    let width = classCount + 2
    guard numbers.count >= width, numbers.count % width == 0, numbers.allSatisfy({ $0 >= 0 })
    else { return nil }
    ticks = numbers[0]
    outputs = numbers[1]
    forgotten = Array(numbers[2..<width])
    starts = stride(from: width, to: numbers.count, by: width).map { offset in
      Start(
        tick: numbers[offset], outputs: numbers[offset + 1],
        counts: Array(numbers[(offset + 2)..<(offset + width)]))
    }
    let order = starts.map(\.tick) + [ticks]
    guard zip(order, order.dropFirst()).allSatisfy(<) else { return nil }
  }
}
