// Budgets over scopes and units, told as stories; the random scripts vary them.

import TestSupport
import Testing

@testable import Metering

@Suite struct ScopeTests {
  private let noon = Timestamp(milliseconds: 43_200_000)

  private static let always = BudgetWindows.purse(
    WindowEdges(
      start: Timestamp(milliseconds: .min), end: Timestamp(milliseconds: .max), id: "purse",
      endText: ""))

  private static func budget(_ holder: BudgetHolder, _ caps: BudgetCaps) -> Budget {
    Budget(holder, id: "purse", caps: caps, windows: always)
  }

  private static func money(_ nanodollars: Int64) -> BudgetCaps {
    BudgetCaps(money: Money(nanodollars: nanodollars))
  }

  private func request(app: Int = 0, _ amount: Int64) -> AdmissionRequest {
    var request = AdmissionRequest(
      app: app, key: 7, upstream: "u", model: "m", isStream: false,
      bound: .atMost(Money(nanodollars: amount)))
    request.tokens = 0
    return request
  }

  /// Admits and charges in full; else the refusal.
  private func spend(
    _ admission: inout Admission, _ request: AdmissionRequest, tokens: Int64 = 0
  ) -> BudgetRefusal? {
    switch admission.admit(request, at: noon) {
    case .admitted(let reservation, _):
      let charge = reservation.amount
      var outcome = LedgerTests.outcome
      outcome.usage.outputText = tokens
      _ = admission.settle(reservation, charge: charge, outcome: outcome, at: noon)
      return nil
    case .denied(let denial, _):
      if case .budgetExhausted(let refusal) = denial { return refusal }
      Issue.record("denied with \(denial.code)")
      return nil
    case .tooLarge:
      Issue.record("asked for a closer bound")
      return nil
    }
  }

  @Test func aScopeIsOneTextAndReadsBack() {
    let scopes: [(BudgetScope, String, BudgetScope.Kind, String, String)] = [
      (.app("shop"), "shop", .app, "shop", "shop"),
      (.team("search"), "team:search", .team, "search", "team:search"),
      (.organisation("acme"), "organisation:acme", .organisation, "acme", "organisation:acme"),
      (.part(.key, of: "shop", "7"), "key:shop/7", .key, "7", "shop"),
      (
        .part(.model, of: "shop", "meta/llama:8b"), "model:shop/meta/llama:8b", .model,
        "meta/llama:8b", "shop"
      ),
      (
        .part(.environment, of: "shop", "demo"), "environment:shop/demo", .environment, "demo",
        "shop"
      ),
    ]
    for (scope, text, kind, name, holder) in scopes {
      #expect(scope.text == text && scope.kind == kind && scope.name == name)
      #expect(scope.holder.text == holder)
      #expect(BudgetScope(text: text) == scope)
    }
    // What journals hold from before is an app's name, whatever it looks like.
    #expect(BudgetScope(text: "app:x").kind == .app)
    #expect(BudgetScope(text: "büro-✓").name == "büro-✓")
  }

