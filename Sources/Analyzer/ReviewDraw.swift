// Drawing outputs for persons to label: some of every label that the classifier gave, more where
// it was found wrong before, each with a known probability.

import Drift
import Foundation
import Labels
import Metering
import Store

/// A round of review, drawn and not yet stored.
public struct ReviewDraw: Hashable, Sendable {
  public let round: ReviewRound
  /// In the order in which they are to be shown: random, so that whoever stops early has still
  /// labelled a random part of each label's outputs.
  public let items: [ReviewItem]

  /// Labels the span's outputs and draws.
  ///
  /// - Parameters:
  ///   - classifier: the one that is checked.
  ///   - conditions: as given, for the record.
  ///   - count: how many to draw; fewer where there are not so many.
  /// - Throws: `no_samples`, `store`.
  public init(
    of span: SampleSpan, by classifier: any Classifier, conditions: [String], count: Int64,
    at now: Timestamp, in store: StoreDatabase
  ) throws(AnalyzerFault) {
    let times: (first: Timestamp, last: Timestamp)?
    let byLabel: [String: [Int64]]
    do {
      try Labelling.complete(span, by: [classifier], in: store)
      times = try store.sampleTimes(of: span)
      byLabel = try store.sampleIDsByLabel(of: span, by: classifier.instrument)
    } catch {
      throw .store("The outputs of \(span.app) could not be labelled", error)
    }
    guard let times, !byLabel.isEmpty else {
      throw AnalyzerFault(
        .noSamples, "App \(span.app) has no samples there to draw from",
        hint: "See what there is with 'leeway samples list --app \(span.app)'.")
    }
    let earlier = try Self.earlier(of: span.app, classifier, in: store)
    let names = byLabel.keys.sorted()
    let strata = names.map { name in
      CheckStratum(
        outputs: Int64(byLabel[name]?.count ?? 0), checked: earlier.checked[name] ?? 0,
        wrong: earlier.wrong[name] ?? 0)
    }
    let counts = neymanAllocation(strata, total: count)
    var random = Xoshiro256(
      seed: Self.seed(span.app, classifier.version, round: earlier.rounds + 1))
    var items: [ReviewItem] = []
    for (name, count) in zip(names, counts) {
      let drawn = (byLabel[name] ?? []).shuffled(using: &random).prefix(Int(count))
      items += drawn.map { ReviewItem(sample: $0, predicted: name) }
    }
    self.items = items.shuffled(using: &random)
    round = ReviewRound(
      app: span.app, classifier: classifier.name, version: classifier.version, drawnAt: now,
      filter: conditions, since: times.first, until: times.last,
      population: Dictionary(uniqueKeysWithValues: zip(names, strata.map(\.outputs))))
  }

  private static func earlier(
    of app: String, _ classifier: any Classifier, in store: StoreDatabase
  ) throws(AnalyzerFault) -> (rounds: Int, checked: [String: Int64], wrong: [String: Int64]) {
    do {
      let rounds = try store.reviews(app: app, classifier: classifier.name)
        .filter { $0.version == classifier.version }
      var checked: [String: Int64] = [:]
      var wrong: [String: Int64] = [:]
      for round in rounds {
        for item in try store.reviewItems(round: round.id ?? 0) {
          guard case .label(let label) = item.answer else { continue }
          checked[item.predicted, default: 0] += 1
          if label != item.predicted { wrong[item.predicted, default: 0] += 1 }
        }
      }
      return (rounds.count, checked, wrong)
    } catch { throw .reviews(of: app, error) }
  }

  private static func seed(_ app: String, _ version: String, round: Int) -> UInt64 {
    UInt64(hexDigest(["review", app, version, "\(round)"]), radix: 16) ?? 0
  }
}

extension AnalyzerFault {
  static func reviews(of app: String, _ cause: any Error) -> AnalyzerFault {
    .store("The reviews of \(app) could not be read", cause)
  }
}
