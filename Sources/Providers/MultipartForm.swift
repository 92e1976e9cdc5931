// Reads the parts of a form (multipart/form-data, RFC 7578) where they lie, without a copy.
//
// Servers read forms laxly and each in its own way, so that whatever two of them could read
// otherwise is refused: text before the first part or behind the last, a boundary within a part, a
// bare line feed in a part's head, an escaped name, a coding, a charset that is not UTF-8.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The parts of a form, one after the other.
struct MultipartForm {
  struct Part {
    var name: UnsafeRawBufferPointer
    /// It has a file's name.
    var isFile: Bool
    var content: UnsafeRawBufferPointer
    /// What its head says of its length; nil: nothing.
    var byteCount: Int64?
    /// Where the part begins in the body.
    var offset: Int
  }

  private let body: UnsafeRawBufferPointer
  /// Two hyphens and the boundary.
  private let delimiter: [UInt8]
  /// By how many bytes of the delimiter matched, fewer that match as well (Knuth, Morris, Pratt).
  private let shorter: [Int]
  /// Bytes that were compared in the search for delimiters: no more than twice the body's.
  private(set) var comparedCount = 0
  /// Behind the delimiter that was read last.
  private var place = 0
  private var isAtEnd = false

  init(_ body: UnsafeRawBufferPointer, boundary: [UInt8]) {
    self.body = body
    delimiter = [0x2D, 0x2D] + boundary
    shorter = Self.shorterMatches(of: delimiter)
  }

  private static func shorterMatches(of text: [UInt8]) -> [Int] {
    var lengths = [0, 0]
    var length = 0
    for byte in text.dropFirst() {
      while length > 0, byte != text[length] { length = lengths[length] }
      if byte == text[length] { length += 1 }
      lengths.append(length)
    }
    return lengths
  }

  /// The next part; nil behind the last one.
  mutating func next() throws(PeekFault) -> Part? {
    if place == 0 {
      guard body.starts(with: delimiter) else {
        throw .form("it does not begin with the boundary that its content type names", at: 0)
      }
      try passDelimiter(at: 0)
    }
    guard !isAtEnd else { return nil }
    let start = place
    var part = try head()
    let content = place
    guard let end = nextDelimiter(from: content) else {
      throw .form("its last part has no end", at: body.count)
    }
    guard end >= content + 2, body[end - 2] == 0x0D, body[end - 1] == 0x0A else {
      throw .form("the boundary stands within a part", at: end)
    }
    part.content = UnsafeRawBufferPointer(rebasing: body[content..<end - 2])
    part.offset = start
    guard part.byteCount == nil || part.byteCount == Int64(part.content.count) else {
      throw .form("a part's Content-Length is not its length", at: start)
    }
    try passDelimiter(at: end)
    return part
  }

  /// What stands behind a delimiter: a line end, or two hyphens and the body's end.
  private mutating func passDelimiter(at start: Int) throws(PeekFault) {
    place = start + delimiter.count
    let rest = body[place...]
    if rest.starts(with: [0x0D, 0x0A]) {
      place += 2
    } else if rest.elementsEqual([0x2D, 0x2D]) || rest.elementsEqual([0x2D, 0x2D, 0x0D, 0x0A]) {
      isAtEnd = true
    } else {
      throw .form("a boundary is not followed by a line end, or the form's end by more", at: place)
    }
  }

  private mutating func nextDelimiter(from start: Int) -> Int? {
    guard let base = body.baseAddress else { return nil }
    var place = start
    var matched = 0
    while place < body.count {
      if matched == 0 {
        guard let hyphen = memchr(base + place, 0x2D, body.count - place) else { return nil }
        place = UnsafeRawPointer(hyphen) - base
      }
      comparedCount += 1
      if body[place] == delimiter[matched] {
        matched += 1
        place += 1
        if matched == delimiter.count { return place - matched }
      } else {
        matched = shorter[matched]
      }
    }
    return nil
  }

  // MARK: A part's head

  private static let headBytesMax = 8 * 1_024
  private static let headLinesMax = 16

