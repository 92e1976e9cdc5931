// What a model costs, by context tier and service tier.

/// One model's price from a date on. A class, since every call holds one: a reference is what it
/// costs.
public final class ModelPrice: Sendable {
  /// Rates for calls whose input passes a size; the whole call is billed at the tier's rates.
  public struct Tier: Hashable, Sendable, Codable {
    /// The tier holds where the call's input exceeds this many tokens.
    public var aboveInputTokens: Int64
    public var rates: Rates

    public init(aboveInputTokens: Int64, rates: Rates) {
      self.aboveInputTokens = aboveInputTokens
      self.rates = rates
    }
  }

  /// The service tier of batches.
  public static let batchTier = "batch"
  /// As what a batch is recorded whose answers were not all served alike, or not as a batch's.
  public static let mixedBatchTier = "batch, mixed"

  /// The first moment at which this price holds.
  public let effectiveFrom: Timestamp
  public let base: Rates
  /// Ascending by `aboveInputTokens`. What a tier does not state is as in `base`.
  public let tiers: [Tier]
  /// Rates by the service tier that the provider returns, e.g. `priority`, `flex`, `batch`. What
  /// one does not state is as in `base`.
  public let serviceTiers: [String: Rates]
  /// Context tiers of a service tier, ascending; one without its own here costs, on a long call,
  /// the dearer of its rates and the base's context tier.
  public let serviceContexts: [String: [Tier]]
  /// The most output tokens that the model can produce for one choice; nil where the book is
  /// silent.
  public let outputTokensMax: Int64?
  /// The model's context window: the most tokens that can go in; nil where the book is silent.
  public let inputTokensMax: Int64?
  /// How the model bills searches that nobody asked for; nil: it makes none.
  public let ownSearches: OwnSearches?
  /// What a token costs in regions with a price of their own, in thousandths of its rate.
  public let regions: [String: Int64]
  /// Whether every kind of token has a price; false for models that are billed by other units.
  public let pricesTokens: Bool
  /// Whether some kind of token that goes in and some that comes out has a price; false for models
  /// that are billed by the second, the picture or the character.
  public let isBilledByTokens: Bool
  /// Whether some token that goes in, or comes out, costs more than nothing at some tier.
  public let chargesInput: Bool
  public let chargesOutput: Bool

  public init(
    effectiveFrom: Timestamp, base: Rates, tiers: [Tier] = [],
    serviceTiers: [String: Rates] = [:], serviceContexts: [String: [Tier]] = [:],
    outputTokensMax: Int64? = nil, inputTokensMax: Int64? = nil, ownSearches: OwnSearches? = nil,
    regions: [String: Int64] = [:]
  ) {
    self.effectiveFrom = effectiveFrom
    self.base = base
    self.tiers = tiers.map { Self.tier($0, inheriting: base) }
    let services = serviceTiers.mapValues { $0.inheriting(base) }
    self.serviceTiers = services
    self.serviceContexts = Dictionary(
      uniqueKeysWithValues: serviceContexts.map { name, contexts in
        (name, contexts.map { Self.tier($0, inheriting: services[name] ?? base) })
      })
    self.outputTokensMax = outputTokensMax
    self.inputTokensMax = inputTokensMax
    self.ownSearches = ownSearches
    self.regions = regions
    isBilledByTokens = base.dearestInput >= 0 && base.dearestOutput >= 0
    let all =
      [base] + self.tiers.map(\.rates) + services.values
      + self.serviceContexts.values.joined().map(\.rates)
    chargesInput = all.contains { $0.dearestInput > 0 }
    chargesOutput = all.contains { $0.dearestOutput > 0 }
    pricesTokens = base.rate(of: .inputUncached) != nil && base.rate(of: .outputText) != nil
  }

  private static func tier(_ tier: Tier, inheriting base: Rates) -> Tier {
    Tier(aboveInputTokens: tier.aboveInputTokens, rates: tier.rates.inheriting(base))
  }

  /// The price of a usage and the flat fee of its request, rounded up once to a whole nanodollar;
  /// nil on overflow.
  ///
  /// Units without a price add nothing: ask `unpricedBucket(of:)` for them.
  ///
  /// - Parameter serviceTier: the tier that the provider *returned*; an unknown one, or nil, is
  ///   priced at the base (or context-tier) rates.
  public func cost(of usage: Usage, serviceTier: String? = nil) -> Money? {
    let rates = rates(inputTokens: usage.inputTotal, serviceTier: serviceTier)
    var sum = CostSum()
    usage.forEachCount { bucket, count in
      if let rate = rates.rate(of: bucket) { sum.add(count, at: rate) }
    }
    if rates.requestFee > 0, usage[.requests] == 0 { sum.add(1, at: rates.requestFee) }
    return sum.roundedUp
  }

  /// The first bucket of a usage that has no price; nil where all have one. A request without a fee
  /// has one.
  public func unpricedBucket(of usage: Usage) -> UsageBucket? {
    var first: UsageBucket?
    usage.forEachCount { bucket, _ in
      if first == nil, bucket != .requests, base.rate(of: bucket) == nil { first = bucket }
    }
    return first
  }

