// The pump from journal to database: through rotation, restarts, and a database that fails.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Store

@Suite struct FoldPumpTests {
  private let history = LedgerHistory.random(events: 400, seed: 31)

  private func append(_ events: some Sequence<LedgerEvent>, to journal: Journal) throws {
    for event in events { journal.append(event) }
    try journal.flush()
  }

  @Test func checkpointAndTailAreTheLedgerAfterAnyCrash() throws {
    try withTemporaryDirectory { directory in
      var settings = JournalSettings()
      settings.segmentBytesMax = 2000
      settings.retentionSeconds = 0
      let database = try StoreDatabase.open(path: directory.path("leeway.sqlite"))
      var generator = SeededGenerator(seed: 7)
      var written = 0
      while written < history.events.count {
        let (journal, tail) = try Journal.open(
          directory: directory.path("journal"), settings: settings,
          foldedThrough: try database.foldedThrough())
        var ledger = try database.checkpoint()
        for event in tail { ledger.apply(event) }
        var expected = Ledger()
        for event in history.events[..<written] { expected.apply(event) }
        #expect(ledger == expected, "after \(written) events")
        let next = min(written + generator.int(1...60), history.events.count)
        try append(history.events[written..<next], to: journal)
        written = next
        // Some runs end before the fold, some within it, some after.
        switch generator.int(0...2) {
        case 0: break
        case 1: try database.fold(journal.takeUnfolded(max: 5))
        default: try foldOnce(journal: journal, database: database, batch: 7)
        }
        try journal.close()
      }
      let journal = try Journal.open(
        directory: directory.path("journal"), settings: settings,
        foldedThrough: try database.foldedThrough()
      ).journal
      try foldOnce(journal: journal, database: database)
      #expect(try database.checkpoint() == history.ledger)
      #expect(try Directory.names(in: directory.path("journal")).count == 2, "segment and lock")
      try journal.close()
      try database.close()
    }
  }

  @Test func aDatabaseThatFailsStopsTheFoldAndLosesNothing() throws {
    try withTemporaryDirectory { directory in
      let journal = try Journal.open(
        directory: directory.path("journal"), foldedThrough: 0
      ).journal
      let database = try StoreDatabase.inMemory()
      var settings = FoldPump.Settings()
      settings.intervalMilliseconds = 50
      let pump = FoldPump(journal: journal, database: database, settings: settings)
      try append(history.events[..<100], to: journal)
      #expect(pump.round() == 50 && pump.status.foldedEvents == 100 && pump.lag == 0)
      try database.setReadOnly(true)
      try append(history.events[100..<300], to: journal)
      let delays = (0..<8).map { _ in pump.round() }
      #expect(delays == [100, 200, 400, 800, 1600, 3200, 5000, 5000])
      #expect(pump.status.failures == 8 && pump.status.fault?.code == .readOnly)
      #expect(pump.lag == 200 && journal.isWritable, "the journal goes on")
      try database.setReadOnly(false)
      try append(history.events[300...], to: journal)
      #expect(pump.round() == 50)
      #expect(pump.status.fault == nil && pump.status.foldedEvents == 400 && pump.lag == 0)
      #expect(try database.checkpoint() == history.ledger)
      try journal.close()
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func runFoldsUntilCancelledAndOnceMore() async throws {
    let directory = try TemporaryDirectory()
    let journal = try Journal.open(directory: directory.path, foldedThrough: 0).journal
    let database = try StoreDatabase.inMemory()
    var settings = FoldPump.Settings()
    settings.intervalMilliseconds = 5
    let pump = FoldPump(journal: journal, database: database, settings: settings)
    let running = Task { await pump.run() }
    try append(history.events[..<200], to: journal)
    while pump.status.foldedEvents < 200 { try await Task.sleep(for: .milliseconds(2)) }
    try append(history.events[200...], to: journal)
    running.cancel()
    await running.value
    #expect(pump.status.foldedEvents == 400)
    #expect(try database.checkpoint() == history.ledger)
    try journal.close()
  }
}
