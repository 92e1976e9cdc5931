// Reads thresholds/prices/NAME.yaml: a book, which maps a model to its price, or to a list of
// prices with dates.
//
// Amounts are dollars in decimal text, for the unit that the key names. A kind of token that a
// price does not state costs what plain input or output costs, which is never less than the
// provider asks for a discounted one; a unit that it does not state has no price.

import Foundation
import Metering

/// One file's prices, and where they stand.
struct PriceFile {
  /// A model with its prices in the file's order.
  struct Model {
    var name: String
    /// The line of its key.
    var line: Int
    var entries: [(entry: PriceEntry, line: Int)]
  }

  /// In the file's order.
  private(set) var models: [Model] = []
  private let file: String
  /// Where each model's dated price, and each alias, stands.
  private var lines: [String: Int] = [:]

  /// Reads a file's root; faults go to its log.
  init(_ root: SettingsMapping) {
    file = root.node.file
    for (name, key, value) in root.entries() {
      var model = Model(name: name, line: key.line, entries: [])
      let elements = value.list()
      if elements.isEmpty {
        value.fault("'\(name)' has no price", "state one, as in `- { from: …, … }`, or remove it")
      }
      for element in elements {
        guard let section = element.mapping() else { continue }
        if let entry = Self.entry(section) {
          note("\(name) \(entry.from)", of: key, "a price of '\(name)' from the same day")
          for alias in section.take("aliases")?.list() ?? [] {
            note("alias \(alias.text() ?? "")", of: alias, "the alias '\(alias.text() ?? "")'")
          }
          model.entries.append((entry, element.line))
        }
        section.finish()
      }
      if !model.entries.isEmpty { models.append(model) }
    }
  }

  /// An empty book.
  init(file: String) { self.file = file }

  /// The file's prices as a book.
  func book() -> PriceBook {
    var book = PriceBook(file: file)
    for model in models {
      for (entry, _) in model.entries {
        book.add(entry.price, model: model.name)
        for alias in entry.aliases { book.alias(alias, of: model.name) }
      }
    }
    return book
  }

  /// Records where something stands; a second place is a fault.
  private mutating func note(_ what: String, of node: SettingsNode, _ words: String) {
    if let first = lines[what] {
      node.fault("\(words) stands twice", "keep one; the other is at \(file):\(first)")
    } else {
      lines[what] = node.line
    }
  }

  /// Nil where the day or every rate is missing or faulty.
  private static func entry(_ section: SettingsMapping) -> PriceEntry? {
    let from = section.need("from", "the first day on which it holds, as in 2026-11-01")?.day()
    let base = rates(section)
    var isWhole = true
    if let base { isWhole = check(base, section) }
    var entry = PriceEntry(from: from ?? CivilDate(daysSinceEpoch: 0), base: base ?? Rates())
    entry.tiers = tiers(section)
    section.section("serviceTiers") { services in
      for (name, _, value) in services.entries() {
        guard let service = value.mapping() else { continue }
        let contexts = tiers(service)
        let rates = rates(service)
        if let rates, rates.statedBuckets.isEmpty, contexts.isEmpty {
          service.node.fault("'\(service.node.name)' states no rate", "state one, or remove it")
        }
        entry.serviceTiers[name] = rates
        if !contexts.isEmpty { entry.serviceContexts[name] = contexts }
        service.finish()
      }
    }
    entry.outputTokensMax = section.take("outputTokensMax")?.integer(in: 1...10_000_000)
    entry.inputTokensMax = section.take("inputTokensMax")?.integer(in: 1...1_000_000_000)
    let own = section.take("ownSearches")?.word(OwnSearches.allCases.map(\.rawValue))
    entry.ownSearches = own.flatMap(OwnSearches.init)
    if own != nil, entry.base.rate(of: .webSearches) == nil {
      section.node.fault(
        "'\(section.node.name)' searches by itself at no price",
        "state webSearchesPerThousand, or remove ownSearches")
    }
    section.section("regions") { regions in
      for (name, _, value) in regions.entries() { entry.regions[name] = value.factor() }
    }
    entry.retires = section.take("retires")?.day()
    entry.aliases = (section.take("aliases")?.list() ?? []).compactMap {
      $0.line("another name of the model")
    }
    return from == nil || base == nil || !isWhole ? nil : entry
  }

