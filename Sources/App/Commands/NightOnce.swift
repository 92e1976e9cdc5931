// One night's run by hand: what the schedule does, now, with its result printed.

import Analyzer
import ArgumentParser
import Foundation
import Metering
import Store

extension AnalyzeCommand {
  /// Looks at what is new, judges one day and prints a line per app. Alerts go into the outbox; a
  /// server sends them.
  func runOnce(_ settings: Settings) throws {
    let store = try Installation.openStore(settings.gateway)
    let assembly = AnalyzerAssembly(
      settings: settings, store: store, logger: Installation.logger("leeway.analyzer"))
    let now = Clock.now()
    let night = try Self.night(date, today: CivilDate(now, in: try assembly.zone()))
    try reportingFaults {
      try lookOnce(assembly, at: now)
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

  /// The continuous alarms, for installations where no analyzer runs all day.
  private func lookOnce(_ assembly: AnalyzerAssembly, at now: Timestamp) throws {
    let watch = assembly.watch
    let runLength = try watch.averageRunLength(of: assembly.policies, at: now)
    while true {
      let summary = try watch.pass(assembly.policies, averageRunLength: runLength, at: now)
      for key in summary.alertsRaised { Console.line("alarm raised: \(key)") }
      if !summary.isBehind { return }
    }
  }

  /// The day to judge: as given, else yesterday.
  ///
  /// Not one that has yet to begin: its verdict would stay the latest that is known until then.
  static func night(_ text: String?, today: CivilDate) throws -> CivilDate {
    guard let text else { return today.adding(days: -1) }
    guard let given = CivilDate(text) else {
      throw ValidationError("--date '\(text)' is no date: write it as 2026-11-22.")
    }
    guard given <= today else {
      throw ValidationError("--date \(given) has not begun; the latest is today, \(today).")
    }
    return given
  }
}
