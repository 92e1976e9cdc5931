// How many calls a second the journal takes, each with two events that are in the file before the
// next step: the worst case, without a loop that gathers.

import ArgumentParser
import Foundation
import Metering
import Store
import Synchronization

struct JournalBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "journal", abstract: "Settlements a second through the journal.")

  @Option(help: "Threads, each with calls of its own.") var threads = 1
  @Option(help: "Calls over all threads.") var calls = 200_000
  @Option(help: "Events that one flush writes: a busy event loop gathers many.") var gather = 1
  @Option(help: "Where to write.") var directory: String?

  func run() throws {
    try withScratchDirectory(in: directory) { directory in
      let journal = try Journal.open(directory: directory, foldedThrough: 0) { _ in }
      let source = Calls(apps: 8, budgets: 3)
      let desk = Mutex(source.admission)
      let (threads, gather) = (threads, gather)
      let each = calls / threads
      let before = processorSeconds()
      let start = now()
      DispatchQueue.concurrentPerform(iterations: threads) { thread in
        for number in 0..<each {
          do {
            try Self.call(thread + number, source, desk, journal, flushes: number % gather == 0)
          } catch { fatalError("\(error)") }
        }
      }
      try journal.flush()
      let seconds = now() - start
      report("settlements", Double(each * threads) / seconds, "a second")
      report(
        "processor", (processorSeconds() - before) / Double(each * threads) * 1e6, "µs a call")
      try journal.close()
      try appendAlone(directory + "/alone", source)
    }
  }

  private static func call(
    _ number: Int, _ source: Calls, _ desk: borrowing Mutex<Admission>, _ journal: Journal,
    flushes: Bool
  ) throws {
    // Between the two the gateway waits for its upstream; each is flushed by itself.
    var held: Reservation?
    desk.withLock { admission in
      if case .admitted(let reservation, let event) = admission.admit(
        source.request(number), at: Calls.moment)
      {
        journal.append(event)
        held = consume reservation
      }
    }
    if flushes { try journal.flush() }
    guard let reservation = held.take() else { fatalError("refused") }
    var settling = Optional(consume reservation)
    desk.withLock { admission in
      guard let reservation = settling.take() else { return }
      journal.append(
        admission.settle(
          reservation, charge: Calls.charge, outcome: Calls.outcome, at: Calls.moment
        ).event)
    }
    if flushes { try journal.flush() }
  }

  /// The encoding alone, written in pieces of a thousand events.
  private func appendAlone(_ directory: String, _ source: Calls) throws {
    let journal = try Journal.open(directory: directory, foldedThrough: 0) { _ in }
    var admission = source.admission
    var events: [LedgerEvent] = []
    for number in 0..<50_000 { source.make(number, with: &admission) { events.append($0) } }
    var seconds = 0.0
    for first in stride(from: 0, to: events.count, by: 1_000) {
      let start = now()
      for event in events[first..<first + 1_000] { journal.append(event) }
      seconds += now() - start
      try journal.flush()
    }
    report("append", seconds / Double(events.count) * 1e9, "ns an event")
    try journal.close()
  }
}
