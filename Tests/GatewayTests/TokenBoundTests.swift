// Where the bytes of a prompt do not fit into a budget, its tokens may.

import Metering
import Providers
import TestSupport
import Testing

@testable import Gateway

@Suite struct TokenBoundTests {
  private static let sentence = "The tide turns at seven, and the harbour empties before eight. "
  private static let text = String(repeating: sentence, count: 200)

  private static func chat(_ text: String, model: String = "gpt-4o-mini") -> String {
    #"{"model":"\#(model)","max_completion_tokens":20,"#
      + #""messages":[{"role":"user","content":"\#(text)"}]}"#
  }

  private static let answer = Array(
    ("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 55\r\n\r\n"
      + #"{"usage":{"prompt_tokens":9,"completion_tokens":1  }}  "#).utf8)

  /// A gateway whose day has room for half the text's bytes, as tokens.
  private func fixture(isOpenAI: Bool = true) async throws -> (GatewayFixture, ScriptedUpstream) {
    let upstream = try ScriptedUpstream { _ in [.bytes(Self.answer)] }
    let room = Int64(Self.text.utf8.count / 2) * 1_000
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, capNanodollars: room, isOpenAI: isOpenAI)
    return (fixture, upstream)
  }

  private func amounts(_ fixture: GatewayFixture) throws -> [Int64] {
    try fixture.events().compactMap { event in
      guard case .reserved(let reserved) = event.kind else { return nil }
      return reserved.amounts.money.nanodollars
    }
  }

  @Test func aPromptIsHeldByItsTokensWhereItsBytesDoNotFit() async throws {
    let (fixture, _) = try await fixture()
    let seen = try await fixture.call(GatewayFixture.request(Self.chat(Self.text)))
    #expect(seen.status == 200, "\(seen.text)")
    try await fixture.stop()
    // No refusal was recorded on the way.
    let events = try fixture.events()
    #expect(!events.contains { if case .refused = $0.kind { true } else { false } })
    let amount = try #require(try amounts(fixture).first)
    // A sentence has 15 tokens; the bound may have more, and what stands around it has its bytes.
    #expect((200 * 15_000...200 * 20_000 + 1_000_000).contains(amount))
  }

  @Test func aPromptThatFitsIsHeldByItsBytes() async throws {
    let (fixture, _) = try await fixture()
    let body = Self.chat(Self.sentence)
    #expect(try await fixture.call(GatewayFixture.request(body)).status == 200)
    try await fixture.stop()
    #expect(try #require(try amounts(fixture).first) > Int64(Self.sentence.utf8.count) * 1_000)
  }

  /// Nobody knows how another server's model cuts its text, whatever the model is called.
  @Test func anotherServersTokensAreNotGuessed() async throws {
    let (fixture, upstream) = try await fixture(isOpenAI: false)
    let refused = try await fixture.call(GatewayFixture.request(Self.chat(Self.text)))
    #expect(refused.header("x-leeway-denial") == "budget_exhausted")
    #expect(upstream.requests.isEmpty)
    try await fixture.stop()
  }

  @Test(arguments: ["<|endoftext|>", String(repeating: "x\\u0000", count: 9_000)])
  func whatHasNoCloserBoundIsRefusedOnce(more: String) async throws {
    let (fixture, _) = try await fixture()
    let refused = try await fixture.call(GatewayFixture.request(Self.chat(Self.text + more)))
    #expect(refused.header("x-leeway-denial") == "budget_exhausted")
    try await fixture.stop()
    let refusals = try fixture.events().count { if case .refused = $0.kind { true } else { false } }
    #expect(refusals == 1)
  }

  /// The other calls of a loop do not wait for the count of a text of any length.
  @Test func aLongTextIsCountedByItsBytes() async throws {
    let upstream = try ScriptedUpstream { _ in [.bytes(Self.answer)] }
    let text = String(repeating: Self.sentence, count: 5_000)
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, capNanodollars: Int64(text.utf8.count / 2) * 1_000,
      isOpenAI: true)
    let refused = try await fixture.call(GatewayFixture.request(Self.chat(text)))
    #expect(refused.header("x-leeway-denial") == "budget_exhausted")
    try await fixture.stop()
  }

  @Test func embeddingsAndResponsesAreCountedToo() async throws {
    for (path, body) in [
      ("/v1/embeddings", #"{"model":"text-embedding-3-small","input":["\#(Self.text)","b"]}"#),
      (
        "/v1/responses",
        #"{"model":"gpt-4o-mini","max_output_tokens":20,"store":false,"input":"\#(Self.text)"}"#
      ),
    ] {
      let (fixture, _) = try await fixture()
      let seen = try await fixture.call(GatewayFixture.request(body, path: path))
      #expect(seen.status == 200, "\(seen.text)")
      try await fixture.stop()
    }
  }
}
