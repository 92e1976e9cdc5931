// A table beside the books that there are: what it would change, and the books' texts with it.
//
// Refused whole where the table is malformed or looks partial: a book of which more than half is
// missing is a broken download far more often than a provider that gave up half its models.

import Foundation
import Metering

/// An update of the books, worked out and not yet written.
struct PriceUpdate {
  let table: PriceTable
  let day: CivilDate
  /// By book, sorted.
  private(set) var diffs: [PriceDiff] = []
  /// Books of the table that are not among the files; they are left alone.
  private(set) var absent: [String] = []
  private let folder: PriceFolder
  private var files: [String: PriceFile] = [:]

  /// - Parameter providers: only these books; empty: every book that there is.
  init(table: PriceTable, folder: PriceFolder, providers: Set<String>, from day: CivilDate)
    throws(PriceFault)
  {
    self.table = table
    self.day = day
    self.folder = folder
    let names = folder.names
    absent = table.books.keys.filter { !names.contains($0) }.sorted()
    for book in names where providers.isEmpty || providers.contains(book) {
      let text = try folder.text(of: book)
      guard let prices = table.books[book] else {
        guard !text.contains("\n# Imported ") else {
          throw Self.partial(book, "has no price of it", table)
        }
        continue
      }
      let file = try PriceFolder.parse(text, as: folder.file(book))
      guard prices.count * 2 >= file.models.count else {
        throw Self.partial(
          book, "has \(prices.count) models of it, the book has \(file.models.count)", table)
      }
      files[book] = file
      diffs.append(PriceDiff(book: book, file: file, prices: prices, from: day))
    }
  }

  private static func partial(_ book: String, _ what: String, _ table: PriceTable) -> PriceFault {
    PriceFault(
      "\(table.name) looks partial: it \(what) (book '\(book)'); nothing was changed",
      hint: "Take the whole table, or name the books that it is for with --provider.")
  }

  /// The books with the table's prices in them, as they would be read.
  ///
  /// - Parameter others: books that the update does not touch, by name.
  func books(beside others: [String: PriceBook]) -> [String: PriceBook] {
    var books = others
    for diff in diffs {
      guard var book = files[diff.book]?.book() else { continue }
      for (model, entry) in diff.additions { book.add(entry.price, model: model) }
      books[diff.book] = book
    }
    return books
  }

  /// The new texts of the books that change, each read again: what stood there still stands, and
  /// what was to be added is there.
  func texts(origin: PriceFileText.Origin) throws(PriceFault) -> [String: String] {
    var texts: [String: String] = [:]
    for diff in diffs where !diff.isEmpty {
      let file = folder.file(diff.book)
      try checkDays(of: diff, file)
      var edit = PriceFileEdit(text: try folder.text(of: diff.book), file: file)
      let counts = "\(diff.changed.count) changed, \(diff.new.count) new"
      try edit.add(
        diff.additions,
        provenance: PriceFileText.provenance("Updated", table, origin, counts))
      let after = try PriceFolder.parse(edit.text, as: file)
      try compare(files[diff.book], with: after, diff, file)
      texts[diff.book] = edit.text
    }
    return texts
  }

  /// A price that is in the file is never edited, also not on the day on which it came there.
  private func checkDays(of diff: PriceDiff, _ file: String) throws(PriceFault) {
    for model in files[diff.book]?.models ?? [] where diff.additions[model.name] != nil {
      guard model.entries.allSatisfy({ $0.entry.from != day }) else {
        throw PriceFault(
          "\(file): '\(model.name)' already has a price from \(day), which is never edited; "
            + "nothing was written", hint: "Let the new one begin on another day, with --from.")
      }
    }
  }

  private func compare(
    _ before: PriceFile?, with after: PriceFile, _ diff: PriceDiff, _ file: String
  ) throws(PriceFault) {
    var expected: [String: Set<PriceEntry>] = [:]
    for model in before?.models ?? [] { expected[model.name] = Set(model.entries.map(\.entry)) }
    for (model, entry) in diff.additions { expected[model, default: []].insert(entry) }
    let found = after.models.map { ($0.name, Set($0.entries.map(\.entry))) }
    guard Dictionary(found, uniquingKeysWith: { $0.union($1) }) == expected else {
      throw PriceFault(
        "\(file) has a form that cannot be added to; nothing was written",
        hint: "Write each price on a line of its own, `- { from: …, … }`, and try again.")
    }
  }
}
