// Makes connections that are nearly HTTP/1.1: a grammar with its known abuses, then loose bytes.
// Random bytes alone would be refused in the first line and test nothing behind it.

import TestSupport
import Wire

struct WireGrammar {
  var generator: SeededGenerator
  /// The chance that one choice is an abuse; changes from case to case.
  private var abuse = 0.0

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  /// The bytes of one connection's side, and the methods of the requests it answers.
  mutating func connection(_ side: WireSide) -> (bytes: [UInt8], methods: [RequestMethod]) {
    abuse = generator.pick([0, 0, 0.01, 0.03, 0.1])
    var bytes: [UInt8] = []
    var methods: [RequestMethod] = []
    for _ in 0..<generator.pick([1, 1, 1, 2, 3]) {
      if side == .request {
        bytes += request()
      } else {
        let method = generator.pick([RequestMethod.get, .post, .post, .head])
        if generator.chance(0.15) { bytes += Array("HTTP/1.1 100 Continue\r\n\r\n".utf8) }
        bytes += answer()
        methods.append(method)
      }
    }
    if generator.chance(0.15) { mutate(&bytes) }
    if generator.chance(0.1) { bytes.removeLast(generator.int(0...bytes.count)) }
    // One method more than answers: an answer that the last byte hid must not be unasked for.
    methods.append(.get)
    return (bytes, methods)
  }

  /// A few places to cut the bytes.
  mutating func cuts(_ count: Int) -> [Int] {
    guard count > 1, generator.chance(0.6) else { return [] }
    return (0..<generator.int(1...6)).map { _ in generator.int(1...count - 1) }
  }

  private mutating func isAbuse() -> Bool { generator.chance(abuse) }

  private mutating func choose(_ good: [String], _ bad: [String]) -> String {
    isAbuse() ? generator.pick(bad) : generator.pick(good)
  }

  private mutating func lineEnd() -> String {
    choose(["\r\n"], ["\n", "\r", "\r\r\n", "\n\r", "\r\n ", "\r\n\t", " \r\n", "\0\r\n", ""])
  }

