// Rates through the gateway: what a caller is told, and what is left when a call has ended.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Gateway

@Suite struct RateLimitTests {
  private static func fixture(
    _ upstream: ScriptedUpstream, _ rates: RateLimits, perKey: RateLimits = RateLimits(),
    cap: Int64 = 1_000_000_000, clock: TestClock = TestClock()
  ) async throws -> GatewayFixture {
    try await GatewayFixture(
      upstreamPort: upstream.port, capNanodollars: cap, clock: clock,
      policy: { policy in (policy.rates, policy.ratesPerKey) = (rates, perKey) })
  }

  private static func answering() throws -> ScriptedUpstream {
    try ScriptedUpstream { _ in [.send(Script.json(Script.completion()))] }
  }

  private static let request = GatewayFixture.request(GatewayFixture.body)

  @Test func everyAnswerSaysWhatIsLeftAndTheRefusalWhenToComeBack() async throws {
    let upstream = try Self.answering()
    let clock = TestClock()
    let fixture = try await Self.fixture(
      upstream, RateLimits(callsPerMinute: 2), perKey: RateLimits(concurrentCalls: 5),
      clock: clock)
    let first = try await fixture.call(Self.request)
    #expect(first.status == 200)
    #expect(
      first.header("ratelimit-policy")
        == #""calls";q=2;w=60, "key-concurrent";q=5;qu="concurrent-requests""#)
    #expect(first.header("ratelimit") == #""calls";r=1;t=30, "key-concurrent";r=4"#)
    _ = try await fixture.call(Self.request)
    let refused = try await fixture.call(Self.request)
    #expect(refused.status == 429)
    #expect(refused.header("x-leeway-denial") == "rate_limited")
    #expect(refused.header("retry-after") == "30")
    #expect(refused.header("x-should-retry") == "true")
    #expect(refused.header("ratelimit") == #""calls";r=0;t=60, "key-concurrent";r=5"#)
    #expect(refused.text.contains("rate_limit_exceeded"))
    clock.advance(milliseconds: 30_000)
    #expect(try await fixture.call(Self.request).status == 200)
    #expect(upstream.requests.count == 3)
    try await fixture.stop()
  }

  /// A call holds some 370 tokens, most of them for its input's bytes, and uses 15.
  @Test func tokensThatWereNotUsedComeBack() async throws {
    let upstream = try Self.answering()
    let fixture = try await Self.fixture(upstream, RateLimits(tokensPerMinute: 1_000))
    for _ in 0..<5 { #expect(try await fixture.call(Self.request).status == 200) }
    let last = try await fixture.call(Self.request)
    let left = try #require(last.header("ratelimit"))
    // While it is under way a call holds its most: five that ended have used 15 each.
    #expect(left.hasPrefix(#""tokens";r="#) && !left.contains("r=925"))
    #expect(last.header("ratelimit-policy") == #""tokens";q=1000;w=60;qu="tokens""#)
    let standing = fixture.gateway.rateStanding(app: 0, key: 1)
    #expect(standing.map(\.left) == [1_000 - 6 * 15])
    try await fixture.stop()
  }

  @Test func aBudgetsRefusalTakesNothing() async throws {
    let upstream = try Self.answering()
    let fixture = try await Self.fixture(upstream, RateLimits(callsPerMinute: 5), cap: 10)
    for _ in 0..<9 {
      #expect(
        try await fixture.call(Self.request).header("x-leeway-denial") == "budget_exhausted")
    }
    #expect(fixture.gateway.rateStanding(app: 0, key: 1).map(\.left) == [5])
    try await fixture.stop()
  }

  /// However a call ends, its slot is free: the caller left, the upstream failed.
  @Test func aCallThatEndsFreesItsSlot() async throws {
    let upstream = try ScriptedUpstream { request in
      request.text.contains("leave") ? [.expectClose] : [.close]
    }
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, configure: { $0.drainSeconds = 0 },
      policy: { $0.rates = RateLimits(concurrentCalls: 1) })
    let port = fixture.port
    let leaving = GatewayFixture.request(
      GatewayFixture.body.replacingOccurrences(of: "hi", with: "leave"))
    try await onThread {
      let socket = try RawSocket(port: port)
      try socket.send(leaving)
      while upstream.requests.isEmpty { usleep(1_000) }
      socket.close()
    }
    try await fixture.quiet()
    #expect(try await fixture.call(Self.request).status == 502)
    #expect(try await fixture.call(Self.request).status == 502)
    try await fixture.stop()
  }

  @Test func oneTooManyAtOnceIsRefused() async throws {
    let gate = Gate()
    let upstream = try ScriptedUpstream { _ in
      [.wait(gate), .send(Script.json(Script.completion()))]
    }
    let fixture = try await Self.fixture(upstream, RateLimits(concurrentCalls: 1))
    async let first = fixture.call(Self.request)
    try await eventually { upstream.requests.count == 1 }
    let second = try await fixture.call(Self.request)
    #expect(second.header("x-leeway-denial") == "concurrency_limited")
    #expect(second.header("retry-after") == "1")
    gate.open()
    #expect(try await first.status == 200)
    try await fixture.stop()
  }
}
