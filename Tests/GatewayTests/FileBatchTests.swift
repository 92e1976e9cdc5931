// Batches whose requests stand in a file: bounded before they are made, followed, charged answer
// by answer.

import Foundation
import Metering
import Providers
import Store
import TestSupport
import Testing

@testable import Gateway

@Suite struct FileBatchTests {
  private typealias Upstream = FileBatchUpstream

  static func fixture(
    _ upstream: FileBatchUpstream, cap: Int64 = 1_000_000_000, models: [String]? = nil,
    directory: TemporaryDirectory? = nil, database: StoreDatabase? = nil,
    configure: (inout GatewayConfiguration) -> Void = { _ in }
  ) async throws -> GatewayFixture {
    try await GatewayFixture(
      upstreamPort: upstream.port, capNanodollars: cap, models: models, directory: directory,
      database: database
    ) {
      $0.batchPollMilliseconds = 10
      $0.batchPollMillisecondsMax = 40
      configure(&$0)
    }
  }

  static func creation(_ endpoint: String = "/v1/chat/completions") -> String {
    #"{"input_file_id":"file-in","endpoint":"\#(endpoint)","completion_window":"24h"}"#
  }

  static func make(
    _ fixture: GatewayFixture, key: String = GatewayFixture.key, body: String = creation(),
    path: String = "/v1/batches"
  ) async throws -> (status: Int, text: String) {
    let answer = try await fixture.call(GatewayFixture.request(body, key: key, path: path))
    return (answer.status, String(decoding: answer.body, as: UTF8.self))
  }

  /// What one line holds at most, at so much a token of input and of output.
  static func held(
    _ model: String, most: Int64 = 20, input: Int64 = 1_000, output: Int64 = 2_000
  ) throws -> Int64 {
    let body = FileBatchUpstream.body(model, Int(most))
    let request = try Providers.Operation.chatCompletions.peek(Array(body.utf8))
    return request.inputTokensMax * input + most * output
  }

  @Test func itIsHeldForItsFileAndChargedAnswerByAnswer() async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(Upstream.line("claude-test"), "", Upstream.line("gpt-test"))
    upstream.say(Upstream.document("in_progress"))
    let fixture = try await Self.fixture(upstream)
    let answer = try await Self.make(fixture)
    #expect(answer.status == 200 && answer.text == Upstream.document("validating"))
    // One has a price of batches, which is half; the other has only one.
    let held = Money(
      nanodollars: try Self.held("claude-test", input: 500, output: 1_000)
        + Self.held("gpt-test"))
    #expect(fixture.account == .init(settled: .zero, reserved: held))
    // The file was read before, and with our own credential alone.
    let requests = upstream.requests
    #expect(requests.first?.head.hasPrefix("GET /v1/files/file-in/content HTTP") == true)
    #expect(requests.first?.head.contains("Bearer \(GatewayFixture.credential)\r\n") == true)
    #expect(requests.first?.head.contains(GatewayFixture.key) == false)

