// What a batch can cost: the sum of its requests, each at its own model's price.

import Metering
import Providers

extension CallEstimate {
  /// Bounds a batch, of whose first request the model is known. Where the book has no price of its
  /// own for batches, the list's holds.
  mutating func takeBatch(_ batch: PeekedRequest, prices: PriceBook, at now: Timestamp) {
    jobKind = batch.jobKind
    serviceTier = ModelPrice.batchTier
    otherModels = Set(batch.parts.map(\.model)).subtracting([model]).sorted()
    var found: [String: ModelPrice] = [:]
    var sum = Money.zero
    var output: Int64 = 0
    var denial = batch.unboundablePart.map { Denial.costUnbounded(part: $0) }
    for part in batch.parts {
      inputTokens = inputTokens.addingClamped(part.inputTokensMax)
      guard let price = found[part.model] ?? prices.price(model: part.model, at: now) else {
        denial = denial ?? .modelUnpriced(model: part.model, file: prices.file)
        continue
      }
      found[part.model] = price
      if price.ownSearches != nil {
        denial = denial ?? .costUnbounded(part: "the searches that '\(part.model)' makes")
      }
      guard let most = part.outputTokensMax else {
        denial = denial ?? .outputUnbounded(field: batch.outputBoundField)
        continue
      }
      output = output.addingClamped(most)
      let worst = price.worstCase(
        inputTokens: part.inputTokensMax, outputTokens: most, servedAs: ModelPrice.batchTier)
      guard let after = worst.flatMap({ sum.adding($0) }) else {
        denial = denial ?? .costUnbounded(part: "its size")
        continue
      }
      sum = after
    }
    outputTokens = output
    bound = denial.map { .none($0) } ?? .atMost(sum)
  }
}
