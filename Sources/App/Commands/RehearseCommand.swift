// An upstream that answers from recorded bodies: for rehearsing a policy without spending.

import ArgumentParser
import Foundation
import Rehearsal
import ServiceLifecycle

struct RehearseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rehearse",
    abstract: "Run an upstream that answers from recorded bodies, plain and streamed.",
    discussion: """
      Example:  leeway rehearse --port 8490 --pace 40 --error-rate 0.05
      It speaks each dialect for which samples/recorded/ holds a folder. The same seed repeats the \
      same errors.
      """)

  @Option(help: "The folder of recorded answers, a folder a dialect.")
  var recorded = RehearsalServer.recordedDirectory
  @Option(help: "The address to listen on.") var host = "127.0.0.1"
  @Option(help: "The port; 0 picks a free one.") var port = 8490
  @Option(help: "Milliseconds before the first byte of an answer.") var latency: Int64 = 0
  @Option(help: "Milliseconds between the events of a stream.") var pace: Int64 = 0
  @Option(help: "The part of requests that get an error of the provider's shape, 0 to 1.")
  var errorRate = 0.0
  @Option(help: "The part of answers that break off half-way, 0 to 1.") var cutOffRate = 0.0
  @Option(help: "Repeats a rehearsal's errors and cut-offs.") var seed: UInt64 = 1
  @Option(help: "Always this recorded answer, such as 'refusal'; default: by the request.")
  var answer: String?
  @Flag(help: "Give the recorded answers in turn.") var inTurn = false
  @Option(help: "Event loop threads.") var threads = 1

  func validate() throws {
    if answer != nil, inTurn { throw ValidationError("--answer and --in-turn exclude each other.") }
  }

  func run() async throws {
    var configuration = RehearsalConfiguration(directory: recorded)
    configuration.host = host
    configuration.port = port
    configuration.threads = threads
    configuration.latencyMilliseconds = latency
    configuration.paceMilliseconds = pace
    configuration.errorRate = errorRate
    configuration.cutOffRate = cutOffRate
    configuration.seed = seed
    if let answer { configuration.selection = .named(answer) }
    if inTurn { configuration.selection = .inTurn }
    let logger = Installation.logger("leeway.rehearse")
    do {
      let server = try RehearsalServer(configuration: configuration, logger: logger)
      let port = try await server.start()
      Console.line("The rehearsal upstream is ready at http://\(host):\(port)")
      Console.flush()
      try await ServiceGroup(
        configuration: .init(
          services: [.init(service: server)], gracefulShutdownSignals: [.sigterm, .sigint],
          logger: Installation.logger("leeway.lifecycle", level: .warning))
      ).run()
    } catch let fault as RehearsalFault {
      Console.error("leeway: \(fault)")
      throw ExitCode(65)
    }
  }
}

extension RehearsalServer {
  /// Where the project keeps its recorded answers, relative to the directory of starting.
  static let recordedDirectory = "samples/recorded"
}
