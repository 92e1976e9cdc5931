// WebSockets through the gateway: frames untouched, each response a call of its own.

import Foundation
import Metering
import TestSupport
import Testing
import Wire

@testable import Gateway

@Suite struct SocketTests {
  static let opened =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    + "Sec-WebSocket-Accept: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n"

  static func request(
    path: String = "/v1/realtime?model=gpt-voice", key: String = GatewayFixture.key
  ) -> String {
    "GET \(path) HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer \(key)\r\n"
      + "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n"
      + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nOpenAI-Beta: realtime=v1\r\n"
      + "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
  }

  static func text(_ message: String) -> [UInt8] {
    WebSocketFrame.text(Array(message.utf8))
  }

  static let began = text(#"{"type":"response.created","response":{"id":"r"}}"#)

  static func done(input: Int, output: Int) -> [UInt8] {
    text(
      #"{"type":"response.done","response":{"status":"completed","usage":{"input_tokens":\#(input)"#
        + #","output_tokens":\#(output),"output_token_details":{"audio_tokens":\#(output)}}}}"#)
  }

  /// What one response can cost: 1,000 tokens in and 100 out at their dearest.
  static let most: Int64 = 1_000 * 4_000 + 100 * 8_000

  static func settled(_ fixture: GatewayFixture) throws -> [LedgerEvent.Settled] {
    try fixture.events().compactMap { event in
      if case .settled(let settled) = event.kind { settled } else { nil }
    }
  }

  @Test func framesPassAndEachResponseIsSettled() async throws {
    let hello = Self.text(#"{"type":"session.created","session":{"model":"gpt-voice"}}"#)
    let audio = WebSocketFrame.text(
      Array(#"{"type":"response.output_audio.delta","delta":""#.utf8)
        + [UInt8](repeating: 0x41, count: 100_000) + Array("\"}".utf8))
    let all =
      hello + Self.began + audio + Self.done(input: 100, output: 7) + Self.began
      + Self.done(input: 200, output: 9)
    let upstream = try ScriptedUpstream { _ in
      [.send(Self.opened), .bytes(hello), .receiveFrame]
        + [.bytes(Array(all[hello.count...]))] + [.receiveFrame, .close]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let port = fixture.port
    let answer = try await onThread { () -> (String, [UInt8]) in
      let socket = try RawSocket(port: port)
      try socket.send(Self.request())
      let head = String(decoding: try socket.receive(through: "\r\n\r\n"), as: UTF8.self)
      try socket.send([0x81, 0x82, 1, 2, 3, 4, 0x7B ^ 1, 0x7D ^ 2])
      let frames = try socket.receive(count: all.count)
      try socket.send([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8])
      _ = try socket.receiveAll()
      return (head, frames)
    }
    #expect(answer.0.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
    #expect(answer.0.lowercased().contains("upgrade: websocket\r\n"))
    #expect(answer.0.contains("x3JJHMbDL1EzLkh9GBhXDw=="))
    #expect(answer.1 == all)
    #expect(upstream.frames == [Array("{}".utf8), [0x03, 0xE8]])
    let head = try #require(upstream.requests.first?.head.lowercased())
    #expect(head.hasPrefix("get /v1/realtime?model=gpt-voice http/1.1\r\n"))
    #expect(head.contains("upgrade: websocket\r\n"))
    #expect(head.contains("sec-websocket-key: aaaaaaaaaaaaaaaaaaaaaa==\r\n"))
    #expect(head.contains("openai-beta: realtime=v1\r\n"))
    #expect(!head.contains("sec-websocket-extensions"))
    #expect(!head.contains(GatewayFixture.key))
    try await fixture.quiet()
    let settled = try Self.settled(fixture)
    #expect(settled.map(\.charge.nanodollars) == [156_000, 272_000])
    #expect(settled.map(\.outcome.usage.outputAudio) == [7, 9])
    #expect(
      settled.allSatisfy { $0.outcome.status == 101 && $0.outcome.responseModel == "gpt-voice" })
    #expect(fixture.account.settled.nanodollars == 428_000)
    #expect(fixture.account.reserved == .zero)
    try await fixture.stop()
    upstream.stop()
  }

  /// Not even a session that never ends passes the cap: the next response is reserved before it
  /// can begin.
  @Test func theMoneyEndsTheSession() async throws {
    let upstream = try ScriptedUpstream { _ in
      [.send(Self.opened)]
        + (0..<50).map { _ in .bytes(Self.began + Self.done(input: 1_000, output: 100)) }
        + [.expectClose]
    }
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, capNanodollars: Self.most * 2)
    let port = fixture.port
    let bytes = try await onThread { () -> [UInt8] in
      let socket = try RawSocket(port: port)
      try socket.send(Self.request())
      _ = try socket.receive(through: "\r\n\r\n")
      return try socket.receiveAll()
    }
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.contains(#"{"type":"error","error":{"message":"#))
    #expect(text.contains("insufficient_quota"))
    #expect(text.contains("budget_exhausted"))
    try await fixture.quiet()
    let account = fixture.account
    #expect(account.settled.nanodollars <= Self.most * 2)
    #expect(account.settled.nanodollars > 0)
    #expect(account.reserved == .zero)
    #expect(upstream.closesSeen == 1)
    try await fixture.stop()
    upstream.stop()
  }

  /// A session that only listens spends, too: speech is transcribed by a model of its own.
  @Test func transcriptionsAloneEndWithTheMoney() async throws {
    let heard = Self.text(
      #"{"type":"conversation.item.input_audio_transcription.completed","item_id":"i","#
        + #""usage":{"type":"tokens","input_tokens":1000,"output_tokens":100,"#
        + #""total_tokens":1100}}"#)
    let upstream = try ScriptedUpstream { _ in
      [.send(Self.opened)] + (0..<200).map { _ in .bytes(heard) } + [.expectClose]
    }
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, capNanodollars: Self.most * 2)
    let port = fixture.port
    let bytes = try await onThread { () -> [UInt8] in
      let socket = try RawSocket(port: port)
      try socket.send(Self.request())
      _ = try socket.receive(through: "\r\n\r\n")
      return try socket.receiveAll()
    }
    #expect(String(decoding: bytes, as: UTF8.self).contains("budget_exhausted"))
    try await fixture.quiet()
    let account = fixture.account
    #expect(account.settled.nanodollars > 0 && account.settled.nanodollars <= Self.most * 2)
    #expect(account.reserved == .zero)
    let settled = try Self.settled(fixture)
    #expect(settled.count > 1 && settled.count < 200)
    #expect(settled[0].outcome.otherModels.map(\.usage.inputUncached) == [1_000])
    try await fixture.stop()
    upstream.stop()
  }

  /// Money for one response is enough for one: it is not cut for want of a next one's.
  @Test func theLastResponseIsWhole() async throws {
    let one = Self.began + Self.done(input: 1_000, output: 100)
    let upstream = try ScriptedUpstream { _ in
      [.send(Self.opened), .bytes(Self.began), .pause(milliseconds: 50)]
        + [.bytes(Self.done(input: 1_000, output: 100)), .expectClose]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port, capNanodollars: Self.most)
    let port = fixture.port
    let bytes = try await onThread { () -> [UInt8] in
      let socket = try RawSocket(port: port)
      try socket.send(Self.request())
      _ = try socket.receive(through: "\r\n\r\n")
      return try socket.receiveAll()
    }
    #expect(Array(bytes.prefix(one.count)) == one)
    #expect(String(decoding: bytes, as: UTF8.self).contains("insufficient_quota"))
    try await fixture.quiet()
    let settled = try Self.settled(fixture)
    #expect(settled.map(\.outcome.usage.source) == [.reported])
    #expect(settled.map(\.charge.nanodollars) == [1_800_000])
    try await fixture.stop()
    upstream.stop()
  }

  /// A session may make responses beside each other; each is reserved before it goes on.
  @Test func responsesBesideEachOtherAreEachReserved() async throws {
    let upstream = try ScriptedUpstream { _ in
      [.send(Self.opened), .bytes(Self.began + Self.began), .receiveFrame]
        + [.bytes(Self.done(input: 10, output: 1) + Self.done(input: 20, output: 2)), .close]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let port = fixture.port
    try await onThread {
      let socket = try RawSocket(port: port)
      try socket.send(Self.request())
      _ = try socket.receive(through: "\r\n\r\n")
      _ = try socket.receive(count: 2 * Self.began.count)
      let held = fixture.account.reserved.nanodollars
      if held != 2 * Self.most { throw SocketFault("\(held) held") }
      try socket.send([0x81, 0x80, 0, 0, 0, 0])
      _ = try socket.receiveAll()
    }
    try await fixture.quiet()
    #expect(try Self.settled(fixture).map(\.charge.nanodollars) == [18_000, 36_000])
    try await fixture.stop()
    upstream.stop()
  }

  @Test func aCallerThatLeavesCancelsAndPaysWhatWasUsed() async throws {
    let upstream = try ScriptedUpstream { _ in
      [.send(Self.opened), .bytes(Self.began), .receiveFrame]
        + [.bytes(Self.done(input: 50, output: 3)), .expectClose]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let port = fixture.port
    try await onThread {
      let socket = try RawSocket(port: port)
      try socket.send(Self.request())
      _ = try socket.receive(through: "\r\n\r\n")
      _ = try socket.receive(count: Self.began.count)
      socket.close()
    }
    try await eventually { !upstream.frames.isEmpty }
    #expect(upstream.frames.first == Array(#"{"type":"response.cancel"}"#.utf8))
    try await fixture.quiet()
    let settled = try Self.settled(fixture)
    #expect(settled.map(\.charge.nanodollars) == [74_000])
    #expect(settled.first?.outcome.usage.source == .reported)
    try await fixture.stop()
    upstream.stop()
  }

  @Test func aResponseThatIsNeverAccountedForIsChargedAtItsEstimate() async throws {
    let upstream = try ScriptedUpstream { _ in
      [.send(Self.opened), .bytes(Self.began), .close]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let port = fixture.port
    _ = try await onThread {
      let socket = try RawSocket(port: port)
      try socket.send(Self.request())
      return try socket.receiveAll()
    }
    try await fixture.quiet()
    let settled = try Self.settled(fixture)
    #expect(settled.map(\.charge.nanodollars) == [Self.most])
    #expect(settled.first?.outcome.usage.source == .estimated)
    #expect(fixture.account.reserved == .zero)
    try await fixture.stop()
    upstream.stop()
  }

  @Test func aSessionWithoutAResponseCostsNothing() async throws {
    let upstream = try ScriptedUpstream { _ in [.send(Self.opened), .expectClose] }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let port = fixture.port
    try await onThread {
      let socket = try RawSocket(port: port)
      try socket.send(Self.request())
      _ = try socket.receive(through: "\r\n\r\n")
      socket.close()
    }
    try await fixture.quiet()
    #expect(fixture.account == .init())
    #expect(try Self.settled(fixture).isEmpty)
    try await fixture.stop()
    upstream.stop()
  }

  @Test func frameFaultsEndTheSession() async throws {
    let upstream = try ScriptedUpstream { _ in
      [.send(Self.opened), .bytes(Self.began), .bytes([0xC1, 0x02, 0x7B, 0x7D]), .expectClose]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let port = fixture.port
    let bytes = try await onThread { () -> [UInt8] in
      let socket = try RawSocket(port: port)
      try socket.send(Self.request())
      _ = try socket.receive(through: "\r\n\r\n")
      return try socket.receiveAll()
    }
    #expect(bytes == Self.began)
    try await fixture.quiet()
    #expect(fixture.account.settled.nanodollars == Self.most)
    try await fixture.stop()
    upstream.stop()
  }

  /// Refused before anything is opened: what a socket's later messages ask for is not known.
  @Test(arguments: [
    ("/v1/responses", 400, "cost_unbounded"),
    ("/v1/realtime?model=gpt-open", 400, "cost_unbounded"),
    ("/v1/realtime?model=unheard-of", 403, "model_unpriced"),
  ])
  func whatCannotBeBoundedIsRefused(path: String, status: Int, code: String) async throws {
    let upstream = try ScriptedUpstream { _ in [.send(Self.opened)] }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let answer = try await fixture.call(Self.request(path: path))
    #expect(answer.status == status)
    #expect(answer.header("x-leeway-denial") == code)
    #expect(upstream.requests.isEmpty)
    try await fixture.stop()
    upstream.stop()
  }

  @Test func anAppWithoutABudgetMayOpenAnyAndIsMetered() async throws {
    let completed = Self.text(
      #"{"type":"response.completed","response":{"model":"gpt-test","usage":{"input_tokens":10,"#
        + #""output_tokens":5,"total_tokens":15}}}"#)
    let upstream = try ScriptedUpstream { _ in
      [.send(Self.opened), .bytes(completed), .close]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let port = fixture.port
    let bytes = try await onThread { () -> [UInt8] in
      let socket = try RawSocket(port: port)
      try socket.send(Self.request(path: "/v1/responses", key: GatewayFixture.freeKey))
      _ = try socket.receive(through: "\r\n\r\n")
      return try socket.receiveAll()
    }
    #expect(bytes == completed)
    try await fixture.quiet()
    let settled = try Self.settled(fixture)
    #expect(settled.map(\.outcome.responseModel) == ["gpt-test"])
    #expect(settled.map(\.charge) == [TestPrice.cost(input: 10, output: 5)])
    try await fixture.stop()
    upstream.stop()
  }

  @Test func aRefusedOpeningIsAnAnswerLikeAnyOther() async throws {
    let upstream = try ScriptedUpstream { _ in
      [.send(Script.json(#"{"error":{"message":"no"}}"#, status: "401 Unauthorized"))]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let answer = try await fixture.call(Self.request())
    #expect(answer.status == 401)
    try await fixture.quiet()
    #expect(fixture.account == .init())
    try await fixture.stop()
    upstream.stop()
  }

  /// Extensions were left out of the request; an upstream that answers with one would hide usage.
  @Test func anExtensionThatNobodyAskedForIsRefused() async throws {
    let upstream = try ScriptedUpstream { _ in
      [
        .send(
          Self.opened.replacing(
            "Upgrade: websocket", with: "Upgrade: websocket\r\nSec-WebSocket-Extensions: x")),
        .expectClose,
      ]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let answer = try await fixture.call(Self.request())
    #expect(answer.status == 502)
    #expect(answer.header("x-leeway-denial") == "upstream_answer_invalid")
    try await fixture.stop()
    upstream.stop()
  }

  @Test func theGatewaysEndIsSaid() async throws {
    let upstream = try ScriptedUpstream { _ in [.send(Self.opened), .expectClose] }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port) {
      $0.shutdownGraceSeconds = 0
    }
    let port = fixture.port
    async let bytes = onThread { () -> [UInt8] in
      let socket = try RawSocket(port: port)
      try socket.send(Self.request())
      _ = try socket.receive(through: "\r\n\r\n")
      return try socket.receiveAll()
    }
    try await eventually { !upstream.requests.isEmpty && !fixture.gateway.ledger.open.isEmpty }
    try await Task.sleep(for: .milliseconds(100))
    try await fixture.stop()
    #expect(try await bytes == WebSocketFrame.close(code: 1001, reason: "shutdown"))
    #expect(fixture.account == .init())
    upstream.stop()
  }
}
