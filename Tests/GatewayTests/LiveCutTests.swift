// A stream that goes beyond what its call may cost is ended there; one that keeps to it never is.

import Foundation
import Metering
import Providers
import TestSupport
import Testing
import Tokens

@testable import Gateway

@Suite struct LiveCutTests {
  private static let reserved = TestPrice.cost(input: 100, output: 20)

  private static func watch(
    _ operation: Providers.Operation = .chatCompletions, outputTokens: Int64? = 20,
    bound: CostBound = .atMost(reserved), requestBytes: Int = 0, choices: Int64 = 1,
    units: [UsageCount] = []
  ) -> OutputWatch? {
    var estimate = CallEstimate()
    estimate.model = "gpt-test"
    estimate.price = TestPrice.book.price(model: "gpt-test", at: GatewayFixture.now)
    estimate.bound = bound
    estimate.inputTokens = 100
    estimate.outputTokens = outputTokens
    estimate.choices = choices
    estimate.units = units
    return OutputWatch(
      estimate, operation: operation, reserved: reserved, prices: TestPrice.book,
      requestBytes: requestBytes, at: GatewayFixture.now)
  }

  private static func reading(
    text: Int64 = 0, input: Int64 = 10, output: Int64? = nil, finish: String? = nil
  ) -> CallReading {
    var reading = CallReading()
    reading.outputTextBytes = text
    reading.finishReason = finish
    if let output {
      var usage = Usage(source: .reported)
      usage.inputUncached = input
      usage.outputText = output
      reading.usage = usage
    }
    return reading
  }

  private static func isCut(_ watch: OutputWatch?, _ reading: CallReading) throws -> Bool {
    var watch = try #require(watch)
    return watch.isPassed(
      after: OutputWatch.bytesBetweenLooks, isBetweenEvents: true
    ) { reading }
  }

  @Test func textIsOverAtItsLongestTokens() throws {
    let most = 20 * OutputWatch.tokenBytesMax
    #expect(try !Self.isCut(Self.watch(), Self.reading(text: most)))
    #expect(try Self.isCut(Self.watch(), Self.reading(text: most + 1)))
    // An answer may repeat its request, once a choice.
    let echo = Self.watch(requestBytes: 1_000, choices: 3)
    #expect(try !Self.isCut(echo, Self.reading(text: most + 3_000)))
    #expect(try Self.isCut(echo, Self.reading(text: most + 3_001)))
  }

  @Test func whatIsReportedSoFarIsExact() throws {
    #expect(try !Self.isCut(Self.watch(), Self.reading(output: 20)))
    #expect(try Self.isCut(Self.watch(), Self.reading(output: 21)))
    // Input that is billed beyond its bound.
    #expect(try Self.isCut(Self.watch(), Self.reading(input: 101, output: 20)))
    // It has stopped by itself: nothing is left to save. A reason that is empty is none.
    #expect(try !Self.isCut(Self.watch(), Self.reading(output: 21, finish: "length")))
    #expect(try Self.isCut(Self.watch(), Self.reading(output: 21, finish: "")))
  }

  @Test func whereTextIsNotWhatIsBilledItSaysNothing() throws {
    let long = Self.reading(text: 1 << 40)
    for operation in [Providers.Operation.completions, .speech, .invokeModelStream] {
      #expect(try !Self.isCut(Self.watch(operation), long))
    }
    #expect(try !Self.isCut(Self.watch(units: [UsageCount(.webSearches, 1)]), long))
    #expect(Self.watch(bound: .none(.tokensUnbounded)) == nil, "nothing is held")
    #expect(Self.watch(outputTokens: nil) == nil)
  }

  @Test func itIsLookedAtOnceInFourKiB() throws {
    var watch = try #require(Self.watch())
    var looks = 0
    for _ in 0..<100 {
      _ = watch.isPassed(after: 1_000, isBetweenEvents: true) {
        looks += 1
        return Self.reading()
      }
    }
    #expect(looks == 20)
  }

