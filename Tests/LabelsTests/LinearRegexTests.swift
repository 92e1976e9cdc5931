// The regular expressions: what they match, what they refuse, and that no text makes them slow.

import Foundation
import TestSupport
import Testing

@testable import Labels

@Suite struct LinearRegexTests {
  private func find(
    _ pattern: String, _ text: String, _ which: LinearRegex.Which = .first, group: Int = 0
  ) throws -> String? {
    let scalars = text.unicodeScalars.map(\.value)
    let match = try LinearRegex(pattern).find(which, in: scalars, group: group)
    return match?.group.map { range in
      String(String.UnicodeScalarView(scalars[range].compactMap(Unicode.Scalar.init)))
    }
  }

  @Test(arguments: [
    ("a|ab", "ab", "a"), ("a*?b", "aaab", "aaab"), ("a{2,3}", "aaaa", "aaa"),
    ("a{2,3}?", "aaaa", "aa"), ("(?i)héLLo", "xx HÉllo", "HÉllo"), ("[]a]+", "x]a", "]a"),
    ("[^\\d\\s]+", "12 ab3", "ab"), ("(?m)^b$", "a\nb\nc", "b"), ("\\bfoo\\b", "xfoo foo.", "foo"),
    ("\\p{Lu}\\p{L}+", "abc Éclair", "Éclair"), ("a{,3}", "a{,3}", "a{,3}"),
    ("(?s)a.b", "a\nb", "a\nb"), ("x\\x41\\u0042\\x{43}", "xABC", "xABC"),
    ("[a-c-]+", "-b-d", "-b-"),
    ("(?:ab)+", "xababa", "abab"), ("[^\\W_]+", "__ab_", "ab"), ("", "abc", ""),
    ("(?:^|x)y", "y", "y"), ("(?:^|x)y", "axy", "xy"), ("(?:\\A|,)b?$", "a,b", ",b"),
    ("\\Aa|b", "cb", "b"),
    ("(?:é|z)", "a é", "é"), ("a$|^b", "b", "b"), ("ﬁ", "ﬁn", "ﬁ"),
  ])
  func matches(_ pattern: String, _ text: String, _ expected: String) throws {
    #expect(try find(pattern, text) == expected)
  }

  @Test(arguments: [
    ("a.b", "a\nb"), ("^b", "ab"), ("a{2}", "ab"), ("(?i:A)b", "aB"), ("[^a]", "a"),
  ])
  func doesNotMatch(_ pattern: String, _ text: String) throws {
    #expect(try find(pattern, text) == nil)
  }

  @Test func firstAndLastMatchAndGroups() throws {
    let text = "first [Yes], on reflection [No]."
    #expect(try find(#"\[(Yes|No)\]"#, text, .first, group: 1) == "Yes")
    #expect(try find(#"\[(Yes|No)\]"#, text, .last, group: 1) == "No")
    #expect(try find("(a)|b", "b", group: 1) == nil)
    #expect(try LinearRegex("(?<year>\\d{4})-(?P<month>\\d\\d)").names == ["year": 1, "month": 2])
    #expect(try find("(?<year>\\d{4})-(\\d\\d)", "on 2026-11", group: 2) == "11")
    // Any yes counts before any no, wherever they stand: one group by one name.
    let either = "(?is)\\A(?:.*?\\b(?<label>yes)\\b|.*?\\b(?<label>no)\\b)"
    #expect(try find(either, "No. No!\nOn reflection: Yes, no.", group: 1) == "Yes")
    #expect(try find(either, "I know no yesterday", group: 1) == "no")
    #expect(try find(either, "neither", group: 1) == nil)
  }

  @Test(arguments: [
    ("(?<=a)b", "lookaround"), ("(?=a)", "lookaround"), ("(?<!a)b", "lookaround"),
    ("(a)\\1", "back-references"), ("a++", "possessive"), ("(?>a)", "atomic"), ("(a", "not closed"),
    ("a)", "unmatched"), ("[a", "not closed"), ("*a", "nothing before"), ("a**", "quantifier on"),
    ("a{3,2}", "wrong order"), ("[z-a]", "wrong order"), ("a{1001}", "above 1000"),
    ("\\y", "unknown escape"), ("\\p{Greek}", "unknown category"),
    ("((a{1000}){1000}){9}", "20,000"),
    ("\\", "backslash at the end"),
  ])
  func refusesWhatItCannotDo(_ pattern: String, _ reason: String) throws {
    let fault = #expect(throws: RegexSyntax.Fault.self) { try LinearRegex(pattern) }
    #expect(fault?.description.contains(reason) == true, "\(String(describing: fault))")
  }

  @Test(arguments: ["(a+)+$", "(a|a)*b", "(a|aa)+$", "(.*)*x", "a*a*a*a*a*a*b", "(a*)*b"])
  func hostileTextsTakeLinearTime(_ pattern: String) throws {
    let text = [UInt32](repeating: 97, count: 4_000) + [98, 99]
    let clock = ContinuousClock()
    let time = try clock.measure { _ = try LinearRegex(pattern).find(.first, in: text) }
    // Backtracking would take longer than the universe has been there.
    #expect(time < .seconds(20))
  }

  @Test func stepBudgetStopsASearchAlikeEverywhere() throws {
    let regex = try LinearRegex("a.*z|a")
    let text = [UInt32](repeating: 97, count: 4_000)
    #expect(throws: LinearRegex.Exhausted.self) {
      try regex.find(.last, in: text, stepsMax: 1_000_000)
    }
    #expect(try regex.find(.first, in: text, stepsMax: 1_000_000)?.whole == 0..<1)
  }

  @Test func agreesWithFoundationOnRandomPatterns() throws {
    var generator = SeededGenerator(seed: 7)
    let atoms = [
      "a", "b", "[ab]", ".", "(a|b)", "(?:ab|c)", "c", "(b)", "^", "$", "\\b", "(?:^|a)",
    ]
    let endings = ["", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{0,2}"]
    for _ in 0..<600 {
      let pattern = (0..<generator.int(1...4)).map { _ in
        let atom = generator.pick(atoms)
        // What repeats nothing means something else in every engine.
        let mayBeEmpty = ["^", "$", "\\b", "(?:^|a)"].contains(atom)
        return mayBeEmpty ? atom : atom + generator.pick(endings)
      }.joined()
      let text = (0..<generator.int(0...8)).map { _ in generator.pick(["a", "b", "c", " "]) }
        .joined()
      let oracle = try NSRegularExpression(pattern: pattern)
        .firstMatch(in: text, range: NSRange(location: 0, length: text.utf16.count))
      let match = try LinearRegex(pattern).find(.first, in: text.unicodeScalars.map(\.value))
      let range = match.map { NSRange(location: $0.whole.lowerBound, length: $0.whole.count) }
      #expect(range == oracle?.range, "pattern \(pattern) on \(text)")
    }
  }
}
