// Responses in the background: made by a call, followed by the gateway, settled once.

import Foundation
import Metering
import Store
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// An upstream that makes a response in the background and says what the test says of it.
final class BackgroundUpstream: Sendable {
  private let answers = SaidAnswers()
  private let server: ScriptedUpstream
  var port: Int { server.port }

  /// - Parameter made: the answer to the call that makes it.
  init(
    made: [ScriptedUpstream.Step] = [.send(Script.json(BackgroundUpstream.document("queued")))]
  ) throws {
    let answers = answers
    server = try ScriptedUpstream { request in
      request.head.hasPrefix("POST")
        ? made
        : [.send(answers.next())]
    }
  }

  /// What is said from now on, one answer after the other; the last one for ever.
  func say(_ answers: String...) { self.answers.set(answers) }

  var requests: [ScriptedUpstream.Request] { server.requests }
  var polls: [ScriptedUpstream.Request] { requests.filter { $0.head.hasPrefix("GET") } }

  static func document(_ status: String, usage: String = "null") -> String {
    #"{"id":"resp_1","object":"response","status":"\#(status)","model":"gpt-test","output":[],"#
      + #""usage":\#(usage)}"#
  }

  static let usage =
    #"{"input_tokens":10,"output_tokens":7,"output_tokens_details":{"reasoning_tokens":2},"#
    + #""total_tokens":17}"#

  static let done = Script.json(document("completed", usage: usage))
  static let running = Script.json(document("in_progress"))
}

@Suite struct FollowTests {
  static let path = "/v1/responses"
  static let body =
    #"{"model":"gpt-test","background":true,"max_output_tokens":20,"input":"hi"}"#

  private static func fixture(
    _ port: Int, directory: TemporaryDirectory? = nil, database: StoreDatabase? = nil,
    clock: TestClock = TestClock()
  ) async throws -> GatewayFixture {
    try await GatewayFixture(
      upstreamPort: port, sampleRate: 1, directory: directory, database: database, clock: clock
    ) {
      $0.responsePollMilliseconds = 10
      $0.responsePollMillisecondsMax = 40
    }
  }

  private static func make(_ fixture: GatewayFixture) async throws -> RawAnswer {
    try await fixture.call(GatewayFixture.request(body, path: path))
  }

  private static func poll(_ fixture: GatewayFixture, _ method: String = "GET", _ tail: String = "")
    async throws -> RawAnswer
  {
    try await fixture.call(
      "\(method) /v1/responses/resp_1\(tail) HTTP/1.1\r\nHost: gateway\r\n"
        + "Authorization: Bearer \(GatewayFixture.key)\r\nContent-Length: 0\r\n\r\n")
  }

  /// Events of the one background call, without those of the app's own polls.
  private static func events(_ fixture: GatewayFixture) throws -> [LedgerEvent] {
    try fixture.events().filter { event in
      switch event.kind {
      case .reserved(let reserved): reserved.model == "gpt-test"
      case .settled, .followed, .expired: true
      case .released(let call, _): call == CallID(1)
      default: false
      }
    }
  }

  @Test func itIsHeldUntilItEndsAndSettledOnce() async throws {
    let upstream = try BackgroundUpstream()
    upstream.say(BackgroundUpstream.running)
    let fixture = try await Self.fixture(upstream.port)
    let answer = try await Self.make(fixture)
    #expect(answer.status == 200)
    #expect(String(decoding: answer.body, as: UTF8.self) == BackgroundUpstream.document("queued"))
    // The caller has its answer: then the journal has that it is followed.
    let journaled = try fixture.events()
    guard case .followed(CallID(1), let job) = journaled.last?.kind else {
      Issue.record("\(journaled)")
      return
    }
    #expect(job.id == "resp_1" && job.path == "/v1/responses" && job.upstream == "main")
    #expect(fixture.account.settled == .zero)
    let held = fixture.account.reserved
    #expect(held >= TestPrice.cost(input: 40, output: 20))

    // Reading it, again and again, costs nothing.
    for _ in 0..<3 { #expect(try await Self.poll(fixture).status == 200) }
    #expect(fixture.account == .init(settled: .zero, reserved: held))
    upstream.say(BackgroundUpstream.done)
    try await fixture.quiet()
    #expect(try await Self.poll(fixture).status == 200)
    #expect(
      fixture.account
        == .init(settled: TestPrice.cost(input: 10, output: 7), reserved: .zero))
    let settled = try #require(try fixture.settlement())
    #expect(settled.call == CallID(1) && settled.outcome.status == 200)
    #expect(settled.outcome.usage.source == .reported)
    #expect(settled.outcome.usage.outputReasoning == 2)
    try await fixture.stop()
    #expect(try Self.events(fixture).count == 3)
    #expect(fixture.metrics.count(of: .duplicateSettlements) == 0)
    // Neither its first answer nor a later one is a sample of what the model says.
    #expect(try fixture.database.samples(of: SampleSpan(app: "team")).isEmpty)
    let own = upstream.polls.filter { !$0.head.contains("Host: gateway") }
    #expect(own.allSatisfy { $0.head.contains("Bearer \(GatewayFixture.credential)\r\n") })
  }

