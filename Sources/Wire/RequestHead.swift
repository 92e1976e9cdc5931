// Reads a request head (RFC 9112) and refuses what two readers could understand differently.
// The head is ranges over the caller's bytes: they must still be there when it is used.

/// The methods that are relayed; another one is a fault (501), CONNECT and TRACE included.
public enum RequestMethod: UInt8, Sendable, CaseIterable {
  case get, head, post, put, patch, delete, options

  public var name: StaticString {
    switch self {
    case .get: "GET"
    case .head: "HEAD"
    case .post: "POST"
    case .put: "PUT"
    case .patch: "PATCH"
    case .delete: "DELETE"
    case .options: "OPTIONS"
    }
  }
}

/// The parts of a request line.
struct RequestLine: Sendable {
  var method = RequestMethod.get
  var methodRange = 0..<0
  var target = 0..<0
  var authority = 0..<0
  var path = 0..<0
  var query: Range<Int>?
  var minorVersion = 1
}

/// A complete request head. Offsets count from the start of the bytes it was read from.
public struct RequestHead: Sendable {
  public let method: RequestMethod
  public let methodRange: Range<Int>
  /// The whole target: a path with query, an absolute URL, or `*` (OPTIONS only).
  public let target: Range<Int>
  /// The path, which begins with a slash; `*` for `OPTIONS *`.
  public let path: Range<Int>
  /// The query without its question mark; nil if there is none.
  public let query: Range<Int>?
  /// Path, question mark and query: what is sent on.
  public var pathAndQuery: Range<Int> {
    path.lowerBound..<(query?.upperBound ?? path.upperBound)
  }
  /// 0 for HTTP/1.0, 1 for HTTP/1.1.
  public let minorVersion: Int
  public let fields: HeadFields
  public let framing: BodyFraming
  /// The connection may carry another request after this one.
  public let keepAlive: Bool
  /// The caller waits for an interim answer 100 before it sends the body.
  public let expectsContinue: Bool
  /// The caller asks for another protocol (upgrade field and connection option).
  public let hasUpgrade: Bool
  /// Bytes of the head, empty lines included; the body begins here.
  public let byteCount: Int

  /// Reads a head that stands at the start of the bytes.
  /// - Parameters:
  ///   - bytes: everything received of it so far.
  ///   - progress: the state of earlier attempts on a shorter prefix of the same bytes; it is ready
  ///     for the next head when one is returned.
  /// - Returns: the head, or nil if more bytes are needed.
  /// - Throws: the fault; the connection cannot be read on.
  public static func parse(
    _ bytes: UnsafeRawBufferPointer, limits: HeadLimits, progress: inout HeadProgress
  ) throws(WireFault) -> RequestHead? {
    while let line = try progress.nextLine(bytes, .request, limits) {
      if progress.hasStartLine {
        if line.isEmpty { return try finish(bytes, &progress) }
        try progress.fields.readLine(bytes, line, .request, limits)
      } else if line.isEmpty {
        // Some old clients send a line end after a body: one is let pass.
        if line.lowerBound > 0 { throw WireFault(.leadingEmptyLine, .request) }
      } else {
        try progress.requestLine.read(bytes, line, limits)
        progress.hasStartLine = true
      }
    }
    return nil
  }

  /// Reads a head from bytes that are not going to be read again when they are too few.
  public static func parse(
    _ bytes: UnsafeRawBufferPointer, limits: HeadLimits = HeadLimits()
  ) throws(WireFault) -> RequestHead? {
    var progress = HeadProgress()
    return try parse(bytes, limits: limits, progress: &progress)
  }

  private static func finish(
    _ bytes: UnsafeRawBufferPointer, _ progress: inout HeadProgress
  ) throws(WireFault) -> RequestHead {
    let line = progress.requestLine
    let present = progress.fields.present
    if let host = progress.fields.first(.host) {
      let isSame = line.authority.isEmpty || ByteClass.equals(bytes, line.authority, host)
      guard isSame else { throw WireFault(.targetHostMismatch, .request) }
    } else if line.minorVersion == 1 {
      throw WireFault(.missingHost, .request)
    }
    var framing = BodyFraming.none
    if present.contains(.transferEncoding) {
      guard line.minorVersion == 1 else {
        throw WireFault(.transferEncodingInOldVersion, .request)
      }
      framing = .chunked
    } else if let length = progress.fields.contentLength {
      framing = .length(length)
    }
    let head = RequestHead(
      line: line, fields: progress.fields, framing: framing, byteCount: progress.consumed)
    progress.fields = HeadFields()
    progress.reset()
    return head
  }

  private init(line: RequestLine, fields: HeadFields, framing: BodyFraming, byteCount: Int) {
    method = line.method
    methodRange = line.methodRange
    target = line.target
    path = line.path
    query = line.query
    minorVersion = line.minorVersion
    self.fields = fields
    self.framing = framing
    let wantsMore = line.minorVersion == 1 || fields.asksKeepAlive
    keepAlive = wantsMore && !fields.asksClose
    expectsContinue = line.minorVersion == 1 && fields.present.contains(.expect)
    hasUpgrade = fields.asksUpgrade && fields.present.contains(.upgrade)
    self.byteCount = byteCount
  }
}

