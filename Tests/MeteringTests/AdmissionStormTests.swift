// Many threads, one cap: no two calls may both take the last dollar.

import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Metering

@Suite struct AdmissionStormTests {
  private struct Shared: Sendable {
    var admission: Admission
    var events: [LedgerEvent] = []
    var admitted = 0
    var refused = 0
    var overTheCap = 0
    var badRefusals = 0

    /// How many accounts stand over a cap of their own; a rolling window's slices each by itself.
    var passed: Int {
      admission.ledger.accounts.count { id, account in
        guard let caps = admission.budget(of: id)?.budget.caps else { return true }
        return BudgetUnit.allCases.contains { unit in
          account.taken[unit] > caps[unit] ?? .max
        }
      }
    }
  }

  private static let cap: Int64 = 100_000
  private static let day = AccountID(app: "a", budget: "day", window: "w")

  /// One call: admit, then settle or release, each under the lock, as event loops do it.
  private static func call(_ shared: borrowing Mutex<Shared>, _ generator: inout SeededGenerator) {
    let amount = generator.int(Int64(1)...200)
    let charge = generator.int(0...amount)
    let isReleased = generator.chance(0.1)
    let now = Timestamp(milliseconds: 10)
    let request = AdmissionRequest(
      app: 0, key: 1, upstream: "u", model: "m", isStream: false,
      bound: .atMost(Money(nanodollars: amount)))
    let reservation: Reservation? = shared.withLock { shared in
      switch shared.admission.admit(request, at: now) {
      case .admitted(let reservation, let event):
        shared.events.append(event)
        shared.admitted += 1
        let account = shared.admission.ledger.account(Self.day)
        if account.settled.money.nanodollars + account.reserved.money.nanodollars > Self.cap {
          shared.overTheCap += 1
        }
        return reservation
      case .denied(let denial, let event):
        shared.events.append(event)
        shared.refused += 1
        if case .budgetExhausted(let refusal) = denial {
          let sum =
            refusal.settled.count + refusal.reserved.count + refusal.estimate.count
          if sum <= Self.cap { shared.badRefusals += 1 }
        } else {
          shared.badRefusals += 1
        }
        return nil
      case .tooLarge:
        shared.badRefusals += 1
        return nil
      }
    }
    guard let reservation else { return }
    if generator.chance(0.3) { Thread.sleep(forTimeInterval: 0) }
    let handedOver = Mutex<Reservation?>(reservation)
    shared.withLock { shared in
      guard let reservation = handedOver.withLock({ $0.take() }) else { return }
      let event =
        isReleased
        ? shared.admission.release(reservation, outcome: LedgerTests.outcome, at: now)
        : shared.admission.settle(
          reservation, charge: Money(nanodollars: charge), outcome: LedgerTests.outcome, at: now
        ).event
      shared.events.append(event)
    }
  }

  @Test func theCapHoldsUnderManyThreads() throws {
    let window = WindowEdges(
      start: Timestamp(milliseconds: 0), end: Timestamp(milliseconds: 100), id: "w", endText: "")
    let policy = AppPolicy(
      app: "a",
      budgets: [Budget(id: "day", cap: Money(nanodollars: Self.cap), windows: [window])])
    let shared = Mutex(Shared(admission: Admission(policies: [policy], ledger: Ledger())))
    DispatchQueue.concurrentPerform(iterations: 16) { thread in
      var generator = SeededGenerator(seed: UInt64(thread) + 1)
      for _ in 0..<500 { Self.call(shared, &generator) }
    }
    let end = shared.withLock { $0 }
    #expect(end.overTheCap == 0)
    #expect(end.badRefusals == 0)
    #expect(end.admitted + end.refused == 16 * 500)
    // Enough was offered to use the budget up.
    #expect(end.refused > 1_000)
    let account = end.admission.ledger.account(Self.day)
    #expect(account.reserved == .zero)
    #expect(account.settled.money.nanodollars <= Self.cap)
    #expect(account.settled.money.nanodollars > Self.cap - 200)
    #expect(end.admission.ledger.open.isEmpty)
    #expect(end.events.map(\.sequence) == Array(1...UInt64(end.events.count)))
    var folded = Ledger()
    for event in end.events { folded.apply(event) }
    #expect(folded == end.admission.ledger)
  }

