// Writes price files: a model a line and a dated price a line, so that a change of price is one
// line that was added.

import Foundation
import Metering

/// The text of a price file that is imported.
enum PriceFileText {
  /// Where a file's prices come from.
  struct Origin {
    /// What the table is: a name, a version, an address.
    var origin: String
    var licence: String
    /// The command that made the file.
    var command: String
    var day: CivilDate
  }

  /// A whole file.
  static func file(
    book: String, models: [String: PriceEntry], leftOut: [PriceTable.LeftOut],
    table: PriceTable, origin: Origin
  ) -> String {
    var text = header(book: book, count: models.count, leftOut: leftOut, table: table, origin)
    for (model, entry) in models.sorted(by: { $0.key < $1.key }) {
      text += key(model) + ":\n" + line(entry)
    }
    return text
  }

  private static func header(
    book: String, count: Int, leftOut: [PriceTable.LeftOut], table: PriceTable, _ origin: Origin
  ) -> String {
    var text = """
      # What the models of '\(book)' cost, in US dollars; docs/PRICES.md explains every key.
      #
      # Origin: \(origin.origin). Licence: \(origin.licence). Compare with your own contract.
      #
      # Leeway charges calls by these figures. Do not edit a price that has been in force: add one
      # with a later `from` (UTC) below it, as `leeway prices update` does, so that old calls keep
      # their price. Rates of your own belong in a file of their own: see `prices` in gateway.yaml.
      #
      \(provenance("Imported", table, origin, "\(count) models"))
      """
    for reason in PriceTable.Reason.allCases {
      let models = leftOut.filter { $0.reason == reason }
      guard !models.isEmpty else { continue }
      text += "\n#\n# Left out: \(models.count) that \(reason.rawValue)"
      text += reason == .zero ? ":" : "."
      if reason == .zero { for model in models.map(\.model).sorted() { text += "\n#   \(model)" } }
    }
    return text + "\n\n"
  }

  /// The header's lines that say where prices were taken from; `leeway prices update` adds some.
  static func provenance(
    _ verb: String, _ table: PriceTable, _ origin: Origin, _ counts: String
  ) -> String {
    """
    # \(verb) \(origin.day) from \(table.name), \(counts):
    #   SHA-256 \(table.sha256)
    #   \(origin.command)
    """
  }

  /// One dated price as an element of a model's list.
  static func line(_ entry: PriceEntry, indent: String = "") -> String {
    indent + "- " + flow(entry) + "\n"
  }

  /// A model's name as a key: quoted, since names hold colons and slashes.
  static func key(_ name: String) -> String {
    let escaped = name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return "\"\(escaped)\""
  }

  /// A price as a flow mapping.
  static func flow(_ entry: PriceEntry) -> String {
    var parts = ["from: \(entry.from)"]
    parts += rates(entry.base)
    if let most = entry.outputTokensMax { parts.append("outputTokensMax: \(most)") }
    if let most = entry.inputTokensMax { parts.append("inputTokensMax: \(most)") }
    if let own = entry.ownSearches { parts.append("ownSearches: \(own.rawValue)") }
    if !entry.regions.isEmpty {
      let texts = entry.regions.sorted { $0.key < $1.key }.map { region, factor in
        "\(key(region)): \"\(ExactDecimal.text(factor, dividedByTenTo: 3))\""
      }
      parts.append("regions: { \(texts.joined(separator: ", ")) }")
    }
    if let day = entry.retires { parts.append("retires: \(day)") }
    if !entry.aliases.isEmpty {
      parts.append("aliases: [\(entry.aliases.map(key).joined(separator: ", "))]")
    }
    parts += tiers(entry.tiers)
    let services = entry.serviceTiers.sorted { $0.key < $1.key }.map { name, service in
      let inner = rates(service) + tiers(entry.serviceContexts[name] ?? [])
      let isPlain = name.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
      return "\(isPlain ? name : key(name)): { \(inner.joined(separator: ", ")) }"
    }
    if !services.isEmpty { parts.append("serviceTiers: { \(services.joined(separator: ", ")) }") }
    return "{ \(parts.joined(separator: ", ")) }"
  }

  private static func tiers(_ tiers: [ModelPrice.Tier]) -> [String] {
    guard !tiers.isEmpty else { return [] }
    let texts = tiers.map { tier in
      let parts = ["aboveInputTokens: \(tier.aboveInputTokens)"] + rates(tier.rates)
      return "{ \(parts.joined(separator: ", ")) }"
    }
    return ["tiers: [\(texts.joined(separator: ", "))]"]
  }

  private static func rates(_ rates: Rates) -> [String] {
    RateKey.all.compactMap { key in
      rates[key.bucket].map { "\(key.name): \"\(key.amount($0))\"" }
    }
  }
}
