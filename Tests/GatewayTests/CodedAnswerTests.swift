// Answers in a content coding although none was asked for: the caller gets the bytes as they came,
// and usage is read where it can be.

import Foundation
import Metering
import Store
import TestSupport
import Testing

@testable import Gateway

@Suite struct CodedAnswerTests {
  // MARK: Read

  @Test(arguments: [
    ("json gzip", "gzip"), ("json gzip", "X-GZIP"), ("json gzip", "identity, gzip"),
    ("json zlib", "deflate"), ("json raw", "deflate"),
  ])
  func codedJSONIsReadAndRelayedAsItCame(name: String, coding: String) async throws {
    let coded = try Self.coded(name)
    let seen = try await Self.relay(coded, coding, body: GatewayFixture.body)
    #expect(seen.answer.header("content-length") == "\(coded.count)")
    #expect(seen.settled.charge == TestPrice.cost(input: 10, output: 5))
    #expect(seen.settled.outcome.usage.source == .reported)
    #expect(seen.settled.outcome.responseModel == "gpt-test")
    #expect(seen.samples.map(\.output) == ["hello"])
    #expect(seen.samples.map(\.finishReason) == ["stop"])
    #expect(seen.unreadable == 0)
    #expect(seen.codings.isEmpty)
  }

  /// The caller did not ask for the usage event, yet gets it: it cannot be cut out of coded bytes.
  @Test(
    arguments: [
      ("stream gzip", "gzip"), ("stream gzip flushed", "gzip"), ("stream zlib", "deflate"),
    ], [1, 7, 100_000])
  func aCodedStreamIsReadInAnySplit(stream: (String, String), piece: Int) async throws {
    let coded = try Self.coded(stream.0)
    let seen = try await Self.relay(
      coded, stream.1, body: GatewayFixture.streamBody, type: "text/event-stream", chunk: piece)
    #expect(seen.settled.charge == TestPrice.cost(input: 10, output: 7))
    #expect(seen.settled.outcome.usage.source == .reported)
    #expect(seen.samples.map(\.output) == ["one two"])
    #expect(seen.unreadable == 0)
  }

  @Test func aCodedStreamKeepsItsLength() async throws {
    let coded = try Self.coded("stream gzip")
    let seen = try await Self.relay(
      coded, "gzip", body: GatewayFixture.streamBody, type: "text/event-stream")
    #expect(seen.answer.header("content-length") == "\(coded.count)")
    #expect(seen.settled.charge == TestPrice.cost(input: 10, output: 7))
  }

  /// Some senders leave the trailer out; usage that was read stands all the same.
  @Test func usageBeforeAMissingEndIsBelieved() async throws {
    let coded = try Self.coded("json gzip").dropLast(8)
    let seen = try await Self.relay(Array(coded), "gzip", body: GatewayFixture.body)
    #expect(seen.settled.charge == TestPrice.cost(input: 10, output: 5))
    #expect(seen.settled.outcome.usage.source == .reported)
    #expect(seen.unreadable == 0)
  }

  // MARK: Not read

  @Test func aWrongChecksumMeansNoFigureIsBelieved() async throws {
    var coded = try Self.coded("json gzip")
    coded[coded.count - 6] ^= 1
    let seen = try await Self.relay(coded, "gzip", body: GatewayFixture.body)
    Self.expectEstimated(seen, "gzip")
  }

  @Test func aCorruptStreamIsRelayedToItsEnd() async throws {
    var coded = try Self.coded("stream gzip flushed")
    for place in 40..<60 { coded[place] ^= 0x55 }
    let seen = try await Self.relay(
      coded, "gzip", body: GatewayFixture.streamBody, type: "text/event-stream", chunk: 3)
    Self.expectEstimated(seen, "gzip")
  }

  @Test func halfAnAnswerIsNotRead() async throws {
    let coded = try Self.coded("json gzip")
    let seen = try await Self.relay(
      Array(coded[..<(coded.count / 2)]), "gzip", body: GatewayFixture.body)
    Self.expectEstimated(seen, "gzip")
  }

  /// Two million bytes in two thousand, with true usage at the end: not worth their decoding.
  @Test func aBombIsRelayedAndNotDecoded() async throws {
    let coded = try Self.coded("bomb gzip")
    #expect(coded.count < 4_000)
    let seen = try await Self.relay(coded, "gzip", body: GatewayFixture.body) {
      $0.decodedBytesMax = 100_000
    }
    Self.expectEstimated(seen, "gzip")
    let read = try await Self.relay(coded, "gzip", body: GatewayFixture.body) {
      $0.decodedBytesMax = 3_000_000
      $0.sampleBytesMax = 1_000
    }
    #expect(read.settled.charge == TestPrice.cost(input: 10, output: 5))
    // Its text is over the sample's own bound.
    #expect(read.samples.isEmpty)
    #expect(read.dropped == 1)
  }

  @Test(arguments: [
    ("br", "br"), ("zstd", "zstd"), ("gzip, br", "several"), ("X-Compress", "compress"),
    ("made-up\u{7E}", "other"),
  ])
  func anUnknownCodingIsChargedAsEstimatedAndTold(coding: String, told: String) async throws {
    let bytes: [UInt8] = [0x0B, 0x02, 0x80, 0x68, 0x65, 0x6C, 0x6C, 0x6F, 0x03]
    let seen = try await Self.relay(bytes, coding, body: GatewayFixture.body)
    Self.expectEstimated(seen, told)
  }

