// An answer in pieces: however the upstream's bytes are split, the caller gets the same ones.

import Metering
import NIOCore
import Testing
import Wire

@testable import Gateway

@Suite struct AnswerPipeTests {
  static func plan(_ request: String) throws -> RequestPlan {
    let bytes = ByteBuffer(string: request)
    let head = try #require(
      try bytes.withUnsafeReadableBytes { try RequestHead.parse($0) })
    let plan = RequestPlan(headBytes: bytes, head: head, path: head.path)
    plan.endpoint = .metered(.chatCompletions)
    return plan
  }

  static func pipe(hidesUsage: Bool, version: String = "1.1") throws -> AnswerPipe {
    let plan = try plan("POST /v1/chat/completions HTTP/\(version)\r\nHost: g\r\n\r\n")
    return AnswerPipe(
      plan: plan, asked: .init(isStream: true, hidesUsage: hidesUsage), callID: CallID(7),
      sample: AnswerSample(.always, bytesMax: 100_000), limits: HeadLimits(),
      decodedBytesMax: 100_000)
  }

  static let events = Script.event("a") + Script.usageEvent + Script.event("b") + Script.done

  /// The stream as the upstream frames it, in chunks of uneven sizes.
  static var answer: [UInt8] {
    var wire = "HTTP/1.1 100 Continue\r\n\r\n" + Script.streamHead
    var rest = Substring(events)
    for size in [1, 7, 50, 3, 200, 1_000] where !rest.isEmpty {
      wire += Script.chunk(String(rest.prefix(size)))
      rest = rest.dropFirst(size)
    }
    return Array((wire + Script.lastChunk).utf8)
  }

  /// The payload of what the caller got.
  static func payload(_ out: ByteBuffer) throws -> String {
    let bytes = Array(out.readableBytesView)
    let headEnd = try #require(bytes.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound)
    var reader = ChunkedReader(.response)
    var payload: [UInt8] = []
    var offset = headEnd
    try bytes.withUnsafeBytes { raw in
      while case .payload(let range) = try reader.next(raw, offset: &offset) {
        payload += raw[range]
      }
    }
    #expect(reader.isEnded)
    #expect(offset == bytes.count)
    return String(decoding: payload, as: UTF8.self)
  }

  @Test(arguments: [true, false])
  func everySplitInTwoGivesTheSamePayload(hidesUsage: Bool) throws {
    let answer = Self.answer
    let expected =
      hidesUsage ? Script.event("a") + Script.event("b") + Script.done : Self.events
    for split in 0...answer.count {
      let pipe = try Self.pipe(hidesUsage: hidesUsage)
      var out = ByteBuffer()
      var ended = false
      for piece in [answer[..<split], answer[split...]] where !piece.isEmpty {
        let progress = try pipe.feed(
          ByteBuffer(bytes: piece), into: &out, isAbsorbing: false)
        ended = progress.isEnded
      }
      #expect(ended)
      #expect(try Self.payload(out) == expected, "split at \(split)")
      #expect(pipe.reading.usage?.outputText == 7)
      #expect(pipe.isReusable)
      #expect(String(buffer: pipe.sample.bytes) == Self.events)
    }
  }

  @Test func singleBytesGiveTheSamePayload() throws {
    let pipe = try Self.pipe(hidesUsage: true)
    var out = ByteBuffer()
    for byte in Self.answer {
      _ = try pipe.feed(ByteBuffer(bytes: [byte]), into: &out, isAbsorbing: false)
    }
    #expect(try Self.payload(out) == Script.event("a") + Script.event("b") + Script.done)
  }

  @Test func absorbingReadsTheUsageAndWritesNothing() throws {
    let pipe = try Self.pipe(hidesUsage: true)
    var out = ByteBuffer()
    let progress = try pipe.feed(
      ByteBuffer(bytes: Self.answer), into: &out, isAbsorbing: true)
    #expect(progress.isEnded)
    #expect(out.readableBytes == 0)
    #expect(pipe.reading.usage?.outputText == 7)
  }

  @Test func aFixedLengthGivesWayWhereAnEventIsHidden() throws {
    let body = Self.events
    let head =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: "
      + "\(body.utf8.count)\r\n\r\n"
    let pipe = try Self.pipe(hidesUsage: true)
    var out = ByteBuffer()
    let progress = try pipe.feed(
      ByteBuffer(string: head + body), into: &out, isAbsorbing: false)
    #expect(
      progress
        == AnswerPipe.Progress(
          status: 200, bodyBytes: body.utf8.count, isEnded: true))
    #expect(!String(buffer: out).lowercased().contains("content-length"))
    #expect(try Self.payload(out) == Script.event("a") + Script.event("b") + Script.done)
  }

  @Test func anAnswerCutShortIsNotWhole() throws {
    let pipe = try Self.pipe(hidesUsage: false)
    var out = ByteBuffer()
    let cut = ByteBuffer(bytes: Self.answer.dropLast(2))
    #expect(try !pipe.feed(cut, into: &out, isAbsorbing: false).isEnded)
    #expect(!pipe.closed(into: &out, isAbsorbing: false))
  }
}
