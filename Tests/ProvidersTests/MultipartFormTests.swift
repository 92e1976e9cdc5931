// Forms: what is taken, and what two servers could read in two ways.

import TestSupport
import Testing

@testable import Providers

@Suite struct MultipartFormTests {
  private func read(_ text: String, boundary: String = "b") throws -> [String] {
    try read(Array(text.utf8), boundary: Array(boundary.utf8))
  }

  private func read(_ body: [UInt8], boundary: [UInt8]) throws -> [String] {
    try body.withUnsafeBytes { bytes in
      var form = MultipartForm(bytes, boundary: boundary)
      var parts: [String] = []
      while let part = try form.next() {
        let name = String(decoding: part.name, as: UTF8.self)
        let content = String(decoding: part.content, as: UTF8.self)
        parts.append("\(name)\(part.isFile ? " file" : "")=\(content)")
      }
      return parts
    }
  }

  private static let head = "Content-Disposition: form-data; name=\"a\""

  @Test func partsAreReadWhereTheyLie() throws {
    let body =
      "--b\r\n\(Self.head)\r\n\r\none\r\n"
      + "--b\r\ncontent-type: text/plain; charset=UTF-8\r\n"
      + "content-disposition: form-data; name=\"f\"; filename=\"g.wav\"\r\n"
      + "Content-Length: 10\r\n\r\n-\r\n--\r\n-c\n\r\n--b--\r\n"
    #expect(try read(body) == ["a=one", "f file=-\r\n--\r\n-c\n"])
    #expect(try read(String(body.dropLast())).count == 2)
    #expect(try read("--b\r\n\(Self.head)\r\n\r\n\r\n--b--") == ["a="])
    #expect(try read("--b--").isEmpty)
    // As .NET writes them, and some for Java.
    let plain =
      "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name=a\r\n"
      + "\r\none\r\n--b\r\nContent-Disposition: form-data; name=f; filename=g.wav; "
      + "filename*=utf-8''g.wav\r\nContent-Transfer-Encoding: binary\r\n\r\ntwo\r\n--b--"
    #expect(try read(plain) == ["a=one", "f file=two"])
    let rare =
      "--b\r\nContent-Disposition: form-data; name=a!#$&^|~\r\n\r\none\r\n--b\r\n"
      + "Content-Type: text/csv; charset=windows-1252\r\nContent-Disposition: form-data; name=f; "
      + "filename*=utf-8''g.csv; filename=\"C:\\g.csv\"\r\n\r\ntwo\r\n--b--"
    #expect(try read(rare) == ["a!#$&^|~=one", "f file=two"])
  }

  /// A body of nothing but the boundary's beginnings takes no longer than another one.
  @Test(arguments: [70, 69, 35])
  func theSearchForABoundaryIsLinear(hyphens: Int) throws {
    let boundary = [UInt8](repeating: 0x2D, count: hyphens) + Array("x".utf8).prefix(70 - hyphens)
    let content = [UInt8](repeating: 0x2D, count: 100_000) + Array("\r\n".utf8)
    let head = Array("\r\n\(Self.head)\r\n\r\n".utf8)
    let end = [0x2D, 0x2D] + boundary + [0x2D, 0x2D]
    let body = [0x2D, 0x2D] + boundary + head + content + end
    body.withUnsafeBytes { bytes in
      var form = MultipartForm(bytes, boundary: boundary)
      let part = try? form.next()
      // A boundary of hyphens alone stands in the content, too.
      #expect(part?.content.count == (hyphens == 70 ? nil : 100_000))
      #expect(form.comparedCount <= 2 * body.count)
    }
  }

