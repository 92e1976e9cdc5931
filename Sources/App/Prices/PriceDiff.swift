// What a table would change in the books, model by model and rate by rate.

import Metering

/// A book beside the table's prices for it.
struct PriceDiff {
  /// A rate of one model that would change.
  struct RateChange: Hashable {
    var place: PriceEntry.Place
    var bucket: UsageBucket
    /// What a unit costs now, in nanodollars per million units; nil: it has no price.
    var old: Int64?
    var new: Int64?

    /// `flex: input_uncached $2.50 → $2.00 per million`.
    var text: String {
      let key = RateKey.byBucket[bucket]
      func shown(_ rate: Int64?) -> String {
        rate.map { "$" + (key?.amount($0) ?? "\($0)") } ?? "no price"
      }
      let place = "\(place)".isEmpty ? "" : "\(place): "
      return place + "\(bucket.name) \(shown(old)) → \(shown(new)) \(key?.unit.words ?? "")"
    }
  }

  /// A model whose price would change.
  struct Change: Hashable {
    var model: String
    var rates: [RateChange]
    /// Limits that change, in words.
    var limits: [String]
    /// What the update writes.
    var entry: PriceEntry
  }

  let book: String
  private(set) var new: [String: PriceEntry] = [:]
  /// Sorted by model.
  private(set) var changed: [Change] = []
  /// Models of the book that the table no longer has; they keep their prices. Sorted.
  private(set) var vanished: [String] = []
  private(set) var unchangedCount = 0

  /// - Parameters:
  ///   - prices: the table's, all from the same day.
  ///   - day: on which they would begin to hold.
  init(book: String, file: PriceFile, prices: [String: PriceEntry], from day: CivilDate) {
    self.book = book
    var known: Set<String> = []
    for model in file.models {
      known.insert(model.name)
      guard var new = prices[model.name]?.beginning(day) else {
        vanished.append(model.name)
        continue
      }
      let inForce = model.entries.map(\.entry).filter { $0.from <= day }.max { $0.from < $1.from }
      guard let old = inForce else {
        self.new[model.name] = new
        continue
      }
      for bucket in PriceTableField.unsaid where new.base[bucket] == nil {
        new.base[bucket] = old.base[bucket]
      }
      let rates = Self.changes(old, new)
      let limits = Self.limits(old, new)
      if rates.isEmpty, limits.isEmpty {
        unchangedCount += 1
      } else {
        changed.append(Change(model: model.name, rates: rates, limits: limits, entry: new))
      }
    }
    for (name, entry) in prices where !known.contains(name) { new[name] = entry.beginning(day) }
    vanished.sort()
    changed.sort { $0.model < $1.model }
  }

  var isEmpty: Bool { new.isEmpty && changed.isEmpty }

  /// What the update writes: new prices of known models, and new models.
  var additions: [String: PriceEntry] {
    new.merging(changed.map { ($0.model, $0.entry) }) { first, _ in first }
  }

  /// Rates that differ where either price states one, as a call would meet them.
  private static func changes(_ old: PriceEntry, _ new: PriceEntry) -> [RateChange] {
    var stated: [PriceEntry.Place: Set<UsageBucket>] = [:]
    for (place, rates) in old.sections + new.sections {
      stated[place, default: []].formUnion(rates.statedBuckets)
    }
    let (oldPrice, newPrice) = (old.price, new.price)
    return stated.sorted { $0.key < $1.key }.flatMap { place, buckets in
      let (before, after) = (rates(of: oldPrice, at: place), rates(of: newPrice, at: place))
      return buckets.sorted { $0.rawValue < $1.rawValue }.compactMap { bucket in
        let change = RateChange(
          place: place, bucket: bucket, old: before.rate(of: bucket), new: after.rate(of: bucket))
        return change.old == change.new ? nil : change
      }
    }
  }

  private static func rates(of price: ModelPrice, at place: PriceEntry.Place) -> Rates {
    price.rates(
      inputTokens: place.aboveInputTokens == 0 ? 0 : place.aboveInputTokens + 1,
      serviceTier: place.serviceTier.isEmpty ? nil : place.serviceTier)
  }

  /// `us 1.1`; nil where no region has a price of its own.
  private static func shown(_ regions: [String: Int64]) -> String? {
    guard !regions.isEmpty else { return nil }
    return regions.sorted { $0.key < $1.key }.map {
      "\($0.key) \(ExactDecimal.text($0.value, dividedByTenTo: 3))"
    }.joined(separator: ", ")
  }

  private static func limits(_ old: PriceEntry, _ new: PriceEntry) -> [String] {
    func change<Value: Equatable>(_ name: String, _ old: Value?, _ new: Value?) -> String? {
      guard old != new else { return nil }
      func shown(_ limit: Value?) -> String { limit.map { "\($0)" } ?? "not stated" }
      return "\(name) \(shown(old)) → \(shown(new))"
    }
    return [
      change("outputTokensMax", old.outputTokensMax, new.outputTokensMax),
      change("inputTokensMax", old.inputTokensMax, new.inputTokensMax),
      change("ownSearches", old.ownSearches?.rawValue, new.ownSearches?.rawValue),
      change("regions", shown(old.regions), shown(new.regions)),
    ].compactMap(\.self)
  }
}
