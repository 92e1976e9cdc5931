// The 100 % mark of a cap that is never passed: told once, when spending refuses calls.

import Testing

@testable import Metering

@Suite struct ExhaustionTests {
  private let now = Timestamp(milliseconds: 10)

  private func admission(percents: [Int] = [50, 100]) -> Admission {
    let window = WindowEdges(
      start: Timestamp(milliseconds: 0), end: Timestamp(milliseconds: 100), id: "w",
      endText: "soon")
    let budget = Budget(id: "day", cap: Money(nanodollars: 100), windows: [window])
    return Admission(
      policies: [AppPolicy(app: "a", budgets: [budget], alertPercents: percents)],
      ledger: Ledger())
  }

  private func refusal(settled: Int64, reserved: Int64 = 0, estimate: Int64) -> BudgetRefusal {
    BudgetRefusal(
      scope: .app("a"), budget: "day", window: "w",
      settled: .money(Money(nanodollars: settled)),
      reserved: .money(Money(nanodollars: reserved)), cap: .money(Money(nanodollars: 100)),
      estimate: .money(Money(nanodollars: estimate)), resetsAt: Timestamp(milliseconds: 100),
      resetsAtText: "soon")
  }

  @Test func isToldOnceWhenWhatIsLeftCoversNoMoreCalls() throws {
    var admission = admission()
    let told = admission.exhaustion(refusal(settled: 95, estimate: 10))
    #expect(told?.percent == 100)
    #expect(told?.isRefusing == true)
    #expect(told?.settled == .money(Money(nanodollars: 95)))
    #expect(admission.exhaustion(refusal(settled: 96, estimate: 10)) == nil)
  }

  @Test func isNotToldOfCallsThatOpenOnesKeepOut() {
    var admission = admission()
    // Once the open calls settle, this one fits.
    #expect(admission.exhaustion(refusal(settled: 60, reserved: 35, estimate: 10)) == nil)
  }

  @Test func isNotToldOfACallThatIsTooLargeByItself() {
    var admission = admission()
    #expect(admission.exhaustion(refusal(settled: 2, estimate: 5_000)) == nil)
  }

  @Test func isNotToldWhereTheAppWantsNoSuchMark() {
    var admission = admission(percents: [50, 80])
    #expect(admission.exhaustion(refusal(settled: 95, estimate: 10)) == nil)
  }
}