  @Test func anAnswerThatIsFinalIsSettledAtOnce() async throws {
    let upstream = try BackgroundUpstream(made: [.send(BackgroundUpstream.done)])
    let fixture = try await Self.fixture(upstream.port)
    #expect(try await Self.make(fixture).status == 200)
    #expect(fixture.account.settled == TestPrice.cost(input: 10, output: 7))
    try await fixture.stop()
    #expect(upstream.polls.isEmpty)
  }

  @Test(arguments: [
    "{\"id\":\"resp_1\",\"status\":\"queued\"", "{\"status\":\"queued\"}", "not JSON",
    "{\"id\":\"a/../b\",\"status\":\"queued\"}", "{\"id\":\"\",\"status\":\"queued\"}",
    "{\"id\":\"resp_1\",\"status\":\"new\"}",
  ])
  func anAnswerThatCannotBeReadIsChargedAtItsEstimate(text: String) async throws {
    let upstream = try BackgroundUpstream(made: [.send(Script.json(text))])
    upstream.say(BackgroundUpstream.done)
    let fixture = try await Self.fixture(upstream.port)
    _ = try await Self.make(fixture)
    // One that was cut off may still name its job.
    try await fixture.quiet()
    let settled = try #require(try fixture.settlement())
    if text.contains("resp_1"), text.contains("queued") {
      #expect(settled.outcome.usage.source == .reported)
    } else {
      #expect(settled.outcome.usage.source == .estimated)
      #expect(settled.charge >= TestPrice.cost(input: 40, output: 20))
    }
    try await fixture.stop()
  }

