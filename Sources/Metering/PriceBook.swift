// Dated prices of many models, by model id and alias.

/// Dated prices of models, by model id and alias.
public struct PriceBook: Sendable {
  /// Each model's prices, ascending by date.
  private var prices: [String: [ModelPrice]] = [:]
  private var aliases: [String: String] = [:]

  public init() {}

  /// Adds a dated price. A second price of one model on one date replaces the first.
  public mutating func add(_ price: ModelPrice, model: String) {
    var list = prices[model, default: []]
    list.removeAll { $0.effectiveFrom == price.effectiveFrom }
    list.append(price)
    list.sort { $0.effectiveFrom < $1.effectiveFrom }
    prices[model] = list
  }

  /// Makes `alias` another name of `model`.
  public mutating func alias(_ alias: String, of model: String) { aliases[alias] = model }

  /// The price in force at a moment; nil where the model, or that date, is unpriced.
  public func price(model: String, at now: Timestamp) -> ModelPrice? {
    let list = prices[model] ?? aliases[model].flatMap { prices[$0] }
    return list?.last { $0.effectiveFrom <= now }
  }

  /// All models with a price, sorted; aliases not among them.
  public var models: [String] { prices.keys.sorted() }

  /// All names that a request may use for a priced model, aliases too, sorted.
  public var names: [String] {
    prices.keys.sorted() + aliases.filter { prices[$0.value] != nil }.keys.sorted()
  }
}
