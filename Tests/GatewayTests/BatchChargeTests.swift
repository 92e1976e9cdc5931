// What a batch is charged where its making, or its results, do not go as they should.

import Metering
import Providers
import TestSupport
import Testing

@testable import Gateway

@Suite struct BatchChargeTests {
  private typealias Upstream = FileBatchUpstream

  /// Makes a batch and waits for its end.
  private static func run(
    _ upstream: FileBatchUpstream, _ endpoint: String = "/v1/chat/completions"
  ) async throws -> (fixture: GatewayFixture, held: Money) {
    let fixture = try await FileBatchTests.fixture(upstream)
    let answer = try await FileBatchTests.make(
      fixture, body: FileBatchTests.creation(endpoint))
    #expect(answer.status == 200, "\(answer)")
    let held = try #require(
      try fixture.events().lazy.compactMap { event -> Money? in
        if case .reserved(let reserved) = event.kind { reserved.amounts.money } else { nil }
      }.first)
    try await fixture.quiet()
    #expect(fixture.account.reserved == .zero)
    return (fixture, held)
  }

  // MARK: Its making

  /// The batch may run though nobody was told of it.
  @Test(
    arguments: [
      [.send(Script.json("{}", status: "502 Bad Gateway"))],
      [.send(Script.json("{}", status: "504 Gateway Timeout"))],
      [.send(Script.json("", status: "524 Waited In Vain"))],
      [.send(Script.json(#"{"error":{"message":"x"}}"#, status: "500 Internal Server Error"))],
      [.send(Script.json("no healthy upstream", status: "503 Service Unavailable"))],
      [.send("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 99\r\n\r\n{"), .close],
      [.send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), .close],
      [.close],
    ] as [[ScriptedUpstream.Step]])
  func whatMayHaveBeenMadeIsChargedAtItsEstimate(steps: [ScriptedUpstream.Step]) async throws {
    let upstream = try FileBatchUpstream(making: steps)
    upstream.hold(Upstream.line("gpt-test"))
    let fixture = try await FileBatchTests.fixture(upstream)
    _ = try? await FileBatchTests.make(fixture)
    try await fixture.quiet()
    let held = Money(nanodollars: try FileBatchTests.held("gpt-test"))
    #expect(fixture.account == .init(settled: held, reserved: .zero))
    #expect(try fixture.settlement()?.outcome.usage.source == .estimated)
    try await fixture.stop()
    #expect(upstream.creations == 1)
  }

  @Test(arguments: ["400 Bad Request", "429 Too Many Requests", "503 Service Unavailable"])
  func whatTheProviderRefusesIsReleased(status: String) async throws {
    let error = Script.json(#"{"error":{"message":"no"}}"#, status: status)
    let upstream = try FileBatchUpstream(making: [.send(error)])
    upstream.hold(Upstream.line("gpt-test"))
    let fixture = try await FileBatchTests.fixture(upstream)
    _ = try await FileBatchTests.make(fixture)
    #expect(fixture.account == .init())
    try await fixture.stop()
  }

  // MARK: Its results

  @Test(arguments: [
    FileBatchUpstream.lines(
      #"{"response":{"status_code":200,"body":{"model":"gpt-test"}}}"# + "\n"),
    Script.json("{}", status: "404 Not Found"),
  ])
  func resultsThatDoNotSayWhatWasUsedMakeTheWholeAnEstimate(results: String) async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(Upstream.line("gpt-test"))
    upstream.say(Upstream.ended(1), results: results)
    let (fixture, held) = try await Self.run(upstream)
    #expect(fixture.account.settled == held && held > .zero)
    #expect(try fixture.settlement()?.outcome.usage.source == .estimated)
    try await fixture.stop()
  }

  /// What was counted stands; the rest is what was held, unless more was counted.
  @Test(arguments: [("nonsense", 5), ("nonsense", 900), ("{\"response\":", 5)])
  func aBrokenLineLeavesWhatWasCounted(broken: String, output: Int) async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(Upstream.line("gpt-test"), Upstream.line("gpt-test"))
    let good = Upstream.result("gpt-test", input: 10, output: output)
    upstream.say(Upstream.ended(2), results: Upstream.lines(broken + "\n" + good))
    let (fixture, held) = try await Self.run(upstream)
    let counted = TestPrice.cost(input: 10, output: Int64(output))
    #expect(fixture.account.settled == max(held, counted))
    let outcome = try #require(try fixture.settlement()?.outcome)
    #expect(outcome.usage.source == .estimated && outcome.usage.outputText == Int64(output))
    try await fixture.stop()
    // It was no better when it was read again, and again.
    #expect(upstream.reads.count == 1 + JobWatch.sameReadingsMin)
  }

  /// What a router or a login page says under status 200 says nothing of the batch.
  @Test(
    arguments: [
      "<html>busy</html>", #"{"error":{"message":"busy"}}"#, "[]", #"{"object":"file"}"#,
      #"{"id":"a"}"# + "\n" + #"{"id":"b"}"#,
    ], [0, 1])
  func aPageThatIsNoResultEndsNothing(page: String, counted: Int) async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(Upstream.line("gpt-test"))
    let pages = Array(repeating: Upstream.lines(page + "\n"), count: 5)
    let good = Upstream.lines(Upstream.result("gpt-test", input: 3, output: 4))
    upstream.say(Upstream.ended(counted, "expired"), results: pages + [good])
    let (fixture, _) = try await Self.run(upstream)
    #expect(fixture.account.settled == TestPrice.cost(input: 3, output: 4))
    #expect(try fixture.settlement()?.outcome.usage.source == .reported)
    try await fixture.stop()
  }

  /// One bad reading is not believed, nor several that differ.
  @Test func resultsThatAreBrokenForOnceAreReadAgain() async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(Upstream.line("gpt-test"), Upstream.line("gpt-test"))
    let good = Upstream.result("gpt-test", input: 10, output: 5)
    let pages = ["nonsense\n" + good, good + "nonsense\n" + good, good + "x"].flatMap {
      Array(repeating: Upstream.lines($0), count: JobWatch.sameReadingsMin - 1)
    }
    upstream.say(Upstream.ended(2), results: pages + [Upstream.lines(good + good)])
    let (fixture, _) = try await Self.run(upstream)
    #expect(fixture.account.settled == TestPrice.cost(input: 20, output: 10))
    try await fixture.stop()
  }

  /// Nothing came: who knows of what.
  @Test func resultsOfNothingThatDoNotSayWhereTheyEndAreReadAgain() async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(Upstream.line("gpt-test"))
    upstream.say(
      Upstream.ended(0, "expired"), results: "HTTP/1.1 200 OK\r\n\r\n",
      Upstream.lines(Upstream.result("gpt-test", input: 3, output: 4)))
    let (fixture, _) = try await Self.run(upstream)
    #expect(fixture.account.settled == TestPrice.cost(input: 3, output: 4))
    try await fixture.stop()
  }

  @Test func moreModelsThanAreKeptApartAreNotChargedAnew() {
    let job = FollowedJob(
      kind: .batch, upstream: "main", path: "/v1/batches", id: "b", model: "gpt-test",
      inputTokens: 0, outputTokens: nil, status: 200, startedAt: GatewayFixture.now)
    for (count, isMixed) in [(BatchBound.modelsMax, false), (BatchBound.modelsMax + 1, true)] {
      var tally = BatchTally(job, prices: TestPrice.book)
      for number in 0..<count {
        var reading = CallReading()
        reading.usage = Usage(source: .reported)
        reading.usage?[.inputUncached] = 1
        reading.responseModel = "gpt-test-2026-01-\(number + 10)"
        tally.add(reading)
      }
      #expect((tally.reading.serviceTier == ModelPrice.mixedBatchTier) == isMixed)
    }
  }

  /// A cheap line is no way to have a dear model's answers at its price.
  @Test func anAnswerWithoutAModelCostsWhatWasHeldIfItMayBeOfSeveral() async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(Upstream.line("claude-test"), Upstream.line("gpt-test"))
    upstream.say(
      Upstream.ended(1), results: Upstream.lines(Upstream.result(nil, input: 1, output: 5_000)))
    let (fixture, held) = try await Self.run(upstream)
    #expect(fixture.account.settled == held)
    try await fixture.stop()
  }

  @Test func anAnswerWithoutAModelIsOfTheOnlyOne() async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(Upstream.line("gpt-test"), Upstream.line("gpt-test"))
    upstream.say(
      Upstream.ended(1), results: Upstream.lines(Upstream.result(nil, input: 10, output: 5)))
    let (fixture, _) = try await Self.run(upstream)
    #expect(fixture.account.settled == TestPrice.cost(input: 10, output: 5))
    try await fixture.stop()
  }

  /// Half the price in a batch, at its own in `priority`; the usual tier is the batch's.
  @Test(arguments: [("default", 500, 1_000), ("priority", 3_000, 6_000)])
  func aLineIsHeldForTheTierThatItNamesAndChargedAtTheOneThatServed(
    tier: String, input: Int64, output: Int64
  ) async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(Upstream.line("gpt-tiers", more: #","service_tier":"priority""#))
    upstream.say(
      Upstream.ended(1),
      results: Upstream.lines(Upstream.result("gpt-tiers", input: 10, output: 5, tier: tier)))
    let (fixture, held) = try await Self.run(upstream)
    let line = FileBatchUpstream.body("gpt-tiers", 20, #","service_tier":"priority""#)
    let request = try Providers.Operation.chatCompletions.peek(Array(line.utf8))
    #expect(held == Money(nanodollars: request.inputTokensMax * 3_000 + 20 * 6_000))
    #expect(fixture.account.settled == Money(nanodollars: 10 * input + 5 * output))
    let recorded = try fixture.settlement()?.outcome.serviceTier
    #expect(recorded == (tier == "default" ? "batch" : ModelPrice.mixedBatchTier))
    try await fixture.stop()
  }

  // MARK: Pictures

  private static let pictures = "/v1/images/generations"

  private static func pictureLine(_ model: String, count: Int) -> String {
    #"{"custom_id":"x","url":"\#(pictures)","body":{"model":"\#(model)","prompt":"p","#
      + #""n":\#(count),"#
      + #""size":"1024x1024","quality":"low"}}"#
  }

  /// A model that is priced by quality and size is so in a batch, too; its answers say neither.
  @Test func picturesThatArePricedBySizeCostWhatWasHeld() async throws {
    func line(_ said: String) -> String {
      #"{"custom_id":"x","url":"\#(Self.pictures)","body":{"model":"gpt-sized","#
        + #""prompt":"p",\#(said)}}"#
    }
    let upstream = try FileBatchUpstream()
    upstream.hold(line(#""n":2,"size":"512x512""#), line(#""size":"1024x512","quality":"hd""#))
    upstream.say(
      Upstream.document("completed", completed: 2, output: "file-out", endpoint: Self.pictures),
      results: Upstream.lines(Self.pictureResult("") + "\n" + Self.pictureResult(Self.usage)))
    let (fixture, held) = try await Self.run(upstream, Self.pictures)
    let pixels: Int64 = 2 * 512 * 512 + 1_024 * 512
    #expect(held.nanodollars == pixels * TestPrice.pixel && fixture.account.settled == held)
    upstream.hold(line(#""size":"64x64""#))
    let other = try await FileBatchTests.make(
      fixture, body: FileBatchTests.creation(Self.pictures))
    #expect(other.status == 403 && other.text.contains("gpt-sized"), "\(other)")
    try await fixture.stop()
  }

  private static func pictureResult(_ usage: String) -> String {
    #"{"custom_id":"x","response":{"status_code":200,"body":{"created":1,"data":[]\#(usage)}}}"#
  }

  private static func picture(
    _ model: String, count: Int = 1, usage: String
  ) async throws -> (charge: Money, held: Money) {
    let upstream = try FileBatchUpstream()
    upstream.hold(pictureLine(model, count: count))
    upstream.say(
      Upstream.document("completed", completed: 1, output: "file-out", endpoint: pictures),
      results: Upstream.lines(pictureResult(usage) + "\n"))
    let (fixture, held) = try await run(upstream, pictures)
    try await fixture.stop()
    return (fixture.account.settled, held)
  }

  private static let usage = #","usage":{"input_tokens":9,"output_tokens":272}"#

  @Test func picturesAreChargedByTheirTokens() async throws {
    let (charge, held) = try await Self.picture("gpt-image-1", usage: Self.usage)
    #expect(charge.nanodollars == 9 * 1_000 + 272 * TestPrice.pictureToken && held > charge)
  }

  /// Whether the answer has tokens that cost nothing, or none: the pictures do.
  @Test(arguments: [usage, ""])
  func picturesThatAreBilledOneByOneCostWhatWasAskedFor(usage: String) async throws {
    let (charge, held) = try await Self.picture("gpt-canvas", count: 3, usage: usage)
    #expect(charge == held && held.nanodollars == 3 * TestPrice.picture)
  }
}
