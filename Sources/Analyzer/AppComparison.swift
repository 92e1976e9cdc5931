// One app's period against its baseline: both sides labelled by the same instrument, or the report
// says that they were not.

import Drift
import Foundation
import Labels
import Metering
import Store

/// One app's comparisons, before the family is judged.
public struct AppComparison: Sendable {
  /// One classifier's comparison.
  public struct Member: Sendable {
    public var classifier: String
    public var version: String
    public var baselineVersion: String
    /// Whether the baseline's samples were labelled again by the present classifier.
    public var isRelabelled: Bool
    public var family: FamilyMember
    public var blocks: Int
    public var seed: UInt64
  }

  public var policy: AppDriftPolicy
  public var baseline: Baseline
  public var baselineID: String
  public var period: SampleSpan
  public var zone: TimeZone
  public var members: [Member]
  public var periodOutputs: Int64
  /// The period's edges; where it has none, those of its samples.
  var periodSince: Timestamp?
  var periodUntil: Timestamp?
}

/// Labels a period and compares it with a baseline.
///
/// - Parameters:
///   - familySize: comparisons judged together; nil: this app's own.
/// - Throws: `classifier`, `filter`, `store`.
public func compareApp(
  _ policy: AppDriftPolicy, with baseline: Baseline, period: SampleSpan, zone: TimeZone,
  familySize: Int? = nil, in store: StoreDatabase
) throws(AnalyzerFault) -> AppComparison {
  let classifiers = try policy.makeClassifiers()
  let labels = try Labelling(of: period, by: classifiers, in: store)
  let known = Dictionary(uniqueKeysWithValues: baseline.members.map { ($0.classifier, $0) })
  let changed = classifiers.filter { known[$0.name]?.version != $0.version }
  let again = changed.isEmpty ? nil : try labelAgain(baseline, by: changed, in: store)
  let id = try baseline.id
  let days = Set(classifiers.flatMap { labels.tally(of: $0).days(in: zone).map(\.date) }).count
  let members = classifiers.map { classifier in
    let known = known[classifier.name]
    let isSame = known?.version == classifier.version
    let isRelabelled = !isSame && again != nil
    let blocks =
      isRelabelled
      ? again?.tally(of: classifier).days(in: zone).map(\.tally) ?? []
      : known?.blocks ?? []
    let tally = blocks.reduce(into: Tally()) { $0.merge($1) }
    let periodTally = labels.tally(of: classifier).total
    let seed = seed(policy.app, classifier.name, period, id)
    let comparison = compare(
      baseline: tally, blocks: blocks, period: periodTally, thresholds: policy.thresholds,
      periodBlockOutputs: days > 1 ? Double(periodTally.total) / Double(days) : nil,
      familySize: familySize ?? classifiers.count, seed: seed)
    let circumstances = Circumstances(
      coverage: labels.coverage(of: classifier),
      hasInstrumentChanged: !isSame && !isRelabelled)
    return AppComparison.Member(
      classifier: classifier.name, version: classifier.version,
      baselineVersion: isRelabelled ? classifier.version : known?.version ?? "none",
      isRelabelled: isRelabelled,
      family: FamilyMember(
        comparison: comparison, circumstances: circumstances, thresholds: policy.thresholds),
      blocks: blocks.count, seed: seed)
  }
  var comparison = AppComparison(
    policy: policy, baseline: baseline, baselineID: id, period: period, zone: zone,
    members: members, periodOutputs: labels.outputs, periodSince: period.since,
    periodUntil: period.until)
  if period.since == nil || period.until == nil {
    do {
      let times = try store.sampleTimes(of: period)
      comparison.periodSince = period.since ?? times?.first
      comparison.periodUntil = period.until ?? times?.last.adding(milliseconds: 1)
    } catch { throw storeFault("The samples of \(policy.app) could not be read", error) }
  }
  return comparison
}

/// The baseline's samples under the present classifiers; nil where some of them are gone.
func labelAgain(
  _ baseline: Baseline, by classifiers: [any Classifier], in store: StoreDatabase
) throws(AnalyzerFault) -> Labelling? {
  let span = try baseline.span
  let count: Int
  do { count = try store.sampleCount(of: span) } catch {
    throw storeFault("The samples of \(baseline.app) could not be counted", error)
  }
  guard Int64(count) == baseline.sampleCount else { return nil }
  return try Labelling(of: span, by: classifiers, in: store)
}

/// The first 8 bytes of SHA-256 over what the comparison is: the same question, the same dice.
private func seed(
  _ app: String, _ classifier: String, _ period: SampleSpan, _ baselineID: String
) -> UInt64 {
  let edges = [period.since, period.until].map { $0.map { String($0.milliseconds) } ?? "open" }
  let segment = ""
  let digest = hexDigest(
    [app, classifier, segment, period.filter.description] + edges + [baselineID])
  return UInt64(digest, radix: 16) ?? 0
}
