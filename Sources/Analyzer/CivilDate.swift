// Days as people name them. A night run is about a day somewhere; only this file knows how long
// that day is, so that a day of 23 or 25 hours is one day everywhere else.

import Foundation
import Metering

/// A date of the Gregorian calendar, without a place.
public struct CivilDate: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let year: Int
  public let month: Int
  public let day: Int

  /// Nil unless the text is a real date as "2026-11-23".
  public init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard text.utf8.count == 10, parts.count == 3, parts[0].count == 4, parts[1].count == 2,
      text.utf8.allSatisfy({ $0 == 0x2D || (0x30...0x39).contains($0) }),
      let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2])
    else { return nil }
    var components = DateComponents()
    (components.year, components.month, components.day) = (year, month, day)
    let calendar = gregorian(.gmt)
    guard let date = calendar.date(from: components) else { return nil }
    let real = calendar.dateComponents([.year, .month, .day], from: date)
    guard real.year == year, real.month == month, real.day == day else { return nil }
    (self.year, self.month, self.day) = (year, month, day)
  }

  /// The date at a moment in a time zone.
  public init(_ moment: Timestamp, in zone: TimeZone) {
    let date = Date(timeIntervalSince1970: Double(moment.milliseconds) / 1000)
    let parts = gregorian(zone).dateComponents([.year, .month, .day], from: date)
    (year, month, day) = (parts.year ?? 1970, parts.month ?? 1, parts.day ?? 1)
  }

  private init(_ parts: DateComponents) {
    (year, month, day) = (parts.year ?? 1970, parts.month ?? 1, parts.day ?? 1)
  }

  public var description: String {
    String(format: "%04d-%02d-%02d", year, month, day)
  }

  public static func < (left: CivilDate, right: CivilDate) -> Bool {
    (left.year, left.month, left.day) < (right.year, right.month, right.day)
  }

  public func adding(days: Int) -> CivilDate {
    let calendar = gregorian(.gmt)
    let start = calendar.date(from: components) ?? .distantPast
    let moved = calendar.date(byAdding: .day, value: days, to: start) ?? start
    return CivilDate(calendar.dateComponents([.year, .month, .day], from: moved))
  }

  /// From the day's first moment to the next day's first.
  public func bounds(in zone: TimeZone) -> Range<Timestamp> {
    start(in: zone)..<adding(days: 1).start(in: zone)
  }

  public func start(in zone: TimeZone) -> Timestamp {
    let calendar = gregorian(zone)
    var noon = components
    noon.hour = 12
    // Some days have no midnight; every day has a noon, and a first moment.
    let date = calendar.date(from: noon) ?? .distantPast
    return Timestamp(calendar.startOfDay(for: date))
  }

  /// The moment of a time of day; a time that a change of clocks skips counts as the next one.
  public func at(hour: Int, minute: Int, in zone: TimeZone) -> Timestamp {
    var moment = components
    (moment.hour, moment.minute) = (hour, minute)
    let calendar = gregorian(zone)
    guard let date = calendar.date(from: moment) else { return start(in: zone) }
    return Timestamp(date)
  }

  private var components: DateComponents {
    var parts = DateComponents()
    (parts.year, parts.month, parts.day) = (year, month, day)
    return parts
  }
}

private func gregorian(_ zone: TimeZone) -> Calendar {
  var calendar = Calendar(identifier: .gregorian)
  calendar.timeZone = zone
  calendar.locale = Locale(identifier: "en_US_POSIX")
  return calendar
}

extension Timestamp {
  init(_ date: Date) {
    self.init(milliseconds: Int64((date.timeIntervalSince1970 * 1000).rounded()))
  }

  /// "2026-11-23T16:00:00.000Z".
  var iso8601: String {
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    return Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(style)
  }

  /// Reads what `iso8601` writes; nil otherwise.
  init?(iso8601 text: String) {
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    guard let date = try? Date(text, strategy: style) else { return nil }
    self.init(date)
  }
}
