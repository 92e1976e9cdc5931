// What an app's alarms are set up for, and how one is set up or taken up again.

import Drift
import Foundation
import Labels
import Metering
import Store

/// What holds for all apps of a pass.
struct WatchSetting {
  var averageRunLength: Double
  /// Alarms in the installation.
  var monitors: Int
  var now: Timestamp
}

/// One app's policy and baseline in a pass.
struct WatchPlan {
  var policy: AppDriftPolicy
  var baseline: Baseline
  var baselineID: String
  var filter: SampleFilter
  var setting: WatchSetting

  /// An alarm for outputs that are all sampled alike, where they are.
  /// - Parameter blocks: the baseline by day.
  func fresh(
    _ blocks: [Tally], origin: DriftMonitor.Origin
  ) throws(AlarmFault) -> DriftMonitor {
    let tally = blocks.reduce(into: Tally()) { $0.merge($1) }
    let isUniform = policy.sampleRate >= 1 || !policy.samplesErrors
    guard isUniform, !tally.isWeighted else {
      return try weighted(blocks, origin: origin, floor: 1)
    }
    return DriftMonitor(
      origin: origin,
      plain: try DriftAlarm(
        baseline: tally, blocks: blocks, probability: policy.sampleRate,
        averageRunLength: setting.averageRunLength,
        tickOutputs: Int64(DriftWatch.tickOutputs), thresholds: policy.thresholds))
  }

  /// An alarm for outputs that are sampled with the policy's rate, or more, or `floor`.
  func weighted(
    _ blocks: [Tally], origin: DriftMonitor.Origin, floor: Double
  ) throws(AlarmFault) -> DriftMonitor {
    DriftMonitor(
      origin: origin,
      weighted: try WeightedDriftAlarm(
        baseline: blocks.reduce(into: Tally()) { $0.merge($1) }, blocks: blocks,
        probabilityFloor: min(policy.sampleRate, floor),
        monitors: setting.monitors, averageRunLength: setting.averageRunLength,
        tickOutputs: Int64(DriftWatch.tickOutputs), thresholds: policy.thresholds))
  }

  func origin(_ classifier: any Classifier) -> DriftMonitor.Origin {
    Self.origin(classifier, baselineID: baselineID, filter: policy.filter)
  }

  /// Outputs that are chosen by other conditions are another population.
  static func origin(
    _ classifier: any Classifier, baselineID: String, filter: [String]
  ) -> DriftMonitor.Origin {
    let baseline =
      filter.isEmpty ? baselineID : hexDigest([baselineID] + Set(filter).sorted())
    return DriftMonitor.Origin(baseline: baseline, version: classifier.version)
  }

  func fault(_ classifier: any Classifier, _ fault: AlarmFault) -> AnalyzerFault {
    AnalyzerFault(
      .classifier,
      "Classifier '\(classifier.name)' of \(policy.app) has no continuous alarm against the "
        + "baseline '\(baseline.name)'",
      hint: "Pin a baseline with more outputs, or sample more.", cause: fault)
  }
}

/// One classifier's alarm in a pass.
struct WatchedClassifier {
  var classifier: any Classifier
  /// Nil until there is something to take: reading a state costs more than seeing that nothing is
  /// new.
  var monitor: DriftMonitor?
  var row: MonitorRow
}

extension DriftMonitor.Origin {
  var text: String { "\(baseline) \(version)" }
}

extension AppDriftPolicy {
  /// What the stored alarm of each of its classifiers has to be about to go on, as it is stored.
  /// - Throws: `classifier`, `baseline_missing`, `baseline_unreadable`.
  public func alarmOrigins(
    baselines: BaselineFolder
  ) throws(AnalyzerFault) -> [String: String] {
    let id = try baselines.load(app: app, name: baseline ?? "").id
    var origins: [String: String] = [:]
    for classifier in try makeClassifiers() {
      origins[classifier.name] =
        WatchPlan.origin(classifier, baselineID: id, filter: filter).text
    }
    return origins
  }
}

extension DriftMonitor {
  func stored() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  init(stored text: String) throws {
    self = try JSONDecoder().decode(DriftMonitor.self, from: Data(text.utf8))
  }
}

