// The input file of a batch that does not come, comes late, or is not waited for.

import Foundation
import Metering
import Providers
import TestSupport
import Testing

@testable import Gateway

@Suite struct BatchInputTests {
  private typealias Upstream = FileBatchUpstream

  private static func fixture(
    _ upstream: FileBatchUpstream, freeModels: [String]? = nil,
    configure: (inout GatewayConfiguration) -> Void = { _ in }
  ) async throws -> GatewayFixture {
    try await GatewayFixture(upstreamPort: upstream.port, freeModels: freeModels) {
      $0.batchPollMilliseconds = 10
      $0.batchPollMillisecondsMax = 40
      configure(&$0)
    }
  }

  private static func request(
    _ key: String = GatewayFixture.key, _ body: String = FileBatchTests.creation()
  ) -> String { GatewayFixture.request(body, key: key, path: "/v1/batches") }

  @Test(
    arguments: [
      ([.send(Script.json("{}", status: "404 Not Found"))], 400, "'input_file_id' names no file"),
      ([.send(Script.json("{}", status: "401 Unauthorized"))], 502, "status 401"),
      ([.send(Script.json("{}", status: "503 Service Unavailable"))], 502, "status 503"),
      ([.send(Script.json("{}", status: "302 Found"))], 502, "status 302"),
      ([.reset], 502, "did not hand it out whole"),
      (
        [.send("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{}"), .close], 502,
        "hand it out whole"
      ),
      // Nobody knows whether that is the whole of it.
      (
        [.send("HTTP/1.1 200 OK\r\n\r\n" + FileBatchUpstream.line("gpt-test") + "\n"), .close],
        502, "hand it out whole"
      ),
      ([.send(FileBatchUpstream.lines("\n"))], 400, "has no request"),
    ] as [([ScriptedUpstream.Step], Int, String)])
  func aFileThatDoesNotComeIsARefusal(
    steps: [ScriptedUpstream.Step], status: Int, words: String
  ) async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(steps)
    let fixture = try await Self.fixture(upstream)
    let answer = try await fixture.call(Self.request())
    let text = String(decoding: answer.body, as: UTF8.self)
    #expect(answer.status == status && text.contains(words), "\(answer.status) \(text)")
    #expect(text.hasPrefix(#"{"error":{"message":"#))
    try await fixture.stop()
    #expect(upstream.creations == 0 && fixture.account == .init())
  }

  @Test func aFileThatComesTooLateIsARefusal() async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold([.send("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"), .expectClose])
    let fixture = try await Self.fixture(upstream) { $0.batchInputSeconds = 1 }
    let answer = try await fixture.call(Self.request())
    #expect(answer.status == 502)
    #expect(String(decoding: answer.body, as: UTF8.self).contains("did not arrive in time"))
    try await fixture.stop()
    #expect(upstream.creations == 0 && fixture.account == .init())
  }

  /// Who has no budget is not kept from what nobody can bound; what comes of it is charged.
  @Test(arguments: ["500 Internal Server Error", "404 Not Found", "403 Forbidden"])
  func withoutABudgetItIsMadeAllTheSame(status: String) async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold([.send(Script.json("{}", status: status))])
    upstream.say(
      Upstream.ended(1), results: Upstream.lines(Upstream.result("gpt-test", input: 3, output: 4)))
    let fixture = try await Self.fixture(upstream)
    #expect(try await fixture.call(Self.request(GatewayFixture.freeKey)).status == 200)
    try await fixture.quiet()
    #expect(try fixture.settlement()?.charge == TestPrice.cost(input: 3, output: 4))
    try await fixture.stop()
  }

  @Test func whoseModelsAreLimitedHasToShowThem() async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold([.send(Script.json("{}", status: "500 Internal Server Error"))])
    let fixture = try await Self.fixture(upstream, freeModels: ["gpt-test"])
    #expect(try await fixture.call(Self.request(GatewayFixture.freeKey)).status == 502)
    let films = Self.request(GatewayFixture.freeKey, FileBatchTests.creation("/v1/videos"))
    #expect(try await fixture.call(films).status == 400)
    upstream.hold(Upstream.line("gpt-open"))
    #expect(try await fixture.call(Self.request(GatewayFixture.freeKey)).status == 403)
    try await fixture.stop()
    #expect(upstream.creations == 0)
  }

  @Test func aCallerThatLeavesEndsTheReading() async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold([
      .send("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"), .expectClose,
    ])
    let fixture = try await Self.fixture(upstream) { $0.batchInputsAtATime = 1 }
    let port = fixture.port
    try await onThread {
      let socket = try RawSocket(port: port)
      try socket.send(Self.request())
      while upstream.requests.isEmpty { usleep(1_000) }
      socket.close()
    }
    try await eventually { upstream.closesSeen == 1 }
    // Its place is free again, and nothing was held or made.
    #expect(fixture.account == .init() && upstream.creations == 0)
    upstream.hold(Upstream.line("gpt-test"))
    upstream.say(Upstream.document("in_progress"))
    // The connection ends a moment before the place is free.
    var status = 503
    for _ in 0..<500 where status == 503 {
      try await Task.sleep(for: .milliseconds(10))
      status = try await fixture.call(Self.request()).status
    }
    #expect(status == 200)
    try await fixture.stop()
  }

  @Test(arguments: [
    ("nonsense", 400), (FileBatchUpstream.line("unknown-model"), 403),
    (FileBatchUpstream.line("gpt-open", most: nil), 400),
  ])
  func aLineThatIsRefusedEndsTheReading(line: String, status: Int) async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold([
      .send("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n\(line)\n"), .expectClose,
    ])
    let fixture = try await Self.fixture(upstream)
    #expect(try await fixture.call(Self.request()).status == status)
    try await eventually { upstream.closesSeen == 1 }
    try await fixture.stop()
  }

  @Test func onlySoManyAreReadAtATime() async throws {
    let upstream = try FileBatchUpstream()
    let gate = Gate()
    upstream.hold([.wait(gate), .send(Upstream.lines(Upstream.line("gpt-test")))])
    upstream.say(Upstream.document("in_progress"))
    let fixture = try await Self.fixture(upstream) { $0.batchInputsAtATime = 2 }
    async let first = fixture.call(Self.request())
    async let second = fixture.call(Self.request())
    try await eventually { upstream.reads.count == 2 }
    let third = try await fixture.call(Self.request())
    #expect(third.status == 503 && third.header("retry-after") == "1")
    #expect(third.header("x-leeway-denial") == "input_busy")
    gate.open()
    let statuses = try await [first.status, second.status]
    #expect(statuses == [200, 200])
    #expect(try await fixture.call(Self.request()).status == 200)
    try await fixture.stop()
    #expect(upstream.creations == 3)
  }

  /// One app leaves others a place.
  @Test func onlySoManyOfOneAppAreReadAtATime() async throws {
    let upstream = try FileBatchUpstream()
    let gate = Gate()
    upstream.hold([.wait(gate), .send(Upstream.lines(Upstream.line("gpt-test")))])
    upstream.say(Upstream.document("in_progress"))
    let fixture = try await Self.fixture(upstream) {
      $0.batchInputsAtATime = 2
      $0.batchInputsPerApp = 1
    }
    async let first = fixture.call(Self.request())
    try await eventually { upstream.reads.count == 1 }
    #expect(try await fixture.call(Self.request()).header("x-leeway-denial") == "input_busy")
    async let other = fixture.call(Self.request(GatewayFixture.freeKey))
    try await eventually { upstream.reads.count == 2 }
    gate.open()
    let statuses = try await [first.status, other.status]
    #expect(statuses == [200, 200])
    try await fixture.stop()
  }

  /// What stands against every call of an app is asked about before its file is read.
  @Test func nothingIsReadForAnAppThatMayMakeNoCall() async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(Upstream.line("gpt-test"))
    let fixture = try await FileBatchTests.fixture(upstream, cap: 0)
    let spent = try await fixture.call(Self.request())
    #expect(spent.status == 429 && spent.header("x-leeway-denial") == "budget_exhausted")
    _ = try fixture.database.placeOrder(
      action: .cap("team"), actor: "a", reason: "No batches today.", at: GatewayFixture.now)
    for order in try fixture.database.orders(after: 0) { try fixture.gateway.apply(order) }
    #expect(try await fixture.call(Self.request()).header("x-leeway-denial") == "app_capped")
    #expect(upstream.requests.isEmpty)
    // Each is on record once, and told of once.
    let refusals = try fixture.events().filter {
      if case .refused = $0.kind { true } else { false }
    }
    #expect(refusals.count == 2 && fixture.crossings.all.count <= 1)
    try await fixture.stop()
  }

  @Test func whatComesBehindWaitsForTheFile() async throws {
    let upstream = try FileBatchUpstream()
    let gate = Gate()
    upstream.hold([.wait(gate), .send(Upstream.lines(Upstream.line("gpt-test")))])
    upstream.say(Upstream.document("in_progress"))
    let fixture = try await Self.fixture(upstream)
    let port = fixture.port
    let answers = try await onThread {
      let socket = try RawSocket(port: port, patienceSeconds: 120)
      try socket.send(Self.request() + Self.request(GatewayFixture.key, "{}"))
      while upstream.reads.isEmpty { usleep(1_000) }
      gate.open()
      return [try socket.answer(), try socket.answer()]
    }
    #expect(answers.map(\.status) == [200, 400])
    #expect(String(decoding: answers[0].body, as: UTF8.self) == Upstream.document("validating"))
    try await fixture.stop()
    #expect(upstream.creations == 1 && upstream.reads.count == 1)
  }

  /// A cap on calls is one on the requests of a batch, too.
  @Test func aBatchIsAsManyCallsAsItHasRequests() async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(Upstream.line("gpt-test"), "", Upstream.line("gpt-test"))
    upstream.say(
      Upstream.ended(1), results: Upstream.lines(Upstream.result("gpt-test", input: 6, output: 7)))
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, configure: { $0.batchPollMilliseconds = 10 },
      policy: { $0.budgets[0].caps.calls = 3 })
    #expect(try await fixture.call(Self.request()).status == 200)
    let second = try await fixture.call(Self.request())
    #expect(second.status == 429, "\(second)")
    try await fixture.quiet()
    let account = fixture.gateway.ledger.account(
      AccountID(app: "team", budget: "day", window: "always"))
    #expect(account.settled.calls == 2 && account.reserved == .zero)
    try await fixture.stop()
    #expect(upstream.creations == 1)
  }

  @Test func aStopEndsTheReading() async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold([.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), .expectClose])
    let fixture = try await Self.fixture(upstream) { $0.shutdownGraceSeconds = 0 }
    async let answer = fixture.call(Self.request())
    try await eventually { !upstream.requests.isEmpty }
    try await fixture.stop()
    #expect(try await answer.header("x-leeway-denial") == "shutting_down")
    #expect(fixture.account == .init() && upstream.creations == 0)
    try await eventually { upstream.closesSeen == 1 }
  }

  // MARK: Values

  private static func upstream(
    _ prices: PriceBook = TestPrice.book
  ) -> GatewayUpstream {
    GatewayUpstream(
      name: "openai", dialect: .openai, isTLS: false, host: "localhost", port: 1, prices: prices)
  }

  private static func file(_ text: String, step: Int, models: [String]? = nil) throws
    -> BatchInputOutcome
  {
    let creation = Array(FileBatchTests.creation().utf8)
    let input = try #require(try Providers.Operation.batches.peek(creation).batchInput)
    var file = BatchFile(
      input, upstream: Self.upstream(), at: GatewayFixture.now,
      policy: AppPolicy(app: "a", budgets: [], models: models), lineBytesMax: 4_096)
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: step) {
      let goesOn = bytes[start..<min(start + step, bytes.count)].withUnsafeBytes { file.feed($0) }
      guard goesOn else { return file.finish() }
    }
    return file.finish()
  }

  @Test func theSumIsTheSameInEveryPieces() throws {
    let text = ["claude-test", "gpt-test", "claude-test"].map { Upstream.line($0) }
      .joined(separator: "\n")
    for step in 1...text.utf8.count {
      guard case .read(let batch) = try Self.file(text, step: step) else {
        Issue.record("refused in pieces of \(step)")
        return
      }
      #expect(batch.models == ["claude-test", "gpt-test"] && batch.model == "claude-test")
      #expect(batch.outputTokens == 60)
      let each = batch.inputTokens / 3
      let sum = 2 * (each * 500 + 20 * 1_000) + each * 1_000 + 20 * 2_000
      guard case .atMost(let most) = batch.bound else {
        Issue.record("\(batch.bound)")
        return
      }
      // The names are not of one length.
      #expect(abs(most.nanodollars - sum) < 3 * 8 * 1_000)
    }
  }

  @Test func theFirstLineThatIsNotAllowedEndsTheReading() throws {
    let text = [Upstream.line("gpt-test"), Upstream.line("gpt-open"), "nonsense"]
      .joined(separator: "\n")
    for step in [1, 50, 10_000] {
      guard case .refused(let denial) = try Self.file(text, step: step, models: ["gpt-test"]) else {
        Issue.record("taken in pieces of \(step)")
        continue
      }
      #expect(denial.message.hasPrefix("Line 2 of the batch's input file: Model 'gpt-open'"))
    }
  }

  /// A batch of many names is refused whatever its app: each is looked up, checked and has a purse.
  @Test func moreModelsThanAreLookedUpAreRefused() throws {
    for (count, step) in [(BatchBound.modelsMax, 999), (BatchBound.modelsMax + 1, 999)] {
      let lines = (0..<count).map { Upstream.line("gpt-test-2026-01-\($0 + 10)") }
      let outcome = try Self.file(lines.joined(separator: "\n"), step: step)
      let bodies = (0..<count).map {
        #"{"params":{"model":"claude-test-2026-01-\#($0 + 10)","max_tokens":1,"messages":[]}}"#
      }
      let body = #"{"requests":[\#(bodies.joined(separator: ","))]}"#
      let batch = try Providers.Operation.messageBatches.peek(Array(body.utf8))
      var estimate = CallEstimate()
      let denial = estimate.takeBatch(batch, prices: TestPrice.book, at: GatewayFixture.now)
      guard count > BatchBound.modelsMax else {
        guard case .read(let read) = outcome, case .atMost = read.bound else {
          Issue.record("\(outcome)")
          continue
        }
        #expect(read.models.count == count && read.families == ["gpt-test"])
        #expect(denial == nil && estimate.otherModels.count == count - 1)
        #expect(estimate.families == ["claude-test"])
        continue
      }
      guard case .refused(let refusal) = outcome else {
        Issue.record("\(outcome)")
        continue
      }
      #expect(refusal == denial && refusal.httpStatus == 400)
      #expect(refusal.message.contains("more than 64 models. Split it"))
    }
  }

  /// Pictures report tokens that nothing bounds, in a file as by themselves.
  @Test func aBatchOfPicturesDoesNotBoundItsTokens() throws {
    let picture =
      #"{"custom_id":"x","method":"POST","url":"/v1/images/generations","body":"#
      + #"{"model":"dall-test","prompt":"a cat","n":1,"size":"1024x1024"}}"#
    var rates = Rates()
    rates[.imagesOut] = 40_000_000
    var prices = PriceBook()
    prices.add(
      ModelPrice(effectiveFrom: Timestamp(milliseconds: 0), base: rates), model: "dall-test")
    let body = #"{"input_file_id":"file-in","endpoint":"/v1/images/generations"}"#
    let input = try #require(
      try Providers.Operation.batches.peek(Array(body.utf8)).batchInput)
    var file = BatchFile(
      input, upstream: Self.upstream(prices), at: GatewayFixture.now,
      policy: AppPolicy(app: "a", budgets: []), lineBytesMax: 10_000)
    _ = Array(picture.utf8).withUnsafeBytes { file.feed($0) }
    guard case .read(let batch) = file.finish(), case .atMost = batch.bound else {
      Issue.record("refused")
      return
    }
    #expect(!batch.boundsTokens)
    var estimate = CallEstimate()
    estimate.take(batch)
    #expect(!estimate.boundsTokens)
  }
}
