// Minutes, purses and rolling windows.

import TestSupport
import Testing

@testable import Metering

@Suite struct WindowTests {
  private static func at(_ milliseconds: Int64) -> Timestamp {
    Timestamp(milliseconds: milliseconds)
  }

  private static func admission(
    _ windows: BudgetWindows, id: String, cap: Int64, percents: [Int] = [50, 100]
  ) -> Admission {
    Admission(
      policies: [
        AppPolicy(
          app: "a",
          budgets: [
            Budget(
              .app, id: id, caps: BudgetCaps(money: Money(nanodollars: cap)), windows: windows)
          ], alertPercents: percents)
      ], ledger: Ledger())
  }

  private static func request(_ amount: Int64) -> AdmissionRequest {
    AdmissionRequest(
      app: 0, key: 1, upstream: "u", model: "m", isStream: false,
      bound: .atMost(Money(nanodollars: amount)))
  }

  /// Admits and charges; the denial's code where it is refused, with the marks that were passed.
  private static func spend(
    _ admission: inout Admission, _ amount: Int64, charge: Int64? = nil, at moment: Int64
  ) -> (code: String?, crossings: [BudgetCrossing]) {
    switch admission.admit(request(amount), at: at(moment)) {
    case .admitted(let reservation, _):
      let (_, crossings) = admission.settle(
        reservation, charge: Money(nanodollars: charge ?? amount), outcome: LedgerTests.outcome,
        at: at(moment))
      return (nil, crossings)
    case .denied(let denial, _): return (denial.code, [])
    case .tooLarge: return ("too large", [])
    }
  }

  @Test func minutesBeginWhereTheClocksDo() throws {
    let window = try #require(BudgetWindows.minutes.window(at: Self.at(1_795_000_030_123)))
    #expect(window.id == "2026-11-18T11:07Z")
    #expect(window.endText == "2026-11-18 11:08 UTC")
    #expect(window.end.milliseconds - window.start.milliseconds == 60_000)
    let next = BudgetWindows.minutes.window(at: window.end)
    #expect(next?.id == "2026-11-18T11:08Z")
    #expect(BudgetWindows.minutes.window(at: Self.at(-1))?.id == "1969-12-31T23:59Z")
  }

