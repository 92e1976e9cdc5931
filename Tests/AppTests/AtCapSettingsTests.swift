// What budgets do at their caps, and how calls are held, as thresholds/ says it.

import Metering
import TestSupport
import Testing

@testable import App

@Suite struct AtCapSettingsTests {
  private static let prices = """
    gpt-4o: { from: 2024-01-01, inputPerMillion: "2.50", outputPerMillion: "10.00" }
    gpt-4o-mini: { from: 2024-01-01, inputPerMillion: "0.15", outputPerMillion: "0.60" }
    """

  private func load(
    _ app: String, defaults: String = "upstream: rehearsal", team: String? = nil
  ) throws -> (Settings?, [String]) {
    try withTemporaryDirectory { directory in
      try directory.write(
        "upstreams:\n  rehearsal: { dialect: openai, rehearsal: true, prices: openai }",
        to: "gateway.yaml")
      try directory.write(Self.prices, to: "prices/openai.yaml")
      try directory.write(defaults, to: "defaults.yaml")
      try directory.write(app, to: "apps/shop.yaml")
      if let team { try directory.write(team, to: "teams/search.yaml") }
      let (settings, faults) = SettingsLoadTests.load(directory)
      return (settings, faults.map { $0.description.replacing(directory.path + "/", with: "") })
    }
  }

  private func policy(_ settings: Settings?) throws -> AppPolicy {
    let app = try #require(settings?.app("shop"))
    return app.policy(WindowTimelines(from: SettingsLoadTests.now, days: 1))
  }

  private func atCaps(_ settings: Settings?) throws -> [String] {
    try policy(settings).budgets.map { "\($0.id) \($0.atCap)" }
  }

  @Test func aBudgetSaysItOverItsApp() throws {
    let (settings, faults) = try load(
      """
      atCap: alert
      budgets: { day: { usd: "5", atCap: throttle }, month: "50" }
      perUser: { day: "1" }
      """)
    #expect(faults == [])
    #expect(try atCaps(settings) == ["day throttle", "month alert", "day alert"])
    let (plain, _) = try load("budgets: { day: 5 }")
    #expect(try atCaps(plain) == ["day deny"])
    let (inherited, _) = try load(
      "budgets: { day: 5 }", defaults: "upstream: rehearsal\natCap: throttle")
    #expect(try atCaps(inherited) == ["day throttle"])
  }

  /// An app cannot let its calls pass what its team has set; a cheaper call takes from nobody.
  @Test(arguments: [
    ("alert", "", "deny"), ("throttle", "", "deny"), ("degrade", "", "degrade"),
    ("deny", "atCap: alert\n", "alert"), ("degrade", "atCap: throttle\n", "throttle"),
  ])
  func whatIsSharedIsForItsOwnerToSay(app: String, team: String, expected: String) throws {
    let (settings, faults) = try load(
      """
      team: search
      atCap: \(app)
      degrade: { model: gpt-4o-mini }
      budgets: { day: 5 }
      """, team: team + "budgets: { month: 50 }")
    #expect(faults == [])
    #expect(try atCaps(settings) == ["day \(app)", "month \(expected)"])
  }

