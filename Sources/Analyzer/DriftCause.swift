// Where a shift came from: whether the same calls are answered otherwise, or other calls came. Told
// by each trait of the calls (the model, the app's tags) that can tell.

import Drift
import Foundation
import Labels
import Metering
import Store

/// One trait's account of the label that moved most.
public struct DriftCause: Hashable, Sendable, Encodable {
  /// Calls that share a value of the trait.
  public struct Cohort: Hashable, Sendable, Encodable {
    public var name: String
    /// Its share of all outputs, 0…1.
    public var baselineShare: Double
    public var periodShare: Double
    /// The label's share in it; nil where it has no outputs on that side.
    public var labelBaselineShare: Double?
    public var labelPeriodShare: Double?
    /// Its part in the label's shift: by being more or fewer, and by being answered otherwise.
    public var mix: Double
    public var within: Double
    /// When the period's first call of it was made, ISO 8601; only where the baseline has none.
    public var firstSeen: String?

    var part: Double { mix + within }
  }

  /// "model", "tag.prompt".
  public var trait: String
  public var label: String
  /// `mix + within`.
  public var shift: Double
  public var mix: Double
  public var within: Double
  /// Whether within its cohorts the label moved the other way: Simpson's paradox.
  public var isReversed: Bool
  /// Whether no value of the trait is on both sides: nothing can have moved within one.
  public var isReplaced: Bool
  /// Those with the largest part first, at most eight.
  public var cohorts: [Cohort]

  static let cohortsMax = 8

  /// Nil where the trait tells no calls apart.
  init?(trait: SampleTrait, label: String, _ tallies: [CohortTallies]) {
    guard tallies.count > 1, let whole = decomposeChange(tallies),
      let sum = whole.parts.first(where: { $0.label == label })
    else { return nil }
    self.trait = trait.description
    self.label = label
    (shift, mix, within, isReversed) = (sum.change, sum.mix, sum.within, sum.isReversed)
    isReplaced = whole.cohorts.allSatisfy { $0.baselineShare == 0 || $0.periodShare == 0 }
    let byName = Dictionary(tallies.map { ($0.name, $0) }) { first, _ in first }
    let all = whole.cohorts.compactMap { cohort -> Cohort? in
      guard let part = cohort.parts.first(where: { $0.label == label }),
        let tally = byName[cohort.name]
      else { return nil }
      return Cohort(
        name: cohort.name, baselineShare: cohort.baselineShare, periodShare: cohort.periodShare,
        labelBaselineShare: Self.share(of: label, in: tally.baseline),
        labelPeriodShare: Self.share(of: label, in: tally.period), mix: part.mix,
        within: part.within)
    }
    cohorts = Array(
      all.sorted { (abs($1.part), $0.name) < (abs($0.part), $1.name) }.prefix(Self.cohortsMax))
  }

  private static func share(of label: String, in tally: Tally) -> Double? {
    let labels = tally.labels
    let weights = tally.weights(of: labels)
    let sum = weights.reduce(0, +)
    guard sum > 0 else { return nil }
    return labels.firstIndex(of: label).map { weights[$0] / sum } ?? 0
  }
}

// MARK: - Finding it

/// A trait with more values is left out of a baseline: it tells calls apart, not kinds of them.
let traitValuesMax = 20

/// By trait, then cohort.
typealias Cohorts = [SampleTrait: [String: Tally]]

/// The labels of a span apart by every trait that it has.
func cohorts(
  of span: SampleSpan, by instrument: Instrument, traits: [SampleTrait]? = nil,
  in store: StoreDatabase
) throws(AnalyzerFault) -> Cohorts {
  do {
    var cohorts: Cohorts = [:]
    for trait in try traits ?? store.traits(of: span, valuesMax: traitValuesMax) {
      var tallies: [String: Tally] = [:]
      for row in try store.countLabels(of: span, by: instrument, apartBy: trait) {
        try tallies[row.cohort, default: Tally()].add(
          row.label, count: row.count, probability: row.probability)
      }
      cohorts[trait] = tallies
    }
    return cohorts
  } catch { throw .store("The outputs of \(span.app) could not be counted by cohort", error) }
}

