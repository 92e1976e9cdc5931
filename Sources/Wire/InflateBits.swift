// The bits of a compressed stream, least significant first (RFC 1951 section 3.1.1).
//
// Header, blocks and trailer are all read through this one buffer, so that bytes which were taken
// in advance need not be given back where one part ends in the middle of a piece.

/// Up to 64 bits taken from the bytes fed so far and not yet used.
struct InflateBits: Sendable {
  /// The next bits; those past `count` are zero.
  private(set) var bits: UInt64 = 0
  private(set) var count = 0

  /// Takes bytes while a whole one fits: afterwards there are more than 56 bits, or no more input.
  @inline(__always)
  mutating func fill(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) {
    while count <= 56, offset < bytes.count {
      bits |= UInt64(bytes[offset]) &<< UInt64(truncatingIfNeeded: count)
      count &+= 8
      offset &+= 1
    }
  }

  /// Uses bits that are there: 0…48 of them.
  @inline(__always)
  mutating func drop(_ used: Int) {
    bits &>>= UInt64(truncatingIfNeeded: used)
    count &-= used
  }

  /// Uses 0…32 bits; nil where there are fewer.
  @inline(__always)
  mutating func take(_ wanted: Int) -> Int? {
    guard count >= wanted else { return nil }
    let value = Int(truncatingIfNeeded: bits & (1 &<< UInt64(truncatingIfNeeded: wanted) &- 1))
    drop(wanted)
    return value
  }

  /// Drops the rest of a byte that was begun.
  mutating func alignToByte() { drop(count & 7) }
}
