// Chunked bodies, split at every place, and the frames that we write ourselves.

import TestSupport
import Testing
import Wire

@Suite struct ChunkedReaderTests {
  static let body =
    "5\r\nhello\r\n0000b;name=value;flag;q=\"a \\\" b\"\r\n, world :-)\r\n"
    + "1\r\n\r\r\n0;last\r\nX-Check: 12 34\r\nServer-Timing:\r\n\r\n"

  /// The payload, where the body ended, and the fault.
  static func read(
    _ bytes: [UInt8], cuts: [Int], limits: HeadLimits = HeadLimits()
  ) -> (payload: [UInt8], end: Int?, fault: WireFault.Code?) {
    var reader = ChunkedReader(.request, limits: limits)
    var payload: [UInt8] = []
    var start = 0
    for cut in cuts.sorted() + [bytes.count] {
      let piece = Array(bytes[start..<cut])
      var offset = 0
      do {
        try piece.withUnsafeBytes { raw in
          reading: while true {
            switch try reader.next(raw, offset: &offset) {
            case .payload(let range): payload += piece[range]
            default: break reading
            }
          }
        }
      } catch {
        return (payload, nil, (error as? WireFault)?.code)
      }
      if reader.isEnded { return (payload, start + offset, nil) }
      start = cut
    }
    return (payload, nil, nil)
  }

  @Test func everyPairOfCutsGivesTheSamePayload() {
    let bytes = Array((Self.body + "GET /next").utf8)
    for first in 0..<bytes.count {
      for second in stride(from: first, to: bytes.count, by: 7) {
        let result = Self.read(bytes, cuts: [first, second])
        #expect(result.payload == Array("hello, world :-)\r".utf8))
        #expect(result.end == Self.body.utf8.count)
      }
    }
    let single = Self.read(bytes, cuts: Array(1..<bytes.count))
    #expect(single.payload == Array("hello, world :-)\r".utf8))
    #expect(single.end == Self.body.utf8.count)
  }

  @Test func boundsHoldToTheByte() {
    func fault(_ body: String, _ limits: HeadLimits) -> WireFault.Code? {
      Self.read(Array(body.utf8), cuts: [], limits: limits).fault
    }
    #expect(fault("ff\r\n", HeadLimits(chunkBytesMax: 255)) == nil)
    #expect(fault("100\r\n", HeadLimits(chunkBytesMax: 255)) == .chunkTooLong)
    // `;ab` and its line end are four bytes; the bound is on all extensions of a body together.
    #expect(fault("1;ab\r\nx\r\n", HeadLimits(extensionBytesMax: 4)) == nil)
    #expect(fault("1;abc\r\n", HeadLimits(extensionBytesMax: 4)) == .chunkExtensionTooLong)
    #expect(
      fault("1;ab\r\nx\r\n1;ab\r\n", HeadLimits(extensionBytesMax: 7)) == .chunkExtensionTooLong)
    #expect(fault("0\r\nX: y\r\n\r\n", HeadLimits(trailerBytesMax: 8)) == nil)
    #expect(fault("0\r\nX: yz\r\n\r\n", HeadLimits(trailerBytesMax: 8)) == .trailerTooLong)
  }

  @Test func whatIsWrittenIsRead() throws {
    var generator = SeededGenerator(seed: 7)
    for _ in 0..<200 {
      let pieces = (0..<generator.int(0...6)).map { _ in
        (0..<generator.int(1...600)).map { _ in generator.int(UInt8(0)...255) }
      }
      var bytes: [UInt8] = []
      for piece in pieces {
        bytes.append(chunkOf: piece.count)
        bytes += piece
        bytes.append(ChunkFrame.payloadEnd)
      }
      bytes.append(ChunkFrame.bodyEnd)
      let cuts = (0..<5).map { _ in generator.int(0...bytes.count) }
      let result = Self.read(bytes, cuts: cuts)
      #expect(result.payload == pieces.flatMap { $0 })
      #expect(result.end == bytes.count)
    }
  }
}

@Suite struct HeadWritingTests {
  /// The field lines that go on.
  static func written(
    _ lines: String, dropping: FieldSet = [], names: [StaticString] = []
  ) throws -> String {
    let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n".utf8)
    return try bytes.withUnsafeBytes { raw in
      let head = try #require(try RequestHead.parse(raw))
      var out: [UInt8] = []
      head.fields.forEachRun(in: raw, dropping: dropping, names: names) { out.append($0) }
      return String(decoding: out, as: UTF8.self)
    }
  }

  @Test func hopByHopFieldsStayBehind() throws {
    let text = try Self.written(
      "A: 1 \r\nConnection: X-Private, close, x-two\r\nKeep-Alive: 5\r\nTE: trailers\r\n"
        + "Trailer: x\r\nTransfer-Encoding: chunked\r\nUpgrade: h2c\r\nProxy-Connection: x\r\n"
        + "Proxy-Authorization: p\r\nx-PRIVATE: 1\r\nX-Two: 2\r\nHTTP2-Settings: z\r\nB:2\r\n")
    #expect(text == "Host: a\r\nA: 1 \r\nB:2\r\n")
  }

  @Test func droppedFieldsStayBehind() throws {
    let lines = "Authorization: Bearer k\r\nX-Keep: 1\r\nX-Leeway-Tag: t\r\nAccept: */*\r\n"
    let text = try Self.written(
      lines, dropping: FieldSet.keys.union([FieldSet(.host), FieldSet(.acceptEncoding)]),
      names: ["x-leeway-tag"])
    #expect(text == "X-Keep: 1\r\nAccept: */*\r\n")
    #expect(try Self.written(lines) == "Host: a\r\n" + lines)
    #expect(try Self.written("", dropping: FieldSet(.host)) == "")
  }

  @Test func neighboursAreOneRun() throws {
    let bytes = Array(
      "GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nConnection: close\r\nC: 3\r\n\r\n".utf8)
    var runs: [String] = []
    try bytes.withUnsafeBytes { raw in
      let head = try #require(try RequestHead.parse(raw))
      head.fields.forEachRun(in: raw) { runs.append(String(decoding: $0, as: UTF8.self)) }
    }
    #expect(runs == ["Host: a\r\nA: 1\r\nB: 2\r\n", "C: 3\r\n"])
  }

  @Test func numbersAndFields() {
    var out: [UInt8] = []
    for number in [0, 9, 10, 1_234_567_890, Int.max] {
      out.append(decimal: number)
      out.append(" ")
    }
    out.append(chunkOf: 255)
    out.append(field: "content-type", "text/plain")
    #expect(
      String(decoding: out, as: UTF8.self)
        == "0 9 10 1234567890 9223372036854775807 ff\r\ncontent-type: text/plain\r\n")
  }
}
