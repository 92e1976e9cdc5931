// The continuous alarm on real labels: half of what the older version answered is the baseline, the
// other half and then the newer version's answers are the stream, in random order.

import Testing

@testable import Drift

@Suite("Alarm in replay")
struct AlarmReplayTests {
  private static let shuffles = 60

  private func labels(_ shift: PublishedShift, _ counts: [Int64]) -> [String] {
    zip(shift.labels, counts).flatMap { Array(repeating: $0, count: Int($1)) }
  }

  private func shuffled(_ labels: [String], _ generator: inout Xoshiro256) -> [String] {
    var labels = labels
    for last in labels.indices.dropFirst().reversed() {
      labels.swapAt(last, Int(generator.uniform() * Double(last + 1)))
    }
    return labels
  }

  private func tally(_ labels: some Sequence<String>) -> Tally {
    labels.reduce(into: Tally()) { $0.add($1) }
  }

  /// Outputs from the switch of versions to the alarm; below 0 where it came before.
  private func delay(_ shift: PublishedShift, seed: UInt64) throws -> Int? {
    var generator = Xoshiro256(seed: seed)
    let older = shuffled(labels(shift, shift.baseline), &generator)
    let newer = shuffled(labels(shift, shift.period), &generator)
    let half = older.count / 2
    var alarm = try DriftAlarm(
      baseline: tally(older.prefix(half)), averageRunLength: 10_000, tickOutputs: 5)
    let stream = older.dropFirst(half) + newer
    for start in stride(from: 0, to: stream.count, by: 5) {
      let from = stream.startIndex + start
      let tick = tally(stream[from..<min(from + 5, stream.endIndex)])
      if try alarm.update(tick)?.raised != nil { return start + 5 - (older.count - half) }
    }
    return nil
  }

  @Test(arguments: zip([0, 1, 2, 3], [40, 40, 110, 110]))
  func aNewModelIsNoticed(_ index: Int, within limit: Int) throws {
    let shift = publishedShifts[index]
    let delays = try (0..<Self.shuffles).map { try delay(shift, seed: UInt64($0)) ?? .max }
    let early = delays.filter { $0 <= 0 }.count
    let median = delays.filter { $0 > 0 }.sorted()[(Self.shuffles - early) / 2]
    #expect(early <= 1, "\(shift.testDescription): \(early) of \(Self.shuffles) before the switch")
    #expect(median <= limit, "\(shift.testDescription): \(median) outputs after the switch")
  }
}
