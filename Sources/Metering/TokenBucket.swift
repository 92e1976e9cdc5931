// A token bucket in whole numbers: it holds a minute's worth, and fills evenly.
//
// The level counts sixty-thousandths of a unit, so that a millisecond adds `perMinute` of them and
// nothing is rounded, however often the bucket is looked at.

/// A rate per minute, as it stands.
struct TokenBucket: Hashable, Sendable {
  /// At least 1, at most `RateLimits.perMinuteMax`.
  let perMinute: Int64
  /// Below zero where more was used than a call had been thought to use; not beyond a minute's
  /// worth, so that nobody waits for long.
  private var level: Int64
  private var asOf: Timestamp

  private static let scale: Int64 = 60_000
  /// A clock that is put back by more than this is taken at its word; by less, a call came late.
  private static let latenessMax: Int64 = 600_000

  private var capacity: Int64 { perMinute * Self.scale }

  init(perMinute: Int64, at now: Timestamp) {
    self.perMinute = perMinute
    level = perMinute * Self.scale
    asOf = now
  }

  mutating func fill(at now: Timestamp) {
    let elapsed = now.milliseconds - asOf.milliseconds
    if elapsed <= 0 {
      if elapsed < -Self.latenessMax { asOf = now }
      return
    }
    asOf = now
    // Two minutes fill it from as far below zero as it can be.
    level = min(level + min(elapsed, 2 * Self.scale) * perMinute, capacity)
  }

  /// Whole units.
  var left: Int64 { max(level / Self.scale, 0) }

  func covers(_ count: Int64) -> Bool { count <= perMinute && level >= count * Self.scale }

  /// Nil: never.
  func millisecondsUntil(_ count: Int64) -> Int64? {
    guard count <= perMinute else { return nil }
    return (max(count * Self.scale - level, 0) + perMinute - 1) / perMinute
  }

  var millisecondsUntilFull: Int64 { (capacity - level + perMinute - 1) / perMinute }

  mutating func take(_ count: Int64) {
    level = max(level - min(count, 2 * perMinute) * Self.scale, -capacity)
  }

  mutating func giveBack(_ count: Int64) {
    level = min(level + min(count, 2 * perMinute) * Self.scale, capacity)
  }
}
