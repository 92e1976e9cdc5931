// What it takes to admit and settle a call in memory: no journal, no lock, no socket.

import ArgumentParser
import CAllocations
import Metering
import Synchronization

struct AdmissionBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "admission", abstract: "Admission and settlement in the core.")

  @Option(help: "Apps; the calls take turns.") var apps = 1
  @Option(help: "Budgets of each app.") var budgets = 3
  @Option(help: "Calls.") var calls = 1_000_000
  @Flag(help: "Every app has rates, too.") var rates = false
  @Flag(help: "Every call holds what those before it cost.") var calibrated = false

  func run() {
    let calls = Calls(apps: apps, budgets: budgets, hasRates: rates, isCalibrated: calibrated)
    var admission = calls.admission
    // Every app's accounts are found and every table has its size.
    for number in 0..<max(10_000, apps * 2) { calls.make(number, with: &admission) { _ in } }

    let allocations = leeway_allocations()
    let start = now()
    var sequence: UInt64 = 0
    for number in 0..<self.calls {
      calls.make(number, with: &admission) { sequence &+= $0.sequence }
    }
    let seconds = now() - start
    let allocated = leeway_allocations() - allocations
    report("admit + settle", seconds / Double(self.calls) * 1e9, "ns a call")
    report("heap allocations", Double(allocated) / Double(self.calls), "a call")

    let desk = Mutex(admission)
    let lockedStart = now()
    for number in 0..<self.calls {
      desk.withLock { admission in
        calls.make(number, with: &admission) { sequence &+= $0.sequence }
      }
    }
    let locked = now() - lockedStart
    report("the same behind a lock", locked / Double(self.calls) * 1e9, "ns a call")
    if sequence == 0 { fatalError("nothing was admitted") }
  }
}