  @Test(arguments: [
    "", "--", "preamble\r\n--b\r\n\(head)\r\n\r\nx\r\n--b--", "\r\n--b--", "--b--epilogue",
    "--b--\r\n\r\n", "--b\n\(head)\n\nx\n--b--",
    "--b\r\n\(head)\r\n\r\nx\n--b\r\n\(head)\r\n\r\ny\r\n--b--",
    "--b\r\n\(head)\r\n\r\nx--b--", "--b\r\n\(head)\r\n\r\nx\r\n--bc\r\n",
    "--b\r\n\(head)\r\n\r\nx\r\n--b",
    "--b\r\n\(head)\r\n\r\nx", "--b\r\n\(head)", "--b\r\n\r\nx\r\n--b--",
    "--b\r\n\(head)\r\n\(head)\r\n\r\nx\r\n--b--", "--b\r\n\(head)\n\r\nx\r\n--b--",
    "--b\r\nContent-Disposition: form-data;\r\n name=\"a\"\r\n\r\nx\r\n--b--",
    "--b\r\nContent-Disposition: form-data; name=n[]\r\n\r\nx\r\n--b--",
    "--b\r\nContent-Disposition: form-data; name=a b\r\n\r\nx\r\n--b--",
    "--b\r\nContent-Disposition: form-data; name=a\"b\r\n\r\nx\r\n--b--",
    "--b\r\nContent-Disposition: form-data; name=\"a\" x\r\n\r\nx\r\n--b--",
    "--b\r\nContent-Disposition: form-data; name=\"a\r\n\r\nx\r\n--b--",
    "--b\r\nContent-Disposition: form-data; name=\"a\"; name=\"c\"\r\n\r\nx\r\n--b--",
    "--b\r\nContent-Disposition: form-data; name=\"a\"; filename*=UTF-8''x\r\n\r\nx\r\n--b--",
    "--b\r\nContent-Disposition: form-data; name=\"a\\\"b\"\r\n\r\nx\r\n--b--",
    "--b\r\nContent-Disposition: form-data; name=\"mod%65l\"\r\n\r\nx\r\n--b--",
    "--b\r\nContent-Disposition: form-data; name=\"\"\r\n\r\nx\r\n--b--",
    "--b\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nx\r\n--b--",
    "--b\r\nContent-Disposition: form-data; filename=\"a\"\r\n\r\nx\r\n--b--",
    "--b\r\n\(head)\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n--b--",
    "--b\r\n\(head)\r\nContent-Type: text/plain; charset=utf-16\r\n\r\nx\r\n--b--",
    "--b\r\n\(head)\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\nx\r\n--b--",
    "--b\r\n\(head)\r\nContent-Length: 2\r\n\r\nx\r\n--b--",
    "--b\r\n\(head)\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx\r\n--b--",
    "--b\r\n\(head)\r\nContent-Length: +1\r\n\r\nx\r\n--b--",
    "--b\r\n\(head)\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n\r\nx\r\n--b--",
    "--b\r\n\(head)\r\n"
      + String(repeating: "Content-Transfer-Encoding: 8bit\r\n", count: 16) + "\r\nx\r\n--b--",
    "--b\r\n\(head); filename=\"\(String(repeating: "x", count: 8_200))\"\r\n\r\nx\r\n--b--",
    "--b\r\nContent-Disposition: form-data; name=\"_charset_\"\r\n\r\nutf-16\r\n--b--",
    "--b\r\n\(head); filename=\"x\\\"; name=\"c\"\r\n\r\nx\r\n--b--",
    "--b\r\n\(head); filename=x\\y\"\r\n\r\nx\r\n--b--",
    "--b\r\n\(head); filename*=a''x; filename*=a''y; filename=x\r\n\r\nx\r\n--b--",
    "--b\r\n\(head)\r\n: x\r\n\r\nx\r\n--b--", "--b\r\n\(head)\u{0}\r\n\r\nx\r\n--b--",
  ])
  func whatServersCouldReadOtherwiseIsRefused(body: String) {
    #expect(throws: PeekFault.self) { try read(body) }
  }

