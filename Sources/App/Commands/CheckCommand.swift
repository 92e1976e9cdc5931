// Validating thresholds/ without starting anything.

import Analyzer
import ArgumentParser

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Validate thresholds/: every fault at once, with file and line. Exit 64 if any.",
    discussion: "Example:  leeway check --thresholds thresholds")

  @OptionGroup var policy: PolicyOptions

  func run() throws {
    let settings = try policy.load(readsAllBooks: true)
    let baselines = BaselineFolder(path: policy.thresholds + "/baselines")
    try policy.stop(at: Self.faults(in: baselines, of: settings.apps.map(\.name)))
    let budgeted = settings.apps.filter(\.isBudgeted).count
    let priced = Set(
      settings.gateway.upstreams.flatMap { upstream in
        settings.prices(of: upstream.name).models.map { [upstream.name, $0] }
      })
    Console.line(
      "\(policy.thresholds): \(settings.apps.count) apps (\(budgeted) budgeted), "
        + "\(settings.gateway.upstreams.count) upstreams, "
        + "\(priced.count) priced models: no faults.")
    for app in settings.apps where !app.isBudgeted {
      Console.error("note: app '\(app.name)' has no budget; it is metered but never capped.")
    }
    let notes =
      BudgetNotes.unreachable(in: settings) + settings.apps.flatMap(RateNotes.notes)
      + AtCapCheck.notes(in: settings, at: Clock.now())
    for note in notes { Console.error("note: \(note)") }
    for app in settings.apps where app.drift.baseline == nil && !app.classifiers.isEmpty {
      Console.error(
        "note: app '\(app.name)' names no baseline (drift.baseline): "
          + "no drift of it is ever found.")
    }
    for app in settings.apps {
      guard let name = app.drift.baseline, !baselines.names(app: app.name).contains(name)
      else { continue }
      Console.error(
        "note: baseline '\(name)' of app '\(app.name)' is not pinned yet; "
          + "until it is, neither the nightly run nor an alarm can judge the app.")
    }
    for upstream in settings.gateway.upstreams where !upstream.isUsable {
      Console.error(
        "note: upstream '\(upstream.name)' has no credential "
          + "(\(upstream.missingCredential ?? "") is not set); calls to it are refused.")
    }
  }

  /// What the pinned baselines have wrong, which only the analyzer reads.
  static func faults(in folder: BaselineFolder, of apps: [String]) -> [Fault] {
    apps.flatMap { app in
      folder.names(app: app).compactMap { name in
        do throws(AnalyzerFault) {
          _ = try folder.load(app: app, name: name)
          return nil
        } catch {
          return Fault(
            file: folder.file(app: app, name: name), line: 1, what: error.message,
            advice: error.hint)
        }
      }
    }
  }
}
