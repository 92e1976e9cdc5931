// Calls that go well: what the upstream sends is what the caller gets, and its usage is what is
// charged.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Gateway

@Suite struct RelayTests {
  @Test func aPlainCallIsRelayedByteForByteAndChargedExactly() async throws {
    let upstream = try ScriptedUpstream { _ in [.send(Script.json(Script.completion()))] }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let answer = try await fixture.call(GatewayFixture.request(GatewayFixture.body))
    #expect(answer.status == 200)
    #expect(answer.text == Script.completion())
    #expect(answer.header("content-type") == "application/json")
    #expect(answer.header("x-leeway-call") == "1")
    // The settlement was in the file before the caller had the last byte.
    #expect(fixture.journal.lastFlushed == 2)
    try await fixture.stop()
    let settled = try #require(try fixture.settlement())
    #expect(settled.charge == TestPrice.cost(input: 10, output: 5))
    #expect(settled.outcome.usage.source == .reported)
    #expect(settled.outcome.responseModel == "gpt-test")
    #expect(fixture.account.settled == settled.charge)
    #expect(fixture.account.reserved == .zero)
  }

  @Test func theUpstreamGetsTheBodyUntouchedAndItsOwnCredential() async throws {
    let upstream = try ScriptedUpstream { _ in [.send(Script.json(Script.completion()))] }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let headers =
      "X-Custom: kept\r\nConnection: x-secret-hop\r\nX-Secret-Hop: gone\r\nTE: trailers\r\n"
      + "Accept-Encoding: gzip, zstd\r\nx-api-key: \(GatewayFixture.key)\r\n"
      + "X-Goog-FieldMask: candidates\r\n"
    _ = try await fixture.call(
      GatewayFixture.request(
        GatewayFixture.body, path: "/main/v1/chat/completions?a=1", headers: headers))
    let request = try #require(upstream.requests.first)
    #expect(request.text == GatewayFixture.body)
    #expect(request.head.hasPrefix("POST /v1/chat/completions?a=1 HTTP/1.1\r\n"))
    let lower = request.head.lowercased()
    #expect(lower.contains("\r\nhost: 127.0.0.1:\(upstream.port)\r\n"))
    #expect(lower.contains("\r\nx-custom: kept\r\n"))
    #expect(lower.contains("\r\naccept-encoding: identity\r\n"))
    #expect(request.head.contains("authorization: Bearer \(GatewayFixture.credential)\r\n"))
    for absent in [
      "x-secret-hop", "\r\nte:", "gzip", "lw_test", "x-api-key", "connection", "fieldmask",
    ] {
      #expect(!lower.contains(absent), "the upstream got '\(absent)'")
    }
    try await fixture.stop()
  }

