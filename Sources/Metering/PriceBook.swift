// Dated prices of many models, by model id and alias.
//
// An upstream has a book of its own, since one name costs different sums at different providers. A
// book may be several, asked in order: what was negotiated, then the provider's list.

/// Dated prices of models, by model id and alias.
public struct PriceBook: Sendable {
  /// Each model's prices, ascending by date.
  private var prices: [String: [ModelPrice]] = [:]
  private var aliases: [String: String] = [:]
  /// Books that are asked, in order, where this one has no price in force.
  private var others: [PriceBook] = []
  /// The file in which a missing model is to be priced, for refusals; empty where none is known.
  public var file: String

  public init(file: String = "") { self.file = file }

  /// Books as one: the first that has a price in force for a model is asked for all of it.
  ///
  /// - Parameter file: as `file`; the first book's where it is nil.
  public init(first books: [PriceBook], file: String? = nil) {
    self = books.first ?? PriceBook()
    others.append(contentsOf: books.dropFirst())
    if let file { self.file = file }
  }

  /// Adds a dated price. A second price of one model on one date replaces the first.
  public mutating func add(_ price: ModelPrice, model: String) {
    var list = prices[model, default: []]
    list.removeAll { $0.effectiveFrom == price.effectiveFrom }
    list.append(price)
    list.sort { $0.effectiveFrom < $1.effectiveFrom }
    prices[model] = list
  }

  /// Makes `alias` another name of `model`; of a picture's size (`hd/1024-x-1792/MODEL`) the name
  /// without a size is another of the model in all its sizes.
  public mutating func alias(_ alias: String, of model: String) {
    let sized = PictureName(alias) == nil ? PictureName(model) : nil
    aliases[alias] = sized?.model ?? model
  }

  /// The price in force at a moment; nil where the model, or that date, is unpriced.
  ///
  /// A name that the book does not have is looked for as a fine-tuned model of a base that it has
  /// under `ft:`, then without the suffix of a dated snapshot. A fine-tuned model never takes the
  /// price of its plain base, which is cheaper.
  public func price(model: String, at now: Timestamp) -> ModelPrice? {
    entry(of: model, at: now)?.price
  }

  /// The family of a model: the name that its price stands under, without the region that it is run
  /// in and the snapshot that it is. Aliases, dated names and Bedrock's regional ones of one model
  /// have the same; one that has no price, its own name's.
  public func family(of model: String, at now: Timestamp) -> String {
    ModelName.family(ModelName.withoutRegion(entry(of: model, at: now)?.name ?? model))
  }

  private func entry(of model: String, at now: Timestamp) -> Found? {
    if let found = ownEntry(of: model, at: now) { return found }
    for book in others {
      if let found = book.entry(of: model, at: now) { return found }
    }
    return nil
  }

  private typealias Found = (name: String, price: ModelPrice)

  private func ownEntry(of model: String, at now: Timestamp) -> Found? {
    if let found = stated(model, at: now) { return found }
    var name = model[...]
    if let base = ModelName.fineTuned(name) {
      if let found = stated(String(base), at: now) { return found }
      name = base
    }
    while let shorter = ModelName.withoutSnapshot(name) {
      if let found = stated(String(shorter), at: now) { return found }
      name = shorter
    }
    return nil
  }

  private func stated(_ name: String, at now: Timestamp) -> Found? {
    if let price = prices[name]?.last(where: { $0.effectiveFrom <= now }) { return (name, price) }
    // A name may have been an alias before it got a price of its own.
    guard let model = aliases[name] else { return nil }
    return prices[model]?.last { $0.effectiveFrom <= now }.map { (model, $0) }
  }

  /// The models whose names begin with `prefix/`, under what follows it: a region's price list.
  public func part(_ prefix: String) -> PriceBook {
    var part = PriceBook(file: file)
    func rest(_ name: String) -> String? {
      name.hasPrefix(prefix + "/") ? String(name.dropFirst(prefix.count + 1)) : nil
    }
    for (model, list) in prices {
      if let name = rest(model) { part.prices[name] = list }
    }
    for (alias, model) in aliases {
      guard let name = rest(alias) else { continue }
      if let model = rest(model) {
        part.aliases[name] = model
      } else {
        part.prices[name] = prices[model]
      }
    }
    return part
  }

  /// The model that a name is an alias of in this book or those after it; else the name itself.
  public func model(of name: String) -> String {
    if prices[name] != nil { return name }
    if let model = aliases[name] { return model }
    return others.lazy.map { $0.model(of: name) }.first { $0 != name } ?? name
  }

  /// All models with a price, sorted; aliases not among them.
  public var models: [String] {
    Set(prices.keys).union(others.flatMap(\.models)).sorted()
  }

  /// All names that a request may use for a priced model, aliases too, sorted.
  public var names: [String] {
    Set(prices.keys).union(aliases.filter { prices[$0.value] != nil }.keys)
      .union(others.flatMap(\.names)).sorted()
  }
}
