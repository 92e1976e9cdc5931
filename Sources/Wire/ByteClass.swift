// Which bytes may stand where (RFC 9110 section 5.6.2, RFC 9112, RFC 3986), as bit masks.
// Masks rather than tables: a table would be a global behind a once-check on every byte. The one
// table, for field names, is a literal, which stands in the program's constants.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

enum ByteClass {
  static let tab: UInt8 = 0x09
  static let lineFeed: UInt8 = 0x0A
  static let carriageReturn: UInt8 = 0x0D
  static let space: UInt8 = 0x20
  static let quote: UInt8 = 0x22
  static let comma: UInt8 = 0x2C
  static let slash: UInt8 = 0x2F
  static let colon: UInt8 = 0x3A
  static let semicolon: UInt8 = 0x3B
  static let equals: UInt8 = 0x3D
  static let question: UInt8 = 0x3F
  static let backslash: UInt8 = 0x5C

  /// tchar: letters, digits and !#$%&'*+-.^_`|~
  @inline(__always)
  static func isToken(_ byte: UInt8) -> Bool {
    test(byte, low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE)
  }

  /// Where the run of token characters from `start` ends.
  @inline(__always)
  static func tokenEnd(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int {
    let table = tokens.utf8Start
    var index = range.lowerBound
    while index < range.upperBound {
      let byte = bytes[index]
      if byte >= 0x80 || table[Int(byte)] != 0x31 { return index }
      index &+= 1
    }
    return index
  }

  /// By byte up to 0x7F, `1` where `isToken`.
  private static var tokens: StaticString {
    """
    0000000000000000\
    0000000000000000\
    0101111100110110\
    1111111111000000\
    0111111111111111\
    1111111111100011\
    1111111111111111\
    1111111111101010
    """
  }

  /// Characters of a path or query (RFC 3986), and the brackets that clients put in queries.
  @inline(__always)
  static func isTarget(_ byte: UInt8) -> Bool {
    test(byte, low: 0xAFFF_FFF2_0000_0000, high: 0x47FF_FFFE_AFFF_FFFF)
  }

  /// Characters of HOST or HOST:PORT, an address in brackets included; no user part, no comma.
  @inline(__always)
  static func isHost(_ byte: UInt8) -> Bool {
    test(byte, low: 0x07FF_6000_0000_0000, high: 0x47FF_FFFE_AFFF_FFFE)
  }

  @inline(__always)
  private static func test(_ byte: UInt8, low: UInt64, high: UInt64) -> Bool {
    let mask = byte < 64 ? low : high
    return byte < 128 && (mask >> UInt64(byte & 63)) & 1 == 1
  }

  /// A visible character, space, tab or a byte of 0x80 and above.
  @inline(__always)
  static func isValue(_ byte: UInt8) -> Bool {
    (byte >= 0x20 && byte != 0x7F) || byte == tab
  }

  @inline(__always)
  static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }

  @inline(__always)
  static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

  /// The value of a hexadecimal digit, or nil.
  @inline(__always)
  static func hexValue(_ byte: UInt8) -> Int? {
    switch byte {
    case 0x30...0x39: Int(byte &- 0x30)
    case 0x41...0x46: Int(byte &- 0x37)
    case 0x61...0x66: Int(byte &- 0x57)
    default: nil
    }
  }

  /// The lower-case form of an ASCII letter; other bytes as they are.
  @inline(__always)
  static func lowered(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
  }

  /// Whether all bytes may stand in a value. Eight at a time: values are most of a head.
  static func areValues(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
    var index = range.lowerBound
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    while index &+ 8 <= range.upperBound {
      let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      let controls = (word &- ones &* 0x20) & ~word & highs
      let delete = word ^ (ones &* 0x7F)
      let deletes = (delete &- ones) & ~delete & highs
      // The word may hold a tab, which is allowed: look at its bytes one by one.
      if controls | deletes != 0 {
        for offset in index..<index &+ 8 where !isValue(bytes[offset]) { return false }
      }
      index &+= 8
    }
    while index < range.upperBound {
      if !isValue(bytes[index]) { return false }
      index &+= 1
    }
    return true
  }

  /// The offset of the first line feed in the range, or nil.
  @inline(__always)
  static func firstLineFeed(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
    guard let base = bytes.baseAddress, !range.isEmpty,
      let hit = memchr(base + range.lowerBound, Int32(lineFeed), range.count)
    else { return nil }
    return UnsafeRawPointer(hit) - base
  }

  /// The range without blanks at either end.
  @inline(__always)
  static func trimmed(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Range<Int> {
    var start = range.lowerBound
    var end = range.upperBound
    while start < end, isBlank(bytes[start]) { start &+= 1 }
    while end > start, isBlank(bytes[end &- 1]) { end &-= 1 }
    return start..<end
  }

  /// Whether the range holds the given lower-case ASCII text, in any case.
  static func equals(
    _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ lowercase: StaticString
  ) -> Bool {
    guard range.count == lowercase.utf8CodeUnitCount else { return false }
    let text = lowercase.utf8Start
    for offset in 0..<range.count
    where lowered(bytes[range.lowerBound &+ offset]) != text[offset] {
      return false
    }
    return true
  }

  /// Whether two ranges hold the same text but for the case of ASCII letters.
  static func equals(
    _ bytes: UnsafeRawBufferPointer, _ first: Range<Int>, _ second: Range<Int>
  ) -> Bool {
    guard first.count == second.count else { return false }
    for offset in 0..<first.count
    where lowered(bytes[first.lowerBound &+ offset])
      != lowered(bytes[second.lowerBound &+ offset])
    {
      return false
    }
    return true
  }
}
