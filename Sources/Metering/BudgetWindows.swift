// Windows are values: the core knows no calendar. A window's name is a part of its counter's key,
// so that a new window is a new counter and nothing is ever reset.

/// One window of a budget: spend counts from `start` up to, not including, `end`.
public struct WindowEdges: Hashable, Sendable, Codable {
  public var start: Timestamp
  public var end: Timestamp
  /// The window's name and part of its account's key: `2026-11-23`, `2026-11`.
  public var id: String
  /// `end` for people, in the budget's own time zone: `2026-11-24 00:00 Europe/Berlin`.
  public var endText: String

  public init(start: Timestamp, end: Timestamp, id: String, endText: String) {
    self.start = start
    self.end = end
    self.id = id
    self.endText = endText
  }
}

/// How a budget's spend is cut by time.
public enum BudgetWindows: Hashable, Sendable {
  /// Contiguous, ascending; a moment outside all of them refuses.
  case calendar([WindowEdges])
  /// Whole minutes of the clock, which begin at the same moment in every time zone.
  case minutes
  /// One window with or without a lifetime: it is never filled again.
  case purse(WindowEdges)
  /// The last so many milliseconds at any moment; see `RollingWindow`.
  case rolling(RollingWindow)

  /// The window that a call of this moment is counted in; nil where there is none.
  public func window(at now: Timestamp) -> WindowEdges? {
    switch self {
    case .calendar(let windows): return Self.find(now, in: windows)
    case .minutes: return Self.span(holding: now, milliseconds: 60_000, digits: 16)
    case .purse(let edges): return edges.start <= now && now < edges.end ? edges : nil
    case .rolling(let rolling):
      var slice = Self.span(holding: now, milliseconds: rolling.sliceMilliseconds, digits: 19)
      slice.endText += ", a part at a time"
      return slice
    }
  }

  private static func find(_ now: Timestamp, in windows: [WindowEdges]) -> WindowEdges? {
    var low = 0
    var high = windows.count
    while low < high {
      let middle = (low + high) / 2
      if windows[middle].end <= now { low = middle + 1 } else { high = middle }
    }
    guard low < windows.count, windows[low].start <= now else { return nil }
    return windows[low]
  }

  /// The window of that name. Names of one calendar ascend with time: by length, then by text.
  static func find(named id: String, in windows: [WindowEdges]) -> WindowEdges? {
    var low = 0
    var high = windows.count
    while low < high {
      let middle = (low + high) / 2
      let name = windows[middle].id
      let isBefore =
        name.utf8.count == id.utf8.count ? name < id : name.utf8.count < id.utf8.count
      if isBefore { low = middle + 1 } else { high = middle }
    }
    return low < windows.count && windows[low].id == id ? windows[low] : nil
  }

  /// The span of a grid from 1970 on, named by its start in UTC to so many digits.
  fileprivate static func span(
    holding now: Timestamp, milliseconds length: Int64, digits: Int
  ) -> WindowEdges {
    let rest = now.milliseconds % length
    let start = now.adding(milliseconds: -(rest < 0 ? rest + length : rest))
    let end = start.adding(milliseconds: length)
    return WindowEdges(
      start: start, end: end, id: "\(start.iso8601.prefix(digits))Z", endText: end.minuteText)
  }
}

/// The last `length` milliseconds, as a sum over slices of the clock.
///
/// A call is counted in the slice of its admission, and admission compares the cap with the sum
/// over that slice and the `sliceCount` before it: 13 counters, the oldest counted whole. Slices
/// have names like any window, so that nothing is reset when one leaves the sum.
///
/// Never passed, over *any* interval of this length: let t be the last admission in an interval
/// (a, a + length]. All others of it were admitted after t − length, hence in t's slice or one of
/// the `sliceCount` before it, for the oldest of these begins at or before t − length. The sum that
/// was compared with the cap at t held all of them, at what they had cost or still held, and in
/// strict mode a call never costs more than it holds. The price is caution: spend leaves the sum up
/// to one slice (a twelfth of the length) later than it would have to.
public struct RollingWindow: Hashable, Sendable {
  public let sliceMilliseconds: Int64

  /// The longest window that may be asked for: 31 days.
  public static let minutesMax: Int64 = 31 * 24 * 60

  /// Slices of the length; one more is summed. Divides every number of minutes without a rest.
  public static let sliceCount = 12

  /// What the id of a budget of this kind begins with, and of no other: `last 24h`.
  public static let idPrefix = "last "

  static func isRolling(budget id: String) -> Bool { id.hasPrefix(idPrefix) }

  /// - Parameter minutes: 1…`minutesMax`; slices of a longer one would be forgotten too early.
  public init(minutes: Int64) {
    sliceMilliseconds = max(minutes, 1) * 60_000 / Int64(Self.sliceCount)
  }

  public var milliseconds: Int64 { sliceMilliseconds * Int64(Self.sliceCount) }

  /// How far before a moment the oldest slice that it is summed with can have begun.
  var reachMilliseconds: Int64 { sliceMilliseconds * Int64(Self.sliceCount + 1) }

  /// The names of the slices before that of a moment that count with it, newest first.
  func earlierSlices(at now: Timestamp) -> [String] {
    (1...Self.sliceCount).map { back in
      let moment = now.adding(milliseconds: -Int64(back) * sliceMilliseconds)
      return BudgetWindows.span(
        holding: moment, milliseconds: sliceMilliseconds, digits: 19
      ).id
    }
  }
}
