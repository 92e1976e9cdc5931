// Calls between whose head and whose admission something has changed: the clock, the key.

import Metering
import Store
import TestSupport
import Testing
import Wire

@testable import Gateway

@Suite struct LateCallTests {
  /// Sends a head, waits until the gateway has looked at it, and sends the body after `between`.
  private static func slowCall(
    _ fixture: GatewayFixture, between: @escaping @Sendable () throws -> Void
  ) async throws -> RawAnswer {
    let port = fixture.port
    return try await onThread {
      let socket = try RawSocket(port: port, patienceSeconds: 120)
      let whole = GatewayFixture.request(
        GatewayFixture.body, headers: "Expect: 100-continue\r\n")
      let split = whole.count - GatewayFixture.body.count
      try socket.send(String(whole.prefix(split)))
      _ = try socket.receive(through: "100 Continue\r\n\r\n")
      try between()
      try socket.send(GatewayFixture.body)
      return try socket.answer()
    }
  }

  private static func upstream() throws -> ScriptedUpstream {
    try ScriptedUpstream { _ in [.send(Script.json(Script.completion()))] }
  }

  static func revoke(_ fixture: GatewayFixture) throws {
    let database = fixture.database
    let keys = try database.keys().filter { $0.app == "team" && $0.revokedAt == nil }
    for key in keys { try database.revokeKey(id: key.id, at: GatewayFixture.now) }
    for order in try database.orders(after: 0) { try fixture.gateway.apply(order) }
  }

  /// A quarter of an hour between head and body: rolling windows go by the clock, or the call would
  /// be counted in a slice that is over, and pass the cap.
  @Test func aSlowBodyIsAdmittedByTheClockAndNotByItsHead() async throws {
    let upstream = try Self.upstream()
    let clock = TestClock()
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, clock: clock,
      policy: {
        $0.budgets.append(
          Budget(
            .app, id: "last 20m", caps: BudgetCaps(calls: 1),
            windows: .rolling(RollingWindow(minutes: 20))))
      })
    let port = fixture.port
    let answer = try await Self.slowCall(fixture) {
      clock.advance(milliseconds: 15 * 60_000)
      let socket = try RawSocket(port: port, patienceSeconds: 120)
      try socket.send(GatewayFixture.request(GatewayFixture.body))
      let other = try socket.answer()
      #expect(other.status == 200)
    }
    #expect(answer.status == 429 && answer.header("x-leeway-denial") == "budget_exhausted")
    // What the call records as its start is that of its head all the same.
    let refused = try fixture.events().last { if case .refused = $0.kind { true } else { false } }
    #expect(refused?.at == GatewayFixture.now)
    try await fixture.stop()
    #expect(upstream.requests.count == 1)
  }

  @Test func aKeyThatIsRevokedWhileTheBodyComesInOpensNothing() async throws {
    let upstream = try Self.upstream()
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let answer = try await Self.slowCall(fixture) { try Self.revoke(fixture) }
    #expect(answer.status == 401 && answer.header("x-leeway-denial") == "key_revoked")
    #expect(fixture.account == .init())
    try await fixture.stop()
    #expect(upstream.requests.isEmpty)
  }
}
