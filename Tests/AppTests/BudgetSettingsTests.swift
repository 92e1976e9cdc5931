// Budgets of apps, their parts, teams and the organisation, as thresholds/ says them.

import Alerting
import Foundation
import Logging
import Metering
import Store
import TestSupport
import Testing

@testable import App

@Suite struct BudgetSettingsTests {
  private func load(_ files: [String: String]) throws -> (Settings?, [String]) {
    try withTemporaryDirectory { directory in
      try directory.write(SettingsLoadTests.gatewayFile, to: "gateway.yaml")
      for (name, text) in files { try directory.write(text, to: name) }
      let (settings, faults) = SettingsLoadTests.load(directory)
      return (
        settings, faults.map { $0.description.replacing(directory.path + "/", with: "") }
      )
    }
  }

  /// The budgets of app `shop`, each as one line.
  private func lines(_ settings: Settings) throws -> [String] {
    let app = try #require(settings.app("shop"))
    let policy = app.policy(WindowTimelines(from: SettingsLoadTests.now, days: 3))
    return policy.budgets.map { budget in
      let caps = BudgetUnit.allCases.compactMap { unit in
        budget.caps[unit].map { Amount(unit, count: $0).text }
      }
      let scope = budget.holder.scope(in: policy)?.text ?? "\(budget.holder)"
      return "\(scope) \(budget.id): \(caps.joined(separator: ", "))"
    }
  }

