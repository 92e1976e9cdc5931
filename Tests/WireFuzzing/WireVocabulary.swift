// The words of the grammar: what well-formed messages say, and beside each what a peer says that is
// careless or wants two readers to disagree. The sources are those of SmugglingTests.

/// Texts for one place of a message.
struct Choice: Sendable {
  let good: [String]
  let bad: [String]

  init(_ good: [String], abuse bad: [String]) {
    self.good = good
    self.bad = bad
  }
}

enum Vocabulary {
  static let lineEnd = Choice(
    ["\r\n"],
    abuse: ["\n", "\r", "\r\r\n", "\n\r", "\r\n ", "\r\n\t", " \r\n", "\0\r\n", "\u{0B}", ""])
  static let headEnd = Choice(["\r\n"], abuse: ["\n", "\r", " \r\n", "\r\r\n", "\t\r\n", ""])
  static let space = Choice([" "], abuse: ["  ", "\t", "", "\u{0B}", "\u{A0}"])
  static let beforeRequest = Choice(
    [""], abuse: ["\r\n", "\r\n\r\n", "\n", " ", "\r", "\0", "\r\n ", "\u{FEFF}"])

  static let method = Choice(
    ["GET", "POST", "POST", "POST", "PUT", "HEAD", "DELETE", "PATCH", "OPTIONS"],
    abuse: [
      "get", "Post", "CONNECT", "TRACE", "PRI", "M-SEARCH", "G\0T", "", "POSTT", "POS", "SOURCE",
      "PROPFIND", "GETX", "QUERY", "PUB", "\u{FF27}ET",
    ])
  static let target = Choice(
    [
      "/", "/v1/chat/completions", "/v1/models?key=a%20b", "/a//b/../c", "/a?b[]=c",
      "http://a/x", "HTTP://A/x?y", "https://a/", "/%2e%2e/?&&==", "/;p=1/@:!$'()*+,", "/?", "//",
      "/?a?b",
    ],
    abuse: [
      "*", "a", "/a b", "/\t", "http://b/x", "http://a", "http://a?x", "/#f", "/\\", "/%zz",
      "/%4", "/é", "/{}", "/\"", "/<>", "/|^`", "http://u@a/", "http://a:80/", "http:///x",
      "ftp://a/", "a:443", "http:/a/x", "/\u{7F}", "", "?a", "http://a#/x", "http://[::1]/",
    ])
  static let version = Choice(
    ["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0"],
    abuse: [
      "HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "http/1.1", "HTTP/1.1 ", "HTTP/01.1", "HTTP/1.1x", "",
      "HTTP/1.10", "HTTP/1,1", "HTTP/1", "HTTP /1.1", "HTTPS/1.1", "ICE/1.0", "RTSP/1.0",
      "HTTP/9.9",
    ])
  static let host = Choice(
    ["Host: a", "host:a", "HOST: \ta "],
    abuse: [
      "Host: a\r\nHost: a", "Host: a\r\nhost: b", "Host : a", "Host:", "Host: a,b", "X: a",
      "Host: u@a", "Host: a/b", "Host: a b", "Host: a:80", "Host: [::1]:80", "Host: é", "Host\t: a",
      "Host", "Host: http://a", "Host: a\0",
    ])