  private mutating func head() throws(PeekFault) -> Part {
    let start = place
    var part: Part?
    var byteCount: Int64?
    var type: Slice<UnsafeRawBufferPointer>?
    for _ in 0...Self.headLinesMax {
      let line = try line(ofHeadAt: start)
      if line.isEmpty {
        guard var part else { throw .form("a part has no content-disposition", at: place) }
        if let type { try Self.checkType(type, isFile: part.isFile) }
        part.byteCount = byteCount
        return part
      }
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else {
        throw .form("a part's head has a line without a name", at: line.startIndex)
      }
      let name = UnsafeRawBufferPointer(rebasing: line[..<colon])
      let value = line[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
      if equalsIgnoringCase(name, "content-disposition"), part == nil {
        part = try Self.disposition(value)
      } else if equalsIgnoringCase(name, "content-type"), type == nil {
        type = value
      } else if equalsIgnoringCase(name, "content-length"), byteCount == nil {
        // What is no number is not the part's length.
        byteCount = formNumber(UnsafeRawBufferPointer(rebasing: value)) ?? -1
      } else if equalsIgnoringCase(name, "content-transfer-encoding") {
        guard Self.isPlain(value) else {
          throw .form("a part has a coding", at: line.startIndex)
        }
      } else {
        throw .form(
          "a part's head has a field that is not known, or one twice", at: line.startIndex)
      }
    }
    throw .form("a part's head has more than \(Self.headLinesMax) lines", at: start)
  }

  /// The next line, without its end.
  private mutating func line(
    ofHeadAt head: Int
  ) throws(PeekFault) -> Slice<UnsafeRawBufferPointer> {
    let start = place
    var index = place
    while index < body.count, body[index] >= 0x20 || body[index] == 0x09 { index += 1 }
    let isEnded = index + 1 < body.count && body[index] == 0x0D && body[index + 1] == 0x0A
    guard isEnded, index - head <= Self.headBytesMax else {
      throw .form("a part's head is not made of lines, or longer than 8 KiB", at: index)
    }
    place = index + 2
    return body[start..<index]
  }

  /// `form-data; name="…"`, and `; filename="…"` for a file. Some clients leave the quotes out, and
  /// say a file's name a second time, in another coding.
  private static func disposition(
    _ value: Slice<UnsafeRawBufferPointer>
  ) throws(PeekFault) -> Part {
    var rest = value
    guard take("form-data", from: &rest) else {
      throw .form("a part is no form-data", at: value.startIndex)
    }
    var name: UnsafeRawBufferPointer?
    var isFile = false
    var hasOtherFileName = false
    while !rest.isEmpty {
      guard take(";", from: &rest) else {
        throw .form("a part's content-disposition has another form", at: rest.startIndex)
      }
      rest = rest.drop { $0 == 0x20 }
      if take("name=", from: &rest), name == nil {
        name = try self.name(&rest)
      } else if take("filename=", from: &rest), !isFile {
        // Nobody looks at it: only where it ends counts.
        _ = try text(&rest, "a file's name") { $0.last != UInt8(ascii: "\\") }
        isFile = true
      } else if take("filename*=", from: &rest), !hasOtherFileName {
        _ = try text(&rest, "a file's name") { !$0.contains(UInt8(ascii: "\\")) }
        hasOtherFileName = true
      } else {
        throw .form("a part's content-disposition has another form", at: rest.startIndex)
      }
    }
    guard let name else { throw .form("a part has no name", at: value.startIndex) }
    guard isFile || !hasOtherFileName else {
      throw .form("a file has a 'filename*' alone", at: value.startIndex)
    }
    return Part(
      name: name, isFile: isFile, content: UnsafeRawBufferPointer(start: nil, count: 0), offset: 0)
  }

  private static func name(
    _ rest: inout Slice<UnsafeRawBufferPointer>
  ) throws(PeekFault) -> UnsafeRawBufferPointer {
    let start = rest.startIndex
    let text = try text(&rest, "a part's name") { !$0.contains(UInt8(ascii: "\\")) }
    guard !text.isEmpty, !text.contains(UInt8(ascii: "%")) else {
      throw .form("a part's name is empty or escaped", at: start)
    }
    // A field of this name says in which charset the others are.
    guard !equalsIgnoringCase(text, "_charset_") else {
      throw .form("a part names a charset ('_charset_')", at: start)
    }
    return text
  }

  /// A transfer encoding that leaves the bytes as they are.
  private static func isPlain(_ coding: Slice<UnsafeRawBufferPointer>) -> Bool {
    let coding = UnsafeRawBufferPointer(rebasing: coding)
    return equalsIgnoringCase(coding, "binary") || equalsIgnoringCase(coding, "8bit")
      || equalsIgnoringCase(coding, "7bit")
  }

  private static func take(
    _ text: StaticString, from rest: inout Slice<UnsafeRawBufferPointer>
  ) -> Bool {
    let count = text.utf8CodeUnitCount
    guard rest.count >= count,
      equalsIgnoringCase(UnsafeRawBufferPointer(rebasing: rest.prefix(count)), text)
    else { return false }
    rest = rest.dropFirst(count)
    return true
  }

  /// A quoted string, or what stands there without quotes.
  ///
  /// - Parameters:
  ///   - what: whose text it is, for people.
  ///   - isPlain: whether everyone reads it alike; some take a backslash as an escape.
  private static func text(
    _ rest: inout Slice<UnsafeRawBufferPointer>, _ what: String,
    isPlain: (Slice<UnsafeRawBufferPointer>) -> Bool
  ) throws(PeekFault) -> UnsafeRawBufferPointer {
    let isQuoted = take("\"", from: &rest)
    let end =
      isQuoted
      ? rest.firstIndex(of: UInt8(ascii: "\""))
      : rest.firstIndex(of: UInt8(ascii: ";")) ?? rest.endIndex
    guard let end else { throw .form("\(what) has no end", at: rest.startIndex) }
    let text = rest[..<end]
    guard isPlain(text), isQuoted || text.allSatisfy(isTokenByte) else {
      throw .form("\(what) is not written plainly", at: rest.startIndex)
    }
    rest = rest[(isQuoted ? end + 1 : end)...]
    return UnsafeRawBufferPointer(rebasing: text)
  }

  /// What a name may have without quotes: RFC 9110's tokens but the back quote. Some end a name at
  /// a bracket.
  private static func isTokenByte(_ byte: UInt8) -> Bool {
    isAlphanumeric(byte) || "-_.'%+*!#$&^|~".utf8.contains(byte)
  }

  /// A part's type is a file's; a text's may say nothing but UTF-8, and a part may have no parts of
  /// its own.
  private static func checkType(
    _ value: Slice<UnsafeRawBufferPointer>, isFile: Bool
  ) throws(PeekFault) {
    let text = String(decoding: value, as: UTF8.self).lowercased()
    if text.hasPrefix("multipart/") {
      throw .form("a part has parts of its own", at: value.startIndex)
    }
    guard !isFile, let charset = text.firstRange(of: "charset") else { return }
    let name = text[charset.upperBound...].filter { !"=\" ".contains($0) }
    guard name == "utf-8" || name == "us-ascii" else {
      throw .form("a part is not in UTF-8", at: value.startIndex)
    }
  }
}

extension PeekFault {
  static func form(_ reason: String, at offset: Int) -> PeekFault {
    PeekFault(
      message: "The request body is not a form (multipart/form-data) that this gateway takes: "
        + "\(reason) (at byte \(offset)).",
      offset: offset)
  }

  static let formUnknown = PeekFault(
    message: "The request's content type must be application/json, at most with charset=utf-8, or "
      + "multipart/form-data with a boundary and nothing else.",
    offset: 0)

  /// A body of JSON that an upstream could read in another charset than it was read here.
  public static let charsetUnknown = PeekFault(
    message: "The request's content type must name no other charset than utf-8.", offset: 0)
}