  @Test func aCutWaitsForTheEndOfAnEventButNotForLong() throws {
    let over = Self.reading(output: 21)
    var watch = try #require(Self.watch())
    func cuts(_ bytes: Int, between: Bool) -> Bool {
      watch.isPassed(after: bytes, isBetweenEvents: between) { over }
    }
    #expect(!cuts(5_000, between: false))
    #expect(!cuts(60_000, between: false))
    #expect(cuts(6_000, between: false))
    watch = try #require(Self.watch())
    #expect(!cuts(5_000, between: false))
    #expect(cuts(1, between: true))
  }

  /// What the longest token is taken for holds for the vocabularies that are here.
  @Test(arguments: TokenEncoding.allCases) func noTokenIsLonger(encoding: TokenEncoding) {
    #expect(encoding.vocabulary.lengthMax <= Int(OutputWatch.tokenBytesMax) / 2)
  }

  // MARK: Through the gateway

  private static let chunk = Script.chunk(
    Script.event(String(repeating: "word ", count: 1_000)))

  private static func body(tokens: Int) -> String {
    GatewayFixture.streamBody.replacingOccurrences(of: ":20", with: ":\(tokens)")
  }

  @Test func anUpstreamThatIgnoresTheBoundIsCut() async throws {
    let upstream = try ScriptedUpstream { _ in
      [.send(Script.streamHead)]
        + (0..<200).flatMap { _ in
          [.send(Self.chunk), .pause(milliseconds: 5)]
        } + [.expectClose]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let port = fixture.port
    let text = try await onThread {
      let socket = try RawSocket(port: port, patienceSeconds: 120)
      try socket.send(GatewayFixture.request(Self.body(tokens: 20)))
      return String(decoding: try socket.receiveAll(), as: UTF8.self)
    }
    #expect(text.contains(#""code":"answer_over_bound""#))
    #expect(text.hasSuffix("\n\n\r\n0\r\n\r\n"))
    try await fixture.quiet()
    let settled = try #require(try fixture.settlement())
    #expect(settled.outcome.ending == .overBound)
    #expect(settled.outcome.usage.source == .estimated)
    #expect(fixture.account.settled == settled.charge && fixture.account.reserved == .zero)
    try await fixture.stop()
  }

  @Test func aLongHonestStreamIsNotCut() async throws {
    let upstream = try ScriptedUpstream { _ in
      [.send(Script.streamHead)] + (0..<40).map { _ in .send(Self.chunk) }
        + [.send(Script.chunk(Script.usageEvent + Script.done)), .send(Script.lastChunk)]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let answer = try await fixture.call(GatewayFixture.request(Self.body(tokens: 900)))
    #expect(answer.text.hasSuffix(Script.done))
    try await fixture.stop()
    #expect(try fixture.settlement()?.outcome.ending == .completed)
  }

  @Test func usageThatIsReportedInPassingCutsAtOnce() async throws {
    let event =
      #"data: {"id":"c1","model":"gpt-test","choices":[{"index":0,"delta":{"content":"a"}}],"#
      + #""usage":{"prompt_tokens":10,"completion_tokens":21}}"# + "\n\n"
    let padding = ": " + String(repeating: "x", count: OutputWatch.bytesBetweenLooks) + "\n\n"
    let upstream = try ScriptedUpstream { _ in
      [.send(Script.streamHead), .send(Script.chunk(event + padding)), .expectClose]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let asks = #""stream":true,"stream_options":{"include_usage":true}"#
    let body = Self.body(tokens: 20).replacingOccurrences(of: #""stream":true"#, with: asks)
    let port = fixture.port
    let text = try await onThread {
      let socket = try RawSocket(port: port, patienceSeconds: 120)
      try socket.send(GatewayFixture.request(body))
      return String(decoding: try socket.receiveAll(), as: UTF8.self)
    }
    #expect(text.contains("answer_over_bound"))
    try await eventually { upstream.closesSeen == 1 }
    try await fixture.quiet()
    let settled = try #require(try fixture.settlement())
    // What was reported, though it is more than its bound.
    #expect(settled.charge >= TestPrice.cost(input: 10, output: 21))
    try await fixture.stop()
  }
}
