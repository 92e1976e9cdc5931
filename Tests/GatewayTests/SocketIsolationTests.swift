// A WebSocket whose app is stopped at once.

import Metering
import TestSupport
import Testing
import Wire

@testable import Gateway

@Suite struct SocketIsolationTests {
  private static let opened =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    + "Sec-WebSocket-Accept: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n"

  private static let request =
    "GET /v1/realtime?model=gpt-voice HTTP/1.1\r\nHost: gateway\r\n"
    + "Authorization: Bearer \(GatewayFixture.key)\r\nConnection: Upgrade\r\n"
    + "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"

  /// - Parameter end: a part of a frame that the upstream has sent last.
  @Test(arguments: [[], [0x81, 0x05, 0x41]] as [[UInt8]])
  func theSessionIsClosedAsAgainstPolicy(end: [UInt8]) async throws {
    let began = WebSocketFrame.text(
      Array(#"{"type":"response.created","response":{"id":"r"}}"#.utf8))
    let upstream = try ScriptedUpstream { _ in
      [.send(Self.opened), .bytes(began + end), .expectClose]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let port = fixture.port
    let rest = try await onThread { () -> [UInt8] in
      let socket = try RawSocket(port: port, patienceSeconds: 120)
      try socket.send(Self.request)
      _ = try socket.receive(through: "\r\n\r\n")
      _ = try socket.receive(count: began.count + end.count)
      try fixture.isolate()
      return try socket.receiveAll()
    }
    let close = WebSocketFrame.close(code: 1008, reason: "app_isolated")
    if end.isEmpty {
      #expect(rest.suffix(close.count).elementsEqual(close))
      #expect(String(decoding: rest, as: UTF8.self).contains("This app is isolated"))
    } else {
      // A frame that is under way cannot be ended.
      #expect(rest.isEmpty)
    }
    try await eventually { upstream.closesSeen == 1 }
    try await fixture.quiet()
    let settled = try #require(try fixture.settlement())
    #expect(settled.outcome.ending == .isolated)
    // What is held for a response under way: nothing tells how much of it has come.
    #expect(settled.charge.nanodollars == 1_000 * 4_000 + 100 * 8_000)
    #expect(fixture.account.reserved == .zero)
    try await fixture.stop()
  }
}
