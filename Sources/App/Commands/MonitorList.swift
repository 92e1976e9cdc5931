// What the continuous alarms know, as a list.

import Analyzer
import ArgumentParser
import Foundation
import Metering
import Store

/// The list of `leeway drift`.
struct MonitorList {
  private let settings: Settings

  init(_ settings: Settings) { self.settings = settings }

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
        app.classifiers.map { classifier in
          line(
            app, classifier.name,
            monitors.first { $0.app == app.name && $0.classifier == classifier.name })
        }
      }
      if json { return try Console.json(lines) }
      Console.table(
        ["APP", "CLASSIFIER", "BASELINE", "STATE", "EVIDENCE", "ALARM AT", "OUTPUTS", "SINCE"],
        lines.map { line in
          [
            line.app, line.classifier, line.baseline ?? "-", line.state, figure(line.evidence),
            figure(line.threshold), line.outputs.map(String.init) ?? "-", line.since ?? "-",
          ]
        }, rightAligned: [4, 5, 6])
      Console.line(
        "One false alarm in \(Int(settings.gateway.falseAlarmDays)) days at most, on average over "
          + "all of them (drift.falseAlarmDays in gateway.yaml).")
    }
  }

  private func line(_ app: AppSettings, _ classifier: String, _ row: MonitorRow?) -> Line {
    guard app.drift.baseline != nil else {
      return Line(app: app.name, classifier: classifier, state: "no baseline")
    }
    guard let row else {
      return Line(
        app: app.name, classifier: classifier, baseline: app.drift.baseline, state: "not started")
    }
    return Line(
      app: app.name, classifier: classifier, baseline: row.baseline,
      state: row.level.isEmpty ? "quiet" : row.level, evidence: row.evidence,
      threshold: row.threshold, outputs: row.outputs, since: row.since.map(Moment.text),
      updatedAt: Moment.text(row.updatedAt))
  }

  private func figure(_ value: Double?) -> String {
    value.map { String(format: "%.1f", $0) } ?? "-"
  }
}
