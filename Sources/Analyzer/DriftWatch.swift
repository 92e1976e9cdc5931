// The continuous alarms of all apps: what was sampled since the last look is labelled, closed into
// ticks by count and taken by each classifier's alarm. The night run judges days; this looks all
// day.
//
// An alarm's state is stored with the last sample that it took and with all that it set off, in one
// transaction, so that a pass may die anywhere and be repeated.

import Alerting
import Drift
import Foundation
import Labels
import Metering
import Store

/// Watches every app that has a baseline.
public struct DriftWatch: Sendable {
  public struct Settings: Sendable {
    /// D: at most one false alarm in so many days on average, over all apps together.
    public var falseAlarmDays = 90.0
    /// Where people read more; nil: nowhere.
    public var link: String?

    public init() {}
  }

  /// What a pass came to.
  public struct Summary: Sendable {
    /// Outputs taken, once for each classifier.
    public var outputs: Int64 = 0
    /// Keys of the alerts that were raised.
    public var alertsRaised: [String] = []
    /// Apps that were ordered to be capped.
    public var capped: [String] = []
    /// What is not watched, and why.
    public var faults: [(app: String, fault: AnalyzerFault)] = []
    /// Whether more is waiting than one pass takes.
    public var isBehind = false
  }

  /// Outputs in a tick: their number must not follow from their labels.
  static let tickOutputs = 25
  /// Samples read at once; what they set off is stored together.
  private static let pageSamples = 40 * tickOutputs
  /// Pages of an app in one pass, so that no app waits for another's backlog.
  private static let pagesMax = 20

  let store: StoreDatabase
  private let baselines: BaselineFolder
  let settings: Settings

  public init(store: StoreDatabase, baselines: BaselineFolder, settings: Settings) {
    self.store = store
    self.baselines = baselines
    self.settings = settings
  }

  /// A for every monitor, from the outputs a day of all of them: the last day's or the last week's
  /// mean, or those that wait to be taken, whichever is most: what was stored late is taken now,
  /// whenever its calls were made.
  /// - Throws: `store`, `filter`.
  public func averageRunLength(
    of policies: [AppDriftPolicy], at now: Timestamp
  ) throws(AnalyzerFault) -> Double {
    var outputs: [Double] = []
    for policy in policies where policy.baseline != nil {
      let filter = try policy.sampleFilter()
      let rates = try reading(policy) {
        try [1, 7].map { days in
          Double(
            try store.sampleCount(
              of: SampleSpan(
                app: policy.app, filter: filter,
                since: now.adding(milliseconds: -days * 86_400_000)))) / Double(days)
        }
      }
      let waiting = try waiting(policy, filter, at: now)
      outputs += policy.classifiers.map { classifier in
        max(rates.max() ?? 0, Double(waiting[classifier.name] ?? 0))
      }
    }
    let total = outputs.reduce(0, +)
    // An installation that has only begun will soon have more.
    if total < Self.outputsPerDayMin { outputs.append(Self.outputsPerDayMin - total) }
    return Drift.averageRunLength(days: settings.falseAlarmDays, outputsPerDay: outputs)
  }

  /// Fewer outputs a day than this are taken for so many.
  static let outputsPerDayMin = 100.0

  /// Samples that each classifier's alarm has not taken.
  private func waiting(
    _ policy: AppDriftPolicy, _ filter: SampleFilter, at now: Timestamp
  ) throws(AnalyzerFault) -> [String: Int] {
    let baseline = try? baselines.load(app: policy.app, name: policy.baseline ?? "")
    guard let baseline else { return [:] }
    return try reading(policy) {
      let known = try store.monitors(app: policy.app)
      var counts: [String: Int] = [:]
      var byPosition: [Int64: Int] = [:]
      for classifier in policy.classifiers.map(\.name) {
        let position =
          try known.first { $0.classifier == classifier }?.position
          ?? store.lastSample(storedBefore: Self.start(of: baseline, at: now))
        let count =
          try byPosition[position]
          ?? store.sampleCount(
            of: SampleSpan(app: policy.app, filter: filter, since: baseline.until),
            storedAfter: position)
        byPosition[position] = count
        counts[classifier] = count
      }
      return counts
    }
  }

