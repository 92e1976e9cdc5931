// Refusals in each dialect's shape, and the headers that decide what SDKs do with them.

import Foundation
import Metering
import Testing

@testable import Providers

@Suite struct RefusalTests {
  static let budget = Denial.budgetExhausted(
    BudgetRefusal(
      scope: .app("shop"), budget: "day", window: "2026-11-23",
      settled: .money(Money(nanodollars: 5)), reserved: .money(.zero),
      cap: .money(Money(nanodollars: 6)), estimate: .money(Money(nanodollars: 2)),
      resetsAt: Timestamp(milliseconds: 0), resetsAtText: "2026-11-24 00:00 UTC"))
  static let throttled: Denial = {
    guard let refusal = budget.budget else { return budget }
    return .budgetThrottled(refusal, retryAfterSeconds: 7)
  }()
  static let all: [Denial] = [
    .keyMissing, .keyUnknown, .keyRevoked, .keysConflict, .appCapped(reason: "drift."),
    .modelForbidden(model: "a\"b\\\n\u{1}é", allowed: []), .modelUnpriced(model: "m"),
    .outputUnbounded(field: "max_completion_tokens"), .costUnbounded(part: "an image"),
    .pathUnmetered(path: "/v1/embeddings"), budget, .windowUnknown(budget: "day"),
    .requestInvalid(message: "bad"), .bodyTooLarge(limitBytes: 5), .upstreamUnknown(name: "x"),
    .credentialMissing(upstream: "x", variable: "X_API_KEY"), .journalUnavailable, .shuttingDown,
    .tokensUnbounded, .appIsolated(order: 7), .answerOverBound,
    .purseClosed(scope: .team("search"), budget: "purse", from: "2026-12-01 00:00 UTC", until: ""),
    .jobUnknown, throttled,
  ]

  private func json(_ response: RefusalResponse) throws -> [String: Any] {
    let parsed = try JSONSerialization.jsonObject(with: Data(response.body))
    return try #require(parsed as? [String: Any])
  }

  private func header(_ response: RefusalResponse, _ name: String) -> String? {
    response.headers.first { $0.0 == name }?.1
  }

