// One alert's way to one receiver, as a state machine: events in, actions out, no clock and no
// dice.
//
// A receiver that is down must not lose an alert, and one that is gone must not be called for ever:
// attempts come further and further apart, and end at a stated age.

/// How patient a delivery is; all in milliseconds.
public struct RetryPolicy: Hashable, Sendable {
  /// After the first failure.
  public var delayFirst: Int64
  /// The longest pause; each failure doubles it up to here.
  public var delayMax: Int64
  /// A failure at this age, or a next attempt beyond it, ends the delivery.
  public var ageMax: Int64

  public init(
    delayFirst: Int64 = 2_000, delayMax: Int64 = 15 * 60_000, ageMax: Int64 = 24 * 3_600_000
  ) {
    self.delayFirst = max(delayFirst, 1)
    self.delayMax = max(delayMax, self.delayFirst)
    self.ageMax = ageMax
  }

  /// The pause after the `attempts`-th failure, from 1, before spreading.
  public func delay(afterAttempts attempts: Int) -> Int64 {
    var delay = delayFirst
    for _ in 1..<max(attempts, 1) {
      if delay >= delayMax / 2 { return delayMax }
      delay *= 2
    }
    return min(delay, delayMax)
  }
}

/// How an attempt to deliver ended.
public enum AttemptResult: Hashable, Sendable {
  case accepted
  /// - Parameters:
  ///   - reason: for people, without secrets.
  ///   - isPermanent: the receiver will never take it (no such mailbox, HTTP 4xx but 408 and 429).
  ///   - retryAfterMilliseconds: what the receiver asked to be left alone for; nil where it did
  ///     not.
  case failed(reason: String, isPermanent: Bool, retryAfterMilliseconds: Int64?)

  public static func failed(reason: String) -> AttemptResult {
    .failed(reason: reason, isPermanent: false, retryAfterMilliseconds: nil)
  }
}

/// One delivery. Times are milliseconds since 1970.
public struct Delivery: Hashable, Sendable {
  public enum State: Hashable, Sendable {
    /// Next: `begin` once the time has come.
    case waiting(until: Int64)
    /// Next: `finish`.
    case attempting(number: Int)
    /// Final.
    case delivered(at: Int64)
    /// Final.
    case abandoned(at: Int64, reason: String)
  }

  /// What to do on `begin`.
  public enum BeginAction: Hashable, Sendable {
    /// Send now; this is the attempt with this number, from 1.
    case send(attempt: Int)
    /// Not yet.
    case wait(until: Int64)
    /// Nothing: an attempt is under way, or the delivery has ended.
    case nothing
  }

  /// What to do on `finish`.
  public enum FinishAction: Hashable, Sendable {
    case delivered
    case retry(at: Int64, reason: String)
    case abandoned(reason: String)
    /// Nothing: no attempt was under way.
    case nothing
  }

  public let raisedAt: Int64
  public let policy: RetryPolicy
  public private(set) var state: State
  /// Attempts begun.
  public private(set) var attempts: Int
  private let spread: UInt64

  /// - Parameters:
  ///   - attempts: attempts begun before, by a process that is gone.
  ///   - spread: any number of the delivery's own, such as its row; it shifts the pauses by up to a
  ///     tenth, so that deliveries that failed together do not come back together.
  public init(
    raisedAt: Int64, attempts: Int = 0, dueAt: Int64? = nil, spread: UInt64 = 0,
    policy: RetryPolicy = RetryPolicy()
  ) {
    self.raisedAt = raisedAt
    self.attempts = attempts
    self.spread = spread
    self.policy = policy
    state = .waiting(until: dueAt ?? raisedAt)
  }

  /// The time has come to look at it.
  public mutating func begin(at now: Int64) -> BeginAction {
    guard case .waiting(let until) = state else { return .nothing }
    if now < until { return .wait(until: until) }
    attempts += 1
    state = .attempting(number: attempts)
    return .send(attempt: attempts)
  }

  /// The attempt ended. A failure that cannot succeed within the age ends the delivery.
  public mutating func finish(_ result: AttemptResult, at now: Int64) -> FinishAction {
    guard case .attempting = state else { return .nothing }
    switch result {
    case .accepted:
      state = .delivered(at: now)
      return .delivered
    case .failed(let reason, true, _):
      state = .abandoned(at: now, reason: reason)
      return .abandoned(reason: reason)
    case .failed(let reason, false, let asked):
      let pause = max(spreadDelay(), min(asked ?? 0, policy.delayMax))
      let next = now + pause
      if now - raisedAt >= policy.ageMax || next - raisedAt > policy.ageMax {
        let words = "gave up after \(attempts) attempt(s): \(reason)"
        state = .abandoned(at: now, reason: words)
        return .abandoned(reason: words)
      }
      state = .waiting(until: next)
      return .retry(at: next, reason: reason)
    }
  }

  /// The pause after the attempts so far, up to a tenth longer.
  private func spreadDelay() -> Int64 {
    let delay = policy.delay(afterAttempts: attempts)
    // Any fixed mixing will do; this is splitmix64's.
    var mixed = spread &+ UInt64(attempts) &* 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed ^= mixed >> 31
    return delay + Int64(mixed % UInt64(delay / 10 + 1))
  }
}
