// Text in a page stays text, whatever characters it is made of.

import Markup
import Mustache
import TestSupport
import Testing

@Suite struct StrictHTMLTests {
  @Test(arguments: [
    ("<script>", "&lt;script&gt;"), ("a & b", "a &amp; b"), ("\"'", "&quot;&#39;"),
    ("two\n\tlines", "two\n\tlines"), ("\r\n", "\u{FFFD}\n"),
    ("naïve 日本 👩‍👩‍👧", "naïve 日本 👩‍👩‍👧"),
    ("\u{202E}gnp.exe", "\u{FFFD}gnp.exe"), ("\u{1B}[31m", "\u{FFFD}[31m"),
    ("\u{2067}\u{85}", "\u{FFFD}\u{FFFD}"), ("", ""),
  ])
  func textIsEscaped(_ text: String, _ html: String) {
    #expect(StrictHTML.escape(text) == html)
  }

  /// With a mark behind it a special character is another one to Swift, but not to a browser.
  @Test(arguments: ["\u{301}", "\u{FE0F}", "\u{200D}", "\u{1F3FD}", "\u{338}"])
  func aCombiningMarkHidesNothing(_ mark: String) throws {
    let template = try StrictHTML.template("<p title=\"{{text}}\">{{text}}</p>")
    let text = ["<", ">", "\"", "'", "&"].map { $0 + mark }.joined()
    let page = template.render(["text": text])
    let inside = ["&lt;", "&gt;", "&quot;", "&#39;", "&amp;"].map { $0 + mark }.joined()
    let wanted = "<p title=\"\(inside)\">\(inside)</p>"
    #expect(Array(page.unicodeScalars) == Array(wanted.unicodeScalars))
  }

  @Test func aPartialIsEscapedAsItsPageIs() throws {
    let library = MustacheLibrary(templates: [
      "page": try StrictHTML.template("{{>part}}{{text}}{{#rows}}{{>part}}{{.}}{{/rows}}"),
      "part": try StrictHTML.template("{{text}}|"),
    ])
    let page = try #require(
      library.render(["text": "<\u{301}", "rows": ["\"\u{301}"]], withTemplate: "page"))
    #expect(!page.unicodeScalars.contains("<"))
    #expect(!page.unicodeScalars.contains("\""))
  }

  @Test func noTextHasASpecialCharacterLeft() throws {
    let alphabet: [Unicode.Scalar] = [
      "<", ">", "\"", "'", "&", "a", "\u{301}", "\u{0}", "\u{202E}", "\n", "\r", "\u{1F469}",
    ]
    try checkProperty("escape", over: 0...Int64(alphabet.count - 1), runs: 300) { picks in
      let text = String(String.UnicodeScalarView(picks.map { alphabet[Int($0)] }))
      let escaped = StrictHTML.escape(text).unicodeScalars
      let isBare = escaped.contains { "<>\"'\u{0}\r\u{202E}".unicodeScalars.contains($0) }
      try require(!isBare, "\(escaped) has a bare character of \(text.debugDescription)")
      let special = text.unicodeScalars.count { "<>\"'&".unicodeScalars.contains($0) }
      try require(escaped.count { $0 == "&" } == special, "an ampersand too many or too few")
    }
  }
}
