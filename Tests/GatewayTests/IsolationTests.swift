// An app that is stopped at once: what its callers get, and what its calls cost.

import Foundation
import Metering
import TestSupport
import Testing
import Wire

@testable import Gateway
@testable import Providers

extension GatewayFixture {
  /// Stops app `team` by an order, as a person would.
  func isolate(reason: String = "Key lw_secret leaked.") throws {
    try database.placeOrder(
      action: .isolate("team"), actor: "mara", reason: reason, at: Self.now)
    try applyOrders()
  }

  func restore() throws {
    try database.placeOrder(action: .restore("team"), actor: "mara", reason: "", at: Self.now)
    try applyOrders()
  }

  private func applyOrders() throws {
    for order in try database.orders(after: gateway.lastOrder) { try gateway.apply(order) }
  }
}

@Suite struct IsolationTests {
  /// Sends a request, isolates the app once the upstream has sent what it sends, and reads what the
  /// caller gets to the end of its connection.
  private static func isolated(
    _ request: String, upstream: ScriptedUpstream, _ fixture: GatewayFixture, after text: String
  ) async throws -> String {
    let port = fixture.port
    return try await onThread {
      let socket = try RawSocket(port: port, patienceSeconds: 120)
      try socket.send(request)
      if text.isEmpty {
        while upstream.requests.isEmpty { usleep(1_000) }
        usleep(20_000)
        try fixture.isolate()
        return String(decoding: try socket.receiveAll(), as: UTF8.self)
      }
      let before = try socket.receive(through: text)
      try fixture.isolate()
      return String(decoding: before + (try socket.receiveAll()), as: UTF8.self)
    }
  }

