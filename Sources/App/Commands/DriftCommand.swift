// Comparing an app's samples with a baseline, now.

import Analyzer
import ArgumentParser
import Drift
import Foundation
import Metering

struct DriftCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drift", abstract: "Compare an app's samples with a pinned baseline, now.",
    discussion: """
      Example:  leeway drift support --against launch --where model=gpt-4o --since 7d --json
      Nothing is alerted or capped; the nightly run does that.
      """)

  @OptionGroup var policy: PolicyOptions
  @Argument(help: "The app.") var app: String
  @Option(help: "The baseline's name, from 'leeway baseline list'.") var against: String
  @OptionGroup var period: PeriodOptions
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let settings = try policy.load()
    let settingsOfApp = try policy.app(app, in: settings)
    let now = Clock.now()
    try reportingFaults {
      let store = try Installation.openStore(settings.gateway)
      let baseline = try BaselineFolder(path: policy.thresholds + "/baselines")
        .load(app: app, name: against)
      let span = SampleSpan(
        app: app, filter: try period.filter(), since: try period.start(at: now),
        until: try period.end(at: now))
      let comparison = try compareApp(
        settingsOfApp.driftPolicy(hasMail: false), with: baseline, period: span,
        zone: settingsOfApp.timeZone, in: store)
      let rate = settingsOfApp.drift.familyRate
      let report = try comparison.report(
        judge(comparison.members.map(\.family), falseDiscoveryRate: rate),
        falseDiscoveryRate: rate, settings: AnalyzerAssembly.reportSettings, in: store)
      if json {
        FileHandle.standardOutput.write(try report.json())
      } else {
        Console.line(ReportText.table(report))
      }
    }
  }
}
