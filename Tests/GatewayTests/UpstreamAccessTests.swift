// Which calls may reach an upstream at all: never without our credential, and free ones always.

import Foundation
import Metering
import Testing

@testable import Gateway

@Suite struct UpstreamAccessTests {
  private static let variable = "LEEWAY_TEST_OPENAI_KEY"

  private func fixture(_ upstream: ScriptedUpstream) async throws -> GatewayFixture {
    func target(_ name: String, missing: String?) -> GatewayUpstream {
      GatewayUpstream(
        name: name, dialect: .openai, isTLS: false, host: "127.0.0.1", port: upstream.port,
        credential: missing == nil ? GatewayFixture.credential : nil, missingCredential: missing)
    }
    return try await GatewayFixture(
      upstreamPort: upstream.port,
      upstreams: [target("main", missing: nil), target("bare", missing: Self.variable)])
  }

  @Test func withoutACredentialNothingIsRelayed() async throws {
    let upstream = try ScriptedUpstream { _ in [.send(Script.json(Script.completion()))] }
    let fixture = try await fixture(upstream)
    for (key, path) in [
      (GatewayFixture.key, "/bare/v1/chat/completions"),
      (GatewayFixture.freeKey, "/bare/v1/embeddings"), (GatewayFixture.key, "/bare/v1/messages"),
    ] {
      let answer = try await fixture.call(
        GatewayFixture.request(GatewayFixture.body, key: key, path: path))
      #expect(answer.status == 503)
      #expect(answer.header("x-leeway-denial") == "credential_missing")
      #expect(answer.header("x-should-retry") == "false")
      #expect(answer.text.contains(Self.variable) && answer.text.contains("'bare'"))
      // In the caller's own format: the path is what tells an Anthropic client.
      #expect(answer.text.contains(#""type":"api_error""#) == path.hasSuffix("messages"))
    }
    let stranger = try await fixture.call(
      GatewayFixture.request(
        GatewayFixture.body, key: "lw_nobody", path: "/bare/v1/chat/completions"))
    #expect(stranger.status == 401)
    #expect(!stranger.text.contains(Self.variable))
    #expect(upstream.requests.isEmpty)
    let other = try await fixture.call(GatewayFixture.request(GatewayFixture.body))
    #expect(other.status == 200)
    try await fixture.stop()
    #expect(fixture.account.reserved == .zero)
    let codes = try fixture.events().compactMap { event -> String? in
      guard case .refused(let refused) = event.kind else { return nil }
      return refused.upstream == "bare" ? refused.code : nil
    }
    #expect(codes == Array(repeating: "credential_missing", count: 3))
  }

  @Test func anUpstreamWithoutItsCredentialIsNotUsable() throws {
    let bare = try GatewayUpstream(
      name: "u", dialect: .openai, baseURL: "https://h", missingCredential: Self.variable)
    #expect(!bare.isUsable)
    #expect(try GatewayUpstream(name: "u", dialect: .openai, baseURL: "https://h").isUsable)
  }

  /// A list of models costs nothing, so that an app in debt may still read it.
  @Test func aFreePathPassesWithAnExhaustedBudget() async throws {
    let upstream = try ScriptedUpstream { request in
      let isList = request.head.hasPrefix("GET")
      return [
        .send(
          Script.json(
            isList ? #"{"object":"list","data":[]}"# : Script.completion(output: 500)))
      ]
    }
    // A call may cost a little under 300,000, and is billed 1,010,000.
    let fixture = try await GatewayFixture(upstreamPort: upstream.port, capNanodollars: 500_000)
    #expect(try await fixture.call(GatewayFixture.request(GatewayFixture.body)).status == 200)
    let refused = try await fixture.call(GatewayFixture.request(GatewayFixture.body))
    #expect(refused.header("x-leeway-denial") == "budget_exhausted")
    let before = fixture.account
    #expect(before.settled == Money(nanodollars: 1_010_000))
    let models = try await fixture.call(
      "GET /v1/models HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer \(GatewayFixture.key)\r\n\r\n")
    #expect(models.status == 200)
    #expect(fixture.account == before)
    try await fixture.stop()
  }
}
