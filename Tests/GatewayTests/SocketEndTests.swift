// WebSockets whose next response may not begin: it began all the same, or its key is gone.

import Metering
import TestSupport
import Testing

@testable import Gateway

@Suite struct SocketEndTests {
  /// The upstream begins a second response beside the first, and there is money for one: it cannot
  /// be kept from beginning, and it is not free.
  @Test(arguments: [
    (SocketTests.most + SocketTests.most / 2, Int64(9)), (SocketTests.most * 9, Int64(1)),
  ])
  func aResponseThatNothingWasReservedForIsADebt(money: Int64, calls: Int64) async throws {
    let upstream = try ScriptedUpstream { _ in
      [
        .send(SocketTests.opened), .bytes(SocketTests.began), .bytes(SocketTests.began),
        .expectClose,
      ]
    }
    let purse = WindowEdges(
      start: Timestamp(milliseconds: 0), end: Timestamp(milliseconds: .max), id: "purse",
      endText: "")
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, capNanodollars: money,
      policy: {
        $0.budgets.append(
          Budget(.app, id: "purse", caps: BudgetCaps(calls: calls), windows: .purse(purse)))
      })
    let port = fixture.port
    let bytes = try await onThread { () -> [UInt8] in
      let socket = try RawSocket(port: port)
      try socket.send(SocketTests.request())
      _ = try socket.receive(through: "\r\n\r\n")
      return try socket.receiveAll()
    }
    #expect(String(decoding: bytes, as: UTF8.self).contains("budget_exhausted"))
    try await fixture.quiet()
    #expect(fixture.account.settled.nanodollars == SocketTests.most * 2)
    #expect(fixture.account.reserved == .zero)
    let counted = fixture.gateway.ledger.account(
      AccountID(app: "team", budget: "purse", window: "purse"))
    #expect(counted.settled.calls == 2 && counted.reserved == .zero)
    #expect(try SocketTests.settled(fixture).allSatisfy { $0.outcome.usage.source == .estimated })
    try await fixture.stop()
    upstream.stop()
  }

  /// What is under way is finished and charged; nothing more begins, not even what was reserved.
  @Test(arguments: [true, false])
  func aRevokedKeysSessionEnds(isIdle: Bool) async throws {
    let one = SocketTests.began + SocketTests.done(input: 1_000, output: 100)
    let upstream = try ScriptedUpstream { _ in
      isIdle
        ? [.send(SocketTests.opened), .expectClose]
        : [.send(SocketTests.opened), .bytes(SocketTests.began), .receiveFrame]
          + [.bytes(SocketTests.done(input: 1_000, output: 100)), .expectClose]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let port = fixture.port
    let bytes = try await onThread { () -> [UInt8] in
      let socket = try RawSocket(port: port)
      try socket.send(SocketTests.request())
      _ = try socket.receive(through: "\r\n\r\n")
      let begun = isIdle ? [] : try socket.receive(count: SocketTests.began.count)
      try LateCallTests.revoke(fixture)
      if !isIdle { try socket.send([0x81, 0x80, 0, 0, 0, 0]) }
      return try begun + socket.receiveAll()
    }
    #expect(isIdle || Array(bytes.prefix(one.count)) == one)
    #expect(String(decoding: bytes, as: UTF8.self).contains("key_revoked"))
    try await fixture.quiet()
    #expect(
      try SocketTests.settled(fixture).map(\.charge.nanodollars) == (isIdle ? [] : [1_800_000]))
    #expect(fixture.account.reserved == .zero)
    try await fixture.stop()
    #expect(upstream.closesSeen == 1)
    upstream.stop()
  }
}
