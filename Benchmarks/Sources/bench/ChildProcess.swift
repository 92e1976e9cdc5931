// Programs that the benchmark starts: pinned, and ended with it, whatever way it ends.

import Dispatch
import Foundation
import Synchronization

/// Why a run is worth nothing, in words.
struct BenchFault: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// A program on one core. It gets SIGTERM when the benchmark dies, however that happens.
final class ChildProcess {
  private static let running = Mutex<Set<pid_t>>([])
  private static let isEnding = Mutex(false)
  private let process = Process()
  private let output = Pipe()
  private let input = Pipe()
  let name: String
  var pid: pid_t { process.processIdentifier }

  /// - Parameters:
  ///   - core: the core to stay on; nil: any.
  ///   - log: a file for its messages, and for its output where that is not read.
  init(
    _ arguments: [String], core: Int?, log: String, readsOutput: Bool = false,
    environment: [String: String] = [:]
  ) throws {
    name = (arguments[0] as NSString).lastPathComponent
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let pin = core.map { ["taskset", "-c", String($0)] } ?? []
    process.arguments = ["setpriv", "--pdeathsig", "TERM", "--"] + pin + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    if !FileManager.default.fileExists(atPath: log) {
      _ = FileManager.default.createFile(atPath: log, contents: nil)
    }
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
    file.seekToEndOfFile()
    process.standardError = file
    process.standardOutput = readsOutput ? output : file
    process.standardInput = input
    try process.run()
    Self.running.withLock { _ = $0.insert(process.processIdentifier) }
  }

  var isRunning: Bool { process.isRunning }

  /// The next bytes of its output; empty at its end.
  func readAvailable() -> Data { output.fileHandleForReading.availableData }

  func write(_ line: String) { input.fileHandleForWriting.write(Data((line + "\n").utf8)) }

  /// Waits for its end.
  ///
  /// - Returns: its output and its exit status.
  func finish() -> (output: Data, status: Int32) {
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    Self.running.withLock { _ = $0.remove(pid) }
    return (data, process.terminationStatus)
  }

  /// - Parameter patienceSeconds: until it is killed.
  func stop(patienceSeconds: Int = 5) {
    guard process.isRunning else { return }
    process.terminate()
    for _ in 0..<(patienceSeconds * 10) where process.isRunning { usleep(100_000) }
    if process.isRunning { kill(pid, SIGKILL) }
    process.waitUntilExit()
    Self.running.withLock { _ = $0.remove(pid) }
  }

  /// Where a signal is ending the benchmark, stays here until it has: what fails then fails since
  /// the programs were ended, and is no fault to report.
  static func waitWhereEnding() {
    guard isEnding.withLock({ $0 }) else { return }
    while true { sleep(1) }
  }

  /// On Ctrl-C or SIGTERM ends everything that runs, then `cleanUp`, then the benchmark.
  static func endAllOnSignal(_ cleanUp: @escaping @Sendable () -> Void) -> [DispatchSourceSignal] {
    [SIGINT, SIGTERM, SIGHUP].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        isEnding.withLock { $0 = true }
        let all = running.withLock { $0 }
        for pid in all { kill(pid, SIGTERM) }
        usleep(500_000)
        for pid in all { kill(pid, SIGKILL) }
        cleanUp()
        exit(128 + number)
      }
      source.resume()
      return source
    }
  }
}

/// Runs a short command to its end.
///
/// - Returns: its output.
@discardableResult
func runCommand(_ arguments: [String], log: String) throws -> String {
  let child = try ChildProcess(arguments, core: nil, log: log, readsOutput: true)
  let (data, status) = child.finish()
  guard status == 0 else {
    let messages = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
    throw BenchFault("\(arguments.joined(separator: " ")): exit \(status)\n\(messages)")
  }
  return String(decoding: data, as: UTF8.self)
}
