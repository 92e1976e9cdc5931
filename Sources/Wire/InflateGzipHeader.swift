// The header of a gzip member (RFC 1952 section 2.3): read to know where it ends, and for its
// checksum; nothing of what it says is kept.

/// Fed a byte at a time.
struct GzipHeader: Sendable {
  private enum Part {
    /// Magic, method, flags, time, extra flags, system.
    case fixed
    case extraLength, extra, name, comment, checksum
  }

  private static let fixedBytes = 10

  private var part = Part.fixed
  /// Bytes of the part that were read.
  private var index = 0
  private var flags: UInt8 = 0
  private var extraBytes = 0
  private var announced: UInt16 = 0
  private var sum: UInt32 = 0

  /// Reads the next byte. True: the header ends with it.
  mutating func take(_ byte: UInt8) throws(InflateFault) -> Bool {
    if part != .checksum {
      sum = withUnsafeBytes(of: byte) { InflateChecksum.crc32(sum, $0) }
    }
    defer { index += 1 }
    switch part {
    case .fixed:
      try takeFixed(byte)
      return index == Self.fixedBytes - 1 && advance()
    case .extraLength:
      extraBytes |= Int(byte) << (8 * index)
      return index == 1 && advance()
    case .extra: return index == extraBytes - 1 && advance()
    case .name, .comment: return byte == 0 && advance()
    case .checksum:
      announced |= UInt16(byte) << UInt16(8 * index)
      guard index == 1 else { return false }
      guard announced == UInt16(truncatingIfNeeded: sum) else { throw .headerChecksumMismatch }
      return true
    }
  }

  private mutating func takeFixed(_ byte: UInt8) throws(InflateFault) {
    let isRight =
      switch index {
      case 0: byte == 0x1F
      case 1: byte == 0x8B
      case 2: byte == 8
      // The highest three flags are reserved: who sets one means something that we would misread.
      case 3: byte & 0xE0 == 0
      default: true
      }
    guard isRight else { throw .malformedHeader }
    if index == 3 { flags = byte }
  }

  /// Goes to the next part that the flags announce. True: there is none.
  private mutating func advance() -> Bool {
    // The index is raised once more when this byte is done.
    index = -1
    while true {
      switch part {
      case .fixed where flags & 4 != 0:
        part = .extraLength
        return false
      case .extraLength where extraBytes > 0:
        part = .extra
        return false
      case .fixed, .extraLength, .extra:
        part = .name
        if flags & 8 != 0 { return false }
      case .name:
        part = .comment
        if flags & 16 != 0 { return false }
      case .comment:
        part = .checksum
        return flags & 2 == 0
      case .checksum: return true
      }
    }
  }
}
