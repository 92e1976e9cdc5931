// The days and months of a time zone as spans of absolute time, so that the core needs no calendar.
//
// Days are found by asking the zone at which instant the local date changes, not by adding 24
// hours: clocks change, in some zones at midnight itself, so a day has 23 to 25 hours and may begin
// at 01:00. A rule of a zone that changes by law after the program was started takes a restart.

import Foundation
import Metering

/// Contiguous, ascending windows of one time zone.
public struct WindowTimeline: Sendable {
  /// `2026-11-23` …
  public let days: [WindowEdges]
  /// `2026-11` …
  public let months: [WindowEdges]

  /// - Parameters:
  ///   - start: a moment in the first day and first month.
  ///   - count: days to cover, at least 1; the last month is covered to its end.
  public init(timeZone: TimeZone, from start: Timestamp, days count: Int) {
    let first = CivilDate(at: start, in: timeZone)
    let count = max(count, 1)
    days = Self.windows(
      timeZone: timeZone, starts: (0...count).map { first.adding(days: $0) }, id: \.text)
    let last = first.adding(days: count - 1)
    var month = CivilDate(year: first.year, month: first.month, day: 1)
    var starts = [month]
    while month <= last {
      month = month.nextMonth
      starts.append(month)
    }
    months = Self.windows(timeZone: timeZone, starts: starts, id: \.monthText)
  }

  private static func windows(
    timeZone: TimeZone, starts: [CivilDate], id: (CivilDate) -> String
  ) -> [WindowEdges] {
    let edges = starts.map { (date: $0, at: $0.firstMoment(in: timeZone)) }
    return zip(edges, edges.dropFirst()).compactMap { from, to in
      // A zone that skipped a whole date (Samoa, 2011-12-30) has no window of that name.
      guard from.at < to.at else { return nil }
      return WindowEdges(
        start: from.at, end: to.at, id: id(from.date),
        endText: text(of: to.at, date: to.date, timeZone: timeZone))
    }
  }

  /// `2026-11-24 00:00 Europe/Berlin`.
  private static func text(of moment: Timestamp, date: CivilDate, timeZone: TimeZone) -> String {
    let second = moment.milliseconds / 1_000
    let offset = timeZone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(second)))
    let ofDay = Int((second + Int64(offset)) % 86_400 + 86_400) % 86_400
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let zone = timeZone.identifier == "GMT" ? "UTC" : timeZone.identifier
    return "\(date.text) \(two(ofDay / 3_600)):\(two(ofDay / 60 % 60)) \(zone)"
  }
}
