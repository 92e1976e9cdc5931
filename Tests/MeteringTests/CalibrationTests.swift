// Calibrated holds: what is learned, what is held, and how far a cap can be passed.

import TestSupport
import Testing

@testable import Metering

@Suite struct ShareHistoryTests {
  @Test func aBinIsNeverBelowItsSharesAndATwoAndThirtiethAboveAtMost() {
    for share in 0...ShareHistory.whole {
      let edge = ShareHistory.upperEdge(of: ShareHistory.bin(of: share))
      #expect(edge >= share && (edge - share) * 32 <= max(share, 1), "\(share) as \(edge)")
    }
  }

  /// Against a sorted list of the last calls.
  @Test(arguments: [9_000, 9_500, 9_900, 9_990] as [Int64])
  func theHeldShareIsTheOrderStatisticOfTheLastCalls(quantile: Int64) {
    var history = ShareHistory()
    var shares: [Int64] = []
    var generator = SeededGenerator(seed: UInt64(quantile))
    for _ in 0..<3_000 {
      let share = generator.int(Int64(0)...(generator.chance(0.1) ? 70_000 : 9_000))
      history.note(
        charge: Money(nanodollars: share), of: Money(nanodollars: ShareHistory.whole),
        quantile: quantile)
      shares.append(min(share, ShareHistory.whole))
      let last = shares.suffix(ShareHistory.callsMax).sorted()
      let rank = (Int64(last.count + 1) * quantile + 9_999) / 10_000
      guard rank <= last.count else {
        #expect(history.held == ShareHistory.whole)
        continue
      }
      let truth = last[Int(rank) - 1]
      #expect(history.held >= truth && (history.held - truth) * 32 <= max(truth, 1))
    }
    let rule = Calibration(quantile: quantile, overshootMax: .zero)
    #expect((rule.historyMin + 1) * quantile <= rule.historyMin * 10_000)
    #expect(rule.historyMin * quantile > (rule.historyMin - 1) * 10_000, "one call fewer would do")
  }
}

@Suite struct CalibrationTests {
  private static let noon = Timestamp(milliseconds: 10)
  private static let day = AccountID(app: "a", budget: "day", window: "w")

  private static func admission(
    cap: Int64, _ calibration: Calibration?
  ) -> Admission {
    let window = WindowEdges(
      start: Timestamp(milliseconds: 0), end: Timestamp(milliseconds: 100), id: "w", endText: "")
    var policy = AppPolicy(
      app: "a", budgets: [Budget(id: "day", cap: Money(nanodollars: cap), windows: [window])])
    policy.calibration = calibration
    return Admission(policies: [policy], ledger: Ledger())
  }

  private static func request(_ most: Int64) -> AdmissionRequest {
    AdmissionRequest(
      app: 0, key: 1, upstream: "u", model: "m", isStream: false,
      bound: .atMost(Money(nanodollars: most)))
  }

  private static let reported: CallOutcome = {
    var outcome = LedgerTests.outcome
    outcome.usage = Usage(source: .reported)
    return outcome
  }()

  private static func rule(_ overshootMax: Int64) -> Calibration {
    Calibration(quantile: 9_900, overshootMax: Money(nanodollars: overshootMax))
  }

  /// What calls like one hold now.
  private static func held(_ admission: inout Admission, _ request: AdmissionRequest) -> Int64? {
    guard case .admitted(let reservation, _) = admission.admit(request, at: noon) else {
      return nil
    }
    let amount = reservation.amount.nanodollars
    _ = admission.release(reservation, outcome: LedgerTests.outcome, at: noon)
    return amount
  }

  @Test func untilThereIsHistoryTheBoundIsHeldAndThenWhatCallsCost() {
    var admission = Self.admission(cap: .max / 2, Self.rule(100_000))
    for call in 0..<120 {
      let expected: Int64 = call < 99 ? 1_000 : 250
      let held = Self.held(&admission, Self.request(1_000)) ?? 0
      #expect(held >= expected && held <= expected + expected / 32 + 1, "call \(call): \(held)")
      guard
        case .admitted(let reservation, let event) = admission.admit(
          Self.request(1_000), at: Self.noon)
      else { continue }
      if case .reserved(let reserved) = event.kind {
        #expect(reserved.most.nanodollars == 1_000 && reserved.amounts.money == reservation.amount)
      }
      _ = admission.settle(
        reservation, charge: Money(nanodollars: 250), outcome: Self.reported, at: Self.noon)
    }
    // The same of twice the size, of another model, and of what outlives its call.
    let double = Self.held(&admission, Self.request(2_000)) ?? 0
    #expect((500...520).contains(double))
    var other = Self.request(1_000)
    other.model = "other"
    #expect(Self.held(&admission, other) == 1_000)
    var whole = Self.request(1_000)
    whole.isHeldWhole = true
    #expect(Self.held(&admission, whole) == 1_000)
  }

