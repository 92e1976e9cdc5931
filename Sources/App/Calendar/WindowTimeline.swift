// The days and months of a time zone as spans of absolute time, so that the core needs no calendar.
//
// A rule of a zone that changes by law after the program was started takes a restart.

import Analyzer
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
    let first = CivilDate(start, in: timeZone)
    let count = max(count, 1)
    days = Self.windows(
      timeZone: timeZone, starts: (0...count).map { first.adding(days: $0) }, id: \.description)
    let last = first.adding(days: count - 1)
    var month = first.firstOfMonth
    var starts = [month]
    while month <= last {
      month = month.firstOfNextMonth
      starts.append(month)
    }
    months = Self.windows(timeZone: timeZone, starts: starts, id: \.monthText)
  }

  private static func windows(
    timeZone: TimeZone, starts: [CivilDate], id: (CivilDate) -> String
  ) -> [WindowEdges] {
    let edges = starts.map { (date: $0, at: $0.start(in: timeZone)) }
    return zip(edges, edges.dropFirst()).compactMap { from, to in
      // A zone that skipped a whole date (Samoa, 2011-12-30) has no window of that name.
      guard from.at < to.at else { return nil }
      return WindowEdges(
        start: from.at, end: to.at, id: id(from.date),
        endText: text(of: to.at, timeZone: timeZone))
    }
  }

  /// `2026-11-24 00:00 Europe/Berlin`.
  private static func text(of moment: Timestamp, timeZone: TimeZone) -> String {
    let date = Date(timeIntervalSince1970: Double(moment.milliseconds / 1_000))
    let offset = Int64(timeZone.secondsFromGMT(for: date))
    let local = moment.adding(milliseconds: offset * 1_000).iso8601
    let zone = timeZone.identifier == "GMT" ? "UTC" : timeZone.identifier
    return "\(local.prefix(10)) \(local.dropFirst(11).prefix(5)) \(zone)"
  }
}
