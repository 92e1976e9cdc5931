// What a report looks like to a browser, a program and a terminal, with hostile content in it.

import Analyzer
import Foundation
import Testing

@Suite struct ReportTests {
  private static let hostile =
    "<script>alert(1)</script> <img src=x onerror=\"x\"> "
    + "<\u{301}b> \"\u{301} '\u{301} {{name}} | `x` "
    + "\u{202E}gnp.exe \u{1B}[31m"

  private func files() throws -> (html: String, json: String, markdown: String) {
    let fixture = try NightFixture()
    var policy = NightFixture.policy(pattern: #"(?s)\[(.*)\]"#)
    policy.owner = Self.hostile
    try fixture.pinUsual(policy)
    let key = "sk-proj-" + String(repeating: "aB3dE6gH", count: 6)
    try fixture.add((0..<100).map { "[\(Self.hostile)] \(key) \($0)" }, on: NightFixture.night)
    try fixture.run().run(NightFixture.night, policies: [policy], at: fixture.now)
    let files = try fixture.files()
    func text(_ name: String) throws -> String {
      String(decoding: try #require(files[name]), as: UTF8.self)
    }
    return (try text("support.html"), try text("support.json"), try text("support.md"))
  }

  @Test func hostileOutputsStayText() throws {
    let (html, json, markdown) = try files()
    let body = html.components(separatedBy: "</style>").last ?? ""
    for text in [body, markdown] {
      #expect(!text.contains("<script"))
      #expect(!text.contains("<img"))
      #expect(!text.unicodeScalars.contains("\u{202E}"))
      #expect(!text.unicodeScalars.contains("\u{1B}"))
      #expect(text.contains("{{name}}"))
    }
    // By scalars: a "<" with an accent is another character to a string, not to a browser.
    let scalars = Array(body.unicodeScalars)
    for index in scalars.indices.dropLast() where scalars[index] == "<" {
      let next = scalars[index + 1]
      #expect(next == "/" || next.properties.isAlphabetic, "a bare '<' before \(next)")
    }
    for text in [html, json, markdown] { #expect(!text.contains("sk-proj-aB3dE6gH")) }
  }

  @Test func pageNeedsNothingButItself() throws {
    let html = try files().html
    for outside in ["http://", "https://", "src=", "<script", "<link", "@import", "url("] {
      let body = html.replacing("src=x onerror", with: "")
      #expect(!body.contains(outside), "\(outside)")
    }
    #expect(html.hasPrefix("<!doctype html>"))
    #expect(html.contains("prefers-color-scheme: dark"))
    #expect(html.contains("width=device-width"))
  }

  @Test func jsonHasItsKeysByTheirExactNames() throws {
    let json = try files().json
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
    #expect(
      Set(object.keys).isSuperset(of: [
        "app", "owner", "night", "verdict", "headline", "next", "baseline", "period",
        "family_size", "false_discovery_rate", "classifiers", "format",
      ]))
    let part = try #require((object["classifiers"] as? [[String: Any]])?.first)
    for key in [
      "name", "version", "verdict", "counts", "psi", "js_distance", "total_variation",
      "chi_square", "degrees_of_freedom", "p_asymptotic", "p_value", "p_method", "p_adjusted",
      "wobble", "seed", "shifts", "baseline_outputs", "period_outputs", "explanation", "coverage",
    ] {
      #expect(part[key] != nil, "\(key)")
    }
    let counts = try #require(part["counts"] as? [String: [String: Int]])
    #expect(counts["billing"] == ["baseline": 900, "period": 0])
    #expect((part["seed"] as? String)?.count == 16)
  }

  @Test func labelsKeepTheirSpellingInJSON() throws {
    let fixture = try NightFixture()
    let policy = NightFixture.policy(pattern: #"\[(.*)\]"#)
    for day in 0...1 {
      try fixture.add(
        ["[camelCase]", "[snake_case]", "[A B]"], on: NightFixture.night.adding(days: -day))
    }
    let baseline = try pinBaseline(
      name: "good", reason: "a test", policy: policy, conditions: [],
      until: NightFixture.night.start(in: .gmt), zone: .gmt, at: fixture.now, in: fixture.store)
    try fixture.baselines.save(baseline)
    let summary = try fixture.run().run(NightFixture.night, policies: [policy], at: fixture.now)
    let json = String(decoding: try only(summary).json(), as: UTF8.self)
    for label in ["\"camelCase\"", "\"snake_case\"", "\"A B\""] { #expect(json.contains(label)) }
  }

  @Test func tableForATerminalObeysNobody() throws {
    let fixture = try NightFixture()
    let policy = NightFixture.policy(pattern: #"(?s)\[(.*)\]"#)
    try fixture.pinUsual(policy)
    try fixture.add((0..<100).map { "[\u{1B}[31mred \($0 / 50)]" }, on: NightFixture.night)
    let summary = try fixture.run().run(NightFixture.night, policies: [policy], at: fixture.now)
    let table = ReportText.table(try only(summary))
    #expect(!table.unicodeScalars.contains("\u{1B}"))
    #expect(table.contains("PSI"))
    #expect(table.contains("billing"))
    #expect(table.contains("900 (90.0\u{A0}%)"))
  }
}
