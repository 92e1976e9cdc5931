// A price table (JSON Lines, one model a line) as books of prices, a book a provider.
//
// The table is read strictly and whole. What cannot become a price of a call (capacity that is
// rented by the hour, a row without a price) is left out, and said.

import Foundation
import Metering
import Providers

/// A table that was read without a fault.
struct PriceTable {
  /// A row that is no price of a call.
  struct LeftOut: Hashable {
    var book: String
    var model: String
    var reason: Reason
  }

  enum Reason: String, CaseIterable {
    case reservedCapacity = "price capacity that is rented by the hour, not calls"
    case uncounted = "are billed by a unit that no dialect reports"
    case noPrice = "have no price, or one for a service tier only"
    case zero = "cost nothing, which may mean that nobody knows"
  }

  /// The file's name without its folder.
  private(set) var name: String
  private(set) var sha256: String
  /// Prices by book and model; their day is that given to `init`.
  private(set) var books: [String: [String: PriceEntry]] = [:]
  private(set) var leftOut: [LeftOut] = []
  private(set) var rowCount = 0
  /// Amounts finer than a nanodollar per million units, rounded up.
  private(set) var roundedCount = 0
  /// Models that stand in the table under two names with different prices; the dearer rates hold.
  private(set) var merged: [String] = []

  /// Reads a table.
  ///
  /// - Parameters:
  ///   - path: where it came from.
  ///   - from: the day from which its prices hold.
  ///   - providers: only these books; empty: all.
  init(
    _ bytes: [UInt8], path: String, sha256: String, from: CivilDate, providers: Set<String> = []
  ) throws(PriceFault) {
    name = URL(fileURLWithPath: path).lastPathComponent
    self.sha256 = sha256
    let rows = try Self.rows(bytes, path: path)
    rowCount = rows.count
    sort(rows, from: from, providers: providers)
    let unknown = providers.subtracting(books.keys)
    guard unknown.isEmpty else {
      throw PriceFault(
        "\(path) prices no model of \(unknown.sorted().joined(separator: ", "))",
        hint: "It has books for: \(Set(rows.map(\.book)).sorted().joined(separator: ", ")).")
    }
  }

  // MARK: - Rows

  private static func rows(
    _ bytes: [UInt8], path: String
  ) throws(PriceFault) -> [PriceTableRow] {
    var rows: [PriceTableRow] = []
    var faults: [PriceFault.Line] = []
    // Some editors put a mark of their own before the text.
    let isMarked = bytes.starts(with: [0xEF, 0xBB, 0xBF])
    let lines = bytes.dropFirst(isMarked ? 3 : 0).split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
      guard let tree = line.withUnsafeBytes({ JSONTree($0, isStrict: true) }) else {
        // A file that is written whole ends in a line feed.
        let isCut = index == lines.count - 1
        faults.append(
          .init(
            number: index + 1,
            message: isCut ? "the file ends in the middle of it" : "it is no JSON object"))
        continue
      }
      do throws(PriceTableRow.Fault) {
        rows.append(try PriceTableRow(line: index + 1, tree))
      } catch {
        faults.append(.init(number: index + 1, message: error.message))
      }
    }
    guard faults.isEmpty else { throw PriceFault(lines: faults, of: path) }
    guard !rows.isEmpty else {
      throw PriceFault(
        "\(path) holds no prices", hint: "Name a table of JSON Lines, one model a line.")
    }
    return rows
  }

  // MARK: - Books

  private mutating func sort(
    _ rows: [PriceTableRow], from: CivilDate, providers: Set<String>
  ) {
    var kept: [String: [String: PriceTableRow]] = [:]
    for row in rows where providers.isEmpty || providers.contains(row.book) {
      let (book, model) = (row.book, row.modelOfBook)
      let row = row.settled
      if let reason = row.reasonToLeaveOut {
        leftOut.append(.init(book: book, model: model, reason: reason))
        continue
      }
      roundedCount += row.roundedCount
      if var other = kept[book]?[model] {
        if !other.agrees(with: row) { merged.append("\(book): \(model)") }
        other.take(row)
        kept[book]?[model] = other
      } else {
        kept[book, default: [:]][model] = row
      }
    }
    // What another name of the model prices is not left out.
    leftOut.removeAll { kept[$0.book]?[$0.model] != nil }
    for (book, models) in kept {
      let session = models["container"]?.rates[.init(place: .init(), bucket: .codeSessions)]
      books[book] = models.mapValues { $0.entry(from: from, codeSession: session) }
    }
  }
}

extension PriceTableRow {
  /// The book that a provider's models belong to: the provider, without the table's split by API.
  var book: String {
    switch provider {
    case "text-completion-openai": "openai"
    case "bedrock_converse": "bedrock"
    case "cohere_chat": "cohere"
    case "fireworks_ai": "fireworks"
    case "together_ai": "together"
    case _ where provider.hasPrefix("vertex_ai"): "vertex"
    default: provider
    }
  }

  /// The model as the provider's own API names it: without the table's `PROVIDER/`. What else
  /// stands before the name (a region, an image's size) is a variant's and stays.
  var modelOfBook: String {
    let prefix = book == "vertex" ? "vertex_ai" : book == "bedrock" ? "bedrock" : provider
    if model.hasPrefix(prefix + "/") { return String(model.dropFirst(prefix.count + 1)) }
    guard let inner = model.range(of: "/\(prefix)/") else { return model }
    return model.replacingCharacters(in: inner, with: "/")
  }

  private subscript(base bucket: UsageBucket) -> Int64? {
    get { rates[Slot(place: .init(), bucket: bucket)] }
    set { rates[Slot(place: .init(), bucket: bucket)] = newValue }
  }