    let lines =
      Upstream.result("claude-test", input: 10, output: 5) + Upstream.failed
      + Upstream.result("claude-test", input: 2_000, output: 1)
      + Upstream.result("gpt-test", input: 800, output: 7)
    upstream.say(Upstream.ended(3), results: Upstream.lines(lines))
    try await fixture.quiet()
    let sum: Int64 = 10 * 500 + 5 * 1_000 + 2_000 * 1_000 + 2_000 + 800 * 1_000 + 7 * 2_000
    #expect(fixture.account == .init(settled: Money(nanodollars: sum), reserved: .zero))
    let outcome = try #require(try fixture.settlement()?.outcome)
    #expect(outcome.serviceTier == "batch" && outcome.usage.source == .reported)
    #expect(outcome.responseModel == "claude-test" && outcome.usage.inputUncached == 2_010)
    #expect(outcome.otherModels.map(\.model) == ["gpt-test"])
    try await fixture.stop()
    #expect(fixture.metrics.count(of: .duplicateSettlements) == 0)
    #expect(upstream.reads.allSatisfy { $0.head.contains(GatewayFixture.credential) })
  }

  @Test(arguments: [
    (line("unknown-model"), 403, "Line 2 of the batch's input file: Model 'unknown-model'"),
    (line("gpt-4o"), 403, "Line 2 of the batch's input file: Model 'gpt-4o' is not allowed"),
    (line("gpt-open", most: nil), 400, "'max_completion_tokens' or outputTokensMax"),
    (line("gpt-test", more: #","stream":true"#), 400, "because of 'stream'"),
    (line("gpt-test", more: #","web_search_options":{}"#), 400, "'web_search_options'"),
    (line(""), 400, "Line 2 of the batch's input file: The request must name a 'model'"),
    (line("gpt-test", url: "/v1/embeddings"), 400, "'url' is not the 'endpoint'"),
    ("{\"method\":", 400, "Line 2 of the batch's input file: The request body"),
  ])
  func aBatchIsRefusedForAnyOfItsLinesBeforeItIsMade(
    line: String, status: Int, words: String
  ) async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(Upstream.line("gpt-test"), line, Upstream.line("gpt-test"))
    let fixture = try await Self.fixture(
      upstream, models: ["gpt-test", "gpt-open", "unknown-model", ""])
    let answer = try await Self.make(fixture)
    #expect(answer.status == status && answer.text.contains(words), "\(answer)")
    #expect(answer.text.contains("Line 2 of"), "\(answer)")
    try await fixture.stop()
    #expect(upstream.creations == 0 && fixture.account == .init())
    // The refusal is on record.
    let refusals = try fixture.events().filter {
      if case .refused = $0.kind { true } else { false }
    }
    #expect(refusals.count == 1)
  }

  static func line(
    _ model: String, most: Int? = 20, more: String = "", url: String = "/v1/chat/completions"
  ) -> String { FileBatchUpstream.line(model, most: most, more: more, url: url) }

  @Test func theSumHasToFitIntoTheBudgetBeforeTheBatchIsMade() async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(Upstream.line("gpt-test"), Upstream.line("gpt-test"))
    upstream.say(Upstream.document("in_progress"))
    let two = try 2 * Self.held("gpt-test")
    let fixture = try await Self.fixture(upstream, cap: 2 * two - 1)
    #expect(try await Self.make(fixture).status == 200)
    // Another batch of the same file is another batch.
    let second = try await Self.make(fixture)
    #expect(second.status == 429 && second.text.contains("insufficient_quota"), "\(second)")
    #expect(fixture.account.reserved == Money(nanodollars: two))
    try await fixture.stop()
    #expect(upstream.creations == 1 && upstream.reads.count == 2)
  }

  @Test func aModelsOwnMaximumBoundsALineThatSetsNone() async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(Upstream.line("gpt-test", most: nil))
    upstream.say(Upstream.document("in_progress"))
    let fixture = try await Self.fixture(upstream)
    #expect(try await Self.make(fixture).status == 200)
    let body = Array(FileBatchUpstream.body("gpt-test", nil).utf8)
    let input = try Providers.Operation.chatCompletions.peek(body).inputTokensMax
    #expect(fixture.account.reserved == TestPrice.cost(input: input, output: 1_000))
    try await fixture.stop()
  }

  @Test(arguments: ["expired", "cancelled", "failed"])
  func whatWasAnsweredBeforeTheEndIsCharged(status: String) async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(Upstream.line("gpt-test"), Upstream.line("gpt-test"))
    upstream.say(
      Upstream.ended(1, status),
      results: Upstream.lines(Upstream.result("gpt-test", input: 3, output: 4)))
    let fixture = try await Self.fixture(upstream)
    _ = try await Self.make(fixture)
    try await fixture.quiet()
    #expect(fixture.account == .init(settled: TestPrice.cost(input: 3, output: 4), reserved: .zero))
    try await fixture.stop()
  }

  @Test(arguments: ["failed", "completed", "cancelled", "expired"])
  func aBatchWithoutAnAnswerIsReleased(status: String) async throws {
    // A provider may know at once that it does not take the file.
    for made in ["validating", status] {
      let upstream = try FileBatchUpstream(made: Upstream.document(made))
      upstream.hold(Upstream.line("gpt-test"))
      upstream.say(Upstream.document(status))
      let fixture = try await Self.fixture(upstream)
      _ = try await Self.make(fixture)
      try await fixture.quiet()
      #expect(fixture.account == .init(), "\(made)")
      try await fixture.stop()
      #expect(upstream.reads.count == 1)
    }
  }

  @Test func resultsThatAreNotWholeOrNotThereYetAreReadAgain() async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(Upstream.line("gpt-test"), Upstream.line("gpt-test"))
    let first = Upstream.result("gpt-test", input: 10, output: 5)
    upstream.say(
      Upstream.document("completed", completed: 2), Upstream.ended(2),
      results: Script.json("{}", status: "500 Internal Server Error"), Upstream.lines(first),
      Upstream.lines(first + first))
    let fixture = try await Self.fixture(upstream)
    _ = try await Self.make(fixture)
    try await fixture.quiet()
    #expect(fixture.account.settled == TestPrice.cost(input: 20, output: 10))
    try await fixture.stop()
  }

  /// Whatever is counted, the file of results says what was answered.
  @Test(arguments: ["", FileBatchUpstream.failed])
  func resultsOfNothingAreReleased(results: String) async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(Upstream.line("gpt-test"))
    upstream.say(Upstream.ended(0, "expired"), results: Upstream.lines(results))
    let fixture = try await Self.fixture(upstream)
    _ = try await Self.make(fixture)
    try await fixture.quiet()
    #expect(fixture.account == .init())
    #expect(try fixture.settlement() == nil)
    try await fixture.stop()
  }

  /// As long as its request says, and a day for its results.
  @Test(arguments: [("24h", 2), ("7d", 8)])
  func itIsFollowedForAsLongAsItMayTake(window: String, days: Int64) async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(Upstream.line("gpt-test"))
    upstream.say(Upstream.document("in_progress"))
    let fixture = try await Self.fixture(upstream)
    let body = Self.creation().replacing("24h", with: window)
    #expect(try await Self.make(fixture, body: body).status == 200)
    let job = try fixture.events().lazy.compactMap { event -> FollowedJob? in
      if case .followed(_, let job) = event.kind { job } else { nil }
    }.first
    #expect(job?.deadline == GatewayFixture.now.adding(milliseconds: days * 86_400_000))
    let refused = try await Self.make(
      fixture, body: Self.creation().replacing("24h", with: "soon"))
    #expect(refused.status == 400 && refused.text.contains("such as"), "\(refused)")
    try await fixture.stop()
    #expect(upstream.creations == 1)
  }

  @Test func azuresVersionGoesAlong() async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(Upstream.line("gpt-test", url: "/chat/completions"))
    upstream.say(
      Upstream.document(
        "completed", completed: 1, output: "file-out", endpoint: "/chat/completions"),
      results: Upstream.lines(Upstream.result("gpt-test", input: 1, output: 1)))
    let fixture = try await Self.fixture(upstream)
    let answer = try await Self.make(
      fixture, body: Self.creation("/chat/completions"),
      path: "/main/openai/batches?api-version=2024-10-21")
    #expect(answer.status == 200, "\(answer)")
    try await fixture.quiet()
    #expect(fixture.account.settled == TestPrice.cost(input: 1, output: 1))
    try await fixture.stop()
    let lines = upstream.requests.map { String($0.head.prefix { !$0.isNewline }) }
    let version = "?api-version=2024-10-21 HTTP/1.1"
    for path in ["files/file-in/content", "batches/batch_1", "files/file-out/content"] {
      #expect(lines.contains("GET /openai/\(path)\(version)"), "\(lines)")
    }
  }

  @Test func moderationsAreFreeAndNotFollowed() async throws {
    let document = Upstream.document("validating", endpoint: "/v1/moderations")
    let upstream = try FileBatchUpstream(made: document)
    upstream.hold(#"{"custom_id":"x","url":"/v1/moderations","body":{"input":"x"}}"#)
    let fixture = try await Self.fixture(upstream, cap: 0)
    let answer = try await Self.make(fixture, body: Self.creation("/v1/moderations"))
    #expect(answer.status == 200, "\(answer)")
    try await fixture.quiet()
    #expect(fixture.account == .init())
    try await fixture.stop()
    #expect(upstream.requests.count == 2)
  }

  @Test func anUploadIsFree() async throws {
    let upstream = try FileBatchUpstream()
    let fixture = try await Self.fixture(upstream, cap: 0)
    #expect(try await Self.make(fixture, body: "--b--", path: "/v1/files").status == 200)
    #expect(fixture.account == .init())
    try await fixture.stop()
  }

  @Test func aRestartTakesItUpAgain() async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(Upstream.line("gpt-test"))
    upstream.say(Upstream.document("finalizing"))
    let first = try await Self.fixture(upstream)
    _ = try await Self.make(first)
    let held = first.account
    try await first.stop()
    let second = try await Self.fixture(
      upstream, directory: first.directory, database: first.database)
    #expect(second.account == held && held.reserved > .zero)
    upstream.say(
      Upstream.ended(1), results: Upstream.lines(Upstream.result("gpt-test", input: 6, output: 7)))
    try await second.quiet()
    #expect(second.account == .init(settled: TestPrice.cost(input: 6, output: 7), reserved: .zero))
    try await second.stop()
  }
}
