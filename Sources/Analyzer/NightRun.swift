// The night run: every app with a baseline, yesterday against it, judged together, reported, and
// told to whoever answers for the app.
//
// Each step finds what an earlier run of the same night left and does not do it again: a run that
// died half way is repeated whole.

import Alerting
import Drift
import Foundation
import Metering
import Store

/// Judges one day of all apps.
public struct NightRun: Sendable {
  public struct Settings: Sendable {
    /// Whose days are judged.
    public var zone: TimeZone
    /// Share of false discoveries tolerated among the findings of a night, in (0, 1).
    public var falseDiscoveryRate = 0.05
    public var report: ReportSettings
    /// What stands before a report's path in an alert, as in "https://…/reports/"; nil: the path.
    public var reportLink: String?

    public init(zone: TimeZone, report: ReportSettings) {
      self.zone = zone
      self.report = report
    }
  }

  /// What a night came to.
  public struct Summary: Sendable {
    public var night: CivilDate
    public var reports: [DriftReport]
    /// Apps that could not be judged, and why.
    public var faults: [(app: String, fault: AnalyzerFault)]
    /// Keys of the alerts that this run raised; not those that an earlier run did.
    public var alertsRaised: [String]
    /// Apps that this run ordered to be capped.
    public var capped: [String]
  }

  /// Raises an alert; false where its key is there already.
  public typealias Raise = @Sendable (AlertRow, [Recipient]) throws -> Bool

  private let store: StoreDatabase
  private let baselines: BaselineFolder
  private let reports: ReportFolder
  private let settings: Settings
  private let raise: Raise

  /// - Parameter raise: nil: into the store's outbox.
  public init(
    store: StoreDatabase, baselines: BaselineFolder, reports: ReportFolder, settings: Settings,
    raise: Raise? = nil
  ) {
    self.store = store
    self.baselines = baselines
    self.reports = reports
    self.settings = settings
    self.raise =
      raise
      ?? { alert, recipients in
        try store.enqueueAlert(
          alert, deliveries: recipients.map { (channel: $0.channel, address: $0.address) })
      }
  }

  /// Runs a night. Blocks for as long as labelling takes; not for an event loop.
  ///
  /// - Parameters:
  ///   - date: the day judged, complete.
  ///   - policies: of all apps; those without a baseline are left out.
  ///   - now: when this run is, for verdicts and alerts; in no report.
  /// - Throws: a retryable fault, after all other apps were judged; the night is then not complete.
  @discardableResult
  public func run(
    _ date: CivilDate, policies: [AppDriftPolicy], at now: Timestamp
  ) throws(AnalyzerFault) -> Summary {
    let judged = policies.filter { $0.baseline != nil }.sorted { $0.app < $1.app }
    let familySize = judged.reduce(0) { $0 + $1.classifiers.count }
    var summary = Summary(night: date, reports: [], faults: [], alertsRaised: [], capped: [])
    var comparisons: [AppComparison] = []
    for policy in judged {
      do throws(AnalyzerFault) {
        comparisons.append(try compare(policy, date, familySize: familySize))
      } catch { summary.faults.append((policy.app, error)) }
    }
    let findings = judge(
      comparisons.flatMap { $0.members.map(\.family) },
      falseDiscoveryRate: settings.falseDiscoveryRate)
    var start = 0
    for comparison in comparisons {
      let own = Array(findings[start..<start + comparison.members.count])
      start += own.count
      do throws(AnalyzerFault) {
        try conclude(comparison, own, date, at: now, into: &summary)
      } catch { summary.faults.append((comparison.policy.app, error)) }
    }
    try close(&summary, policies: judged, at: now)
    return summary
  }

  private func compare(
    _ policy: AppDriftPolicy, _ date: CivilDate, familySize: Int
  ) throws(AnalyzerFault) -> AppComparison {
    let bounds = date.bounds(in: settings.zone)
    let baseline = try baselines.load(app: policy.app, name: policy.baseline ?? "")
    let period = SampleSpan(
      app: policy.app, filter: try policy.sampleFilter(), since: bounds.lowerBound,
      until: bounds.upperBound)
    return try compareApp(
      policy, with: baseline, period: period, zone: settings.zone, familySize: familySize,
      in: store)
  }

