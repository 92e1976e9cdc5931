// What a good head gives, and where the limits stand to the byte.

import Testing
import Wire
import WireFuzzing

/// Parses text that must be one whole request head.
private func request(
  _ text: String, limits: HeadLimits = HeadLimits(),
  _ body: (RequestHead, UnsafeRawBufferPointer) -> Void
) throws {
  let bytes = Array(text.utf8)
  try bytes.withUnsafeBytes { raw in
    let head = try #require(try RequestHead.parse(raw, limits: limits))
    body(head, raw)
  }
}

private func response(
  _ text: String, method: RequestMethod = .get,
  _ body: (ResponseHead, UnsafeRawBufferPointer) -> Void
) throws {
  let bytes = Array(text.utf8)
  try bytes.withUnsafeBytes { raw in
    let head = try #require(try ResponseHead.parse(raw, method: method))
    body(head, raw)
  }
}

@Suite struct RequestHeadTests {
  @Test func allPartsAreRanges() throws {
    let text =
      "\r\nPOST /v1/chat?key=a&b=%2F HTTP/1.1\r\nHost: api.example:8080\r\n"
      + "AUTHORIZATION:\t Bearer s3cret \t\r\nx-Api-Key: k\r\nX-Other:\r\n"
      + "Content-Length: 12\r\nExpect: 100-Continue\r\n\r\nbody"
    try request(text) { head, raw in
      func string(_ range: Range<Int>?) -> String? {
        range.map { String(decoding: raw[$0], as: UTF8.self) }
      }
      #expect(head.method == .post)
      #expect(string(head.methodRange) == "POST")
      #expect(string(head.target) == "/v1/chat?key=a&b=%2F")
      #expect(string(head.path) == "/v1/chat")
      #expect(string(head.query) == "key=a&b=%2F")
      #expect(string(head.pathAndQuery) == "/v1/chat?key=a&b=%2F")
      #expect(head.minorVersion == 1)
      #expect(head.framing == .length(12))
      #expect(head.keepAlive)
      #expect(head.expectsContinue)
      #expect(!head.hasUpgrade)
      #expect(string(head.fields.first(.authorization)) == "Bearer s3cret")
      #expect(string(head.fields.first(.xAPIKey)) == "k")
      #expect(string(head.fields.first("x-other", in: raw)) == "")
      #expect(head.fields.text("authorization", in: raw) == "Bearer s3cret")
      #expect(head.fields.first(.xGoogAPIKey) == nil)
      #expect(head.fields.first("x-absent", in: raw) == nil)
      #expect(head.fields.count == 6)
      #expect(head.byteCount == text.utf8.count - 4)
    }
  }

  @Test func everyKnownFieldIsFoundInAnyCase() throws {
    for field in KnownField.allCases where field != .other && field != .proxy {
      let skipped: [KnownField] = [.host, .contentLength, .transferEncoding, .expect, .connection]
      guard !skipped.contains(field) else { continue }
      let name = "\(field.name)"
      for spelling in [name, name.uppercased(), name.capitalized] {
        try request("GET / HTTP/1.1\r\nHost: a\r\n\(spelling): v\r\n\r\n") { head, _ in
          #expect(head.fields.slices[1].field == field, "\(spelling)")
          #expect(head.fields.first(field) == head.fields.slices[1].value)
        }
      }
      try request("GET / HTTP/1.1\r\nHost: a\r\nx\(name): v\r\n\r\n") { head, _ in
        #expect(head.fields.slices[1].field != field, "x\(name)")
      }
    }
    try request("GET / HTTP/1.1\r\nHost: a\r\nProxy-Anything: v\r\n\r\n") { head, _ in
      #expect(head.fields.slices[1].field == .proxy)
    }
  }

  @Test(arguments: [
    ("1.1", "", true), ("1.1", "Connection: close\r\n", false),
    ("1.1", "Connection: x, CLOSE\r\n", false), ("1.0", "", false),
    ("1.0", "Connection: Keep-Alive\r\n", true),
    ("1.0", "Connection: keep-alive, close\r\n", false),
    ("1.1", "Connection: close\r\nConnection: keep-alive\r\n", false),
    ("1.1", "Connection: , keep-alive,,\r\n", true),
    ("1.1", "Proxy-Connection: x, Close\r\n", false),
    ("1.0", "Proxy-Connection: keep-alive\r\n", false),
  ])
  func keepAlive(_ version: String, _ line: String, _ expected: Bool) throws {
    try request("GET / HTTP/\(version)\r\nHost: a\r\n\(line)\r\n") { head, _ in
      #expect(head.keepAlive == expected)
    }
  }

  @Test func formsOfTheTarget() throws {
    try request("GET http://Api.example:80/a/b?c HTTP/1.1\r\nHost: api.example:80\r\n\r\n") {
      #expect(String(decoding: $1[$0.path], as: UTF8.self) == "/a/b")
      #expect(String(decoding: $1[$0.pathAndQuery], as: UTF8.self) == "/a/b?c")
    }
    try request("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n") { head, raw in
      #expect(String(decoding: raw[head.path], as: UTF8.self) == "*")
      #expect(head.query == nil)
    }
    try request("GET /?? HTTP/1.0\r\n\r\n") { head, raw in
      #expect(String(decoding: raw[head.query ?? 0..<0], as: UTF8.self) == "?")
    }
  }

