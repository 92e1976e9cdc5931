// Programs written by others, run to their end: openssl, promtool, a browser.

import Foundation

/// A program of the machine's own.
public enum Command {
  /// What a program that has ended left behind.
  public struct Ending: Sendable {
    public var status: Int32
    /// Standard output and standard error, as they came.
    public var said: String
  }

  /// Where the first of these programs is on PATH; nil: none is installed.
  public static func find(_ names: String...) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return names.lazy.flatMap { name in folders.map { "\($0)/\(name)" } }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// The Python that has the peers' packages, named by the environment variable
  /// `LEEWAY_PEERS_PYTHON`; nil where it is unset or no program.
  public static let peersPython: String? = {
    guard let path = ProcessInfo.processInfo.environment["LEEWAY_PEERS_PYTHON"] else { return nil }
    return FileManager.default.isExecutableFile(atPath: path) ? path : nil
  }()

  /// What to say where it is absent.
  public static let peersAbsence =
    "LEEWAY_PEERS_PYTHON is not set: scripts/test sets it where the peers can be installed"

  /// Runs a program and waits for its end; blocks.
  ///
  /// - Parameter input: what it reads from standard input.
  public static func run(
    _ path: String, _ arguments: [String], input: String = ""
  ) throws -> Ending {
    let directory = try TemporaryDirectory()
    let file = try directory.write(input, to: "input")
    let said = directory.path("said")
    let process = try ChildProcess(path, arguments, input: file, output: said, errors: said)
    let status = process.waitUntilEnd()
    let bytes = try Data(contentsOf: URL(fileURLWithPath: said))
    return Ending(status: status, said: String(decoding: bytes, as: UTF8.self))
  }
}
