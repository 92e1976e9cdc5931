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

  /// The dearer rate of the two, bucket by bucket.
  func dearer(_ other: TokenRates) -> TokenRates {
    var rates = self
    rates.input = max(input, other.input)
    rates.cacheRead = max(cacheRead, other.cacheRead)
    rates.cacheWrite5m = max(cacheWrite5m, other.cacheWrite5m)
    rates.cacheWrite1h = max(cacheWrite1h, other.cacheWrite1h)
    rates.inputAudio = max(inputAudio, other.inputAudio)
    rates.inputImage = max(inputImage, other.inputImage)
    rates.output = max(output, other.output)
    rates.outputReasoning = max(outputReasoning, other.outputReasoning)
    rates.outputAudio = max(outputAudio, other.outputAudio)
    return rates
  }
}

/// One model's price from a date on. A class, since every call holds one: a reference is what it
/// costs.
public final class ModelPrice: Sendable {
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
  public let effectiveFrom: Timestamp
  public let base: TokenRates
  /// Ascending by `aboveInputTokens`.
  public let tiers: [Tier]
  /// Rates by the service tier that the provider returns, e.g. `priority`, `flex`.
  public let serviceTiers: [String: TokenRates]
  /// Context tiers of a service tier, ascending; one without its own here costs, on a long call,
  /// the dearer of its rates and the base's context tier.
  public let serviceContexts: [String: [Tier]]
  /// The most output tokens that the model can produce for one choice; nil where the book is
  /// silent.
  public let outputTokensMax: Int64?

  public init(
    effectiveFrom: Timestamp, base: TokenRates, tiers: [Tier] = [],
    serviceTiers: [String: TokenRates] = [:], serviceContexts: [String: [Tier]] = [:],
    outputTokensMax: Int64? = nil
  ) {
    self.effectiveFrom = effectiveFrom
    self.base = base
    self.tiers = tiers
    self.serviceTiers = serviceTiers
    self.serviceContexts = serviceContexts
    self.outputTokensMax = outputTokensMax
  }

  /// The price of a usage, rounded up once to a whole nanodollar; nil on overflow.
  ///
  /// - Parameter serviceTier: the tier that the provider *returned*; an unknown one, or nil, is
  ///   priced at the base (or context-tier) rates.
  public func cost(of usage: Usage, serviceTier: String? = nil) -> Money? {
    let rates = rates(inputTokens: usage.inputTotal, serviceTier: serviceTier)
    var sum = CostSum()
    sum.add(usage.inputUncached, at: rates.input)
    sum.add(usage.cacheRead, at: rates.cacheRead)
    sum.add(usage.cacheWrite5m, at: rates.cacheWrite5m)
    sum.add(usage.cacheWrite1h, at: rates.cacheWrite1h)
    sum.add(usage.inputAudio, at: rates.inputAudio)
    sum.add(usage.inputImage, at: rates.inputImage)
    sum.add(usage.outputText, at: rates.output)
    sum.add(usage.outputReasoning, at: rates.outputReasoning)
    sum.add(usage.outputAudio, at: rates.outputAudio)
    return sum.roundedUp
  }

  /// An upper bound of the price of a call with at most these token counts, at the dearest
  /// context tier, modality and service tier that it can reach; nil on overflow.
  ///
  /// - Parameter serviceTier: the tier that the request names. None is bounded as `auto` is, by the
  ///   dearest tier known: the provider's project settings, not the request, then choose it. A tier
  ///   that the book does not know is bounded likewise.
  public func worstCase(
    inputTokens: Int64, outputTokens: Int64, serviceTier: String? = nil
  ) -> Money? {
    var input = base.dearestInput
    var output = base.dearestOutput
    func consider(_ rates: TokenRates) {
      input = max(input, rates.dearestInput)
      output = max(output, rates.dearestOutput)
    }
    func consider(_ contexts: [Tier]) {
      for tier in contexts where inputTokens > tier.aboveInputTokens { consider(tier.rates) }
    }
    consider(tiers)
    switch serviceTier {
    case "default", "standard": break
    case let tier? where serviceTiers[tier] != nil:
      if let rates = serviceTiers[tier] { consider(rates) }
      consider(serviceContexts[tier] ?? [])
    default:
      for (tier, rates) in serviceTiers {
        consider(rates)
        consider(serviceContexts[tier] ?? [])
      }
    }
    var sum = CostSum()
    sum.add(inputTokens, at: input)
    sum.add(outputTokens, at: output)
    return sum.roundedUp
  }

  private func rates(inputTokens: Int64, serviceTier: String?) -> TokenRates {
    let context = tiers.last { inputTokens > $0.aboveInputTokens }?.rates
    guard let serviceTier, let service = serviceTiers[serviceTier] else { return context ?? base }
    if let contexts = serviceContexts[serviceTier], !contexts.isEmpty {
      return contexts.last { inputTokens > $0.aboveInputTokens }?.rates ?? service
    }
    return context.map { service.dearer($0) } ?? service
  }
}

/// Tokens × nanodollars per million, added up exactly and rounded up once.
private struct CostSum {
  private var sum: Int128 = 0
  /// A count comes from outside: it must refuse, not trap.
  private var hasOverflowed = false

  mutating func add(_ tokens: Int64, at rate: Int64) {
    guard tokens != 0 else { return }
    let (next, overflow) = sum.addingReportingOverflow(Int128(tokens) * Int128(rate))
    sum = next
    hasOverflowed = hasOverflowed || overflow
  }

  /// Whole nanodollars; nil on overflow or below zero.
  var roundedUp: Money? {
    guard !hasOverflowed, sum >= 0 else { return nil }
    let million: Int64 = 1_000_000
    // Most sums fit into a word, whose division costs a tenth.
    if let small = Int64(exactly: sum) {
      return Money(nanodollars: small / million + (small % million > 0 ? 1 : 0))
    }
    let rounded = sum / Int128(million) + (sum % Int128(million) > 0 ? 1 : 0)
    return Int64(exactly: rounded).map(Money.init(nanodollars:))
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

  /// All names that a request may use for a priced model, aliases too, sorted.
  public var names: [String] {
    prices.keys.sorted() + aliases.filter { prices[$0.value] != nil }.keys.sorted()
  }
}