  @Test func everyWindowAndUnitIsRead() throws {
    let (settings, faults) = try load([
      "apps/shop.yaml": """
      upstream: rehearsal
      budgets:
        purse: { usd: "100", name: run-7, from: 2026-11-01, until: 2026-11-30 }
        month: { usd: "50.00", tokens: 20000000 }
        last 24h: "6.00"
        last 90m: { calls: 5 }
        minute: { calls: 60 }
        day: 5
      """
    ])
    #expect(faults == [])
    let loaded = try #require(settings)
    #expect(
      try lines(loaded) == [
        "shop minute: 60 calls", "shop last 90m: 5 calls", "shop day: $5.00",
        "shop last 24h: $6.00", "shop month: $50.00, 20,000,000 tokens", "shop purse: $100.00",
      ])
    let app = try #require(loaded.app("shop"))
    let purse = try #require(
      app.policy(WindowTimelines(from: SettingsLoadTests.now, days: 3)).budgets.last)
    let window = try #require(purse.window(at: SettingsLoadTests.now))
    #expect(window.id == "purse run-7")
    #expect(window.endText == "2026-12-01 00:00 UTC")
    #expect(purse.window(at: window.end) == nil)
  }

  @Test func oneLengthIsOneBudgetHoweverItIsWritten() throws {
    for text in ["last 24h", "last 1d", "last 1440m"] {
      #expect(BudgetKey(text)?.id == "last 24h")
    }
    #expect(BudgetKey("last 48h")?.id == "last 2d")
    #expect(BudgetKey("last 61m")?.id == "last 61m")
    #expect(BudgetKey("last 31d") != nil)
    for text in ["last 32d", "last 0m", "last -1h", "last h", "last 5", "last 5w", "daily"] {
      #expect(BudgetKey(text) == nil, "\(text)")
    }
  }

  @Test func aNewAppIsCappedInEveryUnitOfTheDefaultsFromItsFirstCall() throws {
    let (settings, faults) = try load([
      "defaults.yaml": """
      upstream: rehearsal
      budgets: { day: { usd: "10", tokens: 1000, calls: 9 }, minute: { calls: 3 } }
      perUser: { day: "1" }
      """,
      "apps/shop.yaml": "{}",
      "apps/other.yaml": """
      budgets: { day: { tokens: none, calls: 5 }, minute: none }
      perUser: none
      """,
    ])
    #expect(faults == [])
    let loaded = try #require(settings)
    #expect(
      try lines(loaded) == [
        "shop minute: 3 calls", "shop day: $10.00, 1,000 tokens, 9 calls", "eachUser day: $1.00",
      ])
    let other = try #require(loaded.app("other"))
    #expect(other.budgets.caps == [.span(.day): BudgetCaps(money: Money(dollars: "10"), calls: 5)])
    #expect(other.perUser.isEmpty)
  }

  private static let shared = [
    "defaults.yaml": "upstream: rehearsal\nowner: { name: platform, email: p@example.com }",
    "organisation.yaml": "name: acme\nbudgets: { month: 1000 }",
    "teams/search.yaml": """
    owner: { name: Ada, email: ada@example.com }
    timeZone: Europe/Berlin
    alertPercents: [90]
    budgets: { day: "20", month: { tokens: 5000 } }
    """,
    "teams/ads.yaml": "budgets: { day: 7 }",
    "apps/shop.yaml": """
    team: search
    budgets: { day: 50 }
    environments: { demo: { day: 1 } }
    tags: { nightly: { day: 2 }, eval: {} }
    perKey: { day: 3 }
    perModel: { day: { tokens: 40 } }
    """,
  ]

  @Test func anAppDrawsOnItsPartsItsTeamAndTheOrganisation() throws {
    let (settings, faults) = try load(Self.shared)
    #expect(faults == [])
    let loaded = try #require(settings)
    #expect(
      try lines(loaded)
        == [
          "shop day: $50.00", "environment:shop/demo day: $1.00", "tag:shop/nightly day: $2.00",
          "eachKey day: $3.00", "eachModel day: 40 tokens", "team:search day: $20.00",
          "team:search month: 5,000 tokens", "organisation:acme month: $1000.00",
        ])
    let app = try #require(loaded.app("shop"))
    let policy = app.policy(WindowTimelines(from: SettingsLoadTests.now, days: 3))
    #expect(policy.tags == ["eval", "nightly"])
    #expect(policy.environment == "production")
    let team = try #require(policy.budgets.first { $0.id == "day" && $0.alertPercents == [90] })
    // The team's day is Berlin's.
    #expect(
      team.window(at: SettingsLoadTests.now)?.endText.hasSuffix("00:00 Europe/Berlin") == true)
    #expect(loaded.shared.map(\.owner.name) == ["platform", "Ada", "platform"])
    #expect(loaded.shared.map(\.scope.text) == ["team:ads", "team:search", "organisation:acme"])
  }

  @Test func anAppWithoutBudgetsOfItsOwnIsBudgetedByItsTeam() throws {
    var files = Self.shared
    files["apps/shop.yaml"] = "team: ads\nmodels: [gpt-nowhere]"
    files["organisation.yaml"] = nil
    let (_, faults) = try load(files)
    // So that a model without a price is one that it could never call.
    #expect(faults.count == 1 && faults[0].contains("'gpt-nowhere' has no price"))
  }

  @Test(arguments: [
    ("team: serch", "apps/shop.yaml:1: there is no team 'serch' — did you mean 'search'?"),
    (
      "budgets: { last 24x: 1 }",
      "apps/shop.yaml:1: 'budgets.last 24x' is no length of time — write `last N` with m, h or d, "
        + "as in `last 90m` or `last 24h`, up to 31d"
    ),
    ("budgets: { day: { eur: 1 } }", "apps/shop.yaml:1: unknown key 'budgets.day.eur'"),
    ("budgets: { day: { tokens: 1.5 } }", "'budgets.day.tokens' is '1.5', not a whole number"),
    ("budgets: { day: { calls: 0 } }", "'budgets.day.calls' is 0, out of range"),
    ("budgets: { day: { from: 2026-11-01 } }", "unknown key 'budgets.day.from'"),
    ("budgets: { purse: { usd: 1, until: tomorrow } }", "is 'tomorrow', not a date"),
    (
      "budgets: { purse: { usd: 1, from: 2026-11-02, until: 2026-11-01 } }",
      "the purse ends (2026-11-01) before it opens (2026-11-02)"
    ),
    ("budgets: { purse: { usd: 1, name: Run 7 } }", "purse name 'Run 7' cannot be used"),
    ("tags: { Nightly: { day: 1 } }", "tag name 'Nightly' cannot be used"),
    ("environments: { a/b: { day: 1 } }", "environment name 'a/b' cannot be used"),
    ("perUsr: { day: 1 }", "unknown key 'perUsr' — did you mean 'perUser'?"),
  ])
  func aSlipIsFaultedWithItsLine(text: String, fault: String) throws {
    let (_, faults) = try load([
      "defaults.yaml": "upstream: rehearsal", "teams/search.yaml": "budgets: { day: 1 }",
      "apps/shop.yaml": text,
    ])
    #expect(faults.count == 1 && faults[0].contains(fault), "\(faults)")
  }

  @Test func sharedFilesAreReadAsStrictly() throws {
    let (_, faults) = try load([
      "defaults.yaml": "upstream: rehearsal", "organisation.yaml": "budgets: { day: 1 }",
      "teams/search.yaml": "models: all", "teams/Ads.yaml": "{}",
    ])
    #expect(
      faults.map { $0.prefix { $0 != "—" } } == [
        "organisation.yaml:1: 'name' is missing ",
        "teams/Ads.yaml:1: 'Ads' is no team name ",
        "teams/search.yaml:1: unknown key 'models' ",
      ])
  }

  @Test func capsThatCanNeverBeReachedAreNoted() throws {
    let (settings, _) = try load(Self.shared)
    let loaded = try #require(settings)
    #expect(
      BudgetNotes.unreachable(in: loaded) == [
        "the day budget of app 'shop', $50.00, is above that of team 'search', $20.00, which "
          + "refuses first"
      ])
    var files = Self.shared
    files["apps/shop.yaml"] = "budgets: { hour: 5, day: 4 }\nperUser: { day: { usd: 4.01 } }"
    let (other, _) = try load(files)
    #expect(
      BudgetNotes.unreachable(in: try #require(other)) == [
        "the hour budget of app 'shop', $5.00, is above its day budget, $4.00, which refuses first",
        "the day budget of each user of app 'shop', $4.01, is above that of app 'shop', $4.00, "
          + "which refuses first",
      ])
  }

  @Test func aTeamsOwnerHearsOfTheTeamsBudget() throws {
    let store = try StoreDatabase.inMemory()
    let desk = AlertDesk(
      store: store,
      recipients: [
        "shop": [.webhook("https://hooks.example/shop")],
        "team:search": [.webhook("https://hooks.example/search")],
      ], adminURL: nil, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, wake: {})
    let team = Budget(
      .shared(.team("search")), id: "purse", caps: BudgetCaps(tokens: 10),
      windows: .purse(
        WindowEdges(
          start: Timestamp(milliseconds: 0), end: Timestamp(milliseconds: 99), id: "purse",
          endText: "")))
    let tag = Budget(
      .tag(0), id: "purse", caps: BudgetCaps(money: Money(nanodollars: 10)), windows: team.windows)
    var policy = AppPolicy(app: "shop", budgets: [team, tag], alertPercents: [80])
    policy.tags = ["nightly"]
    var ledger = Ledger()
    for (sequence, scope) in [BudgetScope.team("search"), .part(.tag, of: "shop", "nightly")]
      .enumerated()
    {
      let call = CallID(UInt64(sequence) + 1)
      let account = AccountID(scope: scope, budget: "purse", window: "purse")
      ledger.apply(
        LedgerEvent(
          sequence: call.number, at: Timestamp(milliseconds: 1),
          kind: .reserved(
            .init(
              call: call, app: "shop", key: 1, upstream: "u", model: "m", isStream: false,
              amounts: Amounts(money: Money(nanodollars: 8), tokens: 8, calls: 1),
              accounts: [account]))))
    }
    var admission = Admission(policies: [policy], ledger: ledger)
    _ = admission.expireOpen(at: Timestamp(milliseconds: 2))
    desk.raise(
      admission.standingCrossings(at: Timestamp(milliseconds: 3)), at: Timestamp(milliseconds: 3))
    let alerts = try store.alerts().sorted { $0.key < $1.key }
    #expect(
      alerts.map(\.key) == [
        "budget/tag:shop%2Fnightly/purse/purse/80", "budget/team:search/purse/purse/80/tokens",
      ])
    #expect(
      try alerts.flatMap { try store.deliveries(alertKey: $0.key).map(\.address) } == [
        "https://hooks.example/shop", "https://hooks.example/search",
      ])
    #expect(
      alerts[1].body == """
        Team 'search' has spent 8 tokens of its 10 tokens purse budget for purse, past the 80 % \
        mark.
        The budget never resets.
        A call that no longer fits is refused (HTTP 429).
        To change the cap: budgets.purse of thresholds/teams/search.yaml.
        """)
    #expect(
      alerts[0].body.hasPrefix("Tag 'nightly' of app 'shop' has spent $0.000000008 of its"))
  }
}
