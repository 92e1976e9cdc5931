// Real peers, written by others: Python packages in an environment that scripts/test sets up.

import Foundation
import TestSupport
import Testing

/// Peers in the Python that `Command.peersPython` names.
enum Peer {
  static let absence = Comment(rawValue: Command.peersAbsence)

  /// Whether a package is there.
  static func has(_ module: String) -> Bool {
    guard let python = Command.peersPython else { return false }
    let question =
      "import importlib.util,sys;sys.exit(importlib.util.find_spec('\(module)') is None)"
    return (try? Command.run(python, ["-c", question]).status) == 0
  }

  /// A script of Tests/Acceptance/Peers, running.
  static func start(
    _ script: String, _ arguments: [String], directory: URL, environment: [String: String] = [:]
  ) throws -> RunningProcess {
    guard let python = Command.peersPython else { throw ProcessFailure(description: "no Python") }
    let path = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Peers/\(script)").path
    return try RunningProcess(
      URL(filePath: python), ["-u", path] + arguments, directory: directory,
      environment: environment)
  }

  /// A script's standard output, as a JSON object.
  static func run(
    _ script: String, _ arguments: [String], directory: URL, environment: [String: String] = [:]
  ) async throws -> [String: Any] {
    let process = try start(script, arguments, directory: directory, environment: environment)
    let result = try await process.wait(seconds: 240)
    guard result.status == 0,
      let value = try? JSONSerialization.jsonObject(with: Data(result.output.utf8)),
      let object = value as? [String: Any]
    else {
      throw ProcessFailure(
        description: "\(script) ended with \(result.status): \(result.output)\(result.errors)")
    }
    return object
  }
}
