// Stopping an app at once, and letting a stopped one run again.

import ArgumentParser
import Metering
import Store

struct IsolateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "isolate",
    abstract: "Stop an app at once: no call passes, and those under way end.",
    discussion: """
      Example:  leeway isolate support --reason 'key found on a public page'

      A running gateway takes the order within 25 ms. It holds over restarts, until it is lifted
      by 'leeway restore'.
      """)

  @OptionGroup var policy: PolicyOptions
  @Argument(help: "The app, as named in thresholds/apps/.") var app: String
  @Option(help: "Why, for the record; the app's callers do not read it.") var reason: String

  func run() throws {
    let settings = try policy.load()
    _ = try policy.app(app, in: settings)
    let store = try Installation.openStore(settings.gateway)
    let order = try store.placeOrder(
      action: .isolate(app), actor: Actor.current, reason: reason, at: Clock.now())
    Console.line(
      "Order \(order): app '\(app)' is isolated as soon as the gateway has read it. "
        + "To undo it: leeway restore \(app) --reason …")
  }
}

struct RestoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Let an app that was capped or isolated run again.",
    discussion: "Example:  leeway restore support --reason 'prompt adapted to the new model'")

  @OptionGroup var policy: PolicyOptions
  @Argument(help: "The app, as named in thresholds/apps/.") var app: String
  @Option(help: "Why, for the record.") var reason: String

  func run() throws {
    let settings = try policy.load()
    _ = try policy.app(app, in: settings)
    let store = try Installation.openStore(settings.gateway)
    let order = try store.placeOrder(
      action: .restore(app), actor: Actor.current, reason: reason, at: Clock.now())
    Console.line("Order \(order): app '\(app)' runs again as soon as the gateway has read it.")
  }
}
