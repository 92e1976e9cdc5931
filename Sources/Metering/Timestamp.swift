// A moment, as a value: rules are handed the time, they never ask for it.

/// Milliseconds since 1970-01-01T00:00:00Z.
public struct Timestamp: Hashable, Comparable, Sendable, Codable {
  public var milliseconds: Int64

  public init(milliseconds: Int64) { self.milliseconds = milliseconds }

  public static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.milliseconds < right.milliseconds
  }

  public func adding(milliseconds delta: Int64) -> Timestamp {
    Timestamp(milliseconds: milliseconds + delta)
  }
}

extension Timestamp {
  /// The moment in UTC, to the millisecond: `2026-11-23T16:00:00.001Z`.
  ///
  /// Whole-number arithmetic: a formatter that takes seconds as floating point loses the last
  /// millisecond.
  public var iso8601: String {
    let day: Int64 = 86_400_000
    let days = milliseconds >= 0 ? milliseconds / day : (milliseconds + 1) / day - 1
    let rest = Int(milliseconds - days * day)
    func two(_ number: Int) -> String { CivilDate.digits(number, 2) }
    let time = "\(two(rest / 3_600_000)):\(two(rest / 60_000 % 60)):\(two(rest / 1_000 % 60))"
    let date = CivilDate(daysSinceEpoch: Int(days))
    return "\(date)T\(time).\(CivilDate.digits(rest % 1_000, 3))Z"
  }

  /// For people, in UTC: `2026-11-23 16:00 UTC`.
  public var minuteText: String {
    let text = iso8601
    return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5)) UTC"
  }
}
