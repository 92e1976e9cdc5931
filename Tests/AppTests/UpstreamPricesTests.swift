// Each upstream has the books that it names, and no other is read.

import Metering
import TestSupport
import Testing

@testable import App

@Suite struct UpstreamPricesTests {
  private static func book(_ model: String, _ dollars: String) -> String {
    "\"\(model)\": { from: 2026-01-01, inputPerMillion: \(dollars), "
      + "outputPerMillion: \(dollars) }\n"
  }

  private func load(
    upstreams: String, books: [String: String], app: String = "upstream: a",
    readsAllBooks: Bool = false
  ) throws -> (Settings?, [String]) {
    try withTemporaryDirectory { directory in
      try directory.write("upstreams:\n" + upstreams, to: "gateway.yaml")
      for (name, text) in books { try directory.write(text, to: "prices/\(name).yaml") }
      try directory.write(app, to: "apps/x.yaml")
      let (settings, faults) = Settings.load(
        thresholdsDirectory: directory.path, environment: [:], at: SettingsLoadTests.now,
        readsAllBooks: readsAllBooks)
      return (settings, faults.map { $0.description.replacing(directory.path + "/", with: "") })
    }
  }

  private func dollars(_ settings: Settings?, _ upstream: String, _ model: String) -> Int64? {
    let price = settings?.prices(of: upstream).price(model: model, at: SettingsLoadTests.now)
    return price?.base[.inputUncached].map { $0 / 1_000_000_000 }
  }

  @Test func anUpstreamsBookIsItsOwnElseItsDialectsElseNone() throws {
    let (settings, faults) = try load(
      upstreams: """
          a: { dialect: openai, url: "http://a" }
          groq: { dialect: openai, url: "http://b" }
          claude: { dialect: anthropic, url: "http://c" }
          mine: { dialect: openai, url: "http://d", prices: [negotiated, openai] }
          lab: { dialect: openai, url: "http://e", prices: [] }
          eu: { dialect: openai, url: "http://f", prices: [azure/eu, azure] }
        """,
      books: [
        "openai": Self.book("m", "1") + Self.book("n", "2"), "groq": Self.book("m", "3"),
        "negotiated": Self.book("m", "4"),
        "azure": Self.book("m", "5") + Self.book("eu/m", "6") + Self.book("n", "7"),
      ])
    #expect(faults == [])
    #expect(dollars(settings, "a", "m") == 1)
    #expect(dollars(settings, "groq", "m") == 3)
    #expect(dollars(settings, "groq", "n") == nil)
    #expect(dollars(settings, "claude", "m") == nil)
    #expect(dollars(settings, "mine", "m") == 4)
    #expect(dollars(settings, "mine", "n") == 2)
    #expect(dollars(settings, "lab", "m") == nil)
    #expect(dollars(settings, "eu", "m") == 6)
    #expect(dollars(settings, "eu", "n") == 7)
    #expect(dollars(settings, "unknown", "m") == nil)
    let files = ["a", "groq", "claude", "mine", "lab", "eu"].map { settings?.prices(of: $0).file }
    #expect(
      files == [
        "thresholds/prices/openai.yaml", "thresholds/prices/groq.yaml",
        "thresholds/prices/claude.yaml", "thresholds/prices/negotiated.yaml",
        "thresholds/prices/lab.yaml", "thresholds/prices/azure.yaml",
      ])
  }

  @Test func aBookThatIsNotThereIsAFault() throws {
    let (_, faults) = try load(
      upstreams: "  a: { dialect: openai, url: \"http://a\", prices: [opnai, azure/us] }",
      books: ["openai": Self.book("m", "1")])
    #expect(
      faults == [
        "gateway.yaml:2: there is no price book 'azure' (prices/azure.yaml) — known here: openai",
        "gateway.yaml:2: there is no price book 'opnai' (prices/opnai.yaml) — "
          + "did you mean 'openai'?",
      ])
  }

  @Test func onlyTheBooksThatAreNamedAreRead() throws {
    let upstreams = "  a: { dialect: openai, url: \"http://a\" }"
    let books = ["openai": Self.book("m", "1"), "broken": "m: { from: never }"]
    let (settings, none) = try load(upstreams: upstreams, books: books)
    #expect(none == [])
    #expect(dollars(settings, "a", "m") == 1)
    let (_, faults) = try load(upstreams: upstreams, books: books, readsAllBooks: true)
    #expect(faults.contains { $0.hasPrefix("prices/broken.yaml:1: 'm.from' is 'never'") })
  }

  @Test func theAdviceNamesTheFileOfTheAppsUpstream() throws {
    let (_, faults) = try load(
      upstreams: """
          b: { dialect: openai, url: "http://b" }
          a: { dialect: openai, url: "http://a", prices: [negotiated, openai] }
        """, books: ["openai": Self.book("m", "1"), "negotiated": Self.book("n", "1")],
      app: "upstream: a\nbudgets: { day: 1 }\nmodels: [m, n, o]")
    #expect(faults.count == 1, "\(faults)")
    #expect(faults.first?.contains("add to thresholds/prices/negotiated.yaml: \"o\": {") == true)
  }
}
