// The words of a text, as keywords, languages and trained models see them: lower case, without
// punctuation. Scripts that are written without spaces give one word a character.

/// Words of texts.
enum Words {
  /// How many scalars of a text are read: a longer output cannot stop the night run.
  static let scalarsMax = 1 << 20

  /// The words in order. An apostrophe within a word belongs to it, straight or curved.
  static func of(_ text: String, scalarsMax: Int = scalarsMax) -> [String] {
    var words: [String] = []
    var word = String.UnicodeScalarView()
    func close() {
      while word.last == "'" { word.removeLast() }
      if !word.isEmpty { words.append(String(word)) }
      word.removeAll(keepingCapacity: true)
    }
    for scalar in text.unicodeScalars.prefix(scalarsMax) {
      if scalar.isASCII {
        switch scalar.value {
        case 0x30...0x39, 0x61...0x7A: word.append(scalar)
        case 0x41...0x5A: word.append(Unicode.Scalar(UInt8(scalar.value) + 32))
        case 0x27 where !word.isEmpty: word.append(scalar)
        default: close()
        }
      } else if scalar == "\u{2019}" {
        if !word.isEmpty { word.append("'") }
      } else if isUnspaced(scalar) {
        close()
        words.append(String(scalar))
      } else if isPartOfWord(scalar) {
        word.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
      } else {
        close()
      }
    }
    close()
    return words
  }

  /// Chinese, Japanese, Thai, Lao, Khmer and Burmese put no spaces between words.
  static func isUnspaced(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x0E00...0x0EFF, 0x1000...0x109F, 0x1780...0x17FF, 0x3005...0x3007, 0x3040...0x30FF,
      0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x3134F:
      true
    default: false
    }
  }

  private static func isPartOfWord(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
      .nonspacingMark, .spacingMark, .decimalNumber:
      true
    default: false
    }
  }
}
