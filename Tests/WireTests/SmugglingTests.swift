// A table of ways to make two readers see two messages, and the fault each of them meets.
// The sources are RFC 9112 section 11, the public request smuggling papers and CVE write-ups.

import Testing
import Wire
import WireFuzzing

struct WireCase: Sendable, CustomTestStringConvertible {
  let name: String
  let bytes: String
  let fault: WireFault.Code
  var testDescription: String { name }

  init(_ name: String, _ bytes: String, _ fault: WireFault.Code) {
    self.name = name
    self.bytes = bytes
    self.fault = fault
  }

  /// A POST with the field lines given.
  static func post(_ name: String, _ lines: String, _ fault: WireFault.Code) -> WireCase {
    WireCase(name, "POST /v1/chat HTTP/1.1\r\nHost: a\r\n\(lines)\r\n\r\n0\r\n\r\n", fault)
  }

  /// A 200 with the field lines given.
  static func answer(_ name: String, _ lines: String, _ fault: WireFault.Code) -> WireCase {
    WireCase(name, "HTTP/1.1 200 OK\r\n\(lines)\r\n\r\n0\r\n\r\n", fault)
  }

  /// A POST with the chunked body given.
  static func chunks(_ name: String, _ body: String, _ fault: WireFault.Code) -> WireCase {
    WireCase(
      name, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(body)", fault)
  }
}

@Suite struct SmugglingTests {
  static let framing: [WireCase] = [
    .post("CL.CL equal", "Content-Length: 5\r\nContent-Length: 5", .repeatedContentLength),
    .post("CL.CL other", "Content-Length: 5\r\ncontent-length: 6", .repeatedContentLength),
    .post("CL list", "Content-Length: 5, 5", .malformedContentLength),
    .post("CL plus", "Content-Length: +5", .malformedContentLength),
    .post("CL minus", "Content-Length: -5", .malformedContentLength),
    .post("CL hex", "Content-Length: 0x5", .malformedContentLength),
    .post("CL octal", "Content-Length: 010", .malformedContentLength),
    .post("CL empty", "Content-Length:", .malformedContentLength),
    .post("CL inner space", "Content-Length: 1 0", .malformedContentLength),
    .post("CL tab before", "Content-Length:\t5", .malformedContentLength),
    .post("CL tab after", "Content-Length: 5\t", .malformedContentLength),
    .post("TE tab before", "Transfer-Encoding:\tchunked", .unsupportedTransferEncoding),
    .post("TE tab after", "Transfer-Encoding: chunked \t", .unsupportedTransferEncoding),
    .post("CL huge", "Content-Length: 18446744073709551617", .malformedContentLength),
    .post("CL decimal point", "Content-Length: 5.0", .malformedContentLength),
    .post("CL full-width digit", "Content-Length: \u{FF15}", .malformedContentLength),
    .post("CL.TE", "Content-Length: 5\r\nTransfer-Encoding: chunked", .lengthAndChunked),
    .post("TE.CL", "Transfer-Encoding: chunked\r\nContent-Length: 5", .lengthAndChunked),
    .post(
      "TE.TE", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
      .repeatedTransferEncoding),
    .post("TE list", "Transfer-Encoding: gzip, chunked", .unsupportedTransferEncoding),
    .post("TE reversed", "Transfer-Encoding: chunked, gzip", .unsupportedTransferEncoding),
    .post("TE identity", "Transfer-Encoding: identity", .unsupportedTransferEncoding),
    .post("TE empty", "Transfer-Encoding: ", .unsupportedTransferEncoding),
    .post("TE xchunked", "Transfer-Encoding: xchunked", .unsupportedTransferEncoding),
    .post("TE quoted", "Transfer-Encoding: \"chunked\"", .unsupportedTransferEncoding),
    .post("TE parameter", "Transfer-Encoding: chunked;q=1", .unsupportedTransferEncoding),
    .post("TE vertical tab", "Transfer-Encoding: \u{0B}chunked", .controlCharacter),
    .post("TE no-break space", "Transfer-Encoding: \u{A0}chunked", .unsupportedTransferEncoding),
    .post("TE space before colon", "Transfer-Encoding : chunked", .spaceBeforeColon),
    .post("TE tab before colon", "Transfer-Encoding\t: chunked", .spaceBeforeColon),
    .post("TE folded", "Transfer-Encoding:\r\n chunked", .unsupportedTransferEncoding),
    .post("TE folded by tab", "X: a\r\n\tTransfer-Encoding: chunked", .lineFolding),
    .post("TE after bare CR", "X: a\rTransfer-Encoding: chunked", .controlCharacter),
    .post("TE after bare LF", "X: a\nTransfer-Encoding: chunked", .bareLineFeed),
    .post("TE after NUL", "X: a\0\r\nTransfer-Encoding: chunked", .controlCharacter),
    .post("name with NUL", "Transfer-Encoding\0: chunked", .malformedFieldName),
    .post("name with CR", "\rTransfer-Encoding: chunked", .malformedFieldName),
    .post("name empty", ": chunked", .malformedFieldName),
    .post("name missing", "chunked", .malformedFieldName),
    .post("name with high byte", "Transf\u{E9}r: a", .malformedFieldName),
    .post("name with brace", "X{: a", .malformedFieldName),
    .post("connection drops length", "Connection: Content-Length", .malformedConnection),
    .post("connection drops host", "Connection: close, host", .malformedConnection),
    .post("connection not names", "Connection: a b", .malformedConnection),
    .post("expect other", "Expect: 200-ok", .unsupportedExpectation),
    .post("expect twice", "Expect: 100-continue\r\nExpect: x", .unsupportedExpectation),
    .post("host twice", "Host: b", .repeatedHost),
    .post("delete in value", "X: \u{7F}", .controlCharacter),
    WireCase(
      "TE in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
      .transferEncodingInOldVersion),
  ]

