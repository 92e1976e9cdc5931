// What RFC 9112 leaves to the reader is refused, on both sides: the kinds of ambiguity one by one.
// SmugglingTests has the attacks; this table is complete by kind, side and character instead.

import Testing
import Wire
import WireFuzzing

@Suite struct AmbiguityTests {
  /// Field lines, and where they stand: what a head says about its body, or how its lines are made.
  struct Lines: Sendable, CustomTestStringConvertible {
    let kind: String
    let text: String
    let fault: WireFault.Code
    var testDescription: String { kind }

    init(_ kind: String, _ text: String, _ fault: WireFault.Code) {
      self.kind = kind
      self.text = text
      self.fault = fault
    }
  }

  static let heads: [Lines] = [
    // RFC 9112 section 6.3: lengths.
    Lines("conflicting lengths", "Content-Length: 1\r\nContent-Length: 2", .repeatedContentLength),
    Lines("repeated length", "Content-Length: 1\r\nContent-Length: 1", .repeatedContentLength),
    Lines("length as a list", "Content-Length: 1, 1", .malformedContentLength),
    Lines("length with a sign", "Content-Length: +1", .malformedContentLength),
    Lines("empty length", "Content-Length: ", .malformedContentLength),
    Lines(
      "length then chunked", "Content-Length: 1\r\nTransfer-Encoding: chunked", .lengthAndChunked),
    Lines(
      "chunked then length", "Transfer-Encoding: chunked\r\nContent-Length: 1", .lengthAndChunked),
    // Sections 6.1 and 7: codings.
    Lines("no chunked", "Transfer-Encoding: gzip", .unsupportedTransferEncoding),
    Lines("chunked not last", "Transfer-Encoding: chunked, gzip", .unsupportedTransferEncoding),
    Lines("chunked not alone", "Transfer-Encoding: gzip, chunked", .unsupportedTransferEncoding),
    Lines("chunked twice", "Transfer-Encoding: chunked, chunked", .unsupportedTransferEncoding),
    Lines("unknown coding", "Transfer-Encoding: x", .unsupportedTransferEncoding),
    Lines("parameter", "Transfer-Encoding: chunked;a=b", .unsupportedTransferEncoding),
    Lines("empty coding", "Transfer-Encoding:", .unsupportedTransferEncoding),
    Lines(
      "coding on two lines", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
      .unsupportedTransferEncoding),
    Lines(
      "chunked on two lines", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
      .repeatedTransferEncoding),
    // Section 5.2: folds; section 2.2 for one before the first field.
    Lines("fold by space", "X: a\r\n b", .lineFolding),
    Lines("fold by tab", "X: a\r\n\tb", .lineFolding),
    Lines("empty fold", "X: a\r\n ", .lineFolding),
    Lines("fold of a length", "X: a\r\nContent-Length: 1\r\n 0", .lineFolding),
    Lines("fold first", " X: a", .lineFolding),
    // Section 2.2: line ends.
    Lines("bare line feed", "X: a\nY: b", .bareLineFeed),
    Lines("bare line feeds", "X: a\n\nY: b", .bareLineFeed),
    Lines("bare return in a value", "X: a\rb", .controlCharacter),
    Lines("bare return before the end", "X: a\r", .controlCharacter),
    Lines("bare return before a name", "\rX: a", .malformedFieldName),
    Lines("bare return in a name", "X\rY: a", .malformedFieldName),
    // Section 5.1: between name and colon.
    Lines("space before colon", "X : a", .spaceBeforeColon),
    Lines("tab before colon", "X\t: a", .spaceBeforeColon),
    Lines("space before colon of a length", "Content-Length : 1", .spaceBeforeColon),
    Lines("no colon", "X", .malformedFieldName),
    Lines("no name", ": a", .malformedFieldName),
    // Section 3 and RFC 9110 section 5.4: what is too long is refused, never cut.
    Lines("long line", "X: " + String(repeating: "a", count: 33_000), .headTooLong),
    Lines("long name", String(repeating: "a", count: 33_000) + ": a", .headTooLong),
    Lines("many fields", String(repeating: "X: a\r\n", count: 128) + "X: a", .tooManyFields),
  ]

  static let bodies: [Lines] = [
    Lines("no size", "\r\n", .malformedChunkSize),
    Lines("size with a prefix", "0x1\r\na\r\n", .malformedChunkSize),
    Lines("size with a sign", "+1\r\na\r\n", .malformedChunkSize),
    Lines("size with a blank", "1 \r\na\r\n", .malformedChunkSize),
    Lines("size too long", "fffffffffffffffff\r\n", .chunkTooLong),
    Lines("size, bare line feed", "1\na\r\n", .malformedChunkSize),
    Lines("size, bare return", "1\ra\r\n", .malformedChunkSize),
    Lines("payload, bare line feed", "1\r\na\n0\r\n", .malformedChunkEnd),
    Lines("payload, bare return", "1\r\na\r0\r\n", .malformedChunkEnd),
    Lines("payload longer than its size", "1\r\nab\r\n", .malformedChunkEnd),
    Lines("extension, bare line feed", "1;a\na\r\n", .malformedChunkExtension),
    Lines("extension, bare return", "1;a\ra\r\n", .malformedChunkSize),
    Lines("quoted line end", "1;a=\"\r\n\"\r\na\r\n", .malformedChunkExtension),
    Lines(
      "long extension", "1;" + String(repeating: "a", count: 5_000) + "\r\n", .chunkExtensionTooLong
    ),
    Lines("trailer, fold", "0\r\nX: a\r\n b\r\n\r\n", .malformedTrailer),
    Lines("trailer, bare line feed", "0\r\nX: a\n\r\n", .malformedTrailer),
    Lines("trailer, bare return", "0\r\nX: a\rb\r\n\r\n", .malformedTrailer),
    Lines("trailer, space before colon", "0\r\nX : a\r\n\r\n", .malformedTrailer),
    Lines("trailer, length", "0\r\nContent-Length: 1\r\n\r\n", .forbiddenTrailer),
    Lines("trailer, coding", "0\r\nTransfer-Encoding: chunked\r\n\r\n", .forbiddenTrailer),
    Lines(
      "long trailer", "0\r\nX: " + String(repeating: "a", count: 9_000) + "\r\n\r\n",
      .trailerTooLong),
    Lines("end, bare line feed", "0\r\n\n", .malformedTrailer),
    Lines("end, bare return", "0\r\n\r\r\n", .malformedTrailer),
  ]

