// What a newer table would change, what last week would have cost at it, and taking it.

import ArgumentParser
import Foundation
import Metering
import Store

extension PricesCommand {
  struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show what a table would change, and what last week would have cost at it.",
      discussion: "Example:  leeway prices diff model_prices.jsonl --provider openai")

    @OptionGroup var policy: PolicyOptions
    @OptionGroup var table: TableOptions
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
      let settings = try policy.load()
      let day = try table.day()
      try reportingFaults {
        let report = try PriceReport(settings, policy, table, from: day)
        if json { try Console.json(report.encoded) } else { report.print() }
      }
    }
  }

  struct Update: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add a table's prices to the books that there are, from today on.",
      discussion: """
        Example:  leeway prices update model_prices.jsonl --provider openai
        Old prices stay, so that old calls keep them. A malformed or partial table is refused whole,
        and either every book is written or none. A running gateway reads them when it starts.
        """)

    @OptionGroup var policy: PolicyOptions
    @OptionGroup var table: TableOptions
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
      let settings = try policy.load()
      let day = try table.day()
      try reportingFaults {
        let report = try PriceReport(settings, policy, table, from: day)
        let texts = try report.update.texts(origin: table.origin("update", on: day))
        try report.folder.write(texts)
        if json { return try Console.json(report.encoded) }
        report.print()
        Console.line(
          texts.isEmpty
            ? "Nothing to write."
            : "Wrote \(texts.keys.sorted().map { report.folder.file($0) }.joined(separator: ", "))."
        )
      }
    }
  }
}

/// An update and what it would have meant for last week's calls.
struct PriceReport {
  let update: PriceUpdate
  let folder: PriceFolder
  private(set) var backcast: PriceBackcast

  /// The span of calls that are priced again.
  private static let spanMilliseconds: Int64 = 7 * 86_400_000

  init(
    _ settings: Settings, _ policy: PolicyOptions, _ options: PricesCommand.TableOptions,
    from day: CivilDate
  ) throws {
    folder = PriceFolder(path: policy.thresholds + "/prices")
    let providers = Set(options.providers)
    let table = try PriceTable(path: options.file, from: day, providers: providers)
    update = try PriceUpdate(table: table, folder: folder, providers: providers, from: day)
    var old = UpstreamPrices()
    let log = FaultLog()
    old.read(settings.gateway.upstreams.flatMap(\.prices)) { [folder] name in
      SettingsFile.read(folder.file(name), shown: folder.file(name), log: log)
    }
    let new = UpstreamPrices(books: update.books(beside: old.books))
    let now = Clock.now()
    func byUpstream(_ prices: UpstreamPrices) -> [String: PriceBook] {
      Dictionary(
        settings.gateway.upstreams.map { ($0.name, prices.prices(of: $0)) },
        uniquingKeysWith: { first, _ in first })
    }
    var backcast = PriceBackcast(
      old: byUpstream(old), new: byUpstream(new), at: max(now, day.start))
    let store = try Installation.openStore(settings.gateway)
    try store.forEachChargedCall(
      since: now.adding(milliseconds: -Self.spanMilliseconds), until: now.adding(milliseconds: 1)
    ) { backcast.add($0) }
    self.backcast = backcast
  }

  func print() {
    for diff in update.diffs {
      Console.line(
        "\(diff.book): \(diff.changed.count) changed, \(diff.new.count) new, "
          + "\(diff.vanished.count) no longer in the table, \(diff.unchangedCount) unchanged")
      for change in diff.changed {
        Console.line("  \(change.model)")
        for text in change.rates.map(\.text) + change.limits { Console.line("    \(text)") }
      }
      for model in diff.new.keys.sorted() { Console.line("  new: \(model)") }
      for model in diff.vanished { Console.line("  no longer in the table: \(model)") }
    }
    if !update.absent.isEmpty {
      Console.line(
        "Not among your books, and left alone: \(update.absent.joined(separator: ", "))")
    }
    printBackcast()
  }

  private func printBackcast() {
    guard !backcast.changed.isEmpty else {
      Console.line(
        "Last week's \(backcast.others.calls) calls ($\(backcast.others.charged.dollarsText)) "
          + "would have cost the same.")
      return
    }
    Console.line("Last week's calls of these models:")
    PricedCalls.table(backcast.changed, at: "AT NEW PRICES")
    Console.line(
      "All other calls: \(backcast.others.calls), $\(backcast.others.charged.dollarsText), at "
        + "unchanged prices.")
  }

  // MARK: - JSON

  struct Encoded: Encodable {
    struct Book: Encodable {
      var book: String
      var changed: [Change]
      var new: [String]
      var vanished: [String]
      var unchanged: Int
    }

    struct Change: Encodable {
      var model: String
      var rates: [Rate]
      var limits: [String]
    }

    /// Nanodollars per million units; seconds are counted in milliseconds.
    struct Rate: Encodable {
      var serviceTier: String
      var aboveInputTokens: Int64
      var bucket: String
      var old: Int64?
      var new: Int64?
    }

    var table: String
    var sha256: String
    var from: String
    var books: [Book]
    var absent: [String]
    var lastWeek: [PricedCalls.Encoded]
    var lastWeekUnchanged: PricedCalls.Encoded
  }

  var encoded: Encoded {
    let books = update.diffs.map { diff in
      Encoded.Book(
        book: diff.book,
        changed: diff.changed.map { change in
          Encoded.Change(
            model: change.model,
            rates: change.rates.map {
              Encoded.Rate(
                serviceTier: $0.place.serviceTier, aboveInputTokens: $0.place.aboveInputTokens,
                bucket: $0.bucket.name, old: $0.old, new: $0.new)
            }, limits: change.limits)
        }, new: diff.new.keys.sorted(), vanished: diff.vanished, unchanged: diff.unchangedCount)
    }
    return Encoded(
      table: update.table.name, sha256: update.table.sha256, from: "\(update.day)", books: books,
      absent: update.absent,
      lastWeek: PricedCalls.encoded(backcast.changed),
      lastWeekUnchanged: PricedCalls.Encoded("", "", backcast.others))
  }
}