  static let lines: [WireCase] = [
    WireCase("no host", "GET / HTTP/1.1\r\nX: a\r\n\r\n", .missingHost),
    WireCase("host empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n", .malformedHost),
    WireCase("host with user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", .malformedHost),
    WireCase("host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", .malformedHost),
    WireCase("host with path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .malformedHost),
    WireCase("host folded first", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", .lineFolding),
    WireCase("two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
    WireCase("space at end", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", .malformedRequestLine),
    WireCase("tab", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
    WireCase("space first", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
    WireCase("space in target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
    WireCase("HTTP/0.9", "GET /\r\n", .malformedRequestLine),
    WireCase("version low", "GET / http/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
    WireCase("version long", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", .malformedRequestLine),
    WireCase("version 1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", .unsupportedVersion),
    WireCase("version 2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .unsupportedVersion),
    WireCase("method low", "get / HTTP/1.1\r\nHost: a\r\n\r\n", .unknownMethod),
    WireCase("CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", .unknownMethod),
    WireCase("TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", .unknownMethod),
    WireCase("method with NUL", "GE\0T / HTTP/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
    WireCase("bare LF", "GET / HTTP/1.1\nHost: a\n\n", .bareLineFeed),
    WireCase("bare LF at end", "GET / HTTP/1.1\r\nHost: a\r\n\n", .bareLineFeed),
    WireCase("CR CR LF", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", .malformedRequestLine),
    WireCase("two empty lines", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .leadingEmptyLine),
    WireCase("TLS hello", "\u{16}\u{3}\u{1}\0\u{5}\r\n\r\n", .malformedRequestLine),
    WireCase("target fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
    WireCase("target backslash", "GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
    WireCase("target high byte", "GET /\u{E9} HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
    WireCase("target half escape", "GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
    WireCase("target no hex", "GET /%4g HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
    WireCase("target bare", "GET a/b HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
    WireCase("target star", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
    WireCase("URL no path", "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
    WireCase("URL ftp", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
    WireCase("URL user", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
    WireCase(
      "URL other host", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", .targetHostMismatch),
  ]

  static let bodies: [WireCase] = [
    .chunks("size empty", "\r\n", .malformedChunkSize),
    .chunks("size 0x", "0x5\r\nhello\r\n0\r\n\r\n", .malformedChunkSize),
    .chunks("size minus", "-1\r\n", .malformedChunkSize),
    .chunks("size plus", "+5\r\nhello\r\n", .malformedChunkSize),
    .chunks("size space after", "5 \r\nhello\r\n", .malformedChunkSize),
    .chunks("size space before", " 5\r\nhello\r\n", .malformedChunkSize),
    .chunks("size underscore", "1_0\r\n", .malformedChunkSize),
    .chunks("size overflow", "10000000000000005\r\nhello\r\n", .chunkTooLong),
    .chunks("size all zeros", "0000000000000000\r\n", .malformedChunkSize),
    .chunks("size bare LF", "5\nhello\r\n0\r\n\r\n", .malformedChunkSize),
    .chunks("size bare CR", "5\rhello\r\n0\r\n\r\n", .malformedChunkSize),
    .chunks("payload too long", "5\r\nhello!\r\n0\r\n\r\n", .malformedChunkEnd),
    .chunks("payload too short", "6\r\nhello\r\n0\r\n\r\n", .malformedChunkEnd),
    .chunks("payload bare LF", "5\r\nhello\n0\r\n\r\n", .malformedChunkEnd),
    .chunks("payload CR only", "5\r\nhello\r0\r\n\r\n", .malformedChunkEnd),
    .chunks("extension bare LF", "5;a\nhello\r\n", .malformedChunkExtension),
    .chunks("extension bare CR", "5;a\rX\nhello\r\n", .malformedChunkSize),
    .chunks("extension blank", "5; a\r\nhello\r\n", .malformedChunkExtension),
    .chunks("extension empty", "5;\r\nhello\r\n", .malformedChunkExtension),
    .chunks("extension no value", "5;a=\r\nhello\r\n", .malformedChunkExtension),
    .chunks("extension quoted LF", "5;a=\"\n\"\r\nhello\r\n", .malformedChunkExtension),
    .chunks("extension after quote", "5;a=\"b\"c\r\nhello\r\n", .malformedChunkExtension),
    .chunks("trailer length", "0\r\nContent-Length: 5\r\n\r\n", .forbiddenTrailer),
    .chunks("trailer TE", "0\r\nTRANSFER-ENCODING: chunked\r\n\r\n", .forbiddenTrailer),
    .chunks("trailer key", "0\r\nauthorization: Bearer a\r\n\r\n", .forbiddenTrailer),
    .chunks("trailer folded", "0\r\nX: a\r\n b\r\n\r\n", .malformedTrailer),
    .chunks("trailer space", "0\r\nX : a\r\n\r\n", .malformedTrailer),
    .chunks("trailer bare LF", "0\r\nX: a\n\r\n", .malformedTrailer),
    .chunks("trailer no name", "0\r\n: a\r\n\r\n", .malformedTrailer),
    .chunks("end bare LF", "0\r\n\n", .malformedTrailer),
    .chunks("end CR only", "0\r\n\rX", .malformedTrailer),
  ]

  static let answers: [WireCase] = [
    .answer("CL.CL", "Content-Length: 5\r\nContent-Length: 5", .repeatedContentLength),
    .answer("CL list", "Content-Length: 5, 6", .malformedContentLength),
    .answer("CL.TE", "Content-Length: 5\r\nTransfer-Encoding: chunked", .lengthAndChunked),
    .answer("TE gzip", "Transfer-Encoding: gzip, chunked", .unsupportedTransferEncoding),
    .answer("folded", "X: a\r\n b", .lineFolding),
    .answer("bare LF", "X: a\nY: b", .bareLineFeed),
    .answer("NUL", "X: a\0b", .controlCharacter),
    WireCase("empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n", .leadingEmptyLine),
    WireCase("status short", "HTTP/1.1 20 OK\r\n\r\n", .malformedStatusLine),
    WireCase("status long", "HTTP/1.1 2000 OK\r\n\r\n", .malformedStatusLine),
    WireCase("status letters", "HTTP/1.1 2OO OK\r\n\r\n", .malformedStatusLine),
    WireCase("status 099", "HTTP/1.1 099 OK\r\n\r\n", .malformedStatusLine),
    WireCase("status 600", "HTTP/1.1 600 OK\r\n\r\n", .malformedStatusLine),
    WireCase("ICY", "ICY 200 OK\r\n\r\n", .malformedStatusLine),
    WireCase("version 2", "HTTP/2.0 200 OK\r\n\r\n", .unsupportedVersion),
    WireCase("reason control", "HTTP/1.1 200 O\u{1}K\r\n\r\n", .controlCharacter),
    WireCase(
      "TE in 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
      .transferEncodingInOldVersion),
    WireCase("204 body", "HTTP/1.1 204 X\r\nContent-Length: 5\r\n\r\n", .bodyNotAllowed),
    WireCase(
      "100 chunked", "HTTP/1.1 100 C\r\nTransfer-Encoding: chunked\r\n\r\n", .bodyNotAllowed),
  ]

  @Test(arguments: framing + lines + bodies)
  func requestIsRefused(_ example: WireCase) {
    let transcript = TranscriptReader.read(.request, Array(example.bytes.utf8))
    #expect(transcript.fault == example.fault)
    #expect(transcript.messages.allSatisfy { !$0.isComplete })
  }

  @Test(arguments: answers)
  func answerIsRefused(_ example: WireCase) {
    let transcript = TranscriptReader.read(.response, Array(example.bytes.utf8))
    #expect(transcript.fault == example.fault)
    #expect(transcript.messages.isEmpty)
  }

  @Test(arguments: framing + lines + bodies)
  func everySplitGivesTheSameRefusal(_ example: WireCase) {
    let bytes = Array(example.bytes.utf8)
    let whole = TranscriptReader.read(.request, bytes)
    let memory = GuardedMemory()
    for cut in 1..<bytes.count {
      #expect(TranscriptReader.read(.request, bytes, cuts: [cut], memory: memory) == whole)
    }
    let single = TranscriptReader.read(
      .request, bytes, cuts: Array(1..<bytes.count), memory: memory)
    #expect(single == whole)
  }

  @Test func faultsSayWhoseAndWhat() {
    for code in WireFault.Code.allCases {
      let own = WireFault(code, .request)
      #expect((400...505).contains(own.httpStatus))
      #expect(own.message.hasPrefix("the request is not"))
      let upstream = WireFault(code, .response)
      #expect(upstream.httpStatus == 502)
      #expect(upstream.message.contains("upstream"))
    }
    #expect(WireFault(.tooManyFields, .request).httpStatus == 431)
    #expect(WireFault(.targetTooLong, .request).httpStatus == 414)
  }
}
