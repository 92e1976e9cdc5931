// Apps of one upstream share its credential, but not their jobs.

import Metering
import TestSupport
import Testing

@testable import Gateway

@Suite struct JobOwnerTests {
  private static func status(
    _ fixture: GatewayFixture, _ method: String, _ path: String, key: String
  ) async throws -> Int {
    let answer = try await fixture.call(
      "\(method) \(path) HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer \(key)\r\n"
        + "Content-Length: 0\r\n\r\n")
    if answer.status == 404 { #expect(answer.header("x-leeway-denial") == "job_unknown") }
    return answer.status
  }

  @Test func anotherAppsBatchIsNeitherReadNorEnded() async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(FileBatchUpstream.line("gpt-test"))
    upstream.say(FileBatchUpstream.document("in_progress"))
    var fixture = try await FileBatchTests.fixture(upstream)
    #expect(try await FileBatchTests.make(fixture).status == 200)
    let (directory, database) = (fixture.directory, fixture.database)
    for _ in 1...2 {
      for (method, path) in [
        ("GET", "/v1/batches/batch_1"), ("POST", "/v1/batches/batch_1/cancel"),
        ("GET", "/main/openai/batches/batch_1?api-version=1"),
      ] {
        let (own, other) = (GatewayFixture.key, GatewayFixture.freeKey)
        #expect(try await Self.status(fixture, method, path, key: own) == 200)
        #expect(try await Self.status(fixture, method, path, key: other) == 404)
        // What nobody remembers is the provider's to know.
        let unknown = path.replacing("batch_1", with: "batch_2")
        #expect(try await Self.status(fixture, method, unknown, key: other) == 200)
      }
      // A restart knows what is followed.
      try await fixture.stop()
      fixture = try await FileBatchTests.fixture(
        upstream, directory: directory, database: database)
    }
    // Its results are to be had when it has ended.
    upstream.say(
      FileBatchUpstream.ended(1),
      results: FileBatchUpstream.lines(FileBatchUpstream.result("gpt-test", input: 6, output: 7)))
    try await fixture.quiet()
    let other = GatewayFixture.freeKey
    #expect(try await Self.status(fixture, "GET", "/v1/batches/batch_1", key: other) == 404)
    try await fixture.stop()
  }

