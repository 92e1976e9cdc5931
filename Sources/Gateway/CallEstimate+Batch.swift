// What a batch can cost: the sum of its requests, each at its own model's price.

import Metering
import Providers

/// The sum over the requests of a batch, added up one by one. Where the book has no price of its
/// own for batches, the list's holds.
struct BatchBound: Sendable {
  private let prices: PriceBook
  private let start: Timestamp
  private var found: [String: ModelPrice?] = [:]
  private var sum = Money.zero
  private var denial: Denial?
  /// The first model.
  private(set) var model = ""
  private(set) var inputTokens: Int64 = 0
  private(set) var outputTokens: Int64 = 0
  /// Requests that may cost.
  private(set) var requests: Int64 = 0
  /// As `CallEstimate.boundsTokens`, of all requests.
  private(set) var boundsTokens = true
  /// It names more models than are looked up.
  private(set) var hasTooManyModels = false

  /// A batch of a file could name millions, and each has a price, a purse and a name in the ledger.
  static let modelsMax = 64

  /// - Parameters:
  ///   - start: the moment whose prices hold.
  init(prices: PriceBook, at start: Timestamp) {
    self.prices = prices
    self.start = start
  }

  var models: [String] { found.keys.sorted() }

  var families: [String] { Set(found.keys.map { prices.family(of: $0, at: start) }).sorted() }

  /// Why such a batch is not made, whatever its app; nil: it may be.
  var refusal: Denial? {
    guard hasTooManyModels else { return nil }
    return .requestInvalid(
      message: "This batch names more than \(Self.modelsMax) models. Split it, so that each part "
        + "names at most so many.")
  }

  var bound: CostBound { denial.map { .none($0) } ?? .atMost(sum) }

  /// Adds a request of a batch that holds its requests itself.
  mutating func add(_ part: BatchPart, outputField: String) {
    let price = price(of: part.model)
    add(
      model: part.model, price: price, inputTokens: part.inputTokensMax,
      outputTokens: part.outputTokensMax ?? price?.outputTokensMax, units: [], place: nil,
      outputField: outputField)
  }

  /// Adds a request that stands elsewhere.
  ///
  /// - Parameters:
  ///   - place: what tells people which one it is.
  ///   - saving: by how much fewer tokens its input has than its bytes say.
  mutating func add(_ request: PeekedRequest, place: String, saving: Int64 = 0) {
    // Results do not say what was asked for, so that what was held is the charge.
    let price =
      price(of: request.model) ?? request.dearestPicture(in: prices, at: start)?.price
    let request = request.priced(at: price)
    if !request.boundsTokens(at: price) { boundsTokens = false }
    if let part = request.unboundablePart { unbounded(.costUnbounded(part: part), place) }
    let modelMost = request.isModelOutputEnforced ? price?.outputTokensMax : nil
    add(
      model: request.model, price: price, inputTokens: request.inputTokensMax - saving,
      outputTokens: request.outputTokensMax ?? modelMost.map { request.outputTokens(ofEach: $0) },
      units: request.units, tier: request.serviceTier, place: place,
      outputField: request.outputBoundField)
  }

  /// Whatever it adds up to, this has no bound.
  mutating func unbounded(_ denial: Denial, _ place: String? = nil) {
    guard self.denial == nil else { return }
    self.denial = place.map { .part(place: $0, denial) } ?? denial
  }

  private mutating func price(of model: String) -> ModelPrice? {
    if let known = found[model] { return known }
    guard found.count < Self.modelsMax else {
      hasTooManyModels = true
      return nil
    }
    let price = prices.price(model: model, at: start)
    found[model] = .some(price)
    if self.model.isEmpty { self.model = model }
    return price
  }

  private mutating func add(
    model: String, price: ModelPrice?, inputTokens: Int64, outputTokens: Int64?,
    units: [UsageCount], tier: String? = nil, place: String?, outputField: String
  ) {
    requests += 1
    self.inputTokens = self.inputTokens.addingClamped(inputTokens)
    guard let price else {
      return unbounded(.modelUnpriced(model: model, file: prices.file), place)
    }
    if price.ownSearches != nil {
      return unbounded(.costUnbounded(part: "the searches that '\(model)' makes"), place)
    }
    guard let outputTokens else {
      return unbounded(.costUnbounded(part: Self.outputPart(outputField)), place)
    }
    self.outputTokens = self.outputTokens.addingClamped(outputTokens)
    var worst = price.worstCase(
      inputTokens: inputTokens, outputTokens: outputTokens, units: units,
      servedAs: ModelPrice.batchTier)
    // A provider may serve a request at the tier that it names.
    if let tier, tier != "auto", tier != ModelPrice.batchTier, let most = worst {
      worst = price.worstCase(
        inputTokens: inputTokens, outputTokens: outputTokens, units: units, serviceTier: tier
      ).map { max($0, most) }
    }
    guard let after = worst.flatMap({ sum.adding($0) }) else {
      return unbounded(.costUnbounded(part: "its size"), place)
    }
    sum = after
  }

  /// No bound of the app's can be put into a batch.
  private static func outputPart(_ field: String) -> String {
    let most = "outputTokensMax of the model's price would bound it"
    return "the length of its output (\(field.isEmpty ? "" : "'\(field)' or ")\(most))"
  }
}

extension CallEstimate {
  /// Takes over what a batch's requests can cost.
  mutating func take(_ batch: BatchBound) {
    model = batch.model
    otherModels = batch.models.filter { $0 != model }
    families = batch.families
    boundsTokens = batch.boundsTokens
    inputTokens = batch.inputTokens
    outputTokens = batch.outputTokens
    requests = batch.requests
    bound = batch.bound
  }

  /// Bounds a batch that holds its requests itself.
  ///
  /// - Returns: why it is not taken.
  mutating func takeBatch(
    _ batch: PeekedRequest, prices: PriceBook, at now: Timestamp
  ) -> Denial? {
    jobKind = batch.jobKind
    serviceTier = ModelPrice.batchTier
    var sum = BatchBound(prices: prices, at: now)
    if let part = batch.unboundablePart { sum.unbounded(.costUnbounded(part: part)) }
    for part in batch.parts { sum.add(part, outputField: batch.outputBoundField) }
    take(sum)
    return sum.refusal
  }

  /// Takes what a batch says whose requests stand in a file: their cost is not known yet.
  ///
  /// - Returns: why it is not taken.
  mutating func takeInput(of batch: PeekedRequest, limitsModels: Bool) -> Denial? {
    serviceTier = ModelPrice.batchTier
    batchInput = batch.batchInput
    if let window = batch.jobWindowMilliseconds { jobWindowMilliseconds = window }
    jobKind = batchInput?.endpoint == .free ? nil : batch.jobKind
    let denial = Denial.costUnbounded(part: batch.unboundablePart ?? "its input file")
    bound = .none(denial)
    return batchInput == nil && limitsModels ? denial : nil
  }
}
