// Calls that go wrong: who is told what, and what it costs.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Gateway

@Suite struct FailureTests {
  @Test func anUpstreamThatIsDeadCostsNothing() async throws {
    let dead = try DeadPort()
    let fixture = try await GatewayFixture(upstreamPort: dead.port)
    defer { withExtendedLifetime(dead) {} }
    let answer = try await fixture.call(GatewayFixture.request(GatewayFixture.body))
    #expect(answer.status == 502)
    #expect(answer.header("x-leeway-denial") == "upstream_connect_failed")
    #expect(answer.text.contains("'main'"))
    try await fixture.stop()
    #expect(fixture.account == .init())
    let kinds = try fixture.events().map(\.kind)
    guard kinds.count == 2, case .released(_, let outcome) = kinds[1] else {
      Issue.record("expected a reservation and its release, got \(kinds)")
      return
    }
    #expect(outcome.ending == .upstreamUnreachable)
  }

  @Test func aNameThatDoesNotResolveIsSaidSo() async throws {
    let fixture = try await GatewayFixture(
      upstreamPort: 0,
      upstreams: [
        GatewayUpstream(
          name: "main", dialect: .openai, isTLS: false, host: "nowhere.invalid", port: 80)
      ])
    let answer = try await fixture.call(GatewayFixture.request(GatewayFixture.body))
    #expect(answer.status == 502)
    #expect(answer.header("x-leeway-denial") == "upstream_name_unresolved")
    try await fixture.stop()
    #expect(fixture.account == .init())
  }

