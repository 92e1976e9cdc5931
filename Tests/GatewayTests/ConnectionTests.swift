// What a connection may do: keep alive, pipeline, wait to be told, be slow, be many.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Gateway

@Suite struct ConnectionTests {
  private static func echoing() throws -> ScriptedUpstream {
    try ScriptedUpstream { request in
      let mark = request.text.firstRange(of: "#").map { String(request.text[$0.upperBound...]) }
      return [.send(Script.json(Script.completion(model: "m" + (mark?.prefix(2) ?? ""))))]
    }
  }

  private static func marked(_ number: Int) -> String {
    GatewayFixture.body.replacingOccurrences(of: "hi", with: "#\(10 + number)")
  }

  @Test func connectionsAreKeptAndReusedOnBothSides() async throws {
    let upstream = try Self.echoing()
    let fixture = try await GatewayFixture(upstreamPort: upstream.port) { $0.loops = 1 }
    let port = fixture.port
    try await onThread {
      let socket = try RawSocket(port: port)
      for number in 0..<5 {
        try socket.send(GatewayFixture.request(Self.marked(number)))
        let answer = try socket.answer()
        #expect(answer.status == 200)
        #expect(answer.text.contains("\"m\(10 + number)\""))
      }
    }
    #expect(upstream.requests.map(\.connection) == [0, 0, 0, 0, 0])
    try await fixture.stop()
  }

