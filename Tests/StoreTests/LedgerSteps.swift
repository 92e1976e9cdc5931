// Random histories of a ledger, for the tests of the journal and the fold.
//
// A step says what to do, not which event: so that a history stays a possible one whatever is cut
// out of it while a failing case is made smaller.

import Metering
import TestSupport

@testable import Store

enum LedgerStep: Hashable {
  case reserve(app: Int, amount: Int64, budgets: Int, isStream: Bool, units: Int64 = 0)
  /// Ends the open call at this index, modulo how many are open.
  case settle(Int, charge: Int64, tokens: Int64, source: UsageSource)
  case release(Int)
  case expire(Int)
  case refuse(app: Int, hasBudget: Bool)
  case cap(app: Int, reason: String?)
  case isolate(app: Int, reason: String)
  /// The work of the open call at this index goes on at the provider.
  case follow(Int, isBounded: Bool)
  /// Forgets windows that are long over.
  case forget
  /// Charges so many of the calls that were settled last anew.
  case reprice(count: Int, charge: Int64)

  static let reasons = ["drift: p < 0.001", "von Hand — \"quote\"; DROP TABLE apps;", ""]

  static func random(_ generator: inout SeededGenerator) -> LedgerStep {
    switch generator.int(0...13) {
    case 13: .isolate(app: generator.int(0...3), reason: generator.pick(reasons))
    case 12: generator.chance(0.3) ? .forget : .settle(0, charge: 5, tokens: 8, source: .reported)
    case 0...3:
      .reserve(
        app: generator.int(0...3), amount: generator.int(0...5_000_000_000),
        budgets: generator.int(0...4), isStream: generator.chance(0.5),
        units: generator.int(0...2))
    case 4...6:
      .settle(
        generator.int(0...20), charge: generator.int(0...6_000_000_000),
        tokens: generator.int(0...100_000), source: generator.pick(UsageSource.allCases))
    case 7: generator.chance(0.5) ? .release(generator.int(0...20)) : .expire(generator.int(0...20))
    case 11: .follow(generator.int(0...20), isBounded: generator.chance(0.5))
    case 10: .reprice(count: generator.int(0...5), charge: generator.int(0...6_000_000_000))
    case 8: .refuse(app: generator.int(0...3), hasBudget: generator.chance(0.5))
    default:
      .cap(
        app: generator.int(0...3),
        reason: generator.chance(0.5) ? nil : generator.pick(reasons))
    }
  }
}

/// Turns steps into events, numbered as admission would.
struct LedgerHistory {
  private(set) var events: [LedgerEvent] = []
  private(set) var ledger = Ledger()
  /// Calls that were settled, with their accounts and charges: as they were first, and as now.
  private(set) var settled: [(call: CallID, accounts: [AccountID], first: Money, now: Money)] = []
  var now = Timestamp(milliseconds: 1_700_000_000_000)

  init() {}

  init(_ steps: [LedgerStep]) {
    for step in steps { take(step) }
  }

  mutating func take(_ step: LedgerStep) {
    now = now.adding(milliseconds: 1_234_567)
    switch step {
    case .reserve(let app, let amount, let budgets, let isStream, let units):
      reserve(app, amount, budgets: budgets, isStream: isStream, units: units)
    case .settle(let index, let charge, let tokens, let source):
      guard let call = open(index) else { return }
      var usage = Usage(source: source)
      usage.inputUncached = tokens
      usage.outputText = tokens / 3
      usage.cacheRead = tokens / 7
      // Some calls have units of other kinds, a tier, another model beside the answering one.
      var ended = outcome(status: 200, ending: .completed, usage: usage)
      if tokens % 3 == 0 {
        ended.usage[.webSearches] = tokens % 5
        ended.usage[.cacheWrite12h] = tokens % 11
      }
      if tokens % 4 == 1 { ended.serviceTier = "flex" }
      if tokens % 5 == 2 {
        var adviser = Usage(source: source)
        adviser.inputUncached = tokens % 13 + 1
        adviser[.codeSessions] = tokens % 2
        var second = Usage(source: source)
        second.outputText = 1
        ended.otherModels = [
          ModelUsage(model: "pilot", usage: adviser), ModelUsage(model: "pilot", usage: second),
        ]
      }
      settled.append(
        (
          call, ledger.open[call]?.accounts ?? [], Money(nanodollars: charge),
          Money(nanodollars: charge)
        ))
      record(
        .settled(
          .init(
            call: call, charge: Money(nanodollars: charge), outcome: ended)))
    case .release(let index):
      guard let call = open(index) else { return }
      record(.released(call, outcome(status: 502, ending: .upstreamError, usage: .unknown)))
    case .expire(let index):
      guard let call = open(index), let held = ledger.open[call] else { return }
      record(.expired(call, charge: held.amounts.money))
    case .follow(let index, let isBounded):
      guard let call = open(index) else { return }
      record(.followed(call, Self.job(of: call, isBounded: isBounded, at: now)))
    case .refuse(let app, let hasBudget):
      record(
        .refused(
          .init(
            call: next, app: Self.app(app), key: 1, upstream: "openai", model: "gpt-x",
            status: 429, code: "budget_exhausted", message: "Zu wenig übrig.",
            budget: hasBudget ? Self.refusal(app) : nil)))
    case .cap(let app, let reason):
      record(.capped(app: Self.app(app), reason: reason, order: ledger.lastOrder + 1))
    case .isolate(let app, let reason):
      let isolation = Isolation(order: ledger.lastOrder + 1, actor: "mära", reason: reason)
      record(.isolated(app: Self.app(app), isolation))
    case .forget: record(.forgotten)
    case .reprice(let count, let charge): reprice(count, at: Money(nanodollars: charge))
    }
  }