  /// Whatever a provider makes of a path, no spelling of another's name goes there.
  @Test func noSpellingOfAPathReachesAnotherAppsBatch() async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(FileBatchUpstream.line("gpt-test"))
    upstream.say(FileBatchUpstream.document("in_progress"))
    let fixture = try await FileBatchTests.fixture(upstream)
    #expect(try await FileBatchTests.make(fixture).status == 200)
    for (method, path) in [
      ("POST", "/v1/batches/batch%5F1/cancel"), ("POST", "/v1/batches/%62atch_1/cancel"),
      ("POST", "/v1//batches//batch_1/cancel"), ("GET", "/v1/batches/batch_1/"),
      ("POST", "/v1/batches/batch_1/cancel/"), ("GET", "/v1/batches/./batch_1"),
      ("GET", "/v1/files/../batches/batch_1"), ("GET", "/v1/batches/batch_1;a=b"),
      ("GET", "/v1/batches/batch%255F1"), ("GET", "/v1/Batches/BATCH_1"),
      ("DELETE", "/v1/batches/batch_1"), ("GET", "/v1/batches%2Fbatch_1"),
      ("OPTIONS", "/main/v2/beta/batches/batch_1"), ("GET", "/v1/batches/batch_1%20"),
    ] {
      let status = try await Self.status(fixture, method, path, key: GatewayFixture.freeKey)
      #expect(status == 404, "\(method) \(path)")
      let other = path.replacing("atch_1", with: "atch_2").replacing("ATCH_1", with: "ATCH_2")
        .replacing("F1", with: "F2")
      let passed = try await Self.status(fixture, method, other, key: GatewayFixture.freeKey)
      #expect(passed == 200, "\(method) \(other)")
    }
    try await fixture.stop()
  }

  /// Two names of one server are one place of jobs.
  @Test func anUpstreamsOtherNameIsNoWayRound() async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(FileBatchUpstream.line("gpt-test"))
    upstream.say(FileBatchUpstream.document("in_progress"))
    let both = ["main", "again"].map { name in
      GatewayUpstream(
        name: name, dialect: .openai, isTLS: false, host: "127.0.0.1", port: upstream.port,
        credential: GatewayFixture.credential)
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port, upstreams: both)
    #expect(try await FileBatchTests.make(fixture).status == 200)
    let path = "/again/v1/batches/batch_1"
    #expect(try await Self.status(fixture, "GET", path, key: GatewayFixture.key) == 200)
    #expect(try await Self.status(fixture, "GET", path, key: GatewayFixture.freeKey) == 404)
    try await fixture.stop()
  }

  // MARK: Files

  @Test func aBatchsFilesAreItsApps() async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(FileBatchUpstream.line("gpt-test"))
    // Its results are there, but none can be had yet.
    upstream.say(
      FileBatchUpstream.ended(1), results: Script.json("{}", status: "500 Internal Server Error"))
    var fixture = try await FileBatchTests.fixture(upstream)
    #expect(try await FileBatchTests.make(fixture).status == 200)
    let (directory, database) = (fixture.directory, fixture.database)
    let (own, other) = (GatewayFixture.key, GatewayFixture.freeKey)
    for _ in 1...2 {
      try await eventually { upstream.reads.contains { $0.head.contains("file-out") } }
      for file in ["file-in", "file-out", "file-e", "file%2Dout"] {
        for (method, tail) in [("GET", ""), ("GET", "/content"), ("DELETE", "")] {
          let path = "/v1/files/\(file)\(tail)"
          #expect(try await Self.status(fixture, method, path, key: other) == 404, "\(path)")
          guard file == "file-e" else { continue }
          #expect(try await Self.status(fixture, method, path, key: own) == 200, "\(path)")
        }
      }
      #expect(try await FileBatchTests.make(fixture, key: other).status == 404)
      try await fixture.stop()
      let reads = upstream.reads.count
      fixture = try await FileBatchTests.fixture(
        upstream, directory: directory, database: database)
      try await eventually { upstream.reads.count > reads }
    }
    try await fixture.stop()
    #expect(upstream.creations == 1)
  }

  @Test(arguments: [
    ("/v1/files", #"{"id":"file-7","object":"file"}"#),
    ("/main/openai/files?api-version=1", #"{"object":"file","id":"file-7"}"#),
    ("/v1/uploads/upload_1/complete", #"{"id":"upload_1","file":{"id":"file-7","bytes":1}}"#),
  ])
  func anUploadsFileIsItsApps(path: String, answer: String) async throws {
    let upstream = try ScriptedUpstream { request in
      [.send(Script.json(request.head.hasPrefix("POST") ? answer : "{}"))]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let (own, other) = (GatewayFixture.key, GatewayFixture.freeKey)
    for method in ["GET", "DELETE"] {
      #expect(try await Self.status(fixture, method, "/v1/files/file-7", key: other) == 200)
    }
    #expect(try await FileBatchTests.make(fixture, body: "--b--", path: path).status == 200)
    for method in ["GET", "DELETE"] {
      #expect(try await Self.status(fixture, method, "/v1/files/file-7", key: own) == 200)
      #expect(try await Self.status(fixture, method, "/v1/files/file-7", key: other) == 404)
      #expect(try await Self.status(fixture, method, "/v1/files/file-8", key: other) == 200)
    }
    try await fixture.stop()
  }

  /// The results of a batch have a name before anybody here knows it.
  @Test func aFileOfNobodyKnownIsNotDeletedWhileItMayBeAnotherBatchs() async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(FileBatchUpstream.line("gpt-test"))
    upstream.say(FileBatchUpstream.document("in_progress"))
    let fixture = try await FileBatchTests.fixture(upstream) {
      $0.batchPollMilliseconds = 60_000
      $0.batchPollMillisecondsMax = 60_000
    }
    let (own, other) = (GatewayFixture.key, GatewayFixture.freeKey)
    let path = "/v1/files/file-out"
    #expect(try await Self.status(fixture, "DELETE", path, key: other) == 200)
    #expect(try await FileBatchTests.make(fixture).status == 200)
    for path in [path, path + "/", "/v1/%66iles/file-out"] {
      #expect(try await Self.status(fixture, "DELETE", path, key: other) == 400)
    }
    #expect(try await Self.status(fixture, "GET", path, key: other) == 200)
    #expect(try await Self.status(fixture, "DELETE", path, key: own) == 200)
    // Its app's own look at it tells.
    upstream.say(FileBatchUpstream.ended(1))
    #expect(try await Self.status(fixture, "GET", "/v1/batches/batch_1", key: own) == 200)
    #expect(try await Self.status(fixture, "GET", path, key: other) == 404)
    try await fixture.stop()
  }

  /// A provider may answer a creation that is repeated with what it made before.
  @Test func oneBatchThatIsMadeTwiceIsChargedOnce() async throws {
    let upstream = try FileBatchUpstream()
    upstream.hold(FileBatchUpstream.line("gpt-test"))
    upstream.say(FileBatchUpstream.document("in_progress"))
    let fixture = try await FileBatchTests.fixture(upstream)
    #expect(try await FileBatchTests.make(fixture).status == 200)
    let held = fixture.account
    #expect(try await FileBatchTests.make(fixture).status == 200)
    #expect(fixture.account == held && held.reserved > .zero)
    upstream.say(
      FileBatchUpstream.ended(1),
      results: FileBatchUpstream.lines(FileBatchUpstream.result("gpt-test", input: 6, output: 7)))
    try await fixture.quiet()
    #expect(
      fixture.account == .init(settled: TestPrice.cost(input: 6, output: 7), reserved: .zero))
    try await fixture.stop()
  }

  @Test func oneBatchThatWasMadeBeforeIsChargedOnce() async throws {
    let upstream = try FileBatchUpstream(made: FileBatchUpstream.ended(1))
    upstream.hold(FileBatchUpstream.line("gpt-test"))
    upstream.say(
      FileBatchUpstream.ended(1),
      results: FileBatchUpstream.lines(FileBatchUpstream.result("gpt-test", input: 6, output: 7)))
    let fixture = try await FileBatchTests.fixture(upstream)
    for _ in 1...2 {
      #expect(try await FileBatchTests.make(fixture).status == 200)
      try await fixture.quiet()
      #expect(
        fixture.account == .init(settled: TestPrice.cost(input: 6, output: 7), reserved: .zero))
    }
    try await fixture.stop()
  }

  // MARK: What is remembered

  private static func job(_ number: Int, _ kind: FollowedJob.Kind = .batch) -> FollowedJob {
    FollowedJob(
      kind: kind, upstream: "u", path: "/v1/batches", id: "b\(number)", model: "m",
      inputTokens: 0, outputTokens: nil, status: 200, startedAt: GatewayFixture.now)
  }

  @Test func theLatestOfEachAppAreRememberedAndAllThatAreFollowed() {
    var owners = JobOwners(rememberedMax: 3)
    owners.hold(Self.job(0), of: CallID(1), app: "a", at: "p")
    owners.hold(["in"], with: CallID(1))
    owners.remember("own", app: "b", at: "p")
    for number in 1...10 {
      owners.remember("f\(number)", app: "a", at: "p")
      for other in 0...10 {
        let wanted: JobOwners.Standing =
          other == 0 || other <= number && other > number - 3 ? .foreign : .unknown
        let name = other == 0 ? "b0" : "f\(other)"
        #expect(owners.standing(of: [name], at: "p", to: "b") == wanted, "\(number) \(other)")
      }
      // However many others have.
      #expect(owners.standing(of: ["own"], at: "p", to: "b") == .own)
      #expect(owners.standing(of: ["B0", "in"], at: "p", to: "a") == .own)
      #expect(owners.standing(of: ["b0"], at: "q", to: "b") == .unknown)
    }
    // What has ended is one of the latest.
    owners.end(CallID(1))
    for id in ["b0", "in"] { #expect(owners.standing(of: [id], at: "p", to: "b") == .foreign) }
    for number in 1...3 { owners.remember("g\(number)", app: "a", at: "p") }
    for id in ["b0", "in"] { #expect(owners.standing(of: [id], at: "p", to: "b") == .unknown) }
  }

  @Test func aFileIsItsJobsForAsLongAsAnyFollowedJobHasIt() {
    var owners = JobOwners(rememberedMax: 0)
    for call in [1, 2] as [UInt64] {
      owners.hold(Self.job(Int(call)), of: CallID(call), app: "a", at: "p")
      owners.hold(["in"], with: CallID(call))
    }
    // Not of another app's word, nor of a job that nobody knows.
    owners.note(["out"], of: "b1", app: "b", at: "p")
    owners.note(["out"], of: "b9", app: "a", at: "p")
    #expect(owners.standing(of: ["out"], at: "p", to: "b") == .unknown)
    owners.note(["out"], of: "b1", app: "a", at: "p")
    #expect(owners.standing(of: ["out"], at: "p", to: "b") == .foreign)
    #expect(owners.hasFiles(ofOthersThan: "b", at: "p"))
    #expect(!owners.hasFiles(ofOthersThan: "a", at: "p"))
    #expect(!owners.hasFiles(ofOthersThan: "b", at: "q"))
    owners.end(CallID(1))
    #expect(owners.standing(of: ["out"], at: "p", to: "b") == .unknown)
    #expect(owners.standing(of: ["in"], at: "p", to: "b") == .foreign)
    owners.end(CallID(2))
    owners.end(CallID(2))
    #expect(owners.standing(of: ["in"], at: "p", to: "b") == .unknown)
    #expect(!owners.hasFiles(ofOthersThan: "b", at: "p"))
    owners.hold(Self.job(3, .backgroundResponse), of: CallID(3), app: "a", at: "p")
    #expect(!owners.hasFiles(ofOthersThan: "b", at: "p"))
  }
}
