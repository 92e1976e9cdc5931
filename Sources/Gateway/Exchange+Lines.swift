// What the gateway says of its own in an answer's head.

import Metering

extension Exchange {
  /// The output bound that was put in or lowered, what the call was degraded to, and what is left
  /// of the rates.
  var ownLines: String {
    let most = estimate.outputBound ?? estimate.loweredBound
    let bound = most.map { "x-leeway-output-bound: \($0)\r\n" } ?? ""
    return bound + degradedLine + rateLines
  }

  /// Empty where the app has no rates.
  var rateLines: String {
    guard let app = plan.app, core.apps[app].policy.isThrottled else { return "" }
    return Self.lines(core.desk.rateStanding(app: app, key: plan.key, at: core.clock()))
  }

  /// The fields RateLimit-Policy and RateLimit of draft-ietf-httpapi-ratelimit-headers-10: of each
  /// rate its quota, window and unit, and what is left until when.
  static func lines(_ standing: [RateStanding]) -> String {
    guard !standing.isEmpty else { return "" }
    var policies: [String] = []
    var limits: [String] = []
    for rate in standing {
      let name = "\"\(rate.isOfKey ? "key-" : "")\(rate.unit.name)\""
      switch rate.unit {
      case .calls: policies.append("\(name);q=\(rate.limit);w=60")
      case .tokens: policies.append("\(name);q=\(rate.limit);w=60;qu=\"tokens\"")
      case .concurrentCalls:
        policies.append("\(name);q=\(rate.limit);qu=\"concurrent-requests\"")
      }
      let reset = rate.unit == .concurrentCalls ? "" : ";t=\(rate.fullInSeconds)"
      limits.append("\(name);r=\(rate.left)\(reset)")
    }
    return "ratelimit-policy: \(policies.joined(separator: ", "))\r\n"
      + "ratelimit: \(limits.joined(separator: ", "))\r\n"
  }
}

extension RateRefusal.Unit {
  fileprivate var name: String {
    switch self {
    case .calls: "calls"
    case .tokens: "tokens"
    case .concurrentCalls: "concurrent"
    }
  }
}
