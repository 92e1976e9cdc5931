// Rates as thresholds/ says them.

import Metering
import TestSupport
import Testing

@testable import App

@Suite struct RateSettingsTests {
  private func load(_ app: String, defaults: String = "upstream: rehearsal") throws
    -> (AppSettings?, [String])
  {
    try withTemporaryDirectory { directory in
      try directory.write(SettingsLoadTests.gatewayFile, to: "gateway.yaml")
      try directory.write(defaults, to: "defaults.yaml")
      try directory.write(app, to: "apps/shop.yaml")
      let (settings, faults) = SettingsLoadTests.load(directory)
      return (settings?.app("shop"), faults.map(\.description))
    }
  }

  @Test func anAppSaysItsOwnOverTheDefaults() throws {
    let (app, faults) = try load(
      "rates: { callsPerMinute: 60, concurrentCalls: none }\nratesPerKey: { callsPerMinute: 6 }",
      defaults: "upstream: rehearsal\nrates: { tokensPerMinute: 90000, concurrentCalls: 20 }")
    #expect(faults == [])
    let policy = try #require(app).policy(WindowTimelines(from: SettingsLoadTests.now, days: 1))
    #expect(policy.rates == RateLimits(callsPerMinute: 60, tokensPerMinute: 90_000))
    #expect(policy.ratesPerKey == RateLimits(callsPerMinute: 6))
    let (bare, _) = try load(
      "rates: none", defaults: "upstream: rehearsal\nrates: { callsPerMinute: 1 }")
    #expect(try #require(bare).rates.isEmpty)
  }

  @Test(arguments: [
    "rates: 60", "rates: { callsPerMinute: 0 }", "rates: { callsPerHour: 5 }",
    "rates: { callsPerMinute: 1.5 }", "ratesPerKey: { tokensPerMinute: 2000000000 }",
  ])
  func whatIsNoRateIsAFault(app: String) throws {
    let (_, faults) = try load(app)
    #expect(faults.count == 1, "\(faults)")
  }

  @Test func ratesThatDecideNothingOrTooMuchAreNoted() throws {
    let (app, _) = try load(
      """
      outputTokensMax: 4096
      budgets: { minute: { calls: 30 } }
      rates: { callsPerMinute: 60, tokensPerMinute: 4000 }
      ratesPerKey: { callsPerMinute: 90 }
      fit: { outputTokensMin: 4096 }
      """)
    #expect(
      RateNotes.notes(of: try #require(app)) == [
        "ratesPerKey.callsPerMinute of app 'shop', 90, is above its rates.callsPerMinute, 60, "
          + "which refuses first",
        "tokensPerMinute of app 'shop', 4000, does not cover outputTokensMax, 4096: a call that "
          + "sets no smaller bound can never pass",
        "fit.outputTokensMin of app 'shop', 4096, is not below outputTokensMax, 4096: no bound is "
          + "ever lowered",
        "rates.callsPerMinute of app 'shop', 60, is above its minute budget, 30 calls, which "
          + "refuses first",
      ])
  }
}
