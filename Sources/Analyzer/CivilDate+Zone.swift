// When a date begins and ends somewhere. Only this file knows how long a day is there, so that a
// day of 23 or 25 hours is one day everywhere else.
//
// Days are found by asking the zone at which instant the local date changes, not by adding 24
// hours: clocks change, in some zones at midnight itself, so that a day may begin at 01:00.

import Foundation
import Metering

extension CivilDate {
  /// The local date at a moment.
  public init(_ moment: Timestamp, in zone: TimeZone) {
    // Floored, so that moments before 1970 have the right date too.
    let second = Int((Double(moment.milliseconds) / 1000).rounded(.down))
    self.init(daysSinceEpoch: Self.localDay(second, zone))
  }

  /// The first instant whose local date is this one, or a later one where the zone skipped it.
  public func start(in zone: TimeZone) -> Timestamp {
    // No zone is further than 26 hours from UTC, so the change lies between these two.
    var before = daysSinceEpoch * 86_400 - 30 * 3_600
    var after = daysSinceEpoch * 86_400 + 30 * 3_600
    while after - before > 1 {
      let middle = before + (after - before) / 2
      let isReached = Self.localDay(middle, zone) >= daysSinceEpoch
      if isReached { after = middle } else { before = middle }
    }
    return Timestamp(milliseconds: Int64(after) * 1000)
  }

  /// From the day's first moment to the next day's first; empty where the zone skipped the day.
  public func bounds(in zone: TimeZone) -> Range<Timestamp> {
    start(in: zone)..<adding(days: 1).start(in: zone)
  }

  /// The moment of a time of day; a time that a change of clocks skips counts as the next one.
  public func at(hour: Int, minute: Int, in zone: TimeZone) -> Timestamp {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    calendar.locale = Locale(identifier: "en_US_POSIX")
    let parts = DateComponents(year: year, month: month, day: day, hour: hour, minute: minute)
    return calendar.date(from: parts).map(Timestamp.init) ?? start(in: zone)
  }

  /// The local day number at a second since 1970.
  private static func localDay(_ second: Int, _ zone: TimeZone) -> Int {
    let offset = zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(second)))
    let local = second + offset
    return local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
  }
}

extension Timestamp {
  init(_ date: Date) {
    self.init(milliseconds: Int64((date.timeIntervalSince1970 * 1000).rounded()))
  }

  /// Reads what `iso8601` writes; nil otherwise.
  init?(iso8601 text: String) {
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    guard let date = try? Date(text, strategy: style) else { return nil }
    self.init(date)
  }
}