  /// Whatever the contents, they come back; whatever is cut off or changed, nothing traps.
  @Test func anyContentsComeBack() throws {
    try checkProperty("forms", over: 0...Int64.max, runs: 80, countMax: 6) { numbers in
      let boundary = Array("q-\(numbers.first ?? 0)".utf8)
      var body: [UInt8] = []
      var wanted: [String] = []
      for number in numbers {
        var generator = SeededGenerator(seed: UInt64(bitPattern: number))
        let pieces = ["-", "--", "\r\n", "--q", "x", "\n", "\r", "--q-"]
        let content = (0..<Int(number % 9)).map { _ in
          pieces[Int(generator.next() % UInt64(pieces.count))]
        }.joined()
        guard !content.utf8.contains(subsequence: [0x2D, 0x2D] + boundary) else { continue }
        body += [0x2D, 0x2D] + boundary + Array("\r\n\(Self.head)\r\n\r\n\(content)\r\n".utf8)
        wanted.append("a=\(content)")
      }
      body += [0x2D, 0x2D] + boundary + [0x2D, 0x2D]
      let parts = try read(body, boundary: boundary)
      try require(parts == wanted, "\(parts) for \(wanted)")
      for end in stride(from: 0, to: body.count, by: 3) {
        _ = try? read(Array(body[..<end]), boundary: boundary)
      }
      for place in stride(from: 0, to: body.count, by: 7) {
        var changed = body
        changed[place] ^= 0x1F
        _ = try? read(changed, boundary: boundary)
      }
    }
  }

  @Test(arguments: [
    ("application/json", RequestForm.json), ("Application/JSON; charset=utf-8", .json),
    ("multipart/form-data; boundary=abc", .multipart(boundary: Array("abc".utf8))),
    ("Multipart/Form-Data;  Boundary=\"a b\"", .unknown),
    ("multipart/form-data;boundary=\"a-b\"", .multipart(boundary: Array("a-b".utf8))),
    ("multipart/form-data", .unknown), ("multipart/form-data; boundary=", .unknown),
    ("multipart/form-data; boundary=a-_.'+9", .multipart(boundary: Array("a-_.'+9".utf8))),
    ("multipart/form-data; boundary=\"a(),/:=?\"", .multipart(boundary: Array("a(),/:=?".utf8))),
    ("multipart/form-data; boundary=a/b", .unknown),
    ("multipart/form-data; boundary=a=b", .unknown),
    ("multipart/form-data; boundary=a,b", .unknown),
    ("multipart/form-data; boundary=a:b", .unknown),
    ("multipart/form-data; boundary=a?b", .unknown),
    ("multipart/form-data; boundary=(a)", .unknown),
    ("application/json;", .json), ("application/json; charset=\"UTF-8\" ", .json),
    ("application/json; charset=utf-16", .unknown), ("application/json; charset=utf-7", .unknown),
    ("application/json; charset=utf-8; charset=utf-7", .unknown),
    ("application/json; profile=x", .unknown), ("application/json; charset = utf-7", .unknown),
    ("multipart/form-data; boundary=a; boundary=b", .unknown),
    ("multipart/form-data; charset=utf-8; boundary=a", .unknown),
    ("application/x-www-form-urlencoded", .unknown), ("text/json", .unknown), ("", .unknown),
  ])
  func theContentTypeTellsTheForm(type: String, form: RequestForm) {
    var type = type
    #expect(type.withUTF8 { RequestForm(contentType: UnsafeRawBufferPointer($0)) } == form)
    #expect(RequestForm(contentType: nil) == .json)
  }

  @Test(arguments: [
    ("application/json", true), ("", true), ("application/x-www-form-urlencoded", true),
    ("application/json; charset=UTF-8", true), ("text/plain;charset=\"utf-8\"", true),
    ("application/json; odata=verbose; charset=utf-8", true),
    ("application/json; charset=utf-16", false), ("application/json;Charset=UTF-7", false),
    ("application/json; charset =utf-7", false), ("application/json; charset*=utf-7", false),
    ("application/json; charset=utf-8; charset=utf-7", false), ("a/b; charset=utf-80", false),
  ])
  func anotherCharsetIsSeen(type: String, isUTF8: Bool) {
    var type = type
    #expect(type.withUTF8 { RequestForm.isUTF8(UnsafeRawBufferPointer($0)) } == isUTF8)
  }
}

extension Sequence<UInt8> {
  fileprivate func contains(subsequence: [UInt8]) -> Bool {
    Array(self).firstRange(of: subsequence) != nil
  }
}
