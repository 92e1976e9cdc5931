// Usage totals, and that pruning calls takes no cent from them.

import Metering
import TestSupport
import Testing

@testable import Store

@Suite struct UsageTests {
  private let hour: Int64 = 3_600_000

  @Test func totalsAreTheSumsOfTheCalls() throws {
    let database = try StoreDatabase.inMemory()
    let history = LedgerHistory.random(events: 600, seed: 21)
    try database.fold(history.events)
    let calls = try database.calls(limit: 10_000)
    let totals = try database.usageTotals(
      since: Timestamp(milliseconds: 0), until: Timestamp(milliseconds: .max))
    let groups = Set(calls.map { [$0.app, $0.upstream, $0.model] })
    #expect(
      totals.map { [$0.app, $0.upstream, $0.model] }
        == groups.sorted { $0.lexicographicallyPrecedes($1) })
    for total in totals {
      let rows = calls.filter { $0.app == total.app && $0.model == total.model }
      let ended = rows.filter { [.settled, .released, .expired].contains($0.state) }
      #expect(total.calls == rows.count)
      #expect(total.refused == rows.filter { $0.state == .refused }.count)
      #expect(total.open == rows.filter { $0.state == .reserved }.count)
      #expect(total.expired == rows.filter { $0.state == .expired }.count)
      #expect(total.failed == rows.filter { $0.state == .released }.count)
      #expect(total.charge.nanodollars == rows.map(\.charge.nanodollars).reduce(0, +))
      let held = rows.filter {
        $0.state == .settled && $0.usage.source == .reported && $0.estimate > .zero
      }
      #expect(total.held.nanodollars == held.map(\.estimate.nanodollars).reduce(0, +))
      // As they were charged first: a repricing is no overrun.
      let charges = held.map { $0.firstCharge ?? $0.charge }
      #expect(total.heldCharge.nanodollars == charges.map(\.nanodollars).reduce(0, +))
      #expect(total.overruns == zip(held, charges).count { $0.estimate < $1 })
      for (source, part) in [
        (UsageSource.reported, total.reported), (.estimated, total.estimated),
        (.unknown, total.unknown),
      ] {
        let same = ended.filter { $0.usage.source == source }
        #expect(part.calls == same.count && part.usage.source == source)
        #expect(part.charge.nanodollars == same.map(\.charge.nanodollars).reduce(0, +))
        // What other models used counts to the call's own.
        var wanted = Usage(source: source)
        for call in same {
          wanted.add(call.usage)
          for other in call.otherModels { wanted.add(other.usage) }
        }
        #expect(part.usage == wanted)
      }
    }
    #expect(totals.contains { $0.reported.calls > 0 && $0.estimated.calls > 0 })
    #expect(totals.contains { $0.held > .zero })
  }

  @Test func chargedCallsPassByOldestFirst() throws {
    let database = try StoreDatabase.inMemory()
    let history = LedgerHistory.random(events: 400, seed: 5)
    try database.fold(history.events)
    let all = try database.calls(limit: 10_000)
    let middle = try #require(all.map(\.at).sorted().dropFirst(all.count / 2).first)
    var seen: [CallRow] = []
    try database.forEachChargedCall(since: middle, until: history.now.adding(milliseconds: 1)) {
      seen.append($0)
    }
    let charged = all.filter { [.settled, .expired].contains($0.state) && $0.at >= middle }
    #expect(seen == charged.reversed())
    #expect(seen.contains { $0.state == .settled } && seen.count < all.count)
    for states in [[CallRow.State.reserved], [.refused, .released], []] {
      var others: [CallRow] = []
      try database.forEachCall(
        in: states, since: middle, until: history.now.adding(milliseconds: 1)
      ) { others.append($0) }
      #expect(others == all.filter { states.contains($0.state) && $0.at >= middle }.reversed())
    }
  }

  @Test func totalsStayWhenCallsAgeOut() throws {
    try checkProperty(
      "pruning keeps totals", runs: 40, countMax: 120, generate: LedgerStep.random
    ) { steps in
      let database = try StoreDatabase.inMemory()
      // Calls that have aged out are not charged anew.
      let history = LedgerHistory(
        steps.filter { step in if case .reprice = step { false } else { true } })
      let middle = history.events.count / 2
      try database.fold(Array(history.events[..<middle]))
      let cut = middle > 0 ? history.events[middle - 1].at : history.now
      try database.pruneCalls(olderThan: cut)
      // Calls that were open when their hour was pruned end now, and are pruned into it.
      try database.fold(Array(history.events[middle...]))
      try require(
        try database.checkpoint() == history.ledger, "pruning calls changed the balances")
      let before = try totals(database, from: 0)
      try database.pruneCalls(olderThan: history.now.adding(milliseconds: hour))
      let after = try totals(database, from: 0)
      try require(before == after, "\(before) became \(after)")
      let left = try database.calls(limit: 10_000)
      try require(left.allSatisfy { $0.state == .reserved }, "not pruned: \(left)")
      let whole = try StoreDatabase.inMemory()
      try whole.fold(history.events)
      try require(try totals(whole, from: 0) == after, "totals of unpruned calls differ")
    }
  }

  @Test func anHourIsCountedWholeOrNotAtAll() throws {
    let database = try StoreDatabase.inMemory()
    var history = LedgerHistory()
    history.now = Timestamp(milliseconds: hour * 1000)
    for _ in 0..<9 { history.take(.refuse(app: 0, hasBudget: false)) }
    try database.fold(history.events)
    // In the middle of an hour: that hour stays.
    let deleted = try database.pruneCalls(olderThan: Timestamp(milliseconds: hour * 1001 + 5))
    #expect(deleted == history.events.count { $0.at.milliseconds < hour * 1001 })
    #expect(deleted > 0 && deleted < 9)
    #expect(try totals(database, from: hour * 1000)[0].calls == 9)
    #expect(try totals(database, from: hour * 1001)[0].calls == 9 - Int64(deleted))
  }

  private func totals(_ database: StoreDatabase, from: Int64) throws -> [UsageTotals] {
    try database.usageTotals(
      since: Timestamp(milliseconds: from), until: Timestamp(milliseconds: .max))
  }
}
