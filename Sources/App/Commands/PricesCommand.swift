// The price books: made from a table, checked, compared with a newer one, brought up to it.

import ArgumentParser
import Foundation
import Metering
import Store

struct PricesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prices", abstract: "Import, check, compare and update the price books.",
    discussion: """
      Check what is there:      leeway prices check
      See what a table changes: leeway prices diff model_prices.jsonl
      Take it:                  leeway prices update model_prices.jsonl
      """,
    subcommands: [Import.self, Check.self, Diff.self, Update.self])

  /// Where a table is from.
  struct TableOptions: ParsableArguments {
    @Argument(help: "A table of JSON Lines, one model a line, in US dollars a unit.")
    var file: String
    @Option(
      name: .customLong("provider"), parsing: .singleValue,
      help: "Only this book, as in openai; repeat it.")
    var providers: [String] = []
    @Option(help: "The first day (UTC) on which the prices hold, YYYY-MM-DD; today by default.")
    var from: String?
    @Option(help: "What the table is, for the files' headers: its name, version, address.")
    var origin: String?
    @Option(help: "The table's licence, for the files' headers.") var licence = "not stated"

    func day() throws -> CivilDate {
      guard let from else { return CivilDate(utc: Clock.now()) }
      guard let day = CivilDate(from) else {
        throw ValidationError("--from '\(from)' is no day: write YYYY-MM-DD.")
      }
      return day
    }

    /// - Parameter command: `import`, `update`.
    func origin(_ command: String, on day: CivilDate) -> PriceFileText.Origin {
      let name = URL(fileURLWithPath: file).lastPathComponent
      var words = ["leeway prices \(command) \(name)"]
      words += providers.map { "--provider \($0)" }
      if let from { words.append("--from \(from)") }
      if let origin { words.append("--origin \"\(origin)\"") }
      if licence != "not stated" { words.append("--licence \"\(licence)\"") }
      // What lands in a comment must stay on its line.
      func line(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
      }
      return PriceFileText.Origin(
        origin: line(origin ?? name), licence: line(licence),
        command: line(words.joined(separator: " ")), day: CivilDate(utc: Clock.now()))
    }
  }

  struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make price books from a table, a file a provider.",
      discussion: """
        Example:  leeway prices import model_prices.jsonl --provider openai --provider anthropic
        A table with a field that is not known is refused whole. A book that exists is not touched:
        `leeway prices update` adds to it.
        """)

    @OptionGroup var table: TableOptions
    @Option(help: "The folder that the books go to.") var out = "thresholds/prices"
    @Flag(help: "Replace books that exist, with all their old prices.") var replace = false

    func run() throws {
      let day = try table.day()
      try reportingFaults {
        let prices = try PriceTable(
          path: table.file, from: day, providers: Set(table.providers))
        let folder = PriceFolder(path: out)
        let existing = Set(folder.names).intersection(prices.books.keys).sorted()
        guard existing.isEmpty || replace else {
          throw PriceFault(
            "\(out) already has books of: \(existing.joined(separator: ", "))",
            hint:
              "Add the table's prices to them with `leeway prices update`, or replace them, and "
              + "lose their old prices, with --replace.")
        }
        let texts = try Self.texts(prices, folder, origin: table.origin("import", on: day))
        try folder.write(texts)
        report(prices)
      }
    }

    /// The files' texts, each read again and compared with what was to be written.
    static func texts(
      _ table: PriceTable, _ folder: PriceFolder, origin: PriceFileText.Origin
    ) throws(PriceFault) -> [String: String] {
      var texts: [String: String] = [:]
      for (book, models) in table.books {
        let text = PriceFileText.file(
          book: book, models: models, leftOut: table.leftOut.filter { $0.book == book },
          table: table, origin: origin)
        let read = try PriceFolder.parse(text, as: folder.file(book))
        let back = read.models.map { ($0.name, $0.entries.map(\.entry)) }
        guard SettingsName.isValid(book),
          Dictionary(back, uniquingKeysWith: { $0 + $1 }) == models.mapValues({ [$0] })
        else {
          throw PriceFault(
            "the prices of '\(book)' cannot be written so that they read back the same",
            hint: "Report this with the table; nothing was written.")
        }
        texts[book] = text
      }
      return texts
    }

    private func report(_ prices: PriceTable) {
      for (book, models) in prices.books.sorted(by: { $0.key < $1.key }) {
        Console.line("\(out)/\(book).yaml: \(models.count) models")
      }
      for reason in PriceTable.Reason.allCases {
        let left = prices.leftOut.filter { $0.reason == reason }
        if !left.isEmpty { Console.line("left out: \(left.count) that \(reason.rawValue)") }
      }
      if prices.roundedCount > 0 {
        Console.line(
          "\(prices.roundedCount) amounts were finer than a nanodollar per million units and "
            + "were rounded up to it.")
      }
      for model in prices.merged.sorted() {
        Console.line("\(model) stands there twice with different prices; the dearer holds.")
      }
    }
  }

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Validate every price book, and say what looks odd. Exit 64 if there is a fault.",
      discussion: "Example:  leeway prices check")

    @OptionGroup var policy: PolicyOptions
    @Flag(help: "Print JSON.") var json = false

    struct Row: Encodable {
      var book: String
      var models: Int
      var prices: Int
      var retired: [String]
      var warnings: [String]
    }

    func run() throws {
      let folder = PriceFolder(path: policy.thresholds + "/prices")
      let log = FaultLog()
      let today = CivilDate(utc: Clock.now())
      let rows = folder.names.map { book in
        let check = PriceCheck(folder.read(book, log: log), today: today)
        return Row(
          book: book, models: check.modelCount, prices: check.priceCount, retired: check.retired,
          warnings: check.warnings.map { "\(folder.file(book)):\($0.line): \($0.text)" })
      }
      try policy.stop(at: log.faults)
      if json { return try Console.json(rows) }
      for warning in rows.flatMap(\.warnings) { Console.error("warning: \(warning)") }
      Console.table(
        ["BOOK", "MODELS", "PRICES", "RETIRED", "WARNINGS"],
        rows.map {
          [
            $0.book, String($0.models), String($0.prices), String($0.retired.count),
            String($0.warnings.count),
          ]
        }, rightAligned: [1, 2, 3, 4])
    }
  }
}