  @Test func pipelinedRequestsAreServedInOrder() async throws {
    let upstream = try Self.echoing()
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let port = fixture.port
    try await onThread {
      let socket = try RawSocket(port: port)
      let requests = (0..<8).map { number in
        // A refusal in the middle must keep its place.
        GatewayFixture.request(number == 3 ? "no json" : Self.marked(number))
      }
      try socket.send(requests.joined())
      for number in 0..<8 {
        let answer = try socket.answer()
        #expect(answer.status == (number == 3 ? 400 : 200))
        if number != 3 { #expect(answer.text.contains("\"m\(10 + number)\"")) }
      }
    }
    try await fixture.stop()
    #expect(fixture.account.settled == TestPrice.cost(input: 70, output: 35))
  }

  @Test func aRequestInSingleBytesIsTheSameRequest() async throws {
    let upstream = try Self.echoing()
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let port = fixture.port
    let answer = try await onThread {
      let socket = try RawSocket(port: port)
      for byte in GatewayFixture.request(GatewayFixture.body).utf8 { try socket.send([byte]) }
      return try socket.answer()
    }
    #expect(answer.status == 200)
    #expect(upstream.requests.first?.text == GatewayFixture.body)
    try await fixture.stop()
  }

  @Test func aChunkedRequestGoesUpWithALength() async throws {
    let upstream = try Self.echoing()
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let body = GatewayFixture.body
    let request =
      "POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n"
      + "Authorization: Bearer \(GatewayFixture.key)\r\n\r\n"
      + Script.chunk(String(body.prefix(20))) + Script.chunk(String(body.dropFirst(20)))
      + Script.lastChunk
    #expect(try await fixture.call(request).status == 200)
    let sent = try #require(upstream.requests.first)
    #expect(sent.text == body)
    #expect(!sent.head.lowercased().contains("transfer-encoding"))
    try await fixture.stop()
  }

  @Test func continueIsSaidOnceHeadAndKeyPass() async throws {
    let upstream = try Self.echoing()
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let port = fixture.port
    func head(_ key: String) -> String {
      "POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\nExpect: 100-continue\r\n"
        + "Authorization: Bearer \(key)\r\n"
        + "Content-Length: \(GatewayFixture.body.utf8.count)\r\n\r\n"
    }
    let (good, bad) = (head(GatewayFixture.key), head("lw_unknown"))
    try await onThread {
      let socket = try RawSocket(port: port)
      try socket.send(good)
      #expect(try socket.answer().status == 100)
      try socket.send(GatewayFixture.body)
      #expect(try socket.answer().status == 200)
      let refused = try RawSocket(port: port)
      try refused.send(bad)
      #expect(try refused.answer().status == 401)
      #expect(try refused.receive() == nil)
    }
    #expect(upstream.requests.first.map { !$0.head.lowercased().contains("expect") } == true)
    try await fixture.stop()
  }

  @Test func slowHeadsAndBodiesAreCutOff() async throws {
    let upstream = try Self.echoing()
    let fixture = try await GatewayFixture(upstreamPort: upstream.port) {
      $0.headTimeoutSeconds = 1
      $0.bodyTimeoutSeconds = 1
    }
    let port = fixture.port
    try await onThread {
      let silent = try RawSocket(port: port)
      let head = try RawSocket(port: port)
      try head.send("POST /v1/chat/completions HTTP/1.1\r\nHost:")
      let body = try RawSocket(port: port)
      try body.send(String(GatewayFixture.request(GatewayFixture.body).dropLast(5)))
      #expect(try silent.receive() == nil)
      #expect(try head.answer().status == 408)
      #expect(try head.receive() == nil)
      #expect(try body.answer().status == 400)
      #expect(try body.receive() == nil)
    }
    #expect(upstream.requests.isEmpty)
    try await fixture.stop()
  }

  @Test func connectionsAboveTheLimitAreClosed() async throws {
    let upstream = try Self.echoing()
    let fixture = try await GatewayFixture(upstreamPort: upstream.port) {
      $0.connectionsMax = 2
    }
    let port = fixture.port
    try await onThread {
      let kept = try (0..<2).map { _ in try RawSocket(port: port) }
      for socket in kept {
        try socket.send(GatewayFixture.request(GatewayFixture.body))
        #expect(try socket.answer().status == 200)
      }
      let third = try RawSocket(port: port)
      #expect(try third.receive() == nil)
      kept[0].close()
      usleep(200_000)
      let fourth = try RawSocket(port: port)
      try fourth.send(GatewayFixture.request(GatewayFixture.body))
      #expect(try fourth.answer().status == 200)
    }
    #expect(fixture.metrics.count(of: .connectionsRefused) == 1)
    try await fixture.stop()
  }

  /// A caller that does not read stops the upstream, not the gateway's memory.
  @Test func aSlowReaderHoldsTheUpstreamBack() async throws {
    let total = 64 << 20
    let piece = String(repeating: "x", count: 1 << 20)
    let upstream = try ScriptedUpstream { _ in
      [.send("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")]
        + Array(repeating: .send(piece), count: 64)
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let port = fixture.port
    let socket = try await onThread {
      let socket = try RawSocket(port: port, receiveBufferBytes: 65_536)
      try socket.send(
        GatewayFixture.request("{}", key: GatewayFixture.freeKey, path: "/v1/files"))
      _ = try socket.receive(through: "\r\n\r\n")
      return socket
    }
    // The kernel's buffers on four socket ends fill, and then nothing moves.
    var before = -1
    while before != upstream.bytesSent {
      before = upstream.bytesSent
      try await Task.sleep(for: .milliseconds(500))
    }
    #expect(before < 24 << 20, "the gateway took \(before) bytes that nobody read")
    let received = try await onThread { try socket.receive(count: total - 0).count }
    #expect(received == total)
    try await fixture.stop()
  }

  @Test func aPipelineAboveTheHeadBoundIsNotRead() async throws {
    let gate = Gate()
    let upstream = try ScriptedUpstream { _ in
      [.wait(gate), .send(Script.json(Script.completion()))]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let port = fixture.port
    let request = GatewayFixture.request(GatewayFixture.body)
    let count = 400
    try await onThread {
      let socket = try RawSocket(port: port)
      let sender = Thread { try? socket.send(String(repeating: request, count: count)) }
      sender.start()
      usleep(300_000)
      gate.open()
      for _ in 0..<count { #expect(try socket.answer().status == 200) }
    }
    #expect(upstream.requests.count == count)
    try await fixture.stop()
  }
}