  @Test func severalFieldsAreSeveralCodings() async throws {
    let seen = try await Self.relay(
      try Self.coded("json gzip"), "gzip\r\nContent-Encoding: gzip", body: GatewayFixture.body)
    Self.expectEstimated(seen, "several")
  }

  @Test func itIsToldOncePerAppAndCoding() async throws {
    let upstream = try ScriptedUpstream { request in
      Self.answer([1, 2, 3], request.text.contains("zs") ? "zstd" : "br")
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    for text in ["a", "zs", "b", "zs"] {
      for key in [GatewayFixture.key, GatewayFixture.freeKey] {
        let body = GatewayFixture.body.replacingOccurrences(of: "hi", with: text)
        _ = try await fixture.call(GatewayFixture.request(body, key: key))
      }
    }
    try await fixture.stop()
    #expect(fixture.codings.all.sorted() == ["free br", "free zstd", "team br", "team zstd"])
    #expect(fixture.metrics.count(of: .answersUnreadable) == 8)
  }

  @Test func anErrorThatCannotBeReadIsReleasedAndNotTold() async throws {
    let upstream = try ScriptedUpstream { _ in
      Self.answer([1, 2, 3], "br", status: "400 Bad Request")
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let answer = try await fixture.call(GatewayFixture.request(GatewayFixture.body))
    #expect(answer.body == [1, 2, 3])
    try await fixture.stop()
    #expect(fixture.account.settled == .zero)
    #expect(fixture.account.reserved == .zero)
    #expect(fixture.codings.all.isEmpty)
    #expect(fixture.metrics.count(of: .answersUnreadable) == 0)
  }

  @Test func whereNothingWasHeldTheLengthIsCharged() async throws {
    let bytes = [UInt8](repeating: 7, count: 321)
    let upstream = try ScriptedUpstream { _ in Self.answer(bytes, "br") }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let body = #"{"model":"gpt-open","messages":[{"role":"user","content":"hi"}]}"#
    _ = try await fixture.call(GatewayFixture.request(body, key: GatewayFixture.freeKey))
    try await fixture.stop()
    let usage = try #require(try fixture.settlement()).outcome.usage
    #expect(usage.source == .estimated)
    #expect(usage.outputText == 321)
  }

  // MARK: Parts

  /// What became of one call.
  struct Seen: Sendable {
    var answer: RawAnswer
    var settled: LedgerEvent.Settled
    var samples: [SampleRecord]
    var codings: [String]
    var unreadable: UInt64
    var dropped: UInt64
  }

  static func coded(_ name: String) throws -> [UInt8] {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Coded/answers.json")
    let answers = try JSONDecoder().decode([String: Data].self, from: Data(contentsOf: file))
    return Array(try #require(answers[name]))
  }

  /// - Parameter chunk: bytes a chunk, each sent on its own; nil: one piece of known length.
  static func answer(
    _ body: [UInt8], _ coding: String, status: String = "200 OK",
    type: String = "application/json", chunk: Int? = nil
  ) -> [ScriptedUpstream.Step] {
    let head = "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Encoding: \(coding)\r\n"
    guard let chunk else {
      return [.send(head + "Content-Length: \(body.count)\r\n\r\n"), .bytes(body)]
    }
    var steps: [ScriptedUpstream.Step] = [.send(head + "Transfer-Encoding: chunked\r\n\r\n")]
    for start in stride(from: 0, to: body.count, by: chunk) {
      let piece = body[start..<min(start + chunk, body.count)]
      let size = String(piece.count, radix: 16)
      steps.append(.bytes(Array("\(size)\r\n".utf8) + piece + [13, 10]))
    }
    return steps + [.send(Script.lastChunk)]
  }

  /// Makes one call of app `team` and checks that the caller got the upstream's bytes.
  static func relay(
    _ coded: [UInt8], _ coding: String, body: String, type: String = "application/json",
    chunk: Int? = nil, configure: (inout GatewayConfiguration) -> Void = { _ in }
  ) async throws -> Seen {
    let upstream = try ScriptedUpstream { _ in
      Self.answer(coded, coding, type: type, chunk: chunk)
    }
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, sampleRate: 1, configure: configure)
    let answer = try await fixture.call(GatewayFixture.request(body))
    try await fixture.stop()
    #expect(answer.status == 200)
    #expect(answer.body == coded)
    #expect(coding.hasPrefix(try #require(answer.header("content-encoding"))))
    return Seen(
      answer: answer, settled: try #require(try fixture.settlement()),
      samples: try fixture.database.samples(of: SampleSpan(app: "team")),
      codings: fixture.codings.all,
      unreadable: UInt64(fixture.metrics.count(of: .answersUnreadable)),
      dropped: UInt64(fixture.metrics.count(of: .samplesDropped)))
  }

  /// The call was charged what was held for it, and everyone who should know was told.
  static func expectEstimated(_ seen: Seen, _ coding: String) {
    #expect(seen.settled.outcome.usage.source == .estimated)
    #expect(seen.settled.charge >= TestPrice.cost(input: 10, output: 20))
    #expect(seen.settled.outcome.responseModel.isEmpty)
    #expect(seen.unreadable == 1)
    #expect(seen.codings == ["team \(coding)"])
    // What cannot be read is no sample.
    #expect(seen.samples.isEmpty)
    #expect(seen.dropped == 1)
  }
}