extension RequestLine {
  /// Reads METHOD SP TARGET SP VERSION, with exactly one space each.
  mutating func read(
    _ bytes: UnsafeRawBufferPointer, _ line: Range<Int>, _ limits: HeadLimits
  ) throws(WireFault) {
    var index = line.lowerBound
    while index < line.upperBound, ByteClass.isToken(bytes[index]) { index &+= 1 }
    guard index > line.lowerBound, index < line.upperBound, bytes[index] == ByteClass.space
    else { throw WireFault(.malformedRequestLine, .request) }
    methodRange = line.lowerBound..<index
    let start = index &+ 1
    index = start
    while index < line.upperBound, bytes[index] != ByteClass.space { index &+= 1 }
    guard index > start, index < line.upperBound else {
      throw WireFault(.malformedRequestLine, .request)
    }
    target = start..<index
    guard target.count <= limits.targetBytesMax else {
      throw WireFault(.targetTooLong, .request)
    }
    minorVersion = try HTTPVersion.minor(bytes, index &+ 1..<line.upperBound, .request)
    method = try Self.identify(bytes, methodRange)
    try readTarget(bytes)
  }

  private static func identify(
    _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>
  ) throws(WireFault) -> RequestMethod {
    let candidate: RequestMethod
    switch (range.count, bytes[range.lowerBound]) {
    case (3, 0x47): candidate = .get
    case (3, 0x50): candidate = .put
    case (4, 0x50): candidate = .post
    case (4, 0x48): candidate = .head
    case (5, 0x50): candidate = .patch
    case (6, 0x44): candidate = .delete
    case (7, 0x4F): candidate = .options
    default: throw WireFault(.unknownMethod, .request)
    }
    // Methods are case-sensitive.
    let name = candidate.name.utf8Start
    for offset in 0..<range.count where bytes[range.lowerBound &+ offset] != name[offset] {
      throw WireFault(.unknownMethod, .request)
    }
    return candidate
  }

  private mutating func readTarget(_ bytes: UnsafeRawBufferPointer) throws(WireFault) {
    authority = 0..<0
    query = nil
    if bytes[target.lowerBound] == ByteClass.slash {
      path = target
    } else if target.count == 1, bytes[target.lowerBound] == 0x2A, method == .options {
      path = target
      return
    } else {
      try readAbsolute(bytes)
    }
    var index = path.lowerBound
    while index < target.upperBound {
      let byte = bytes[index]
      guard ByteClass.isTarget(byte) else { throw WireFault(.malformedTarget, .request) }
      if byte == 0x25 {
        guard index &+ 2 < target.upperBound, ByteClass.hexValue(bytes[index &+ 1]) != nil,
          ByteClass.hexValue(bytes[index &+ 2]) != nil
        else { throw WireFault(.malformedTarget, .request) }
      } else if byte == ByteClass.question, query == nil {
        path = path.lowerBound..<index
        query = index &+ 1..<target.upperBound
      }
      index &+= 1
    }
  }

  /// `http://HOST[:PORT]/PATH`: the host must be the host field's, which is checked at the end.
  private mutating func readAbsolute(_ bytes: UnsafeRawBufferPointer) throws(WireFault) {
    var start = target.lowerBound
    for scheme: StaticString in ["http://", "https://"] {
      let end = min(start + scheme.utf8CodeUnitCount, target.upperBound)
      if ByteClass.equals(bytes, target.lowerBound..<end, scheme) {
        start = end
        break
      }
    }
    guard start > target.lowerBound,
      let slash = (start..<target.upperBound).first(where: { bytes[$0] == ByteClass.slash }),
      slash > start, bytes[start..<slash].allSatisfy(ByteClass.isHost)
    else { throw WireFault(.malformedTarget, .request) }
    authority = start..<slash
    path = slash..<target.upperBound
  }
}

enum HTTPVersion {
  /// The minor version of `HTTP/1.0` or `HTTP/1.1`, letter for letter.
  static func minor(
    _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ side: WireSide
  ) throws(WireFault) -> Int {
    let malformed: WireFault.Code =
      side == .request ? .malformedRequestLine : .malformedStatusLine
    guard range.count == 8 else { throw WireFault(malformed, side) }
    let start = range.lowerBound
    let text: StaticString = "HTTP/"
    for offset in 0..<5 where bytes[start &+ offset] != text.utf8Start[offset] {
      throw WireFault(malformed, side)
    }
    guard ByteClass.isDigit(bytes[start &+ 5]), bytes[start &+ 6] == 0x2E,
      ByteClass.isDigit(bytes[start &+ 7])
    else { throw WireFault(malformed, side) }
    guard bytes[start &+ 5] == 0x31, bytes[start &+ 7] <= 0x31 else {
      throw WireFault(.unsupportedVersion, side)
    }
    return Int(bytes[start &+ 7] &- 0x30)
  }
}
