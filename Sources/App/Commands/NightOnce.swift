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
      let isWatched = try lookOnce(assembly, at: now)
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
      if !summary.faults.isEmpty || !isWatched { throw ExitCode(65) }
    }
  }

  /// The continuous alarms, for installations where no analyzer runs all day. What keeps one from
  /// running is printed, and keeps nobody from judging the night.
  /// - Returns: whether all of them ran.
  private func lookOnce(_ assembly: AnalyzerAssembly, at now: Timestamp) throws -> Bool {
    var faults: [String] = []
    for attempt in 1...Self.attemptsMax {
      let result = Result { try passes(assembly, at: now) }
      switch result {
      case .success(let found): faults = found
      case .failure(let error):
        guard let fault = error as? AnalyzerFault, fault.isRetryable else { throw error }
        // Another process watches, too: it may have done all there was to do.
        faults = ["not watched. \(fault)"]
        if attempt < Self.attemptsMax { usleep(500_000) }
        continue
      }
      break
    }
    for fault in faults { Console.error(fault) }
    return faults.isEmpty
  }

  private static let attemptsMax = 5

  /// Passes until nothing waits.
  /// - Returns: what is not watched, and why.
  private func passes(_ assembly: AnalyzerAssembly, at now: Timestamp) throws -> [String] {
    let watch = assembly.watch
    while true {
      let runLength = try watch.averageRunLength(of: assembly.policies, at: now)
      let summary = try watch.pass(assembly.policies, averageRunLength: runLength, at: now)
      for key in summary.alertsRaised { Console.line("alarm raised: \(key)") }
      if !summary.isBehind {
        return summary.faults.map { "\($0.app): not watched. \($0.fault)" }
      }
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