  @Test func upgradeNeedsBothFields() throws {
    let base = "GET / HTTP/1.1\r\nHost: a\r\n"
    try request(base + "Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n") { head, _ in
      #expect(head.hasUpgrade)
    }
    try request(base + "Upgrade: h2c\r\n\r\n") { head, _ in #expect(!head.hasUpgrade) }
  }

  @Test func limitsHoldToTheByte() throws {
    let text = "GET /abcdefghij HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n"
    let size = text.utf8.count
    let bytes = Array(text.utf8)
    func fault(_ limits: HeadLimits) -> WireFault.Code? {
      TranscriptReader.read(.request, bytes, limits: limits).fault
    }
    #expect(fault(HeadLimits(headBytesMax: size)) == nil)
    #expect(fault(HeadLimits(headBytesMax: size - 1)) == .headTooLong)
    #expect(fault(HeadLimits(fieldCountMax: 2)) == nil)
    #expect(fault(HeadLimits(fieldCountMax: 1)) == .tooManyFields)
    #expect(fault(HeadLimits(targetBytesMax: 11)) == nil)
    #expect(fault(HeadLimits(targetBytesMax: 10)) == .targetTooLong)
    // A line that never ends is refused while it arrives, not held.
    let flood = Array("GET /".utf8) + [UInt8](repeating: 0x61, count: 9000)
    #expect(TranscriptReader.read(.request, flood).fault == .targetTooLong)
    let field = Array("GET / HTTP/1.1\r\nX: ".utf8) + [UInt8](repeating: 0x61, count: 33_000)
    #expect(TranscriptReader.read(.request, field).fault == .headTooLong)
  }

  @Test func incompleteHeadsAskForMore() throws {
    let text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    for count in 0..<text.utf8.count {
      let transcript = TranscriptReader.read(.request, Array(text.utf8.prefix(count)))
      #expect(transcript == Transcript())
    }
  }

  @Test func storageIsGivenBack() throws {
    let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n".utf8)
    var progress = HeadProgress()
    for _ in 0..<3 {
      try bytes.withUnsafeBytes { raw in
        let head = try RequestHead.parse(raw, limits: HeadLimits(), progress: &progress)
        let spent = try #require(head)
        #expect(spent.fields.count == 2)
        #expect(spent.fields.present == FieldSet(.host, .other))
        progress.recycle(spent.fields)
      }
    }
  }
}

@Suite struct ResponseHeadTests {
  @Test(arguments: [
    ("200 OK", "Content-Length: 3\r\n", RequestMethod.get, BodyFraming.length(3)),
    ("200 OK", "Transfer-Encoding: Chunked\r\n", .get, .chunked),
    ("200 OK", "", .post, .untilClose),
    ("200 OK", "Content-Length: 3\r\n", .head, .none),
    ("200 OK", "Transfer-Encoding: chunked\r\n", .head, .none),
    ("304 Not Modified", "Content-Length: 3\r\n", .get, .none),
    ("204 No Content", "", .get, .none), ("204 No Content", "Content-Length: 0\r\n", .get, .none),
    ("103 Early Hints", "Link: a\r\n", .get, .none),
    ("500", "Content-Length: 0\r\n", .get, .length(0)),
  ])
  func framing(
    _ status: String, _ lines: String, _ method: RequestMethod, _ expected: BodyFraming
  ) throws {
    try response("HTTP/1.1 \(status)\r\n\(lines)\r\n", method: method) { head, _ in
      #expect(head.framing == expected)
      #expect(head.keepAlive == (expected != .untilClose))
    }
  }

  @Test func partsOfTheStatusLine() throws {
    try response("HTTP/1.0 429 Too Many\tRequests \u{E9}\r\nConnection: keep-alive\r\n\r\n") {
      #expect($0.status == 429)
      #expect(String(decoding: $1[$0.reason], as: UTF8.self) == "Too Many\tRequests \u{E9}")
      #expect($0.minorVersion == 0)
      #expect(!$0.keepAlive)
    }
    try response("HTTP/1.1 100 Continue\r\n\r\n") { head, _ in #expect(head.isInterim) }
    try response("HTTP/1.1 101 Switching\r\n\r\n") { head, _ in
      #expect(!head.isInterim)
      #expect(!head.keepAlive)
    }
  }

  @Test func answersFollowEachOther() {
    let text =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
      + "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\n\r\nuntil the end"
    let transcript = TranscriptReader.read(
      .response, Array(text.utf8), methods: [.post, .head, .get])
    #expect(
      transcript.messages.map { String(decoding: $0.body, as: UTF8.self) }
        == ["", "hi", "", "until the end"])
    #expect(transcript.messages.allSatisfy { $0.isComplete })
  }
}
