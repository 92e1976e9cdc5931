// How long a gateway takes to be ready again behind a journal of which nothing is folded.

import ArgumentParser
import Foundation
import Metering
import Store

struct RestartBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restart", abstract: "A start with a long journal tail.")

  @Option(help: "Size of the journal in MB (10⁶ bytes).") var megabytes = 1_024
  @Option(help: "Apps.") var apps = 50
  @Option(help: "Where to write.") var directory: String?
  @Flag(help: .hidden) var replays = false
  @Option(help: .hidden) var expected = ""

  func run() throws {
    if replays { return try replay() }
    try withScratchDirectory(in: directory) { directory in
      let journal = try Journal.open(directory: directory + "/journal", foldedThrough: 0) { _ in }
      let source = Calls(apps: apps, budgets: 3)
      var admission = source.admission
      var number = 0
      while try size(of: directory + "/journal") < megabytes * 1_000_000 {
        for _ in 0..<100_000 {
          source.make(number, with: &admission) { journal.append($0) }
          number += 1
          if number % 256 == 0 { try journal.flush() }
        }
      }
      try journal.close()
      report("journal", Double(try size(of: directory + "/journal")) / 1e6, "MB")
      report("calls", Double(number), "in it")
      // In a process of its own, so that its memory is the start's alone.
      let child = Process()
      child.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
      child.arguments = [
        "restart", "--replays", "--directory", directory, "--expected",
        Self.summary(admission.ledger),
      ]
      try child.run()
      child.waitUntilExit()
      guard child.terminationStatus == 0 else { throw ExitCode(child.terminationStatus) }
    }
  }

  private func replay() throws {
    guard let directory else { return }
    let start = now()
    let database = try StoreDatabase.open(path: directory + "/leeway.sqlite")
    var ledger = try database.checkpoint()
    let journal = try Journal.open(
      directory: directory + "/journal", foldedThrough: ledger.lastSequence
    ) { ledger.apply($0) }
    report("ready after", now() - start, "s")
    report("most memory", peakMegabytes(), "MB")
    guard Self.summary(ledger) == expected else { fatalError("the balances are not exact") }
    print("balances: exact")
    try journal.close()
    try database.close()
  }

  /// Every balance and the last sequence, as text to compare.
  private static func summary(_ ledger: Ledger) -> String {
    let accounts = ledger.accounts.map { id, account in
      "\(id.scope.text) \(id.budget) \(id.window) \(account.settled) \(account.reserved)"
    }
    let head = "\(ledger.lastSequence) \(ledger.openCount)\n"
    return head + accounts.sorted().joined(separator: "\n")
  }

  private func size(of directory: String) throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: directory).reduce(0) { sum, name in
      let attributes = try FileManager.default.attributesOfItem(atPath: directory + "/" + name)
      return sum + (attributes[.size] as? Int ?? 0)
    }
  }
}
