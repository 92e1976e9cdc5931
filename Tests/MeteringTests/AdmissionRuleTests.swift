// The rules that the random scripts do not vary: models, unbounded costs, unknown windows.

import TestSupport
import Testing

@testable import Metering

@Suite struct AdmissionRuleTests {
  private let noon = Timestamp(milliseconds: 10)

  private func admission(_ policy: AppPolicy) -> Admission {
    Admission(policies: [policy], ledger: Ledger())
  }

  private func budget(_ cap: Int64) -> Budget {
    Budget(
      id: "day", cap: Money(nanodollars: cap),
      windows: [
        WindowEdges(
          start: Timestamp(milliseconds: 0), end: Timestamp(milliseconds: 100), id: "w",
          endText: "soon")
      ])
  }

  private func request(_ model: String = "m", _ bound: CostBound) -> AdmissionRequest {
    AdmissionRequest(app: 0, key: 7, upstream: "u", model: model, isStream: false, bound: bound)
  }

  @Test func whatNoBoundWouldSaveIsRefusedWithoutOne() {
    var admission = admission(AppPolicy(app: "a", budgets: [budget(10)]))
    let least = request("", .atMost(Money(nanodollars: 1)))
    let before = admission.ledger
    let first = admission.refuseHopeless(least, at: noon)
    #expect(first == nil && admission.ledger.lastSequence == before.lastSequence)
    guard
      case .admitted(let held, _) = admission.admit(
        request("m", .atMost(Money(nanodollars: 10))), at: noon)
    else {
      Issue.record("refused")
      return
    }
    let refusal = admission.refuseHopeless(least, at: noon)
    #expect(refusal?.denial.code == "budget_exhausted")
    #expect(refusal?.event.sequence == admission.ledger.lastSequence)
    // What asks for nothing may pass all the same.
    var free = request("", .atMost(.zero))
    free.calls = 0
    let passing = admission.refuseHopeless(free, at: noon)
    #expect(passing == nil)
    _ = admission.release(held, outcome: LedgerTests.outcome, at: noon)
    _ = admission.cap(app: "a", reason: "no", order: 1, at: noon)
    let capped = admission.refuseHopeless(free, at: noon)
    #expect(capped?.denial.code == "app_capped")
    #expect(admission.ledger.open.isEmpty)
  }

  /// Nor is work done for a call that a rate or a purse stands against, whatever its models are.
  @Test func whatARateOrAnotherPurseStandsAgainstIsRefusedWithoutABound() {
    let least = request("", .atMost(Money(nanodollars: 1)))
    var throttled = AppPolicy(app: "a", budgets: [budget(10)])
    throttled.rates = RateLimits(callsPerMinute: 1)
    var admission = admission(throttled)
    #expect(answer(&admission, request("m", .atMost(.zero)), at: noon) == "admitted")
    let sequence = admission.ledger.lastSequence
    let tooMany = admission.refuseHopeless(least, at: noon)
    #expect(tooMany?.denial.code == "rate_limited" && tooMany?.event.sequence == sequence + 1)

    var each = budget(100)
    each.id = "each"
    each.holder = .eachModel
    admission = self.admission(AppPolicy(app: "a", budgets: [each, budget(10)]))
    let first = admission.refuseHopeless(least, at: noon)
    #expect(first == nil)
    let all = request("m", .atMost(Money(nanodollars: 10)))
    guard case .admitted(let held, _) = admission.admit(all, at: noon) else {
      Issue.record("refused")
      return
    }
    let spent = admission.refuseHopeless(least, at: noon)
    #expect(spent?.denial.code == "budget_exhausted")
    _ = admission.release(held, outcome: LedgerTests.outcome, at: noon)
  }

  /// The denial's code, or "admitted"; a reservation is released at once.
  private func answer(
    _ admission: inout Admission, _ request: AdmissionRequest, mayTighten: Bool = false,
    at now: Timestamp
  ) -> String {
    switch admission.admit(request, mayTighten: mayTighten, at: now) {
    case .admitted(let reservation, _):
      _ = admission.release(reservation, outcome: LedgerTests.outcome, at: now)
      return "admitted"
    case .denied(let denial, let event):
      guard case .refused(let refused) = event.kind else { return "not recorded" }
      return refused.code == denial.code && refused.status == UInt16(denial.httpStatus)
        ? denial.code : "recorded as \(refused.code)"
    case .tooLarge(let room): return "too large for \(room.nanodollars)"
    }
  }

