// What requests for pictures, speech and transcriptions have in common: they are billed by tokens
// at some models and by other units at others, which only the price tells.

import Metering

/// What a call costs beside its tokens.
struct MediaUnits: Hashable, Sendable {
  /// A unit that a request leaves open.
  struct Uncounted: Hashable, Sendable {
    var bucket: UsageBucket
    /// What leaves it open, for people.
    var part: String
    /// Tokens bound the work all the same, at a model that asks for those of both sides.
    var isBoundByTokens = false
  }

  /// The same work in units of several kinds; the first one with a price counts.
  var alternatives: [UsageCount] = []
  /// What goes in; counts where it has a price.
  var inputs: [UsageCount] = []
  /// Whether the alternatives are what is billed where the whole of it is answered, not a bound.
  var isExact = false
  /// One more alternative, where the request does not say how many; nil: there is none.
  var uncounted: Uncounted?
}

extension PeekedRequest {
  /// How it is billed depends on its model's price: see `billed(at:)`.
  public var isMedia: Bool { media != nil }

  /// The same request as a model of this price bills it: by its tokens, by units that are none, or
  /// by both, which add up. Tokens that cost nothing need no bound.
  public consuming func billed(at price: ModelPrice?) -> PeekedRequest {
    guard let media, let price else { return self }
    func costs(_ bucket: UsageBucket) -> Bool { price.base.rate(of: bucket) ?? 0 > 0 }
    let dear = media.alternatives.first { costs($0.bucket) }
    let uncounted = media.uncounted.flatMap { costs($0.bucket) ? $0 : nil }
    let isByTokens =
      uncounted.map { $0.isBoundByTokens && price.chargesInput && price.chargesOutput }
      ?? price.isBilledByTokens
    if dear == nil, isByTokens { return self }
    if !price.chargesInput {
      inputTokensMax = 0
      fillsContext = false
    }
    if !price.chargesOutput { outputTokensPerChoice = 0 }
    if let unit = dear ?? (uncounted == nil ? media.unit(at: price) : nil) {
      units = [unit] + media.inputs.filter { $0.count > 0 && costs($0.bucket) }
      hasExactUnits =
        media.isExact && units.count == 1 && !price.chargesInput && !price.chargesOutput
    } else {
      unboundablePart = uncounted?.part ?? media.uncounted?.part ?? unboundablePart
    }
    return self
  }
}

extension PeekedRequest {
  /// What its work is counted in where no tokens are; nil: it is billed by tokens, as far as its
  /// model's name tells.
  public var mediaUnit: UsageBucket? {
    guard let media, outputTokensPerChoice == nil else { return nil }
    return media.alternatives.first?.bucket ?? media.uncounted?.bucket
  }
}

extension MediaUnits {
  /// The unit of a price that asks nothing for any; without one the first, so that the cost has no
  /// bound.
  fileprivate func unit(at price: ModelPrice) -> UsageCount? {
    alternatives.first { price.base.rate(of: $0.bucket) != nil } ?? alternatives.first
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