  /// Takes what is new. Blocks for as long as labelling takes; not for an event loop.
  /// - Throws: a retryable fault, after all other apps were looked at, where no alert was raised:
  ///   one that was has to be sent.
  public func pass(
    _ policies: [AppDriftPolicy], averageRunLength: Double, at now: Timestamp
  ) throws(AnalyzerFault) -> Summary {
    let watched = policies.filter { $0.baseline != nil }.sorted { $0.app < $1.app }
    let setting = WatchSetting(
      averageRunLength: averageRunLength,
      monitors: watched.reduce(0) { $0 + $1.classifiers.count }, now: now)
    var summary = Summary()
    for policy in watched {
      do throws(AnalyzerFault) { try look(at: policy, setting, into: &summary) } catch {
        summary.faults.append((policy.app, error))
      }
    }
    if summary.alertsRaised.isEmpty,
      let fault = summary.faults.first(where: { $0.fault.isRetryable })?.fault
    {
      throw fault
    }
    return summary
  }

  private func look(
    at policy: AppDriftPolicy, _ setting: WatchSetting, into summary: inout Summary
  ) throws(AnalyzerFault) {
    let baseline = try baselines.load(app: policy.app, name: policy.baseline ?? "")
    let plan = WatchPlan(
      policy: policy, baseline: baseline, baselineID: try baseline.id,
      filter: try policy.sampleFilter(), setting: setting)
    let known = try reading(policy) { try store.monitors(app: policy.app) }
    var monitors: [WatchedClassifier] = []
    for classifier in try policy.makeClassifiers() {
      do throws(AnalyzerFault) {
        monitors.append(try start(classifier, known, plan))
      } catch {
        summary.faults.append((policy.app, error))
      }
    }
    var stuck: Set<Int> = []
    for page in 0... {
      let newest = try reading(policy) {
        try store.lastSample(storedBefore: Timestamp(milliseconds: .max))
      }
      let lowest =
        monitors.indices.filter { !stuck.contains($0) }.map { monitors[$0].row.position }.min()
        ?? newest
      let samples = try reading(policy) {
        try store.samples(
          of: SampleSpan(app: policy.app, filter: plan.filter, since: baseline.until),
          storedAfter: lowest, limit: Self.pageSamples)
      }
      var hasMoved = false
      for index in monitors.indices where !stuck.contains(index) {
        let position = monitors[index].row.position
        let own = samples.filter { ($0.id ?? 0) > position }
        let whole = own.count - own.count % Self.tickOutputs
        if whole > 0 {
          hasMoved = true
          do throws(AnalyzerFault) {
            try take(Array(own.prefix(whole)), by: &monitors[index], plan, into: &summary)
          } catch {
            // The other alarms of the app go on.
            guard !error.isRetryable else { throw error }
            summary.faults.append((policy.app, error))
            stuck.insert(index)
          }
        } else if samples.count < Self.pageSamples {
          try pass(over: (own.first?.id).map { $0 - 1 } ?? newest, by: &monitors[index])
        }
      }
      guard hasMoved else { return }
      guard page + 1 < Self.pagesMax else {
        summary.isBehind = true
        return
      }
    }
  }

  /// Notes that nothing of the monitor's is up to a sample, once that is far enough to spare
  /// reading others' again.
  private func pass(
    over id: Int64, by watched: inout WatchedClassifier
  ) throws(AnalyzerFault) {
    guard id - watched.row.position > 10_000 else { return }
    watched.row.position = id
    try save(&watched, points: [], alarm: nil)
  }

  /// Takes whole ticks, and stores what they came to: all together, or up to one that raises the
  /// alarm and then from there.
  private func take(
    _ samples: [SampleRecord], by watched: inout WatchedClassifier, _ plan: WatchPlan,
    into summary: inout Summary
  ) throws(AnalyzerFault) {
    let labels: [Int64: String]
    do {
      labels = try Labelling.labels(
        of: samples, by: watched.classifier, app: plan.policy.app, in: store)
    } catch {
      throw .store("The outputs of \(plan.policy.app) could not be labelled", error)
    }
    watched.monitor = try load(&watched, plan)
    var points: [Timestamp: EvidencePoint] = [:]
    for start in stride(from: 0, to: samples.count, by: Self.tickOutputs) {
      let tick = samples[start..<min(start + Self.tickOutputs, samples.count)]
      let reading = try update(&watched.monitor, tick, labels, watched.classifier, plan)
      guard let last = tick.last else { continue }
      watched.row.position = last.id ?? watched.row.position
      summary.outputs += Int64(tick.count)
      guard let reading else { continue }
      watched.row.evidence = reading.evidence
      watched.row.threshold = reading.threshold
      watched.row.outputs = reading.outputs
      let hour = last.time.hour
      points[hour] = EvidencePoint(
        hour: hour, evidence: max(points[hour]?.evidence ?? -.infinity, reading.evidence),
        threshold: reading.threshold)
      guard let level = reading.raised else { continue }
      watched.row.level = level.rawValue
      watched.row.raisedAt = plan.setting.now
      watched.row.since = Timestamp(milliseconds: reading.onset.startedAt)
      let unnamed = unnamed(tick.compactMap { $0.id.flatMap { labels[$0] } }, watched.monitor)
      let alarm = alarm(reading, level, watched, plan, until: last.time, unnamed: unnamed)
      try save(&watched, points: Array(points.values), alarm: alarm)
      points = [:]
      if let alert = alarm.alert { summary.alertsRaised.append(alert.key) }
      if alarm.capReason != nil { summary.capped.append(plan.policy.app) }
    }
    try save(&watched, points: Array(points.values), alarm: nil)
  }

