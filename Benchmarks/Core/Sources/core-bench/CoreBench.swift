// core-bench: what the core and the store cost by themselves, without a socket.

import ArgumentParser
import Foundation

@main
struct CoreBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "core-bench",
    abstract: "Measure admission, journal, fold, restart, tokenizers and the night run.",
    subcommands: [
      AdmissionBench.self, JournalBench.self, FoldBench.self, RestartBench.self, TokensBench.self,
      NightBench.self,
    ])
}

/// Prints one figure a line: what, how much, in which unit.
func report(_ name: String, _ value: Double, _ unit: String) {
  let digits = abs(value) >= 100 ? 0 : abs(value) >= 10 ? 1 : 3
  print("\(name): \(String(format: "%.\(digits)f", value)) \(unit)")
}

/// Seconds of a clock that is never set.
func now() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Processor seconds of the whole process so far.
func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// The most memory that the process has had resident, in MB (10⁶ bytes).
func peakMegabytes() -> Double {
  var usage = rusage()
  getrusage(.init(RUSAGE_SELF.rawValue), &usage)
  return Double(usage.ru_maxrss) * 1_024 / 1e6
}

/// A directory that is gone when the body has run.
func withScratchDirectory(in parent: String?, _ body: (String) throws -> Void) throws {
  let root = parent.map { URL(fileURLWithPath: $0) } ?? FileManager.default.temporaryDirectory
  let directory = root.appending(path: "leeway-core-bench-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: directory) }
  try body(directory.path)
}
