// The journal at work: order, grouping, rotation, retention, and who may hold it.

import Foundation
import Metering
import Synchronization
import TestSupport
import Testing

@testable import Store

@Suite struct JournalTests {
  private let history = LedgerHistory.random(events: 200, seed: 11).events

  @Test(arguments: [0, 20])
  func whatWasFlushedIsThereAfterAReopen(syncMilliseconds: Int) throws {
    try withTemporaryDirectory { directory in
      var settings = JournalSettings()
      settings.syncMilliseconds = syncMilliseconds
      let (journal, tail) = try Journal.open(
        directory: directory.path("journal"), settings: settings, foldedThrough: 0)
      #expect(tail.isEmpty && journal.tornTail == nil && journal.lastFlushed == 0)
      for event in history {
        journal.append(event)
        try journal.flush()
        #expect(journal.lastFlushed == event.sequence)
      }
      try journal.close()
      #expect(throws: StoreFault.self) {
        journal.append(LedgerEvent(sequence: 201, at: history[0].at, kind: history[0].kind))
        try journal.flush()
      }
      let reopened = try Journal.open(
        directory: directory.path("journal"), settings: settings, foldedThrough: 0)
      #expect(reopened.tail == history)
      #expect(reopened.journal.tornTail == nil)
      try reopened.journal.close()
    }
  }

  @Test func aReopenHandsOutOnlyWhatIsNotFolded() throws {
    try withTemporaryDirectory { directory in
      try fill(directory, segmentBytesMax: 600)
      for folded in [0, 1, 57, 199, 200] as [UInt64] {
        let (journal, tail) = try Journal.open(directory: directory.path, foldedThrough: folded)
        #expect(tail == Array(history.dropFirst(Int(folded))))
        #expect(try journal.takeUnfolded(max: .max) == tail)
        try journal.close()
      }
    }
  }

  @Test func theFoldTakesTheSameEventsUntilItMovesOn() throws {
    try withTemporaryDirectory { directory in
      var settings = JournalSettings()
      settings.segmentBytesMax = 600
      let journal = try Journal.open(
        directory: directory.path, settings: settings, foldedThrough: 0
      ).journal
      #expect(try journal.takeUnfolded(max: 10).isEmpty)
      for event in history.prefix(150) { journal.append(event) }
      try journal.flush()
      #expect(try journal.takeUnfolded(max: 10) == Array(history[..<10]))
      #expect(try journal.takeUnfolded(max: 7) == Array(history[..<7]))
      // Less than was taken, then more than was taken.
      try journal.folded(through: 4)
      #expect(try journal.takeUnfolded(max: 3) == Array(history[4..<7]))
      try journal.folded(through: 9)
      #expect(try journal.takeUnfolded(max: .max) == Array(history[9..<150]))
      #expect(journal.unfoldedCount == 141)
      try journal.folded(through: 150)
      #expect(try journal.takeUnfolded(max: .max).isEmpty && journal.unfoldedCount == 0)
      for event in history.suffix(50) {
        journal.append(event)
        try journal.flush()
      }
      #expect(try journal.takeUnfolded(max: .max) == Array(history.suffix(50)))
      try journal.close()
    }
  }

  @Test func aRecordLargerThanTheReadersChunkIsRead() throws {
    try withTemporaryDirectory { directory in
      let journal = try Journal.open(directory: directory.path, foldedThrough: 0).journal
      let reason = String(repeating: "r", count: 700 << 10)
      let events = (1...3).map { sequence in
        LedgerEvent(
          sequence: UInt64(sequence), at: Timestamp(milliseconds: 1),
          kind: .capped(app: "a", reason: reason, order: Int64(sequence)))
      }
      for event in events { journal.append(event) }
      try journal.flush()
      #expect(try journal.takeUnfolded(max: .max) == events)
      try journal.close()
    }
  }

  @Test func segmentsRotateAndGoOnlyWhenFoldedAndOld() throws {
    try withTemporaryDirectory { directory in
      try fill(directory, segmentBytesMax: 600)
      let before = try segments(directory)
      #expect(before.count > 10)
      for (segment, next) in zip(before, before.dropFirst()) {
        #expect(try OpenFile(path: segment.path(in: directory.path), flags: 0).size() <= 600)
        #expect(segment.first < next.first)
      }
      let journal = try Journal.open(directory: directory.path, foldedThrough: 0).journal
      let now = WallClock.now()
      try journal.folded(through: 100, at: now)
      #expect(try segments(directory) == before, "folded, but not old")
      let later = now.adding(milliseconds: 86_401_000)
      try journal.folded(through: 101, at: later)
      let left = try segments(directory)
      #expect(left == before.suffix(left.count) && left.count < before.count)
      #expect(left[0].first <= 102 && left[1].first > 102, "the next event's segment stays")
      try journal.folded(through: 200, at: later)
      #expect(try segments(directory) == [before[before.count - 1]], "the last one stays")
      try journal.close()
      let reopened = try Journal.open(directory: directory.path, foldedThrough: 200)
      #expect(reopened.tail.isEmpty)
      try reopened.journal.close()
    }
  }

  @Test func twoGatewaysCannotShareAJournal() throws {
    try withTemporaryDirectory { directory in
      let journal = try Journal.open(directory: directory.path, foldedThrough: 0).journal
      let fault = #expect(throws: StoreFault.self) {
        _ = try Journal.open(directory: directory.path, foldedThrough: 0)
      }
      #expect(fault?.code == .journalLocked)
      #expect(fault?.message.contains("process \(getpid())") == true)
      try journal.close()
      try Journal.open(directory: directory.path, foldedThrough: 0).journal.close()
    }
  }

  @Test func anEventOutOfOrderStopsTheJournalInsteadOfLeavingAGap() throws {
    try withTemporaryDirectory { directory in
      let journal = try Journal.open(directory: directory.path, foldedThrough: 0).journal
      journal.append(history[0])
      journal.append(history[0])
      try journal.flush()
      #expect(journal.lastFlushed == 1 && journal.isWritable)
      journal.append(history[2])
      let fault = #expect(throws: StoreFault.self) { try journal.flush() }
      #expect(fault?.code == .journalGap && !journal.isWritable)
      // Not even the background thread, which has nothing left to write, may call it well again.
      try journal.sync()
      #expect(!journal.isWritable)
      #expect(throws: StoreFault.self) { try journal.close() }
      let reopened = try Journal.open(directory: directory.path, foldedThrough: 0)
      #expect(reopened.tail == [history[0]])
      try reopened.journal.close()
    }
  }

  @Test(arguments: [0, 5])
  func manyThreadsAppendInOrderAndFindTheirEventsOnDisk(syncMilliseconds: Int) throws {
    try withTemporaryDirectory { directory in
      var settings = JournalSettings()
      settings.syncMilliseconds = syncMilliseconds
      settings.segmentBytesMax = 20_000
      let journal = try Journal.open(
        directory: directory.path, settings: settings, foldedThrough: 0
      ).journal
      let admission = Mutex(LedgerHistory())
      let failures = Atomic<Int>(0)
      DispatchQueue.concurrentPerform(iterations: 8) { thread in
        for turn in 0..<100 {
          let sequence = admission.withLock { history in
            history.take(
              .reserve(app: thread, amount: Int64(turn), budgets: 1, isStream: false))
            journal.append(history.events[history.events.count - 1])
            return history.ledger.lastSequence
          }
          do { try journal.flush() } catch { failures.add(1, ordering: .relaxed) }
          if journal.lastFlushed < sequence { failures.add(1, ordering: .relaxed) }
        }
      }
      #expect(failures.load(ordering: .relaxed) == 0)
      try journal.close()
      let reopened = try Journal.open(directory: directory.path, foldedThrough: 0)
      #expect(reopened.tail == admission.withLock { $0.events })
      try reopened.journal.close()
    }
  }

  @Test func theBackgroundThreadWritesWhatNobodyFlushes() throws {
    try withTemporaryDirectory { directory in
      let journal = try Journal.open(directory: directory.path, foldedThrough: 0).journal
      journal.append(history[0])
      let end = Date(timeIntervalSinceNow: 10)
      while journal.lastFlushed < 1, Date() < end { Thread.sleep(forTimeInterval: 0.005) }
      #expect(journal.lastFlushed == 1)
      try journal.close()
    }
  }

  private func fill(_ directory: TemporaryDirectory, segmentBytesMax: Int) throws {
    var settings = JournalSettings()
    settings.segmentBytesMax = segmentBytesMax
    let journal = try Journal.open(
      directory: directory.path, settings: settings, foldedThrough: 0
    ).journal
    for event in history {
      journal.append(event)
      try journal.flush()
    }
    try journal.close()
  }

  private func segments(_ directory: TemporaryDirectory) throws -> [Segment] {
    try Directory.names(in: directory.path).compactMap(Segment.init(name:))
      .sorted { $0.first < $1.first }
  }
}
