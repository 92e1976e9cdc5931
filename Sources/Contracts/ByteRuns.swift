// Runs of bytes and texts at a place: what the rules of redaction are made of.

extension UnsafeBufferPointer<UInt8> {
  /// Where the run of bytes that satisfy `isPart` ends, at most `limit` bytes on.
  @inline(__always)
  func run(from start: Int, limit: Int = .max, _ isPart: (UInt8) -> Bool) -> Int {
    var index = start
    let end = limit == .max ? count : Swift.min(count, start + limit)
    while index < end, isPart(self[index]) { index += 1 }
    return index
  }

  /// Where a byte stands first from `start` on, or the end. Eight bytes are tested at once.
  func first(_ byte: UInt8, from start: Int) -> Int {
    let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
    let raw = UnsafeRawBufferPointer(self)
    var index = start
    while index + 8 <= count {
      let word =
        UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)) ^ pattern
      // The lowest high bit set here marks the first byte that is zero.
      let zeros = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
      if zeros != 0 { return index + zeros.trailingZeroBitCount >> 3 }
      index += 8
    }
    while index < count, self[index] != byte { index += 1 }
    return index
  }

  /// Whether this text stands at a place.
  @inline(__always)
  func has(_ text: StaticString, at start: Int) -> Bool {
    let length = text.utf8CodeUnitCount
    guard start + length <= count else { return false }
    for offset in 0..<length where self[start + offset] != text.utf8Start[offset] { return false }
    return true
  }

  /// As `has`, for lower-case text and any case of letters.
  @inline(__always)
  func hasIgnoringCase(_ text: StaticString, at start: Int) -> Bool {
    let length = text.utf8CodeUnitCount
    guard start + length <= count else { return false }
    for offset in 0..<length {
      let byte = self[start + offset]
      let isUpper = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
      if (isUpper ? byte | 0x20 : byte) != text.utf8Start[offset] { return false }
    }
    return true
  }
}

extension UInt8 {
  var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }
  var isUppercase: Bool { self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z") }
  var isLowercase: Bool { self >= UInt8(ascii: "a") && self <= UInt8(ascii: "z") }
  var isLetter: Bool { isUppercase || isLowercase }
  var isAlphanumeric: Bool { isLetter || isDigit }
  var isHexadecimal: Bool {
    let lower = self | 0x20
    return isDigit || lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "f")
  }
  /// Letters, digits, `-` and `_`: base64url, and most tokens.
  var isTokenPart: Bool {
    isAlphanumeric || self == UInt8(ascii: "-") || self == UInt8(ascii: "_")
  }
  /// What a bearer token or base64 text is made of.
  var isBearerPart: Bool {
    switch self {
    case UInt8(ascii: "."), UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: "/"),
      UInt8(ascii: "="):
      true
    default: isTokenPart
    }
  }
  var isEmailLocal: Bool {
    switch self {
    case UInt8(ascii: "."), UInt8(ascii: "%"), UInt8(ascii: "+"): true
    default: isTokenPart
    }
  }
  var isSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0A || self == 0x0D }
}