  @Test(arguments: [400, 429, 500, 503])
  func anErrorAnswerIsRelayedAndReleased(status: Int) async throws {
    let body = #"{"error":{"message":"no","type":"x"}}"#
    let upstream = try ScriptedUpstream { _ in
      [.send(Script.json(body, status: "\(status) Whatever", headers: "Retry-After: 7\r\n"))]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let answer = try await fixture.call(GatewayFixture.request(GatewayFixture.body))
    #expect(answer.status == status)
    #expect(answer.text == body)
    #expect(answer.header("retry-after") == "7")
    try await fixture.stop()
    #expect(fixture.account == .init())
    #expect(fixture.gateway.snapshot().apps[0].counts.errors == 1)
  }

  @Test func aStreamCutInTheMiddleCutsTheCallerAndIsChargedAtItsEstimate() async throws {
    let upstream = try ScriptedUpstream { _ in
      [
        .send(Script.streamHead), .send(Script.chunk(Script.event("half"))),
        .pause(milliseconds: 50), .reset,
      ]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let port = fixture.port
    let text = try await onThread {
      let socket = try RawSocket(port: port)
      try socket.send(GatewayFixture.request(GatewayFixture.streamBody))
      return String(decoding: try socket.receiveAll(), as: UTF8.self)
    }
    #expect(text.contains("half"))
    #expect(!text.hasSuffix(Script.lastChunk), "half an answer looks whole")
    try await fixture.stop()
    let settled = try #require(try fixture.settlement())
    #expect(settled.outcome.usage.source == .estimated)
    #expect(settled.outcome.ending == .upstreamError)
    #expect(settled.charge >= TestPrice.cost(input: 0, output: 20))
  }

  @Test func aCutAfterTheUsageIsChargedAsReported() async throws {
    let upstream = try ScriptedUpstream { _ in
      [
        .send(Script.streamHead), .send(Script.chunk(Script.event("a") + Script.usageEvent)),
        .pause(milliseconds: 50), .reset,
      ]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let port = fixture.port
    _ = try await onThread {
      let socket = try RawSocket(port: port)
      try socket.send(GatewayFixture.request(GatewayFixture.streamBody))
      return try socket.receiveAll()
    }
    try await fixture.stop()
    #expect(try fixture.settlement()?.charge == TestPrice.cost(input: 10, output: 7))
    #expect(try fixture.settlement()?.outcome.usage.source == .reported)
  }

  @Test func aCallerThatLeavesIsDrainedForTheUsage() async throws {
    let gate = Gate()
    let upstream = try ScriptedUpstream { _ in
      [
        .send(Script.streamHead), .send(Script.chunk(Script.event("a"))), .wait(gate),
        .send(Script.chunk(Script.event("b") + Script.usageEvent + Script.done)),
        .send(Script.lastChunk),
      ]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let port = fixture.port
    try await onThread {
      let socket = try RawSocket(port: port)
      try socket.send(GatewayFixture.request(GatewayFixture.streamBody))
      _ = try socket.receive(through: "\"a\"")
      socket.reset()
      usleep(200_000)
      gate.open()
    }
    try await fixture.quiet()
    try await fixture.stop()
    let settled = try #require(try fixture.settlement())
    #expect(settled.charge == TestPrice.cost(input: 10, output: 7))
    #expect(settled.outcome.ending == .clientGone)
    #expect(settled.outcome.usage.source == .reported)
  }

  @Test func aDrainThatTakesTooLongIsChargedAtItsEstimate() async throws {
    let upstream = try ScriptedUpstream { _ in
      [.send(Script.streamHead), .send(Script.chunk(Script.event("a"))), .expectClose]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port) { $0.drainSeconds = 1 }
    let port = fixture.port
    try await onThread {
      let socket = try RawSocket(port: port)
      try socket.send(GatewayFixture.request(GatewayFixture.streamBody))
      _ = try socket.receive(through: "\"a\"")
      socket.close()
    }
    try await fixture.quiet()
    try await eventually { upstream.closesSeen == 1 }
    try await fixture.stop()
    let settled = try #require(try fixture.settlement())
    #expect(settled.outcome.ending == .clientGone)
    #expect(settled.outcome.usage.source == .estimated)
  }

  @Test func anUpstreamThatDoesNotAnswerTimesOut() async throws {
    let upstream = try ScriptedUpstream { _ in [.expectClose] }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port) {
      $0.answerTimeoutSeconds = 1
    }
    let answer = try await fixture.call(GatewayFixture.request(GatewayFixture.body))
    #expect(answer.status == 504)
    try await fixture.stop()
    let settled = try #require(try fixture.settlement())
    #expect(settled.outcome.ending == .timeout)
    #expect(settled.outcome.usage.source == .estimated)
  }

  @Test func aStaleConnectionIsReplacedWithoutTheCallerNoticing() async throws {
    let upstream = try ScriptedUpstream { request in
      // The first connection dies on its second request, before a byte of an answer.
      request.connection == 0 && request.number == 1
        ? [.reset] : [.send(Script.json(Script.completion()))]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port) { $0.loops = 1 }
    for _ in 0..<2 {
      #expect(
        try await fixture.call(GatewayFixture.request(GatewayFixture.body)).status == 200)
    }
    #expect(upstream.requests.map(\.connection) == [0, 0, 1])
    try await fixture.stop()
    #expect(fixture.account.settled == TestPrice.cost(input: 20, output: 10))
  }

  /// The upstream took the request and worked on it: sent again, it would be billed twice.
  @Test func aPooledConnectionThatDiesAtWorkIsChargedAndNotRetried() async throws {
    let upstream = try ScriptedUpstream { request in
      request.connection == 0 && request.number == 1
        ? [.pause(milliseconds: 1_300), .close] : [.send(Script.json(Script.completion()))]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port) { $0.loops = 1 }
    #expect(try await fixture.call(GatewayFixture.request(GatewayFixture.body)).status == 200)
    #expect(try await fixture.call(GatewayFixture.request(GatewayFixture.body)).status == 502)
    #expect(upstream.requests.map(\.connection) == [0, 0])
    try await fixture.stop()
    let sources = try fixture.events().compactMap { event -> UsageSource? in
      if case .settled(let settled) = event.kind { settled.outcome.usage.source } else { nil }
    }
    #expect(sources == [.reported, .estimated])
    #expect(fixture.account.settled > TestPrice.cost(input: 10, output: 5 + 20))
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "HTTP/1.1 101 Switching Protocols\r\n\r\n", "ICY 200 OK\r\n\r\n", "rubbish\n\n",
  ])
  func anAnswerThatIsNotHTTPBecomesABadGateway(answer: String) async throws {
    let upstream = try ScriptedUpstream { _ in [.send(answer), .expectClose] }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let received = try await fixture.call(GatewayFixture.request(GatewayFixture.body))
    #expect(received.status == 502)
    #expect(received.header("x-leeway-denial") == "upstream_answer_invalid")
    try await eventually { upstream.closesSeen == 1 }
    try await fixture.stop()
  }

  @Test func bytesBehindAnAnswerAreNeverTheNextOne() async throws {
    let upstream = try ScriptedUpstream { _ in
      [.send(Script.json(Script.completion()) + Script.json(#"{"forged":true}"#))]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port) { $0.loops = 1 }
    for _ in 0..<2 {
      let answer = try await fixture.call(GatewayFixture.request(GatewayFixture.body))
      #expect(answer.text == Script.completion())
    }
    #expect(upstream.requests.map(\.connection) == [0, 1])
    try await fixture.stop()
  }

  @Test func shutdownLetsACallEndAndSettlesTheRest() async throws {
    let gate = Gate()
    let upstream = try ScriptedUpstream { request in
      request.text.contains("slow")
        ? [.send(Script.streamHead), .send(Script.chunk(Script.event("a"))), .expectClose]
        : [.wait(gate), .send(Script.json(Script.completion()))]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port) {
      $0.shutdownGraceSeconds = 1
    }
    let slow = GatewayFixture.streamBody.replacingOccurrences(of: "hi", with: "slow")
    async let ends = fixture.call(GatewayFixture.request(GatewayFixture.body))
    let port = fixture.port
    async let cut = onThread {
      let socket = try RawSocket(port: port)
      try socket.send(GatewayFixture.request(slow))
      return try socket.receiveAll()
    }
    try await eventually { upstream.requests.count == 2 }
    try await Task.sleep(for: .milliseconds(100))
    gate.open()
    try await fixture.stop()
    #expect(try await ends.status == 200)
    #expect(try await !String(decoding: cut, as: UTF8.self).hasSuffix(Script.lastChunk))
    let endings = try fixture.events().compactMap { event -> CallEnding? in
      if case .settled(let settled) = event.kind { settled.outcome.ending } else { nil }
    }
    #expect(Set(endings) == [.completed, .shutdown])
    #expect(fixture.account.reserved == .zero)
  }
}
