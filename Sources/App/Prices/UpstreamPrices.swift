// Which books price an upstream's calls. Only those that an upstream names are read: a table of all
// providers has thousands of models.

import Metering
import Providers

/// Finds and reads the books of upstreams.
struct UpstreamPrices {
  /// Books by name.
  private(set) var books: [String: PriceBook]

  init(books: [String: PriceBook] = [:]) { self.books = books }

  /// The books of an upstream that names none: the file of its own name, else that of its dialect.
  static func defaults(upstream: String, dialect: DialectID, among names: [String]) -> [String] {
    let book = [upstream, dialect.rawValue].first { names.contains($0) }
    return book.map { [$0] } ?? []
  }

  /// The book's name in `NAME` or `NAME/PART`.
  static func book(of choice: String) -> String {
    String(choice.prefix { $0 != "/" })
  }

  /// Reads what the upstreams name.
  ///
  /// - Parameter open: a book's root; nil after a recorded fault, or where the file holds nothing.
  mutating func read(_ choices: [String], open: (String) -> SettingsMapping?) {
    for name in Set(choices.map(Self.book)).sorted() {
      // A file that holds no model yet is an empty book.
      let file = "thresholds/prices/\(name).yaml"
      var book = open(name).map { PriceFile($0).book() } ?? PriceBook()
      book.file = file
      books[name] = book
    }
  }

  /// An upstream's prices: its choices in order. `NAME/PART` is the part of a book whose names
  /// begin with `PART/`.
  func prices(of upstream: UpstreamSettings) -> PriceBook {
    let chosen = upstream.prices.compactMap { choice in
      let name = Self.book(of: choice)
      guard name != choice else { return books[name] }
      return books[name]?.part(String(choice.dropFirst(name.count + 1)))
    }
    // A file of the upstream's own name would be found without a word in gateway.yaml.
    return PriceBook(
      first: chosen,
      file: chosen.isEmpty ? "thresholds/prices/\(upstream.name).yaml" : nil)
  }
}

extension SettingsNode {
  /// Names of books, each of which must exist.
  func priceBooks(among names: [String]) -> [String] {
    list().compactMap { node in
      guard let choice = node.line("the name of a file in prices/") else { return nil }
      let name = UpstreamPrices.book(of: choice)
      guard !names.contains(name) else { return choice }
      node.fault(
        "there is no price book '\(shown(name))' (prices/\(shown(name)).yaml)",
        NearestName.advice(for: name, among: names))
      return nil
    }
  }
}
