// What a price file, or a table to import, says of one model from a day on.

import Metering

/// A dated price as it is stated: what it does not say is inherited when it becomes a `ModelPrice`.
struct PriceEntry: Hashable, Sendable {
  var from: CivilDate
  var base = Rates()
  /// Ascending by input size.
  var tiers: [ModelPrice.Tier] = []
  var serviceTiers: [String: Rates] = [:]
  /// Context tiers of service tiers; each of those stands in `serviceTiers` too.
  var serviceContexts: [String: [ModelPrice.Tier]] = [:]
  var outputTokensMax: Int64?
  var inputTokensMax: Int64?
  var ownSearches: OwnSearches?
  /// As in `ModelPrice`.
  var regions: [String: Int64] = [:]
  /// The day on which the provider stops serving the model.
  var retires: CivilDate?
  var aliases: [String] = []

  var price: ModelPrice {
    ModelPrice(
      effectiveFrom: from.start, base: base, tiers: tiers, serviceTiers: serviceTiers,
      serviceContexts: serviceContexts, outputTokensMax: outputTokensMax,
      inputTokensMax: inputTokensMax, ownSearches: ownSearches, regions: regions)
  }

  /// The same price from another day on.
  func beginning(_ day: CivilDate) -> PriceEntry {
    var entry = self
    entry.from = day
    return entry
  }

  /// A rate's place within a price.
  struct Place: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Empty: the base.
    var serviceTier = ""
    /// 0: the base.
    var aboveInputTokens: Int64 = 0

    static func < (left: Place, right: Place) -> Bool {
      (left.serviceTier, left.aboveInputTokens) < (right.serviceTier, right.aboveInputTokens)
    }

    /// `priority above 272000 input tokens`; empty for the base.
    var description: String {
      let above = aboveInputTokens == 0 ? "" : "above \(aboveInputTokens) input tokens"
      return [serviceTier, above].filter { !$0.isEmpty }.joined(separator: " ")
    }
  }

  /// All sections with what they state, the base first.
  var sections: [(place: Place, rates: Rates)] {
    var all = [(Place(), base)]
    all += tiers.map { (Place(aboveInputTokens: $0.aboveInputTokens), $0.rates) }
    for (name, rates) in serviceTiers.sorted(by: { $0.key < $1.key }) {
      all.append((Place(serviceTier: name), rates))
      all += (serviceContexts[name] ?? []).map {
        (Place(serviceTier: name, aboveInputTokens: $0.aboveInputTokens), $0.rates)
      }
    }
    return all
  }
}

extension CivilDate {
  /// The day's first moment in UTC.
  var start: Timestamp { Timestamp(milliseconds: Int64(daysSinceEpoch) * 86_400_000) }

  /// The day in UTC that a moment falls into.
  init(utc moment: Timestamp) {
    let day: Int64 = 86_400_000
    let days =
      moment.milliseconds >= 0
      ? moment.milliseconds / day : (moment.milliseconds + 1) / day - 1
    self.init(daysSinceEpoch: Int(days))
  }
}
