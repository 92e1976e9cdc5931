// The ledger as a fold: replays, checkpoints and what a crash leaves open.

import TestSupport
import Testing

@testable import Metering

@Suite struct LedgerTests {
  static let outcome = CallOutcome(
    status: 200, ending: .completed, usage: .unknown, responseModel: "", durationMilliseconds: 1,
    firstByteMilliseconds: 1)

  static let job = FollowedJob(
    kind: .backgroundResponse, upstream: "u", path: "/v1/responses", id: "resp_1", model: "m",
    inputTokens: 1, outputTokens: 1, status: 200, startedAt: Timestamp(milliseconds: 5))

  private func reserve(_ sequence: UInt64, _ amount: Int64) -> LedgerEvent {
    LedgerEvent(
      sequence: sequence, at: Timestamp(milliseconds: 0),
      kind: .reserved(
        .init(
          call: CallID(sequence), app: "a", key: 1, upstream: "u", model: "m", isStream: false,
          amounts: Amounts(money: Money(nanodollars: amount)),
          accounts: [AccountID(app: "a", budget: "day", window: "w")])))
  }

  private func settle(_ sequence: UInt64, _ call: UInt64, _ charge: Int64) -> LedgerEvent {
    LedgerEvent(
      sequence: sequence, at: Timestamp(milliseconds: 0),
      kind: .settled(
        .init(
          call: CallID(call), charge: Money(nanodollars: charge), outcome: Self.outcome)))
  }

  private func money(_ nanodollars: Int64) -> Amounts {
    Amounts(money: Money(nanodollars: nanodollars))
  }

  private let day = AccountID(app: "a", budget: "day", window: "w")

  @Test func anEventAppliedTwiceChangesNothing() {
    var ledger = Ledger()
    ledger.apply(reserve(1, 10))
    ledger.apply(reserve(1, 10))
    #expect(ledger.account(day) == .init(settled: .zero, reserved: money(10)))
    ledger.apply(settle(2, 1, 7))
    ledger.apply(settle(2, 1, 7))
    ledger.apply(reserve(1, 10))
    #expect(ledger.account(day) == .init(settled: money(7), reserved: .zero))
    #expect(ledger.open.isEmpty)
  }

  @Test func aSecondEndOfACallChangesNothing() {
    var ledger = Ledger()
    for event in [reserve(1, 10), settle(2, 1, 7), settle(3, 1, 7)] { ledger.apply(event) }
    ledger.apply(
      LedgerEvent(
        sequence: 4, at: Timestamp(milliseconds: 0),
        kind: .expired(CallID(1), charge: Money(nanodollars: 10))))
    #expect(ledger.account(day) == .init(settled: money(7), reserved: .zero))
    #expect(ledger.lastSequence == 4)
  }

  @Test func aChargeBeyondTheRangeStaysAtItsEnd() {
    var ledger = Ledger()
    for event in [reserve(1, 0), settle(2, 1, .max), reserve(3, 0), settle(4, 3, .max)] {
      ledger.apply(event)
    }
    #expect(ledger.account(day).settled.money.nanodollars == .max)
  }

  @Test func whatIsFollowedStaysOpenAfterACrashAndEndsOnce() {
    var ledger = Ledger()
    for event in [reserve(1, 10), reserve(2, 20)] { ledger.apply(event) }
    let followed = LedgerEvent(
      sequence: 3, at: Timestamp(milliseconds: 0), kind: .followed(CallID(1), Self.job))
    ledger.apply(followed)
    ledger.apply(followed)
    // Of a call that is not open there is nothing to follow.
    ledger.apply(
      LedgerEvent(
        sequence: 4, at: Timestamp(milliseconds: 0), kind: .followed(CallID(9), Self.job)))
    #expect(ledger.followed == [CallID(1): Self.job])
    var admission = Admission(policies: [], ledger: ledger)
    let events = admission.expireOpen(at: Timestamp(milliseconds: 9))
    #expect(events.map(\.kind) == [.expired(CallID(2), charge: Money(nanodollars: 20))])
    #expect(
      admission.ledger.account(day)
        == .init(settled: money(20), reserved: money(10)))
    let settled = admission.settle(
      followed: CallID(1), charge: Money(nanodollars: 7), outcome: Self.outcome,
      at: Timestamp(milliseconds: 9))
    #expect(settled != nil)
    let again = admission.release(
      followed: CallID(1), outcome: Self.outcome, at: Timestamp(milliseconds: 9))
    #expect(again == nil)
    #expect(
      admission.ledger.account(day) == .init(settled: money(27), reserved: .zero))
    #expect(admission.ledger.followed.isEmpty && admission.ledger.open.isEmpty)
  }

  @Test func aJobsDeadlineIsItsKinds() {
    #expect(Self.job.deadline == Timestamp(milliseconds: 5 + 86_400_000))
  }

  @Test func afterACrashWhatWasOpenIsChargedAtItsEstimate() {
    var ledger = Ledger()
    for event in [reserve(1, 10), reserve(2, 20), settle(3, 1, 4)] { ledger.apply(event) }
    var admission = Admission(policies: [], ledger: ledger)
    let events = admission.expireOpen(at: Timestamp(milliseconds: 9))
    #expect(events.map(\.kind) == [.expired(CallID(2), charge: Money(nanodollars: 20))])
    #expect(
      admission.ledger.account(day) == .init(settled: money(24), reserved: .zero))
    #expect(admission.expireOpen(at: Timestamp(milliseconds: 9)).isEmpty)
  }
}
