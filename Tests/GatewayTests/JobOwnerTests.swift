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

  @Test func theLatestAreRememberedAndNoMoreThanTwiceAsMany() {
    var owners = JobOwners(rememberedMin: 3)
    func job(_ number: Int, at upstream: String = "u") -> FollowedJob {
      FollowedJob(
        kind: .batch, upstream: upstream, path: "/v1/batches", id: "b\(number)", model: "m",
        inputTokens: 0, outputTokens: nil, status: 200, startedAt: GatewayFixture.now)
    }
    for number in 1...10 {
      owners.note(job(number), app: "a\(number)")
      for latest in max(1, number - 2)...number {
        #expect(owners.app(of: "b\(latest)", at: "u") == "a\(latest)")
      }
      if number > 6 { #expect(owners.app(of: "b\(number - 6)", at: "u") == nil) }
    }
    #expect(owners.app(of: "b10", at: "v") == nil)
    owners.note(job(10, at: "v"), app: "b")
    #expect(owners.app(of: "b10", at: "v") == "b" && owners.app(of: "b10", at: "u") == "a10")
  }
}
