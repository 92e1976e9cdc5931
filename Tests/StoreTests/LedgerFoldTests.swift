// The fold against the ledger in memory: the same history must give the same balances, however it
// is cut into batches and however often a batch is repeated.

import Metering
import TestSupport
import Testing

@testable import Store

@Suite struct LedgerFoldTests {
  /// A history with the places where the fold commits, and how many events it then repeats.
  private enum Step: Hashable {
    case event(LedgerStep)
    case commit(repeating: Int)
  }

  @Test func checkpointEqualsTheLedgerForAnyBatchesAndReplays() throws {
    try checkProperty(
      "checkpoint() == Ledger", runs: 120, countMax: 80,
      generate: { generator in
        generator.chance(0.2)
          ? Step.commit(repeating: generator.int(0...6)) : .event(.random(&generator))
      },
      check: { steps in
        let database = try StoreDatabase.inMemory()
        var history = LedgerHistory()
        var folded = 0
        for step in steps + [.commit(repeating: 0)] {
          switch step {
          case .event(let step): history.take(step)
          case .commit(let repeated):
            let new = history.events.count - folded
            let batch = history.events[max(0, folded - repeated)...]
            let count = try database.fold(Array(batch))
            try require(count == new, "folded \(count) of \(new) new events")
            folded = history.events.count
            let checkpoint = try database.checkpoint()
            try require(checkpoint == history.ledger, "\(checkpoint) is not \(history.ledger)")
            try require(
              try database.foldedThrough() == history.ledger.lastSequence, "last sequence")
          }
        }
        try requireCalls(database, follow: history)
      })
  }

  /// Money is in two tables: what the calls were charged is what the accounts say was settled.
  private func requireCalls(_ database: StoreDatabase, follow history: LedgerHistory) throws {
    let calls = try database.calls(limit: 10_000)
    let begun = history.events.filter { event in
      switch event.kind {
      case .reserved, .refused: true
      case .settled, .released, .expired, .capped, .isolated, .repriced, .followed, .forgotten:
        false
      }
    }
    try require(calls.count == begun.count, "\(calls.count) rows of \(begun.count) calls")
    let open = Set(calls.filter { $0.state == .reserved }.map(\.call))
    try require(open == Set(history.ledger.open.keys), "open calls")
    for event in history.events {
      guard case .settled(let settled) = event.kind else { continue }
      let row = try database.call(settled.call)
      try require(
        row?.usage == settled.outcome.usage
          && row?.serviceTier == settled.outcome.serviceTier
          && row?.otherModels == settled.outcome.otherModels
          && row?.endedAt == event.at && row?.state == .settled,
        "\(String(describing: row)) is not \(settled)")
    }
    for settled in history.settled {
      let row = try database.call(settled.call)
      let first = row?.firstCharge ?? row?.charge
      try require(
        row?.charge == settled.now && first == settled.first && row?.hasKnownAccounts == true,
        "\(String(describing: row)) is not charged \(settled)")
    }
  }

  @Test func aGapIsRefusedAndChangesNothing() throws {
    let database = try StoreDatabase.inMemory()
    let events = LedgerHistory.random(events: 30, seed: 2).events
    try database.fold(Array(events[..<10]))
    let before = try database.checkpoint()
    let fault = #expect(throws: StoreFault.self) { try database.fold(Array(events[11...])) }
    #expect(fault?.code == .journalGap)
    let hole = Array(events[10..<15]) + Array(events[16...])
    #expect(throws: StoreFault.self) { try database.fold(hole) }
    #expect(try database.checkpoint() == before)
    try database.fold(Array(events[10...]))
    #expect(try database.foldedThrough() == 30)
  }

  @Test func aBudgetRefusalKeepsTheNumbersItWasDecidedOn() throws {
    let database = try StoreDatabase.inMemory()
    var history = LedgerHistory()
    history.take(.refuse(app: 0, hasBudget: true))
    try database.fold(history.events)
    let row = try #require(try database.call(CallID(1)))
    guard case .refused(let refused) = history.events[0].kind else {
      Issue.record("no refusal")
      return
    }
    #expect(row.state == .refused && row.status == 429 && row.refusalCode == "budget_exhausted")
    #expect(row.refusalMessage == "Zu wenig übrig.")
    #expect(row.refusalBudget == refused.budget)
    #expect(row.estimate == Money(nanodollars: 9) && row.charge == .zero)
    let budget = try #require(row.refusalBudget)
    let taken = budget.settled.count + budget.reserved.count
    let needed = taken + budget.estimate.count
    #expect(needed > budget.cap.count)
  }

  @Test func callsAreFoundByAppStateAndTime() throws {
    let database = try StoreDatabase.inMemory()
    let history = LedgerHistory.random(events: 300, seed: 9)
    try database.fold(history.events)
    let all = try database.calls(limit: 1000)
    #expect(all == all.sorted { ($0.at, $0.call) > ($1.at, $1.call) })
    let middle = all[all.count / 2].at
    for state in CallRow.State.allCases {
      let found = try database.calls(app: "chat", state: state, since: middle, limit: 1000)
      #expect(found == all.filter { $0.app == "chat" && $0.state == state && $0.at >= middle })
    }
    let earlier = all.filter { $0.at < middle }
    #expect(try database.calls(until: middle, limit: 3) == Array(earlier[..<3]))
    #expect(try database.calls(app: "chat' OR '1'='1").isEmpty)
  }

  /// What is forgotten is gone from the table, too: a row a minute and user would fill it.
  @Test func whatIsForgottenIsNoRow() throws {
    let database = try StoreDatabase.inMemory()
    var history = LedgerHistory()
    for app in 0..<4 {
      history.take(.reserve(app: app, amount: 5, budgets: 4, isStream: false, units: 1))
    }
    for call in 0..<3 {
      history.take(.settle(0, charge: 5, tokens: Int64(call), source: .reported))
    }
    try database.fold(history.events)
    func rows() throws -> Int {
      try database.read("counting") { db in
        try Int.fetchOne(db, sql: "SELECT count(*) FROM accounts") ?? 0
      }
    }
    let before = try rows()
    history.take(.forget)
    try database.fold([history.events[history.events.count - 1]])
    #expect(try database.checkpoint() == history.ledger)
    // One a call that has ended; what the open one holds stays.
    #expect(try rows() == before - 3)
    #expect(try rows() == history.ledger.accounts.count)
  }
}
