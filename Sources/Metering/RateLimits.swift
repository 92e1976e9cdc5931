// How fast an app, or one of its keys, may call: by the minute, and at once.

/// Nil: no limit of that kind.
public struct RateLimits: Hashable, Sendable {
  /// 1…`perMinuteMax`.
  public var callsPerMinute: Int64?
  /// Input and output, held at a call's most and corrected when it ends.
  public var tokensPerMinute: Int64?
  public var concurrentCalls: Int64?

  public static let perMinuteMax: Int64 = 1_000_000_000

  public init(
    callsPerMinute: Int64? = nil, tokensPerMinute: Int64? = nil, concurrentCalls: Int64? = nil
  ) {
    self.callsPerMinute = callsPerMinute
    self.tokensPerMinute = tokensPerMinute
    self.concurrentCalls = concurrentCalls
  }

  public var isEmpty: Bool {
    callsPerMinute == nil && tokensPerMinute == nil && concurrentCalls == nil
  }
}

/// A rate that a call did not fit into.
public struct RateRefusal: Hashable, Sendable {
  public enum Unit: Sendable { case calls, tokens, concurrentCalls }

  public var unit: Unit
  /// It is the key's own, not the app's.
  public var isOfKey: Bool
  public var limit: Int64
  /// What is left now of calls or tokens.
  public var left: Int64
  public var asked: Int64
  /// When it would fit; nil: never.
  public var waitMilliseconds: Int64?

  public init(
    unit: Unit, isOfKey: Bool, limit: Int64, left: Int64, asked: Int64, waitMilliseconds: Int64?
  ) {
    self.unit = unit
    self.isOfKey = isOfKey
    self.limit = limit
    self.left = left
    self.asked = asked
    self.waitMilliseconds = waitMilliseconds
  }

  /// The longest wait that is named to a caller: some SDKs sleep whatever they are told.
  public static let retrySecondsMax: Int64 = 60

  /// Whole seconds after which it is worth trying; nil: not soon.
  public var retryAfterSeconds: Int64? {
    guard let waitMilliseconds else { return nil }
    let seconds = max((waitMilliseconds + 999) / 1_000, 1)
    return seconds <= Self.retrySecondsMax ? seconds : nil
  }

  var message: String {
    let who = isOfKey ? "This key" : "This app"
    let place = isOfKey ? "ratesPerKey" : "rates"
    let retry = retryAfterSeconds.map { "Try again in \($0) s" } ?? "Try again in some minutes"
    switch unit {
    case .calls:
      return "\(who) may make \(limit) calls a minute, and has made them. \(retry); the app's "
        + "owner can raise \(place).callsPerMinute."
    case .concurrentCalls:
      return "\(who) may have \(limit) calls under way at once, and has them. Try again when one "
        + "has ended; the app's owner can raise \(place).concurrentCalls."
    case .tokens where waitMilliseconds == nil:
      return "This call may use up to \(asked) tokens, more than \(who.lowercased()) may use in a "
        + "minute, \(limit): it can never pass. Set a smaller output bound; the app's owner can "
        + "raise \(place).tokensPerMinute."
    case .tokens:
      return "\(who) may use \(limit) tokens a minute: \(left) are left, and this call may use up "
        + "to \(asked). \(retry), or set a smaller output bound; the app's owner can raise "
        + "\(place).tokensPerMinute."
    }
  }
}

/// What is left of one rate, for the caller to know.
public struct RateStanding: Hashable, Sendable {
  public var unit: RateRefusal.Unit
  public var isOfKey: Bool
  public var limit: Int64
  public var left: Int64
  /// Whole seconds until nothing of it is used; 0 for what is held, not used.
  public var fullInSeconds: Int64
}
