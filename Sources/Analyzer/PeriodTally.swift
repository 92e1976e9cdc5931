// What a span of time holds for one classifier: counts by hour, added up into days. Hours are what
// is kept, because a day begins at another hour in another time zone.

import Drift
import Foundation
import Metering

/// Labels of one classifier over a span, an hour at a time.
public struct PeriodTally: Hashable, Sendable {
  /// Hours since 1970 to the labels of the samples whose call began in that hour.
  public private(set) var hours: [Int64: Tally] = [:]

  public init() {}

  public static let hourMilliseconds: Int64 = 3_600_000

  /// - Throws: `TallyFault` where the probability is not in (0, 1].
  public mutating func add(
    _ label: String, at time: Timestamp, probability: Double
  ) throws(TallyFault) {
    let hour = Self.hour(of: time)
    var tally = hours[hour] ?? Tally()
    try tally.add(label, probability: probability)
    hours[hour] = tally
  }

  /// All hours together.
  public var total: Tally {
    var sum = Tally()
    for hour in hours.keys.sorted() { if let tally = hours[hour] { sum.merge(tally) } }
    return sum
  }

  /// A tally per day that has samples, by date. An hour that two days share (where a zone is off by
  /// part of an hour) counts to the day in which it begins.
  public func days(in zone: TimeZone) -> [(date: CivilDate, tally: Tally)] {
    var days: [CivilDate: Tally] = [:]
    for hour in hours.keys.sorted() {
      let start = Timestamp(milliseconds: hour * Self.hourMilliseconds)
      guard let tally = hours[hour] else { continue }
      days[CivilDate(start, in: zone), default: Tally()].merge(tally)
    }
    return days.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  static func hour(of time: Timestamp) -> Int64 {
    // Floor, also before 1970.
    let quotient = time.milliseconds / hourMilliseconds
    return time.milliseconds % hourMilliseconds < 0 ? quotient - 1 : quotient
  }
}
