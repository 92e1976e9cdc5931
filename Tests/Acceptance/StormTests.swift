// Ten thousand calls at 64 at a time against one app whose cap fits a thousand.

import Foundation
import Metering
import Store
import TestSupport
import Testing

@Suite struct StormTests {
  private static let calls = 10_000
  private static let atATime = 64

  @Test(.timeLimit(.minutes(10)))
  func spendNeverPassesTheCapAtAnyInstant() async throws {
    // An upstream whose answer stays within the request's own bounds, as a provider's does.
    let upstream = try UpstreamProcess(answer: "harbour")
    try await upstream.start()
    let cost = try await costOfOneCall(upstream)
    let cap = Money(nanodollars: cost.nanodollars * 1_000)
    let installation = try TestInstallation(
      upstreams: upstream.yaml,
      apps: [
        "shop":
          "budgets: { day: \"\(cap.dollarsText)\" }\nmodels: [gpt-4o-mini]\nsamples: { rate: 0 }"
      ])
    let key = try await installation.key(for: "shop")
    let gateway = try await installation.startGateway("gateway")
    let storm = LoadClient(url: gateway.gatewayURL, key: key)
    let statuses = try await storm.run(calls: Self.calls, atATime: Self.atATime)
    #expect(statuses.values.reduce(0, +) == Self.calls)
    #expect(Set(statuses.keys) == [200, 429], "\(statuses)")

    // One at a time, until the money left is less than the next call's estimate.
    var last = 200
    for _ in 0..<200 where last == 200 {
      last = try await gateway.chat(key: key, maxTokens: 64).status
    }
    #expect(last == 429)
    try await gateway.process.terminate()

    let events = try installation.journalEvents()
    try expectBoundHeld(events, cap: cap)
    let store = try installation.openStore()
    var ledger = Ledger()
    events.forEach { ledger.apply($0) }
    #expect(try store.checkpoint() == ledger)
    #expect(ledger.open.isEmpty)
  }

  /// Replays the journal: at every instant settled + reserved ≤ cap, and every refusal was right.
  private func expectBoundHeld(_ events: [LedgerEvent], cap: Money) throws {
    var ledger = Ledger()
    var refusals = 0
    var admissions = 0
    var lastRefusal: BudgetRefusal?
    for event in events {
      ledger.apply(event)
      for account in ledger.accounts.values {
        let taken = account.settled.money.addingClamped(account.reserved.money)
        try #require(taken <= cap, "\(event)")
      }
      switch event.kind {
      case .reserved: admissions += 1
      case .refused(let refused):
        refusals += 1
        let budget = try #require(refused.budget)
        let sum = budget.settled.count + budget.reserved.count + budget.estimate.count
        try #require(sum > budget.cap.count, "\(budget)")
        lastRefusal = budget
      default: break
      }
    }
    #expect(admissions + refusals > Self.calls)
    #expect(refusals > 0)
    // At the end nothing is held, and what is left is less than the refused call's estimate.
    let end = try #require(lastRefusal)
    #expect(end.reserved.count == 0)
    #expect(cap.nanodollars - end.settled.count < end.estimate.count)
    print(
      "storm: \(admissions) admitted, \(refusals) refused, spent \(end.settled.text) of "
        + cap.dollarsText)
  }

  private func costOfOneCall(_ upstream: UpstreamProcess) async throws -> Money {
    let installation = try TestInstallation(
      upstreams: upstream.yaml, apps: ["probe": "budgets: { day: \"1.00\" }"])
    let key = try await installation.key(for: "probe")
    let gateway = try await installation.startGateway("gateway")
    #expect(try await gateway.chat(key: key, maxTokens: 64).status == 200)
    try await gateway.process.terminate()
    let store = try installation.openStore()
    let charge = try #require(
      store.checkpoint().accounts.values.map(\.settled.money).max(), "nothing was charged")
    return charge
  }
}
