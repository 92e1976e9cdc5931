// Validating thresholds/ without starting anything.

import ArgumentParser

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Validate thresholds/: every fault at once, with file and line. Exit 64 if any.",
    discussion: "Example:  leeway check --thresholds thresholds")

  @OptionGroup var policy: PolicyOptions

  func run() throws {
    let settings = try policy.load()
    let budgeted = settings.apps.filter(\.isBudgeted).count
    Console.line(
      "\(policy.thresholds): \(settings.apps.count) apps (\(budgeted) budgeted), "
        + "\(settings.gateway.upstreams.count) upstreams, "
        + "\(settings.prices.models.count) priced models: no faults.")
    for app in settings.apps where !app.isBudgeted {
      Console.error("note: app '\(app.name)' has no budget; it is metered but never capped.")
    }
    for upstream in settings.gateway.upstreams where !upstream.isUsable {
      Console.error(
        "note: upstream '\(upstream.name)' has no credential "
          + "(\(upstream.credentialEnv ?? "") is not set); calls to it are refused.")
    }
  }
}