  private mutating func reserve(
    _ app: Int, _ amount: Int64, budgets: Int, isStream: Bool, units: Int64
  ) {
    let name = Self.app(app)
    let accounts = (0..<budgets).map { budget in
      AccountID(
        scope: Self.scopes(of: name)[budget], budget: ["day", "month", "day", "day"][budget],
        // The last is long over: forgotten as soon as nothing is held in it.
        window: budget == 3 ? "2021-01-0\(app + 1)" : "2026-1\(budget)-2\(app)")
    }
    record(
      .reserved(
        .init(
          call: next, app: name, key: Int64(app), upstream: "openai", model: "gpt-\(app)",
          isStream: isStream,
          amounts: Amounts(
            money: Money(nanodollars: amount), tokens: amount % 1_000 * units, calls: units),
          accounts: accounts)))
  }

  /// The first two are an app's own.
  private static func scopes(of app: String) -> [BudgetScope] {
    [.app(app), .app(app), .team("search"), .part(.user, of: app, "3f9a")]
  }

  private static func refusal(_ app: Int) -> BudgetRefusal {
    let unit = BudgetUnit.allCases[app % 3]
    return BudgetRefusal(
      scope: scopes(of: Self.app(app))[app % 4], budget: "day", window: "2026-11-2\(app)",
      settled: Amount(unit, count: 7), reserved: Amount(unit, count: 5),
      cap: Amount(unit, count: 20), estimate: Amount(unit, count: 9),
      resetsAt: Timestamp(milliseconds: 99),
      resetsAtText: "2026-11-24 00:00 Europe/Berlin")
  }

  private static func job(of call: CallID, isBounded: Bool, at now: Timestamp) -> FollowedJob {
    let kinds = FollowedJob.Kind.allCases
    var job = FollowedJob(
      kind: kinds[Int(call.number % UInt64(kinds.count))], upstream: "openai",
      path: "/v1/responses",
      id: "resp_\(call.number)", model: "büro-✓", serviceTier: isBounded ? "flex" : nil,
      inputTokens: Int64(call.number) * 7, outputTokens: isBounded ? 4_096 : nil,
      status: isBounded ? 200 : 0, startedAt: now)
    if isBounded { job.deadline = Timestamp(milliseconds: -1) }
    return job
  }

  private mutating func reprice(_ count: Int, at charge: Money) {
    var repricing = Repricing(number: ledger.lastRepricing + 1, charges: [], differences: [])
    var moved: [AccountID: Int64] = [:]
    for index in settled.indices.suffix(count) {
      repricing.charges.append(.init(call: settled[index].call, charge: charge))
      for account in settled[index].accounts {
        moved[account, default: 0] += charge.nanodollars - settled[index].now.nanodollars
      }
      settled[index].now = charge
    }
    repricing.charges.sort { $0.call < $1.call }
    repricing.differences = moved.map {
      .init(account: $0.key, amount: Money(nanodollars: $0.value))
    }
    record(.repriced(repricing))
  }

  private mutating func record(_ kind: LedgerEvent.Kind) {
    let event = LedgerEvent(sequence: ledger.lastSequence + 1, at: now, kind: kind)
    ledger.apply(event)
    events.append(event)
  }

  private var next: CallID { CallID(ledger.lastSequence + 1) }

  private func open(_ index: Int) -> CallID? {
    let calls = ledger.open.keys.sorted()
    return calls.isEmpty ? nil : calls[index % calls.count]
  }

  private func outcome(status: UInt16, ending: CallEnding, usage: Usage) -> CallOutcome {
    CallOutcome(
      status: status, ending: ending, usage: usage, responseModel: "gpt-4-0613",
      durationMilliseconds: 812, firstByteMilliseconds: 90)
  }

  /// A settlement without what few calls have; nil where it has nothing of that.
  static func withoutRest(_ event: LedgerEvent) -> LedgerEvent? {
    guard case .settled(var settled) = event.kind else { return nil }
    for other in settled.outcome.usage.others { settled.outcome.usage[other.bucket] = 0 }
    settled.outcome.serviceTier = nil
    settled.outcome.otherModels = []
    let plain = LedgerEvent(sequence: event.sequence, at: event.at, kind: .settled(settled))
    return plain == event ? nil : plain
  }

  static func app(_ index: Int) -> String { ["translator", "chat", "büro-✓", "x"][index % 4] }

  /// A history of so many events, always the same for a seed.
  static func random(events count: Int, seed: UInt64) -> LedgerHistory {
    var generator = SeededGenerator(seed: seed)
    var history = LedgerHistory()
    while history.events.count < count { history.take(.random(&generator)) }
    return history
  }
}
