// One night's run by hand: what the schedule does, now, with its result printed.

import Analyzer
import ArgumentParser
import Foundation
import Metering
import Store

extension AnalyzeCommand {
  /// Judges one day and prints a line per app. Alerts go into the outbox; a server sends them.
  func runOnce(_ settings: Settings) throws {
    let store = try Installation.openStore(settings.gateway)
    let assembly = AnalyzerAssembly(
      settings: settings, store: store, logger: Installation.logger("leeway.analyzer"))
    let now = Clock.now()
    let night: Analyzer.CivilDate
    if let date {
      guard let given = Analyzer.CivilDate(date) else {
        throw ValidationError("--date '\(date)' is no date: write it as 2026-11-22.")
      }
      night = given
    } else {
      night = Analyzer.CivilDate(now, in: try assembly.zone()).adding(days: -1)
    }
    try reportingFaults {
      let summary = try assembly.nightRun(wake: {}).run(night, policies: assembly.policies, at: now)
      for report in summary.reports {
        Console.line("\(report.app): \(report.verdict). \(report.headline)")
      }
      for (app, fault) in summary.faults { Console.error("\(app): not judged. \(fault)") }
      let capped =
        summary.capped.isEmpty ? "" : ", capped: " + summary.capped.joined(separator: " ")
      Console.line(
        "\(night): \(summary.reports.count) reports in "
          + "\(settings.gateway.reportsDirectory)/\(night)/, "
          + "\(summary.alertsRaised.count) alerts raised\(capped)")
      if !summary.faults.isEmpty { throw ExitCode(65) }
    }
  }
}
