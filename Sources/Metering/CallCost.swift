// What a call's usage costs: the one rule for a charge, whether it is made or made again.

/// The cost of a call's usage.
public struct CallCost: Hashable, Sendable {
  /// Held at the end of money's range: a sum beyond it may not become small.
  public var amount: Money
  /// Some units have no price, and `amount` leaves them out.
  public var isPartial: Bool

  /// What costs nothing.
  public static let zero = CallCost(amount: .zero, isPartial: false)

  /// The charge of a call that so much was held for: units that have no price may not be free.
  public func charge(held: Money) -> Money { isPartial ? max(amount, held) : amount }

  /// Adds the cost of another answer; nil: of one that has no price at all.
  public mutating func add(_ other: CallCost?) {
    amount = amount.addingClamped(other?.amount ?? .zero)
    isPartial = isPartial || other?.isPartial ?? true
  }
}

extension PriceBook {
  /// The price of the model that the provider ran, else of the one asked for, and what other models
  /// used at theirs; where theirs is not known, at the answering one's.
  ///
  /// - Parameters:
  ///   - model: the model asked for.
  ///   - asked: its price at `at`; nil where it has none.
  ///   - responseModel: the model that the provider says it ran; empty where it did not say.
  ///   - serviceTier: the one that the provider says it used.
  ///   - at: the moment whose prices hold: the call's start.
  /// - Returns: nil where neither model has a price.
  public func cost(
    of usage: Usage, otherModels: [ModelUsage], model: String, asked: ModelPrice?,
    responseModel: String, serviceTier: String?, at: Timestamp
  ) -> CallCost? {
    let ran =
      responseModel.isEmpty || responseModel == model ? nil : price(model: responseModel, at: at)
    guard let price = ran ?? asked else { return nil }
    var cost = CallCost.zero
    cost.add(usage, at: price, serviceTier)
    for other in otherModels {
      cost.add(other.usage, at: self.price(model: other.model, at: at) ?? price, serviceTier)
    }
    return cost
  }
}

extension CallCost {
  fileprivate mutating func add(_ usage: Usage, at price: ModelPrice, _ serviceTier: String?) {
    let cost = price.cost(of: usage, serviceTier: serviceTier) ?? Money(nanodollars: .max)
    amount = amount.addingClamped(cost)
    // Every price says tokens, but for few; then only rare units need a look.
    guard !usage.others.isEmpty || !price.pricesTokens else { return }
    if price.unpricedBucket(of: usage) != nil { isPartial = true }
  }
}
