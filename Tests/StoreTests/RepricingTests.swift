// Repricings in the store: what waits, what it moves, and what is left when it is done.

import Metering
import TestSupport
import Testing

@testable import Store

@Suite struct RepricingTests {
  private static let now = Timestamp(milliseconds: 1_700_000_500_000)

  /// A store with a history, and the history.
  private static func folded(
    _ steps: [LedgerStep]
  ) throws -> (StoreDatabase, LedgerHistory) {
    let database = try StoreDatabase.inMemory()
    let history = LedgerHistory(steps)
    try database.fold(history.events)
    return (database, history)
  }

  private static func call(app: Int, charge: Int64, budgets: Int = 2) -> [LedgerStep] {
    [
      .reserve(app: app, amount: 100, budgets: budgets, isStream: false),
      .settle(0, charge: charge, tokens: 9, source: .reported),
    ]
  }

  private static func charges(_ pairs: [(UInt64, Int64)]) -> [Repricing.Charge] {
    pairs.map { .init(call: CallID($0.0), charge: Money(nanodollars: $0.1)) }
  }

  @Test func whatItMovesIsReadOfTheCallsAsTheyStand() throws {
    let (database, history) = try Self.folded(
      Self.call(app: 0, charge: 10) + Self.call(app: 0, charge: 20)
        + Self.call(app: 1, charge: 5) + Self.call(app: 2, charge: 7, budgets: 0))
    let calls = history.settled.map(\.call.number)
    #expect(try database.nextRepricing(after: 0) == nil)
    let number = try database.placeRepricing(
      Self.charges([
        (calls[0], 13), (calls[1], 20), (calls[2], 1), (calls[3], 9), (999, 5),
      ]), difference: .zero, actor: "ann", reason: "r", at: Self.now)
    let repricing = try #require(try database.nextRepricing(after: 0))
    #expect(repricing.number == number)
    // The call whose charge is right already is left out, and so is the one that nobody knows.
    #expect(
      repricing.charges == Self.charges([(calls[0], 13), (calls[2], 1), (calls[3], 9)]))
    func difference(_ app: Int, _ budget: Int, _ amount: Int64) -> Repricing.Difference {
      .init(
        account: AccountID(
          app: LedgerHistory.app(app), budget: ["day", "month"][budget],
          window: "2026-1\(budget)-2\(app)"), amount: Money(nanodollars: amount))
    }
    #expect(
      Set(repricing.differences) == [
        difference(0, 0, 3), difference(0, 1, 3), difference(1, 0, -4), difference(1, 1, -4),
      ])

    let event = LedgerEvent(
      sequence: history.ledger.lastSequence + 1, at: Self.now, kind: .repriced(repricing))
    var ledger = history.ledger
    ledger.apply(event)
    try database.fold([event])
    #expect(try database.checkpoint() == ledger)
    #expect(try database.nextRepricing(after: ledger.lastRepricing) == nil)
    #expect(try database.repricedThrough() == number)
    let row = try #require(try database.call(CallID(calls[0])))
    #expect(row.charge == Money(nanodollars: 13))
    #expect(row.firstCharge == Money(nanodollars: 10))
    #expect(try database.call(CallID(calls[1]))?.firstCharge == nil)
    let record = try #require(try database.repricings().first)
    #expect(record.actor == "ann" && record.calls == 5)
  }

  @Test func totalsShowTheNewCharge() throws {
    let (database, history) = try Self.folded(Self.call(app: 0, charge: 10))
    let call = history.settled[0].call
    let span = (since: Timestamp(milliseconds: 0), until: Timestamp(milliseconds: .max))
    for charge in [25, 4] as [Int64] {
      try database.placeRepricing(
        [.init(call: call, charge: Money(nanodollars: charge))], difference: .zero, actor: "a",
        reason: "r", at: Self.now)
      let last = try database.repricedThrough()
      let repricing = try #require(try database.nextRepricing(after: last))
      let sequence = try database.foldedThrough() + 1
      try database.fold([
        LedgerEvent(sequence: sequence, at: Self.now, kind: .repriced(repricing))
      ])
      let totals = try database.usageTotals(since: span.since, until: span.until)
      #expect(totals.map(\.charge) == [Money(nanodollars: charge)])
      // What was held is held against what was charged at the same prices.
      #expect(totals.map(\.heldCharge) == [Money(nanodollars: 10)])
      #expect(try database.call(call)?.firstCharge == Money(nanodollars: 10))
    }
    // The roll-up of what ages out has it too.
    #expect(try database.pruneCalls(olderThan: Timestamp(milliseconds: .max / 2)) == 1)
    let totals = try database.usageTotals(since: span.since, until: span.until)
    #expect(totals.map(\.charge) == [Money(nanodollars: 4)])
    #expect(totals.map(\.heldCharge) == [Money(nanodollars: 10)])
  }

  @Test func anOpenCallIsNotChargedAnew() throws {
    let (database, _) = try Self.folded([
      .reserve(app: 0, amount: 100, budgets: 1, isStream: false)
    ])
    try database.placeRepricing(
      Self.charges([(1, 5)]), difference: .zero, actor: "a", reason: "r", at: Self.now)
    let repricing = try #require(try database.nextRepricing(after: 0))
    #expect(repricing.charges.isEmpty && repricing.differences.isEmpty)
  }
}
