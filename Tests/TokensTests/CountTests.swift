// Counts that tiktoken 0.14.0 gave once, so that something is compared wherever the tests run; and
// that a text made to be slow is not.

import Testing

@testable import Tokens

@Suite struct CountTests {
  /// A text, and its count in cl100k_base and in o200k_base.
  private static let texts: [(String, Int, Int)] = [
    ("", 0, 0),
    ("a", 1, 1),
    ("Hello, world!", 4, 4),
    ("The quick brown fox jumps over the lazy dog.", 10, 10),
    ("Don't we'll THEY'RE I'VE o'clock 'ſ", 14, 11),
    ("camelCase HTTPServer XMLHttpRequest snake_case kebab-case", 10, 11),
    ("1234567890 3.14159 0x1F ²³½ Ⅷ", 21, 21),
    ("١٢٣٤٥٦ १२३४५६ １２３４", 30, 16),
    ("日本語のテキストを数える。", 13, 10),
    ("中文字符，标点。", 7, 6),
    ("русский текст и Ελληνικά", 15, 6),
    ("हिन्दी में पाठ", 12, 5),
    ("نص عربي قصير", 9, 5),
    ("한국어 문장입니다", 7, 5),
    ("ข้อความภาษาไทย", 15, 3),
    ("👍🏽 👨\u{200D}👩\u{200D}👧 🇩🇪 e\u{301} a\u{301}\u{302}b", 31, 21),
    ("ǅ ǅa ʰA Aʰ Ünï straße", 19, 17),
    ("  leading and trailing  ", 5, 5),
    ("tabs\tand\u{A0}others\u{3000}\u{2028}here", 8, 7),
    ("line\nline\r\n\r\nline\n\n  \n", 7, 6),
    ("\n\n\n", 1, 1),
    ("   \n  x", 3, 3),
    ("//\n/// --- *** ===\n", 6, 6),
    ("https://a.b/c?d=e&f#g", 11, 11),
    ("{\"role\": \"user\", \"content\": [1, 2.5, null]}", 19, 19),
    ("func count(_ text: String) -> Int {\n    return text.utf8.count // bytes\n}\n", 20, 21),
    ("<|endoftext|>", 7, 7),
    ("!!!???...", 3, 3),
    (".\u{301}\u{301} \u{301}x", 6, 6),
    ("it'ſ 'ſo", 8, 6),
    ("日本ABC日本Abc", 7, 5),
    ("\u{301}'stuff\u{301}'s", 6, 6),
  ]
  /// A text, how often it is repeated, and the two counts of that.
  private static let repeated: [(String, Int, Int, Int)] = [
    ("a", 1000, 125, 125),
    ("ab", 600, 600, 300),
    (" ", 1000, 9, 9),
    ("\n", 1000, 32, 63),
    ("日", 300, 300, 150),
    ("!", 500, 63, 32),
    ("1", 1000, 334, 334),
    ("thequickbrownfoxjumpsoverthelazydog", 30, 330, 330),
    ("abracadabra", 100, 400, 300),
    ("日本語の漢字かな", 40, 400, 240),
    ("aAbBcC", 100, 401, 301),
    ("-=+*", 100, 300, 300),
  ]

  @Test(arguments: texts)
  func countsAreTiktokens(text: String, cl100k: Int, o200k: Int) {
    #expect(Vocabulary.cl100k.count(text) == cl100k)
    #expect(Vocabulary.o200k.count(text) == o200k)
  }

  @Test(arguments: repeated)
  func countsOfRunsAreTiktokens(part: String, times: Int, cl100k: Int, o200k: Int) {
    let text = String(repeating: part, count: times)
    #expect(Vocabulary.cl100k.count(text) == cl100k)
    #expect(Vocabulary.o200k.count(text) == o200k)
  }

  @Test func everyWayToHandOverATextCountsTheSame() {
    let text = "Hello, world! 日本語"
    let bytes = Array(text.utf8)
    let vocabulary = Vocabulary.o200k
    let count = vocabulary.count(text)
    let bound = vocabulary.upperBound(ofText: text)
    #expect(vocabulary.count(bytes) == count && vocabulary.count(bytes.span) == count)
    #expect(vocabulary.count(([0] + bytes)[1...]) == count)
    #expect(bytes.withUnsafeBytes { vocabulary.count($0) } == count)
    #expect(vocabulary.count(UnsafeRawBufferPointer(start: nil, count: 0)) == 0)
    #expect(vocabulary.upperBound(ofText: bytes) == bound)
    #expect(vocabulary.upperBound(ofText: ([0] + bytes)[1...]) == bound)
    #expect(bytes.withUnsafeBytes { vocabulary.upperBound(ofText: $0) } == bound)
  }

  /// One piece of a mebibyte: by a method that searched it for each merge, hours.
  @Test(.timeLimit(.minutes(1)))
  func aMebibyteOfOneLetterEnds() {
    #expect(Vocabulary.cl100k.count([UInt8](repeating: 0x61, count: 1 << 20)) == 131_072)
  }

  /// Runs that the patterns look at again and again, for the longest text that is bounded at all.
  @Test(
    .timeLimit(.minutes(1)), arguments: [" ", "\n", "\n ", "!", "1", "A", "ʰA", "\u{301}", "'"])
  func longRunsAreBoundedSoon(part: String) {
    let count = Vocabulary.boundedTextMax / part.utf8.count - 4
    let text = "one two " + String(repeating: part, count: count / 4) + " x"
    #expect(Vocabulary.o200k.upperBound(ofText: text) <= text.utf8.count)
  }
}
