// What callers see at a cap that lets pass or makes wait, and what calibrated calls hold.

import Foundation
import Metering
import Store
import TestSupport
import Testing

@testable import Gateway

@Suite struct GatewayAtCapTests {
  private static func answering(
    _ body: String = Script.completion()
  ) throws -> ScriptedUpstream {
    try ScriptedUpstream { _ in [.send(Script.json(body))] }
  }

  private static let request = GatewayFixture.request(GatewayFixture.body)

  private static func reserved(_ fixture: GatewayFixture) throws -> [LedgerEvent.Reserved] {
    try fixture.events().compactMap { event in
      if case .reserved(let reserved) = event.kind { reserved } else { nil }
    }
  }

  @Test func aCapThatLetsPassIsToldOfOnce() async throws {
    let upstream = try Self.answering()
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, capNanodollars: 30_000,
      policy: {
        $0.budgets[0].atCap = .alert
        $0.alertPercents = []
      })
    for _ in 0..<4 { #expect(try await fixture.call(Self.request).status == 200) }
    try await eventually { !fixture.crossings.all.isEmpty }
    let cap = Money(nanodollars: 30_000)
    #expect(fixture.account.settled > cap && fixture.account.reserved == .zero)
    try await fixture.stop()
    #expect(fixture.crossings.all.map(\.percent) == [100])
    #expect(fixture.crossings.all.map(\.isPassing) == [true])
  }

  @Test func aCapThatMakesWaitSaysHowLong() async throws {
    let upstream = try Self.answering()
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, capNanodollars: 420_000,
      policy: { $0.budgets[0].atCap = .throttle })
    var last: RawAnswer?
    for _ in 0..<30 where last?.status != 429 { last = try await fixture.call(Self.request) }
    let refused = try #require(last)
    #expect(refused.status == 429)
    #expect(refused.header("x-leeway-denial") == "budget_throttled")
    #expect(refused.header("retry-after") == "60")
    #expect(refused.header("x-should-retry") == "true")
    #expect(refused.text.contains("rate_limit_exceeded") && refused.text.contains("$"))
    try await fixture.stop()
    for event in try fixture.events() {
      guard case .refused(let refusal) = event.kind, let budget = refusal.budget else { continue }
      #expect(
        budget.settled.count + budget.reserved.count + budget.estimate.count > budget.cap.count)
    }
  }

  private static let calibration = Calibration(
    quantile: 9_000, overshootMax: Money(nanodollars: 100_000_000))

  @Test func aCalibratedCallHoldsWhatOthersCost() async throws {
    let upstream = try Self.answering()
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, policy: { $0.calibration = Self.calibration })
    for _ in 0..<11 { #expect(try await fixture.call(Self.request).status == 200) }
    try await fixture.stop()
    let reserved = try Self.reserved(fixture)
    let most = try #require(reserved.first).most
    #expect(reserved.map(\.most) == Array(repeating: most, count: 11))
    #expect(reserved[..<9].map(\.amounts.money) == Array(repeating: most, count: 9))
    // Each cost 10 tokens of input and 5 of output, of some 370.
    let cost = TestPrice.cost(input: 10, output: 5).nanodollars
    for call in reserved[9...] {
      #expect(call.amounts.money.nanodollars >= cost)
      #expect(call.amounts.money.nanodollars * 32 <= cost * 34)
      #expect(call.amounts.tokens == reserved[0].amounts.tokens, "tokens are held at their most")
    }
  }

  /// A gateway that starts learns from the store's calls; what nobody reports costs its bound.
  @Test func aRestartForgetsNothingAndSilenceCostsTheBound() async throws {
    let upstream = try Self.answering(#"{"choices":[]}"#)
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, policy: { $0.calibration = Self.calibration })
    let calls = (UInt64(0)..<9).map { number in
      var call = CallRow(
        call: CallID(number), state: .settled, app: "team", key: 1, upstream: "main",
        model: "gpt-test", at: GatewayFixture.now)
      call.usage = Usage(source: .reported)
      (call.charge, call.most) = (Money(nanodollars: 50), Money(nanodollars: 1_000))
      return call
    }
    fixture.gateway.learn(from: calls)
    #expect(try await fixture.call(Self.request).status == 200)
    try await fixture.quiet()
    let reserved = try #require(try Self.reserved(fixture).first)
    #expect(reserved.amounts.money.nanodollars * 19 < reserved.most.nanodollars)
    #expect(fixture.account.settled == reserved.most)
    try await fixture.stop()
  }
}
