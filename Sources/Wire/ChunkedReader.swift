// Reads a chunked body (RFC 9112 section 7.1) from pieces that are split anywhere.
// It keeps counters, never bytes: the payload is handed out as ranges of the piece just fed.

/// A state machine over the bytes of one chunked body.
public struct ChunkedReader: Sendable {
  /// What comes next in the bytes.
  public enum Part: Sendable, Equatable {
    /// Payload: a range of the bytes just fed, never empty.
    case payload(Range<Int>)
    /// The body ended; the offset now stands behind its last byte.
    case end
    /// All bytes are read and the body goes on.
    case needsMore
  }

  private enum State: Sendable, Equatable {
    case size, sizeDigits
    case extensionName, extensionNameMore, extensionValue, extensionToken
    case extensionQuoted, extensionEscape, extensionDone
    case sizeLineFeed
    case payload, payloadReturn, payloadLineFeed
    case trailerStart, trailerName, trailerValue, trailerLineFeed, endLineFeed
    case ended
  }

  private var state = State.size
  private var remaining = 0
  private var digits = 0
  private var extensionBytes = 0
  private var trailerBytes = 0
  private var nameHash = Self.hashSeed
  private let side: WireSide
  private let chunkBytesMax: Int
  private let extensionBytesMax: Int
  private let trailerBytesMax: Int

  /// - Parameter side: whose body it is, for the faults.
  public init(_ side: WireSide, limits: HeadLimits = HeadLimits()) {
    self.side = side
    chunkBytesMax = limits.chunkBytesMax
    extensionBytesMax = limits.extensionBytesMax
    trailerBytesMax = limits.trailerBytesMax
  }

  /// The last chunk and the trailer have been read.
  public var isEnded: Bool { state == .ended }

  /// Reads on from the offset and moves it behind what was read. Call until it gives `needsMore` or
  /// `end`; bytes behind the end belong to the next message.
  /// - Throws: the fault; the body cannot be read on.
  public mutating func next(
    _ bytes: UnsafeRawBufferPointer, offset: inout Int
  ) throws(WireFault) -> Part {
    while state != .ended {
      guard offset < bytes.count else { return .needsMore }
      if state == .payload {
        let count = min(remaining, bytes.count - offset)
        let range = offset..<offset + count
        offset += count
        remaining -= count
        if remaining == 0 { state = .payloadReturn }
        return .payload(range)
      }
      let byte = bytes[offset]
      offset += 1
      switch state {
      case .size, .sizeDigits, .sizeLineFeed, .payloadReturn, .payloadLineFeed:
        try readFrame(byte)
      case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .endLineFeed:
        try readTrailer(byte)
      default:
        try readExtension(byte)
      }
    }
    return .end
  }

  private mutating func readFrame(_ byte: UInt8) throws(WireFault) {
    switch state {
    case .size, .sizeDigits:
      if let value = ByteClass.hexValue(byte) {
        digits += 1
        // Fifteen digits cannot overflow; more of them are zeros or an attack.
        guard digits <= 15 else { throw WireFault(.malformedChunkSize, side) }
        remaining = remaining << 4 | value
        guard remaining <= chunkBytesMax else { throw WireFault(.chunkTooLong, side) }
        state = .sizeDigits
      } else if state == .size {
        throw WireFault(.malformedChunkSize, side)
      } else if byte == ByteClass.semicolon {
        try countExtension()
        state = .extensionName
      } else {
        guard byte == ByteClass.carriageReturn else {
          throw WireFault(.malformedChunkSize, side)
        }
        state = .sizeLineFeed
      }
    case .sizeLineFeed:
      guard byte == ByteClass.lineFeed else { throw WireFault(.malformedChunkSize, side) }
      state = remaining == 0 ? .trailerStart : .payload
    case .payloadReturn:
      guard byte == ByteClass.carriageReturn else {
        throw WireFault(.malformedChunkEnd, side)
      }
      state = .payloadLineFeed
    default:
      guard byte == ByteClass.lineFeed else { throw WireFault(.malformedChunkEnd, side) }
      digits = 0
      state = .size
    }
  }