extension DriftWatch {
  /// How far back an alarm that is new looks: an old drift that was dealt with is no news.
  private static let pastMilliseconds: Int64 = 86_400_000

  /// From when on an alarm that is new takes what is stored.
  static func start(of baseline: Baseline, at now: Timestamp) -> Timestamp {
    max(baseline.pinnedAt, now.adding(milliseconds: -pastMilliseconds))
  }

  /// The alarm that is stored, where that is about this baseline and this version of the
  /// classifier; else a new one, which takes the outputs stored since the baseline was pinned, of
  /// the last day at most.
  func start(
    _ classifier: any Classifier, _ known: [MonitorRow], _ plan: WatchPlan
  ) throws(AnalyzerFault) -> WatchedClassifier {
    let old = known.first { $0.classifier == classifier.name }
    let origin = plan.origin(classifier)
    if var row = old, row.origin == origin.text {
      row.updatedAt = plan.setting.now
      return WatchedClassifier(classifier: classifier, row: row)
    }
    let start = Self.start(of: plan.baseline, at: plan.setting.now)
    let position = try reading(plan.policy) { try store.lastSample(storedBefore: start) }
    var watched = WatchedClassifier(
      classifier: classifier, monitor: try fresh(classifier, plan),
      row: MonitorRow(
        app: plan.policy.app, classifier: classifier.name, baseline: plan.baseline.name,
        position: max(position, old?.position ?? 0), origin: origin.text,
        threshold: log(plan.setting.averageRunLength / Double(Self.tickOutputs)),
        updatedAt: plan.setting.now, revision: old?.revision ?? 0))
    try save(&watched, points: [], alarm: nil)
    return watched
  }

  /// Reads the alarm, and hands it what the policy says now.
  func load(
    _ watched: inout WatchedClassifier, _ plan: WatchPlan
  ) throws(AnalyzerFault) -> DriftMonitor {
    if let monitor = watched.monitor { return monitor }
    let text = try reading(plan.policy) {
      try store.monitorState(app: watched.row.app, classifier: watched.row.classifier)
    }
    // A state that cannot be read, which no version of the program writes, is begun anew.
    guard var monitor = text.flatMap({ try? DriftMonitor(stored: $0) }),
      monitor.origin == plan.origin(watched.classifier)
    else {
      // What it had raised is closed with it: nothing is left that could be acknowledged.
      (watched.row.level, watched.row.raisedAt, watched.row.since) = ("", nil, nil)
      return try fresh(watched.classifier, plan)
    }
    do throws(AlarmFault) {
      try monitor.set(
        averageRunLength: plan.setting.averageRunLength, thresholds: plan.policy.thresholds)
    } catch { throw plan.fault(watched.classifier, error) }
    return monitor
  }

  private func fresh(
    _ classifier: any Classifier, _ plan: WatchPlan
  ) throws(AnalyzerFault) -> DriftMonitor {
    let blocks = try blocks(classifier, plan)
    do throws(AlarmFault) {
      return try plan.fresh(blocks, origin: plan.origin(classifier))
    } catch { throw plan.fault(classifier, error) }
  }

  /// The baseline by day under this version of the classifier.
  func blocks(
    _ classifier: any Classifier, _ plan: WatchPlan
  ) throws(AnalyzerFault) -> [Tally] {
    let baseline = plan.baseline
    if let known = baseline.members.first(where: { $0.classifier == classifier.name }),
      known.version == classifier.version
    {
      return known.blocks
    }
    guard let again = try labelAgain(baseline, by: [classifier], in: store) else {
      throw AnalyzerFault(
        .classifier,
        "The classifier '\(classifier.name)' of \(baseline.app) changed after the baseline "
          + "'\(baseline.name)' was pinned, and the baseline's outputs are gone: it has no alarm",
        hint: "Pin a new baseline with 'leeway baseline pin \(baseline.app) NAME --reason TEXT'.")
    }
    let zone = TimeZone(identifier: baseline.timeZone) ?? .gmt
    return again.tally(of: classifier).days(in: zone).map(\.tally)
  }
}
