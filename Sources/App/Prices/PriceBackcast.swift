// What calls that were made would have cost at other prices.

import Metering
import Store

/// Calls of one upstream and model, as charged and at other prices.
struct PriceBackcast {
  struct Key: Hashable {
    var upstream: String
    var model: String
  }

  struct Row: Hashable {
    var calls: Int64 = 0
    var charged = Money.zero
    /// The same calls at the other prices.
    var priced = Money.zero
  }

  /// Calls whose price the other books change.
  private(set) var changed: [Key: Row] = [:]
  /// All other calls.
  private(set) var others = Row()
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
  /// of the one asked for. What was charged by estimate stays as it was charged.
  mutating func add(_ call: CallRow) {
    let (before, after) = (price(of: call, old), price(of: call, new))
    var row = Row(calls: 1, charged: call.charge, priced: call.charge)
    // The book is read twice, so that one price is two objects; what it says is compared.
    let isChanged = after.map { after in before.map { !Self.isSame($0, after) } ?? true } ?? false
    if isChanged, call.usage.source == .reported, let after {
      row.priced = cost(of: call, at: after) ?? row.charged
    }
    guard isChanged else {
      Self.add(row, to: &others)
      return
    }
    let name = call.responseModel.isEmpty ? call.model : call.responseModel
    Self.add(row, to: &changed[Key(upstream: call.upstream, model: name), default: Row()])
  }

  var total: Row {
    changed.values.reduce(into: Row()) { Self.add($1, to: &$0) }
  }

  private func price(of call: CallRow, _ books: [String: PriceBook]) -> ModelPrice? {
    guard let book = books[call.upstream] else { return nil }
    let ran = call.responseModel.isEmpty ? nil : book.price(model: call.responseModel, at: at)
    return ran ?? book.price(model: call.model, at: at)
  }

  /// What the call would have cost; nil where a sum leaves the range of money.
  private func cost(of call: CallRow, at price: ModelPrice) -> Money? {
    guard var sum = price.cost(of: call.usage, serviceTier: call.serviceTier) else { return nil }
    for other in call.otherModels {
      let own = new[call.upstream]?.price(model: other.model, at: at) ?? price
      guard let cost = own.cost(of: other.usage, serviceTier: call.serviceTier),
        let next = sum.adding(cost)
      else { return nil }
      sum = next
    }
    return sum
  }

  private static func isSame(_ one: ModelPrice, _ other: ModelPrice) -> Bool {
    one.base == other.base && one.tiers == other.tiers && one.serviceTiers == other.serviceTiers
      && one.serviceContexts == other.serviceContexts
  }

  private static func add(_ row: Row, to sum: inout Row) {
    sum.calls += row.calls
    sum.charged = sum.charged.addingClamped(row.charged)
    sum.priced = sum.priced.addingClamped(row.priced)
  }
}
