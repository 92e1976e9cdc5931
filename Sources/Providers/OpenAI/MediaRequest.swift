// What requests for pictures, speech and transcriptions have in common: they are billed by tokens
// at some models and by other units at others, which only the price tells.

import Metering

/// What a call costs at a model that is not billed by tokens.
struct MediaUnits: Hashable, Sendable {
  /// The same work in units of several kinds; the first one with a price counts.
  var alternatives: [UsageCount] = []
  /// What goes in; counts where it has a price.
  var inputs: [UsageCount] = []
  /// What keeps the work from being counted, for people; nil: nothing.
  var unboundablePart: String?
}

extension PeekedRequest {
  /// How it is billed depends on its model's price: see `billed(at:)`.
  public var isMedia: Bool { media != nil }

  /// The same request as a model of this price bills it.
  public consuming func billed(at price: ModelPrice?) -> PeekedRequest {
    guard let media, let price, !price.isBilledByTokens else { return self }
    inputTokensMax = 0
    outputTokensPerChoice = 0
    fillsContext = false
    unboundablePart = media.unboundablePart ?? unboundablePart
    let priced = media.alternatives.first { price.base.rate(of: $0.bucket) != nil }
    // Without a price for any of them the cost has no bound, and the first one says so.
    units = (priced ?? media.alternatives.first).map { [$0] } ?? []
    units += media.inputs.filter { $0.count > 0 && price.base.rate(of: $0.bucket) != nil }
    return self
  }
}

/// A decimal number of up to nine digits, as a form holds it; nil for anything else.
func formNumber(_ bytes: UnsafeRawBufferPointer) -> Int64? {
  guard (1...9).contains(bytes.count) else { return nil }
  var number: Int64 = 0
  for byte in bytes {
    let digit = byte &- UInt8(ascii: "0")
    guard digit < 10 else { return nil }
    number = number * 10 + Int64(digit)
  }
  return number
}
