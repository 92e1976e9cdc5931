// Random texts in which the tokenizers' patterns meet: scripts, cases, marks, digits, apostrophes,
// spaces of every kind, and what comes of their neighbourhood.

import TestSupport

@testable import Tokens

enum RandomText {
  private static let words: [String] = [
    "the of and don't I'LL we've they'RE Hello WORLD camelCase HTTPServer naïve straße Ünï",
    "日本語 中文字漢 русский Ελληνικά हिन्दी العربية 한국어 ไทย 👍🏽 👨‍👩‍👧 'ſ 'S 's 'd 'm 't 'll",
    "'vE 're 'r 'l ' \" ``` https://a.b/c?d=e&f 12345 3.14159 0x1F ²³ ½ ١٢٣٤ Ⅷ １２３４ ==",
    "/// //\n --- *** \u{301} \u{301}\u{302} a\u{301} ǅ ǅa ʰ ʰA Aʰ ـ {\"role\":\"user\"}",
    "stuff tuff 1 a A ! / tokenization",
  ].flatMap { $0.unicodeScalars.split(separator: " ").map { String($0) } }
  private static let spaces = [
    " ", "  ", "\n", "\r\n", "\t", "\u{A0}", "\u{3000}", "\u{85}", "\u{2028}", "   ", "\n\n",
    " \n", "\n ",
  ]
  private static let repeated = Array("abcxyzABCXYZ'/ \n\r.,!1' 日é٣").map(String.init)

  /// Whether every version of Unicode that matters gives the scalar the same class.
  static func isSettled(_ scalar: Unicode.Scalar) -> Bool {
    !CharacterClass(scalar).has(.unsettled)
  }

  /// A settled scalar, those of the lower planes more often.
  static func scalar(_ generator: inout SeededGenerator) -> String {
    while true {
      let most: UInt32 = generator.pick([0x7F, 0x24F, 0x2FFF, 0xFFFF, 0x1FFFF])
      if let scalar = Unicode.Scalar(generator.int(0...most)), isSettled(scalar) {
        return String(scalar)
      }
    }
  }

  /// A piece of text: a word, space, a run of one character, or some scalar.
  static func part(_ generator: inout SeededGenerator) -> String {
    switch generator.int(0...9) {
    case 0...3: return generator.pick(words)
    case 4...5: return generator.pick(spaces)
    case 6:
      let count = generator.chance(0.1) ? generator.int(1...300) : generator.int(1...9)
      return String(repeating: generator.pick(repeated), count: count)
    default: return scalar(&generator)
    }
  }

  /// A text of up to `partsMax` parts.
  static func text(_ generator: inout SeededGenerator, partsMax: Int) -> String {
    let count = generator.int(0...partsMax)
    return (0..<count).map { _ in part(&generator) }.joined()
  }
}
