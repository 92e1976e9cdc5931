// Which language is an output written in? First by its script, then, within a script that several
// languages share, by the small words that every text of some length is full of.

import Drift

/// An ISO 639-1 code, or "undetermined".
struct LanguageClassifier: Classifier {
  static let undetermined = "undetermined"

  let name: String
  let version: String

  /// Words of an output that are read.
  private static let wordsMax = 2_000
  private static let scalarsMax = 20_000

  func label(_ sample: SampleView) -> String {
    if sample.isFailed || sample.isEmpty { return SpecialLabel.error.rawValue }
    return Self.language(of: sample.output)
  }

  static func language(of text: String) -> String {
    var counts: [Script: Int] = [:]
    for scalar in text.unicodeScalars.prefix(scalarsMax) where scalar.properties.isAlphabetic {
      counts[Script(of: scalar), default: 0] += 1
    }
    // A Japanese text has more Chinese characters than kana.
    if counts[.kana, default: 0] * 10 > counts[.han, default: 0] {
      counts[.kana, default: 0] += counts.removeValue(forKey: .han) ?? 0
    }
    let most = counts.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }
    guard let most, most.key != .other else { return undetermined }
    if let only = most.key.onlyLanguage { return only }
    switch most.key {
    case .cyrillic: return byLetters(text, LanguageRules.cyrillic, otherwise: "ru")
    case .arabic: return byLetters(text, LanguageRules.arabic, otherwise: "ar")
    default: return byWords(text)
    }
  }

  /// Letters by which a language of a script is told from the others: the first list of whose
  /// letters there are enough. One name in another language is not enough.
  struct Letters: Sendable {
    var language: String
    var letters: String
    /// The least share of all letters.
    var share: Double
  }

  private static func byLetters(
    _ text: String, _ lists: [Letters], otherwise: String
  ) -> String {
    var counts: [Unicode.Scalar: Int] = [:]
    var total = 0
    for scalar in text.unicodeScalars.prefix(scalarsMax) where scalar.properties.isAlphabetic {
      for lower in scalar.properties.lowercaseMapping.unicodeScalars {
        counts[lower, default: 0] += 1
      }
      total += 1
    }
    return lists.first { list in
      let found = list.letters.unicodeScalars.reduce(0) { $0 + counts[$1, default: 0] }
      return Double(found) >= list.share * Double(total)
    }?.language ?? otherwise
  }

  /// The language whose small words weigh most: a word that several languages have counts for
  /// each by its share.
  private static func byWords(_ text: String) -> String {
    var scores: [String: Double] = [:]
    var hits: [String: Int] = [:]
    var words = 0
    for word in Words.of(text, scalarsMax: scalarsMax).prefix(wordsMax) {
      words += 1
      guard let languages = LanguageRules.byWord[word] else { continue }
      for language in languages {
        scores[language, default: 0] += 1 / Double(languages.count)
        hits[language, default: 0] += 1
      }
    }
    let ranked = scores.sorted { ($0.value, $1.key) > ($1.value, $0.key) }
    guard let best = ranked.first else { return undetermined }
    let second = ranked.count > 1 ? ranked[1].value : 0
    // One word proves nothing in a long text, and a tie proves nothing at all.
    let isEnough = hits[best.key, default: 0] >= 2 || words <= 5
    return isEnough && best.value > second * 1.15 ? best.key : undetermined
  }
}

/// Scripts that tell languages apart.
enum Script: Int, Hashable, Sendable {
  case latin, cyrillic, arabic, han, kana, hangul, greek, hebrew, devanagari, bengali, tamil,
    telugu, thai, georgian, armenian, other

  init(of scalar: Unicode.Scalar) {
    switch scalar.value {
    case 0x41...0x5A, 0x61...0x7A, 0xAA, 0xBA, 0xC0...0x24F, 0x1E00...0x1EFF: self = .latin
    case 0x370...0x3FF, 0x1F00...0x1FFF: self = .greek
    case 0x400...0x52F: self = .cyrillic
    case 0x530...0x58F: self = .armenian
    case 0x590...0x5FF: self = .hebrew
    case 0x600...0x6FF, 0x750...0x77F, 0xFB50...0xFDFF, 0xFE70...0xFEFF: self = .arabic
    case 0x900...0x97F: self = .devanagari
    case 0x980...0x9FF: self = .bengali
    case 0xB80...0xBFF: self = .tamil
    case 0xC00...0xC7F: self = .telugu
    case 0xE00...0xE7F: self = .thai
    case 0x10A0...0x10FF: self = .georgian
    case 0x1100...0x11FF, 0x3130...0x318F, 0xAC00...0xD7AF: self = .hangul
    case 0x3040...0x30FF: self = .kana
    case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x3134F: self = .han
    default: self = .other
    }
  }

  /// The language, where the script has (nearly) only one.
  var onlyLanguage: String? {
    switch self {
    case .han: "zh"
    case .kana: "ja"
    case .hangul: "ko"
    case .greek: "el"
    case .hebrew: "he"
    case .devanagari: "hi"
    case .bengali: "bn"
    case .tamil: "ta"
    case .telugu: "te"
    case .thai: "th"
    case .georgian: "ka"
    case .armenian: "hy"
    case .latin, .cyrillic, .arabic, .other: nil
    }
  }
}
