// Issuing, listing and revoking the apps' keys.

import ArgumentParser
import Foundation
import Metering
import Store

struct KeysCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "Issue, list and revoke apps' keys.",
    subcommands: [Issue.self, List.self, Revoke.self])

  struct Issue: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Issue a key for an app. It is shown once.",
      discussion: "Example:  leeway keys issue support --label 'web frontend'")

    @OptionGroup var policy: PolicyOptions
    @Argument(help: "The app, as named in thresholds/apps/.") var app: String
    @Option(help: "What the key is for, in your own words.") var label = ""
    @Option(help: "The environment whose budgets its calls draw on; else the app's own.")
    var environment = ""

    func run() throws {
      let settings = try policy.load()
      let names = Set(try policy.app(app, in: settings).environments.keys)
      guard environment.isEmpty || names.contains(environment) else {
        throw ValidationError(
          "App '\(app)' has no environment '\(environment)'. "
            + (names.isEmpty
              ? "Declare it under environments: in its file."
              : NearestName.advice(for: environment, among: names.sorted())))
      }
      let store = try Installation.openStore(settings.gateway)
      let key = VirtualKey.make()
      let record = try store.issueKey(
        app: app, hashHex: key.hashHex, hint: key.hint, label: label, environment: environment,
        actor: Actor.current, at: Clock.now())
      Console.line(key.secret)
      Console.error(
        "Key \(record.id) of app '\(app)'. It is shown only now; a gateway takes it at once."
      )
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List keys; the secrets themselves are not kept.",
      discussion: "Example:  leeway keys list --app support")

    @OptionGroup var policy: PolicyOptions
    @Option(help: "Only this app's keys.") var app: String?
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
      let settings = try policy.load()
      let store = try Installation.openStore(settings.gateway)
      let keys = try store.keys(app: app)
      if json { return try Console.json(keys.map(Row.init)) }
      Console.table(
        ["ID", "APP", "KEY", "STATE", "ISSUED", "ENVIRONMENT", "LABEL"],
        keys.map { key in
          [
            String(key.id), key.app, "lw_…" + key.hint, key.isRevoked ? "revoked" : "valid",
            Moment.text(key.createdAt), key.environment.isEmpty ? "-" : key.environment,
            key.label,
          ]
        }, rightAligned: [0])
    }

    private struct Row: Encodable {
      var id: Int64
      var app: String
      var hint: String
      var label: String
      var environment: String
      var createdAt: String
      var revokedAt: String?

      init(_ key: KeyRecord) {
        id = key.id
        app = key.app
        hint = key.hint
        label = key.label
        environment = key.environment
        createdAt = Moment.text(key.createdAt)
        revokedAt = key.revokedAt.map(Moment.text)
      }
    }
  }

  struct Revoke: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Revoke a key for good.",
      discussion: "Example:  leeway keys revoke 7")

    @OptionGroup var policy: PolicyOptions
    @Argument(help: "The key's ID, from 'leeway keys list'.") var id: Int64

    func run() throws {
      let settings = try policy.load()
      let store = try Installation.openStore(settings.gateway)
      guard try store.revokeKey(id: id, actor: Actor.current, at: Clock.now()) else {
        Console.error("leeway: there is no valid key \(id); see 'leeway keys list'.")
        throw ExitCode(65)
      }
      Console.line("Key \(id) is revoked; a running gateway refuses it from now on.")
    }
  }
}

/// Who gives an order from the command line, for the record.
enum Actor {
  static var current: String {
    let environment = ProcessInfo.processInfo.environment
    return environment["SUDO_USER"] ?? environment["USER"] ?? "cli"
  }
}
