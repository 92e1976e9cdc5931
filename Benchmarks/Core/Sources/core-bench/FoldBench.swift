// What it costs to fold the journal into SQLite, and whether it keeps up.

import ArgumentParser
import Foundation
import Metering
import Store

struct FoldBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fold", abstract: "The fold of the journal into the database.")

  @Option(help: "Calls to fold at once.") var calls = 200_000
  @Option(help: "Calls a second of the steady run.") var rate = 5_000
  @Option(help: "Seconds of the steady run; 0: none.") var seconds = 10
  @Option(help: "Apps.") var apps = 50
  @Option(help: "Where to write.") var directory: String?

  func run() throws {
    try withScratchDirectory(in: directory) { directory in
      let journal = try Journal.open(directory: directory + "/journal", foldedThrough: 0) { _ in }
      let database = try StoreDatabase.open(path: directory + "/leeway.sqlite")
      let source = Calls(apps: apps, budgets: 3)
      var admission = source.admission
      for number in 0..<calls {
        source.make(number, with: &admission) { journal.append($0) }
        if number % 256 == 0 { try journal.flush() }
      }
      try journal.flush()
      let before = processorSeconds()
      let start = now()
      try foldOnce(journal: journal, database: database)
      let cost = (processorSeconds() - before) / Double(calls)
      report("fold", cost * 1e6, "µs of processor a call")
      report("fold", Double(calls) / (now() - start), "calls a second")
      if seconds > 0 { try steady(journal, database, source, &admission) }
      guard try database.checkpoint() == admission.ledger else {
        fatalError("the tables are not the ledger")
      }
      try journal.close()
      try database.close()
    }
  }

  /// Calls at a steady rate, folded by the pump as in the gateway.
  private func steady(
    _ journal: Journal, _ database: StoreDatabase, _ source: Calls, _ admission: inout Admission
  ) throws {
    let pump = FoldPump(journal: journal, database: database)
    let pumping = Task.detached { await pump.run() }
    let before = processorSeconds()
    let start = now()
    var lagMax: UInt64 = 0
    for tick in 0..<(seconds * 100) {
      for number in 0..<(rate / 100) {
        source.make(number + tick, with: &admission) { journal.append($0) }
      }
      try journal.flush()
      lagMax = max(lagMax, pump.lag)
      let wait = start + Double(tick + 1) / 100 - now()
      if wait > 0 { Thread.sleep(forTimeInterval: wait) }
    }
    let load = (processorSeconds() - before) / (now() - start)
    report("steady \(rate) calls/s", load * 100, "% of a core, calls made here included")
    report("most events behind", Double(lagMax), "events")
    pumping.cancel()
    let deadline = now() + 30
    while pump.lag > 0, now() < deadline { Thread.sleep(forTimeInterval: 0.01) }
    report("behind at the end", Double(pump.lag), "events")
  }
}