  /// Context tiers, ascending.
  private static func tiers(_ section: SettingsMapping) -> [ModelPrice.Tier] {
    var tiers: [ModelPrice.Tier] = []
    for element in section.take("tiers")?.list() ?? [] {
      guard let tier = element.mapping() else { continue }
      let above = tier.need("aboveInputTokens", "the input size from which it holds")?
        .integer(in: 1...1_000_000_000)
      let rates = rates(tier)
      tier.finish()
      guard let above, let rates else { continue }
      if rates.statedBuckets.isEmpty {
        element.fault("'\(element.name)' states no rate", "state one, or remove it")
      }
      if tiers.contains(where: { $0.aboveInputTokens == above }) {
        element.fault("two tiers begin above \(above) input tokens", "keep one")
      }
      tiers.append(.init(aboveInputTokens: above, rates: rates))
    }
    return tiers.sorted { $0.aboveInputTokens < $1.aboveInputTokens }
  }

  /// What a section states; nil where an amount is faulty.
  private static func rates(_ section: SettingsMapping) -> Rates? {
    var rates = Rates()
    var isWhole = true
    for (key, value) in section.take(among: RateKey.byName) {
      if let rate = value.rate(key.unit) { rates[key.bucket] = rate } else { isWhole = false }
    }
    return isWhole ? rates : nil
  }

  /// Whether a price says all that it must: one of input alone is a line that somebody forgot, and
  /// would leave the output without a price.
  private static func check(_ base: Rates, _ section: SettingsMapping) -> Bool {
    let buckets = base.statedBuckets
    let isUnits = buckets.contains { $0.kind == .units }
    let hasInput = base[.inputUncached] != nil
    let advice = "dollars per million tokens, as in \"2.50\""
    var isWhole = true
    func miss(_ key: String) {
      // A key without a value has its own fault.
      isWhole = false
      if !section.has(key) {
        section.node.fault("'\(section.node.name).\(key)' is missing", advice)
      }
    }
    if !hasInput, !isUnits { miss("inputPerMillion") }
    if !buckets.contains(where: { $0.kind == .outputTokens }), hasInput || !isUnits {
      miss("outputPerMillion")
    }
    return isWhole
  }
}

extension SettingsNode {
  /// How many times its rate a token costs, in thousandths.
  fileprivate func factor() -> Int64? {
    guard let text = text("a factor, as in \"1.1\"") else { return nil }
    guard let scaled = ExactDecimal(text)?.scaled(by: 3), scaled.isExact,
      (1...100_000).contains(scaled.value)
    else {
      fault(
        "'\(name)' is '\(shown(text))', not a factor",
        "write how many times its rate a token costs there, from 0.001 to 100, as in \"1.1\"")
      return nil
    }
    return scaled.value
  }

  /// An amount in dollars as nanodollars per million units, exactly.
  fileprivate func rate(_ unit: RateKey.Unit) -> Int64? {
    guard let text = text("an amount in dollars") else { return nil }
    guard let number = ExactDecimal(text) else {
      if text.hasPrefix("-") {
        fault("'\(name)' is negative (\(shown(text)))", "write an amount of 0 or more")
      } else {
        fault(
          "'\(name)' is '\(shown(text))', not an amount of money",
          "write dollars as digits with at most \(unit.power) decimals, as in \"12.50\"")
      }
      return nil
    }
    guard let scaled = number.scaled(by: unit.power) else {
      fault("'\(name)' is '\(shown(text))', too large", "write dollars \(unit.words)")
      return nil
    }
    guard scaled.isExact else {
      fault(
        "'\(name)' is '\(shown(text))', finer than Leeway counts",
        "write at most \(unit.power) decimals, rounded up")
      return nil
    }
    return scaled.value
  }
}
