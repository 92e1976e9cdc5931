// A call that does not fit is tried as its app's substitute: announced, at the substitute's own
// price, and only where that fits.

import Foundation
import Metering
import Providers
import TestSupport
import Testing

@testable import Gateway

@Suite struct DegradeTests {
  private static let messages = #""messages":[{"role":"user","content":"hi"}]}"#
  private static let body = #"{"model":"gpt-open","# + messages

  private struct Outcome {
    var answer: RawAnswer
    var sent: ScriptedUpstream.Request?
    var events: [LedgerEvent]
    var rates: [RateStanding]

    var reserved: [LedgerEvent.Reserved] {
      events.compactMap { if case .reserved(let reserved) = $0.kind { reserved } else { nil } }
    }
    var refused: [LedgerEvent.Refused] {
      events.compactMap { if case .refused(let refused) = $0.kind { refused } else { nil } }
    }
  }

  /// One call of an app whose budget degrades, with so much money left.
  private func call(
    _ body: String = body, money: Int64 = 150_000, _ substitute: Substitute? = Self.mini,
    path: String = "/main/v1/chat/completions", dialect: DialectID = .openai,
    answer: String = Script.json(Script.completion(model: "gpt-mini")),
    policy: @escaping (inout AppPolicy) -> Void = { _ in }
  ) async throws -> Outcome {
    let upstream = try ScriptedUpstream { _ in [.send(answer)] }
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, capNanodollars: money, outputTokensDefault: 64,
      upstreams: [
        GatewayUpstream(
          name: "main", dialect: dialect, isTLS: false, host: "127.0.0.1", port: upstream.port,
          credential: GatewayFixture.credential)
      ],
      policy: {
        $0.budgets[0].atCap = .degrade
        $0.substitute = substitute
        policy(&$0)
      })
    let answer = try await fixture.call(GatewayFixture.request(body, path: path))
    try await fixture.quiet()
    let rates = fixture.gateway.rateStanding(app: 0, key: 1)
    try await fixture.stop()
    return Outcome(
      answer: answer, sent: upstream.requests.first, events: try fixture.events(), rates: rates)
  }

  /// A tenth of the price.
  private static let mini = Substitute(model: "gpt-mini")
  private static let header = "x-leeway-degraded"

  @Test func itIsAnnouncedAndHeldAndChargedAtItsOwnPrice() async throws {
    let outcome = try await call()
    #expect(outcome.answer.status == 200)
    #expect(outcome.answer.header(Self.header) == "gpt-open -> gpt-mini")
    #expect(outcome.answer.header("x-leeway-output-bound") == "64")
    let spliced = #"{"max_completion_tokens":64,"model":"gpt-mini","# + Self.messages
    #expect(outcome.sent?.text == spliced)
    #expect(outcome.sent?.head.contains("content-length: \(spliced.utf8.count)\r\n") == true)
    let reserved = try #require(outcome.reserved.first)
    #expect(outcome.reserved.count == 1 && outcome.refused.isEmpty)
    #expect(reserved.model == "gpt-mini" && reserved.amounts.money.nanodollars <= 150_000)
    guard case .settled(let settled)? = outcome.events.last?.kind else {
      Issue.record("not settled")
      return
    }
    #expect(settled.outcome.usage.source == .reported)
    let usage = settled.outcome.usage
    #expect(
      settled.charge.nanodollars * 10
        == TestPrice.cost(input: usage.inputTotal, output: usage.outputTotal).nanodollars)
  }

  /// Wherever a dialect names its model, that name and nothing else is changed.
  @Test(arguments: [
    (
      "/main/v1/chat/completions", DialectID.openai,
      #"{"a":[1, 2],"model" : "gpt-open","max_tokens":5,"# + messages
    ),
    ("/main/v1/responses", .openai, #"{"model":"gpt-open","max_output_tokens":5,"input":"hi"}"#),
    ("/main/v1/completions", .openai, #"{"prompt":"hi","max_tokens":5,"model":"gpt-open"}"#),
    ("/main/v1/messages", .anthropic, #"{"model":"gpt-open","max_tokens":5,"# + messages),
    (
      "/main/api/chat", .ollama,
      #"{"model":"gpt-open","options":{"num_predict":5},"stream":false,"# + messages
    ),
    (
      "/main/v1beta/models/gpt-open:generateContent", .gemini,
      #"{"generationConfig":{"maxOutputTokens":5},"contents":[{"parts":[{"text":"hi"}]}]}"#
    ),
    (
      "/main/model/gpt-open/converse", .bedrock,
      #"{"inferenceConfig":{"maxTokens":5},"messages":[{"role":"user","content":[{"text":"hi"}]}]}"#
    ),
    (
      "/main/openai/deployments/gpt-open/chat/completions?api-version=1", .openai,
      #"{"max_tokens":5,"# + messages
    ),
  ])
  func everyPlaceOfAModel(path: String, dialect: DialectID, body: String) async throws {
    let outcome = try await call(body, money: 250_000, path: path, dialect: dialect)
    #expect(outcome.answer.header(Self.header) == "gpt-open -> gpt-mini")
    let sent = try #require(outcome.sent)
    #expect(sent.text == body.replacing("gpt-open", with: "gpt-mini"))
    let target = path.dropFirst("/main".count).replacing("gpt-open", with: "gpt-mini")
    #expect(sent.head.hasPrefix("POST \(target) HTTP/1.1\r\n"), "\(sent.head)")
    #expect(
      sent.head.contains("ontent-type: application/json")
        || sent.head.contains("ontent-Type: application/json"))
    #expect(outcome.reserved.map(\.model) == ["gpt-mini"])
  }

  @Test func aStreamIsDegradedWithItsUsage() async throws {
    let outcome = try await call(
      #"{"model":"gpt-open","stream":true,"# + Self.messages,
      answer: Script.streamHead + Script.chunk(Script.event("a") + Script.usageEvent + Script.done)
        + Script.lastChunk)
    #expect(outcome.answer.header(Self.header) == "gpt-open -> gpt-mini")
    #expect(outcome.answer.text == Script.event("a") + Script.done)
    #expect(outcome.sent?.text.contains(#""model":"gpt-mini","stream":true"#) == true)
    #expect(outcome.sent?.text.contains(#""include_usage":true"#) == true)
  }

  @Test func whatFitsIsLeftAlone() async throws {
    let outcome = try await call(money: 1_000_000_000)
    #expect(outcome.answer.header(Self.header) == nil)
    #expect(outcome.reserved.map(\.model) == ["gpt-open"])
  }

  @Test func whereThatDoesNotFitEitherTheCallIsRefusedOnce() async throws {
    let outcome = try await call(money: 10)
    #expect(outcome.answer.header("x-leeway-denial") == "budget_exhausted")
    #expect(outcome.sent == nil && outcome.reserved.isEmpty)
    #expect(outcome.refused.map(\.model) == ["gpt-open"])
  }

  /// A budget of the app's that denies does so, whatever another one would do.
  @Test func whatDeniesIsNotDegraded() async throws {
    let outcome = try await call(policy: { $0.budgets[0].atCap = .deny })
    #expect(outcome.answer.status == 429 && outcome.sent == nil)
  }

  @Test(arguments: [
    ("/main/v1/embeddings", #"{"model":"gpt-open","input":"hi"}"#),
    ("/main/v1/chat/completions", #"{"model":"gpt-mini","max_tokens":900,"# + messages),
  ])
  func whatHasNoSubstituteIsRefused(path: String, body: String) async throws {
    let outcome = try await call(body, money: 10_000, path: path)
    #expect(outcome.answer.header("x-leeway-denial") == "budget_exhausted")
    #expect(outcome.sent == nil && outcome.refused.count == 1)
  }

  @Test func aModelThatTheAppMayNotCallIsNoWayRound() async throws {
    let outcome = try await call(policy: { $0.models = ["gpt-open"] })
    #expect(outcome.answer.header("x-leeway-denial") == "model_forbidden")
    #expect(outcome.sent == nil)
  }

  /// The callers' own bounds are lowered, smaller ones stay, and where there is none it is put in.
  @Test(arguments: [
    (
      #"{"model":"gpt-open","max_completion_tokens":900,"#,
      #"{"model":"gpt-open","max_completion_tokens":16,"#
    ),
    (
      #"{"max_tokens":900,"model":"gpt-open","max_output_tokens":8,"#,
      #"{"max_tokens":16,"model":"gpt-open","max_output_tokens":8,"#
    ),
    (#"{"model":"gpt-open","#, #"{"max_completion_tokens":16,"model":"gpt-open","#),
  ])
  func aShorterAnswerOfTheSameModel(asked: String, sent: String) async throws {
    let money = TestPrice.cost(input: 400, output: 30).nanodollars
    let outcome = try await call(
      asked + Self.messages, money: money, Substitute(model: nil, outputTokensMax: 16))
    #expect(outcome.answer.header(Self.header) == "shorter answer")
    #expect(outcome.sent?.text == sent + Self.messages)
    #expect((outcome.reserved.first?.amounts.money.nanodollars ?? .max) <= money)
  }

  @Test func aShorterAnswerOfWhatIsShortIsNoSubstitute() async throws {
    let outcome = try await call(
      #"{"model":"gpt-open","max_completion_tokens":8,"# + Self.messages, money: 1_000,
      Substitute(model: nil, outputTokensMax: 16))
    #expect(outcome.answer.status == 429 && outcome.refused.count == 1)
  }

  @Test func aBoundAboveTheSubstitutesOwnIsLoweredToThat() async throws {
    let outcome = try await call(
      #"{"max_completion_tokens":900,"model":"gpt-open","# + Self.messages, money: 250_000)
    #expect(outcome.answer.header(Self.header) == "gpt-open -> gpt-mini")
    #expect(outcome.answer.header("x-leeway-output-bound") == "500")
    #expect(
      outcome.sent?.text == #"{"max_completion_tokens":500,"model":"gpt-mini","# + Self.messages)
  }

  /// An answer of the model that was asked for comes first, if a shorter one will do.
  @Test func fittingComesBeforeDegrading() async throws {
    let money = TestPrice.cost(input: 400, output: 30).nanodollars
    let fitted = try await call(money: money, policy: { $0.fitTokensMin = 8 })
    #expect(fitted.answer.header(Self.header) == nil)
    #expect(fitted.reserved.map(\.model) == ["gpt-open"])
    let degraded = try await call(money: money, policy: { $0.fitTokensMin = 63 })
    #expect(degraded.answer.header(Self.header) == "gpt-open -> gpt-mini")
  }

  /// Only what was called has taken from the rates.
  @Test func ratesCountTheSubstituteAlone() async throws {
    let outcome = try await call(policy: {
      $0.rates = RateLimits(callsPerMinute: 5, tokensPerMinute: 1_000, concurrentCalls: 2)
    })
    #expect(outcome.answer.status == 200)
    #expect(outcome.rates.map(\.left) == [4, 985, 2])
  }
}
