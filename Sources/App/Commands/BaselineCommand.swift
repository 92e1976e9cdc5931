// Pinning what good looks like, and listing what is pinned.

import Analyzer
import ArgumentParser
import Foundation
import Metering

struct BaselineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "baseline", abstract: "Pin and list baselines.",
    subcommands: [Pin.self, List.self])

  struct Pin: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Freeze the labels of an app's samples as the measure of later ones.",
      discussion: """
        Example:  leeway baseline pin support launch --where model=gpt-4o --reason 'week of launch'
        The counts become thresholds/baselines/APP/NAME.json, to be reviewed like code.
        """)

    @OptionGroup var policy: PolicyOptions
    @Argument(help: "The app.") var app: String
    @Argument(help: "The baseline's name.") var name: String
    @OptionGroup var period: PeriodOptions
    @Option(help: "Why this is the measure; kept in the file.") var reason = "pinned by hand"
    @Flag(help: "Replace a baseline of this name.") var replace = false

    func run() throws {
      let settings = try policy.load()
      let settingsOfApp = try policy.app(app, in: settings)
      let now = Clock.now()
      try reportingFaults {
        let store = try Installation.openStore(settings.gateway)
        let baseline = try pinBaseline(
          name: name, reason: reason,
          policy: settingsOfApp.driftPolicy(hasMail: settings.gateway.mail != nil),
          conditions: period.conditions, since: period.start(at: now), until: period.end(at: now),
          zone: settingsOfApp.timeZone, at: now, in: store)
        let folder = BaselineFolder(path: policy.thresholds + "/baselines")
        try folder.save(baseline, replaces: replace)
        Console.line(
          "Pinned '\(name)' of \(app): \(baseline.sampleCount) samples, "
            + "\(folder.file(app: app, name: name))")
      }
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List pinned baselines.", discussion: "Example:  leeway baseline list --app support"
    )

    @OptionGroup var policy: PolicyOptions
    @Option(help: "Only this app's.") var app: String?

    func run() throws {
      let settings = try policy.load()
      if let app { _ = try policy.app(app, in: settings) }
      try reportingFaults {
        let baselines = try BaselineFolder(path: policy.thresholds + "/baselines").list(app: app)
        Console.table(
          ["APP", "NAME", "SAMPLES", "PINNED", "WHERE", "REASON"],
          baselines.map { baseline in
            [
              baseline.app, baseline.name, String(baseline.sampleCount),
              Moment.text(baseline.pinnedAt), baseline.filter.joined(separator: " "),
              baseline.reason,
            ]
          }, rightAligned: [2])
      }
    }
  }
}
