// The checksums that gzip and zlib put behind their content. A wrong one says that what was read is
// not what was sent, and then no figure in it can be believed.

/// A checksum over bytes in pieces.
enum InflateChecksum: Sendable {
  /// Raw DEFLATE has none.
  case none
  case crc32(UInt32)
  case adler32(low: UInt32, high: UInt32)

  static let emptyCRC = InflateChecksum.crc32(0)
  static let emptyAdler = InflateChecksum.adler32(low: 1, high: 0)

  /// The checksum of all bytes so far; 0 for none.
  var value: UInt32 {
    switch self {
    case .none: 0
    case .crc32(let sum): sum
    case .adler32(let low, let high): high << 16 | low
    }
  }

  mutating func update(_ bytes: UnsafeRawBufferPointer) {
    switch self {
    case .none: break
    case .crc32(let sum): self = .crc32(Self.crc32(sum, bytes))
    case .adler32(let low, let high): self = Self.adler32(low, high, bytes)
    }
  }

  /// The CRC of ISO 3309 as RFC 1952 section 8 gives it, polynomial 0xEDB88320, reflected.
  static func crc32(_ sum: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
    crcTable.withUnsafeBufferPointer { table in
      var sum = ~sum
      for byte in bytes { sum = table[Int((sum ^ UInt32(byte)) & 0xFF)] ^ sum >> 8 }
      return ~sum
    }
  }

  private static let crcTable: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in
      value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1
    }
  }

  /// RFC 1950 section 8.2: two sums modulo 65521.
  private static func adler32(
    _ low: UInt32, _ high: UInt32, _ bytes: UnsafeRawBufferPointer
  ) -> InflateChecksum {
    var (low, high) = (low, high)
    var start = 0
    while start < bytes.count {
      // 5552 is the most bytes after which the sums still fit into 32 bits.
      let end = min(start + 5_552, bytes.count)
      for index in start..<end {
        low &+= UInt32(bytes[index])
        high &+= low
      }
      low %= 65_521
      high %= 65_521
      start = end
    }
    return .adler32(low: low, high: high)
  }
}
