// The bound holds wherever a text stands, and is near the count for ordinary text.

import Foundation
import TestSupport
import Testing

@testable import Tokens

@Suite struct UpperBoundTests {
  private static let encodings: [TokenEncoding] = [.cl100k, .o200k]
  /// Few, so that cuts fall in the midst of everything that spans them.
  private static let fragments = [
    "'", "s", "S", "ll", "re", "tuff", "stuff", "A", "Ab", "aB", "1", "12", "1234567", " ", "  ",
    "\n", "\r\n", "\t", "/", "//", "!", "?!", "\u{301}", "日", "日本", "١٢", "ſ",
    " the", " of", "word", ".", "\u{A0}", "\u{1}", "\u{1FAE9}", "\u{295}", "11", "२०७२०७२०७२०७",
    // One token each, and several more behind "'", "!" or a space.
    "VertexAttribArray", "toHaveBeenCalledWith", "departureday", "_tolerance", "_TOOLTIP",
    "+-+-+-+-+-+-+-+-", "────────────────", "abcdefghijklmnopqrstuvwxyz",
  ]
  /// Whole special tokens and their halves.
  private static let specials = [
    "<|endoftext|>", "<|", "|>", "<", ">", "|", "<|endof", "text|>", "|endoftext|>", "<|fim_prefix",
    "<|endofprompt|>", "<|fim_prefix|>", "_prefix|>", "|fim_prefix|>", "fim", "endoftext",
  ]

  @Test(arguments: encodings)
  func boundsHoldBetweenAnyNeighbours(encoding: TokenEncoding) throws {
    try checkProperty(
      "the count of texts joined is at most the sum of their bounds", runs: 1_500, countMax: 24,
      generate: { generator in
        switch generator.int(0...9) {
        // A cut.
        case 0: return "|CUT|"
        case 1...6: return generator.pick(Self.fragments)
        default: return RandomText.part(&generator)
        }
      },
      check: { parts in
        try Self.check(parts.split(separator: "|CUT|").map { $0.joined() }, encoding.vocabulary)
      })
  }

  @Test(arguments: encodings)
  func boundsHoldAroundSpecialTokens(encoding: TokenEncoding) throws {
    try checkProperty(
      "as above, special tokens read as such", runs: 1_500, countMax: 16,
      generate: { generator in
        switch generator.int(0...9) {
        case 0...1: return "|CUT|"
        case 2...4: return generator.pick(Self.specials)
        default: return generator.pick(Self.fragments)
        }
      },
      check: { parts in
        let texts = parts.split(separator: "|CUT|").map { $0.joined() }
        try Self.check(texts, encoding.vocabulary)
        let bound = texts.reduce(0) { $0 + encoding.vocabulary.upperBound(ofText: $1) }
        let count = Self.countWithSpecials(texts.joined(), encoding.vocabulary)
        try require(count <= bound, "\(count) tokens, bound \(bound), of \(texts)")
      })
  }

  /// Every text between the others counted by bytes, and all of them by their bounds; trimmed too.
  private static func check(_ texts: [String], _ vocabulary: Vocabulary) throws {
    let whole = vocabulary.count(texts.joined())
    let bounds = texts.map { vocabulary.upperBound(ofText: $0) }
    let sizes = texts.map { $0.utf8.count }
    let sum = bounds.reduce(0, +)
    try require(whole <= sum, "\(whole) tokens, bound \(sum), of \(texts)")
    for index in texts.indices {
      try require(bounds[index] <= sizes[index], "a bound above the bytes of \(texts[index])")
      let mixed = sizes.reduce(0, +) - sizes[index] + bounds[index]
      try require(whole <= mixed, "\(whole) tokens, bound \(mixed) at \(index), of \(texts)")
      var trimmed = texts
      trimmed[index] = texts[index].trimmingCharacters(
        in: .whitespacesAndNewlines.union(.controlCharacters))
      let count = vocabulary.count(trimmed.joined())
      try require(count <= mixed, "trimmed: \(count), bound \(mixed) at \(index), of \(texts)")
    }
  }

  /// The count of a server that reads special tokens in what it is given.
  private static func countWithSpecials(_ text: String, _ vocabulary: Vocabulary) -> Int {
    // By scalars: a combining mark behind ">" must not hide a token.
    let pattern = "<\\|(endoftext|fim_prefix|fim_middle|fim_suffix|endofprompt)\\|>"
    guard let expression = try? NSRegularExpression(pattern: pattern) else { return .max }
    let string = NSString(string: text)
    var count = 0
    var start = 0
    for match in expression.matches(in: text, range: NSRange(location: 0, length: string.length)) {
      let before = NSRange(location: start, length: match.range.location - start)
      count += vocabulary.count(string.substring(with: before)) + 1
      start = match.range.location + match.range.length
    }
    return count + vocabulary.count(string.substring(from: start))
  }

