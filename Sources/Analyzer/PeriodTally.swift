// What a span of time holds for one classifier: counts by quarter of an hour, added up into days.
// Quarters are what is kept, because a day begins at another time in another time zone.

import Drift
import Foundation
import Metering
import Store

/// Labels of one classifier over a span, a block at a time.
public struct PeriodTally: Hashable, Sendable {
  /// The start of a block to the labels of the samples whose call began in it.
  private var blocks: [Timestamp: Tally] = [:]

  init(_ rows: [TallyRow]) {
    for row in rows {
      // What is stored was made sound before.
      try? blocks[row.block, default: Tally()].add(
        row.label, count: row.count, probability: row.probability)
    }
  }

  /// All blocks together.
  public var total: Tally {
    blocks.keys.sorted().reduce(into: Tally()) { sum, block in
      if let tally = blocks[block] { sum.merge(tally) }
    }
  }

  /// A tally per day that has samples, by date. A block that two days share (in zones that were off
  /// by other parts of an hour) counts to the day in which it begins.
  public func days(in zone: TimeZone) -> [(date: CivilDate, tally: Tally)] {
    var days: [CivilDate: Tally] = [:]
    for block in blocks.keys.sorted() {
      guard let tally = blocks[block] else { continue }
      days[CivilDate(block, in: zone), default: Tally()].merge(tally)
    }
    return days.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}