  private static func start(_ side: WireSide) -> String {
    side == .request ? "POST / HTTP/1.1\r\nHost: a\r\n" : "HTTP/1.1 200 OK\r\n"
  }

  @Test(arguments: [WireSide.request, .response], heads)
  func theHeadIsRefused(_ side: WireSide, _ lines: Lines) {
    let text = Self.start(side) + lines.text + "\r\n\r\n0\r\n\r\n"
    let transcript = TranscriptReader.read(side, Array(text.utf8))
    #expect(transcript.fault == lines.fault)
    #expect(transcript.messages.isEmpty)
  }

  @Test(arguments: [WireSide.request, .response], bodies)
  func theBodyIsRefused(_ side: WireSide, _ lines: Lines) {
    let text = Self.start(side) + "Transfer-Encoding: chunked\r\n\r\n" + lines.text
    let transcript = TranscriptReader.read(side, Array(text.utf8))
    #expect(transcript.fault == lines.fault)
    #expect(transcript.messages.map(\.isComplete) == [false])
  }

  /// Every place of a message, `#` for the character.
  static let places: [(side: WireSide, text: String)] = [
    (.request, "PO#ST / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (.request, "#POST / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (.request, "POST# / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (.request, "POST /#a HTTP/1.1\r\nHost: a\r\n\r\n"),
    (.request, "POST /?#a HTTP/1.1\r\nHost: a\r\n\r\n"),
    (.request, "POST / #HTTP/1.1\r\nHost: a\r\n\r\n"),
    (.request, "POST / HTTP/1.1#\r\nHost: a\r\n\r\n"),
    (.request, "POST / HTTP/1.1\r\nHost: a#b\r\n\r\n"),
    (.response, "HTTP/1.1# 200 OK\r\nContent-Length: 0\r\n\r\n"),
    (.response, "HTTP/1.1 #200 OK\r\nContent-Length: 0\r\n\r\n"),
    (.response, "HTTP/1.1 200#OK\r\nContent-Length: 0\r\n\r\n"),
    (.response, "HTTP/1.1 200 O#K\r\nContent-Length: 0\r\n\r\n"),
  ]

  static let placesOnBothSides = [
    "X#Y: a\r\nContent-Length: 0\r\n\r\n", "#X: a\r\nContent-Length: 0\r\n\r\n",
    "X#: a\r\nContent-Length: 0\r\n\r\n", "X:#a\r\nContent-Length: 0\r\n\r\n",
    "X: a#b\r\nContent-Length: 0\r\n\r\n", "X: a#\r\nContent-Length: 0\r\n\r\n",
    "Content-Length: #0\r\n\r\n", "Content-Length: 0#\r\n\r\n",
    "Transfer-Encoding: #chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding: chunked#\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n#0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n0#\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n1\r\na#0\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n0;a#b\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n0;a=#b\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n0;a=\"#\"\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n0;a=\"\\#\"\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n0\r\nX#: a\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n0\r\nX: a#b\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n0\r\n#\r\n",
  ]

  /// A message that is well formed without the character must not be read to its end with it. A tab
  /// may stand in values and is no control character in the sense of RFC 9110 section 5.5.
  @Test func noControlCharacterPasses() {
    let memory = GuardedMemory()
    var examples = Self.places
    for side in [WireSide.request, .response] {
      examples += Self.placesOnBothSides.map { (side, Self.start(side) + $0) }
    }
    let controls = (UInt8(0)...0x1F).filter { $0 != 0x09 } + [0x7F]
    for (side, template) in examples {
      for control in controls {
        let bytes = template.utf8.flatMap { $0 == UInt8(ascii: "#") ? [control] : [$0] }
        let transcript = TranscriptReader.read(side, bytes, memory: memory)
        let isRefused =
          transcript.fault != nil && !transcript.messages.contains { $0.isComplete }
        // A bare return in the place of the character that ends the line is the line's own.
        #expect(isRefused, "byte \(control) in \(template.debugDescription)")
      }
    }
  }

  /// The same places without the character: the table would prove nothing if these were refused.
  @Test func withoutItTheyAreRead() {
    var examples = Self.places
    for side in [WireSide.request, .response] {
      examples += Self.placesOnBothSides.map { (side, Self.start(side) + $0) }
    }
    for (side, template) in examples {
      let text = template.replacing("200#OK", with: "200 OK").replacing("#", with: "")
      let isMeaningless =
        template.contains("\\#") || template.contains("a=#") || text.contains("a0\r")
      guard !isMeaningless else { continue }
      let transcript = TranscriptReader.read(side, Array(text.utf8))
      #expect(transcript.messages.map(\.isComplete) == [true], "\(template.debugDescription)")
    }
  }
}