  /// By itself each group of three is a token; with two digits before it all groups are other ones,
  /// and of several tokens each. Counting the first and last pieces by bytes would not do.
  @Test(arguments: encodings)
  func digitsBeforeALongNumberMoveAllItsGroups(encoding: TokenEncoding) {
    let vocabulary = encoding.vocabulary
    let number = String(repeating: "२०७", count: 20)
    let text = number + " words"
    let bound = vocabulary.upperBound(ofText: text)
    for before in ["", "1", "11", "१", "a", " "] {
      #expect(vocabulary.count(before + text) <= before.utf8.count + bound)
    }
    guard encoding == .o200k else { return }
    #expect(vocabulary.count(number) == 20)
    #expect(vocabulary.count("11" + number) == 61)
  }

  @Test(arguments: [
    "x <|endoftext|> y", "plain words, but for <| here", "\u{1FAE9}\u{1FAE9} \u{1FAE9}", "", "a",
    "oneword", "  \n ", "!!! ??? ...", "日本語の文字",
  ])
  func whatIsNotCertainCountsByBytes(text: String) {
    for encoding in Self.encodings {
      #expect(encoding.vocabulary.upperBound(ofText: text) == text.utf8.count)
    }
  }

  /// What each text's bound is made of: bytes, then tokens, then bytes.
  @Test(arguments: [
    ("Hello there, world", 5 + 1 + 7),
    // A server may trim it: the place behind the newline is not used, nor that before the last
    // space.
    ("\nHello there, world", 6 + 1 + 7), ("\u{1F}1Hello there, world", 2 + 2 + 7),
    ("Hello there, world \n", 5 + 1 + 9), ("Hello there, world \u{1}", 5 + 1 + 9),
    // A special token may end in it, or begin with its last byte.
    ("|endoftext|> Hello there, world", 18 + 1 + 7), (">1 Hello there, world", 1 + 1 + 1 + 1 + 7),
    ("Hello there, 1234<", 5 + 1 + 2 + 5), ("Hello there, 1234!", 5 + 1 + 2 + 2 + 1),
    // What is young counts by bytes, up to the next certain places.
    ("Hello there, \u{1FAE9}! 1 word", 5 + 1 + 8 + 1 + 5),
    // In o200k_base "/" may go on behind a newline.
    ("Hello there\n/\n/", 5 + 1 + 4),
  ])
  func theBoundIsOfTheseParts(text: String, bound: Int) {
    for encoding in Self.encodings {
      #expect(encoding.vocabulary.upperBound(ofText: text) == bound, "\(encoding)")
    }
  }

  @Test func illFormedTextCountsByBytes() {
    let ordinary = Array("some ordinary words of a text, ".utf8)
    for wrong: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80]] {
      let text = ordinary + wrong + ordinary
      for encoding in Self.encodings {
        #expect(encoding.vocabulary.upperBound(ofText: text) == text.count)
        #expect(encoding.vocabulary.count(text) <= text.count)
      }
    }
  }

  @Test func aStretchBeyondTheLimitCountsByBytes() {
    for (length, mayMerge) in [(Vocabulary.boundedStretchMax, true), (40_000, false)] {
      let text = "Hello " + String(repeating: "a", count: length - 1) + " there"
      let bound = Vocabulary.o200k.upperBound(ofText: text)
      #expect(mayMerge ? bound < length / 4 : bound == text.utf8.count)
    }
    let long = String(repeating: "words ", count: Vocabulary.boundedTextMax / 6)
    #expect(Vocabulary.o200k.upperBound(ofText: long) < long.utf8.count / 2)
    #expect(Vocabulary.o200k.upperBound(ofText: long + long) == 2 * long.utf8.count)
  }

  @Test func aYoungScalarCostsItsNeighbourhoodOnly() {
    let words = String(repeating: "some ordinary words ", count: 50)
    for encoding in Self.encodings {
      let plain = encoding.vocabulary.upperBound(ofText: words + words)
      let bound = encoding.vocabulary.upperBound(ofText: words + "\u{1FAE9} " + words)
      #expect(bound > plain && bound < plain + 30)
    }
  }

  @Test func ordinaryTextIsBoundedNearItsCount() {
    let text = String(repeating: "Summarize the following text in 3 bullet points.\n", count: 40)
    for encoding in Self.encodings {
      let count = encoding.vocabulary.count(text)
      #expect(encoding.vocabulary.upperBound(ofText: text) <= count + 16)
    }
  }
}
