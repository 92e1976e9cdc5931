// One pass of redaction over the bytes of a text.
//
// Rules are asked only where a word begins. What came out is the context of what follows, so that
// the pass sees what a second pass would see.

/// A value found: where it ends, and what it is.
struct Finding {
  var range: Range<Int>
  var kind: RedactionKind
}

/// The pass.
struct RedactionScan {
  private(set) var output: [UInt8] = []
  private(set) var counts: [RedactionKind: Int] = [:]
  private(set) var isChanged = false
  private let hidesPersonalData: Bool
  /// A password found in a connection string, to be taken out when the scan gets there.
  private var password: Range<Int>?

  init(hidesPersonalData: Bool) { self.hidesPersonalData = hidesPersonalData }

  mutating func run(_ bytes: UnsafeBufferPointer<UInt8>) {
    output.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      if let password, index >= password.lowerBound {
        self.password = nil
        if index == password.lowerBound {
          take(Finding(range: password, kind: .password), bytes, &index)
          continue
        }
      }
      let byte = bytes[index]
      if byte == UInt8(ascii: "\\") {
        copyEscape(bytes, &index)
        continue
      }
      if byte == UInt8(ascii: ":"), let found = ConnectionRule.password(bytes, at: index) {
        password = found
      }
      if let finding = find(bytes, at: index) {
        copy(bytes, index..<finding.range.lowerBound)
        index = finding.range.lowerBound
        take(finding, bytes, &index)
        continue
      }
      output.append(byte)
      index += 1
    }
  }

  private func find(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Finding? {
    let byte = bytes[index]
    if byte == UInt8(ascii: "-") { return PrivateKeyRule.find(bytes, at: index) }
    guard byte.isAlphanumeric || hidesPersonalData && byte.isEmailLocal else { return nil }
    let last = output.last ?? 0x20
    let beginsWord = isAfterEscape || !last.isAlphanumeric
    if beginsWord, byte.isAlphanumeric {
      if let finding = PrefixRule.find(bytes, at: index) { return finding }
      if let finding = NamedValueRule.find(bytes, at: index) { return finding }
      if hidesPersonalData, let finding = AccountNumberRule.find(bytes, at: index) {
        return finding
      }
    }
    // `ssh://git@host.example` is an account on a host, no address of a person.
    let isUserInfo = output.suffix(2).elementsEqual("//".utf8)
    if hidesPersonalData, byte.isEmailLocal, isAfterEscape || !last.isEmailLocal, !isUserInfo {
      return EmailRule.find(bytes, at: index)
    }
    return nil
  }

  /// Whether the output ends in a JSON escape, whose letter is no part of a word.
  private var isAfterEscape: Bool { output.count == escapeEnd && escapeEnd > 0 }
  private var escapeEnd = 0

  /// Copies a backslash and, where they make a JSON escape, the letters behind it.
  private mutating func copyEscape(_ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int) {
    var end = index + 1
    if end < bytes.count {
      switch bytes[end] {
      case UInt8(ascii: "u"):
        let digits = bytes.run(from: end + 1, limit: 4) { $0.isHexadecimal }
        end = digits == end + 5 ? digits : end
      case UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"), UInt8(ascii: "b"),
        UInt8(ascii: "f"), UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
        end += 1
      default: break
      }
    }
    copy(bytes, index..<end)
    index = end
    escapeEnd = output.count
  }

  private mutating func copy(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
    output.append(contentsOf: bytes[range])
  }

  private mutating func take(
    _ finding: Finding, _ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int
  ) {
    let marker = Array(finding.kind.marker.utf8)
    index = finding.range.upperBound
    output += marker
    // A marker that stands there already is no finding.
    if bytes[finding.range].elementsEqual(marker) { return }
    counts[finding.kind, default: 0] += 1
    isChanged = true
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// Where the run of bytes that satisfy `isPart` ends, at most `limit` bytes on.
  @inline(__always)
  func run(from start: Int, limit: Int = .max, _ isPart: (UInt8) -> Bool) -> Int {
    var index = start
    let end = limit == .max ? count : Swift.min(count, start + limit)
    while index < end, isPart(self[index]) { index += 1 }
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
