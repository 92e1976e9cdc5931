// What the pretokenizers' patterns ask of a scalar: letter, number, mark, space, in which case.

/// The properties of one Unicode scalar that decide where a piece of text ends.
struct CharacterClass: OptionSet {
  let rawValue: UInt8

  /// `\p{L}`
  static let letter = CharacterClass(rawValue: 1)
  /// `\p{N}`
  static let number = CharacterClass(rawValue: 2)
  /// `\s`, newlines included
  static let space = CharacterClass(rawValue: 4)
  /// `[\r\n]`
  static let newline = CharacterClass(rawValue: 8)
  /// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`
  static let upper = CharacterClass(rawValue: 16)
  /// `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`
  static let lower = CharacterClass(rawValue: 32)
  /// Unassigned, so young that a tokenizer elsewhere may hold it to be so, or changed since.
  static let unsettled = CharacterClass(rawValue: 64)
  /// A byte that is no part of well-formed UTF-8; stands alone and is no letter, number or space.
  static let illFormed = CharacterClass(rawValue: 128)

  /// A letter or a mark.
  static let word: CharacterClass = [.upper, .lower]
  /// What `[^\s\p{L}\p{N}]` leaves out.
  static let notOther: CharacterClass = [.letter, .number, .space]

  init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Whether it has any of these properties.
  func has(_ properties: CharacterClass) -> Bool { rawValue & properties.rawValue != 0 }

  /// The newest Unicode version that every tokenizer in use is taken to know: the first tiktoken
  /// (2022) was built with 15.0.
  static let settledMajorVersion = 14
  /// Older scalars whose class changed since: U+0295 was a lower case letter up to 16.0.
  static let changed: Set<Unicode.Scalar> = ["\u{295}"]

  init(_ scalar: Unicode.Scalar) {
    let properties = scalar.properties
    var found: CharacterClass
    switch properties.generalCategory {
    case .uppercaseLetter, .titlecaseLetter: found = [.letter, .upper]
    case .lowercaseLetter: found = [.letter, .lower]
    case .modifierLetter, .otherLetter: found = [.letter, .upper, .lower]
    case .nonspacingMark, .spacingMark, .enclosingMark: found = [.upper, .lower]
    case .decimalNumber, .letterNumber, .otherNumber: found = .number
    default: found = []
    }
    if properties.isWhitespace { found.insert(.space) }
    if scalar == "\r" || scalar == "\n" { found.insert(.newline) }
    let isYoung = (properties.age?.major ?? .max) > Self.settledMajorVersion
    if isYoung || Self.changed.contains(scalar) { found.insert(.unsettled) }
    self = found
  }

  /// The classes of U+0000 … U+FFFF; the standard library's search costs some 50 ns a scalar.
  static let ofBasicPlane: [CharacterClass] = (UInt32(0)...0xFFFF).map { value in
    Unicode.Scalar(value).map { CharacterClass($0) } ?? .illFormed
  }
}

/// Reads scalars out of UTF-8 with their classes.
struct ScalarReader: Sendable {
  private let basicPlane = CharacterClass.ofBasicPlane

  /// The class of the scalar at an offset below `text.count`, and how many bytes it has.
  ///
  /// Of ill-formed UTF-8 one byte.
  @inline(__always)
  func read(_ text: Span<UInt8>, at offset: Int) -> (kind: CharacterClass, length: Int) {
    let first = text[offset]
    return first < 0x80 ? (basicPlane[Int(first)], 1) : readLong(text, at: offset, first)
  }

  @inline(never)
  private func readLong(
    _ text: Span<UInt8>, at offset: Int, _ first: UInt8
  ) -> (kind: CharacterClass, length: Int) {
    func tail(_ index: Int) -> UInt32? {
      guard offset + index < text.count, text[offset + index] & 0xC0 == 0x80 else { return nil }
      return UInt32(text[offset + index] & 0x3F)
    }
    switch first {
    case 0xC2...0xDF:
      guard let last = tail(1) else { break }
      return (basicPlane[Int(UInt32(first & 0x1F) << 6 | last)], 2)
    case 0xE0...0xEF:
      guard let middle = tail(1), let last = tail(2) else { break }
      let value = UInt32(first & 0x0F) << 12 | middle << 6 | last
      // Shorter forms of lower scalars; surrogates have no class but ill-formed.
      guard value >= 0x800, !basicPlane[Int(value)].has(.illFormed) else { break }
      return (basicPlane[Int(value)], 3)
    case 0xF0...0xF4:
      guard let second = tail(1), let third = tail(2), let last = tail(3) else { break }
      let value = UInt32(first & 0x07) << 18 | second << 12 | third << 6 | last
      guard value >= 0x10000, let scalar = Unicode.Scalar(value) else { break }
      return (CharacterClass(scalar), 4)
    default: break
    }
    return (.illFormed, 1)
  }
}