  /// An upper bound of the price of a call with at most these token counts, at the dearest
  /// context tier, modality and service tier that it can reach; nil on overflow, or where a unit
  /// has no price.
  ///
  /// - Parameters:
  ///   - units: at most so many of buckets that are no tokens.
  ///   - region: as in `dearestRegion(asked:)`.
  ///   - serviceTier: the tier that the request names. None is bounded as `auto` is, by the
  ///     dearest tier known: the provider's project settings, not the request, then choose it. A
  ///     tier that the book does not know is bounded likewise.
  public func worstCase(
    inputTokens: Int64, outputTokens: Int64, units: [UsageCount] = [], serviceTier: String? = nil,
    region: String? = nil
  ) -> Money? {
    Self.worst(
      inputTokens, outputTokens, units, region: dearestRegion(asked: region)
    ) { body in
      forEachReachable(inputTokens: inputTokens, serviceTier: serviceTier, body)
    }
  }

  /// An upper bound of the price of a call that is certain to be served at a tier: at the dearest
  /// context tier and modality that it can reach; nil on overflow, or where a unit has no price.
  ///
  /// - Parameter units: as above.
  public func worstCase(
    inputTokens: Int64, outputTokens: Int64, units: [UsageCount] = [], servedAs tier: String
  ) -> Money? {
    let contexts = (tiers + (serviceContexts[tier] ?? [])).map(\.aboveInputTokens)
    let reachable = ([0] + contexts.filter { $0 < inputTokens }.map { $0 + 1 }).map {
      rates(inputTokens: $0, serviceTier: tier)
    }
    return Self.worst(
      inputTokens, outputTokens, units, region: dearestRegion(asked: nil)
    ) { reachable.forEach($0) }
  }

  @inline(__always)
  private static func worst(
    _ inputTokens: Int64, _ outputTokens: Int64, _ units: [UsageCount], region: Int64,
    forEachReachable: ((Rates) -> Void) -> Void
  ) -> Money? {
    var dearest = DearestRates()
    forEachReachable { dearest.consider($0) }
    dearest.scale(toThousandths: region)
    guard var sum = dearest.sum(input: inputTokens, output: outputTokens) else { return nil }
    for unit in units where unit.count != 0 {
      var rate: Int64 = -1
      forEachReachable { rate = max(rate, $0.rate(of: unit.bucket) ?? -1) }
      if rate < 0 { return nil }
      sum.add(unit.count, at: rate)
    }
    sum.add(1, at: dearest.requestFee)
    return sum.roundedUp
  }

  private func forEachReachable(
    inputTokens: Int64, serviceTier: String?, _ body: (Rates) -> Void
  ) {
    func consider(_ contexts: [Tier]) {
      for tier in contexts where inputTokens > tier.aboveInputTokens { body(tier.rates) }
    }
    body(base)
    consider(tiers)
    switch serviceTier {
    case "default", "standard", "standard_only": break
    case let tier? where serviceTiers[tier] != nil:
      if let rates = serviceTiers[tier] { body(rates) }
      consider(serviceContexts[tier] ?? [])
    default:
      for (tier, rates) in serviceTiers {
        body(rates)
        consider(serviceContexts[tier] ?? [])
      }
    }
  }

  /// Whether calls that went as batches cost together what each costs by itself, but for rounding:
  /// no context tier can be among them, nor a fee of requests that were not counted.
  ///
  /// - Parameters:
  ///   - usage: of all together.
  ///   - serviceTier: as in `rates(inputTokens:serviceTier:)`.
  public func addsUp(_ usage: Usage, serviceTier: String) -> Bool {
    let tier = Self.parts(ofServed: serviceTier)?.tier ?? serviceTier
    let contexts = tiers + (serviceContexts[tier] ?? [])
    let input = usage.inputTotal
    return contexts.allSatisfy { input <= $0.aboveInputTokens }
      && (usage[.requests] > 0
        || rates(inputTokens: input, serviceTier: serviceTier).requestFee == 0)
  }

  /// The rates at which a call of so much input is charged.
  ///
  /// - Parameter serviceTier: as in `cost(of:serviceTier:)`, with the region where there is one:
  ///   see `served(as:in:)`.
  public func rates(inputTokens: Int64, serviceTier: String?) -> Rates {
    let context = tiers.last { inputTokens > $0.aboveInputTokens }?.rates
    guard let serviceTier, let service = serviceTiers[serviceTier] else {
      guard let (tier, region) = serviceTier.flatMap(Self.parts) else { return context ?? base }
      let rates = rates(inputTokens: inputTokens, serviceTier: tier)
      return regions[region].map { rates.scaled(toThousandths: $0) } ?? rates
    }
    if let contexts = serviceContexts[serviceTier], !contexts.isEmpty {
      return contexts.last { inputTokens > $0.aboveInputTokens }?.rates ?? service
    }
    return context.map { service.dearer($0) } ?? service
  }
}

/// The dearest rates of all that a call may meet; -1: none has a price.
private struct DearestRates {
  private var input: Int64 = -1
  private var output: Int64 = -1
  private(set) var requestFee: Int64 = 0

  mutating func consider(_ rates: Rates) {
    requestFee = max(requestFee, rates.requestFee)
    input = max(input, rates.dearestInput)
    output = max(output, rates.dearestOutput)
  }

  mutating func scale(toThousandths factor: Int64) {
    if input > 0 { input = Rates.scaled(input, toThousandths: factor) }
    if output > 0 { output = Rates.scaled(output, toThousandths: factor) }
  }

  /// What tokens cost at them; nil where tokens have no price.
  func sum(input inputTokens: Int64, output outputTokens: Int64) -> CostSum? {
    if inputTokens > 0 && input < 0 || outputTokens > 0 && output < 0 { return nil }
    var sum = CostSum()
    sum.add(inputTokens, at: input)
    sum.add(outputTokens, at: output)
    return sum
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