  @Test(arguments: DialectID.allCases) func everyDenialInEveryShape(dialect: DialectID) throws {
    for denial in Self.all {
      let response = Refusal.render(denial, dialect: dialect, requestID: "req_1")
      #expect(response.status == denial.httpStatus)
      #expect(header(response, "content-type") == "application/json")
      #expect(header(response, "x-leeway-denial") == denial.code)
      #expect(header(response, "x-request-id") == "req_1")
      let body = try json(response)
      // Ollama's errors are a text.
      if dialect == .ollama {
        #expect(body["error"] as? String == denial.message)
        continue
      }
      let error = dialect == .bedrock ? body : try #require(body["error"] as? [String: Any])
      #expect(error["message"] as? String == denial.message)
      switch dialect {
      case .openai:
        #expect(error["type"] is String)
        #expect(error["code"] is String)
        #expect(error.keys.contains("param"))
      case .anthropic:
        #expect(body["type"] as? String == "error")
        #expect(body["request_id"] as? String == "req_1")
        #expect(error["type"] is String)
      case .gemini:
        #expect(error["code"] as? Int == denial.httpStatus)
        #expect(error["status"] is String)
      case .bedrock: #expect(header(response, "x-amzn-errortype") != nil)
      case .ollama: break
      }
      if let wait = header(response, "retry-after") { #expect(Int(wait)! <= 60) }
    }
  }

  /// Its caller comes back by itself.
  @Test(arguments: DialectID.allCases) func whoeverIsToWaitIsTriedAgain(dialect: DialectID) throws {
    let response = Refusal.render(Self.throttled, dialect: dialect, requestID: "r")
    #expect(response.status == 429)
    #expect(header(response, "x-should-retry") == "true")
    #expect(header(response, "retry-after") == "7")
    let error = try json(response)["error"] as? [String: Any]
    if dialect == .openai { #expect(error?["code"] as? String == "rate_limit_exceeded") }
    #expect(Self.throttled.message.contains("try again in 7 s"))
  }

  @Test(arguments: [RefusalTests.budget, .appCapped(reason: "drift.")])
  func aBudgetRefusalIsTriedOnce(denial: Denial) throws {
    let types = [
      DialectID.openai: "insufficient_quota", .anthropic: "rate_limit_error",
      .gemini: "RESOURCE_EXHAUSTED",
    ]
    for dialect in DialectID.allCases {
      let response = Refusal.render(denial, dialect: dialect, requestID: "r")
      #expect(response.status == 429)
      #expect(header(response, "x-should-retry") == "false")
      #expect(header(response, "retry-after") == nil)
      let error = try json(response)["error"] as? [String: Any]
      let field = dialect == .gemini ? "status" : "type"
      #expect(error?[field] as? String == types[dialect])
      if dialect == .openai { #expect(error?["code"] as? String == "insufficient_quota") }
      if dialect == .bedrock {
        #expect(header(response, "x-amzn-errortype") == "ThrottlingException")
      }
    }
  }

  @Test func aMissingCredentialIsTheOperatorsToSet() throws {
    let denial = Denial.credentialMissing(upstream: "azure-eu", variable: "AZURE_API_KEY")
    let types = [
      DialectID.openai: "server_error", .anthropic: "api_error", .gemini: "UNAVAILABLE",
    ]
    for dialect in DialectID.allCases {
      let response = Refusal.render(denial, dialect: dialect, requestID: "r")
      #expect(response.status == 503)
      #expect(header(response, "x-should-retry") == "false")
      #expect(header(response, "retry-after") == nil)
      let text = String(decoding: response.body, as: UTF8.self)
      #expect(text.contains("azure-eu") && text.contains("AZURE_API_KEY"))
      let error = try json(response)["error"] as? [String: Any]
      #expect(error?[dialect == .gemini ? "status" : "type"] as? String == types[dialect])
      if dialect == .openai { #expect(error?["code"] as? String == "credential_missing") }
    }
  }

  @Test func keysAndPermissionsInTheOpenAIShape() throws {
    let key = Refusal.render(.keyUnknown, dialect: .openai, requestID: "r")
    let error = try #require(try json(key)["error"] as? [String: Any])
    #expect(error["type"] as? String == "authentication_error")
    #expect(error["code"] as? String == "invalid_api_key")
    let model = Refusal.render(
      .modelForbidden(model: "m", allowed: []), dialect: .openai, requestID: "r")
    let second = try #require(try json(model)["error"] as? [String: Any])
    #expect(second["type"] as? String == "permission_error")
    #expect(second["param"] as? String == "model")
  }
}

@Suite struct DialectTests {
  @Test(arguments: [
    ("/v1/chat/completions", DialectID.openai), ("/openai/v1/chat/completions?x=1", .openai),
    ("/v1/messages", .anthropic), ("/v1/messages?beta=true", .anthropic),
    ("/v1/messages/count_tokens", .anthropic), ("/v1/chat/completions/c1/messages", .openai),
    ("/v1/models/gemini-2.0-flash:generateContent", .gemini),
    ("/v1beta/models/m:streamGenerateContent?alt=sse", .gemini),
    ("/model/anthropic.claude/converse", .bedrock), ("/v1/threads/t/messages", .openai),
    ("/v1/models", .openai), ("/", .openai), ("", .openai),
  ])
  func isTakenFromThePath(path: String, dialect: DialectID) {
    #expect(DialectID.guess(path: path, fallback: .openai) == dialect)
  }

  @Test func headersDecideWhereThePathDoesNot() {
    #expect(
      DialectID.guess(path: "/v1/models", signs: .anthropicVersion, fallback: .openai)
        == .anthropic)
    #expect(DialectID.guess(path: "/v1/models", signs: .googKey, fallback: .openai) == .gemini)
    let sign = Array("X-Goog-Api-Key".utf8).withUnsafeBytes { DialectSigns.sign(ofHeader: $0) }
    #expect(sign == .googKey)
  }

  @Test(arguments: [
    ("POST", "/v1/chat/completions", Endpoint.metered(.chatCompletions)),
    ("POST", "/chat/completions?api-version=1", .metered(.chatCompletions)),
    ("POST", "/openai/deployments/d/chat/completions", .metered(.chatCompletions)),
    ("GET", "/v1/models", .free), ("GET", "/v1/models/gpt-4o", .free),
    ("POST", "/v1/responses/input_tokens", .free), ("POST", "/v1/moderations", .free),
    ("POST", "/v1/embeddings", .metered(.embeddings)),
    ("POST", "/v1/responses", .metered(.responses)),
    ("POST", "/v1/completions", .metered(.completions)),
    ("POST", "/openai/deployments/d/embeddings?api-version=1", .metered(.embeddings)),
    // What was charged when it was made.
    ("GET", "/v1/chat/completions", .stored), ("GET", "/v1/chat/completions/c1", .stored),
    ("GET", "/v1/chat/completions/c1/messages", .stored), ("GET", "/v1/files/f", .stored),
    ("POST", "/v1/uploads", .free), ("POST", "/openai/uploads?api-version=1", .free),
    ("POST", "/v1/uploads/u1/parts", .free), ("POST", "/v1/uploads/u1/complete", .free),
    ("POST", "/v1/uploads/u1/cancel", .free), ("POST", "/v1/uploads/u1/other", .unmetered),
    ("GET", "/v1/files/f/content", .stored), ("GET", "/v1/batches", .stored),
    ("GET", "/v1/batches/b1", .stored), ("POST", "/v1/batches/b1/cancel", .stored),
    ("GET", "/v1/responses/r1?stream=true", .stored), ("DELETE", "/v1/responses/r1", .stored),
    ("GET", "/v1/responses/r1/input_items", .stored), ("DELETE", "/v1/files/f", .stored),
    ("POST", "/v1/responses/r1/cancel", .stored), ("POST", "/v1/responses/r1", .unmetered),
    ("POST", "/v1/responses/compact", .unmetered), ("GET", "/v1/responses/r1/x", .unmetered),
    ("GET", "/v1/responses/", .unmetered), ("GET", "/v1/responses//r1", .unmetered),
    ("DELETE", "/v1/responses", .unmetered), ("POST", "/v1/batches", .metered(.batches)),
    ("POST", "/openai/v1/batches", .metered(.batches)), ("POST", "/v1/batches/", .unmetered),
    ("POST", "/openai/batches?api-version=1", .metered(.batches)), ("POST", "/batches", .unmetered),
    ("POST", "/v1/batches/b1/requests", .unmetered), ("POST", "/openai/files", .free),
    ("POST", "/v1/vector_stores/v/files", .unmetered), ("POST", "/v1/files/f", .unmetered),
    ("POST", "/v1/files", .free), ("GET", "/v1/responses/r1/../realtime", .unmetered),
    ("GET", "/v1/responses", .unmetered), ("GET", "/v1/realtime", .unmetered),
    ("POST", "/v1//chat/completions", .unmetered), ("POST", "/v1/chat/completions/", .unmetered),
    ("POST", "/v1/x/../chat/completions", .unmetered), ("post", "/v1/models", .unmetered),
    ("POST", "/v1/chat%2Fcompletions", .unmetered), ("GET", "/v1/models/../realtime", .unmetered),
    ("GET", "/v1/models/%2e%2e/realtime", .unmetered), ("POST", "/v1/models", .unmetered),
    ("DELETE", "/v1/models/m", .unmetered),
    ("POST", "v1/chat/completions", .unmetered), ("POST", "/v1/./chat/completions", .unmetered),
  ])
  func endpoints(method: String, path: String, wanted: Endpoint) {
    #expect(Endpoint.classify(dialect: .openai, method: method, path: path) == wanted)
  }

  @Test func countingTokensIsFreeElsewhereToo() {
    #expect(
      Endpoint.classify(dialect: .anthropic, method: "POST", path: "/v1/messages/count_tokens")
        == .free)
    #expect(
      Endpoint.classify(dialect: .gemini, method: "POST", path: "/v1/models/m:countTokens")
        == .free)
  }

  /// Routers and local servers speak more than one dialect.
  @Test(arguments: [
    (DialectID.anthropic, "POST", "/v1/messages", Endpoint.metered(.messages)),
    (.openai, "POST", "/api/v1/messages?beta=true", .metered(.messages)),
    (.anthropic, "POST", "/v1/chat/completions", .metered(.chatCompletions)),
    (.gemini, "POST", "/v1beta/openai/chat/completions", .metered(.chatCompletions)),
    (.openai, "POST", "/v1/threads/t/messages", .unmetered),
    (.anthropic, "POST", "/v1/messages/", .unmetered),
    (.anthropic, "GET", "/v1/messages", .unmetered),
    (.anthropic, "POST", "/v1/messages/batches", .metered(.messageBatches)),
    (.anthropic, "GET", "/v1/messages/batches/b/results", .stored),
    (.anthropic, "DELETE", "/v1/messages/batches/b", .stored),
    (.bedrock, "POST", "/v1/messages", .unmetered),
  ])
  func whatAPathCanOnlyMean(dialect: DialectID, method: String, path: String, wanted: Endpoint) {
    #expect(Endpoint.classify(dialect: dialect, method: method, path: path) == wanted)
  }
}