  /// One app's report, verdicts, order and alert, in the order in which a repeat heals a crash.
  private func conclude(
    _ comparison: AppComparison, _ findings: [Finding], _ date: CivilDate, at now: Timestamp,
    into summary: inout Summary
  ) throws(AnalyzerFault) {
    let silence = try silence(of: comparison)
    var report = try comparison.report(
      findings, night: date, silence: silence,
      falseDiscoveryRate: settings.falseDiscoveryRate, settings: settings.report, in: store)
    try addEvidence(to: &report, until: comparison.period.until ?? now)
    let page = try reports.write(report, under: date.description)
    summary.reports.append(report)
    try keepVerdicts(report, comparison, page: page, at: now)
    let hasDrifted = report.classifiers.contains { $0.verdict == Verdict.drifted.rawValue }
    if hasDrifted, comparison.policy.onDrift == .cap,
      try cap(report, date, at: now)
    {
      summary.capped.append(report.app)
    }
    guard let verdict = Verdict(rawValue: report.verdict),
      comparison.policy.alertsOn.contains(verdict)
    else { return }
    let alert = alert(report, comparison.policy, page: page, at: now)
    if try send(alert, to: comparison.policy.recipients) {
      summary.alertsRaised.append(alert.key.text)
    }
  }

  /// What the continuous alarms had seen by the night's end, which a repeat finds again.
  private func addEvidence(
    to report: inout DriftReport, until end: Timestamp
  ) throws(AnalyzerFault) {
    let since = end.adding(milliseconds: -14 * 86_400_000)
    do {
      for index in report.classifiers.indices {
        let points = try store.evidence(
          app: report.app, classifier: report.classifiers[index].name, since: since, until: end)
        guard !points.isEmpty else { continue }
        report.classifiers[index].evidence = points.map {
          ClassifierReport.Evidence(at: $0.hour, evidence: $0.evidence, threshold: $0.threshold)
        }
      }
    } catch { throw storeFault("The alarms of \(report.app) could not be read", error) }
  }

  private func silence(of comparison: AppComparison) throws(AnalyzerFault) -> Silence {
    guard comparison.periodOutputs == 0, let since = comparison.period.since,
      let until = comparison.period.until
    else { return .none }
    do {
      let totals = try store.usageTotals(app: comparison.policy.app, since: since, until: until)
      let calls = totals.reduce(Int64(0)) { $0 + $1.calls - $1.refused }
      // The chance that so many calls leave no sample by luck.
      let luck = pow(1 - min(max(comparison.policy.sampleRate, 0), 1), Double(calls))
      return calls > 0 && luck < 0.001 ? .notSampled(calls: calls) : .noCalls
    } catch {
      throw storeFault("The calls of \(comparison.policy.app) could not be counted", error)
    }
  }
}

// MARK: - What a verdict sets off

extension NightRun {
  private func keepVerdicts(
    _ report: DriftReport, _ comparison: AppComparison, page: String, at now: Timestamp
  ) throws(AnalyzerFault) {
    do {
      // Not the latest alone: an old night that is run again must not pass for news.
      let known = try store.verdicts(app: report.app, limit: 1_000)
      for part in report.classifiers {
        var bare = part
        // The store is no second place for outputs.
        bare.examples = []
        bare.evidence = nil
        let detail = try compactJSON(bare)
        let row = VerdictRow(
          at: now, app: report.app, classifier: part.name, baseline: comparison.baseline.name,
          periodStart: comparison.period.since ?? comparison.baseline.since,
          periodEnd: comparison.period.until ?? comparison.baseline.until, verdict: part.verdict,
          detailJSON: detail, report: page)
        let isKnown = known.contains { old in
          old.classifier == row.classifier && old.periodStart == row.periodStart
            && old.baseline == row.baseline && old.verdict == row.verdict
            && old.detailJSON == row.detailJSON
        }
        if !isKnown { try store.insertVerdict(row) }
      }
    } catch let error as StoreFault {
      throw storeFault("The verdicts on \(report.app) could not be stored", error)
    } catch {
      throw AnalyzerFault(
        .report, "The verdicts on \(report.app) cannot be written as JSON",
        hint: "This is a fault of the program.", cause: error)
    }
  }

