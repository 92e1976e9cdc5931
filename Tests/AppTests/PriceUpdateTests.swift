// Updates add dated prices, leave every old one as it is, and are taken whole or not at all.

import Foundation
import Metering
import Store
import TestSupport
import Testing

@testable import App

@Suite struct PriceUpdateTests {
  private static let day = CivilDate(daysSinceEpoch: 20_784)
  private static let origin = PriceFileText.Origin(
    origin: "test", licence: "none", command: "leeway prices update t.jsonl", day: day)

  private static func fields(_ input: String, _ output: String = "8e-06") -> String {
    "\"input_cost_per_token\": \(input), \"output_cost_per_token\": \(output)"
  }

  /// The texts that an update would write, by book.
  private func texts(
    books: [String: String], rows: [String], providers: Set<String> = []
  ) throws -> [String: String] {
    try withTemporaryDirectory { directory in
      for (name, text) in books { try directory.write(text, to: "prices/\(name).yaml") }
      let file = try directory.write(rows.joined(separator: "\n") + "\n", to: "t.jsonl")
      let table = try PriceTable(path: file, from: Self.day, providers: providers)
      let update = try PriceUpdate(
        table: table, folder: PriceFolder(path: directory.path("prices")), providers: providers,
        from: Self.day)
      return try update.texts(origin: Self.origin)
    }
  }

  private func message(books: [String: String], rows: [String], providers: Set<String> = [])
    -> String
  {
    do { _ = try texts(books: books, rows: rows, providers: providers) } catch { return "\(error)" }
    return ""
  }

