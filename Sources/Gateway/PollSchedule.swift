// When a job is asked after next. Pure: it is handed the dice.

/// Waits that double from one to another, each with a part left to chance, so that many jobs that
/// were made at once are not asked after at once.
struct PollSchedule: Hashable, Sendable {
  /// The first wait and the longest, in milliseconds; the first at least 1.
  struct Pace: Hashable, Sendable {
    var first: Int64
    var most: Int64
  }

  /// The share of a wait that chance may take off it.
  static let jitter = 0.25

  private let pace: Pace
  private var wait: Int64

  init(_ pace: Pace) {
    self.pace = pace
    wait = min(max(pace.first, 1), max(pace.most, 1))
  }

  /// The next wait in milliseconds; each is twice the one before, up to the longest.
  ///
  /// - Parameter dice: 0 up to, not including, 1.
  mutating func next(dice: Double) -> Int64 {
    defer { wait = wait > pace.most / 2 ? max(pace.most, 1) : wait * 2 }
    return Self.shortened(wait, dice: dice)
  }

  /// The longest wait: nothing will change soon.
  mutating func slowest(dice: Double) -> Int64 {
    wait = max(pace.most, 1)
    return Self.shortened(wait, dice: dice)
  }

  private static func shortened(_ wait: Int64, dice: Double) -> Int64 {
    max(wait - Int64(Double(wait) * jitter * min(max(dice, 0), 1)), 1)
  }
}
