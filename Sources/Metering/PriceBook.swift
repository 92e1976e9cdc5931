// What a model's tokens cost, by date, context tier and service tier.

/// Nanodollars per million tokens for each usage bucket; every rate is ≥ 0.
public struct TokenRates: Hashable, Sendable, Codable {
  public var input: Int64
  public var cacheRead: Int64
  public var cacheWrite5m: Int64
  public var cacheWrite1h: Int64
  public var inputAudio: Int64
  public var inputImage: Int64
  public var output: Int64
  public var outputReasoning: Int64
  public var outputAudio: Int64

  /// Rates from the two that every book states; the rest follow `input` and `output` until set.
  public init(input: Int64, output: Int64) {
    self.input = input
    cacheRead = input
    cacheWrite5m = input
    cacheWrite1h = input
    inputAudio = input
    inputImage = input
    self.output = output
    outputReasoning = output
    outputAudio = output
  }

  /// The dearest rate that an input token can meet.
  public var dearestInput: Int64 {
    max(input, cacheRead, cacheWrite5m, cacheWrite1h, inputAudio, inputImage)
  }

  /// The dearest rate that an output token can meet.
  public var dearestOutput: Int64 { max(output, outputReasoning, outputAudio) }
}

/// One model's price from a date on.
public struct ModelPrice: Hashable, Sendable, Codable {
  /// Rates for calls whose input passes a size; the whole call is billed at the tier's rates.
  public struct Tier: Hashable, Sendable, Codable {
    /// The tier holds where the call's input exceeds this many tokens.
    public var aboveInputTokens: Int64
    public var rates: TokenRates

    public init(aboveInputTokens: Int64, rates: TokenRates) {
      self.aboveInputTokens = aboveInputTokens
      self.rates = rates
    }
  }

  /// The first moment at which this price holds.
  public var effectiveFrom: Timestamp
  public var base: TokenRates
  /// Ascending by `aboveInputTokens`.
  public var tiers: [Tier]
  /// Rates by the service tier that the provider returns, e.g. `priority`, `flex`.
  public var serviceTiers: [String: TokenRates]
  /// The most output tokens that the model can produce for one choice; nil where the book is silent.
  public var outputTokensMax: Int64?

  public init(
    effectiveFrom: Timestamp, base: TokenRates, tiers: [Tier] = [],
    serviceTiers: [String: TokenRates] = [:], outputTokensMax: Int64? = nil
  ) {
    self.effectiveFrom = effectiveFrom
    self.base = base
    self.tiers = tiers
    self.serviceTiers = serviceTiers
    self.outputTokensMax = outputTokensMax
  }

  /// The price of a usage, rounded up once to a whole nanodollar; nil on overflow.
  ///
  /// - Parameter serviceTier: the tier that the provider *returned*; an unknown one, or nil, is
  ///   priced at the base (or context-tier) rates.
  public func cost(of usage: Usage, serviceTier: String? = nil) -> Money? {
    let rates = rates(inputTokens: usage.inputTotal, serviceTier: serviceTier)
    var sum: Int128 = 0
    sum += Int128(usage.inputUncached) * Int128(rates.input)
    sum += Int128(usage.cacheRead) * Int128(rates.cacheRead)
    sum += Int128(usage.cacheWrite5m) * Int128(rates.cacheWrite5m)
    sum += Int128(usage.cacheWrite1h) * Int128(rates.cacheWrite1h)
    sum += Int128(usage.inputAudio) * Int128(rates.inputAudio)
    sum += Int128(usage.inputImage) * Int128(rates.inputImage)
    sum += Int128(usage.outputText) * Int128(rates.output)
    sum += Int128(usage.outputReasoning) * Int128(rates.outputReasoning)
    sum += Int128(usage.outputAudio) * Int128(rates.outputAudio)
    return Self.roundedUp(sum)
  }

  /// An upper bound of the price of a call with at most these token counts, at the dearest
  /// context tier, modality and service tier that it can reach; nil on overflow.
  ///
  /// - Parameter serviceTier: the tier that the request names; nil where it names none. A tier that
  ///   the book does not know, and `auto`, are bounded by the dearest one known.
  public func worstCase(
    inputTokens: Int64, outputTokens: Int64, serviceTier: String? = nil
  ) -> Money? {
    var candidates = [base] + tiers.filter { inputTokens > $0.aboveInputTokens }.map(\.rates)
    switch serviceTier {
    case nil, "default", "standard": break
    case let tier?:
      if let rates = serviceTiers[tier] {
        candidates.append(rates)
      } else {
        candidates.append(contentsOf: serviceTiers.values)
      }
    }
    let input = candidates.map(\.dearestInput).max() ?? 0
    let output = candidates.map(\.dearestOutput).max() ?? 0
    return Self.roundedUp(
      Int128(inputTokens) * Int128(input) + Int128(outputTokens) * Int128(output))
  }

  private func rates(inputTokens: Int64, serviceTier: String?) -> TokenRates {
    if let serviceTier, let rates = serviceTiers[serviceTier] { return rates }
    return tiers.last { inputTokens > $0.aboveInputTokens }?.rates ?? base
  }

  /// Token-nanodollars per million to nanodollars, rounded up.
  private static func roundedUp(_ sum: Int128) -> Money? {
    let million: Int128 = 1_000_000
    let rounded = (sum + million - 1) / million
    guard rounded >= 0, rounded <= Int128(Int64.max) else { return nil }
    return Money(nanodollars: Int64(rounded))
  }
}

/// Dated prices of all models, by model id and alias.
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
}