  @Test func whatNobodyReportedTeachesNothing() {
    var admission = Self.admission(cap: .max / 2, Self.rule(100_000))
    for _ in 0..<200 {
      guard
        case .admitted(let reservation, _) = admission.admit(
          Self.request(1_000), at: Self.noon)
      else { continue }
      _ = admission.settle(
        reservation, charge: Money(nanodollars: 10), outcome: LedgerTests.outcome, at: Self.noon)
    }
    #expect(Self.held(&admission, Self.request(1_000)) == 1_000)
  }

  @Test func callsOfBeforeAreLearnedFromAtTheStart() {
    var admission = Self.admission(cap: .max / 2, Self.rule(100_000))
    for _ in 0..<99 {
      admission.learn(
        app: 0, family: "m", charge: Money(nanodollars: 100), of: Money(nanodollars: 1_000))
    }
    let held = Self.held(&admission, Self.request(1_000)) ?? 0
    #expect((100...104).contains(held))
  }

  /// What a closer bound is told that it may come to is what is admitted then, and no more.
  @Test(arguments: [0, 1, 700, 50_000] as [Int64], [1, 130, 999] as [Int64])
  func theRoomThatIsToldFits(allowance: Int64, charge: Int64) throws {
    var admission = Self.admission(cap: 5_000, Self.rule(allowance))
    for _ in 0..<400 {
      admission.learn(
        app: 0, family: "m", charge: Money(nanodollars: charge), of: Money(nanodollars: 1_000))
    }
    guard case .admitted(let reservation, _) = admission.admit(Self.request(2_000), at: Self.noon)
    else {
      Issue.record("refused")
      return
    }
    let answer = admission.admit(Self.request(.max / 2), mayTighten: true, at: Self.noon)
    if case .tooLarge(let room) = consume answer {
      let most = room.nanodollars
      #expect(most > 0 && Self.held(&admission, Self.request(most)) != nil)
      // A share is known to 1∕65,536.
      #expect(Self.held(&admission, Self.request(most + most / 60_000 + 1)) == nil)
    } else {
      Issue.record("it cannot have fitted")
    }
    _ = admission.release(reservation, outcome: LedgerTests.outcome, at: Self.noon)
  }

  /// Who asks for nothing passes a spent budget: a call that may cost something asks for something.
  @Test func aSpentBudgetRefusesWhatHasBeenFreeSoFar() {
    var admission = Self.admission(cap: 10, Self.rule(5_000))
    for _ in 0..<400 {
      admission.learn(app: 0, family: "m", charge: .zero, of: Money(nanodollars: 1_000))
    }
    guard case .admitted(let reservation, _) = admission.admit(Self.request(1_000), at: Self.noon)
    else {
      Issue.record("refused")
      return
    }
    _ = admission.settle(
      reservation, charge: Money(nanodollars: 1_000), outcome: Self.reported, at: Self.noon)
    #expect(Self.held(&admission, Self.request(1_000)) == nil)
  }

  @Test func togetherOpenCallsHoldNoMoreLessThanTheAllowance() {
    var admission = Self.admission(cap: .max / 2, Self.rule(1_000))
    for _ in 0..<99 {
      admission.learn(
        app: 0, family: "m", charge: Money(nanodollars: 100), of: Money(nanodollars: 1_000))
    }
    var open: [Held] = []
    var amounts: [Int64] = []
    for _ in 0..<3 {
      guard
        case .admitted(let reservation, _) = admission.admit(
          Self.request(1_000), at: Self.noon)
      else { continue }
      amounts.append(reservation.amount.nanodollars)
      open.append(Held(reservation))
    }
    #expect(amounts[0] < 110 && amounts[1] > 800 && amounts[2] == 1_000)
    #expect(amounts.reduce(0) { $0 + 1_000 - $1 } == 1_000)
    for held in open {
      guard let reservation = held.reservation.take() else { continue }
      _ = admission.release(reservation, outcome: LedgerTests.outcome, at: Self.noon)
    }
    // When they have ended, all of it is there again.
    #expect((Self.held(&admission, Self.request(1_000)) ?? 0) < 110)
  }

  /// Calls as they are offered: what each can cost at most, what it costs, how it ends.
  private struct Offer: CustomStringConvertible {
    var most: Int64
    var charge: Int64
    /// How many other calls end before the next comes.
    var ends: Int

    var description: String { "at most \(most), costs \(charge), then \(ends) end" }
  }

  private static func offer(_ generator: inout SeededGenerator) -> Offer {
    let most = generator.int(Int64(1)...1_000)
    // Most calls cost a little of their bound, and some all of it: nothing like the history.
    let charge =
      generator.chance(0.4) ? most / 20 : generator.chance(0.7) ? most : generator.int(0...most)
    return Offer(most: most, charge: charge, ends: generator.chance(0.3) ? 1 : 0)
  }

