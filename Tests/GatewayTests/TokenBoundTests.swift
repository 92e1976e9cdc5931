// Where the bytes of a prompt do not fit into a budget, its tokens may.

import Foundation
import Metering
import Providers
import TestSupport
import Testing
import Tokens

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

  private static func upstream(_ host: String, _ prices: PriceBook) -> GatewayUpstream {
    GatewayUpstream(
      name: "up", dialect: .openai, isTLS: true, host: host, port: 443, prices: prices)
  }

  /// The tokens of a line's text count where it is certain how they are cut, else its bytes.
  @Test(arguments: [
    ("api.openai.com", "gpt-4o-mini", true, true), ("api.openai.com", "gpt-4o-mini", false, false),
    ("api.openai.com", "claude-test", true, false), ("localhost", "gpt-4o-mini", true, false),
    ("x.openai.azure.com", "gpt-4o-mini", true, false), ("x.openai.azure.com", "prod", true, true),
  ])
  func aLinesTextIsBoundedByItsTokens(
    host: String, model: String, isBudgeted: Bool, isCounted: Bool
  ) throws {
    let text = String(repeating: "The tide turns at seven. ", count: 100)
    let line =
      #"{"custom_id":"x","method":"POST","url":"/v1/chat/completions","body":"#
      + #"{"model":"\#(model)","max_tokens":1,"messages":[{"role":"user","content":"\#(text)"}]}}"#
    let creation = Array(FileBatchTests.creation().utf8)
    let input = try #require(try Providers.Operation.batches.peek(creation).batchInput)
    var prices = TestPrice.book
    prices.alias("prod", of: "gpt-4o-mini")
    let budgets = isBudgeted ? [Budget(id: "day", cap: Money(nanodollars: 1), windows: [])] : []
    let unread = BatchFile(
      input, upstream: Self.upstream(host, prices), at: GatewayFixture.now,
      policy: AppPolicy(app: "a", budgets: budgets), lineBytesMax: 10_000)
    for step in [1, line.utf8.count] {
      var file = unread
      let bytes = Array(line.utf8)
      for start in stride(from: 0, to: bytes.count, by: step) {
        _ = bytes[start..<min(start + step, bytes.count)].withUnsafeBytes { file.feed($0) }
      }
      guard case .read(let batch) = file.finish() else {
        Issue.record("refused")
        return
      }
      let bytesOfText = Int64(text.utf8.count)
      #expect(isCounted == (batch.inputTokens < bytesOfText / 2))
      // 7 tokens a sentence: never fewer.
      #expect(batch.inputTokens > 600)
      if !isCounted { #expect(batch.inputTokens > bytesOfText) }
    }
  }

  /// On Azure a deployment may have any model's name: only what the price book says of it counts.
  @Test func onAzureTheBookTellsWhichModelItIs() {
    var prices = TestPrice.book
    prices.alias("prod", of: "gpt-4o-mini")
    prices.alias("theirs", of: "claude-test")
    func encoding(_ host: String, _ model: String) -> TokenEncoding? {
      Self.upstream(host, prices).encoding(of: model)
    }
    #expect(encoding("x.openai.azure.com", "prod") == .o200k)
    #expect(encoding("x.openai.azure.com", "gpt-4o-mini") == nil)
    #expect(encoding("x.openai.azure.com", "theirs") == nil)
    #expect(encoding("openai.azure.com.example.org", "prod") == nil)
    #expect(encoding("api.openai.com", "gpt-4o-mini") == .o200k)
    #expect(encoding("api.openai.com", "prod") == nil)
    #expect(encoding("openrouter.ai", "gpt-4o-mini") == nil)
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

  /// What the refusal of the only call says that it would cost at most, in nanodollars.
  private func refusedEstimate(_ request: String, cap: Int64) async throws -> Int64? {
    let upstream = try ScriptedUpstream { _ in [.bytes(Self.answer)] }
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, capNanodollars: cap, isOpenAI: true)
    let answer = try await fixture.call(GatewayFixture.request(request))
    try await fixture.stop()
    guard answer.status != 200 else { return nil }
    return try fixture.events().compactMap { event in
      if case .refused(let refused) = event.kind {
        refused.budget?.estimate.count
      } else {
        nil
      }
    }.first
  }

  /// Where not even a text of no tokens would fit, nothing is counted.
  @Test func aSpentAppsTextsAreNotCounted() async throws {
    let bytes = Int64(Self.text.utf8.count) * 1_000
    let spent = try #require(try await refusedEstimate(Self.chat(Self.text), cap: 1_000))
    #expect(spent > bytes)
    let closer = try #require(
      try await refusedEstimate(Self.chat(Self.text), cap: bytes / 10 + 1_000_000))
    #expect(closer < bytes / 2)
  }

  /// The other calls of a loop do not wait for the count of a text of any length: of a long one the
  /// beginning is counted, and the rest is bytes.
  @Test(arguments: [sentence, "Die Flut steigt über die Kaimauer – größer als gestern: 潮汐。 "])
  func ofALongTextTheBeginningIsCounted(sentence: String) async throws {
    let text = String(repeating: sentence, count: 400_000 / sentence.utf8.count)
    let bytes = Int64(text.utf8.count) * 1_000
    let counted = try #require(try await refusedEstimate(Self.chat(text), cap: bytes / 2))
    let least = bytes - 128 * 1_024 * 1_000
    #expect((least..<bytes - 32 * 1_024 * 1_000).contains(counted))
    // In two texts as in one.
    let half = String(repeating: sentence, count: 200_000 / sentence.utf8.count)
    let two = Self.chat(half).replacingOccurrences(
      of: #""messages":["#, with: #""messages":[{"role":"user","content":"\#(half)"},"#)
    let twice = try #require(try await refusedEstimate(two, cap: bytes / 2))
    #expect((least - 1_000_000..<bytes - 32 * 1_024 * 1_000).contains(twice))
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
