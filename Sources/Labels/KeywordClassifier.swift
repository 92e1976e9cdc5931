// Labels by words and phrases: the first rule that holds names the output.

import Drift

/// A phrase, as words; its last may stand for all that begin so.
struct Phrase: Hashable, Sendable {
  let words: [String]
  let isPrefix: Bool

  /// - Parameter text: words; `*` after the last stands for any ending.
  /// - Returns: nil for a text without a word.
  init?(_ text: String) {
    isPrefix = text.hasSuffix("*")
    words = Words.of(text, splitsAtApostrophes: true)
    if words.isEmpty { return nil }
  }

  func occurs(in text: ArraySlice<String>) -> Bool {
    guard text.count >= words.count else { return false }
    for (index, word) in words.enumerated() {
      let found = text[text.startIndex + index]
      let isLast = index == words.count - 1
      guard found == word || (isLast && isPrefix && found.hasPrefix(word)) else { return false }
    }
    return true
  }
}

/// The label of the first rule whose words occur.
struct KeywordClassifier: Classifier {
  /// A rule whose phrases are numbers into the classifier's list.
  private struct Rule: Sendable {
    var label: String
    var any: [Int]
    var all: [Int]
    var not: [Int]
  }

  let name: String
  let version: String
  private let none: String
  private let rules: [Rule]
  private let phrases: [Phrase]
  /// Phrases by their first word, where it has to stand as written.
  private let byFirstWord: [String: [Int]]
  /// Phrases of one word that is a beginning.
  private let beginnings: [Int]

  /// - Throws: what is wrong with a rule, in words.
  init(name: String, version: String, rules: [KeywordRule], none: String) throws(DeclarationFault) {
    var numbers: [Phrase: Int] = [:]
    var phrases: [Phrase] = []
    func number(_ text: String) throws(DeclarationFault) -> Int {
      guard let phrase = Phrase(text) else {
        throw DeclarationFault("has the phrase '\(text)', which has no letter or digit")
      }
      if let known = numbers[phrase] { return known }
      numbers[phrase] = phrases.count
      phrases.append(phrase)
      return phrases.count - 1
    }
    var made: [Rule] = []
    for rule in rules {
      guard tidyLabel(rule.label) == rule.label else {
        throw DeclarationFault("has a rule whose label '\(rule.label)' is empty, long or reserved")
      }
      guard !rule.any.isEmpty || !rule.all.isEmpty else {
        throw DeclarationFault("has a rule for '\(rule.label)' without 'any' or 'all'")
      }
      var numbered = Rule(label: rule.label, any: [], all: [], not: [])
      for text in rule.any { numbered.any.append(try number(text)) }
      for text in rule.all { numbered.all.append(try number(text)) }
      for text in rule.not { numbered.not.append(try number(text)) }
      made.append(numbered)
    }
    guard !made.isEmpty else { throw DeclarationFault("has no rules") }
    guard isDeclarable(none) else { throw DeclarationFault.none(none) }
    self.name = name
    self.version = version
    self.none = none
    self.rules = made
    self.phrases = phrases
    let single = phrases.indices.filter { phrases[$0].isPrefix && phrases[$0].words.count == 1 }
    beginnings = single
    byFirstWord = Dictionary(
      grouping: phrases.indices.filter { !single.contains($0) }, by: { phrases[$0].words[0] })
  }

  func label(_ sample: SampleView) -> String {
    if sample.isFailed || sample.isEmpty { return SpecialLabel.error.rawValue }
    let words = Words.of(sample.output, splitsAtApostrophes: true)
    var occurs = [Bool](repeating: false, count: phrases.count)
    for (index, word) in words.enumerated() {
      for number in byFirstWord[word] ?? [] where !occurs[number] {
        occurs[number] = phrases[number].occurs(in: words[index...])
      }
      for number in beginnings where !occurs[number] {
        occurs[number] = word.hasPrefix(phrases[number].words[0])
      }
    }
    let first = rules.first { rule in
      (rule.any.isEmpty || rule.any.contains { occurs[$0] })
        && rule.all.allSatisfy { occurs[$0] } && !rule.not.contains { occurs[$0] }
    }
    return first?.label ?? none
  }
}