  private mutating func countExtension() throws(WireFault) {
    extensionBytes += 1
    guard extensionBytes <= extensionBytesMax else {
      throw WireFault(.chunkExtensionTooLong, side)
    }
  }

  /// `;NAME`, `;NAME=TOKEN` or `;NAME="TEXT"`, without blanks; read, bounded and ignored.
  private mutating func readExtension(_ byte: UInt8) throws(WireFault) {
    try countExtension()
    let malformed = WireFault(.malformedChunkExtension, side)
    switch state {
    case .extensionName:
      guard ByteClass.isToken(byte) else { throw malformed }
      state = .extensionNameMore
    case .extensionNameMore where ByteClass.isToken(byte):
      break
    case .extensionNameMore where byte == ByteClass.equals:
      state = .extensionValue
    case .extensionValue:
      let isQuoted = byte == ByteClass.quote
      guard isQuoted || ByteClass.isToken(byte) else { throw malformed }
      state = isQuoted ? .extensionQuoted : .extensionToken
    case .extensionToken where ByteClass.isToken(byte):
      break
    case .extensionQuoted:
      guard ByteClass.isValue(byte) else { throw malformed }
      if byte == ByteClass.quote {
        state = .extensionDone
      } else if byte == ByteClass.backslash {
        state = .extensionEscape
      }
    case .extensionEscape:
      guard ByteClass.isValue(byte) else { throw malformed }
      state = .extensionQuoted
    default:
      // A name, a token or a closing quote is behind us.
      if byte == ByteClass.semicolon {
        state = .extensionName
      } else if byte == ByteClass.carriageReturn {
        state = .sizeLineFeed
      } else {
        throw malformed
      }
    }
  }

  private mutating func readTrailer(_ byte: UInt8) throws(WireFault) {
    trailerBytes += 1
    guard trailerBytes <= trailerBytesMax else { throw WireFault(.trailerTooLong, side) }
    let malformed = WireFault(.malformedTrailer, side)
    switch state {
    case .trailerStart:
      if byte == ByteClass.carriageReturn {
        state = .endLineFeed
      } else {
        guard ByteClass.isToken(byte) else { throw malformed }
        nameHash = Self.hash(Self.hashSeed, byte)
        state = .trailerName
      }
    case .trailerName:
      if byte == ByteClass.colon {
        guard !Self.forbidden.contains(nameHash) else {
          throw WireFault(.forbiddenTrailer, side)
        }
        state = .trailerValue
      } else {
        guard ByteClass.isToken(byte) else { throw malformed }
        nameHash = Self.hash(nameHash, byte)
      }
    case .trailerValue:
      if byte == ByteClass.carriageReturn {
        state = .trailerLineFeed
      } else {
        guard ByteClass.isValue(byte) else { throw malformed }
      }
    case .trailerLineFeed:
      guard byte == ByteClass.lineFeed else { throw malformed }
      state = .trailerStart
    default:
      guard byte == ByteClass.lineFeed else { throw malformed }
      state = .ended
    }
  }

  // Names of trailer fields are recognised by FNV-1a over their lower-case bytes, so that a name
  // split between pieces needs no buffer; a collision would refuse a harmless field, no more.
  private static let hashSeed: UInt64 = 0xCBF2_9CE4_8422_2325

  private static func hash(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
    (hash ^ UInt64(ByteClass.lowered(byte))) &* 0x0000_0100_0000_01B3
  }

  /// Fields that frame, route or authenticate a message and so belong into its head alone.
  private static let forbidden: Set<UInt64> = Set(
    [
      "content-length", "transfer-encoding", "host", "connection", "upgrade", "te", "trailer",
      "expect", "authorization", "content-encoding", "content-type", "content-range",
      "set-cookie", "keep-alive",
    ].map { $0.utf8.reduce(hashSeed) { hash($0, $1) } })
}
