// What the continuous alarms know, as a list.

import Analyzer
import ArgumentParser
import Foundation
import Metering
import Store

/// The list of `leeway drift`.
struct MonitorList {
  private let settings: Settings
  private let baselines: BaselineFolder

  /// - Parameter thresholds: the policy's directory.
  init(_ settings: Settings, thresholds: String) {
    self.settings = settings
    baselines = BaselineFolder(path: thresholds + "/baselines")
  }

  /// One line of it; alarms that do not run say why.
  private struct Line: Encodable {
    var app: String
    var classifier: String
    var baseline: String?
    /// `quiet`, `watch`, `drifted`, or why there is no alarm.
    var state: String
    var evidence: Double?
    var threshold: Double?
    var outputs: Int64?
    var since: String?
    var updatedAt: String?
  }

  /// - Parameter app: only this app's.
  func show(_ app: String?, json: Bool) throws {
    try reportingFaults {
      if let app, settings.app(app) == nil {
        throw AppFault("There is no app '\(app)'.", hint: "See thresholds/apps/.")
      }
      let store = try Installation.openStore(settings.gateway)
      let monitors = try store.monitors(app: app)
      let lines = settings.apps.filter { app == nil || $0.name == app }.flatMap { app in
        states(of: app, monitors.filter { $0.app == app.name })
      }
      if json { return try Console.json(lines) }
      Console.table(
        [
          "APP", "CLASSIFIER", "BASELINE", "STATE", "EVIDENCE", "ALARM AT", "OUTPUTS", "SINCE",
          "LATEST",
        ],
        lines.map { line in
          [
            line.app, line.classifier, line.baseline ?? "-", line.state, figure(line.evidence),
            figure(line.threshold), line.outputs.map(String.init) ?? "-", line.since ?? "-",
            line.updatedAt ?? "-",
          ]
        }, rightAligned: [4, 5, 6])
      Console.line(
        "One false alarm in \(settings.gateway.falseAlarmDays.formatted()) days at most, on "
          + "average over all of them (drift.falseAlarmDays in gateway.yaml).")
    }
  }

  private func states(of app: AppSettings, _ rows: [MonitorRow]) -> [Line] {
    let origins: Result<[String: String], AnalyzerFault>
    do throws(AnalyzerFault) {
      origins = .success(try app.driftPolicy(hasMail: false).alarmOrigins(baselines: baselines))
    } catch { origins = .failure(error) }
    let declared = app.classifiers.map { classifier in
      line(
        app, classifier.name, rows.first { $0.classifier == classifier.name }, origins: origins)
    }
    let names = app.classifiers.map(\.name)
    let gone = rows.filter { !names.contains($0.classifier) && !$0.level.isEmpty }
    return declared + gone.map { line($0, state: "\($0.level), no longer declared") }
  }

  private func line(
    _ app: AppSettings, _ classifier: String, _ row: MonitorRow?,
    origins: Result<[String: String], AnalyzerFault>
  ) -> Line {
    guard app.drift.baseline != nil else {
      return Line(app: app.name, classifier: classifier, state: "no baseline")
    }
    switch origins {
    case .failure(let fault):
      return Line(
        app: app.name, classifier: classifier, baseline: app.drift.baseline,
        state: "not running: \(fault.message)")
    case .success(let origins):
      guard let row else {
        return Line(
          app: app.name, classifier: classifier, baseline: app.drift.baseline,
          state: "not started")
      }
      let level = row.level.isEmpty ? "quiet" : row.level
      let isCurrent = origins[classifier] == row.origin
      return line(
        row, state: isCurrent ? level : "not running: baseline or classifier has changed since")
    }
  }

  private func line(_ row: MonitorRow, state: String) -> Line {
    Line(
      app: row.app, classifier: row.classifier, baseline: row.baseline, state: state,
      evidence: row.evidence, threshold: row.threshold, outputs: row.outputs,
      since: row.since.map(Moment.text), updatedAt: Moment.text(row.updatedAt))
  }

  private func figure(_ value: Double?) -> String {
    value.map { String(format: "%.1f", $0) } ?? "-"
  }
}
