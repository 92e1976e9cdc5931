// Batches of messages: held at batch price, followed, and charged answer by answer.

import Foundation
import Metering
import Providers
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// An upstream that makes a batch, and says of it and of its results what the test says.
private final class BatchUpstream: Sendable {
  private final class Said: Sendable {
    let batch = SaidAnswers()
    let results = SaidAnswers()
  }

  private let said = Said()
  private let server: ScriptedUpstream
  var port: Int { server.port }
  var requests: [ScriptedUpstream.Request] { server.requests }

  init() throws {
    let said = said
    server = try ScriptedUpstream { request in
      if request.head.hasPrefix("POST /v1/messages/batches HTTP") {
        return [.send(Script.json(Self.document("in_progress")))]
      }
      return [.send(request.head.contains("/results") ? said.results.next() : said.batch.next())]
    }
  }

  func say(_ batch: String..., results: String...) {
    said.batch.set(batch.map { Script.json($0) })
    said.results.set(results)
  }

  static func document(_ status: String, succeeded: Int = 0) -> String {
    #"{"id":"msgbatch_1","processing_status":"\#(status)","#
      + #""request_counts":{"processing":0,"succeeded":\#(succeeded),"errored":0}}"#
  }

  static func result(_ model: String, input: Int, output: Int) -> String {
    #"{"custom_id":"x","result":{"type":"succeeded","message":{"model":"\#(model)","usage":"#
      + #"{"input_tokens":\#(input),"output_tokens":\#(output),"service_tier":"batch"}}}}"# + "\n"
  }

  static let errored = #"{"custom_id":"y","result":{"type":"errored","error":{}}}"# + "\n"

  static func lines(_ text: String) -> String {
    "HTTP/1.1 200 OK\r\nContent-Type: application/x-jsonl\r\nContent-Length: "
      + "\(text.utf8.count)\r\n\r\n\(text)"
  }
}

@Suite struct FollowBatchTests {
  private static func fixture(
    _ upstream: BatchUpstream, cap: Int64 = 1_000_000_000, models: [String]? = nil
  ) async throws -> GatewayFixture {
    try await fixture(port: upstream.port, cap: cap, models: models)
  }

  private static func fixture(
    port: Int, cap: Int64 = 1_000_000_000, models: [String]? = nil
  ) async throws -> GatewayFixture {
    try await GatewayFixture(
      upstreamPort: port, capNanodollars: cap, models: models,
      upstreams: [
        GatewayUpstream(
          name: "main", dialect: .anthropic, isTLS: false, host: "127.0.0.1", port: port,
          credential: GatewayFixture.credential)
      ]
    ) {
      $0.loops = 1
      $0.batchPollMilliseconds = 10
      $0.batchPollMillisecondsMax = 40
    }
  }

