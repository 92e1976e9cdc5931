// Calls that can cost nothing: no budget, however overdrawn, is a reason to refuse them.

import TestSupport
import Testing

@testable import Metering

@Suite struct FreeCallTests {
  private let now = Timestamp(milliseconds: 10)

  /// An app whose budget of 10 is spent to `spent`, and holds `held` in an open call of its own.
  private func admission(spent: Int64, held: Int64) throws -> (Admission, Held?) {
    let window = WindowEdges(
      start: Timestamp(milliseconds: 0), end: Timestamp(milliseconds: 100), id: "w",
      endText: "soon")
    let budget = Budget(id: "day", cap: Money(nanodollars: 10), windows: [window])
    var admission = Admission(
      policies: [AppPolicy(app: "a", budgets: [budget])], ledger: Ledger())
    var open: Held?
    // The one that stays open comes first: afterwards it might not fit.
    for (amount, charge) in [(held, nil), (10 - held, spent)] where amount > 0 {
      switch admission.admit(request(.atMost(Money(nanodollars: amount))), at: now) {
      case .admitted(let reservation, _):
        if let charge {
          _ = admission.settle(
            reservation, charge: Money(nanodollars: charge), outcome: LedgerTests.outcome, at: now)
        } else {
          open = Held(reservation)
        }
      case .denied(let denial, _): throw Falsified("denied with \(denial.code)")
      case .tooLarge: throw Falsified("asked for a closer bound")
      }
    }
    return (admission, open)
  }

  private func request(_ bound: CostBound) -> AdmissionRequest {
    AdmissionRequest(app: 0, key: 7, upstream: "u", model: "", isStream: false, bound: bound)
  }

  /// The denial's code, or "admitted"; a reservation is released at once.
  private func answer(_ admission: inout Admission, _ bound: CostBound, at now: Timestamp) -> String
  {
    switch admission.admit(request(bound), at: now) {
    case .admitted(let reservation, _):
      _ = admission.release(reservation, outcome: LedgerTests.outcome, at: now)
      return "admitted"
    case .denied(let denial, _): return denial.code
    case .tooLarge: return "too large"
    }
  }

  private var account: AccountID { AccountID(app: "a", budget: "day", window: "w") }

  @Test(arguments: [
    // Spent, held: spent to the cap, held to the cap, in debt, in debt by far.
    (Int64(10), Int64(0)), (4, 6), (11, 0), (1_000_000, 0),
  ])
  func passWithAnExhaustedBudget(spent: Int64, held: Int64) throws {
    let (full, open) = try admission(spent: spent, held: held)
    var admission = full
    let before = admission.ledger.account(account)
    #expect(before.settled.money.nanodollars + before.reserved.money.nanodollars >= 10)
    #expect(answer(&admission, .atMost(.zero), at: now) == "admitted")
    #expect(admission.ledger.account(account) == before)
    #expect(
      answer(&admission, .atMost(Money(nanodollars: 1)), at: now) == "budget_exhausted")
    #expect(admission.ledger.account(account) == before)
    withExtendedLifetime(open) {}
  }

  @Test func openAndSettledTheyStillMoveNothing() throws {
    var (admission, _) = try admission(spent: 15, held: 0)
    guard
      case .admitted(let reservation, let event) = admission.admit(
        request(.atMost(.zero)), at: now)
    else {
      Issue.record("not admitted")
      return
    }
    guard case .reserved(let reserved) = event.kind else {
      _ = reservation.close()
      Issue.record("not recorded as a reservation")
      return
    }
    #expect(reserved.amounts == Amounts(calls: 1) && reserved.accounts == [account])
    #expect(admission.ledger.open.count == 1)
    let (_, crossings) = admission.settle(
      reservation, charge: .zero, outcome: LedgerTests.outcome, at: now)
    #expect(crossings.isEmpty)
    #expect(admission.ledger.account(account).settled.money == Money(nanodollars: 15))
    #expect(admission.ledger.account(account).reserved == .zero)
  }

  /// Only the budget is no reason: every other rule holds for a call that is free, too.
  @Test func everyOtherRuleHolds() throws {
    var (admission, _) = try admission(spent: 15, held: 0)
    #expect(
      answer(&admission, .none(.pathUnmetered(path: "/v1/x")), at: now) == "path_unmetered")
    #expect(
      answer(&admission, .atMost(.zero), at: Timestamp(milliseconds: 100)) == "window_unknown")
    _ = admission.cap(app: "a", reason: "drift.", order: 1, at: now)
    #expect(answer(&admission, .atMost(.zero), at: now) == "app_capped")
  }

  /// It asks for nothing, so that a purse that is over says nothing about it; what it turns out to
  /// cost is charged to what is open.
  @Test func passAClosedPurseAndAreChargedWhereTheProviderSaysSo() throws {
    func life(_ end: Int64) -> BudgetWindows {
      .purse(
        WindowEdges(
          start: Timestamp(milliseconds: 0), end: Timestamp(milliseconds: end), id: "purse",
          endText: ""))
    }
    let caps = BudgetCaps(money: Money(nanodollars: 10))
    var admission = Admission(
      policies: [
        AppPolicy(
          app: "a",
          budgets: [
            Budget(.app, id: "purse", caps: caps, windows: life(5)),
            Budget(.app, id: "purse 2", caps: caps, windows: life(500)),
          ], alertPercents: [50])
      ], ledger: Ledger())
    #expect(answer(&admission, .atMost(Money(nanodollars: 1)), at: now) == "purse_closed")
    var free = request(.atMost(.zero))
    (free.calls, free.tokens) = (0, 0)
    guard case .admitted(let reservation, let event) = admission.admit(free, at: now) else {
      Issue.record("not admitted")
      return
    }
    #expect(admission.ledger.accounts.isEmpty)
    let (settled, crossings) = admission.settle(
      reservation, charge: Money(nanodollars: 7), outcome: LedgerTests.outcome, at: now)
    let open = AccountID(app: "a", budget: "purse 2", window: "purse")
    #expect(admission.ledger.accounts.mapValues(\.settled.money.nanodollars) == [open: 7])
    #expect(crossings.map(\.percent) == [50])
    var folded = Ledger()
    for event in [event, settled] {
      folded.apply(
        LedgerEvent(
          sequence: folded.lastSequence + 1, at: event.at, kind: event.kind))
    }
    #expect(folded.accounts == admission.ledger.accounts)
    #expect(answer(&admission, .atMost(Money(nanodollars: 4)), at: now) == "purse_closed")
  }
}
