// What a batch used and costs: each answer at its own price, added up by model.
//
// Answers are priced one by one, since the size of each decides its context tier.

import Metering
import Providers

/// The sum of a batch's answers. Its size is bounded by the number of models, not of answers.
struct BatchTally: Sendable {
  private(set) var cost = CallCost.zero
  /// In the order in which they were met first.
  private var models: [ModelUsage] = []
  private let job: FollowedJob
  private let prices: PriceBook
  private let asked: ModelPrice?
  private var isPartial = false
  /// How the latest answer was served; whether another was served otherwise, or not as a batch's.
  private var served: String?
  private var isMixed = false

  init(_ job: FollowedJob, prices: PriceBook) {
    self.job = job
    self.prices = prices
    asked = prices.price(model: job.model, at: job.startedAt)
  }

  /// Adds one answer.
  mutating func add(_ reading: CallReading) {
    guard let usage = reading.usage else { return }
    let tier = Self.tier(of: reading)
    let served = ModelPrice.served(as: tier, in: reading.region)
    if tier != ModelPrice.batchTier || self.served ?? served != served { isMixed = true }
    self.served = served
    let each = prices.cost(
      of: usage, otherModels: reading.otherModels, model: job.model, asked: asked,
      responseModel: reading.responseModel, serviceTier: served, at: job.startedAt)
    cost.add(each)
    let model = reading.responseModel.isEmpty ? job.model : reading.responseModel
    if each == nil || hidesPictures(usage, of: model) { markPartial() }
    var counted = usage
    counted[.requests] = 1
    add(counted, of: Settlement.journaled(model))
    for other in reading.otherModels { add(other.usage, of: other.model) }
  }

  /// Something was answered that cannot be counted: the batch costs what was held for it, if what
  /// was counted does not cost more.
  mutating func markPartial() { (cost.isPartial, isPartial) = (true, true) }

  /// The tier that an answer was served at. What providers call their usual one in the answers of a
  /// batch is the batch's.
  private static func tier(of reading: CallReading) -> String {
    switch reading.serviceTier {
    case nil, "default", "standard", "auto", "": ModelPrice.batchTier
    case let tier?: tier
    }
  }

  /// Whether a usage leaves out the pictures that its model is billed by: they were asked for where
  /// nobody looks any more.
  private func hidesPictures(_ usage: Usage, of model: String) -> Bool {
    guard let price = prices.price(model: model, at: job.startedAt) ?? asked, !price.chargesOutput
    else { return false }
    let pictures = [UsageBucket.imagesOut, .pixelsOut]
    return pictures.contains { price.base.rate(of: $0) != nil }
      && pictures.allSatisfy { usage[$0] == 0 }
  }

  private mutating func add(_ usage: Usage, of model: String) {
    guard let index = models.firstIndex(where: { $0.model == model }) else {
      // A batch names few models; whoever makes up more is counted under the last, which says
      // nothing of its price then.
      if models.count < BatchBound.modelsMax {
        models.append(ModelUsage(model: model, usage: usage))
      } else {
        models[models.count - 1].usage.add(usage)
        isMixed = true
      }
      return
    }
    models[index].usage.add(usage)
  }

  /// The sum as one call's reading.
  var reading: CallReading {
    var reading = CallReading()
    reading.serviceTier =
      isMixed ? ModelPrice.mixedBatchTier : served ?? ModelPrice.batchTier
    guard let first = models.first else { return reading }
    reading.usage = first.usage
    if isPartial { reading.usage?.source = .estimated }
    reading.responseModel = first.model
    reading.otherModels = Array(models.dropFirst())
    return reading
  }
}

/// The results of a batch as they come, counted and forgotten.
struct BatchCount: Sendable {
  private(set) var reader: JobResultsReader
  private(set) var tally: BatchTally

  init(_ reader: JobResultsReader, _ tally: BatchTally) {
    self.reader = reader
    self.tally = tally
  }

  mutating func feed(_ bytes: UnsafeRawBufferPointer) {
    var tally = tally
    reader.feed(bytes) { tally.add($0) }
    self.tally = tally
  }

  mutating func finish() {
    var tally = tally
    reader.finish { tally.add($0) }
    self.tally = tally
  }
}
