// The words of a text, as keywords, languages and trained models see them: lower case, without
// punctuation. Scripts that are written without spaces give one word a character.

import Foundation

/// Words of texts.
enum Words {
  /// How many scalars of a text are read: a longer output cannot stop the night run.
  static let scalarsMax = 1 << 20
  /// How much of a word is kept; what is longer is none.
  private static let wordScalarsMax = 128

  /// The words in order, letters in the composed form.
  ///
  /// - Parameter splitsAtApostrophes: else an apostrophe within a word belongs to it, straight or
  ///   curved: "l'abonnement" is one word, or two.
  static func of(
    _ text: String, scalarsMax: Int = scalarsMax, splitsAtApostrophes: Bool = false
  ) -> [String] {
    var words: [String] = []
    var word = String.UnicodeScalarView()
    var length = 0
    func add(_ scalar: Unicode.Scalar) {
      length += 1
      if length <= wordScalarsMax { word.append(scalar) }
    }
    func close() {
      while word.last == "'" { word.removeLast() }
      if !word.isEmpty { words.append(String(word)) }
      word.removeAll(keepingCapacity: true)
      length = 0
    }
    for scalar in composed(text, scalarsMax: scalarsMax) {
      if scalar.isASCII {
        switch scalar.value {
        case 0x30...0x39, 0x61...0x7A: add(scalar)
        case 0x41...0x5A: add(Unicode.Scalar(UInt8(scalar.value) + 32))
        case 0x27 where !word.isEmpty && !splitsAtApostrophes: add(scalar)
        default: close()
        }
      } else if scalar == "\u{2019}", !splitsAtApostrophes {
        if !word.isEmpty { add("'") }
      } else if isUnspaced(scalar) {
        close()
        words.append(String(scalar))
      } else if isPartOfWord(scalar) {
        for lower in scalar.properties.lowercaseMapping.unicodeScalars { add(lower) }
      } else {
        close()
      }
    }
    close()
    return words
  }

  /// The same letter is not always written by the same scalars.
  private static func composed(_ text: String, scalarsMax: Int) -> String.UnicodeScalarView {
    let start = text.unicodeScalars.prefix(scalarsMax)
    guard start.contains(where: { $0.value >= 0x300 }) else {
      return String.UnicodeScalarView(start)
    }
    return String(start).precomposedStringWithCanonicalMapping.unicodeScalars
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