  @Test(arguments: [
    // As imports write it.
    ("\"m\":\n- { from: 2026-01-01, inputPerMillion: 2, outputPerMillion: 8 } # old\n", "- {"),
    // A mapping of a line a key.
    (
      "m:\n  # said by hand\n  from: 2026-01-01\n  inputPerMillion: \"2\"\n\n"
        + "  outputPerMillion: 8\n",
      "  - {"
    ),
    ("m: { from: 2026-01-01, inputPerMillion: 2, outputPerMillion: 8 }\n", "  - {"),
    ("m: {\n    from: 2026-01-01, inputPerMillion: 2,\n    outputPerMillion: 8\n  }\n", "  - {"),
    (
      "m:\n    - { from: 2025-01-01, inputPerMillion: 9, outputPerMillion: 9 }\n"
        + "    - from: 2026-01-01\n      inputPerMillion: 2\n      outputPerMillion: 8",
      "    - {"
    ),
  ])
  func aNewPriceStandsBelowTheOldOnes(book: String, starts: String) throws {
    let header = "# A header.\n#\n# Imported 2026-01-01 from x:\n#   SHA-256 1\n#\n# More.\n\n"
    let rest =
      "\n# About n.\nn: { from: 2026-01-01, inputPerMillion: 1, outputPerMillion: 8 } # kept\n"
    let text = header + book + rest
    let rows = [
      PriceTableTests.row("m", Self.fields("1e-06")),
      PriceTableTests.row("n", Self.fields("1e-06")),
      PriceTableTests.row("z", Self.fields("4e-06")),
    ]
    let new = try #require(try texts(books: ["openai": text], rows: rows)["openai"])
    #expect(
      new.hasPrefix("# A header.\n#\n# Imported 2026-01-01 from x:\n#   SHA-256 1\n# Updated "))
    #expect(new.contains("from t.jsonl, 1 changed, 1 new:\n#   SHA-256 "))
    #expect(
      new.contains(
        "\n# About n.\nn: { from: 2026-01-01, inputPerMillion: 1, outputPerMillion: 8 } # kept\n"))
    #expect(
      new.contains(
        "\n\(starts) from: 2026-11-27, inputPerMillion: \"1.00\", outputPerMillion: \"8.00\" }\n"))
    #expect(
      new.hasSuffix(
        "\"z\":\n- { from: 2026-11-27, inputPerMillion: \"4.00\", outputPerMillion: \"8.00\" }\n"))
    for comment in ["# old", "# said by hand"] where text.contains(comment) {
      #expect(new.contains(comment))
    }
    let (before, _) = PriceFileTests.read(text)
    let (after, faults) = PriceFileTests.read(new)
    #expect(faults == [])
    #expect(after.models.map(\.name) == ["m", "n", "z"])
    let old = before.models[0].entries.map(\.entry)
    #expect(after.models[0].entries.map(\.entry).dropLast() == old[...])
    // A file with line ends of Windows keeps them.
    let windows = try texts(
      books: ["openai": text.replacing("\n", with: "\r\n")], rows: rows)["openai"]
    #expect(windows == new.replacing("\n", with: "\r\n"))
  }

  /// Where the parser sees other lines, nothing is added by its places.
  @Test(arguments: ["\r", "\u{85}"])
  func aFileWithOddLineEndsIsRefused(end: String) {
    let price = "{ from: 2026-01-01, inputPerMillion: 2, outputPerMillion: 8 }"
    let said = message(
      books: ["openai": "m: \(price)\(end)n: \(price)\n"],
      rows: [
        PriceTableTests.row("m", Self.fields("1e-06")),
        PriceTableTests.row("n", Self.fields("1e-06")),
      ])
    #expect(said.contains("line ends"), "\(said)")
  }

  /// Places are counted in characters of the code, not in bytes.
  @Test func aNameMayHoldAnyLetters() throws {
    let book = #""é🌊": { from: 2026-01-01, inputPerMillion: 2, outputPerMillion: 8 }"# + "\n"
    let new = try texts(
      books: ["openai": book], rows: [PriceTableTests.row("é🌊", Self.fields("1e-06"))])
    #expect(new["openai"]?.contains("\"é🌊\":\n  - { from: 2026-01-01, inputPer") == true)
  }

  /// What no field of a table says was said by hand, and stays.
  @Test func aRateThatNoTableSaysIsKept() throws {
    let book =
      "m: { from: 2026-01-01, inputPerMillion: 2, outputPerMillion: 8, "
      + "cacheWrite30mPerMillion: 3, webSearchesPerThousand: 5 }\n"
    let new = try texts(
      books: ["openai": book], rows: [PriceTableTests.row("m", Self.fields("1e-06"))])
    #expect(
      new["openai"]?.contains(
        "  - { from: 2026-11-27, inputPerMillion: \"1.00\", cacheWrite30mPerMillion: \"3.00\", "
          + "outputPerMillion: \"8.00\" }\n") == true, "\(new)")
  }

  @Test func oldPricesOfRandomBooksStay() throws {
    try checkProperty("old prices stay", runs: 40, countMax: 6, generate: PriceFileTests.entry) {
      entries in
      var text = "# A book.\n\n"
      for (index, entry) in entries.enumerated() {
        text += PriceFileText.key("m\(index)") + ":\n" + PriceFileText.line(entry, indent: "  ")
      }
      var edit = PriceFileEdit(text: text, file: "p.yaml")
      // From a day that none of them can have.
      let new = entries.enumerated().map { ("m\($0.offset)", $0.element.beginning(Self.far)) }
      let extra = [("x: \"y\"", PriceEntry(from: Self.far, base: Rates(input: 1, output: 2)))]
      try edit.add(Dictionary(uniqueKeysWithValues: new + extra), provenance: "# Updated: all")
      let (file, faults) = PriceFileTests.read(edit.text)
      try require(faults.isEmpty, "\(faults)")
      let found = file.models.map { $0.entries.map(\.entry) }
      let expected = entries.map { [$0, $0.beginning(Self.far)] } + [[extra[0].1]]
      try require(found == expected, edit.text)
      try require(edit.text.contains("# Updated: all\n"), edit.text)
    }
  }

  private static let far = CivilDate(daysSinceEpoch: 50_000)

  @Test func theDiffSaysWhatACallWouldMeet() throws {
    let (file, _) = PriceFileTests.read(
      """
      m: { from: 2026-01-01, inputPerMillion: 2, cacheReadPerMillion: 1, outputPerMillion: 8,
           serviceTiers: { flex: { inputPerMillion: 1 } } }
      same: { from: 2026-01-01, inputPerMillion: 2, outputPerMillion: 8, retires: 2026-06-01 }
      gone: { from: 2026-01-01, inputPerMillion: 2, outputPerMillion: 8 }
      """)
    let table = try PriceTableTests.table([
      PriceTableTests.row(
        "m",
        Self.fields("3e-06") + ", \"cache_read_input_token_cost\": 1e-06, "
          + "\"input_cost_per_token_above_200k_tokens\": 6e-06, \"input_cost_per_second\": 0.0001, "
          + "\"max_output_tokens\": 500"),
      PriceTableTests.row("same", Self.fields("2e-06")),
      PriceTableTests.row("new", Self.fields("2e-06")),
    ])
    let diff = PriceDiff(
      book: "openai", file: file, prices: try #require(table.books["openai"]), from: Self.day)
    #expect(diff.changed.map(\.model) == ["m"])
    #expect(diff.vanished == ["gone"])
    #expect(diff.new.keys.sorted() == ["new"])
    #expect(diff.unchangedCount == 1)
    #expect(
      diff.changed.first?.rates.map(\.text) == [
        "input_uncached $2.00 → $3.00 per million",
        "audio_in_ms no price → $0.0001 per second",
        "above 200000 input tokens: input_uncached $2.00 → $6.00 per million",
        // The tier is gone: its calls cost what plain ones cost.
        "flex: input_uncached $1.00 → $3.00 per million",
      ])
    #expect(diff.changed.first?.limits == ["outputTokensMax not stated → 500"])
    #expect(diff.additions.values.allSatisfy { $0.from == Self.day })
  }

  @Test func aPartialTableIsRefusedWhole() throws {
    let three = (1...3).map {
      "m\($0): { from: 2026-01-01, inputPerMillion: 2, outputPerMillion: 8 }\n"
    }
    .joined()
    let one = [PriceTableTests.row("m1", Self.fields("1e-06"))]
    #expect(
      message(books: ["openai": three], rows: one).contains(
        "it has 1 models of it, the book has 3 (book 'openai'); nothing was changed"))
    let two = one + [PriceTableTests.row("m2", Self.fields("1e-06"))]
    #expect(message(books: ["openai": three], rows: two) == "")
    // A book that was imported once and is missing altogether; one that somebody wrote is not.
    let groq = "# Groq.\n# Imported 2026-01-01 from t\n" + three
    #expect(message(books: ["openai": three, "groq": groq], rows: two).contains("book 'groq'"))
    #expect(message(books: ["openai": three, "mine": three], rows: two) == "")
    #expect(
      message(books: ["openai": three, "groq": groq], rows: two, providers: ["openai"]) == "")
  }

  @Test func aPriceOfTheSameDayIsNeverEdited() {
    let book = "m: { from: 2026-11-27, inputPerMillion: 2, outputPerMillion: 8 }\n"
    #expect(
      message(books: ["openai": book], rows: [PriceTableTests.row("m", Self.fields("1e-06"))])
        .contains("'m' already has a price from 2026-11-27, which is never edited"))
    #expect(
      message(books: ["openai": book], rows: [PriceTableTests.row("m", Self.fields("2e-06"))]) == ""
    )
  }

  @Test func aFormThatCannotBeAddedToIsSaid() {
    let book = "m: [{ from: 2026-01-01, inputPerMillion: 2, outputPerMillion: 8 }]\n"
    #expect(
      message(books: ["openai": book], rows: [PriceTableTests.row("m", Self.fields("1e-06"))])
        .contains("stands in a form that cannot be added to"))
  }

  @Test func allBooksAreWrittenOrNone() throws {
    try withTemporaryDirectory { directory in
      try directory.write("old a", to: "prices/a.yaml")
      // A folder where the last file should go: it cannot take its name.
      try directory.write("x", to: "prices/z.yaml/inside")
      let folder = PriceFolder(path: directory.path("prices"))
      #expect(throws: PriceFault.self) {
        try folder.write(["a": "new a", "b": "new b", "z": "new z"])
      }
      #expect(try folder.text(of: "a") == "old a")
      let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      #expect(left == ["a.yaml", "z.yaml"])
      try folder.write(["a": "new a", "b": "new b"])
      #expect(try folder.text(of: "a") == "new a")
      #expect(try folder.text(of: "b") == "new b")
    }
  }

  @Test func anImportReadsBackAsTheTable() throws {
    let table = try PriceTableTests.table([
      PriceTableTests.row("m", Self.fields("1e-06")),
      PriceTableTests.row("ft:m", provider: "groq", Self.fields("1e-06")),
      PriceTableTests.row("z", Self.fields("0", "0")),
    ])
    let texts = try PricesCommand.Import.texts(
      table, PriceFolder(path: "prices"), origin: Self.origin)
    #expect(texts.keys.sorted() == ["groq", "openai"])
    let text = try #require(texts["openai"])
    #expect(text.contains("# Origin: test. Licence: none."))
    #expect(
      text.contains("# Imported 2026-11-27 from t.jsonl, 1 models:\n#   SHA-256 \(table.sha256)\n"))
    #expect(
      text.contains("# Left out: 1 that cost nothing, which may mean that nobody knows:\n#   z\n"))
    #expect(texts["groq"]?.contains("Left out") == false)
  }
}