  @Test func appsOfATeamShareItsBudget() {
    let team = Self.budget(.shared(.team("search")), Self.money(10))
    var admission = Admission(
      policies: [AppPolicy(app: "a", budgets: [team]), AppPolicy(app: "b", budgets: [team])],
      ledger: Ledger())
    #expect(spend(&admission, request(app: 0, 6)) == nil)
    let refusal = spend(&admission, request(app: 1, 6))
    #expect(refusal?.scope == .team("search"))
    #expect(refusal?.settled == .money(Money(nanodollars: 6)))
    #expect(
      Denial.budgetExhausted(refusal!).message
        == "Budget 'purse' of team 'search' cannot cover this call in purse: $0.000000006 spent of "
        + "$0.00000001; this call may cost up to $0.000000006. A smaller output bound may fit; the "
        + "team's owner can raise the budget.")
    #expect(spend(&admission, request(app: 1, 4)) == nil)
  }

  @Test func whereOneBudgetRefusesNothingIsHeldInAny() throws {
    let policy = AppPolicy(
      app: "a",
      budgets: [
        Self.budget(.app, Self.money(100)), Self.budget(.eachKey, BudgetCaps(calls: 5)),
        Self.budget(.shared(.team("t")), Self.money(10)),
      ])
    var admission = Admission(policies: [policy], ledger: Ledger())
    let refusal = spend(&admission, request(11))
    #expect(refusal?.scope == .team("t"))
    #expect(admission.ledger.accounts.isEmpty)
    #expect(spend(&admission, request(9)) == nil)
    for id in ["a", "key:a/7", "team:t"] {
      let account = admission.ledger.account(
        AccountID(scope: BudgetScope(text: id), budget: "purse", window: "purse"))
      let used = Amounts(money: Money(nanodollars: 9), calls: 1)
      #expect(account == .init(settled: used, reserved: .zero), "\(id)")
    }
  }

  @Test func eachKeyUserAndModelHasAPurseOfItsOwn() {
    let policy = AppPolicy(
      app: "a",
      budgets: [
        Self.budget(.eachKey, Self.money(10)), Self.budget(.eachUser, Self.money(8)),
        Self.budget(.eachModel, Self.money(100)),
      ])
    var admission = Admission(policies: [policy], ledger: Ledger())
    var call = request(6)
    call.user = "u1"
    #expect(spend(&admission, call) == nil)
    call.user = "u2"
    #expect(spend(&admission, call)?.scope == .part(.key, of: "a", "7"))
    call.key = 8
    #expect(spend(&admission, call) == nil)
    call.user = "u1"
    call.key = 9
    let refusal = spend(&admission, call)
    #expect(refusal?.scope == .part(.user, of: "a", "u1"))
    // Who made the call is told; nobody's name is.
    #expect(!Denial.budgetExhausted(refusal!).message.contains("u1"))
  }

  @Test func callsThatNameNoUserShareOnePurse() {
    let policy = AppPolicy(app: "a", budgets: [Self.budget(.eachUser, Self.money(8))])
    var admission = Admission(policies: [policy], ledger: Ledger())
    #expect(spend(&admission, request(8)) == nil)
    let refusal = spend(&admission, request(1))
    #expect(refusal?.scope == .part(.user, of: "a", BudgetScope.nobody))
    #expect(Denial.budgetExhausted(refusal!).message.contains("x-leeway-user"))
  }

  @Test func snapshotsOfAModelShareItsPurseAndABatchDrawsOnEachOfItsModels() {
    let policy = AppPolicy(app: "a", budgets: [Self.budget(.eachModel, Self.money(10))])
    var admission = Admission(policies: [policy], ledger: Ledger())
    var call = request(6)
    call.model = "gpt-4o"
    #expect(spend(&admission, call) == nil)
    call.model = "gpt-4o-2024-08-06"
    #expect(spend(&admission, call)?.scope == .part(.model, of: "a", "gpt-4o"))
    call.model = "o3"
    call.families = ["gpt-4o", "o3"]
    #expect(spend(&admission, call)?.scope == .part(.model, of: "a", "gpt-4o"))
    call.families = ["o3", "o4-mini"]
    #expect(spend(&admission, call) == nil)
    call.families = nil
    #expect(spend(&admission, call)?.scope == .part(.model, of: "a", "o3"))
  }

  @Test func demoLoadDoesNotEatProductionsMoney() {
    let policy = AppPolicy(
      app: "a",
      budgets: [
        Self.budget(.app, Self.money(100)), Self.budget(.environment("demo"), Self.money(10)),
      ])
    var admission = Admission(policies: [policy], ledger: Ledger())
    var demo = request(6)
    demo.environment = "demo"
    #expect(spend(&admission, demo) == nil)
    #expect(spend(&admission, demo)?.scope == .part(.environment, of: "a", "demo"))
    #expect(spend(&admission, request(90)) == nil)
  }

  @Test func anAppsEnvironmentIsThatOfKeysThatNameNone() {
    var policy = AppPolicy(
      app: "a", budgets: [Self.budget(.environment("demo"), Self.money(10))])
    policy.environment = "demo"
    var admission = Admission(policies: [policy], ledger: Ledger())
    #expect(spend(&admission, request(11))?.scope == .part(.environment, of: "a", "demo"))
  }

  @Test func aTagIsDrawnOnByCallsThatCarryIt() {
    var policy = AppPolicy(
      app: "a",
      budgets: [Self.budget(.tag(0), Self.money(10)), Self.budget(.tag(1), Self.money(5))])
    policy.tags = ["eval", "nightly"]
    var admission = Admission(policies: [policy], ledger: Ledger())
    #expect(spend(&admission, request(50)) == nil)
    var call = request(5)
    call.tags = [TagSet(place: 0), TagSet(place: 1)]
    #expect(spend(&admission, call) == nil)
    #expect(spend(&admission, call)?.scope == .part(.tag, of: "a", "nightly"))
    call.tags = TagSet(place: 0)
    #expect(spend(&admission, call) == nil)
    #expect(spend(&admission, call)?.scope == .part(.tag, of: "a", "eval"))
  }

  @Test func tokensAndCallsAreCountedBesideMoney() {
    let policy = AppPolicy(
      app: "a", budgets: [Self.budget(.app, BudgetCaps(tokens: 100, calls: 3))])
    var admission = Admission(policies: [policy], ledger: Ledger())
    var call = request(1_000)
    call.tokens = 60
    #expect(spend(&admission, call, tokens: 30) == nil)
    #expect(spend(&admission, call, tokens: 50) == nil)
    let refusal = spend(&admission, call)
    #expect(refusal?.settled == .tokens(80) && refusal?.cap == .tokens(100))
    #expect(
      Denial.budgetExhausted(refusal!).message
        == "Budget 'purse' of this app cannot cover this call in purse: 80 tokens used of 100 "
        + "tokens; this call may use up to 60 tokens. A smaller output bound may fit; the app's "
        + "owner can raise the budget.")
    call.tokens = 1
    #expect(spend(&admission, call, tokens: 1) == nil)
    let fourth = spend(&admission, call)
    #expect(fourth?.cap == .calls(3) && fourth?.estimate == .calls(1))
    #expect(
      Denial.budgetExhausted(fourth!).message
        == "Budget 'purse' of this app cannot cover this call in purse: 3 calls used of 3 calls. "
        + "The app's owner can raise the budget.")
  }

  /// A token cap of what a call does not draw on is nothing to it, though its tokens have no bound.
  @Test func tokensNeedABoundOnlyWhereACapOfThemIsDrawnOn() {
    var policy = AppPolicy(
      app: "a",
      budgets: [
        Self.budget(.app, Self.money(100)), Self.budget(.tag(0), BudgetCaps(tokens: 100)),
        Self.budget(.environment("demo"), BudgetCaps(tokens: 100)),
      ])
    policy.tags = ["nightly"]
    var admission = Admission(policies: [policy], ledger: Ledger())
    var picture = request(5)
    picture.tokens = nil
    #expect(spend(&admission, picture) == nil)
    func code(_ call: AdmissionRequest) -> String? {
      guard case .denied(let denial, _) = admission.admit(call, at: noon) else { return nil }
      return denial.code
    }
    var tagged = picture
    tagged.tags = TagSet(place: 0)
    #expect(code(tagged) == "tokens_unbounded")
    var demo = picture
    demo.environment = "demo"
    #expect(code(demo) == "tokens_unbounded")
  }

  /// What has begun cannot be refused: it is held, counted and charged, over any cap.
  @Test func whatIsOwedIsHeldAndCountedWhateverStandsAgainstIt() {
    let policy = AppPolicy(
      app: "a",
      budgets: [
        Self.budget(.app, BudgetCaps(money: Money(nanodollars: 10), calls: 1)),
        Self.budget(.eachUser, BudgetCaps(tokens: 5)),
      ], models: ["o3"])
    var admission = Admission(policies: [policy], ledger: Ledger())
    _ = admission.cap(app: "a", reason: "stopped.", order: 1, at: noon)
    for number in Int64(1)...2 {
      var call = request(8)
      call.tokens = 4
      call.hasBegun = true
      guard case .admitted(let reservation, _) = admission.admit(call, at: noon) else {
        Issue.record("refused")
        return
      }
      #expect(reservation.amount == Money(nanodollars: 8))
      let charge = reservation.amount
      var outcome = LedgerTests.outcome
      outcome.usage.outputText = 4
      _ = admission.settle(reservation, charge: charge, outcome: outcome, at: noon)
      let used = Amounts(money: Money(nanodollars: 8 * number), tokens: 4 * number, calls: number)
      #expect(admission.ledger.accounts.values.allSatisfy { $0.settled == used })
      #expect(admission.ledger.accounts.count == 2)
    }
  }

  /// A closer bound has fewer tokens, but it is the same call.
  @Test func aCloserBoundIsNotAskedForWhereTheCallsAreUsedUp() {
    let policy = AppPolicy(
      app: "a", budgets: [Self.budget(.app, BudgetCaps(tokens: 100, calls: 1))])
    var admission = Admission(policies: [policy], ledger: Ledger())
    var call = request(1)
    call.tokens = 101
    if case .tooLarge = admission.admit(call, mayTighten: true, at: noon) {
    } else {
      Issue.record("no closer bound asked for")
    }
    call.tokens = 1
    #expect(spend(&admission, call, tokens: 1) == nil)
    guard case .denied(let denial, _) = admission.admit(call, mayTighten: true, at: noon) else {
      Issue.record("not denied")
      return
    }
    #expect(denial.code == "budget_exhausted")
  }

  @Test func whatWasReleasedCountsAsNoCall() {
    let policy = AppPolicy(app: "a", budgets: [Self.budget(.app, BudgetCaps(calls: 1))])
    var admission = Admission(policies: [policy], ledger: Ledger())
    guard case .admitted(let reservation, _) = admission.admit(request(5), at: noon) else {
      Issue.record("not admitted")
      return
    }
    _ = admission.release(reservation, outcome: LedgerTests.outcome, at: noon)
    #expect(admission.ledger.accounts.isEmpty)
    #expect(spend(&admission, request(5)) == nil)
    #expect(spend(&admission, request(5))?.cap == .calls(1))
  }

  /// Rows for many users are thrown away together; their balances are not.
  @Test func moreUsersThanRowsKeepTheirBalances() {
    let policy = AppPolicy(app: "a", budgets: [Self.budget(.eachUser, BudgetCaps(calls: 1))])
    var admission = Admission(policies: [policy], ledger: Ledger())
    for number in 0..<Admission.subjectsMax + 10 {
      var call = request(1)
      call.user = "u\(number)"
      #expect(spend(&admission, call) == nil)
    }
    #expect(admission.subjects.count < Admission.subjectsMax)
    for number in [0, 5_000, Admission.subjectsMax + 9] {
      var call = request(1)
      call.user = "u\(number)"
      #expect(spend(&admission, call)?.settled == .calls(1))
    }
  }

  /// Whoever is refused, or releases what it held, leaves nothing in memory: not by many names.
  @Test(arguments: [0, 1, 2])
  func usersThatSpendNothingTakeNoPlace(way: Int) {
    let policy = AppPolicy(
      app: "a",
      budgets: [
        Self.budget(.app, Self.money(10)), Self.budget(.eachUser, BudgetCaps(calls: 1)),
        Budget(
          .eachUser, id: "last 1m", caps: BudgetCaps(calls: 1),
          windows: .rolling(RollingWindow(minutes: 1))),
      ])
    var admission = Admission(policies: [policy], ledger: Ledger())
    if way == 0 { #expect(spend(&admission, request(10)) == nil) }
    let before = admission.ledger.placeCount
    for number in 0..<20_000 {
      var call = request(way == 2 ? 0 : 5)
      call.user = "u\(number)"
      if way == 2 { call.calls = 0 }
      switch admission.admit(call, at: noon) {
      case .admitted(let reservation, _):
        #expect(way != 0)
        _ = admission.release(reservation, outcome: LedgerTests.outcome, at: noon)
      case .denied(let denial, _): #expect(way == 0 && denial.code == "budget_exhausted")
      case .tooLarge: Issue.record("asked for a closer bound")
      }
    }
    #expect(admission.subjects.count <= Admission.subjectsMax)
    #expect(admission.ledger.accounts.count == (way == 0 ? 3 : 0))
    // Released ones are reclaimed now and then.
    #expect(admission.ledger.placeCount <= before + (way == 1 ? 5 * admission.reclaimEach : 2))
  }

  /// A place that was taken back is another's: rows that were found before do not count on it.
  @Test func whatIsReclaimedIsFoundAgain() {
    let policy = AppPolicy(app: "a", budgets: [Self.budget(.eachUser, BudgetCaps(calls: 2))])
    var admission = Admission(policies: [policy], ledger: Ledger())
    admission.reclaimEach = 1
    func call(_ user: String) -> AdmissionRequest {
      var call = request(1)
      call.user = user
      return call
    }
    for user in ["a", "b", "c"] {
      guard case .admitted(let reservation, _) = admission.admit(call(user), at: noon) else {
        Issue.record("not admitted")
        return
      }
      _ = admission.release(reservation, outcome: LedgerTests.outcome, at: noon)
    }
    for user in ["c", "b", "a", "c", "b", "a"] { #expect(spend(&admission, call(user)) == nil) }
    for user in ["a", "b", "c"] {
      #expect(spend(&admission, call(user))?.scope == .part(.user, of: "a", user))
    }
  }

  @Test func amountsReadWell() {
    #expect(Amount.tokens(1_234_567).text == "1,234,567 tokens")
    #expect(Amount.tokens(1).text == "1 token")
    #expect(Amount.calls(999).text == "999 calls")
    #expect(Amount.calls(-1_000).text == "-1,000 calls")
    #expect(Amount.money(Money(nanodollars: 4_990_000_000)).text == "$4.99")
  }
}
