// The words of the grammar that announce, frame and end a body; see WireVocabulary.

extension Vocabulary {
  static let lengthName = Choice(
    ["Content-Length: ", "content-length:", "CONTENT-LENGTH:  "],
    abuse: [
      "Content-Length : ", "CONTENT-LENGTH:\t", "Content-Length\t:", "Content-Length:\u{0B}",
      "Content-Length:\r\n ", " Content-Length: ", "Content_Length: ", "Content-Length:\0",
    ])
  /// `#` stands for the length.
  static let length = Choice(
    ["#", "#", "#", "# "],
    abuse: [
      "+#", "0#", "#, #", "#,", "", "0x#", "#\r\nContent-Length: #", "#\r\nContent-Length: 0",
      "#\r\nTransfer-Encoding: chunked", "#\r\nTransfer-Encoding: identity", "-#", "-1",
      "99999999999999999999", "18446744073709551616", "9223372036854775807", "#;", "#\t", "#.0",
      "# #", "#e0", "\u{FF11}", "#\0", "#\u{0B}", "1_0", "\"#\"", "#\r\n 0",
    ])
  static let chunkedName = Choice(
    ["Transfer-Encoding: ", "transfer-encoding:", "Transfer-Encoding:  "],
    abuse: [
      "Transfer-Encoding:\t", "Transfer-Encoding : ", "Transfer-Encoding\t:",
      "Transfer_Encoding: ", "Transfer-Encoding:\r\n ", "Transfer-Encoding:\u{0B}",
      "X: a\nTransfer-Encoding: ", "X: a\rTransfer-Encoding: ", " Transfer-Encoding: ",
    ])
  static let chunked = Choice(
    ["chunked", "Chunked", "chunked ", "CHUNKED"],
    abuse: [
      "gzip, chunked", "chunked, gzip", "identity", "xchunked", "chunked\r\nContent-Length: 3",
      "\u{0B}chunked", "chunked;a", "chunked,", ",chunked", "\"chunked\"", "chunked, chunked",
      "chunked\r\nTransfer-Encoding: x", "chunked\r\nTransfer-Encoding: chunked", "", "chunke",
      "identity, chunked", "gzip", "chunked\t", "chunkedchunked", "chun\0ked", "chunked\u{A0}",
      "chunked\r\nTransfer-Encoding: identity", "x\r\nTransfer-Encoding: chunked",
    ])

  /// `#` stands for the size.
  static let chunkSize = Choice(
    ["#", "#", "#", "0#", "00#"],
    abuse: [
      "+#", "0x#", " #", "#h", "", "-#", "#_0", "0000000000000000#", "10000000000000000#", "#.",
      "ffffffffffffffff", "80000000", "\t#", "#\0", "\u{FF11}", "g", "7fffffffffffffff",
    ])
  static let sizeEnd = Choice(
    ["\r\n"], abuse: ["\n", "\r", " \r\n", "\r\r\n", "\t\r\n", "\r\n\r\n", "", "\0\r\n"])
  static let chunkEnd = Choice(
    ["\r\n"], abuse: ["\n", "\r", "", "\r\n\r\n", "x\r\n", "\r\r\n", " \r\n", "\n\r"])
  static let chunkExtension = Choice(
    [
      ";a", ";a=b", ";a=\"b c\"", ";a=\"\\\"\";b", ";a;b=c", ";a=\"\"", ";a=\"\\\\\"", ";a=\"\té\"",
      ";a=\";b=\"", ";0=1",
    ],
    abuse: [
      "; a", " ;a", ";", ";a=", ";=b", ";a=\"b", ";a=\"\n\"", ";a b", ";a\n", ";a=\"\r\"", ";;a",
      ";a=\"b\"c", ";a=\"\\\r\n\"", ";a=\"\u{1}\"", ";\0", ";a = b", ";a=\"\\\u{1}\"", ";a\r",
      ";a=b=c", ";a\t", ";a=é", ";a=\"\r\n0\r\n\r\n", ";a=b;", ";a,b", ";a=\"\\",
    ])
  static let lastChunk = Choice(
    ["0\r\n", "0\r\n", "000\r\n", "0;a=b\r\n", "0;a=\"x\"\r\n"],
    abuse: ["0\n", "0\r", "-0\r\n", "00 \r\n", "\r\n", "0x0\r\n", "0", "0000000000000000\r\n", ""])
  static let trailer = Choice(
    [
      "X-T: a\r\n", "x-t:\r\nx-u: \t b \r\n", "Server-Timing: a;b=\"c\"\r\n", "X: é\r\n",
      "Content-Lengt: 3\r\n", "X-T: a\r\nX-T: a\r\nX-T:a\tb\r\n",
    ],
    abuse: [
      "Content-Length: 3\r\n", "X : a\r\n", " X: a\r\n", "X: a\n", "X: \0\r\n", "X\r\n", ": a\r\n",
      "Host: b\r\n", "Transfer-Encoding: chunked\r\n", "X: a\r\n b\r\n", "X: a\r\r\n",
      "X: a\rb\r\n",
      "é: a\r\n", "X\0: a\r\n", "Authorization: k\r\n", "connection: close\r\n", "X: \u{7F}\r\n",
      "GET / HTTP/1.1\r\n", "X(: a\r\n", "X: a\r\n\tb\r\n", "X\t: a\r\n", "\0: a\r\n",
    ])
  /// Well-formed, but of a head.
  static let forbiddenTrailers = [
    "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "Host: b\r\n",
    "connection: close\r\n",
    "Trailer: x\r\n", "te: x\r\n", "Content-Type: x\r\n", "SET-COOKIE: x\r\n", "upgrade:\r\n",
    "Expect: 100-continue\r\n", "authorization:k\r\n", "X: a\r\nKeep-Alive: x\r\n",
  ]
  static let bodyEnd = Choice(["\r\n"], abuse: ["\n", "\r", "", " \r\n", "\r\r\n", "\0\r\n"])

  /// What a mutation puts somewhere else: pieces that begin, end or frame something.
  static let tokens = [
    "\r\n", "\r\n\r\n", "\n", "\r", "0\r\n\r\n", "0\r\n", "5\r\n", "Content-Length: 5\r\n",
    "Transfer-Encoding: chunked\r\n", "\r\nContent-Length: 0\r\n", "Connection: close\r\n",
    "Host: a\r\n", " HTTP/1.1", "HTTP/1.1 200 OK\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "HTTP/1.1 100 C\r\n\r\n", ";a=\"", "\"", ": ", " :", ",", "chunked", "\t", "\0", "\u{7F}",
    "\r\n ", "Upgrade: h2c\r\n", "X: a\r\n", "Expect: 100-continue\r\n", "é",
  ]
}
