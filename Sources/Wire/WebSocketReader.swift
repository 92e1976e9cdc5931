// Reads the frames of a WebSocket (RFC 6455) in passing: where each begins and ends, and which of
// its bytes are a message's payload.
//
// Nothing is held and nothing unmasked: an upstream's frames come unmasked, and a caller's are not
// read. Extensions are never negotiated, so that a reserved bit is a fault.

/// Frames that break RFC 6455, are masked, or use an extension.
public struct WebSocketFault: Error, Equatable, Sendable {}

/// Fed one peer's bytes in any split.
public struct WebSocketReader: Sendable {
  public enum Kind: Sendable, Equatable {
    case text, binary
    case close, ping, pong
  }

  /// What comes next in the bytes.
  public enum Part: Sendable, Equatable {
    /// Payload of the current frame; ranges count from the first byte of what was fed.
    case payload(Range<Int>, Kind)
    /// A frame has ended; `endsMessage` where its message has too. Control frames are messages of
    /// their own.
    case frameEnd(Kind, endsMessage: Bool)
    case needsMore
  }

  private enum Phase: Sendable {
    /// The first byte of a frame.
    case first
    case length
    /// Bytes of an extended length that are still to come, and their value so far.
    case extendedLength(left: Int, value: UInt64, isLong: Bool)
    case payload(left: UInt64)
  }

  private var phase = Phase.first
  private var kind = Kind.text
  private var isFinal = true
  /// The kind of a message whose first frames have come.
  private var open: Kind?

  public init() {}

  /// No frame is under way: what is written now stands between two frames.
  public var isBetweenFrames: Bool { if case .first = phase { true } else { false } }

  /// Nor a message, so that a new one may begin.
  public var isBetweenMessages: Bool { isBetweenFrames && open == nil }

  /// Reads the next part.
  ///
  /// - Parameter offset: where to read on; moved behind what was read.
  /// - Throws: where a frame breaks the protocol; nothing after it can be told apart.
  public mutating func next(
    _ bytes: UnsafeRawBufferPointer, offset: inout Int
  ) throws(WebSocketFault) -> Part {
    while true {
      if case .payload(let left) = phase {
        if left == 0 { return endFrame() }
        guard offset < bytes.count else { return .needsMore }
        let count = Int(min(left, UInt64(bytes.count - offset)))
        let range = offset..<offset + count
        offset += count
        phase = .payload(left: left - UInt64(count))
        return .payload(range, kind)
      }
      guard offset < bytes.count else { return .needsMore }
      try take(bytes[offset])
      offset += 1
    }
  }

  private mutating func endFrame() -> Part {
    phase = .first
    return .frameEnd(kind, endsMessage: isFinal)
  }

  /// Takes a byte of a frame's head.
  private mutating func take(_ byte: UInt8) throws(WebSocketFault) {
    switch phase {
    case .first: try takeFirst(byte)
    case .length: try takeLength(byte)
    case .extendedLength(let left, let value, let isLong):
      let value = value << 8 | UInt64(byte)
      guard left == 1 else {
        phase = .extendedLength(left: left - 1, value: value, isLong: isLong)
        return
      }
      // The shortest form is a must, and the highest bit of the long one is none of the length.
      guard value >= (isLong ? 0x1_0000 : 126), value <= UInt64(Int64.max) else {
        throw Self.fault
      }
      phase = .payload(left: value)
    case .payload: throw Self.fault
    }
  }

  private mutating func takeFirst(_ byte: UInt8) throws(WebSocketFault) {
    guard byte & 0x70 == 0 else { throw Self.fault }
    isFinal = byte & 0x80 != 0
    switch byte & 0x0F {
    case 0x0:
      guard let open else { throw Self.fault }
      kind = open
      if isFinal { self.open = nil }
    case 0x1, 0x2:
      guard open == nil else { throw Self.fault }
      kind = byte & 0x0F == 0x1 ? .text : .binary
      if !isFinal { open = kind }
    case 0x8: kind = .close
    case 0x9: kind = .ping
    case 0xA: kind = .pong
    default: throw Self.fault
    }
    if !isFinal, isControl { throw Self.fault }
    phase = .length
  }

  private mutating func takeLength(_ byte: UInt8) throws(WebSocketFault) {
    // A masked frame comes from a client, and an upstream is none.
    guard byte & 0x80 == 0 else { throw Self.fault }
    switch byte {
    case 126 where !isControl: phase = .extendedLength(left: 2, value: 0, isLong: false)
    case 127 where !isControl: phase = .extendedLength(left: 8, value: 0, isLong: true)
    case ...125: phase = .payload(left: UInt64(byte))
    default: throw Self.fault
    }
  }

  private var isControl: Bool {
    switch kind {
    case .text, .binary: false
    case .close, .ping, .pong: true
    }
  }

  private static let fault = WebSocketFault()
}

/// Writes the few frames that the gateway says itself, as a server does: unmasked.
public enum WebSocketFrame {
  /// A text message in one frame.
  public static func text(_ payload: [UInt8]) -> [UInt8] { frame(0x1, payload) }

  /// A close frame.
  ///
  /// - Parameters:
  ///   - code: RFC 6455 section 7.4; 1000…4999.
  ///   - reason: cut at 123 bytes, at a character's edge.
  public static func close(code: UInt16, reason: String) -> [UInt8] {
    var text = reason
    while text.utf8.count > 123 { text.removeLast() }
    return frame(0x8, [UInt8(code >> 8), UInt8(code & 0xFF)] + Array(text.utf8))
  }

  /// A close frame as a client sends it: masked, with a mask of zeroes, which hides nothing and has
  /// nothing to hide.
  public static func maskedClose(code: UInt16) -> [UInt8] {
    [0x88, 0x82, 0, 0, 0, 0, UInt8(code >> 8), UInt8(code & 0xFF)]
  }

  /// A text message as a client sends it, in at most 125 bytes; masked likewise.
  public static func maskedText(_ payload: [UInt8]) -> [UInt8] {
    precondition(payload.count <= 125, "a longer message needs another length")
    return [0x81, 0x80 | UInt8(payload.count), 0, 0, 0, 0] + payload
  }

  private static func frame(_ opcode: UInt8, _ payload: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = [0x80 | opcode]
    switch payload.count {
    case ...125: bytes.append(UInt8(payload.count))
    case ...0xFFFF:
      bytes.append(126)
      bytes += [UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
    default:
      bytes.append(127)
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: payload.count >> shift))
      }
    }
    return bytes + payload
  }
}
