// InvokeModel through the gateway: what heads say counts, on the way there and back.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Gateway

@Suite struct InvokeTests {
  private static let body = #"{"prompt":"hi","max_tokens":20}"#

  private static let samples = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "samples/metered/bedrock")

  private static func head(_ body: [UInt8], type: String, more: String = "") -> [UInt8] {
    Array(
      ("HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\n\(more)Content-Length: \(body.count)\r\n\r\n")
        .utf8) + body
  }

  /// A gateway before an upstream that gives one answer.
  private func fixture(
    _ answer: [UInt8], outputTokensDefault: Int64? = nil
  ) async throws -> (GatewayFixture, ScriptedUpstream) {
    let upstream = try ScriptedUpstream { _ in [.bytes(answer)] }
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, outputTokensDefault: outputTokensDefault,
      upstreams: [
        GatewayUpstream(
          name: "main", dialect: .bedrock, isTLS: false, host: "127.0.0.1", port: upstream.port,
          credential: "bearer-secret")
      ])
    return (fixture, upstream)
  }

  @Test func theCountsOfTheHeadAreCharged() async throws {
    let answer = Self.head(
      Array(#"{"outputs":[{"text":"yes","stop_reason":"stop"}]}"#.utf8), type: "application/json",
      more: "X-Amzn-Bedrock-Input-Token-Count: 30\r\nX-Amzn-Bedrock-Output-Token-Count: 4\r\n"
        + "X-Amzn-Bedrock-Service-Tier: flex\r\n")
    let (fixture, upstream) = try await fixture(answer)
    let seen = try await fixture.call(
      GatewayFixture.request(Self.body, path: "/main/model/mistral.x/invoke"))
    #expect(seen.status == 200 && seen.text.contains("yes"))
    #expect(seen.header("x-amzn-bedrock-input-token-count") == "30")
    try await fixture.stop()
    let settled = try #require(try fixture.settlement())
    #expect(settled.outcome.usage.source == .reported)
    #expect(settled.charge == TestPrice.cost(input: 30, output: 4))
    #expect(settled.outcome.serviceTier == "flex")
    #expect(upstream.requests.first?.head.contains("Bearer bearer-secret") == true)
  }

  @Test func anEmbeddingIsChargedByItsHead() async throws {
    let answer = Self.head(
      Array(#"{"embeddings":[[0.5]],"texts":["t"]}"#.utf8), type: "application/json",
      more: "X-Amzn-Bedrock-Input-Token-Count: 9\r\n")
    let (fixture, _) = try await fixture(answer)
    let seen = try await fixture.call(
      GatewayFixture.request(#"{"texts":["t"]}"#, path: "/main/model/cohere.embed-x/invoke"))
    #expect(seen.status == 200)
    try await fixture.stop()
    #expect(try fixture.settlement()?.charge == TestPrice.cost(input: 9, output: 0))
  }

  @Test func aStreamIsRelayedToTheByteAndCharged() async throws {
    let body = [UInt8](
      try Data(contentsOf: Self.samples.appending(path: "invoke-mistral-stream.bin")))
    let (fixture, upstream) = try await fixture(
      Self.head(body, type: "application/vnd.amazon.eventstream"), outputTokensDefault: 50)
    let seen = try await fixture.call(
      GatewayFixture.request(
        #"{"prompt":"hi"}"#, path: "/main/model/mistral.x/invoke-with-response-stream"))
    #expect(seen.body == body)
    #expect(seen.header("x-leeway-output-bound") == "50")
    #expect(upstream.requests.first?.text == #"{"max_tokens":50,"prompt":"hi"}"#)
    try await fixture.stop()
    #expect(try fixture.settlement()?.charge == TestPrice.cost(input: 12, output: 2))
  }

  /// What a header asks for costs as much as if the body did.
  @Test func aGuardrailInAHeaderHasNoBound() async throws {
    let (fixture, upstream) = try await fixture([])
    let request = { (headers: String) in
      GatewayFixture.request(Self.body, path: "/main/model/mistral.x/invoke", headers: headers)
    }
    let refused = try await fixture.call(
      request("X-Amzn-Bedrock-GuardrailIdentifier: g\r\nX-Amzn-Bedrock-GuardrailVersion: 1\r\n"))
    #expect(refused.status == 400 && refused.header("x-leeway-denial") == "cost_unbounded")
    #expect(refused.header("x-amzn-errortype") == "ValidationException")
    #expect(refused.text.contains("a guardrail"))
    let image = try await fixture.call(
      GatewayFixture.request("{}", path: "/main/model/stability.sd/invoke"))
    #expect(image.header("x-leeway-denial") == "model_unpriced")
    #expect(upstream.requests.isEmpty)
    try await fixture.stop()
  }
}
