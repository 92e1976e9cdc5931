// What a budget does at its cap: refuse, let pass and tell, make wait, or ask for a cheaper call.

import TestSupport
import Testing

@testable import Metering

@Suite struct AtCapTests {
  private let start = Timestamp(milliseconds: 0)

  private func budget(
    _ atCap: AtCap, cap: Int64 = 10, holder: BudgetHolder = .app, seconds: Int64 = 100
  ) -> Budget {
    Budget(
      holder, id: "day", caps: BudgetCaps(money: Money(nanodollars: cap)),
      windows: .calendar([
        WindowEdges(
          start: start, end: start.adding(milliseconds: seconds * 1_000), id: "w",
          endText: "soon")
      ]), atCap: atCap)
  }

  private func admission(_ budgets: Budget..., alertPercents: [Int] = [50]) -> Admission {
    Admission(
      policies: [AppPolicy(app: "a", budgets: budgets, alertPercents: alertPercents)],
      ledger: Ledger())
  }

  private func request(_ amount: Int64) -> AdmissionRequest {
    AdmissionRequest(
      app: 0, key: 7, upstream: "u", model: "m", isStream: false,
      bound: .atMost(Money(nanodollars: amount)))
  }

  /// Admits a call and leaves it open, or says why not.
  private func open(
    _ admission: inout Admission, _ amount: Int64, at now: Timestamp
  ) -> (held: Held?, denial: Denial?) {
    switch admission.admit(request(amount), at: now) {
    case .admitted(let reservation, _): return (Held(reservation), nil)
    case .denied(let denial, _): return (nil, denial)
    case .tooLarge: return (nil, .shuttingDown)
    }
  }

  private func settle(
    _ admission: inout Admission, _ held: Held?, _ charge: Int64, at now: Timestamp
  ) throws -> [BudgetCrossing] {
    guard let reservation = held?.reservation.take() else { throw Falsified("it was refused") }
    return admission.settle(
      reservation, charge: Money(nanodollars: charge), outcome: LedgerTests.outcome, at: now
    ).crossings
  }

  private func refusal(
    _ admission: inout Admission, _ amount: Int64, at now: Timestamp
  ) -> Denial? {
    let (held, denial) = open(&admission, amount, at: now)
    if let reservation = held?.reservation.take() {
      _ = admission.release(reservation, outcome: LedgerTests.outcome, at: now)
    }
    return denial
  }

  @Test func whereCallsPassTheOwnerIsToldOnceAndTheDebtStands() throws {
    var admission = admission(budget(.alert))
    var told: [Int] = []
    for _ in 0..<4 {
      let (held, denial) = open(&admission, 8, at: start)
      #expect(denial == nil)
      let crossings = try settle(&admission, held, 8, at: start)
      #expect(!crossings.contains { !$0.isPassing })
      told += crossings.map(\.percent)
    }
    // That the cap is reached is told though the owner asked for the half alone.
    #expect(told == [50, 100])
    let account = admission.ledger.account(AccountID(app: "a", budget: "day", window: "w"))
    #expect(account.settled.money.nanodollars == 32, "debt is neither clamped nor forgiven")
    #expect(admission.standingCrossings(at: start).map(\.percent) == [50, 100])
  }

  @Test func whatPassesOneBudgetMeetsTheOthers() throws {
    var admission = admission(budget(.alert), budget(.deny, cap: 20, holder: .shared(.team("t"))))
    let (held, _) = open(&admission, 15, at: start)
    let denial = refusal(&admission, 6, at: start)
    #expect(denial?.budget?.scope == .team("t"))
    _ = try settle(&admission, held, 15, at: start)
  }

  @Test func nothingUnboundedPassesEither() {
    var admission = admission(budget(.alert))
    var unbounded = request(1)
    unbounded.bound = .none(.costUnbounded(part: "x"))
    guard case .denied(let denial, _) = admission.admit(unbounded, at: start) else {
      Issue.record("admitted")
      return
    }
    #expect(denial.code == "cost_unbounded")
  }

  @Test func whoeverHasToWaitIsToldHowLong() throws {
    var admission = admission(budget(.throttle))
    let (held, _) = open(&admission, 8, at: start)
    func wait(_ amount: Int64, at milliseconds: Int64) -> Int64? {
      let denial = refusal(&admission, amount, at: Timestamp(milliseconds: milliseconds))
      guard case .budgetThrottled(let refusal, let seconds)? = denial else { return nil }
      #expect(refusal.settled.count + refusal.reserved.count + refusal.estimate.count > 10)
      return seconds
    }
    // An open call holds it: soon. Else with the window, and never more than a minute at a time.
    #expect(wait(5, at: 1_000) == 1)
    _ = try settle(&admission, held, 8, at: start)
    #expect(wait(5, at: 1_000) == 60)
    #expect(wait(5, at: 70_001) == 30)
    #expect(wait(5, at: 99_999) == 1)
    #expect(wait(11, at: 1_000) == nil, "it can never fit")
    #expect(refusal(&admission, 11, at: start)?.code == "budget_exhausted")
    #expect(refusal(&admission, 2, at: start) == nil)
  }

  @Test func aPurseIsNeverFilledAgain() throws {
    var purse = budget(.throttle)
    purse.windows = .purse(
      WindowEdges(start: start, end: Timestamp(milliseconds: 100_000), id: "p", endText: "then"))
    var admission = admission(purse)
    let (held, _) = open(&admission, 8, at: start)
    #expect(refusal(&admission, 5, at: start)?.code == "budget_throttled")
    _ = try settle(&admission, held, 8, at: start)
    #expect(refusal(&admission, 5, at: start)?.code == "budget_exhausted")
  }

  @Test(arguments: AtCap.allCases) func anotherCallIsAskedForWhereTheBudgetSaysSo(atCap: AtCap) {
    var admission = admission(budget(atCap))
    let answer = admission.admit(request(11), mayDegrade: true, at: start)
    switch consume answer {
    case .tooLarge(let room):
      #expect(atCap == .degrade)
      #expect(room == Money(nanodollars: 10))
      #expect(admission.ledger.lastSequence == 0, "nothing is recorded")
    case .denied(let denial, _):
      #expect(atCap != .degrade && atCap != .alert)
      #expect(denial.code == "budget_exhausted")
    case .admitted(let reservation, _):
      #expect(atCap == .alert)
      _ = admission.release(reservation, outcome: LedgerTests.outcome, at: start)
    }
    // A call that may not be another one is refused.
    #expect(
      refusal(&admission, 11, at: start)?.code == (atCap == .alert ? nil : "budget_exhausted"))
  }
}
