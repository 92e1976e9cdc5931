// Drift by hand: comparing an app's samples with a baseline, now; what the continuous alarms know;
// and ending one.

import Analyzer
import ArgumentParser
import Drift
import Foundation
import Metering
import Store

struct DriftCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drift",
    abstract: "Show the alarms' evidence, or compare an app's samples with a baseline, now.",
    discussion: """
      Examples:  leeway drift
                 leeway drift support --against launch --where model=gpt-4o --since 7d --json
                 leeway drift acknowledge support topic --reason 'prompt rolled back'
      Nothing is alerted or capped by these; the nightly run and the continuous alarm do that.
      """,
    subcommands: [DriftCompare.self, DriftAcknowledge.self], defaultSubcommand: DriftCompare.self)
}

struct DriftCompare: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Show what the alarms know; with --against, compare with a baseline. The default.")

  @OptionGroup var policy: PolicyOptions
  @Argument(help: "The app; needed with --against.") var app: String?
  @Option(help: "The baseline's name, from 'leeway baseline list'.") var against: String?
  @OptionGroup var period: PeriodOptions
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    if against != nil, app == nil { throw ValidationError("--against needs an app.") }
    let isBounded = period.since != nil || period.until != nil || !period.conditions.isEmpty
    if against == nil, isBounded {
      throw ValidationError("--where, --since and --until go with --against.")
    }
  }

  func run() throws {
    let settings = try policy.load()
    guard let app, let against else {
      return try MonitorList(settings, thresholds: policy.thresholds).show(app, json: json)
    }
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

struct DriftAcknowledge: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "acknowledge",
    abstract: "End an app's open alarms, so that the next shift is looked for.",
    discussion: """
      Example:  leeway drift acknowledge support topic --reason 'prompt rolled back'
      A shift that stays is found again; pin a new baseline where it is the new measure. An app that
      was capped runs again by 'leeway restore'.
      """)

  @OptionGroup var policy: PolicyOptions
  @Argument(help: "The app.") var app: String
  @Argument(help: "Only this classifier's alarm.") var classifier: String?
  @Option(help: "What was found, for the record.") var reason: String

  func run() throws {
    let settings = try policy.load()
    let names = try policy.app(app, in: settings).classifiers.map(\.name)
    if let classifier, !names.contains(classifier) {
      throw ValidationError(
        "App '\(app)' has no classifier '\(classifier)'. "
          + NearestName.advice(for: classifier, among: names))
    }
    try reportingFaults {
      let store = try Installation.openStore(settings.gateway)
      let done = try DriftWatch.acknowledge(
        app: app, classifier: classifier, reason: reason, actor: Actor.current, at: Clock.now(),
        in: store)
      for row in done {
        Console.line("Acknowledged: \(row.level) of '\(row.classifier)' of \(app).")
      }
      if done.isEmpty {
        Console.error("leeway: no alarm of \(app) is open; see 'leeway drift \(app)'.")
        throw ExitCode(65)
      }
    }
  }
}