  /// Two apps, a team over both, each key's minute and a rolling window of tokens: no sum that is
  /// compared with a cap ever passes it, and what was refused is held nowhere.
  @Test func everyCapOfEveryScopeHoldsUnderManyThreads() throws {
    let window = BudgetWindows.calendar([
      WindowEdges(
        start: Timestamp(milliseconds: 0), end: Timestamp(milliseconds: 100_000_000), id: "w",
        endText: "")
    ])
    let team = Budget(
      .shared(.team("t")), id: "day",
      caps: BudgetCaps(money: Money(nanodollars: 60_000), tokens: 90_000), windows: window)
    let policies = ["a", "b"].map { app in
      AppPolicy(
        app: app,
        budgets: [
          Budget(
            .app, id: "day", caps: BudgetCaps(money: Money(nanodollars: 40_000)),
            windows: window),
          Budget(.eachKey, id: "minute", caps: BudgetCaps(calls: 40), windows: .minutes),
          Budget(
            .app, id: "last 1m", caps: BudgetCaps(tokens: 30_000),
            windows: .rolling(RollingWindow(minutes: 1))), team,
        ])
    }
    let shared = Mutex(Shared(admission: Admission(policies: policies, ledger: Ledger())))
    DispatchQueue.concurrentPerform(iterations: 16) { thread in
      var generator = SeededGenerator(seed: UInt64(thread) + 100)
      for turn in 0..<400 {
        var request = AdmissionRequest(
          app: generator.int(0...1), key: generator.int(Int64(1)...3), upstream: "u", model: "m",
          isStream: false, bound: .atMost(Money(nanodollars: generator.int(Int64(1)...60))))
        request.tokens = generator.int(Int64(0)...200)
        Self.call(shared, request, at: Timestamp(milliseconds: Int64(turn) * 500), &generator)
      }
    }
    let end = shared.withLock { $0 }
    #expect(end.overTheCap == 0 && end.badRefusals == 0)
    #expect(end.admitted > 300 && end.refused > 1_000)
    #expect(end.admission.ledger.open.isEmpty)
    #expect(end.admission.ledger.accounts.values.allSatisfy { $0.reserved == .zero })
    var folded = Ledger()
    for event in end.events { folded.apply(event) }
    #expect(folded == end.admission.ledger)
  }

  /// Calls that cost far more than those of before, many at once: what is settled passes the cap
  /// by no more than was allowed.
  @Test func calibratedCallsPassTheCapByTheirAllowanceAtMost() throws {
    let window = WindowEdges(
      start: Timestamp(milliseconds: 0), end: Timestamp(milliseconds: 100), id: "w", endText: "")
    var policy = AppPolicy(
      app: "a", budgets: [Budget(id: "day", cap: Money(nanodollars: 2_000), windows: [window])])
    policy.calibration = Calibration(quantile: 9_900, overshootMax: Money(nanodollars: 500))
    var (over, admitted) = ([Int64](), 0)
    for round in UInt64(1)...40 {
      var admission = Admission(policies: [policy], ledger: Ledger())
      for _ in 0..<99 {
        admission.learn(
          app: 0, family: "m", charge: Money(nanodollars: 1), of: Money(nanodollars: 100))
      }
      let shared = Mutex(Shared(admission: admission))
      DispatchQueue.concurrentPerform(iterations: 8) { thread in
        var generator = SeededGenerator(seed: round * 100 + UInt64(thread))
        for _ in 0..<30 {
          let request = AdmissionRequest(
            app: 0, key: 1, upstream: "u", model: "m", isStream: false,
            bound: .atMost(Money(nanodollars: generator.int(Int64(40)...60))))
          Self.call(
            shared, request, at: Timestamp(milliseconds: 10), &generator, waits: true)
        }
      }
      let end = shared.withLock { $0 }
      #expect(end.overTheCap == 0 && end.badRefusals == 0)
      #expect(end.admission.ledger.open.isEmpty)
      admitted += end.admitted
      over.append(end.admission.ledger.account(Self.day).settled.money.nanodollars - 2_000)
    }
    #expect(over.allSatisfy { $0 <= 500 }, "\(over)")
    #expect(admitted > 40 * 30)
  }

  private static func call(
    _ shared: borrowing Mutex<Shared>, _ request: AdmissionRequest, at now: Timestamp,
    _ generator: inout SeededGenerator, waits: Bool = false
  ) {
    let charge = generator.int(Int64(0)...60)
    var most = Money.zero
    if case .atMost(let bound) = request.bound { most = bound }
    let reservation: Reservation? = shared.withLock { shared in
      switch shared.admission.admit(request, at: now) {
      case .admitted(let reservation, let event):
        shared.events.append(event)
        shared.admitted += 1
        shared.overTheCap += shared.passed
        return reservation
      case .denied(let denial, let event):
        shared.events.append(event)
        shared.refused += 1
        guard case .budgetExhausted(let refusal) = denial else {
          shared.badRefusals += 1
          return nil
        }
        let sum = refusal.settled.count + refusal.reserved.count + refusal.estimate.count
        if sum <= refusal.cap.count { shared.badRefusals += 1 }
        return nil
      case .tooLarge:
        shared.badRefusals += 1
        return nil
      }
    }
    guard let reservation else { return }
    if waits { Thread.sleep(forTimeInterval: 0) }
    let handedOver = Mutex<Reservation?>(reservation)
    shared.withLock { shared in
      guard let reservation = handedOver.withLock({ $0.take() }) else { return }
      var outcome = LedgerTests.outcome
      outcome.usage.outputText = request.tokens ?? 0
      shared.events.append(
        shared.admission.settle(
          reservation, charge: min(Money(nanodollars: charge), most), outcome: outcome, at: now
        ).event)
    }
  }
}
