// Pinning: a person says "this is what good looks like" and why. The night run never does.

import Foundation
import Metering
import Store

/// Labels the samples of a span and makes a baseline of them; the caller saves it.
///
/// - Parameters:
///   - reason: why this period is the measure; not empty.
///   - conditions: as for `--where`.
///   - since: nil from the first sample; the baseline holds the actual edges.
/// - Throws: `no_samples`, `classifier`, `filter`, `store`.
public func pinBaseline(
  name: String, reason: String, policy: AppDriftPolicy, conditions: [String],
  since: Timestamp? = nil, until: Timestamp? = nil, zone: TimeZone, at now: Timestamp,
  in store: StoreDatabase
) throws(AnalyzerFault) -> Baseline {
  guard reason.contains(where: { !$0.isWhitespace }) else {
    throw AnalyzerFault(
      .name, "A baseline needs a reason",
      hint: "Say why this period is the measure: --reason TEXT.")
  }
  let classifiers = try policy.makeClassifiers()
  guard !classifiers.isEmpty else {
    throw AnalyzerFault(
      .classifier, "App \(policy.app) declares no classifier",
      hint: "Add one under 'classifiers' in thresholds/apps/\(policy.app).yaml.")
  }
  let filter = try parseFilter(conditions)
  let span = SampleSpan(app: policy.app, filter: filter, since: since, until: until)
  let labelling = try Labelling(of: span, by: classifiers, in: store)
  let times: (first: Timestamp, last: Timestamp)?
  do { times = try store.sampleTimes(of: span) } catch {
    throw storeFault("The samples of \(policy.app) could not be read", error)
  }
  guard let times, labelling.outputs > 0 else {
    let condition = conditions.isEmpty ? "" : " with \(conditions.joined(separator: " "))"
    throw AnalyzerFault(
      .noSamples, "App \(policy.app) has no samples\(condition) in that period",
      hint: "See what there is with 'leeway samples list --app \(policy.app)'.")
  }
  var members: [Baseline.Member] = []
  for classifier in classifiers {
    let tally = labelling.tally(of: classifier)
    var member = Baseline.Member(
      classifier: classifier.name, version: classifier.version,
      days: Dictionary(
        uniqueKeysWithValues: tally.days(in: zone).map { ($0.date.description, $0.tally) }))
    member.cohorts = try cohorts(of: span, by: classifier.instrument, in: store)
      // Samples that were counted and are gone, and traits of too many values.
      .filter { trait, tallies in
        tallies.count <= traitValuesMax
          && tallies.values.reduce(0) { $0 + $1.total } == tally.total.total
      }
    members.append(member)
  }
  return Baseline(
    app: policy.app, name: name, reason: reason, pinnedAt: now, filter: conditions,
    since: since ?? times.first, until: until ?? times.last.adding(milliseconds: 1),
    timeZone: zone.identifier, sampleCount: labelling.outputs, members: members)
}
