// A delivery as a dialogue: what happens, what it answers.

import Alerting
import TestSupport
import Testing

@Suite struct DeliveryTests {
  static let policy = RetryPolicy(delayFirst: 1_000, delayMax: 8_000, ageMax: 60_000)

  /// Deliveries of these tests are not spread, so that pauses are round.
  private func delivery(attempts: Int = 0) -> Delivery {
    Delivery(
      raisedAt: 0, attempts: attempts, policy: RetryPolicy(delayFirst: 9, delayMax: 9, ageMax: 90))
  }

  @Test func acceptedAtOnce() {
    var delivery = delivery()
    #expect(delivery.begin(at: 0) == .send(attempt: 1))
    #expect(delivery.begin(at: 0) == .nothing)
    #expect(delivery.finish(.accepted, at: 5) == .delivered)
    #expect(delivery.state == .delivered(at: 5))
    // An end is an end.
    #expect(delivery.begin(at: 100) == .nothing)
    #expect(delivery.finish(.accepted, at: 100) == .nothing)
    #expect(delivery.attempts == 1)
  }

  @Test func aReceiverThatIsDownForAWhileGetsItLater() {
    var delivery = delivery()
    #expect(delivery.begin(at: 1) == .send(attempt: 1))
    #expect(delivery.finish(.failed(reason: "refused"), at: 2) == .retry(at: 11, reason: "refused"))
    #expect(delivery.begin(at: 10) == .wait(until: 11))
    #expect(delivery.begin(at: 11) == .send(attempt: 2))
    #expect(delivery.finish(.accepted, at: 12) == .delivered)
  }

  @Test func aReceiverThatSaysNeverIsNotAskedAgain() {
    var delivery = delivery()
    _ = delivery.begin(at: 0)
    let gone = AttemptResult.failed(
      reason: "no such mailbox", isPermanent: true, retryAfterMilliseconds: nil)
    #expect(delivery.finish(gone, at: 1) == .abandoned(reason: "no such mailbox"))
    #expect(delivery.begin(at: 1_000) == .nothing)
  }

  @Test func aReceiverThatNamesATimeIsLeftAlone() {
    var delivery = Delivery(raisedAt: 0, policy: Self.policy)
    _ = delivery.begin(at: 0)
    let busy = AttemptResult.failed(
      reason: "429", isPermanent: false, retryAfterMilliseconds: 7_000)
    #expect(delivery.finish(busy, at: 100) == .retry(at: 7_100, reason: "429"))
    // … but not longer than the longest pause.
    _ = delivery.begin(at: 7_100)
    let greedy = AttemptResult.failed(
      reason: "429", isPermanent: false, retryAfterMilliseconds: .max)
    #expect(delivery.finish(greedy, at: 7_200) == .retry(at: 15_200, reason: "429"))
  }

  @Test func itGivesUpAtItsAgeAndSaysWhy() {
    var delivery = delivery()
    var now: Int64 = 0
    var last = Delivery.FinishAction.nothing
    for _ in 0..<1_000 {
      guard case .send = delivery.begin(at: now) else { break }
      last = delivery.finish(.failed(reason: "down"), at: now)
      guard case .retry(let next, _) = last else { break }
      now = next
    }
    #expect(last == .abandoned(reason: "gave up after 11 attempt(s): down"))
    #expect(now == 90)
  }

  @Test func attemptsOfAProcessThatDiedCount() {
    var delivery = delivery(attempts: 4)
    #expect(delivery.begin(at: 0) == .send(attempt: 5))
  }

  @Test func pausesDoubleUpToTheLongest() {
    let pauses = (1...6).map { Self.policy.delay(afterAttempts: $0) }
    #expect(pauses == [1_000, 2_000, 4_000, 8_000, 8_000, 8_000])
    #expect(RetryPolicy().delay(afterAttempts: .max) == RetryPolicy().delayMax)
    let wide = RetryPolicy(delayFirst: 3, delayMax: .max, ageMax: .max)
    #expect(wide.delay(afterAttempts: 500) == .max)
  }

  @Test func deliveriesThatFailTogetherDoNotComeBackTogether() {
    let times = Set(
      (0..<50).compactMap { row -> Int64? in
        var delivery = Delivery(raisedAt: 0, spread: UInt64(row), policy: Self.policy)
        _ = delivery.begin(at: 0)
        guard case .retry(let at, _) = delivery.finish(.failed(reason: ""), at: 0) else {
          return nil
        }
        return at
      })
    #expect(times.count > 20)
    #expect(times.allSatisfy { (1_000...1_100).contains($0) })
  }

  @Test func whateverHappensAttemptsAreFewAndTheEndIsOne() throws {
    try checkProperty("delivery", over: 0...40_000, runs: 300) { pauses in
      var delivery = Delivery(raisedAt: 0, spread: 7, policy: Self.policy)
      var now: Int64 = 0
      var ends = 0
      for pause in pauses {
        now += pause
        guard case .send(let attempt) = delivery.begin(at: now) else { continue }
        try require(attempt == delivery.attempts, "attempt \(attempt)")
        switch delivery.finish(.failed(reason: "x"), at: now) {
        case .retry(let next, _):
          try require(next > now, "a retry in the past")
          try require(next <= 60_000, "a retry beyond the age")
        case .abandoned: ends += 1
        default: throw Falsified("a failure was no failure")
        }
      }
      try require(ends <= 1, "\(ends) ends")
      // 1 + 2 + 4 seconds, then 8 seconds each within the minute.
      try require(delivery.attempts <= 11, "\(delivery.attempts) attempts")
    }
  }
}
