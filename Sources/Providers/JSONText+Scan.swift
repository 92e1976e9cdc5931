// The two inner loops of the JSON reader: where plain text ends, and what a number is.
//
// Eight bytes are tested at once, since nearly all of a body is plain text inside strings.

/// Where the run of plain ASCII text that starts at `from` ends: at a quote, a backslash, a control
/// character or a byte above 0x7F, or at the end of the bytes.
@inline(__always)
func plainTextEnd(_ bytes: UnsafeRawBufferPointer, from: Int) -> Int {
  var index = from
  let end = bytes.count
  while index + 8 <= end {
    let word = UInt64(
      littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
    let stops =
      word | zeroBytes(word ^ 0x2222_2222_2222_2222) | zeroBytes(word ^ 0x5C5C_5C5C_5C5C_5C5C)
      | ((word &- 0x2020_2020_2020_2020) & ~word)
    let marks = stops & 0x8080_8080_8080_8080
    if marks != 0 { return index + marks.trailingZeroBitCount >> 3 }
    index += 8
  }
  while index < end {
    let byte = bytes[index]
    if byte < 0x20 || byte >= 0x80 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
      return index
    }
    index += 1
  }
  return end
}

/// Where the first CR or LF at or after `from` stands, or the end of the bytes.
@inline(__always)
func lineEnd(_ bytes: UnsafeRawBufferPointer, from: Int) -> Int {
  var index = from
  let end = bytes.count
  while index + 8 <= end {
    let word = UInt64(
      littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
    let marks = zeroBytes(word ^ 0x0A0A_0A0A_0A0A_0A0A) | zeroBytes(word ^ 0x0D0D_0D0D_0D0D_0D0D)
    if marks != 0 { return index + marks.trailingZeroBitCount >> 3 }
    index += 8
  }
  while index < end, bytes[index] != 0x0A, bytes[index] != 0x0D { index += 1 }
  return index
}

/// The high bit of each byte that is zero; bits above the lowest such byte may be wrong, so only
/// the lowest is to be used.
@inline(__always)
private func zeroBytes(_ word: UInt64) -> UInt64 {
  (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
}

extension JSONScalar {
  /// Reads a whole token: a literal or a number by the grammar of RFC 8259.
  init(token: UnsafeRawBufferPointer) {
    let text = JSONText(bytes: token, count: token.count)
    if let first = token.first, first &- UInt8(ascii: "0") < 10 {
      self = Self.number(token)
    } else if text.equals("null") {
      self = .null
    } else if text.equals("true") {
      self = .boolean(true)
    } else if text.equals("false") {
      self = .boolean(false)
    } else {
      self = Self.number(token)
    }
  }

  private static func number(_ token: UnsafeRawBufferPointer) -> JSONScalar {
    if let value = shortWholeNumber(token) { return .number(value) }
    var index = 0
    let isNegative = token.first == UInt8(ascii: "-")
    if isNegative { index = 1 }
    let whole = digits(token, from: index)
    // At least one digit, and no leading zero.
    guard whole > index, whole == index + 1 || token[index] != UInt8(ascii: "0") else {
      return .unreadable
    }
    var value: Int64? = 0
    for position in index..<whole {
      let digit = Int64(token[position] - UInt8(ascii: "0"))
      let (tens, isOver) = (value ?? 0).multipliedReportingOverflow(by: 10)
      let (next, isOverAgain) = tens.subtractingReportingOverflow(digit)
      value = value == nil || isOver || isOverAgain ? nil : next
    }
    // Counted downwards, where the range is one larger; -Int64.min does not exist.
    if !isNegative { value = value.flatMap { $0 == .min ? nil : -$0 } }
    index = whole
    if index < token.count, token[index] == UInt8(ascii: ".") {
      let fraction = digits(token, from: index + 1)
      guard fraction > index + 1 else { return .unreadable }
      if token[index + 1..<fraction].contains(where: { $0 != UInt8(ascii: "0") }) { value = nil }
      index = fraction
    }
    if index < token.count, token[index] | 0x20 == UInt8(ascii: "e") {
      index += 1
      if index < token.count, token[index] == UInt8(ascii: "+") || token[index] == UInt8(ascii: "-")
      {
        index += 1
      }
      let exponent = digits(token, from: index)
      guard exponent > index else { return .unreadable }
      value = nil
      index = exponent
    }
    return index == token.count ? .number(value) : .unreadable
  }

  /// A whole number of at most 18 digits without a sign, as nearly all are; nil for any other
  /// token.
  @inline(__always)
  private static func shortWholeNumber(_ token: UnsafeRawBufferPointer) -> Int64? {
    guard (1...18).contains(token.count), token[0] != UInt8(ascii: "0") || token.count == 1
    else { return nil }
    var value: Int64 = 0
    for byte in token {
      let digit = byte &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      value = value &* 10 &+ Int64(digit)
    }
    return value
  }

  /// Where the run of decimal digits from `from` ends.
  private static func digits(_ token: UnsafeRawBufferPointer, from: Int) -> Int {
    var index = from
    while index < token.count, token[index] >= UInt8(ascii: "0"), token[index] <= UInt8(ascii: "9")
    {
      index += 1
    }
    return index
  }
}
