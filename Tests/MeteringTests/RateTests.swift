// Rates against a model that counts every millisecond, and the rules that scripts do not vary.

import TestSupport
import Testing

@testable import Metering

/// One step of a random script.
private enum RateStep: CustomStringConvertible {
  case admit(key: Int64, tokens: Int64, amount: Int64)
  case settle(pick: Int, tokens: Int64)
  case release(pick: Int)
  case follow(pick: Int)
  case pass(milliseconds: Int64)

  static func random(_ generator: inout SeededGenerator) -> RateStep {
    switch generator.int(0...9) {
    case 0...4:
      .admit(
        key: generator.int(Int64(1)...2), tokens: generator.pick([0, 1, 7, 20, 21, 40, 61]),
        amount: generator.pick([1, 1, 1, 50]))
    case 5, 6: .settle(pick: generator.int(0...20), tokens: generator.pick([0, 1, 7, 20, 90]))
    case 7: .release(pick: generator.int(0...20))
    case 8: generator.chance(0.2) ? .follow(pick: generator.int(0...20)) : .pass(milliseconds: 1)
    default: .pass(milliseconds: generator.int(0...9_000))
    }
  }

  var description: String {
    switch self {
    case .admit(let key, let tokens, let amount): "admit \(tokens) tokens, $\(amount), key \(key)"
    case .settle(let pick, let tokens): "settle #\(pick) at \(tokens) tokens"
    case .release(let pick): "release #\(pick)"
    case .follow(let pick): "follow #\(pick)"
    case .pass(let span): "\(span) ms pass"
    }
  }
}

/// Buckets that drip every millisecond, and lists of what is under way.
private struct NaiveRates {
  struct Meter {
    var limits: RateLimits
    var calls = 0
    var tokens = 0
    var open = 0

    init(_ limits: RateLimits) {
      self.limits = limits
      calls = Int(limits.callsPerMinute ?? 0) * 60_000
      tokens = Int(limits.tokensPerMinute ?? 0) * 60_000
    }

    mutating func drip() {
      let (most, all) = (Int(limits.callsPerMinute ?? 0), Int(limits.tokensPerMinute ?? 0))
      calls = min(calls + most, most * 60_000)
      tokens = min(tokens + all, all * 60_000)
    }

    func refusal(_ asked: Int64) -> String? {
      if let most = limits.concurrentCalls, open >= most { return "concurrency_limited" }
      if limits.callsPerMinute != nil, calls < 60_000 { return "rate_limited" }
      if limits.tokensPerMinute != nil, tokens < Int(asked) * 60_000 { return "rate_limited" }
      return nil
    }

    mutating func use(_ asked: Int64) {
      let all = Int(limits.tokensPerMinute ?? 0) * 60_000
      tokens = max(min(tokens - Int(asked) * 60_000, all), -all)
    }
  }

  var app = Meter(RateTests.limits)
  /// Keys that have called, as of then.
  var keys: [Int64: Meter] = [:]
  var taken: Int64 = 0
  var open: [(key: Int64, tokens: Int64, amount: Int64)] = []

  mutating func pass(_ span: Int64) {
    for _ in 0..<span {
      app.drip()
      for key in keys.keys { keys[key]?.drip() }
    }
  }

  mutating func answer(_ key: Int64, _ tokens: Int64, _ amount: Int64) -> String {
    if let refusal = app.refusal(tokens) { return refusal }
    if keys[key] == nil { keys[key] = Meter(RateTests.limitsPerKey) }
    if let refusal = keys[key]?.refusal(tokens) { return refusal }
    guard taken + amount <= RateTests.cap else { return "budget_exhausted" }
    taken += amount
    open.append((key, tokens, amount))
    for meter in [\NaiveRates.app, \.keys[key]!] as [WritableKeyPath<NaiveRates, Meter>] {
      self[keyPath: meter].open += 1
      self[keyPath: meter].calls -= 60_000
      self[keyPath: meter].use(tokens)
    }
    return "admitted"
  }

  mutating func end(_ index: Int, used: Int64?, charge: Int64) {
    let call = open.remove(at: index)
    taken += charge - call.amount
    for meter in [\NaiveRates.app, \.keys[call.key]!] as [WritableKeyPath<NaiveRates, Meter>] {
      self[keyPath: meter].open -= 1
      if let used { self[keyPath: meter].use(used - call.tokens) }
    }
  }
}

@Suite struct RateTests {
  static let limits = RateLimits(callsPerMinute: 20, tokensPerMinute: 60, concurrentCalls: 4)
  static let limitsPerKey = RateLimits(callsPerMinute: 9, tokensPerMinute: 40, concurrentCalls: 3)
  static let cap: Int64 = 100

