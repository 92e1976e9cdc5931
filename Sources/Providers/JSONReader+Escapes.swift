// UTF-8 sequences and escapes inside strings, checked byte by byte.
//
// They are rare beside plain ASCII, so that this part may be simple where the scan is fast.

extension JSONReader {
  /// Takes the first byte of a multi-byte sequence, or a control character.
  mutating func beginSequence(_ byte: UInt8, at index: Int) -> Bool {
    (low, high) = (0x80, 0xBF)
    switch byte {
    case 0xC2...0xDF: needed = 1
    case 0xE0: (needed, low) = (2, 0xA0)
    case 0xE1...0xEC, 0xEE, 0xEF: needed = 2
    case 0xED: (needed, high) = (2, 0x9F)
    case 0xF0: (needed, low) = (3, 0x90)
    case 0xF1...0xF3: needed = 3
    case 0xF4: (needed, high) = (3, 0x8F)
    case 0..<0x20:
      fail("a string holds a control character that is not escaped", at: index)
      return false
    default:
      fail("a string is not valid UTF-8", at: index)
      return false
    }
    return true
  }

  mutating func continueSequence(_ byte: UInt8, at index: Int) -> Bool {
    guard byte >= low, byte <= high else {
      fail("a string is not valid UTF-8", at: index)
      return false
    }
    needed -= 1
    (low, high) = (0x80, 0xBF)
    return true
  }

  mutating func stepInString(_ byte: UInt8, at index: Int) {
    switch state {
    case .continuation:
      if continueSequence(byte, at: index), needed == 0 { state = .string }
    case .escape: stepEscape(byte, at: index)
    case .hex: stepHex(byte, at: index)
    case .lowSurrogateEscape:
      if byte == UInt8(ascii: "\\") {
        state = .lowSurrogateU
      } else {
        loneSurrogate(at: index)
        if state != .failed { resumeString(with: byte, at: index) }
      }
    case .lowSurrogateU:
      if byte == UInt8(ascii: "u") {
        (state, escape, escapeDigits) = (.hex, 0, 0)
      } else {
        loneSurrogate(at: index)
        if state != .failed { stepEscape(byte, at: index) }
      }
    default: break
    }
  }

  mutating func stepEscape(_ byte: UInt8, at index: Int) {
    runStart = index + 1
    state = .string
    switch byte {
    case UInt8(ascii: "n"): keep(scalar: 0x0A)
    case UInt8(ascii: "t"): keep(scalar: 0x09)
    case UInt8(ascii: "r"): keep(scalar: 0x0D)
    case UInt8(ascii: "b"): keep(scalar: 0x08)
    case UInt8(ascii: "f"): keep(scalar: 0x0C)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): keep(scalar: UInt32(byte))
    case UInt8(ascii: "u"): (state, escape, escapeDigits) = (.hex, 0, 0)
    default:
      if isStrict { fail("a string holds an unknown escape", at: index) } else { keep(byte) }
    }
  }

  mutating func stepHex(_ byte: UInt8, at index: Int) {
    let digit: UInt32
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = UInt32(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = UInt32(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = UInt32(byte - UInt8(ascii: "A") + 10)
    default:
      fail("a \\u escape has fewer than four hexadecimal digits", at: index)
      return
    }
    escape = escape << 4 | digit
    escapeDigits += 1
    guard escapeDigits == 4 else { return }
    runStart = index + 1
    state = .string
    switch (escape, highSurrogate) {
    case (0xDC00...0xDFFF, 1...):
      keep(scalar: 0x10000 + (highSurrogate - 0xD800) << 10 + (escape - 0xDC00))
      highSurrogate = 0
    case (_, 1...):
      loneSurrogate(at: index)
      if state != .failed { keepEscaped(at: index) }
    default: keepEscaped(at: index)
    }
  }

  /// Keeps the escape that is complete and not the second half of a pair.
  mutating func keepEscaped(at index: Int) {
    switch escape {
    case 0xD800...0xDBFF:
      highSurrogate = escape
      state = .lowSurrogateEscape
    case 0xDC00...0xDFFF: loneSurrogate(at: index)
    default: keep(scalar: escape)
    }
  }

  mutating func loneSurrogate(at index: Int) {
    highSurrogate = 0
    if isStrict {
      fail("a string holds half of a surrogate pair", at: index)
    } else {
      keep(scalar: 0xFFFD)
      state = .string
    }
  }

  /// Goes on in a string with a byte that turned out not to continue a surrogate pair.
  mutating func resumeString(with byte: UInt8, at index: Int) {
    runStart = index
    if byte == UInt8(ascii: "\"") {
      let range = tokenStart..<consumed + index + 1
      withScratch { reader, kept in
        reader.deliver(JSONText(bytes: kept, count: reader.decodedCount), at: range)
      }
    }
  }

  mutating func keep(_ byte: UInt8) {
    decodedCount += 1
    if scratch.count < captureBytesMax { scratch.append(byte) }
  }

  mutating func keep(scalar: UInt32) {
    switch scalar {
    case ..<0x80: keep(UInt8(scalar))
    case ..<0x800:
      keep(UInt8(0xC0 | scalar >> 6))
      keep(UInt8(0x80 | scalar & 0x3F))
    case ..<0x10000:
      keep(UInt8(0xE0 | scalar >> 12))
      keep(UInt8(0x80 | scalar >> 6 & 0x3F))
      keep(UInt8(0x80 | scalar & 0x3F))
    default:
      keep(UInt8(0xF0 | scalar >> 18))
      keep(UInt8(0x80 | scalar >> 12 & 0x3F))
      keep(UInt8(0x80 | scalar >> 6 & 0x3F))
      keep(UInt8(0x80 | scalar & 0x3F))
    }
  }
}
