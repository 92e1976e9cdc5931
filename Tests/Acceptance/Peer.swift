// Real peers, written by others: Python packages in an environment that scripts/test sets up.

import Foundation
import TestSupport
import Testing

/// The Python with the peers' packages, and what is missing where it is not there.
enum Peer {
  static var python: URL? {
    ProcessInfo.processInfo.environment["LEEWAY_PEERS_PYTHON"].map { URL(filePath: $0) }
  }

  static let absence: Comment =
    "LEEWAY_PEERS_PYTHON is not set: scripts/test sets it where the peers can be installed"

  /// Whether a package is there.
  static func has(_ module: String) -> Bool {
    guard let python else { return false }
    let process = Process()
    process.executableURL = python
    process.arguments = [
      "-c", "import importlib.util,sys;sys.exit(importlib.util.find_spec('\(module)') is None)",
    ]
    process.standardError = FileHandle.nullDevice
    do { try process.run() } catch { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }

  /// A script of Tests/Acceptance/Peers, running.
  static func start(
    _ script: String, _ arguments: [String], directory: URL, environment: [String: String] = [:]
  ) throws -> RunningProcess {
    guard let python else { throw ProcessFailure(description: "no Python") }
    let path = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Peers/\(script)").path
    return try RunningProcess(
      python, ["-u", path] + arguments, directory: directory, environment: environment)
  }

  /// A script's standard output, as a JSON object.
  static func run(
    _ script: String, _ arguments: [String], directory: URL, environment: [String: String] = [:]
  ) async throws -> [String: Any] {
    let process = try start(script, arguments, directory: directory, environment: environment)
    let result = try await process.wait(seconds: 120)
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

/// A free port of the loopback interface, for a peer that must be told one.
func freePort() throws -> Int {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  defer { close(descriptor) }
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = inet_addr("127.0.0.1")
  var length = socklen_t(MemoryLayout<sockaddr_in>.size)
  let status = withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
      bind(descriptor, generic, length) == 0 ? getsockname(descriptor, generic, &length) : -1
    }
  }
  guard status == 0 else { throw ProcessFailure(description: "no free port") }
  return Int(UInt16(bigEndian: address.sin_port))
}