  /// The most that was open at once, and the most that stood settled over the cap.
  private static func storm(
    _ offers: [Offer], cap: Int64, _ calibration: Calibration?, learned: Int64 = 50
  ) throws -> (open: Int, over: Int64) {
    var admission = admission(cap: cap, calibration)
    if calibration != nil {
      for _ in 0..<99 {
        admission.learn(
          app: 0, family: "m", charge: Money(nanodollars: learned),
          of: Money(nanodollars: 1_000))
      }
    }
    var open: [(held: Held, charge: Int64)] = []
    var next = 0
    var (mostOpen, mostOver) = (0, Int64.min)
    func end() {
      guard next < open.count, let reservation = open[next].held.reservation.take() else { return }
      _ = admission.settle(
        reservation, charge: Money(nanodollars: open[next].charge), outcome: reported, at: noon)
      next += 1
      let settled = admission.ledger.account(day).settled.money.nanodollars
      mostOver = max(mostOver, settled - cap)
    }
    for offer in offers {
      if case .admitted(let reservation, _) = admission.admit(request(offer.most), at: noon) {
        let account = admission.ledger.account(day)
        try require(account.taken.money.nanodollars <= cap, "admitted over the cap")
        open.append((Held(reservation), offer.charge))
        mostOpen = max(mostOpen, open.count - next)
      }
      for _ in 0..<offer.ends { end() }
    }
    while next < open.count { end() }
    try require(admission.ledger.account(day).reserved == .zero, "something is still held")
    return (mostOpen, mostOver)
  }

  @Test func strictNeverPassesItsCapWhateverCallsCost() throws {
    try checkProperty(
      "strict: settled ≤ cap", runs: 150, countMax: 120, generate: Self.offer,
      check: { offers in
        let (_, over) = try Self.storm(offers, cap: 5_000, nil)
        try require(over <= 0, "passed by \(over)")
      })
  }

  /// Also where all calls of before were free, so that nothing but the ceiling holds anything.
  @Test(arguments: [0, 300, 2_000] as [Int64], [0, 50] as [Int64])
  func calibratedPassesItsCapByTheAllowanceAtMost(allowance: Int64, learned: Int64) throws {
    var mostOver = Int64.min
    try checkProperty(
      "calibrated: settled ≤ cap + overshootMax", runs: 150, countMax: 120,
      generate: Self.offer,
      check: { offers in
        let (_, over) = try Self.storm(
          offers, cap: 5_000, Self.rule(allowance), learned: learned)
        try require(over <= allowance, "passed by \(over)")
        mostOver = max(mostOver, over)
      })
    // The bound is not idle: calls unlike the history do pass the cap.
    if allowance == 2_000 { #expect(mostOver > 0) }
  }

  @Test func moreCallsAreUnderWayAtOnce() throws {
    var generator = SeededGenerator(seed: 1)
    let offers = (0..<500).map { _ in
      let most = generator.int(Int64(500)...1_000)
      return Offer(most: most, charge: most / 20, ends: 0)
    }
    let strict = try Self.storm(offers, cap: 20_000, nil)
    let calibrated = try Self.storm(offers, cap: 20_000, Self.rule(1_000_000))
    #expect(strict.open < 40)
    #expect(calibrated.open >= 10 * strict.open, "\(calibrated.open) against \(strict.open)")
    #expect(calibrated.over <= 0)
  }

  /// Calls like those of before cost more than they hold no oftener than the quantile says.
  @Test(arguments: [9_000, 9_900] as [Int64]) func theQuantileIsKept(quantile: Int64) {
    var generator = SeededGenerator(seed: 7)
    var admission = Self.admission(
      cap: .max / 2, Calibration(quantile: quantile, overshootMax: Money(nanodollars: .max / 4)))
    var (calls, beyond) = (0, 0)
    for turn in 0..<40_000 {
      // Skewed, in two modes.
      let part = generator.int(Int64(1)...1_000)
      let charge = generator.chance(0.2) ? 500_000 + part * 400 : part * part / 10
      guard
        case .admitted(let reservation, _) = admission.admit(
          Self.request(1_000_000), at: Self.noon)
      else { continue }
      if turn >= 2_000 {
        calls += 1
        if charge > reservation.amount.nanodollars { beyond += 1 }
      }
      _ = admission.settle(
        reservation, charge: Money(nanodollars: charge), outcome: Self.reported, at: Self.noon)
    }
    // Within three standard deviations of what is allowed.
    let allowed = Double(calls) * Double(10_000 - quantile) / 10_000
    #expect(Double(beyond) <= allowed + 3 * allowed.squareRoot())
    #expect(beyond > 0)
  }
}
