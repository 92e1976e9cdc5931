// What a pass of redaction knows of a text before it asks any rule.
//
// Nearly all words of a text begin like no secret. Three letters tell: a table of those with which
// the rules' texts begin is one look-up, where asking the rules is dozens of comparisons.

/// What a byte is to the pass.
enum ByteClass: UInt8 {
  case other, lower, upper, digit
  /// `\`, `:` and `-`: an escape, a URL or a private key may begin.
  case mark

  init(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\\"), UInt8(ascii: ":"), UInt8(ascii: "-"): self = .mark
    default:
      self = byte.isLowercase ? .lower : byte.isUppercase ? .upper : byte.isDigit ? .digit : .other
    }
  }

  /// The class of each byte.
  static let table: [ByteClass] = (UInt8.min...UInt8.max).map { ByteClass($0) }
}

/// The beginnings of what the rules for words look for.
enum RedactionTriggers {
  /// Three bytes as a number of 15 bits; both cases of a letter are the same.
  @inline(__always)
  static func key(_ first: UInt8, _ second: UInt8, _ third: UInt8) -> Int {
    Int(first & 31) << 10 | Int(second & 31) << 5 | Int(third & 31)
  }

  /// A bit for each key, set where a rule's text begins so.
  static let table: [UInt64] = {
    var table = [UInt64](repeating: 0, count: 1 << 15 / 64)
    for text in PrefixRule.texts + NamedValueRule.texts {
      let key = key(text.utf8Start[0], text.utf8Start[1], text.utf8Start[2])
      table[key >> 6] |= 1 << UInt64(key & 63)
    }
    return table
  }()
}