  private mutating func request() -> [UInt8] {
    let method = choose(
      ["GET", "POST", "POST", "PUT", "HEAD", "DELETE", "PATCH", "OPTIONS"],
      ["get", "CONNECT", "TRACE", "PRI", "M-SEARCH", "G\0T", "", "POSTT", "SOURCE"])
    let target = choose(
      [
        "/", "/v1/chat/completions", "/v1/models?key=a%20b", "/a//b/../c", "/a?b[]=c",
        "http://a/x", "/%2e%2e/?&&==", "/;p=1/@:!$'()*+,",
      ],
      ["*", "a", "/a b", "/\t", "//", "http://b/x", "http://a", "/#f", "/\\", "/%zz", "/é", "/{}"])
    let version = choose(
      ["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0"],
      ["HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "http/1.1", "HTTP/1.1 ", "HTTP/01.1", "HTTP/1.1x", ""])
    let space = choose([" "], ["  ", "\t", "", "\u{0B}"])
    var head = choose([""], ["\r\n", "\r\n\r\n", "\n", " ", "\r"])
    if generator.chance(0.03) { head = "\r\n" }
    head += method + space + target + choose([" "], ["  ", "\t"]) + version + lineEnd()
    let framing = framing()
    var lines = [
      choose(["Host: a"], ["Host: a\r\nHost: a", "Host : a", "Host:", "Host: a,b", "X: a"])
    ]
    lines += framing.lines + fields()
    lines.shuffle(using: &generator)
    for line in lines { head += line + lineEnd() }
    return Array((head + choose(["\r\n"], ["\n", "\r", " \r\n", ""])).utf8) + framing.body
  }

  private mutating func answer() -> [UInt8] {
    let status = choose(
      ["200 OK", "200 OK", "200 OK", "404 Not Found", "429 ", "500", "204 No Content", "304 X"],
      ["101 Switch", "103 Hints", "99 X", "600 X", "20 X", "2000 X", "+20 X", "", "200\tOK"])
    var head = choose(
      ["HTTP/1.1", "HTTP/1.1", "HTTP/1.0"],
      ["HTTP/1.2", "HTTP/2.0", "http/1.1", "ICY", "\r\nHTTP/1.1"])
    head += choose([" "], ["  ", "\t", ""]) + status + lineEnd()
    let framing = framing()
    var lines = framing.lines + fields()
    lines.shuffle(using: &generator)
    for line in lines { head += line + lineEnd() }
    return Array((head + choose(["\r\n"], ["\n", "\r", " \r\n", ""])).utf8) + framing.body
  }

  private mutating func fields() -> [String] {
    (0..<generator.int(0...5)).map { _ in
      let name = choose(
        ["X-A", "accept", "User-Agent", "x_b", "Authorization", "!#$%&'*+.^`|~", "Content-Type"],
        ["X A", "", "X\0", "X\u{7F}", "X(", "é", "\u{0B}X", "Content-Length ", "Transfer-Encoding"])
      let value = choose(
        [
          "a", "", "a b", "text/plain; q=\"x\"", "é\u{1F600}", "a\tb", "close", ":",
          "GET / HTTP/1.1",
        ],
        ["\0", "a\u{1}", "a\u{7F}", "a\rb", "a\nb", "\u{0B}", "\u{1B}[0m", "a\r\n b"])
      return name + ":" + choose(["", " ", "  ", "\t"], ["\u{0C}"]) + value
        + choose(["", "", " ", " \t "], ["\u{0C}", "\r"])
    } + connection()
  }

  private mutating func connection() -> [String] {
    guard generator.chance(0.25) else { return [] }
    return [
      choose(
        [
          "Connection: close", "connection: Keep-Alive", "Connection: x-a, keep-alive",
          "TE: trailers",
          "Connection: close, x", "Keep-Alive: timeout=5", "Proxy-Connection: keep-alive, x",
          "Expect: 100-continue",
        ],
        [
          "Connection: upgrade\r\nUpgrade: h2c", "Connection: a b", "Connection: host",
          "Upgrade: h2",
          "Expect: 9", "Connection: close\r\nConnection: keep-alive", "Proxy-Connection: close",
        ])
    ]
  }

  /// The lines that announce a body, and bytes that follow them (not always the right ones).
  private mutating func framing() -> (lines: [String], body: [UInt8]) {
    let text = Array(
      "{\"model\": \"m\"}\r\nGET / HTTP/1.1\r\n\r\n".utf8.prefix(generator.int(0...36)))
    switch generator.int(0...9) {
    case 0...2: return ([], isAbuse() ? text : [])
    case 3...6:
      let length = isAbuse() ? max(0, text.count + generator.int(-3...3)) : text.count
      let value = choose(
        ["\(length)"],
        [
          "+\(length)", "0\(length)", "\(length), \(length)", "\(length) ", "", "0x1",
          "\(length)\r\nContent-Length: \(length)", "\(length)\r\nTransfer-Encoding: chunked", "-1",
          "99999999999999999999", "\(length);", "\(length)\t",
        ])
      return (
        [
          choose(
            ["Content-Length: ", "content-length:"], ["Content-Length : ", "CONTENT-LENGTH:\t"])
            + value
        ],
        text
      )
    default:
      let value = choose(
        ["chunked", "Chunked", "chunked "],
        [
          "gzip, chunked", "chunked, gzip", "identity", "xchunked", "chunked\r\nContent-Length: 3",
          "\u{0B}chunked", "chunked;a", "chunked,", "\"chunked\"",
          "chunked\r\nTransfer-Encoding: x",
        ])
      return ([choose(["Transfer-Encoding: "], ["Transfer-Encoding:\t"]) + value], chunks(text))
    }
  }

  private mutating func chunks(_ text: [UInt8]) -> [UInt8] {
    var body: [UInt8] = []
    var rest = text[...]
    while !rest.isEmpty {
      let piece = rest.prefix(generator.int(1...rest.count))
      rest = rest.dropFirst(piece.count)
      let wrong = isAbuse() ? generator.int(-1...1) : 0
      let size = String(max(0, piece.count + wrong), radix: 16, uppercase: generator.chance(0.3))
      body += Array(
        choose([size, size, "0" + size], ["+" + size, "0x" + size, " " + size, ""]).utf8)
      if generator.chance(0.3) { body += Array(chunkExtension().utf8) }
      body += Array(choose(["\r\n"], ["\n", "\r", " \r\n", "\r\r\n"]).utf8)
      body += piece
      body += Array(choose(["\r\n"], ["\n", "\r", "", "\r\n\r\n", "x\r\n"]).utf8)
    }
    body += Array(
      choose(["0\r\n", "000\r\n", "0;a=b\r\n"], ["0\n", "0\r", "-0\r\n", "00 \r\n"]).utf8)
    if generator.chance(0.25) {
      body += Array(
        choose(
          ["X-T: a\r\n", "x-t:\r\nx-u: \t b \r\n"],
          [
            "Content-Length: 3\r\n", "X : a\r\n", " X: a\r\n", "X: a\n", "X: \0\r\n", "X\r\n",
            "Host: b\r\n",
            "Transfer-Encoding: chunked\r\n", "X: a\r\n b\r\n",
          ]
        ).utf8)
    }
    return body + Array(choose(["\r\n"], ["\n", "\r", ""]).utf8)
  }

  private mutating func chunkExtension() -> String {
    choose(
      [";a", ";a=b", ";a=\"b c\"", ";a=\"\\\"\";b", ";a;b=c", ";a=\"\""],
      [
        "; a", " ;a", ";", ";a=", ";=b", ";a=\"b", ";a=\"\n\"", ";a b", ";a\n", ";a=\"\r\"",
        ";a=\"b\"c",
        ";a=\"\\\r\n\"", ";a=\"\u{1}\"", ";\0", ";a = b",
      ])
  }

  private mutating func mutate(_ bytes: inout [UInt8]) {
    for _ in 0..<generator.int(1...3) where !bytes.isEmpty {
      let index = generator.int(0...bytes.count - 1)
      let byte = generator.pick(Array("\r\n\t \0:;,\"0aA%".utf8) + [generator.int(0...255)])
      switch generator.int(0...3) {
      case 0: bytes[index] = byte
      case 1: bytes.insert(byte, at: index)
      case 2: bytes.remove(at: index)
      default: bytes.swapAt(index, generator.int(0...bytes.count - 1))
      }
    }
  }
}