  @Test func aSubstituteIsRead() throws {
    let (settings, faults) = try load(
      """
      atCap: degrade
      degrade: { model: gpt-4o-mini, outputTokensMax: 512 }
      models: [gpt-4o, gpt-4o-mini]
      budgets: { day: 5 }
      """)
    #expect(faults == [])
    #expect(
      try policy(settings).substitute == Substitute(model: "gpt-4o-mini", outputTokensMax: 512))
    #expect(AtCapCheck.notes(in: try #require(settings), at: SettingsLoadTests.now) == [])
  }

  @Test(arguments: [
    (
      "atCap: degrade", "apps/shop.yaml:1: app 'shop' degrades at the cap, and nothing says to what"
    ),
    (
      "budgets: { day: 5 }\ndegrade: { model: gpt-9 }\natCap: degrade",
      "apps/shop.yaml:2: app 'shop' degrades to model 'gpt-9', which has no price at upstream"
    ),
    (
      "models: [gpt-4o]\natCap: degrade\ndegrade: { model: gpt-4o-mini }",
      "apps/shop.yaml:3: app 'shop' degrades to model 'gpt-4o-mini', which it may not call"
    ),
    ("degrade: {}", "apps/shop.yaml:1: 'degrade' changes nothing"),
    ("atCap: warn", "apps/shop.yaml:1: 'atCap' is 'warn'"),
    (
      "budgets: { day: { usd: 5, atCap: none } }", "apps/shop.yaml:1: 'budgets.day.atCap' is 'none'"
    ),
    ("estimates: { mode: lax }", "apps/shop.yaml:1: 'estimates.mode' is 'lax'"),
    ("estimates: { quantile: 0.9999 }", "apps/shop.yaml:1: 'estimates.quantile' is 0.9999, out of"),
  ])
  func aSlipIsFaultedWithItsLine(app: String, fault: String) throws {
    let (_, faults) = try load(app)
    #expect(faults.count == 1 && faults[0].hasPrefix(fault), "\(faults)")
  }

  @Test func whatIsNoBoundIsNoted() throws {
    let (settings, _) = try load(
      """
      atCap: alert
      degrade: { model: gpt-4o }
      models: [gpt-4o, gpt-4o-mini]
      budgets: { day: "5", month: { usd: "4", atCap: deny } }
      perUser: { day: "1" }
      """)
    let loaded = try #require(settings)
    #expect(
      AtCapCheck.notes(in: loaded, at: SettingsLoadTests.now) == [
        "calls of app 'shop' pass the cap of its day budget (atCap: alert): it is no bound, and "
          + "what goes over it stands there as debt",
        "calls of app 'shop' pass the cap of each user day budget (atCap: alert): it is no bound, "
          + "and what goes over it stands there as debt; of single users nobody is told",
        "app 'shop' names a substitute ('gpt-4o'), and none of its budgets degrades",
      ])
    // A cap that lets pass forestalls nothing; one that denies does.
    let notes = BudgetNotes.unreachable(in: loaded)
    #expect(notes.count == 1 && notes[0].contains("month budget"), "\(notes)")
    let (dear, _) = try load(
      """
      atCap: degrade
      degrade: { model: gpt-4o }
      models: [gpt-4o, gpt-4o-mini]
      budgets: { day: "5" }
      """)
    #expect(
      AtCapCheck.notes(in: try #require(dear), at: SettingsLoadTests.now) == [
        "app 'shop' degrades to model 'gpt-4o', which is no cheaper than the others that it may "
          + "call"
      ])
  }

  @Test func whatCalibratedHoldsCanCostIsSaid() throws {
    let (settings, faults) = try load(
      """
      team: search
      estimates: { mode: calibrated, quantile: 0.99 }
      budgets: { day: "5", month: "50" }
      """, team: "budgets: { month: 50 }")
    #expect(faults == [])
    let loaded = try #require(settings)
    #expect(
      try policy(loaded).calibration
        == Calibration(quantile: 9_900, overshootMax: Money(nanodollars: 5_000_000_000)))
    #expect(
      AtCapCheck.notes(in: loaded, at: SettingsLoadTests.now) == [
        "app 'shop' is calibrated: a call holds what 99 % of its model's calls cost, once there "
          + "are 99 of them; what is settled can pass a cap by $5.00 at most (strict − held of all "
          + "calls under way), of which $0.05 at most are to be expected",
        "calibrated apps of team 'search' (shop) can together pass its caps by $5.00 at most",
      ])
    let (own, _) = try load(
      "estimates: { mode: calibrated, overshootMax: \"2\", quantile: 0.95 }\nbudgets: { day: 5 }")
    #expect(
      try policy(own).calibration
        == Calibration(quantile: 9_500, overshootMax: Money(nanodollars: 2_000_000_000)))
    let (strict, _) = try load("budgets: { day: 5 }")
    #expect(try policy(strict).calibration == nil)
    let (moneyless, _) = try load(
      "estimates: { mode: calibrated }\nbudgets: { day: { calls: 5 } }")
    #expect(try policy(moneyless).calibration == nil)
    #expect(AtCapCheck.notes(in: try #require(moneyless), at: SettingsLoadTests.now).count == 1)
  }
}