  @Test func newCallsAreRefusedWithoutTheReasonUntilRestored() async throws {
    let upstream = try ScriptedUpstream { _ in [.send(Script.json(Script.completion()))] }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    try fixture.isolate()
    let answer = try await fixture.call(GatewayFixture.request(GatewayFixture.body))
    #expect(answer.status == 403)
    #expect(answer.header("x-leeway-denial") == "app_isolated")
    #expect(answer.header("x-should-retry") == "false")
    #expect(answer.text.contains("order \(fixture.gateway.lastOrder)"))
    #expect(!answer.text.contains("lw_secret"))
    let state = fixture.gateway.snapshot().apps[0]
    #expect(state.isolation?.actor == "mara" && state.cappedReason == nil)
    // Another app's calls pass.
    let other = GatewayFixture.request(GatewayFixture.body, key: GatewayFixture.freeKey)
    #expect(try await fixture.call(other).status == 200)
    try fixture.restore()
    #expect(
      try await fixture.call(GatewayFixture.request(GatewayFixture.body)).status == 200)
    try await fixture.stop()
    #expect(upstream.requests.count == 2)
  }

  @Test func aLiveStreamEndsWithAnErrorAndIsChargedWhatCame() async throws {
    let upstream = try ScriptedUpstream { _ in
      [
        .send(Script.streamHead), .send(Script.chunk(Script.event("hello") + Script.event("you"))),
        .expectClose,
      ]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let body = GatewayFixture.streamBody.replacingOccurrences(of: ":20", with: ":900")
    let answer = try await Self.isolated(
      GatewayFixture.request(body), upstream: upstream, fixture, after: "you")
    #expect(answer.contains(#"data: {"error":{"message":"This app is isolated"#))
    #expect(answer.contains(#""code":"app_isolated""#))
    // The stream ends as HTTP has it, and says nothing that looks like the answer's end.
    #expect(answer.hasSuffix("\n\n\r\n0\r\n\r\n") && !answer.contains("[DONE]"))
    try await eventually { upstream.closesSeen == 1 }
    try await fixture.quiet()
    let settled = try #require(try fixture.settlement())
    #expect(settled.outcome.ending == .isolated && settled.outcome.status == 200)
    #expect(settled.outcome.usage.source == .estimated)
    #expect(settled.outcome.usage.outputText == 8 + Settlement.inFlightTokens)
    let reserved = try #require(
      try fixture.events().compactMap { event in
        if case .reserved(let reserved) = event.kind { reserved.amounts.money } else { nil }
      }.first)
    #expect(settled.charge > .zero && settled.charge < reserved)
    #expect(fixture.account.reserved == .zero)
    try await fixture.stop()
  }

  @Test func anAnswerThatHasNotBegunIsARefusal() async throws {
    let upstream = try ScriptedUpstream { _ in [.expectClose] }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let answer = try await Self.isolated(
      GatewayFixture.request(GatewayFixture.body), upstream: upstream, fixture, after: "")
    #expect(answer.hasPrefix("HTTP/1.1 403 Forbidden\r\n"))
    #expect(answer.contains("x-leeway-denial: app_isolated\r\n"))
    try await eventually { upstream.closesSeen == 1 }
    try await fixture.quiet()
    // All of an answer that is not streamed may be under way.
    let settled = try #require(try fixture.settlement())
    #expect(settled.outcome.ending == .isolated && settled.outcome.status == 403)
    #expect(settled.outcome.usage.outputText == 20)
    try await fixture.stop()
  }

  /// Half an event, or half a document, cannot be followed by anything.
  @Test(arguments: [true, false]) func whatIsCutInHalfEndsWithItsConnection(
    isStream: Bool
  ) async throws {
    let half = #"data: {"id":"c1","model":"gpt-test","choi"#
    let upstream = try ScriptedUpstream { _ in
      isStream
        ? [.send(Script.streamHead), .send(Script.chunk(half)), .expectClose]
        : [.send(String(Script.json(Script.completion()).dropLast(9))), .expectClose]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    // A stream's half event stays here where the usage event is to be hidden.
    let asks = #""stream":true,"stream_options":{"include_usage":true}"#
    let body =
      isStream
      ? GatewayFixture.streamBody.replacingOccurrences(of: #""stream":true"#, with: asks)
      : GatewayFixture.body
    let answer = try await Self.isolated(
      GatewayFixture.request(body), upstream: upstream, fixture,
      after: isStream ? "choi" : "total_tok")
    #expect(!answer.contains("isolated") && !answer.hasSuffix("0\r\n\r\n"))
    try await fixture.quiet()
    #expect(try fixture.settlement()?.outcome.ending == .isolated)
    try await fixture.stop()
  }

  @Test func aHalfEventThatIsHeldBackIsForgotten() async throws {
    let upstream = try ScriptedUpstream { _ in
      [
        .send(Script.streamHead),
        .send(Script.chunk(Script.event("hello") + #"data: {"id":"c1","half"#)), .expectClose,
      ]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let answer = try await Self.isolated(
      GatewayFixture.request(GatewayFixture.streamBody), upstream: upstream, fixture,
      after: "hello")
    #expect(answer.contains(#"data: {"error":{"message":"This app is isolated"#))
    #expect(!answer.contains("half") && answer.hasSuffix("0\r\n\r\n"))
    try await fixture.stop()
  }

  @Test func aCallOfAnotherAppGoesOn() async throws {
    let gate = Gate()
    let upstream = try ScriptedUpstream { _ in
      [
        .send(Script.streamHead), .send(Script.chunk(Script.event("a"))), .wait(gate),
        .send(Script.chunk(Script.usageEvent + Script.done)), .send(Script.lastChunk),
      ]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let port = fixture.port
    let text = try await onThread {
      let socket = try RawSocket(port: port, patienceSeconds: 120)
      try socket.send(
        GatewayFixture.request(GatewayFixture.streamBody, key: GatewayFixture.freeKey))
      _ = try socket.receive(through: "\"a\"")
      try fixture.isolate()
      usleep(50_000)
      gate.open()
      return String(decoding: try socket.receive(through: Script.lastChunk), as: UTF8.self)
    }
    #expect(text.contains("[DONE]"))
    try await fixture.stop()
  }

  /// The caller has left, and its answer is read on for the usage: that ends, too.
  @Test func aDrainingCallEnds() async throws {
    let upstream = try ScriptedUpstream { _ in
      [.send(Script.streamHead), .send(Script.chunk(Script.event("hello"))), .expectClose]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let port = fixture.port
    try await onThread {
      let socket = try RawSocket(port: port, patienceSeconds: 120)
      try socket.send(GatewayFixture.request(GatewayFixture.streamBody))
      _ = try socket.receive(through: "hello")
      socket.close()
    }
    try await Task.sleep(for: .milliseconds(100))
    try fixture.isolate()
    try await eventually { upstream.closesSeen == 1 }
    try await fixture.quiet()
    let settled = try #require(try fixture.settlement())
    #expect(settled.outcome.ending == .isolated && settled.outcome.status == 0)
    try await fixture.stop()
  }

  @Test func itHoldsOverARestart() async throws {
    let upstream = try ScriptedUpstream { _ in [.send(Script.json(Script.completion()))] }
    let first = try await GatewayFixture(upstreamPort: upstream.port)
    try first.isolate()
    try await first.stop()
    let second = try await GatewayFixture(
      upstreamPort: upstream.port, directory: first.directory, database: first.database)
    let answer = try await second.call(GatewayFixture.request(GatewayFixture.body))
    #expect(answer.header("x-leeway-denial") == "app_isolated")
    // Not from the journal's tail alone.
    try second.database.fold(try second.events())
    #expect(try second.database.checkpoint().isolated["team"]?.reason == "Key lw_secret leaked.")
    try second.restore()
    try second.database.fold(try second.events())
    #expect(try second.database.checkpoint() == second.gateway.ledger)
    try await second.stop()
  }
}