  /// The most frequent label of those that the alarm counts together.
  private func unnamed(_ labels: [String], _ monitor: DriftMonitor?) -> String? {
    let other = SpecialLabel.other.rawValue
    let counts = labels.filter { monitor?.name(of: $0) == other }
      .reduce(into: [:]) { $0[$1, default: 0] += 1 }
    return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
  }

  /// Gives a tick to the alarm. Outputs that were sampled otherwise than it can take start it anew
  /// in the form that can; while it is open they wait.
  private func update(
    _ monitor: inout DriftMonitor?, _ tick: ArraySlice<SampleRecord>,
    _ labels: [Int64: String], _ classifier: any Classifier, _ plan: WatchPlan
  ) throws(AnalyzerFault) -> AlarmReading? {
    var tally = Tally()
    for sample in tick {
      guard let label = sample.id.flatMap({ labels[$0] }) else { continue }
      try? tally.add(label, probability: max(sample.soundProbability, 1e-9))
    }
    let startedAt = tick.first?.time.milliseconds ?? 0
    do throws(AlarmFault) {
      return try monitor?.update(tally, startedAt: startedAt)
    } catch {
      guard monitor?.latched == nil else {
        throw AnalyzerFault(
          .classifier,
          "The open alarm of '\(classifier.name)' of \(plan.policy.app) cannot take outputs that "
            + "are sampled otherwise than when it was set up; they wait",
          hint: "Look, then 'leeway drift acknowledge \(plan.policy.app) \(classifier.name) "
            + "--reason TEXT'; or sample as before.", cause: error)
      }
    }
    let blocks = try blocks(classifier, plan)
    do throws(AlarmFault) {
      monitor = try plan.weighted(
        blocks, origin: plan.origin(classifier), floor: tally.strata.last?.probability ?? 1)
      return try monitor?.update(tally, startedAt: startedAt)
    } catch { throw plan.fault(classifier, error) }
  }

  /// Stores a monitor; one that another process stored meanwhile is left to that process.
  func save(
    _ watched: inout WatchedClassifier, points: [EvidencePoint], alarm: MonitorAlarm?
  ) throws(AnalyzerFault) {
    do {
      watched.row.state = try watched.monitor?.stored()
      let isStored = try store.saveMonitor(
        watched.row, points: points.sorted { $0.hour < $1.hour }, alarm: alarm)
      guard isStored else {
        throw AnalyzerFault(
          .store, "Another process watches \(watched.row.app) as well",
          hint: "Nothing is lost; the next pass goes on from what it stored.", isRetryable: true)
      }
      watched.row.revision += 1
    } catch let fault as StoreFault {
      throw storeFault("The alarm of \(watched.row.app) could not be stored", fault)
    } catch let fault as AnalyzerFault { throw fault } catch {
      throw AnalyzerFault(
        .store, "The alarm of \(watched.row.app) cannot be written as JSON",
        hint: "This is a fault of the program.", cause: error)
    }
  }

  func reading<Value>(
    _ policy: AppDriftPolicy, _ body: () throws -> Value
  ) throws(AnalyzerFault) -> Value {
    do { return try body() } catch {
      throw .store("The samples of \(policy.app) could not be read", error)
    }
  }
}

func storeFault(_ message: String, _ error: StoreFault) -> AnalyzerFault {
  AnalyzerFault(.store, message, hint: error.hint, isRetryable: error.isRetryable, cause: error)
}

extension Timestamp {
  /// The start of its hour.
  fileprivate var hour: Timestamp {
    let rest = milliseconds % 3_600_000
    // Floor, also before 1970.
    return adding(milliseconds: rest < 0 ? -rest - 3_600_000 : -rest)
  }
}