  /// Orders the gateway to cap an app, once a night; false where this night's order is there.
  private func cap(
    _ report: DriftReport, _ date: CivilDate, at now: Timestamp
  ) throws(AnalyzerFault) -> Bool {
    let start = "Drift on \(date): "
    // Callers are told this reason, so it names no label: that may be text of an output.
    let drifted = report.classifiers.filter { $0.verdict == Verdict.drifted.rawValue }
    let reason =
      start + drifted.map { "'\($0.name)'" }.joined(separator: ", ")
      + " against the baseline '\(report.baseline.name ?? "")'."
    do {
      var sequence: Int64 = 0
      while true {
        let orders = try store.orders(after: sequence)
        let isPlaced = orders.contains { order in
          order.actor == "analyzer" && order.action == .cap(report.app)
            && order.reason.hasPrefix(start)
        }
        if isPlaced { return false }
        guard let last = orders.last else { break }
        sequence = last.sequence
      }
      try store.placeOrder(
        action: .cap(report.app), actor: "analyzer", reason: reason, at: now)
      return true
    } catch { throw storeFault("The order to cap \(report.app) could not be placed", error) }
  }

  /// One alert an app, night and verdict, about the classifier that decided it.
  private func alert(
    _ report: DriftReport, _ policy: AppDriftPolicy, page: String, at now: Timestamp
  ) -> Alert {
    let part = report.classifiers.first { $0.verdict == report.verdict }
    let shifts = part?.shifts.filter { $0.shift != 0 } ?? []
    let night = report.night ?? ""
    let facts = DriftAlertFacts(
      app: report.app, classifier: part?.name ?? "", verdict: report.verdict,
      baseline: report.baseline.name ?? "", period: night, reason: report.headline,
      shifts: shifts.map { shift in
        DriftAlertFacts.Shift(
          label: shift.label, baselineText: Wording.percent(shift.baselineShare),
          periodText: Wording.percent(shift.periodShare),
          changeText: Wording.points(shift.shift) + " points")
      },
      isCapped: policy.onDrift == .cap && report.verdict == Verdict.drifted.rawValue,
      link: (settings.reportLink ?? "") + page)
    var alert = Alert.drift(facts, atMilliseconds: now.milliseconds)
    // Not by classifier: a second one that moves in the same night is in the same report.
    alert.key = AlertKey(kind: .drift, [report.app, night, report.verdict])
    return alert
  }

  private func send(
    _ alert: Alert, to recipients: [Recipient]
  ) throws(AnalyzerFault) -> Bool {
    let row = AlertRow(
      key: alert.key.text, app: alert.app, kind: alert.kind.rawValue,
      severity: alert.severity.rawValue, title: alert.title, body: alert.body,
      payloadJSON: alert.payloadJSON, at: Timestamp(milliseconds: alert.atMilliseconds))
    do { return try raise(row, recipients) } catch let error as StoreFault {
      throw storeFault("The alert \(alert.key) could not be raised", error)
    } catch {
      throw AnalyzerFault(
        .store, "The alert \(alert.key) could not be raised", hint: "See the cause.",
        isRetryable: true, cause: error)
    }
  }

  /// Tells the owners of apps that could not be judged, and writes the index last.
  private func close(
    _ summary: inout Summary, policies: [AppDriftPolicy], at now: Timestamp
  ) throws(AnalyzerFault) {
    if let fault = summary.faults.first(where: { $0.fault.isRetryable })?.fault { throw fault }
    for (app, fault) in summary.faults {
      let alert = Alert.system(
        name: "drift", occasion: summary.night.description, app: app, severity: .warning,
        title: "\(app): no drift verdict on \(summary.night)", body: fault.description,
        atMilliseconds: now.milliseconds)
      let recipients = policies.first { $0.app == app }?.recipients ?? []
      if try send(alert, to: recipients) { summary.alertsRaised.append(alert.key.text) }
    }
    try reports.writeIndex(
      ReportPage.Night(
        date: summary.night, reports: summary.reports,
        faults: summary.faults.map {
          ReportPage.Night.Fault(app: $0.app, message: $0.fault.description)
        }))
  }

  private func compactJSON(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
