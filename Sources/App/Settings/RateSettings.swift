// How fast an app may call, as its file says it, and figures that decide nothing.
//
//   rates: { callsPerMinute: 60, tokensPerMinute: 90000, concurrentCalls: 20 }

import Metering

extension RateLimits {
  /// Reads what is said over what is there; `none` takes away.
  mutating func read(_ node: SettingsNode) {
    if node.isNone {
      self = RateLimits()
      return
    }
    guard let section = node.mapping() else { return }
    for (key, limit) in [
      ("callsPerMinute", \RateLimits.callsPerMinute), ("tokensPerMinute", \.tokensPerMinute),
      ("concurrentCalls", \.concurrentCalls),
    ] as [(String, WritableKeyPath<RateLimits, Int64?>)] {
      guard let node = section.take(key) else { continue }
      if node.isNone {
        self[keyPath: limit] = nil
      } else if let value = node.integer(in: 1...Self.perMinuteMax) {
        self[keyPath: limit] = value
      }
    }
    section.finish()
  }
}

/// Rates that can never be the ones that refuse, or that refuse more than they seem to.
enum RateNotes {
  static func notes(of app: AppSettings) -> [String] {
    var notes: [String] = []
    for (name, limit) in [
      ("callsPerMinute", \RateLimits.callsPerMinute), ("tokensPerMinute", \.tokensPerMinute),
      ("concurrentCalls", \.concurrentCalls),
    ] as [(String, KeyPath<RateLimits, Int64?>)] {
      if let key = app.ratesPerKey[keyPath: limit], let whole = app.rates[keyPath: limit],
        key > whole
      {
        notes.append(
          "ratesPerKey.\(name) of app '\(app.name)', \(key), is above its rates.\(name), "
            + "\(whole), which refuses first")
      }
    }
    let tokens = [app.rates.tokensPerMinute, app.ratesPerKey.tokensPerMinute].compactMap { $0 }
      .min()
    if let tokens, let bound = app.outputTokensMax, bound >= tokens {
      notes.append(
        "tokensPerMinute of app '\(app.name)', \(tokens), does not cover outputTokensMax, "
          + "\(bound): a call that sets no smaller bound can never pass")
    }
    if let least = app.fitTokensMin, let bound = app.outputTokensMax, least >= bound {
      notes.append(
        "fit.outputTokensMin of app '\(app.name)', \(least), is not below outputTokensMax, "
          + "\(bound): no bound is ever lowered")
    }
    let minute = app.budgets.caps[.minute]
    if let calls = app.rates.callsPerMinute, let cap = minute?.calls, calls > cap {
      notes.append(
        "rates.callsPerMinute of app '\(app.name)', \(calls), is above its minute budget, "
          + "\(cap) calls, which refuses first")
    }
    return notes
  }
}
