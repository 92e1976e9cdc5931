// A date of the Gregorian calendar, and the instant at which it begins somewhere.

import Foundation
import Metering

/// A year, month and day.
struct CivilDate: Hashable, Comparable {
  var year: Int
  /// 1…12.
  var month: Int
  /// 1…31.
  var day: Int

  init(year: Int, month: Int, day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// Days since 1970-01-01, by the proleptic Gregorian calendar.
  ///
  /// Source: H. Hinnant, "chrono-compatible low-level date algorithms", days_from_civil.
  var daysSinceEpoch: Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// The inverse: civil_from_days of the same source.
  init(daysSinceEpoch days: Int) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  /// The local date at a moment.
  init(at moment: Timestamp, in timeZone: TimeZone) {
    // Floored, so that moments before 1970 have the right date too.
    let second = Int((Double(moment.milliseconds) / 1_000).rounded(.down))
    self.init(daysSinceEpoch: Self.localDay(second, timeZone))
  }

  /// The first instant whose local date is this one, or a later one where the zone skipped it.
  func firstMoment(in timeZone: TimeZone) -> Timestamp {
    // No zone is further than 26 hours from UTC, so the change lies between these two.
    var before = daysSinceEpoch * 86_400 - 30 * 3_600
    var after = daysSinceEpoch * 86_400 + 30 * 3_600
    while after - before > 1 {
      let middle = before + (after - before) / 2
      let isReached = Self.localDay(middle, timeZone) >= daysSinceEpoch
      if isReached { after = middle } else { before = middle }
    }
    return Timestamp(milliseconds: Int64(after) * 1_000)
  }

  /// The local day number at a second since 1970.
  private static func localDay(_ second: Int, _ timeZone: TimeZone) -> Int {
    let offset = timeZone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(second)))
    let local = second + offset
    return local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
  }

  func adding(days: Int) -> CivilDate { CivilDate(daysSinceEpoch: daysSinceEpoch + days) }

  /// The first day of the next month.
  var nextMonth: CivilDate {
    month == 12
      ? CivilDate(year: year + 1, month: 1, day: 1)
      : CivilDate(year: year, month: month + 1, day: 1)
  }

  /// `2026-11-23`.
  var text: String { "\(monthText)-\(Self.two(day))" }

  /// `2026-11`.
  var monthText: String { "\(year)-\(Self.two(month))" }

  private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

  static func < (left: CivilDate, right: CivilDate) -> Bool {
    (left.year, left.month, left.day) < (right.year, right.month, right.day)
  }
}
