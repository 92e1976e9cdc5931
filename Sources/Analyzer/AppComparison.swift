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
  /// The period's labels and, where its samples are still there, the baseline's.
  let periodLabels: Labelling
  let baselineLabels: Labelling?

  public var periodOutputs: Int64 { Int64(periodLabels.marks.count) }
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
  let periodLabels = try Labelling(of: period, by: classifiers, in: store)
  let baselineLabels = try labelAgain(baseline, by: classifiers, in: store)
  let id = try baseline.id
  let days = Set(periodLabels.marks.map { CivilDate($0.time, in: zone) }).count
  let members = classifiers.map { classifier in
    let known = baseline.members.first { $0.classifier == classifier.name }
    let isSame = known?.version == classifier.version
    let isRelabelled = !isSame && baselineLabels != nil
    let blocks = baselineBlocks(
      of: classifier.name, known, isRelabelled ? baselineLabels : nil, zone: zone)
    let tally = blocks.reduce(into: Tally()) { $0.merge($1) }
    let periodTally = periodLabels.tally(of: classifier.name).total
    let seed = seed(policy.app, classifier.name, period, id)
    let comparison = compare(
      baseline: tally, blocks: blocks, period: periodTally, thresholds: policy.thresholds,
      periodBlockOutputs: days > 1 ? Double(periodTally.total) / Double(days) : nil,
      familySize: familySize ?? classifiers.count, seed: seed)
    let circumstances = Circumstances(
      coverage: periodLabels.coverage(of: classifier.name),
      hasInstrumentChanged: !isSame && !isRelabelled)
    return AppComparison.Member(
      classifier: classifier.name, version: classifier.version,
      baselineVersion: isRelabelled ? classifier.version : known?.version ?? "none",
      isRelabelled: isRelabelled,
      family: FamilyMember(
        comparison: comparison, circumstances: circumstances, thresholds: policy.thresholds),
      blocks: blocks.count, seed: seed)
  }
  return AppComparison(
    policy: policy, baseline: baseline, baselineID: id, period: period, zone: zone,
    members: members, periodLabels: periodLabels, baselineLabels: baselineLabels)
}

/// The baseline's samples under the present classifiers; nil where some of them are gone.
func labelAgain(
  _ baseline: Baseline, by classifiers: [any Classifier], in store: StoreDatabase
) throws(AnalyzerFault) -> Labelling? {
  let span = SampleSpan(
    app: baseline.app, filter: try parseFilter(baseline.filter), since: baseline.since,
    until: baseline.until)
  let count: Int
  do {
    count = try store.sampleCount(
      app: span.app, filter: span.filter, since: span.since, until: span.until)
  } catch {
    throw AnalyzerFault(
      .store, "The samples of \(baseline.app) could not be counted", hint: error.hint,
      isRetryable: error.isRetryable, cause: error)
  }
  guard Int64(count) == baseline.sampleCount else { return nil }
  return try Labelling(of: span, by: classifiers, in: store)
}

private func baselineBlocks(
  of classifier: String, _ known: Baseline.Member?, _ relabelled: Labelling?, zone: TimeZone
) -> [Tally] {
  if let relabelled { return relabelled.tally(of: classifier).days(in: zone).map(\.tally) }
  guard let known else { return [] }
  return known.days.sorted { $0.key < $1.key }.map(\.value)
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