  private static func body(_ params: String...) -> String {
    let requests = params.enumerated().map { #"{"custom_id":"r\#($0)","params":\#($1)}"# }
    return #"{"requests":[\#(requests.joined(separator: ","))]}"#
  }

  private static func params(_ model: String, _ most: Int? = 20) -> String {
    let bound = most.map { #""max_tokens":\#($0),"# } ?? ""
    return #"{"model":"\#(model)",\#(bound)"messages":[{"role":"user","content":"hi"}]}"#
  }

  private static func make(_ fixture: GatewayFixture, _ body: String) async throws -> RawAnswer {
    try await fixture.call(GatewayFixture.request(body, path: "/v1/messages/batches"))
  }

  private static func read(_ fixture: GatewayFixture, _ tail: String) async throws -> Int {
    try await fixture.call(
      "GET /v1/messages/batches/msgbatch_1\(tail) HTTP/1.1\r\nHost: gateway\r\n"
        + "X-Api-Key: \(GatewayFixture.key)\r\nContent-Length: 0\r\n\r\n"
    ).status
  }

  @Test func itIsHeldAtBatchPriceAndChargedAnswerByAnswer() async throws {
    let upstream = try BatchUpstream()
    upstream.say(BatchUpstream.document("in_progress"))
    let fixture = try await Self.fixture(upstream)
    let both = Self.body(Self.params("claude-test"), Self.params("gpt-test"))
    #expect(try await Self.make(fixture, both).status == 200)
    // By the same bound, one at half its price and one at the only price that it has.
    let bound = try Providers.Operation.messages.peek(Array(Self.params("claude-test").utf8))
    let other = try Providers.Operation.messages.peek(Array(Self.params("gpt-test").utf8))
    let held = Money(
      nanodollars: bound.inputTokensMax * 500 + 20 * 1_000 + other.inputTokensMax * 1_000
        + 20 * 2_000)
    #expect(fixture.account == .init(settled: .zero, reserved: held))

    // Each of two long answers is long, two short ones are not; nobody pays for an error.
    let lines =
      BatchUpstream.result("claude-test", input: 10, output: 5) + BatchUpstream.errored
      + BatchUpstream.result("claude-test", input: 2_000, output: 1)
      + BatchUpstream.result("gpt-test", input: 800, output: 7)
      + BatchUpstream.result("claude-test", input: 900, output: 0)
    let results = BatchUpstream.lines(lines)
    upstream.say(BatchUpstream.document("ended", succeeded: 4), results: results)
    #expect(try await Self.read(fixture, "") == 200)
    #expect(try await Self.read(fixture, "/results") == 200)
    try await fixture.quiet()
    #expect(try await Self.read(fixture, "/results") == 200)
    let long: Int64 = 2_000 * 1_000 + 2_000
    let short: Int64 = 10 * 500 + 5 * 1_000 + 900 * 500
    let sum = long + short + 800 * 1_000 + 7 * 2_000
    #expect(fixture.account == .init(settled: Money(nanodollars: sum), reserved: .zero))
    let outcome = try #require(try fixture.settlement()?.outcome)
    #expect(outcome.serviceTier == "batch" && outcome.responseModel == "claude-test")
    #expect(outcome.usage.inputUncached == 2_910 && outcome.usage.outputText == 6)
    #expect(outcome.otherModels.map(\.model) == ["gpt-test"])
    #expect(outcome.otherModels.first?.usage.inputUncached == 800)
    try await fixture.stop()
    #expect(fixture.metrics.count(of: .duplicateSettlements) == 0)
    let own = upstream.requests.filter {
      $0.head.hasPrefix("GET") && $0.head.contains("anthropic-version: 2023-06-01\r\n")
    }
    #expect(own.count >= 2)
    #expect(own.allSatisfy { $0.head.contains("x-api-key: \(GatewayFixture.credential)\r\n") })
  }

  @Test(arguments: [
    (body(params("claude-test"), params("unknown-model")), 403, "unknown-model"),
    (body(params("claude-test"), params("claude-test", nil)), 400, "max_tokens"),
    (body(params("claude-test"), params("gpt-open")), 403, "gpt-open"),
    (body(params("claude-test"), params("")), 400, "model"), (body(), 400, "model"),
  ])
  func aBatchIsRefusedForAnyOfItsRequests(body: String, status: Int, word: String) async throws {
    let upstream = try BatchUpstream()
    let fixture = try await Self.fixture(
      upstream, models: ["claude-test", "unknown-model", ""])
    let answer = try await Self.make(fixture, body)
    let text = String(decoding: answer.body, as: UTF8.self)
    #expect(answer.status == status, "\(text)")
    #expect(text.contains(word), "\(text)")
    try await fixture.stop()
    #expect(upstream.requests.isEmpty && fixture.account == .init())
  }

  /// A connection that was used before may be lost with the batch already made: it would be made
  /// twice, and one of the two followed by nobody.
  @Test func aBatchIsNeverAskedForTwice() async throws {
    let upstream = try ScriptedUpstream { request in
      request.head.hasPrefix("POST") ? [.close] : [.send(Script.json("{}"))]
    }
    let fixture = try await Self.fixture(port: upstream.port)
    #expect(try await Self.read(fixture, "") == 200)
    let answer = try await Self.make(fixture, Self.body(Self.params("claude-test")))
    #expect(answer.status == 502)
    #expect(upstream.requests.count { $0.head.hasPrefix("POST") } == 1)
    #expect(fixture.account.settled > .zero && fixture.account.reserved == .zero)
    try await fixture.stop()
  }

  @Test func theSumHasToFitIntoTheBudget() async throws {
    let upstream = try BatchUpstream()
    let fixture = try await Self.fixture(upstream, cap: 1_000_000)
    let one = Self.params("claude-test")
    #expect(try await Self.make(fixture, Self.body(one, one, one, one, one, one)).status == 429)
    #expect(try await Self.make(fixture, Self.body(one, one)).status == 200)
    try await fixture.stop()
  }

  @Test func aBatchWithoutAnAnswerIsReleased() async throws {
    let upstream = try BatchUpstream()
    upstream.say(BatchUpstream.document("canceling"), BatchUpstream.document("ended"))
    let fixture = try await Self.fixture(upstream)
    _ = try await Self.make(fixture, Self.body(Self.params("claude-test")))
    try await fixture.quiet()
    #expect(fixture.account == .init())
    try await fixture.stop()
    #expect(!upstream.requests.contains { $0.head.contains("/results") })
  }

  @Test func resultsThatAreNotWholeAreReadAgain() async throws {
    let upstream = try BatchUpstream()
    let first = BatchUpstream.result("claude-test", input: 10, output: 5)
    let whole = BatchUpstream.lines(first + first)
    upstream.say(
      BatchUpstream.document("ended", succeeded: 2),
      results: Script.json("{}", status: "500 Internal Server Error"),
      BatchUpstream.lines(first), whole)
    let fixture = try await Self.fixture(upstream)
    _ = try await Self.make(fixture, Self.body(Self.params("claude-test")))
    try await fixture.quiet()
    #expect(fixture.account.settled == Money(nanodollars: 2 * (10 * 500 + 5 * 1_000)))
    try await fixture.stop()
  }

  @Test func anAnswerThatDoesNotSayWhatItUsedMakesTheWholeAnEstimate() async throws {
    let upstream = try BatchUpstream()
    let silent = #"{"result":{"type":"succeeded","message":{"model":"claude-test"}}}"# + "\n"
    upstream.say(
      BatchUpstream.document("ended", succeeded: 2),
      results: BatchUpstream.lines(
        BatchUpstream.result("claude-test", input: 1, output: 1) + silent))
    let fixture = try await Self.fixture(upstream)
    _ = try await Self.make(fixture, Self.body(Self.params("claude-test")))
    let held = fixture.account.reserved
    try await fixture.quiet()
    #expect(fixture.account == .init(settled: held, reserved: .zero))
    #expect(try fixture.settlement()?.outcome.usage.source == .estimated)
    try await fixture.stop()
  }
}