  @Test func aPurseIsOpenForItsLifeAndIsNeverFilledAgain() {
    let life = WindowEdges(
      start: Self.at(1_000), end: Self.at(9_000_000_000), id: "purse run-7",
      endText: "2026-12-31 00:00 UTC")
    var admission = Self.admission(.purse(life), id: "purse", cap: 10)
    #expect(Self.spend(&admission, 1, at: 999).code == "purse_closed")
    #expect(Self.spend(&admission, 10, at: 1_000).code == nil)
    #expect(Self.spend(&admission, 1, at: 8_999_999_999).code == "budget_exhausted")
    #expect(Self.spend(&admission, 1, at: 9_000_000_000).code == "purse_closed")
    let denial = Denial.purseClosed(
      scope: .app("a"), budget: "purse", from: "", until: "2026-12-31 00:00 UTC")
    #expect(
      denial.message
        == "Budget 'purse' of this app ended at 2026-12-31 00:00 UTC. The app's owner can open "
        + "another.")
  }

  @Test func aRollingWindowGivesBackAPartAtATime() {
    let hour: Int64 = 3_600_000
    var admission = Self.admission(
      .rolling(RollingWindow(minutes: 60)), id: "last 60m", cap: 100)
    // Slices of five minutes: 0, 5, 10 …
    #expect(Self.spend(&admission, 60, at: 0).code == nil)
    #expect(Self.spend(&admission, 40, at: 400_000).code == nil)
    #expect(Self.spend(&admission, 1, at: hour - 1).code == "budget_exhausted")
    // The whole of the first slice counts until the last of it is an hour old.
    #expect(Self.spend(&admission, 1, at: hour + 299_999).code == "budget_exhausted")
    #expect(Self.spend(&admission, 61, at: hour + 300_000).code == "budget_exhausted")
    #expect(Self.spend(&admission, 60, at: hour + 300_000).code == nil)
  }

  /// A head that came in earlier is admitted later: what was admitted since must count with it.
  @Test func aLateCallDoesNotGoBehindTheOthers() {
    var admission = Self.admission(
      .rolling(RollingWindow(minutes: 1)), id: "last 1m", cap: 100)
    #expect(Self.spend(&admission, 100, at: 100_000).code == nil)
    #expect(Self.spend(&admission, 1, at: 94_000).code == "budget_exhausted")
    // A clock that was wrong by far is believed again.
    #expect(Self.spend(&admission, 1, at: 100_000 - 700_000).code == nil)
  }

  /// The head of a call says which day it is of, and nothing more: a body that comes in slowly does
  /// not open slices that are over.
  @Test func aRollingWindowGoesByTheMomentOfAskingAndNotByTheHeads() throws {
    let minutes: Int64 = 20
    var admission = Self.admission(
      .rolling(RollingWindow(minutes: minutes)), id: "last 20m", cap: 100)
    let start: Int64 = 100 * 60_000
    // Nobody asks between the heads and the bodies; these come after a quarter of an hour.
    for (head, amount) in [(start, Int64(60)), (start + 1, 60)] {
      let answer = admission.admit(
        Self.request(amount), at: Self.at(head), clock: Self.at(start + 15 * 60_000))
      switch consume answer {
      case .admitted(let reservation, let event):
        #expect(head == start)
        #expect(event.at == Self.at(head))
        _ = admission.settle(
          reservation, charge: Money(nanodollars: amount), outcome: LedgerTests.outcome,
          at: Self.at(start + 15 * 60_000))
      case .denied(let denial, _): #expect(head == start + 1 && denial.code == "budget_exhausted")
      case .tooLarge: Issue.record("asked for a closer bound")
      }
    }
    // Twenty minutes after the head, five after the asking.
    #expect(Self.spend(&admission, 60, at: start + 22 * 60_000).code == "budget_exhausted")
    #expect(Self.spend(&admission, 60, at: start + 37 * 60_000).code == nil)
  }

  /// Pieces between which calls go on: who asks finds all forgotten from the event on, and what is
  /// counted anew in a window that is over is not forgotten with the rest.
  @Test func whatIsForgottenAPieceAtATimeIsForgottenAtOnce() throws {
    let day: Int64 = 86_400_000
    let ids = (0..<10).map { AccountID(app: "a", budget: "b", window: "2026-11-0\($0)T00:00Z") }
    let charged = Ledger.Account(settled: Amounts(money: Money(nanodollars: 5), calls: 1))
    let accounts = Dictionary(uniqueKeysWithValues: ids.map { ($0, charged) })
    let now = Self.at(1_795_000_030_123)  // 2026-11-18T11:07:10Z
    var admission = Admission(policies: [], ledger: Ledger(accounts: accounts))
    var forgetting = Forgetting(at: now, piece: 2)
    let first = admission.forget(pieceOf: &forgetting)
    let begun = try #require(first)
    #expect(admission.ledger.accounts.isEmpty && !forgetting.isOver)
    #expect(ids.allSatisfy { admission.ledger.account($0) == Ledger.Account() })
    let anew = Money(nanodollars: 2)
    let repriced = admission.reprice(
      Repricing(
        number: 1, charges: [], differences: ids.map { .init(account: $0, amount: anew) }),
      at: now.adding(milliseconds: day))
    let event = try #require(repriced?.event)
    while !forgetting.isOver { #expect(admission.forget(pieceOf: &forgetting) == nil) }
    #expect(admission.ledger.accounts.mapValues(\.settled.money).values.allSatisfy { $0 == anew })
    #expect(admission.ledger.accounts.count == 10)
    var folded = Ledger(accounts: accounts)
    folded.apply(begun)
    folded.apply(event)
    #expect(folded == admission.ledger)
  }

  private struct Spend: CustomStringConvertible {
    var after: Int64
    var amount: Int64
    var charge: Int64
    var description: String { "\(after) ms later, \(amount) held, \(charge) charged" }
  }

  /// Over any interval of the length, whenever it begins.
  @Test func spendOverAnyIntervalStaysBelowTheCap() throws {
    try checkProperty(
      "rolling", runs: 300, countMax: 120,
      generate: { generator in
        let amount = generator.int(Int64(0)...40)
        return Spend(
          after: generator.pick([0, 1, 700, 4_999, 5_000, 5_001, 20_000, 61_000]),
          amount: amount, charge: generator.int(0...amount))
      },
      simplify: { spend in
        spend.after > 1 ? [Spend(after: 1, amount: spend.amount, charge: spend.charge)] : []
      },
      check: { spends in
        var admission = Self.admission(
          .rolling(RollingWindow(minutes: 1)), id: "last 1m", cap: 100)
        var now: Int64 = 12_345
        var spent: [(at: Int64, charge: Int64)] = []
        for spend in spends {
          now += spend.after
          let answer = Self.spend(&admission, spend.amount, charge: spend.charge, at: now)
          if answer.code == nil { spent.append((now, spend.charge)) }
        }
        // An interval that holds the most can be moved until it ends with a call.
        for last in spent {
          let sum = spent.filter { $0.at > last.at - 60_000 && $0.at <= last.at }
            .reduce(0) { $0 + $1.charge }
          try require(sum <= 100, "\(sum) within the minute before \(last.at)")
        }
      })
  }

  @Test func aRollingMarkIsToldWhenSpendRisesToItAndAgainWhenItComesBack() {
    var admission = Self.admission(
      .rolling(RollingWindow(minutes: 1)), id: "last 1m", cap: 100)
    #expect(Self.spend(&admission, 40, at: 0).crossings.isEmpty)
    let risen = Self.spend(&admission, 20, at: 6_000).crossings
    #expect(risen.map(\.percent) == [50])
    #expect(risen.first?.settled == .money(Money(nanodollars: 60)))
    #expect(Self.spend(&admission, 5, at: 7_000).crossings.isEmpty)
    // The 40 have left; 25 of 100 stand.
    #expect(Self.spend(&admission, 1, at: 65_000).crossings.isEmpty)
    #expect(Self.spend(&admission, 30, at: 65_500).crossings.map(\.percent) == [50])
    #expect(admission.standingCrossings(at: Self.at(65_500)).map(\.percent) == [50])
    #expect(admission.standingCrossings(at: Self.at(600_000)).isEmpty)
  }

  /// What is watched of a rolling budget does not grow with its idle times, and ends with them.
  @Test func aRollingBudgetIsWatchedOnceAndNoLongerThanItsSlicesAreThere() {
    let day: Int64 = 86_400_000
    var admission = Admission(
      policies: [
        AppPolicy(
          app: "a",
          budgets: [
            Budget(
              .eachKey, id: "last 1m", caps: BudgetCaps(calls: 5),
              windows: .rolling(RollingWindow(minutes: 1)))
          ])
      ], ledger: Ledger())
    for number in Int64(0)..<40 {
      let moment = number * 120_000
      #expect(Self.spend(&admission, 1, at: moment).code == nil)
      #expect(Self.spend(&admission, 1, at: moment + 6_000).code == nil)
    }
    #expect(admission.gauges.count == 1 && admission.gauges[0].places.count == 2)
    _ = admission.forget(at: Self.at(40 * day))
    #expect(admission.gaugeNumbers.isEmpty && admission.freeGauges == [0])
    #expect(Self.spend(&admission, 1, at: 40 * day).code == nil)
    #expect(admission.gauges.count == 1 && admission.freeGauges.isEmpty)
  }

  @Test func marksOfUnitsAreToldApartAndUsersAreNotTold() {
    let caps = BudgetCaps(money: Money(nanodollars: 100), calls: 2)
    let life = WindowEdges(
      start: Self.at(0), end: Self.at(1_000), id: "purse", endText: "")
    var admission = Admission(
      policies: [
        AppPolicy(
          app: "a",
          budgets: [
            Budget(.app, id: "purse", caps: caps, windows: .purse(life)),
            Budget(.eachUser, id: "purse", caps: caps, windows: .purse(life)),
          ], alertPercents: [50])
      ], ledger: Ledger())
    let first = Self.spend(&admission, 10, at: 5).crossings
    #expect(first.map(\.settled) == [.calls(1)])
    #expect(first.map(\.account.scope) == [.app("a")])
    let second = Self.spend(&admission, 50, at: 6).crossings
    #expect(second.map(\.settled) == [.money(Money(nanodollars: 60))])
    #expect(admission.standingCrossings(at: Self.at(7)).count == 2)
  }

  @Test func windowsThatAreLongOverAreForgottenAndNoOthers() throws {
    let now = Self.at(1_795_000_030_123)  // 2026-11-18T11:07:10Z
    let kept = [
      "2026-11-18T11:07Z", "2026-11-17T00:00Z", "2026-10-15T00:00:00Z", "2026-11-18", "2026-11",
      "2026", "2025-12", "2025-W42", "purse", "purse 1", "7", "always", "",
    ]
    let over = [
      "2026-11-16T11:06Z", "2026-10-14T00:00:00Z", "2025-10-13", "2025-10", "2024-W52", "2024",
    ]
    let charged = Ledger.Account(settled: Amounts(calls: 1))
    let held = Ledger.Account(settled: .zero, reserved: Amounts(calls: 1))
    var accounts: [AccountID: Ledger.Account] = [:]
    for window in kept + over {
      accounts[AccountID(app: "a", budget: "b", window: window)] = charged
    }
    accounts[AccountID(app: "a", budget: "held", window: over[0])] = held
    var admission = Admission(policies: [], ledger: Ledger(accounts: accounts))
    let forgotten = admission.forget(at: now)
    let event = try #require(forgotten)
    let left = admission.ledger.accounts
    #expect(Set(left.keys.filter { $0.budget == "b" }.map(\.window)) == Set(kept))
    #expect(left[AccountID(app: "a", budget: "held", window: over[0])] == held)
    // Once; and a replay forgets the same.
    let again = admission.forget(at: now)
    #expect(again == nil)
    var folded = Ledger(accounts: accounts)
    folded.apply(event)
    #expect(folded == admission.ledger)
  }

  /// The oldest slice of the longest window counts until the last of it is 31 days old; forgotten a
  /// day too early, the cap would let its spend pass twice.
  @Test(arguments: [30, 31])
  func theLongestWindowsForgetNothingThatTheyStillSum(days: Int64) {
    let day: Int64 = 86_400_000
    var admission = Self.admission(
      .rolling(RollingWindow(minutes: days * 24 * 60)), id: "last \(days)d", cap: 100)
    let slice = days * day / 12
    // In the first moment of a slice, and asked in the last that sums it.
    let start = 3_000 * slice
    #expect(Self.spend(&admission, 100, at: start).code == nil)
    let last = start + 13 * slice - 1
    for moment in stride(from: start, through: last, by: Int(day / 2)) + [last] {
      _ = admission.forget(at: Self.at(moment))
      #expect(Self.spend(&admission, 1, at: moment).code == "budget_exhausted", "\(moment)")
    }
    #expect(Self.spend(&admission, 100, at: last + 1).code == nil)
  }

  /// Open calls, caps and marks go on where accounts leave the row.
  @Test func whatIsOpenAndWhatIsWatchedOutlivesTheForgetting() throws {
    let windows = BudgetWindows.minutes
    var admission = Self.admission(windows, id: "minute", cap: 100)
    for minute in 0..<5 {
      #expect(Self.spend(&admission, 30, at: Int64(minute) * 60_000).code == nil)
    }
    let day: Int64 = 86_400_000
    let later = 3 * day
    #expect(Self.spend(&admission, 30, at: later).code == nil)
    guard
      case .admitted(let reservation, _) = admission.admit(Self.request(40), at: Self.at(later))
    else {
      Issue.record("not admitted")
      return
    }
    let forgotten = admission.forget(at: Self.at(later))
    #expect(forgotten != nil)
    #expect(admission.ledger.accounts.count == 1)
    let (_, crossings) = admission.settle(
      reservation, charge: Money(nanodollars: 40), outcome: LedgerTests.outcome,
      at: Self.at(later))
    #expect(crossings.map(\.percent) == [50])
    #expect(Self.spend(&admission, 31, at: later + 1).code == "budget_exhausted")
    #expect(Self.spend(&admission, 30, at: later + 1).crossings.map(\.percent) == [100])
  }
}
