// What is measured: a program between load and mock.

import Foundation
import Sockets

/// Where a run takes place.
struct Site {
  /// Ours alone, removed at the end.
  var directory: String
  /// Of the mock, by scenario.
  var upstreamPorts: [String: UInt16]
  var subjectCore: Int
  /// How many descriptors a process may open; a relayed stream takes two.
  var descriptorLimit: Int
  /// What a subject is started under, as valgrind; empty: nothing.
  var wrapper: [String] = []
  var wrapperEnvironment: [String: String] = [:]
  /// How long a subject may take to listen.
  var patienceSeconds = 20
  /// The root of the repository, for its price file.
  var repository: String
  var leewayPath: String

  /// Where the scenario's provider listens.
  func upstreamPort(for scenario: Scenario) throws -> UInt16 {
    guard let port = upstreamPorts[scenario.upstream] else {
      throw BenchFault("the mock has no '\(scenario.upstream)'")
    }
    return port
  }

  /// PEM files; made where a scenario wants TLS.
  var certificate: String { "\(directory)/certificate.pem" }
  var privateKey: String { "\(directory)/key.pem" }

  /// A subject's own files.
  func folder(_ name: String) -> String { "\(directory)/\(name)" }

  func log(_ name: String) -> String { "\(directory)/\(name).log" }

  func write(_ text: String, to name: String) throws -> String {
    let path = "\(directory)/\(name)"
    let folder = (path as NSString).deletingLastPathComponent
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try text.write(toFile: path, atomically: false, encoding: .utf8)
    return path
  }
}

/// A subject that runs.
struct RunningSubject {
  var name: String
  var port: UInt16
  /// Nil: nothing stands in between.
  var process: ChildProcess?
  /// File of keys for the load generator.
  var keys: String?
  /// Whether the first segment of the path names the scenario.
  var routesByPath = true
  /// Throws where the subject did not do what it is for.
  ///
  /// - Parameters:
  ///   - calls: how many it answered.
  ///   - isExact: whether it may not have begun any more than these.
  var verify: (_ calls: Int, _ isExact: Bool) throws -> Void = { _, _ in }
  /// Throws where it does not know of so many open calls.
  var verifyOpen: (_ calls: Int) throws -> Void = { _ in }

  var account: ProcessAccount? { process.map { ProcessAccount(root: $0.pid) } }

  func path(_ scenario: String) -> String {
    (routesByPath ? "/\(scenario)" : "") + "/v1/chat/completions"
  }
}

protocol Subject: Sendable {
  var name: String { get }
  func start(_ site: Site, for scenario: Scenario) throws -> RunningSubject
}

extension Subject {
  /// Starts the program on the subject's core and waits until it listens.
  func launch(
    _ arguments: [String], port: UInt16, site: Site, environment: [String: String] = [:]
  ) throws -> ChildProcess {
    let log = site.log(name)
    let process = try ChildProcess(
      site.wrapper + arguments, core: site.subjectCore, log: log,
      environment: environment.merging(site.wrapperEnvironment) { $1 })
    for _ in 0..<(site.patienceSeconds * 20) where process.isRunning {
      if TCPSocket.answers(port: port) { return process }
      usleep(50_000)
    }
    process.stop()
    let messages = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
    throw BenchFault("\(name) did not start:\n\(messages.suffix(2_000))")
  }
}

/// Nothing in between: what load and mock take by themselves.
struct DirectSubject: Subject {
  let name = "direct"

  func start(_ site: Site, for scenario: Scenario) throws -> RunningSubject {
    let port = try site.upstreamPort(for: scenario)
    return RunningSubject(name: name, port: port, routesByPath: false)
  }
}