  @Test func anErrorIsReleased() async throws {
    let error = Script.json(#"{"error":{"message":"no"}}"#, status: "400 Bad Request")
    let upstream = try BackgroundUpstream(made: [.send(error)])
    let fixture = try await Self.fixture(upstream.port)
    #expect(try await Self.make(fixture).status == 400)
    #expect(fixture.account == .init())
    try await fixture.stop()
    #expect(upstream.polls.isEmpty)
  }

  @Test func aCallerThatLeavesChangesNothing() async throws {
    let gate = Gate()
    let upstream = try BackgroundUpstream(
      made: [.wait(gate), .send(Script.json(BackgroundUpstream.document("queued")))])
    upstream.say(BackgroundUpstream.running, BackgroundUpstream.done)
    let fixture = try await Self.fixture(upstream.port)
    let port = fixture.port
    try await onThread {
      let socket = try RawSocket(port: port)
      try socket.send(GatewayFixture.request(Self.body, path: Self.path))
      while upstream.requests.isEmpty { usleep(1_000) }
      socket.close()
    }
    gate.open()
    try await fixture.quiet()
    #expect(fixture.account.settled == TestPrice.cost(input: 10, output: 7))
    try await fixture.stop()
    #expect(try Self.events(fixture).count == 3)
  }

  /// A stream whose caller leaves: the work goes on, and so does the meter.
  @Test func aStreamThatIsCutIsFollowed() async throws {
    let event =
      #"data: {"type":"response.created","response":"#
      + BackgroundUpstream.document("in_progress") + "}\n\n"
    let upstream = try BackgroundUpstream(
      made: [.send(Script.streamHead), .send(Script.chunk(event)), .reset])
    upstream.say(BackgroundUpstream.done)
    let fixture = try await Self.fixture(upstream.port)
    let port = fixture.port
    let body = Self.body.replacingOccurrences(of: "{\"model", with: "{\"stream\":true,\"model")
    try await onThread {
      let socket = try RawSocket(port: port)
      try socket.send(GatewayFixture.request(body, path: Self.path))
      _ = try? socket.receiveAll()
    }
    try await fixture.quiet()
    #expect(fixture.account.settled == TestPrice.cost(input: 10, output: 7))
    try await fixture.stop()
  }

  @Test(arguments: [("queued", true), ("in_progress", false)])
  func aCancelledJobIsReleasedIfItDidNotBegin(state: String, isFree: Bool) async throws {
    let made = Script.json(BackgroundUpstream.document(state))
    let upstream = try BackgroundUpstream(made: [.send(made)])
    upstream.say(Script.json(BackgroundUpstream.document("cancelled")))
    let fixture = try await Self.fixture(upstream.port)
    _ = try await Self.make(fixture)
    try await fixture.quiet()
    #expect((fixture.account.settled == .zero) == isFree)
    #expect(fixture.account.reserved == .zero)
    try await fixture.stop()
  }

  @Test func usageCountsWhateverTheEnd() async throws {
    for status in ["cancelled", "failed", "incomplete"] {
      let upstream = try BackgroundUpstream()
      upstream.say(
        Script.json(BackgroundUpstream.document(status, usage: BackgroundUpstream.usage)))
      let fixture = try await Self.fixture(upstream.port)
      _ = try await Self.make(fixture)
      try await fixture.quiet()
      #expect(fixture.account.settled == TestPrice.cost(input: 10, output: 7), "\(status)")
      try await fixture.stop()
    }
  }

  @Test func aFailureWithoutUsageIsReleased() async throws {
    let upstream = try BackgroundUpstream()
    upstream.say(Script.json(BackgroundUpstream.document("failed")))
    let fixture = try await Self.fixture(upstream.port)
    _ = try await Self.make(fixture)
    try await fixture.quiet()
    #expect(fixture.account == .init())
    try await fixture.stop()
  }

  @Test func aDeletedJobIsChargedAtItsEstimate() async throws {
    let upstream = try BackgroundUpstream()
    upstream.say(Script.json(#"{"error":{"message":"gone"}}"#, status: "404 Not Found"))
    let fixture = try await Self.fixture(upstream.port)
    _ = try await Self.make(fixture)
    let held = fixture.account.reserved
    try await fixture.quiet()
    #expect(fixture.account == .init(settled: held, reserved: .zero))
    #expect(try fixture.settlement()?.outcome.usage.source == .estimated)
    try await fixture.stop()
    #expect(upstream.polls.count == JobWatch.missesMax)
  }

  @Test func pastItsDeadlineAJobIsChargedAtItsEstimate() async throws {
    let upstream = try BackgroundUpstream()
    upstream.say(BackgroundUpstream.running)
    let clock = TestClock()
    let fixture = try await Self.fixture(upstream.port, clock: clock)
    _ = try await Self.make(fixture)
    let held = fixture.account.reserved
    try await eventually { upstream.polls.count > 3 }
    #expect(fixture.account.settled == .zero)
    clock.advance(milliseconds: 86_400_000)
    try await fixture.quiet()
    #expect(fixture.account == .init(settled: held, reserved: .zero))
    let outcome = try #require(try fixture.settlement()?.outcome)
    #expect(outcome.usage.source == .estimated && outcome.ending == .timeout)
    try await fixture.stop()
  }

  @Test func anUpstreamThatIsAwayForAWhileIsAskedAgain() async throws {
    let upstream = try BackgroundUpstream()
    upstream.say(
      Script.json("{}", status: "503 Service Unavailable"),
      Script.json("{}", status: "429 Too Many Requests"), Script.json("half", headers: "X: y\r\n"),
      Script.json("{}", status: "401 Unauthorized"), BackgroundUpstream.running,
      BackgroundUpstream.done)
    let fixture = try await Self.fixture(upstream.port)
    _ = try await Self.make(fixture)
    try await fixture.quiet()
    #expect(fixture.account.settled == TestPrice.cost(input: 10, output: 7))
    try await fixture.stop()
    #expect(upstream.polls.count == 6)
  }

  @Test func aRestartTakesItUpAgain() async throws {
    let upstream = try BackgroundUpstream()
    upstream.say(BackgroundUpstream.running)
    let first = try await Self.fixture(upstream.port)
    _ = try await Self.make(first)
    let held = first.account
    try await first.stop()
    #expect(first.account == held, "a stop ends nothing")

    let second = try await Self.fixture(
      upstream.port, directory: first.directory, database: first.database)
    try await eventually { upstream.polls.count > 2 }
    #expect(second.account == held)
    upstream.say(BackgroundUpstream.done)
    try await second.quiet()
    #expect(
      second.account == .init(settled: TestPrice.cost(input: 10, output: 7), reserved: .zero))
    try await second.stop()
    #expect(try Self.events(second).filter { $0.kind.isSettlement }.count == 1)
  }

  @Test func manyAreFollowedAFewAtATime() async throws {
    let open = Mutex((now: 0, most: 0))
    let upstream = try ScriptedUpstream { request in
      if request.head.hasPrefix("POST") {
        let document = BackgroundUpstream.document("queued")
        let name = "resp_\(request.connection)_\(request.number)"
        return [.send(Script.json(document.replacing("resp_1", with: name)))]
      }
      open.withLock {
        $0.now += 1
        $0.most = max($0.most, $0.now)
      }
      usleep(5_000)
      open.withLock { $0.now -= 1 }
      return [.send(BackgroundUpstream.done)]
    }
    let fixture = try await Self.fixture(upstream.port)
    let port = fixture.port
    try await onThread {
      let socket = try RawSocket(port: port)
      for _ in 0..<60 {
        try socket.send(GatewayFixture.request(Self.body, path: Self.path))
        _ = try socket.answer()
      }
    }
    try await fixture.quiet()
    #expect(fixture.account.settled == TestPrice.cost(input: 600, output: 420))
    // One app leaves as many places free as it takes.
    #expect(open.withLock { $0.most } <= 4)
    try await fixture.stop()
  }
}

extension LedgerEvent.Kind {
  fileprivate var isSettlement: Bool { if case .settled = self { true } else { false } }
}
