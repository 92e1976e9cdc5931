// TLS in and out: one gateway is the upstream of another, so that both ends are ours.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Gateway

@Suite(.enabled(if: Certificate.isAvailable, "\(Certificate.skipReason)"))
struct TLSTests {
  private static func upstream(
    port: Int, trusting certificate: Certificate?, host: String = "localhost"
  ) -> GatewayUpstream {
    GatewayUpstream(
      name: "main", dialect: .openai, isTLS: true, host: host, port: port,
      credential: GatewayFixture.key, trustRootsPath: certificate?.chain)
  }

  /// A gateway that speaks TLS to its callers.
  private static func gateway(
    with certificate: Certificate, before upstream: ScriptedUpstream
  ) async throws -> GatewayFixture {
    try await GatewayFixture(upstreamPort: upstream.port) {
      $0.tls = GatewayConfiguration.TLSFiles(
        certificateChainPath: certificate.chain, privateKeyPath: certificate.key)
    }
  }

  @Test func aCallPassesTLSOnBothSides() async throws {
    let certificate = try Certificate()
    let upstream = try ScriptedUpstream { _ in [.send(Script.json(Script.completion()))] }
    let inner = try await Self.gateway(with: certificate, before: upstream)
    // The name has two addresses where IPv6 is up, and only one of them listens.
    let outer = try await GatewayFixture(
      upstreamPort: 0, upstreams: [Self.upstream(port: inner.port, trusting: certificate)])
    for _ in 0..<3 {
      let answer = try await outer.call(GatewayFixture.request(GatewayFixture.body))
      #expect(answer.status == 200)
      #expect(answer.text == Script.completion())
    }
    try await outer.stop()
    try await inner.stop()
    #expect(outer.account.settled == inner.account.settled)
    #expect(outer.account.settled == TestPrice.cost(input: 30, output: 15))
  }

  /// A certificate that cannot be checked ends the call before a byte of it is sent.
  @Test func anUntrustedUpstreamGetsNothingAndCostsNothing() async throws {
    let certificate = try Certificate()
    let upstream = try ScriptedUpstream { _ in [.send(Script.json(Script.completion()))] }
    let inner = try await Self.gateway(with: certificate, before: upstream)
    let outer = try await GatewayFixture(
      upstreamPort: 0, upstreams: [Self.upstream(port: inner.port, trusting: nil)])
    let answer = try await outer.call(GatewayFixture.request(GatewayFixture.body))
    #expect(answer.status == 502)
    #expect(upstream.requests.isEmpty)
    try await outer.stop()
    try await inner.stop()
    #expect(outer.account == .init())
  }

  @Test func filesThatCannotBeReadStopTheStart() async throws {
    let directory = try TemporaryDirectory()
    await #expect(throws: GatewayFault.self) {
      _ = try await GatewayFixture(upstreamPort: 1) {
        $0.tls = GatewayConfiguration.TLSFiles(
          certificateChainPath: directory.path("none.pem"),
          privateKeyPath: directory.path("none.key"))
      }
    }
  }
}
