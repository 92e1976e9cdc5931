// A date of the Gregorian calendar, without a place: what a day is named by, in whole numbers.
//
// Here and not with the time zones, because a moment's UTC text needs it and the core has no
// Foundation. When such a day begins somewhere, the analyzer's extension knows.

/// A year, month and day that exist.
public struct CivilDate: Hashable, Comparable, Sendable {
  public let year: Int
  /// 1…12.
  public let month: Int
  /// 1…31.
  public let day: Int

  /// Nil where the month has no such day.
  public init?(year: Int, month: Int, day: Int) {
    guard (1...12).contains(month), (1...31).contains(day) else { return nil }
    self.init(existing: year, month, day)
    // A day that the month does not have comes back as another.
    guard CivilDate(daysSinceEpoch: daysSinceEpoch) == self else { return nil }
  }

  /// Nil unless the text is a real date as "2026-11-23".
  public init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard text.utf8.count == 10, parts.map(\.utf8.count) == [4, 2, 2],
      text.utf8.allSatisfy({ $0 == 0x2D || (0x30...0x39).contains($0) }),
      let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2])
    else { return nil }
    self.init(year: year, month: month, day: day)
  }

  /// The date so many days after 1970-01-01, by the proleptic Gregorian calendar.
  ///
  /// Source: H. Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
  public init(daysSinceEpoch days: Int) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    self.init(
      existing: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month,
      dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }

  private init(existing year: Int, _ month: Int, _ day: Int) {
    (self.year, self.month, self.day) = (year, month, day)
  }

  /// The inverse: days_from_civil of the same source.
  public var daysSinceEpoch: Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  public func adding(days: Int) -> CivilDate { CivilDate(daysSinceEpoch: daysSinceEpoch + days) }

  /// The first day of the same month.
  public var firstOfMonth: CivilDate { CivilDate(existing: year, month, 1) }

  /// The first day of the next month.
  public var firstOfNextMonth: CivilDate {
    CivilDate(existing: month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1)
  }

  /// The Monday of the same week.
  public var mondayOfWeek: CivilDate {
    // 1970-01-01 was a Thursday.
    let days = daysSinceEpoch + 3
    return adding(days: -(((days % 7) + 7) % 7))
  }

  public var firstOfYear: CivilDate { CivilDate(existing: year, 1, 1) }

  public var firstOfNextYear: CivilDate { CivilDate(existing: year + 1, 1, 1) }

  /// The ISO 8601 week: `2026-W48`. Its year is that of the week's Thursday.
  public var weekText: String {
    let thursday = mondayOfWeek.adding(days: 3)
    let week = (thursday.daysSinceEpoch - thursday.firstOfYear.daysSinceEpoch) / 7 + 1
    return "\(Self.digits(thursday.year, 4))-W\(Self.digits(week, 2))"
  }

  /// `2026`.
  public var yearText: String { Self.digits(year, 4) }

  /// `2026-11`.
  public var monthText: String { "\(Self.digits(year, 4))-\(Self.digits(month, 2))" }

  public static func < (left: CivilDate, right: CivilDate) -> Bool {
    (left.year, left.month, left.day) < (right.year, right.month, right.day)
  }

  static func digits(_ number: Int, _ count: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
  }
}

extension CivilDate: CustomStringConvertible {
  /// `2026-11-23`.
  public var description: String { "\(monthText)-\(Self.digits(day, 2))" }
}