  @Test func aStreamWhoseUsageWasAskedForIsByteIdentical() async throws {
    let events =
      Script.event("a") + Script.event("b") + Script.usageEvent + Script.done
    let upstream = try ScriptedUpstream { _ in
      let chunks = events.utf8.map { Script.chunk(String(UnicodeScalar($0))) }
      return [.send(Script.streamHead)] + chunks.map { .send($0) } + [.send(Script.lastChunk)]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let body = GatewayFixture.streamBody.replacingOccurrences(
      of: #""stream":true"#, with: #""stream":true,"stream_options":{"include_usage":true}"#)
    let answer = try await fixture.call(GatewayFixture.request(body))
    #expect(answer.text == events)
    #expect(upstream.requests.first?.text == body)
    try await fixture.stop()
    #expect(try fixture.settlement()?.charge == TestPrice.cost(input: 10, output: 7))
  }

  @Test func aStreamsUsageIsAskedForAndHidden() async throws {
    let upstream = try ScriptedUpstream { _ in
      [
        .send(Script.streamHead), .send(Script.chunk(Script.event("a"))),
        .send(Script.chunk(Script.usageEvent)), .send(Script.chunk(Script.done)),
        .send(Script.lastChunk),
      ]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let answer = try await fixture.call(GatewayFixture.request(GatewayFixture.streamBody))
    #expect(answer.text == Script.event("a") + Script.done)
    let sent = try #require(upstream.requests.first)
    #expect(
      sent.text
        == #"{"stream_options":{"include_usage":true},"# + GatewayFixture.streamBody.dropFirst())
    try await fixture.stop()
    #expect(try fixture.settlement()?.charge == TestPrice.cost(input: 10, output: 7))
    #expect(try fixture.settlement()?.outcome.usage.source == .reported)
  }

  @Test func eventsArriveAsTheyComeNotAtTheEnd() async throws {
    let gate = Gate()
    let upstream = try ScriptedUpstream { _ in
      [
        .send(Script.streamHead), .send(Script.chunk(Script.event("first"))), .wait(gate),
        .send(Script.chunk(Script.usageEvent + Script.done)), .send(Script.lastChunk),
      ]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let port = fixture.port
    let rest = try await onThread {
      let socket = try RawSocket(port: port)
      try socket.send(GatewayFixture.request(GatewayFixture.streamBody))
      // The upstream holds its second half until this was read.
      _ = try socket.receive(through: "first")
      gate.open()
      return String(decoding: try socket.receive(through: "0\r\n\r\n"), as: UTF8.self)
    }
    #expect(rest.contains("[DONE]"))
    try await fixture.stop()
  }

  @Test func anHTTP10CallerGetsNoChunks() async throws {
    let upstream = try ScriptedUpstream { _ in
      [
        .send(Script.streamHead), .send(Script.chunk(Script.event("a"))),
        .send(Script.chunk(Script.usageEvent + Script.done)), .send(Script.lastChunk),
      ]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let request = GatewayFixture.request(GatewayFixture.streamBody)
      .replacingOccurrences(of: "HTTP/1.1", with: "HTTP/1.0")
    let answer = try await fixture.call(request)
    #expect(answer.header("transfer-encoding") == nil)
    #expect(answer.header("connection") == "close")
    #expect(answer.text == Script.event("a") + Script.done)
    try await fixture.stop()
  }

  @Test func interimAnswersAreSwallowed() async throws {
    let upstream = try ScriptedUpstream { _ in
      [
        .send("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"),
        .send(Script.json(Script.completion())),
      ]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let answer = try await fixture.call(GatewayFixture.request(GatewayFixture.body))
    #expect(answer.status == 200)
    #expect(answer.text == Script.completion())
    try await fixture.stop()
  }

  @Test func bodilessAnswersEndWithTheirHead() async throws {
    let upstream = try ScriptedUpstream { request in
      request.head.hasPrefix("HEAD")
        ? [.send("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n")]
        : [.send("HTTP/1.1 204 No Content\r\n\r\n")]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let port = fixture.port
    let answers = try await onThread {
      let socket = try RawSocket(port: port)
      let head = "Host: g\r\nAuthorization: Bearer \(GatewayFixture.freeKey)\r\n\r\n"
      try socket.send("HEAD /v1/models HTTP/1.1\r\n" + head)
      let first = try socket.answer(isBodiless: true)
      try socket.send("DELETE /v1/files/f1 HTTP/1.1\r\n" + head)
      return [first, try socket.answer()]
    }
    #expect(answers[0].header("content-length") == "1234")
    #expect(answers[1].status == 204)
    try await fixture.stop()
  }

  @Test func anAnswerThatEndsWithItsConnectionIsWhole() async throws {
    let upstream = try ScriptedUpstream { _ in
      [
        .send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"),
        .send(Script.completion()), .close,
      ]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let answer = try await fixture.call(GatewayFixture.request(GatewayFixture.body))
    #expect(answer.text == Script.completion())
    try await fixture.stop()
    #expect(try fixture.settlement()?.charge == TestPrice.cost(input: 10, output: 5))
  }

  @Test func aCodedAnswerIsRelayedAndChargedAsEstimated() async throws {
    let coded: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3, 4, 5]
    let upstream = try ScriptedUpstream { _ in
      [
        .send(
          "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(coded.count)\r\n\r\n"),
        .bytes(coded),
      ]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let answer = try await fixture.call(GatewayFixture.request(GatewayFixture.body))
    #expect(answer.body == coded)
    #expect(answer.header("content-encoding") == "gzip")
    try await fixture.stop()
    let settled = try #require(try fixture.settlement())
    #expect(settled.outcome.usage.source == .estimated)
    #expect(settled.charge >= TestPrice.cost(input: 10, output: 20))
    #expect(fixture.metrics.count(of: .answersUnreadable) == 1)
  }

  @Test func aPriceOfTheModelThatRanIsUsedWhereThereIsOne() async throws {
    let upstream = try ScriptedUpstream { _ in
      [.send(Script.json(Script.completion(output: 3, model: "gpt-test-2026-01-01")))]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    _ = try await fixture.call(GatewayFixture.request(GatewayFixture.body))
    try await fixture.stop()
    #expect(try fixture.settlement()?.charge == TestPrice.cost(input: 10, output: 3))
    #expect(try fixture.settlement()?.outcome.responseModel == "gpt-test-2026-01-01")
  }

  @Test func aGeminiKeyInTheQueryIsTakenAndNotSentOn() async throws {
    let upstream = try ScriptedUpstream { _ in [.send(Script.json("{}"))] }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    for query in ["?key=K", "?key=K&alt=sse", "?alt=sse&key=K", "?a=1&key=K&b=2"] {
      let path = "/main/v1/models" + query.replacingOccurrences(of: "K", with: GatewayFixture.key)
      let answer = try await fixture.call("GET \(path) HTTP/1.1\r\nHost: g\r\n\r\n")
      #expect(answer.status == 200)
    }
    let targets = upstream.requests.map { $0.head.split(separator: " ")[1] }
    #expect(
      targets == ["/v1/models", "/v1/models?alt=sse", "/v1/models?alt=sse", "/v1/models?a=1&b=2"])
    try await fixture.stop()
  }

  @Test func aChargeAboveTheReservationIsChargedInFull() async throws {
    let upstream = try ScriptedUpstream { _ in
      [.send(Script.json(Script.completion(output: 50_000)))]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let answer = try await fixture.call(GatewayFixture.request(GatewayFixture.body))
    #expect(answer.status == 200)
    #expect(fixture.account.settled == TestPrice.cost(input: 10, output: 50_000))
    #expect(fixture.gateway.snapshot().apps[0].counts.debts == 1)
    try await fixture.stop()
  }
}
