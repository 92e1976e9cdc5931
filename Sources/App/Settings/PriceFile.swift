// Reads thresholds/prices/*.yaml into the price book.
//
// A file maps a model to its price, or to a list of prices with dates. Amounts are dollars per
// million tokens in decimal text; a bucket that a price does not state costs what plain input or
// output costs, which is never less than the provider asks for a discounted one.

import Foundation
import Metering

/// Collects the prices of all files.
struct PriceReader {
  private(set) var book = PriceBook()
  /// Where each model's dated price, and each alias, stands.
  private var places: [String: String] = [:]
  private var modelNames: Set<String> = []

  /// Reads one file into the book.
  mutating func read(_ root: SettingsMapping) {
    for (model, key, value) in root.entries() {
      for element in value.list() {
        guard let section = element.mapping() else { continue }
        read(model, key, section)
        section.finish()
      }
    }
  }

  private mutating func read(_ model: String, _ key: SettingsNode, _ section: SettingsMapping) {
    let from = section.need("from", "the first day on which it holds, as in 2026-11-01")?.day()
    let base = Self.rates(section)
    let tiers = Self.tiers(section)
    var serviceTiers: [String: Rates] = [:]
    var serviceContexts: [String: [ModelPrice.Tier]] = [:]
    section.section("serviceTiers") { services in
      for (name, _, value) in services.entries() {
        guard let service = value.mapping() else { continue }
        serviceTiers[name] = Self.rates(service)
        serviceContexts[name] = Self.tiers(service)
        service.finish()
      }
    }
    let most = section.take("outputTokensMax")?.integer(in: 1...10_000_000)
    for node in section.take("aliases")?.list() ?? [] {
      guard let alias = node.line("another name of the model") else { continue }
      note("alias \(alias)", of: node, "the alias '\(alias)'")
      book.alias(alias, of: model)
    }
    guard let from, let base else { return }
    note("\(model) \(from.milliseconds)", of: key, "a price of '\(model)' from the same day")
    modelNames.insert(model)
    book.add(
      ModelPrice(
        effectiveFrom: from, base: base, tiers: tiers, serviceTiers: serviceTiers,
        serviceContexts: serviceContexts, outputTokensMax: most), model: model)
  }

  /// Records where something stands; a second place is a fault.
  private mutating func note(_ what: String, of node: SettingsNode, _ words: String) {
    if let first = places[what] {
      node.fault("\(words) stands twice", "keep one; the other is at \(first)")
    } else {
      places[what] = "\(node.file):\(node.line)"
    }
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
      if tiers.contains(where: { $0.aboveInputTokens == above }) {
        element.fault("two tiers begin above \(above) input tokens", "keep one")
      }
      tiers.append(.init(aboveInputTokens: above, rates: rates))
    }
    return tiers.sorted { $0.aboveInputTokens < $1.aboveInputTokens }
  }

  /// Rates of one section; nil where input or output is missing or faulty.
  private static func rates(_ section: SettingsMapping) -> Rates? {
    let advice = "dollars per million tokens, as in \"2.50\""
    let input = section.need("inputPerMillion", advice)?.money()
    let output = section.need("outputPerMillion", advice)?.money()
    var rates = Rates(
      input: input?.nanodollars ?? 0, output: output?.nanodollars ?? 0)
    let others: [(String, UsageBucket)] = [
      ("cacheReadPerMillion", .cacheRead), ("cacheWrite5mPerMillion", .cacheWrite5m),
      ("cacheWrite1hPerMillion", .cacheWrite1h), ("inputAudioPerMillion", .inputAudio),
      ("inputImagePerMillion", .inputImage), ("outputReasoningPerMillion", .outputReasoning),
      ("outputAudioPerMillion", .outputAudio),
    ]
    for (key, bucket) in others {
      if let money = section.take(key)?.money() { rates[bucket] = money.nanodollars }
    }
    return input == nil || output == nil ? nil : rates
  }
}

extension SettingsNode {
  /// A day, `2026-11-23`, as its first moment in UTC.
  fileprivate func day() -> Timestamp? {
    guard let text = text("a day") else { return nil }
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Int($0) }
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    guard parts.map(\.count) == [4, 2, 2], numbers.count == 3 else {
      fault("'\(name)' is '\(shown(text))', not a day", "write YYYY-MM-DD")
      return nil
    }
    let parsed = DateComponents(year: numbers[0], month: numbers[1], day: numbers[2])
    guard parsed.isValidDate(in: calendar), let date = calendar.date(from: parsed) else {
      fault("'\(name)' is '\(shown(text))', a day that does not exist", "write YYYY-MM-DD")
      return nil
    }
    return Timestamp(milliseconds: Int64(date.timeIntervalSince1970 * 1_000))
  }
}
