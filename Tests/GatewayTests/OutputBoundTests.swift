// A budgeted call without an output bound: the upstream is told the one it was admitted under.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Gateway

@Suite struct OutputBoundTests {
  private static let header = "x-leeway-output-bound"
  private static let messages = #""messages":[{"role":"user","content":"hi"}]}"#

  /// Sends one body and gives the answer and what the upstream got.
  private func call(
    _ body: String, key: String = GatewayFixture.key, answer: String? = nil
  ) async throws -> (answer: RawAnswer, sent: ScriptedUpstream.Request, fixture: GatewayFixture) {
    let script = answer ?? Script.json(Script.completion())
    let upstream = try ScriptedUpstream { _ in [.send(script)] }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port, outputTokensDefault: 64)
    let answer = try await fixture.call(GatewayFixture.request(body, key: key))
    try await fixture.stop()
    return (answer, try #require(upstream.requests.first), fixture)
  }

  @Test func theAppsBoundIsPutInAndAnnounced() async throws {
    let body = #"{"model":"gpt-open","n":2,"# + Self.messages
    let (answer, sent, fixture) = try await call(body)
    #expect(answer.status == 200)
    #expect(answer.header(Self.header) == "64")
    #expect(sent.text == #"{"max_completion_tokens":64,"# + body.dropFirst())
    #expect(sent.head.contains("content-length: \(sent.body.count)\r\n"))
    for event in try fixture.events() {
      guard case .reserved(let reserved) = event.kind else { continue }
      // Both choices at the bound, and the input's own bound.
      #expect(reserved.amounts.money > TestPrice.cost(input: 0, output: 128))
    }
  }

  @Test func aStreamGetsBothSplices() async throws {
    let body = #"{"model":"gpt-open","stream":true,"# + Self.messages
    let (answer, sent, fixture) = try await call(
      body,
      answer: Script.streamHead + Script.chunk(Script.event("a") + Script.usageEvent + Script.done)
        + Script.lastChunk)
    #expect(answer.header(Self.header) == "64")
    #expect(
      sent.text
        == #"{"max_completion_tokens":64,"stream_options":{"include_usage":true},"#
        + body.dropFirst())
    #expect(answer.text == Script.event("a") + Script.done)
    #expect(try fixture.settlement()?.outcome.usage.source == .reported)
  }

  @Test func aLargeBodyIsSplicedToo() async throws {
    let text = String(repeating: "x", count: 200_000)
    let body =
      #"{"model":"gpt-open","messages":[{"role":"user","content":"\#(text)"}],"#
      + #""max_completion_tokens":null,"stream":false}"#
    let (answer, sent, _) = try await call(body)
    #expect(answer.header(Self.header) == "64")
    #expect(
      sent.text
        == body.replacingOccurrences(of: "tokens\":null", with: "tokens\":64"))
  }

  @Test(arguments: [
    #"{"model":"gpt-open","max_tokens":5,"#, #"{"model":"gpt-open","max_completion_tokens":5,"#,
  ])
  func theCallersOwnBoundStands(start: String) async throws {
    let (answer, sent, _) = try await call(start + Self.messages)
    #expect(answer.status == 200)
    #expect(answer.header(Self.header) == nil)
    #expect(sent.text == start + Self.messages)
  }

  @Test func anAppWithoutABudgetIsNotBounded() async throws {
    let body = #"{"model":"gpt-open","# + Self.messages
    let (answer, sent, _) = try await call(body, key: GatewayFixture.freeKey)
    #expect(answer.status == 200)
    #expect(answer.header(Self.header) == nil)
    #expect(sent.text == body)
  }

  /// gpt-test answers at most 1,000 tokens: a larger bound of the app's adds nothing, and the
  /// provider could refuse it.
  @Test(arguments: [(nil, nil), (1_000, nil), (5_000, nil), (999, "999")] as [(Int64?, String?)])
  func theModelsOwnMaximumNeedsNone(appMost: Int64?, bound: String?) async throws {
    let upstream = try ScriptedUpstream { _ in [.send(Script.json(Script.completion()))] }
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, outputTokensDefault: appMost)
    let body = #"{"model":"gpt-test","# + Self.messages
    let answer = try await fixture.call(GatewayFixture.request(body))
    #expect(answer.status == 200)
    #expect(answer.header(Self.header) == bound)
    let sent = try #require(upstream.requests.first)
    #expect((sent.text == body) == (bound == nil))
    try await fixture.stop()
  }
}
