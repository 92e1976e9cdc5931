// The time of an imported call, in the notations that logs use. Without a zone it is UTC.
//
// Understood: ISO 8601 dates and times, with or without fraction and offset; seconds, milliseconds,
// microseconds or nanoseconds since 1970, told apart by size; 20230716; 07/16/2023, with a time
// after a comma or blank. A date with slashes is month first: one that could only be day first is
// refused rather than read wrongly.

import Metering

enum ImportTime {
  /// The moment, or nil where the text is in none of the notations.
  static func parse(_ text: String) -> Timestamp? {
    let trimmed = text.drop { $0 == " " }
    var scanner = TimeScanner(trimmed.utf8.reversed().drop { $0 == 0x20 }.reversed())
    if let moment = scanner.sinceEpoch() { return moment }
    guard let date = scanner.date() else { return nil }
    guard let milliseconds = scanner.timeOfDay() else { return nil }
    return Timestamp(milliseconds: Int64(date.daysSinceEpoch) * 86_400_000 + milliseconds)
  }

  /// Whether a time is given in another zone than UTC: `2026-11-01T00:00:00-05:00`.
  static func hasOffset(_ text: String) -> Bool {
    guard let time = text.firstIndex(of: ":"),
      let sign = text[time...].lastIndex(where: { $0 == "+" || $0 == "-" })
    else { return false }
    return text[sign...].contains { ("1"..."9").contains($0) }
  }
}

/// Reads digits and signs from the left.
private struct TimeScanner {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

  /// The whole text as a count since 1970; nil where it is none, 20230716 included.
  mutating func sinceEpoch() -> Timestamp? {
    let text = String(decoding: bytes, as: UTF8.self)
    let characters = Set(bytes)
    let allowed = Set("0123456789.-+eE".utf8)
    guard !characters.isEmpty, characters.isSubset(of: allowed), !isCompactDate else { return nil }
    if let whole = Int64(text) {
      let milliseconds: Int64? =
        switch whole.magnitude {
        case ..<100_000_000_000: whole * 1_000
        case ..<100_000_000_000_000: whole
        case ..<100_000_000_000_000_000: whole / 1_000
        default: whole / 1_000_000
        }
      return milliseconds.map(Timestamp.init(milliseconds:))
    }
    // Seconds with a fraction.
    guard let seconds = Double(text), abs(seconds) < 100_000_000_000 else { return nil }
    return Timestamp(milliseconds: Int64((seconds * 1_000).rounded()))
  }

  private var isCompactDate: Bool {
    bytes.count == 8
      && (bytes.starts(with: Array("19".utf8)) || bytes.starts(with: Array("20".utf8)))
      && bytes.allSatisfy { (0x30...0x39).contains($0) }
  }

  mutating func date() -> CivilDate? {
    if isCompactDate {
      return valid(year: number(4...4), month: number(2...2), day: number(2...2))
    }
    let start = position
    if let year = number(4...4), let separator = take("-/") {
      let month = number(1...2)
      guard take(separator) != nil else { return nil }
      return valid(year: year, month: month, day: number(1...2))
    }
    position = start
    let month = number(1...2)
    guard take("/") != nil else { return nil }
    let day = number(1...2)
    guard take("/") != nil else { return nil }
    return valid(year: number(4...4), month: month, day: day)
  }

  private func valid(year: Int?, month: Int?, day: Int?) -> CivilDate? {
    guard let year, year >= 1970, let month, let day else { return nil }
    return CivilDate(year: year, month: month, day: day)
  }

  /// Milliseconds after midnight UTC, to the end of the text; 0 where there is no time of day.
  mutating func timeOfDay() -> Int64? {
    guard position < bytes.count else { return 0 }
    if take(",") != nil {
      while take(" ") != nil {}
    } else if take("Tt ") == nil {
      return nil
    }
    guard var hour = number(1...2), take(":") != nil, let minute = number(2...2) else { return nil }
    var second = 0
    var fraction: Int64 = 0
    if take(":") != nil {
      guard let seconds = number(2...2) else { return nil }
      second = seconds
      if take(".,") != nil {
        guard let read = milliseconds() else { return nil }
        fraction = read
      }
    }
    while take(" ") != nil {}
    if let half = take("AaPp") {
      guard take("Mm") != nil, (1...12).contains(hour) else { return nil }
      hour = hour % 12 + (half == "P" || half == "p" ? 12 : 0)
    }
    guard let offset = offsetMinutes(), position == bytes.count else { return nil }
    guard hour < 24, minute < 60, second <= 60 else { return nil }
    let minutes = Int64(hour * 60 + minute - offset)
    return (minutes * 60 + Int64(second)) * 1_000 + fraction
  }

  /// Digits after the point, to the millisecond.
  private mutating func milliseconds() -> Int64? {
    var value: Int64 = 0
    var digits = 0
    while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
      if digits < 3 { value = value * 10 + Int64(bytes[position] - 0x30) }
      digits += 1
      position += 1
    }
    guard digits > 0 else { return nil }
    for _ in min(digits, 3)..<3 { value *= 10 }
    return value
  }

  /// Minutes east of UTC; 0 for Z, UTC, GMT and nothing.
  private mutating func offsetMinutes() -> Int? {
    let rest = String(decoding: bytes[position...], as: UTF8.self).uppercased()
    if ["", "Z", "UTC", "GMT"].contains(rest) {
      position = bytes.count
      return 0
    }
    guard let sign = take("+-"), let hours = number(2...2) else { return nil }
    var minutes = 0
    if position < bytes.count {
      _ = take(":")
      guard let read = number(2...2) else { return nil }
      minutes = read
    }
    guard hours <= 18, minutes < 60 else { return nil }
    return (sign == "-" ? -1 : 1) * (hours * 60 + minutes)
  }

  private mutating func number(_ digits: ClosedRange<Int>) -> Int? {
    var value = 0
    var count = 0
    while count < digits.upperBound, position < bytes.count,
      (0x30...0x39).contains(bytes[position])
    {
      value = value * 10 + Int(bytes[position] - 0x30)
      count += 1
      position += 1
    }
    return count >= digits.lowerBound ? value : nil
  }

  /// Passes over one byte of those given; which it was.
  private mutating func take(_ any: some StringProtocol) -> String? {
    guard position < bytes.count, any.utf8.contains(bytes[position]) else { return nil }
    defer { position += 1 }
    return String(UnicodeScalar(bytes[position]))
  }
}
