// What calls that were made would have cost at other prices.

import Metering
import Store

/// Calls of one upstream and model, as charged and at other prices.
struct PriceBackcast {
  /// Calls whose price the other books change.
  private(set) var changed: [PricedCalls.Key: PricedCalls.Row] = [:]
  /// All other calls.
  private(set) var others = PricedCalls.Row()
  private let old: [String: PriceBook]
  private let new: [String: PriceBook]
  private let at: Timestamp

  /// - Parameters:
  ///   - old: the prices in force, by upstream.
  ///   - new: those to compare with.
  ///   - at: the moment whose prices are compared.
  init(old: [String: PriceBook], new: [String: PriceBook], at: Timestamp) {
    self.old = old
    self.new = new
    self.at = at
  }

  /// Counts a call, by the rule that charged it: the price of the model that the provider ran, else
  /// of the one asked for. What was charged by estimate stays as it was charged, and so
  /// does a batch whose sum does not say what its answers cost.
  mutating func add(_ call: CallRow) {
    let (before, after) = (price(of: call, old), price(of: call, new))
    var row = PricedCalls.Row(calls: 1, charged: call.charge, priced: call.charge)
    // The book is read twice, so that one price is two objects; what it says is compared.
    let isChanged = after.map { after in before.map { !Self.isSame($0, after) } ?? true } ?? false
    guard isChanged else {
      others.add(row)
      return
    }
    if call.usage.source == .reported, let book = new[call.upstream],
      book.pricesSum(of: call, at: at)
    {
      row.priced = book.cost(of: call, at: at)?.amount ?? row.charged
    }
    changed[PricedCalls.Key(call), default: PricedCalls.Row()].add(row)
  }

  var total: PricedCalls.Row { PricedCalls.total(of: changed) }

  private func price(of call: CallRow, _ books: [String: PriceBook]) -> ModelPrice? {
    guard let book = books[call.upstream] else { return nil }
    return book.price(of: PricedCalls.Key(call).model, in: call, at: at)
  }

  private static func isSame(_ one: ModelPrice, _ other: ModelPrice) -> Bool {
    one.base == other.base && one.tiers == other.tiers && one.serviceTiers == other.serviceTiers
      && one.serviceContexts == other.serviceContexts && one.regions == other.regions
      && one.ownSearches == other.ownSearches
  }
}
