// Reads the head of an answer, and decides by method and status whether a body follows.
// An upstream is trusted no more than a caller: what it splits differently poisons the next answer.

/// The parts of a status line.
struct StatusLine: Sendable {
  var status = 0
  var reason = 0..<0
  var minorVersion = 1
}

/// A complete head of an answer. Offsets count from the start of the bytes it was read from.
public struct ResponseHead: Sendable {
  /// 100 to 599.
  public let status: Int
  /// The reason phrase; often empty.
  public let reason: Range<Int>
  /// 0 for HTTP/1.0, 1 for HTTP/1.1.
  public let minorVersion: Int
  public let fields: HeadFields
  public let framing: BodyFraming
  /// The connection may carry another request after this answer's body.
  public let keepAlive: Bool
  /// Bytes of the head, the empty line included; the body begins here.
  public let byteCount: Int

  /// An answer (1xx) that another one follows; 101 is none, the protocol ends there.
  public var isInterim: Bool { status < 200 && status != 101 }

  /// Reads a head that stands at the start of the bytes.
  /// - Parameters:
  ///   - bytes: everything received of it so far.
  ///   - method: of the request that it answers; HEAD has no body whatever the fields say.
  ///   - progress: the state of earlier attempts on a shorter prefix of the same bytes; it is ready
  ///     for the next head when one is returned.
  /// - Returns: the head, or nil if more bytes are needed.
  /// - Throws: the fault; the connection cannot be read on.
  public static func parse(
    _ bytes: UnsafeRawBufferPointer, method: RequestMethod, limits: HeadLimits,
    progress: inout HeadProgress
  ) throws(WireFault) -> ResponseHead? {
    while let line = try progress.nextLine(bytes, .response, limits) {
      if progress.hasStartLine {
        if line.isEmpty { return try finish(bytes, method, &progress) }
        try progress.fields.readLine(bytes, line, .response, limits)
      } else if line.isEmpty {
        throw WireFault(.leadingEmptyLine, .response)
      } else {
        try progress.statusLine.read(bytes, line)
        progress.hasStartLine = true
      }
    }
    return nil
  }

  /// Reads a head from bytes that are not going to be read again when they are too few.
  public static func parse(
    _ bytes: UnsafeRawBufferPointer, method: RequestMethod, limits: HeadLimits = HeadLimits()
  ) throws(WireFault) -> ResponseHead? {
    var progress = HeadProgress()
    return try parse(bytes, method: method, limits: limits, progress: &progress)
  }

  private static func finish(
    _ bytes: UnsafeRawBufferPointer, _ method: RequestMethod, _ progress: inout HeadProgress
  ) throws(WireFault) -> ResponseHead {
    let line = progress.statusLine
    let fields = progress.fields
    let isChunked = fields.present.contains(.transferEncoding)
    if isChunked, line.minorVersion == 0 {
      throw WireFault(.transferEncodingInOldVersion, .response)
    }
    let framing: BodyFraming
    if line.status < 200 || line.status == 204 {
      // RFC 9110 section 8.6 and RFC 9112 section 6.1 forbid both fields here. A length of zero
      // misleads nobody; another makes a careless reader wait for a body that the next answer is.
      guard !isChunked, fields.contentLength ?? 0 == 0 else {
        throw WireFault(.bodyNotAllowed, .response)
      }
      framing = .none
    } else if method == .head || line.status == 304 {
      framing = .none
    } else if isChunked {
      framing = .chunked
    } else if let length = fields.contentLength {
      framing = .length(length)
    } else {
      framing = .untilClose
    }
    let head = ResponseHead(
      line: line, fields: fields, framing: framing, byteCount: progress.consumed)
    progress.fields = HeadFields()
    progress.reset()
    return head
  }

  private init(line: StatusLine, fields: HeadFields, framing: BodyFraming, byteCount: Int) {
    status = line.status
    reason = line.reason
    minorVersion = line.minorVersion
    self.fields = fields
    self.framing = framing
    let wantsMore = line.minorVersion == 1 || fields.asksKeepAlive
    keepAlive = wantsMore && !fields.asksClose && framing != .untilClose && line.status != 101
    self.byteCount = byteCount
  }
}

extension StatusLine {
  /// Reads VERSION SP STATUS [SP REASON]; the second space is left out by enough upstreams.
  mutating func read(
    _ bytes: UnsafeRawBufferPointer, _ line: Range<Int>
  ) throws(WireFault) {
    let malformed = WireFault(.malformedStatusLine, .response)
    guard line.count >= 12 else { throw malformed }
    let start = line.lowerBound
    minorVersion = try HTTPVersion.minor(bytes, start..<start + 8, .response)
    guard bytes[start + 8] == ByteClass.space else { throw malformed }
    status = 0
    for index in start + 9..<start + 12 {
      guard ByteClass.isDigit(bytes[index]) else { throw malformed }
      status = status * 10 + Int(bytes[index] - 0x30)
    }
    guard (100...599).contains(status) else { throw malformed }
    reason = line.upperBound..<line.upperBound
    if line.count > 12 {
      guard bytes[start + 12] == ByteClass.space else { throw malformed }
      reason = start + 13..<line.upperBound
      guard ByteClass.areValues(bytes, reason) else {
        throw WireFault(.controlCharacter, .response)
      }
    }
  }
}
