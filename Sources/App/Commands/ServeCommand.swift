// Starting the program: everything in one process, or the pair apart.

import ArgumentParser
import Foundation
import Metering

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Run gateway, admin port and analyzer schedule in one process.",
    discussion: "Example:  leeway serve --thresholds thresholds")

  @OptionGroup var policy: PolicyOptions

  func run() async throws {
    let settings = try policy.load()
    try await Program(settings: settings, parts: [.gateway, .analyzer]).run()
  }
}

struct GatewayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gateway", abstract: "Run the gateway and the admin port alone.",
    discussion: "Example:  leeway gateway & leeway analyze")

  @OptionGroup var policy: PolicyOptions

  func run() async throws {
    let settings = try policy.load()
    try await Program(settings: settings, parts: [.gateway]).run()
  }
}

struct AnalyzeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "analyze",
    abstract: "Run the analyzer alone: each night on schedule, or once.",
    discussion: """
      Examples:  leeway analyze                        each night, until stopped
                 leeway analyze --once                 yesterday, now
                 leeway analyze --once --date 2026-11-22
      """)

  @OptionGroup var policy: PolicyOptions
  @Flag(help: "Run one night now and end.") var once = false
  @Option(help: "With --once: the day to report on, as 2026-11-22. Default: yesterday.")
  var date: String?

  func validate() throws {
    if date != nil, !once { throw ValidationError("--date goes with --once.") }
  }

  func run() async throws {
    let settings = try policy.load()
    guard once else {
      return try await Program(settings: settings, parts: [.analyzer]).run()
    }
    try runOnce(settings)
  }
}