  /// The row with the table's habits undone.
  var settled: PriceTableRow {
    var row = self
    switch mode {
    case "image_generation":
      // A generated image's price stands in the field of an input image, or pixel, where no token
      // that comes out costs anything.
      for (input, output) in [
        (UsageBucket.imagesIn, UsageBucket.imagesOut), (.pixelsIn, .pixelsOut),
      ]
      where !chargesOutputTokens && (self[base: output] ?? 0) == 0 {
        guard let rate = self[base: input] else { continue }
        row[base: output] = rate
        row[base: input] = nil
      }
      // Both by the image and by the pixel is one price said twice.
      if row[base: .imagesOut] ?? 0 > 0 { row[base: .pixelsOut] = nil }
    case "audio_transcription":
      // A transcription brings out no sound: the price of what goes in is said twice, or there.
      if let out = self[base: .outputMilliseconds] {
        row[base: .audioInMilliseconds] = max(out, self[base: .audioInMilliseconds] ?? 0)
        row[base: .outputMilliseconds] = nil
      }
    case "embedding", "rerank", "moderation":
      // They bring out no tokens.
      if self[base: .inputUncached] != nil, self[base: .outputText] == nil {
        row[base: .outputText] = 0
      }
    default: break
    }
    // OpenAI's batches have no discount for what is cached but where one is published.
    let cached = Slot(place: Self.batch, bucket: .cacheRead)
    if ["openai", "azure"].contains(book), self[base: .cacheRead] != nil, rates[cached] == nil {
      row.rates[cached] = rates[Slot(place: Self.batch, bucket: .inputUncached)]
    }
    return row
  }

  private static let batch = PriceEntry.Place(serviceTier: ModelPrice.batchTier)

  private var chargesOutputTokens: Bool {
    rates.contains { $0.key.bucket.kind == .outputTokens && $0.value > 0 }
  }

  var reasonToLeaveOut: PriceTable.Reason? {
    if isReservedCapacity { return .reservedCapacity }
    if isUncounted { return .uncounted }
    if !rates.contains(where: { $0.key.place == .init() }) { return .noPrice }
    return mode != "moderation" && rates.values.allSatisfy { $0 == 0 } ? .zero : nil
  }

  /// How a model that searches without being asked to bills it, which the table does not say: chat
  /// models of Perplexity's own that have a price of searches, and those that OpenAI made for it.
  /// Most other prices of searches are those of a tool, which a request has to name.
  private var ownSearches: OwnSearches? {
    guard self[base: .webSearches] != nil, mode == "chat" else { return nil }
    switch book {
    case "perplexity": return model.contains("deep-research") ? .perSearch : .perCall
    case "openai", "azure":
      if model.contains("search-preview") { return .perCall }
      // What it reads of the pages is billed as input, too.
      return model.contains("search-api") ? .perSearch : nil
    default: return nil
    }
  }

  /// Anthropic runs its models from Opus 4.6 on in the United States alone for a tenth more, at its
  /// own API: the table does not say so, the provider's pages do.
  private var regions: [String: Int64] {
    let words = model.split(separator: "-")
    // `claude-FAMILY-MAJOR-MINOR`; the oldest names begin with the number, and a date is no minor.
    guard book == "anthropic", mode == "chat", words.first == "claude", words.count > 2,
      Int(words[1]) == nil, let major = Int(words[2])
    else { return [:] }
    let minor = words.count > 3 ? Int(words[3]).flatMap { $0 < 100 ? $0 : nil } : nil
    return (major, minor ?? 0) >= (4, 6) ? ["us": 1_100] : [:]
  }

  /// Whether no rate that both state differs.
  func agrees(with other: PriceTableRow) -> Bool {
    rates.allSatisfy { slot, rate in other.rates[slot] == nil || other.rates[slot] == rate }
  }

  /// Takes the other's rates too; the dearer where both state one.
  mutating func take(_ other: PriceTableRow) {
    rates.merge(other.rates) { max($0, $1) }
    inputTokensMax = inputTokensMax ?? other.inputTokensMax
    outputTokensMax = outputTokensMax ?? other.outputTokensMax
    retires = retires ?? other.retires
  }

  /// - Parameter codeSession: what a session of the provider's code interpreter costs, whichever
  ///   model uses it.
  func entry(from: CivilDate, codeSession: Int64?) -> PriceEntry {
    var entry = PriceEntry(from: from)
    entry.inputTokensMax = inputTokensMax
    entry.outputTokensMax = outputTokensMax
    entry.retires = retires
    entry.ownSearches = ownSearches
    entry.regions = regions
    let places = Dictionary(grouping: rates) { $0.key.place }
    for (place, slots) in places.sorted(by: { $0.key < $1.key }) {
      var rates = Rates()
      for (slot, rate) in slots { rates[slot.bucket] = rate }
      let tier = ModelPrice.Tier(aboveInputTokens: place.aboveInputTokens, rates: rates)
      switch (place.serviceTier, place.aboveInputTokens) {
      case ("", 0): entry.base = rates
      case ("", _): entry.tiers.append(tier)
      case (let service, 0): entry.serviceTiers[service] = rates
      case (let service, _):
        entry.serviceTiers[service] = entry.serviceTiers[service] ?? Rates()
        entry.serviceContexts[service, default: []].append(tier)
      }
    }
    if let codeSession, ["chat", "responses"].contains(mode), entry.base[.codeSessions] == nil {
      entry.base[.codeSessions] = codeSession
    }
    return entry
  }
}
