// Letting a capped app run again: the person's answer to a drift cap.

import ArgumentParser
import Metering
import Store

struct RestoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Let an app that was capped run again.",
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