  private static func admission(
    _ limits: RateLimits = limits, perKey: RateLimits = RateLimits(), cap: Int64 = cap
  ) -> Admission {
    var policy = AppPolicy(
      app: "a",
      budgets: [
        Budget(
          .app, id: "purse", caps: BudgetCaps(money: Money(nanodollars: cap)),
          windows: .purse(
            WindowEdges(
              start: Timestamp(milliseconds: .min), end: Timestamp(milliseconds: .max), id: "p",
              endText: "")))
      ])
    policy.rates = limits
    policy.ratesPerKey = perKey
    return Admission(policies: [policy], ledger: Ledger())
  }

  private static func request(
    key: Int64 = 1, tokens: Int64? = 0, amount: Int64 = 1
  ) -> AdmissionRequest {
    var request = AdmissionRequest(
      app: 0, key: key, upstream: "u", model: "m", isStream: false,
      bound: .atMost(Money(nanodollars: amount)))
    request.tokens = tokens
    return request
  }

  private static func outcome(_ tokens: Int64) -> CallOutcome {
    var outcome = LedgerTests.outcome
    outcome.usage = Usage(source: .reported)
    outcome.usage.inputUncached = tokens
    return outcome
  }

  @Test func ratesAreTheNaiveOnes() throws {
    var reached: Set<String> = []
    try checkProperty(
      "rates", runs: 250, countMax: 80, generate: RateStep.random
    ) { steps in
      var admission = Self.admission(perKey: Self.limitsPerKey)
      var naive = NaiveRates()
      var now = Timestamp(milliseconds: 1_795_000_000_000)
      var held: [Held] = []
      for step in steps {
        switch step {
        case .pass(let span):
          now = now.adding(milliseconds: span)
          naive.pass(span)
        case .admit(let key, let tokens, let amount):
          let expected = naive.answer(key, tokens, amount)
          reached.insert(expected)
          let request = Self.request(key: key, tokens: tokens, amount: amount)
          switch admission.admit(request, at: now) {
          case .admitted(let reservation, _):
            held.append(Held(reservation))
            try require(expected == "admitted", "admitted; the model says \(expected)")
          case .denied(let denial, _):
            try require(denial.code == expected, "\(denial.code); the model says \(expected)")
          case .tooLarge: throw Falsified("too large")
          }
        case .settle(let pick, let tokens):
          guard !held.isEmpty else { continue }
          let index = pick % held.count
          guard let reservation = held.remove(at: index).reservation.take() else { continue }
          naive.end(index, used: tokens, charge: 0)
          _ = admission.settle(
            reservation, charge: .zero, outcome: Self.outcome(tokens), at: now)
        case .release(let pick):
          guard !held.isEmpty else { continue }
          let index = pick % held.count
          guard let reservation = held.remove(at: index).reservation.take() else { continue }
          naive.end(index, used: 0, charge: 0)
          _ = admission.release(reservation, outcome: Self.outcome(0), at: now)
        case .follow(let pick):
          guard !held.isEmpty else { continue }
          let index = pick % held.count
          guard let reservation = held.remove(at: index).reservation.take() else { continue }
          // Its money stays held; its slot does not.
          naive.end(index, used: nil, charge: naive.open[index].amount)
          _ = admission.follow(reservation, job: LedgerTests.job, at: now)
        }
      }
    }
    #expect(
      reached == ["admitted", "rate_limited", "concurrency_limited", "budget_exhausted"])
  }

  private static let noon = Timestamp(milliseconds: 1_795_000_000_000)

  private static func denial(
    _ admission: inout Admission, _ request: AdmissionRequest, at now: Timestamp = noon
  ) -> Denial? {
    switch admission.admit(request, at: now) {
    case .admitted(let reservation, _):
      _ = admission.settle(
        reservation, charge: .zero, outcome: outcome(request.tokens ?? 0), at: now)
      return nil
    case .denied(let denial, _): return denial
    case .tooLarge: return nil
    }
  }

  @Test func theRefusalSaysWhenAndNeverMoreThanAMinute() throws {
    var admission = Self.admission(RateLimits(callsPerMinute: 2))
    #expect(Self.denial(&admission, Self.request()) == nil)
    #expect(Self.denial(&admission, Self.request()) == nil)
    guard case .rateLimited(let refusal)? = Self.denial(&admission, Self.request()) else {
      Issue.record("a third call passed")
      return
    }
    #expect(refusal.retryAfterSeconds == 30)
    let denial = Denial.rateLimited(refusal)
    #expect(denial.httpStatus == 429 && denial.message.contains("Try again in 30 s"))
    #expect(
      Self.denial(&admission, Self.request(), at: Self.noon.adding(milliseconds: 29_999)) != nil)
    #expect(
      Self.denial(&admission, Self.request(), at: Self.noon.adding(milliseconds: 30_000)) == nil)
  }

  @Test func aCallThatCanNeverPassIsToldSo() throws {
    var admission = Self.admission(RateLimits(tokensPerMinute: 100))
    guard case .rateLimited(let refusal)? = Self.denial(&admission, Self.request(tokens: 101))
    else {
      Issue.record("it passed")
      return
    }
    #expect(refusal.waitMilliseconds == nil && refusal.retryAfterSeconds == nil)
    #expect(Denial.rateLimited(refusal).message.contains("can never pass"))
    #expect(Self.denial(&admission, Self.request(tokens: nil))?.code == "tokens_unbounded")
  }

  /// A provider that reports more than the bound makes the next calls wait, but not for ever.
  @Test func aDebtOfTokensIsPaidWithinTwoMinutes() throws {
    var admission = Self.admission(RateLimits(tokensPerMinute: 100))
    guard
      case .admitted(let reservation, _) = admission.admit(Self.request(tokens: 1), at: Self.noon)
    else { preconditionFailure("it fits") }
    _ = admission.settle(
      reservation, charge: .zero, outcome: Self.outcome(1_000_000), at: Self.noon)
    guard case .rateLimited(let refusal)? = Self.denial(&admission, Self.request(tokens: 50)) else {
      Issue.record("it passed")
      return
    }
    #expect(refusal.waitMilliseconds == 90_000 && refusal.retryAfterSeconds == nil)
    let later = Self.noon.adding(milliseconds: 90_000)
    #expect(Self.denial(&admission, Self.request(tokens: 50), at: later) == nil)
  }

  @Test func whatCostsNothingAndWhatIsOfABatchAsksNoTokens() throws {
    var admission = Self.admission(
      RateLimits(callsPerMinute: 1, tokensPerMinute: 10, concurrentCalls: 1))
    var free = Self.request(tokens: 0, amount: 0)
    free.calls = 0
    for _ in 0..<5 { #expect(Self.denial(&admission, free) == nil) }
    var batch = Self.request(tokens: 5_000)
    batch.isBatch = true
    #expect(Self.denial(&admission, batch) == nil)
    #expect(Self.denial(&admission, batch)?.code == "rate_limited", "it is a call")
  }

  /// Should a call's end be lost, its slot comes back all the same.
  @Test func aSlotIsALeaseWithAnAge() throws {
    var throttle = Throttle(Self.admission(RateLimits(concurrentCalls: 1)).policies)
    let request = Self.request()
    #expect(throttle.refusal(of: request, at: Self.noon) == nil)
    let first = throttle.take(request, for: CallID(1), at: Self.noon)
    let day = Self.noon.adding(milliseconds: Throttle.leaseMilliseconds)
    let before = day.adding(milliseconds: -1)
    #expect(throttle.refusal(of: request, at: before)?.unit == .concurrentCalls)
    #expect(throttle.refusal(of: request, at: day) == nil)
    // Its late end gives back nothing twice.
    let second = throttle.take(request, for: CallID(2), at: day)
    #expect(second == first, "the place is free")
    throttle.end(first, of: CallID(1), used: 0, at: day)
    #expect(throttle.refusal(of: request, at: day) != nil)
  }

  @Test func aClockThatIsPutBackNeitherFillsNorStops() throws {
    var bucket = TokenBucket(perMinute: 60, at: Self.noon)
    bucket.take(60)
    bucket.fill(at: Self.noon.adding(milliseconds: -5_000))
    bucket.fill(at: Self.noon)
    #expect(bucket.left == 0, "no second comes twice")
    let yesterday = Self.noon.adding(milliseconds: -86_400_000)
    bucket.fill(at: yesterday)
    bucket.fill(at: yesterday.adding(milliseconds: 3_000))
    #expect(bucket.left == 3)
  }

  @Test func whatIsLeftIsToldForAppAndKey() throws {
    var admission = Self.admission(
      RateLimits(callsPerMinute: 60, tokensPerMinute: 600, concurrentCalls: 5),
      perKey: RateLimits(callsPerMinute: 6))
    #expect(Self.denial(&admission, Self.request(tokens: 30)) == nil)
    let standing = admission.rateStanding(app: 0, key: 1, at: Self.noon)
    #expect(standing.map(\.left) == [59, 570, 5, 5])
    #expect(standing.map(\.fullInSeconds) == [1, 3, 0, 10])
    #expect(standing.map(\.isOfKey) == [false, false, false, true])
  }

  /// Text that is counted by its bytes may be counted by its tokens, before it is refused.
  @Test func tokensThatDoNotFitMayBeBoundedCloser() throws {
    var admission = Self.admission(RateLimits(tokensPerMinute: 100))
    guard
      case .tooLarge(let room) = admission.admit(
        Self.request(tokens: 400), mayTighten: true, at: Self.noon)
    else {
      Issue.record("it was not asked to be counted")
      return
    }
    #expect(room > .zero)
  }
}