extension AppComparison {
  /// What each trait says of the label that moved most; those first that explain more by the mix.
  /// None where the baseline was pinned without traits and its samples are gone.
  func causes(
    of member: Member, label: String, in store: StoreDatabase
  ) throws(AnalyzerFault) -> [DriftCause] {
    let before = try baselineCohorts(of: member, in: store)
    guard !before.isEmpty else { return [] }
    let instrument = Instrument(classifier: member.classifier, version: member.version)
    let traits = before.keys.sorted { $0.description < $1.description }
    let after = try cohorts(of: period, by: instrument, traits: traits, in: store)
    var causes: [DriftCause] = []
    for trait in traits {
      let tallies = Self.paired(before[trait] ?? [:], after[trait] ?? [:])
      guard var cause = DriftCause(trait: trait, label: label, tallies) else { continue }
      do {
        for index in cause.cohorts.indices where cause.cohorts[index].baselineShare == 0 {
          cause.cohorts[index].firstSeen =
            try store.firstTime(of: trait, cause.cohorts[index].name, in: period)?.iso8601
        }
      } catch { throw storeFault("The samples of \(policy.app) could not be read", error) }
      causes.append(cause)
    }
    return causes.sorted { (abs($1.mix), $0.trait) < (abs($0.mix), $1.trait) }
  }

  private func baselineCohorts(
    of member: Member, in store: StoreDatabase
  ) throws(AnalyzerFault) -> Cohorts {
    let known = baseline.members.first { $0.classifier == member.classifier }
    if !member.isRelabelled, let known, !known.cohorts.isEmpty { return known.cohorts }
    let counted = try cohorts(
      of: try baseline.span,
      by: Instrument(classifier: member.classifier, version: member.baselineVersion), in: store)
    // A part of the baseline's samples would pass for all of them.
    let outputs = counted[.model]?.values.reduce(0) { $0 + $1.total } ?? 0
    return outputs == member.family.comparison.baselineTotal ? counted : [:]
  }

  /// Cohorts of both sides; of those that are new, all but the largest are taken together.
  private static func paired(
    _ before: [String: Tally], _ after: [String: Tally]
  ) -> [CohortTallies] {
    let new = after.filter { before[$0.key] == nil }
      .sorted { ($1.value.total, $0.key) < ($0.value.total, $1.key) }
    var pairs = before.map {
      CohortTallies(name: $0.key, baseline: $0.value, period: after[$0.key] ?? Tally())
    }
    pairs += new.prefix(traitValuesMax).map {
      CohortTallies(name: $0.key, baseline: Tally(), period: $0.value)
    }
    let rest = new.dropFirst(traitValuesMax)
    if !rest.isEmpty {
      let together = rest.reduce(into: Tally()) { $0.merge($1.value) }
      pairs.append(CohortTallies(name: otherCohorts, baseline: Tally(), period: together))
    }
    return pairs
  }

  static let otherCohorts = "…"
}

// MARK: - In words

extension DriftCause {
  private var many: String { trait == "model" ? "models" : "values of \(trait)" }
  private var one: String { trait == "model" ? "model" : "value of \(trait)" }

  static func name(_ cohort: String) -> String {
    switch cohort {
    case "": "none"
    case AppComparison.otherCohorts: "other new ones"
    default: cohort
    }
  }

  /// What it says, a sentence each.
  var sentences: [String] {
    var sentences = ["By \(trait): \(account)"]
    for cohort in cohorts where cohort.baselineShare == 0 && cohort.periodShare > 0 {
      let since = cohort.firstSeen.map { " since \($0.replacing("T", with: " ").prefix(16)) UTC" }
      sentences.append(
        "New: \(Self.name(cohort.name)), \(Wording.percent(cohort.periodShare)) of the outputs"
          + "\(since ?? "").")
    }
    for cohort in cohorts where cohort.periodShare == 0 && cohort.baselineShare > 0 {
      sentences.append(
        "Gone: \(Self.name(cohort.name)), "
          + "\(Wording.percent(cohort.baselineShare)) of the baseline's outputs.")
    }
    return sentences
  }

  private var account: String {
    let whole = "\(Wording.points(shift)) points of \(Wording.label(label))"
    let (mixed, inside) = (Wording.points(mix), Wording.points(within))
    if isReplaced {
      return "no \(one) is on both sides; the whole of \(whole) came with the new."
    }
    if isReversed {
      return "the mix of \(many) is the cause of \(whole). Within the same \(one) the share moved "
        + "the other way (\(inside)): Simpson's paradox."
    }
    if abs(mix) <= 0.1 * abs(shift) {
      return "the same \(many) are answered otherwise: \(inside) of \(whole), whatever the mix."
    }
    if abs(within) <= 0.1 * abs(shift) {
      return "another mix of \(many): \(mixed) of \(whole); within the same \(one) it stayed."
    }
    return "of \(whole), \(inside) come from other answers within the same \(one), \(mixed) from "
      + "another mix of \(many)."
  }
}