  /// A closer bound is asked for only where it could help, and nothing is recorded then.
  @Test func aCloserBoundIsAskedForBeforeTheMoneyRefuses() {
    var admission = admission(AppPolicy(app: "a", budgets: [budget(10)], models: ["m"]))
    let dear = CostBound.atMost(Money(nanodollars: 11))
    #expect(
      answer(&admission, request("m", dear), mayTighten: true, at: noon) == "too large for 10")
    #expect(admission.ledger.lastSequence == 0)
    let forbidden = answer(&admission, request("other", dear), mayTighten: true, at: noon)
    #expect(forbidden == "model_forbidden")
    let fitting = CostBound.atMost(Money(nanodollars: 10))
    #expect(answer(&admission, request("m", fitting), mayTighten: true, at: noon) == "admitted")
    guard
      case .admitted(let first, _) = admission.admit(
        request("m", .atMost(Money(nanodollars: 4))), at: noon)
    else { preconditionFailure("it fits") }
    #expect(
      answer(&admission, request("m", dear), mayTighten: true, at: noon) == "too large for 6")
    // What is spent beyond its cap has no room.
    _ = admission.settle(
      first, charge: Money(nanodollars: 30), outcome: LedgerTests.outcome, at: noon)
    #expect(
      answer(&admission, request("m", dear), mayTighten: true, at: noon) == "too large for 0")
    _ = admission.cap(app: "a", reason: "drift.", order: 1, at: noon)
    #expect(answer(&admission, request("m", dear), mayTighten: true, at: noon) == "app_capped")
  }

  @Test func theLastNanodollarCanBeSpentAndNoMore() {
    var admission = admission(AppPolicy(app: "a", budgets: [budget(10)]))
    #expect(
      answer(&admission, request("m", .atMost(Money(nanodollars: 10))), at: noon) == "admitted")
    #expect(
      answer(&admission, request("m", .atMost(Money(nanodollars: 11))), at: noon)
        == "budget_exhausted")
    #expect(
      answer(&admission, request("m", .atMost(Money(nanodollars: .max))), at: noon)
        == "budget_exhausted")
  }

  @Test func aCostWithoutABoundIsForUnbudgetedAppsOnly() {
    let unbounded = CostBound.none(.outputUnbounded(field: "max_tokens"))
    var budgeted = admission(AppPolicy(app: "a", budgets: [budget(10)]))
    #expect(answer(&budgeted, request("m", unbounded), at: noon) == "output_unbounded")
    var free = admission(AppPolicy(app: "a", budgets: []))
    #expect(answer(&free, request("m", unbounded), at: noon) == "admitted")
  }

  @Test func rulesHoldInTheirOrder() {
    var admission = admission(AppPolicy(app: "a", budgets: [budget(10)], models: ["m"]))
    let dear = CostBound.atMost(Money(nanodollars: 99))
    let unbounded = CostBound.none(.costUnbounded(part: "x"))
    #expect(answer(&admission, request("other", unbounded), at: noon) == "model_forbidden")
    #expect(answer(&admission, request("m", unbounded), at: noon) == "cost_unbounded")
    // A path without a model asks no model rule.
    #expect(answer(&admission, request("", dear), at: noon) == "budget_exhausted")
    _ = admission.cap(app: "a", reason: "drift.", order: 1, at: noon)
    #expect(answer(&admission, request("other", unbounded), at: noon) == "app_capped")
    #expect(admission.isolate(app: "a", .by("mara", 2), at: noon) != nil)
    #expect(admission.isolate(app: "a", .by("mara", 2), at: noon) == nil, "an order counts once")
    #expect(answer(&admission, request("m", dear), at: noon) == "app_isolated")
    // One restoring order lifts both.
    _ = admission.cap(app: "a", reason: nil, order: 3, at: noon)
    #expect(answer(&admission, request("m", dear), at: noon) == "budget_exhausted")
  }

  @Test func aClockOutsideEveryWindowRefuses() {
    var admission = admission(AppPolicy(app: "a", budgets: [budget(10)]))
    let cheap = CostBound.atMost(Money(nanodollars: 1))
    for moment in [Int64(-1), 100, 1_000_000] {
      let now = Timestamp(milliseconds: moment)
      #expect(answer(&admission, request("m", cheap), at: now) == "window_unknown")
    }
  }

  @Test func aRefusalHoldsNothing() {
    var admission = admission(AppPolicy(app: "a", budgets: [budget(10)]))
    let before = admission.ledger.accounts
    _ = answer(&admission, request("m", .atMost(Money(nanodollars: 11))), at: noon)
    #expect(admission.ledger.accounts == before)
    #expect(admission.ledger.open.isEmpty)
    #expect(admission.ledger.lastSequence == 1)
  }

  @Test func standingMarksAreThoseThatSpendHasPassed() {
    var admission = admission(AppPolicy(app: "a", budgets: [budget(10)]))
    guard
      case .admitted(let reservation, _) = admission.admit(
        request("m", .atMost(Money(nanodollars: 10))), at: noon)
    else {
      Issue.record("not admitted")
      return
    }
    #expect(admission.standingCrossings(at: noon).isEmpty)
    let (_, crossings) = admission.settle(
      reservation, charge: Money(nanodollars: 8), outcome: LedgerTests.outcome, at: noon)
    #expect(crossings.map(\.percent) == [50, 80])
    #expect(crossings.map(\.resetsAtText) == ["soon", "soon"])
    #expect(admission.standingCrossings(at: noon) == crossings)
    // In another window nothing stands.
    #expect(admission.standingCrossings(at: Timestamp(milliseconds: 100)).isEmpty)
  }
}
