// Reads one value out of a JSON text by its pointer (RFC 6901), without building the rest.
//
// Foundation's reader turns 1.0 and true into the same kind of object and 1.10 into 1.1; a label
// must be what the model wrote. Strict RFC 8259: an output wrapped in a code fence is not JSON, and
// the program that reads it downstream will say so too.

/// A parsed pointer.
struct JSONPointer: Hashable, Sendable {
  enum Value: Hashable, Sendable {
    /// The text is not one JSON value.
    case unreadable
    /// It is, but there is nothing at the pointer.
    case absent
    case text(String)
    /// A number, `true`, `false` or `null`, as written.
    case literal(String)
    case object
    case array
  }

  let tokens: [String]

  /// Nil where the text is neither empty nor begins with '/', or has a '~' without 0 or 1.
  init?(_ text: String) {
    if text.isEmpty {
      tokens = []
      return
    }
    guard text.hasPrefix("/") else { return nil }
    var tokens: [String] = []
    for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
      let bare = part.replacing("~0", with: "").replacing("~1", with: "")
      if bare.contains("~") { return nil }
      tokens.append(String(part).replacing("~1", with: "/").replacing("~0", with: "~"))
    }
    self.tokens = tokens
  }

  func read(_ bytes: [UInt8]) -> Value {
    var reader = Reader(bytes: bytes, tokens: tokens)
    return reader.read() ?? .unreadable
  }

  /// Walks the text once. Nil anywhere means: not JSON.
  private struct Reader {
    static let depthMax = 128

    let bytes: [UInt8]
    let tokens: [String]
    var position = 0
    var found = Value.absent

    mutating func read() -> Value? {
      guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
      space()
      guard value(at: 0, depth: 0) else { return nil }
      space()
      return position == bytes.count ? found : nil
    }

    private mutating func space() {
      while position < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[position]) {
        position += 1
      }
    }

    private mutating func take(_ byte: Character) -> Bool {
      guard position < bytes.count, bytes[position] == byte.asciiValue else { return false }
      position += 1
      return true
    }

    /// - Parameter level: how many tokens led here; nil off the pointer's way.
    private mutating func value(at level: Int?, depth: Int) -> Bool {
      guard position < bytes.count, depth <= Self.depthMax else { return false }
      let isWanted = level == tokens.count
      let start = position
      switch bytes[position] {
      case UInt8(ascii: "{"):
        if isWanted { found = .object }
        return object(level, depth)
      case UInt8(ascii: "["):
        if isWanted { found = .array }
        return array(level, depth)
      case UInt8(ascii: "\""):
        guard let text = string() else { return false }
        if isWanted { found = .text(text) }
        return true
      default:
        guard literal() || number() else { return false }
        if isWanted { found = .literal(String(decoding: bytes[start..<position], as: UTF8.self)) }
        return true
      }
    }

    private mutating func object(_ level: Int?, _ depth: Int) -> Bool {
      position += 1
      space()
      if take("}") { return true }
      while true {
        space()
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\""), let key = string()
        else { return false }
        space()
        guard take(":") else { return false }
        space()
        let next = step(level) { $0 == key }
        // The last of two equal keys counts, as in nearly every reader.
        if next != nil { found = .absent }
        guard value(at: next, depth: depth + 1) else { return false }
        space()
        if take("}") { return true }
        guard take(",") else { return false }
      }
    }

    private mutating func array(_ level: Int?, _ depth: Int) -> Bool {
      position += 1
      space()
      if take("]") { return true }
      var index = 0
      while true {
        space()
        let here = String(index)
        let next = step(level) { $0 == here }
        guard value(at: next, depth: depth + 1) else { return false }
        index += 1
        space()
        if take("]") { return true }
        guard take(",") else { return false }
      }
    }

    private func step(_ level: Int?, _ matches: (String) -> Bool) -> Int? {
      guard let level, level < tokens.count, matches(tokens[level]) else { return nil }
      return level + 1
    }

    private mutating func literal() -> Bool {
      for word in ["true", "false", "null"] {
        let end = position + word.utf8.count
        if end <= bytes.count, bytes[position..<end].elementsEqual(word.utf8) {
          position = end
          return true
        }
      }
      return false
    }

    private mutating func digits() -> Int {
      let start = position
      while position < bytes.count, (48...57).contains(bytes[position]) { position += 1 }
      return position - start
    }

    private mutating func number() -> Bool {
      _ = take("-")
      if take("0") {
        // No digit may follow a leading zero; what follows is judged by the caller.
      } else if digits() == 0 {
        return false
      }
      if take("."), digits() == 0 { return false }
      if take("e") || take("E") {
        if !take("+") { _ = take("-") }
        if digits() == 0 { return false }
      }
      return true
    }

    private mutating func string() -> String? {
      position += 1
      var text: [UInt8] = []
      while position < bytes.count {
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
        case UInt8(ascii: "\\"):
          guard let scalar = escape() else { return nil }
          text += Array(String(scalar).utf8)
        case 0..<0x20: return nil
        default: text.append(byte)
        }
      }
      return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
      guard position < bytes.count else { return nil }
      let letter = bytes[position]
      position += 1
      switch letter {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
      case UInt8(ascii: "b"): return "\u{8}"
      case UInt8(ascii: "f"): return "\u{C}"
      case UInt8(ascii: "n"): return "\n"
      case UInt8(ascii: "r"): return "\r"
      case UInt8(ascii: "t"): return "\t"
      case UInt8(ascii: "u"): break
      default: return nil
      }
      guard let first = hexadecimal() else { return nil }
      guard (0xD800...0xDBFF).contains(first) else { return Unicode.Scalar(first) ?? "\u{FFFD}" }
      let after = position
      if take("\\"), take("u"), let second = hexadecimal(), (0xDC00...0xDFFF).contains(second) {
        return Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
      }
      position = after
      return "\u{FFFD}"
    }

    private mutating func hexadecimal() -> UInt32? {
      guard position + 4 <= bytes.count else { return nil }
      var value: UInt32 = 0
      for byte in bytes[position..<position + 4] {
        guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
        value = value * 16 + UInt32(digit)
      }
      position += 4
      return value
    }
  }
}
