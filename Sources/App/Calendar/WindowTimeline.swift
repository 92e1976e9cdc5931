// The hours, days, weeks, months and years of a time zone as spans of absolute time, so that the
// core needs no calendar.
//
// A rule of a zone that changes by law after the program was started takes a restart.

import Analyzer
import Foundation
import Metering
import Synchronization

/// Contiguous, ascending windows of one time zone and span.
public struct WindowTimeline: Sendable {
  /// Named `2026-11-23T13:00Z` (hours, by their start in UTC, since clocks that change repeat an
  /// hour), `2026-11-23`, `2026-W48`, `2026-11`, `2026`.
  public let windows: [WindowEdges]

  /// - Parameters:
  ///   - start: a moment in the first window.
  ///   - count: days to cover, at least 1; the last window is covered to its end.
  public init(_ span: BudgetSpan, timeZone: TimeZone, from start: Timestamp, days count: Int) {
    let first = CivilDate(start, in: timeZone)
    let last = first.adding(days: max(count, 1) - 1)
    switch span {
    case .hour: windows = Self.hours(timeZone: timeZone, from: first, to: last)
    case .day:
      windows = Self.windows(
        timeZone, from: first, to: last, next: { $0.adding(days: 1) }, id: \.description)
    case .week:
      windows = Self.windows(
        timeZone, from: first.mondayOfWeek, to: last, next: { $0.adding(days: 7) },
        id: \.weekText)
    case .month:
      windows = Self.windows(
        timeZone, from: first.firstOfMonth, to: last, next: \.firstOfNextMonth, id: \.monthText)
    case .year:
      windows = Self.windows(
        timeZone, from: first.firstOfYear, to: last, next: \.firstOfNextYear, id: \.yearText)
    }
  }

  private static func windows(
    _ timeZone: TimeZone, from first: CivilDate, to last: CivilDate,
    next: (CivilDate) -> CivilDate, id: (CivilDate) -> String
  ) -> [WindowEdges] {
    var edges = [(date: first, at: first.start(in: timeZone))]
    while let reached = edges.last?.date, reached <= last {
      let date = next(reached)
      edges.append((date, date.start(in: timeZone)))
    }
    return zip(edges, edges.dropFirst()).compactMap { from, to in
      // A zone that skipped a whole date (Samoa, 2011-12-30) has no window of that name.
      guard from.at < to.at else { return nil }
      return WindowEdges(
        start: from.at, end: to.at, id: id(from.date), endText: text(of: to.at, timeZone))
    }
  }

  /// Every hour of the local clock, sixty minutes each but where the clock is moved by less.
  private static func hours(
    timeZone: TimeZone, from first: CivilDate, to last: CivilDate
  ) -> [WindowEdges] {
    let end = last.adding(days: 1).start(in: timeZone)
    var windows: [WindowEdges] = []
    var start = first.start(in: timeZone)
    while start < end {
      let next = hourEnd(after: start, timeZone)
      windows.append(
        WindowEdges(
          start: start, end: next, id: "\(start.iso8601.prefix(16))Z",
          endText: text(of: next, timeZone)))
      start = next
    }
    return windows
  }

  /// The next moment at which the local clock shows a whole hour.
  private static func hourEnd(after start: Timestamp, _ timeZone: TimeZone) -> Timestamp {
    let hour: Int64 = 3_600_000
    let offset = offsetMilliseconds(at: start, timeZone)
    let passed = (start.milliseconds + offset) % hour
    let end = start.adding(milliseconds: hour - passed)
    // Where the clock is moved within the hour by a part of one, the hour ends by the new clock.
    let moved = offsetMilliseconds(at: end, timeZone) - offset
    let excess = ((moved % hour) + hour) % hour
    return excess == 0 ? end : end.adding(milliseconds: hour - excess)
  }

  private static func offsetMilliseconds(at moment: Timestamp, _ timeZone: TimeZone) -> Int64 {
    let date = Date(timeIntervalSince1970: Double(moment.milliseconds / 1_000))
    return Int64(timeZone.secondsFromGMT(for: date)) * 1_000
  }

  /// `2026-11-24 00:00 Europe/Berlin`.
  static func text(of moment: Timestamp, _ timeZone: TimeZone) -> String {
    let offset = offsetMilliseconds(at: moment, timeZone)
    let local = moment.adding(milliseconds: offset).iso8601
    let zone = timeZone.identifier == "GMT" ? "UTC" : timeZone.identifier
    return "\(local.prefix(10)) \(local.dropFirst(11).prefix(5)) \(zone)"
  }
}

/// Timelines that apps of one time zone share: a thousand apps have the same Tuesdays.
public final class WindowTimelines: Sendable {
  private struct Key: Hashable {
    var zone: String
    var span: BudgetSpan
  }

  private let start: Timestamp
  private let days: Int
  private let known = Mutex<[Key: [WindowEdges]]>([:])

  /// - Parameters: as for `WindowTimeline`.
  public init(from start: Timestamp, days: Int) {
    self.start = start
    self.days = days
  }

  public func windows(of span: BudgetSpan, in timeZone: TimeZone) -> [WindowEdges] {
    known.withLock { known in
      let key = Key(zone: timeZone.identifier, span: span)
      if let windows = known[key] { return windows }
      let made = WindowTimeline(span, timeZone: timeZone, from: start, days: days).windows
      known[key] = made
      return made
    }
  }
}
