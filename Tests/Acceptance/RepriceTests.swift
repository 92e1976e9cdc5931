// A wrong price put right: the charge, the budget's window, and what was charged first.

import Foundation
import Metering
import Store
import Synchronization
import TestSupport
import Testing

@Suite struct RepriceTests {
  /// Ten times what the installation's book says.
  private static let wrongPrices = """
    gpt-4o-mini:
      from: 2024-07-18
      inputPerMillion: "1.50"
      outputPerMillion: "6.00"
      outputTokensMax: 16384
    """

  @Test func callsAreChargedAnewAndTheirBudgetMoves() async throws {
    let installation = try TestInstallation(
      apps: ["shop": "budgets: { day: \"5.00\" }"], prices: Self.wrongPrices)
    let key = try await installation.key(for: "shop")
    let gateway = try await installation.startGateway("gateway")
    for _ in 0..<3 { #expect(try await gateway.chat(key: key).status == 200) }
    try await gateway.process.terminate()
    let store = try installation.openStore()
    let wrong = try balance(store)
    #expect(wrong.nanodollars > 0 && wrong.nanodollars % 10 == 0)

    try installation.write("thresholds/prices/openai.yaml", TestInstallation.prices)
    let shown = try await installation.succeed("reprice", "--from", "1d")
    #expect(shown.contains("gpt-4o-mini"), "\(shown)")
    #expect(shown.contains("Nothing was changed."), "\(shown)")
    #expect(try balance(store) == wrong)

    // No gateway runs: it is asked for, and done at the next start.
    let asked = try await installation.succeed(
      "reprice", "--from", "1d", "--reason", "a digit too many", "--yes")
    #expect(asked.contains("when it runs"), "\(asked)")
    #expect(try balance(store) == wrong)
    let second = try await installation.startGateway("gateway")
    try await eventually("the calls are charged anew") {
      try balance(store).nanodollars == wrong.nanodollars / 10
    }
    for call in try store.calls() {
      #expect(call.firstCharge?.nanodollars == call.charge.nanodollars * 10)
    }
    let totals = try store.usageTotals(
      since: Timestamp(milliseconds: 0), until: Timestamp(milliseconds: .max))
    #expect(totals.map(\.charge) == [Money(nanodollars: wrong.nanodollars / 10)])

    // Again: nothing is left to do. And back, while it runs.
    let again = try await installation.succeed("reprice", "--from", "1d", "--yes")
    #expect(again.contains("No call of this span was charged at another price"), "\(again)")
    #expect(again.contains("Charged right: 3 calls."), "\(again)")
    try installation.write("thresholds/prices/openai.yaml", Self.wrongPrices)
    let back = try await installation.succeed("reprice", "--from", "1d", "--yes")
    #expect(back.contains("Charged 3 calls anew."), "\(back)")
    #expect(try balance(store) == wrong)
    try await second.process.terminate()
    var ledger = Ledger()
    try installation.journalEvents().forEach { ledger.apply($0) }
    #expect(try store.checkpoint() == ledger)
  }

  @Test(.timeLimit(.minutes(5))) func aKillInTheMiddleChargesEachCallAnewOnce() async throws {
    let installation = try TestInstallation(apps: ["shop": "budgets: { day: \"5.00\" }"])
    let key = try await installation.key(for: "shop")
    var gateway = try await installation.startGateway("gateway")
    for _ in 0..<20 { #expect(try await gateway.chat(key: key).status == 200) }
    let store = try installation.openStore()
    try await eventually("the calls are in the store") { try store.calls().count == 20 }
    // Many small ones, so that a kill finds some done and some not.
    let calls = try store.calls()
    for call in calls {
      try store.placeRepricing(
        [.init(call: call.call, charge: Money(nanodollars: call.charge.nanodollars + 1_000))],
        difference: Money(nanodollars: 1_000), actor: "test", reason: "r",
        at: Timestamp(milliseconds: 1))
    }
    for count in [3, 9] as [Int64] {
      try await eventually("\(count) are done") { try store.repricedThrough() >= count }
      try await gateway.process.kill9()
      #expect(try store.repricedThrough() < 20)
      gateway = try await installation.startGateway("gateway")
    }
    try await eventually("all are done") { try store.repricedThrough() == 20 }
    try await gateway.process.terminate()
    for call in try store.calls() {
      #expect(call.charge.nanodollars == (call.firstCharge?.nanodollars ?? 0) + 1_000)
    }
    let sum = try store.calls().reduce(0) { $0 + $1.charge.nanodollars }
    #expect(try balance(store).nanodollars == sum)
    var numbers: [Int64] = []
    for event in try installation.journalEvents() {
      if case .repriced(let repricing) = event.kind { numbers.append(repricing.number) }
    }
    #expect(numbers == Array(1...20))
  }

  /// The settled sum of the only account.
  private func balance(_ store: StoreDatabase) throws -> Money {
    let accounts = try store.checkpoint().accounts
    try #require(accounts.count == 1)
    return accounts.values.reduce(.zero) { $0.addingClamped($1.settled.money) }
  }
}