  static let status = Choice(
    [
      "200 OK", "200 OK", "200 OK", "404 Not Found", "429 ", "500", "503 a\tb", "301 é",
      "206 Partial Content",
    ],
    abuse: [
      "101 Switch", "101", "102 X", "99 X", "099 X", "600 X", "999 X", "20 X", "2000 X", "+20 X",
      "", "200\tOK", "20O OK", "2 0 0", "200OK", "-200 X", "200 \0", "200 a\u{7F}", "200 a\rb",
      "200 a\u{1}", "100 X", "000 X",
    ])
  static let answerVersion = Choice(
    ["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0"],
    abuse: [
      "HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "http/1.1", "ICY", "\r\nHTTP/1.1", "\nHTTP/1.1",
      " HTTP/1.1", "HTTP/1.1x", "HTTP/11", "HTTP/1.", "", "RTSP/1.0",
    ])
  static let interim = Choice(
    [
      "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Hints\r\nLink: </a>\r\nX:\r\n\r\n",
      "HTTP/1.1 102\r\nConnection: keep-alive\r\n\r\n",
      "HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n",
    ],
    abuse: [
      "HTTP/1.1 100 C\r\nContent-Length: 3\r\n\r\n", "HTTP/1.0 100 C\r\n\r\n",
      "HTTP/1.1 100 C\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 100 C\r\n",
      "HTTP/1.1 100 C\r\nConnection: close\r\n\r\n", "HTTP/1.1 100 C\n\n",
      "HTTP/1.1 103 C\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    ])

  static let fieldName = Choice(
    [
      "X-A", "accept", "User-Agent", "x_b", "Authorization", "!#$%&'*+.^`|~", "Content-Type",
      "Cookie", "content-encoding", "X", "Content-Lengt", "Content_Length", "Transfer-Encodin",
      "Content-Length1", "Transfer-Encoding-", "X-Content-Length", "Trailer", "Te", "0",
    ],
    abuse: [
      "X A", "", "X\0", "X\u{7F}", "X(", "é", "\u{0B}X", "Content-Length ", "Transfer-Encoding",
      "Transfer-Encoding\t", "Content-Length\0", " X", "\tX", "X\r", "X\n", "X=", "\"X\"", "X;",
      "Content-Length", "Host", "X,Y", "X{", "[X", "\u{212A}eep-Alive", "X@", "\rX",
    ])
  static let fieldValue = Choice(
    [
      "a", "", "a b", "text/plain; q=\"x\"", "é\u{1F600}", "a\tb", "close", ":", "GET / HTTP/1.1",
      "chunked", "5", ",,", "\u{80}\u{9F}", "  a  b\t\tc", "0\\r\\n",
    ],
    abuse: [
      "\0", "a\u{1}", "a\u{7F}", "a\rb", "a\nb", "\u{0B}", "\u{1B}[0m", "a\r\n b", "a\r\n\tb",
      "a\r\n\r\nGET /x HTTP/1.1", "a\rContent-Length: 3", "a\nTransfer-Encoding: chunked", "\u{8}",
      "a\r\n", "\r", "\u{1F}",
    ])
  static let beforeValue = Choice(["", " ", " ", "  ", "\t", " \t"], abuse: ["\u{0C}", "\r\n "])
  static let afterValue = Choice(
    ["", "", "", " ", " \t "], abuse: ["\u{0C}", "\r", "\0", "\u{0B}"])
  static let connection = Choice(
    [
      "Connection: close", "connection: Keep-Alive", "Connection: x-a, keep-alive", "TE: trailers",
      "Connection: close, x", "Keep-Alive: timeout=5", "Proxy-Connection: keep-alive, x",
      "Expect: 100-continue", "Connection:", "Connection: ,close,", "Connection: CLOSE\t",
      "Connection: closer", "Connection: x,close", "Connection:\tkeep-alive ,\tclose",
      "Connection: keep-alive\r\nConnection: x", "Connection: keep-alive",
    ],
    abuse: [
      "Connection: upgrade\r\nUpgrade: h2c", "Connection: a b", "Connection: host", "Upgrade: h2",
      "Upgrade: websocket\r\nConnection: keep-alive, Upgrade", "Connection: upgrade",
      "Expect: 9", "Expect: 100-continue\r\nExpect: 100-continue", "Expect:",
      "Connection: close\r\nConnection: keep-alive", "Connection: keep-alive, close",
      "Proxy-Connection: close", "Proxy-Connection: a, close", "Connection: content-length",
      "Connection: close;q=1", "Connection: transfer-encoding, close", "Connection: close close",
      "Connection: \"close\"", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c",
      "Connection: close\0", "Connection : close",
    ])
}
