// What a crash, a loss of power or a bad disk leaves behind, and what a start makes of it.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Store

@Suite struct JournalRecoveryTests {
  private let history = LedgerHistory.random(events: 12, seed: 5).events

  @Test func aTailTornAtAnyByteIsCutAndReported() throws {
    try withTemporaryDirectory { directory in
      let (bytes, starts) = segmentBytes(history)
      let last = starts[starts.count - 1]
      for end in (last + 1)..<bytes.count {
        let path = try write(bytes[..<end], to: directory)
        let (journal, tail) = try Journal.open(directory: directory.path, foldedThrough: 0)
        #expect(tail == Array(history.dropLast()), "torn at byte \(end)")
        #expect(
          journal.tornTail == TornTail(path: path, offset: last, bytes: end - last))
        // The journal goes on where the good records end.
        journal.append(history[history.count - 1])
        try journal.close()
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(bytes))
      }
    }
  }

  @Test func aSegmentTornInItsHeadIsBegunAgain() throws {
    try withTemporaryDirectory { directory in
      let (bytes, _) = segmentBytes(history)
      for end in 0..<Segment.headBytes {
        try write(bytes[...], to: directory)
        let next = Segment(first: UInt64(history.count + 1))
        let torn = next.path(in: directory.path)
        try Data(next.head[..<end]).write(to: URL(fileURLWithPath: torn))
        let (journal, tail) = try Journal.open(directory: directory.path, foldedThrough: 0)
        #expect(tail == history && journal.tornTail?.path == torn)
        let event = LedgerEvent(
          sequence: next.first, at: history[0].at, kind: history[0].kind)
        journal.append(event)
        try journal.close()
        let reopened = try Journal.open(directory: directory.path, foldedThrough: 0)
        #expect(reopened.tail == history + [event])
        try reopened.journal.close()
      }
    }
  }

  @Test func aBitFlippedInAnyByteBeforeTheLastRecordStopsTheStart() throws {
    try withTemporaryDirectory { directory in
      let (bytes, starts) = segmentBytes(history)
      for offset in 0..<starts[starts.count - 1] {
        var damaged = bytes
        damaged[offset] ^= 1 << UInt8(offset * 5 % 8)
        try write(damaged[...], to: directory)
        let fault = #expect(throws: StoreFault.self, "byte \(offset)") {
          _ = try Journal.open(directory: directory.path, foldedThrough: 0)
        }
        #expect(fault?.code == .journalCorrupt)
      }
    }
  }

  @Test func aBitFlippedInAnyByteOfTheLastRecordCutsIt() throws {
    try withTemporaryDirectory { directory in
      let (bytes, starts) = segmentBytes(history)
      for offset in starts[starts.count - 1]..<bytes.count {
        var damaged = bytes
        damaged[offset] ^= 1 << UInt8(offset % 8)
        try write(damaged[...], to: directory)
        let (journal, tail) = try Journal.open(directory: directory.path, foldedThrough: 0)
        #expect(tail == Array(history.dropLast()) && journal.tornTail != nil)
        try journal.close()
      }
    }
  }

  @Test func zerosBehindTheLastRecordAreCut() throws {
    try withTemporaryDirectory { directory in
      let (bytes, _) = segmentBytes(history)
      try write((bytes + [UInt8](repeating: 0, count: 5000))[...], to: directory)
      let (journal, tail) = try Journal.open(directory: directory.path, foldedThrough: 0)
      #expect(tail == history && journal.tornTail?.bytes == 5000)
      try journal.close()
    }
  }

  @Test func aTornRecordInASegmentThatIsNotLastStopsTheStart() throws {
    try withTemporaryDirectory { directory in
      let (bytes, _) = segmentBytes(history)
      try write(bytes.dropLast(), to: directory)
      let next = Segment(first: UInt64(history.count + 1))
      try Data(next.head).write(to: URL(fileURLWithPath: next.path(in: directory.path)))
      #expect(faultCode(directory, foldedThrough: 0) == .journalCorrupt)
    }
  }

  @Test func missingEventsStopTheStart() throws {
    try withTemporaryDirectory { directory in
      let (bytes, starts) = segmentBytes(history)
      // The database lost what the journal no longer has.
      let late = Segment(first: 5)
      let content = late.head + bytes[starts[4]...]
      try Data(content).write(to: URL(fileURLWithPath: late.path(in: directory.path)))
      #expect(faultCode(directory, foldedThrough: 3) == .journalGap)
      let (journal, tail) = try Journal.open(directory: directory.path, foldedThrough: 4)
      #expect(tail == Array(history[4...]))
      try journal.close()
      // A segment in the middle is gone.
      let far = Segment(first: 20)
      try Data(far.head).write(to: URL(fileURLWithPath: far.path(in: directory.path)))
      #expect(faultCode(directory, foldedThrough: 4) == .journalGap)
      // A record in the middle is gone, the others whole.
      try FileManager.default.removeItem(atPath: far.path(in: directory.path))
      try FileManager.default.removeItem(atPath: late.path(in: directory.path))
      try write((bytes[..<starts[3]] + bytes[starts[4]...])[...], to: directory)
      #expect(faultCode(directory, foldedThrough: 0) == .journalCorrupt)
    }
  }

  @Test func aDatabaseAheadOfTheJournalGoesOn() throws {
    try withTemporaryDirectory { directory in
      try write(segmentBytes(history).bytes[...], to: directory)
      let (journal, tail) = try Journal.open(directory: directory.path, foldedThrough: 40)
      #expect(tail.isEmpty && journal.lastFlushed == 40 && journal.unfoldedCount == 0)
      let event = LedgerEvent(sequence: 41, at: history[0].at, kind: history[0].kind)
      journal.append(event)
      try journal.flush()
      #expect(try journal.takeUnfolded(max: 10) == [event])
      try journal.close()
      let reopened = try Journal.open(directory: directory.path, foldedThrough: 40)
      #expect(reopened.tail == [event])
      try reopened.journal.close()
      #expect(faultCode(directory, foldedThrough: 12) == .journalGap)
    }
  }

  @Test func foreignFilesAreLeftAlone() throws {
    try withTemporaryDirectory { directory in
      try directory.write("not ours", to: "notes.txt")
      try directory.write("not ours", to: "1.journal")
      try Journal.open(directory: directory.path, foldedThrough: 0).journal.close()
      let left = try String(contentsOfFile: directory.path("1.journal"), encoding: .utf8)
      #expect(left == "not ours")
    }
  }

  /// Stands in for kill -9: a copy taken while another thread writes is what the disk would hold.
  @Test func aCopyTakenMidWriteRecoversToAPrefix() throws {
    try withTemporaryDirectory { directory in
      let history = LedgerHistory.random(events: 4000, seed: 8).events
      let live = directory.path("live")
      var settings = JournalSettings()
      settings.segmentBytesMax = 40_000
      let journal = try Journal.open(directory: live, settings: settings, foldedThrough: 0).journal
      let copies = try crashCopies(of: live, in: directory, while: journal, writes: history)
      try journal.close()
      #expect(copies.count > 1)
      for copy in copies {
        let (recovered, tail) = try Journal.open(directory: copy.path, foldedThrough: 0)
        #expect(tail == Array(history.prefix(tail.count)))
        // What `flush` had acknowledged before the copy began is in it.
        #expect(UInt64(tail.count) >= copy.acknowledged)
        try recovered.close()
      }
    }
  }

  private func crashCopies(
    of live: String, in directory: TemporaryDirectory, while journal: Journal,
    writes history: [LedgerEvent]
  ) throws -> [(path: String, acknowledged: UInt64)] {
    let writing = DispatchGroup()
    DispatchQueue.global().async(group: writing) {
      for (index, event) in history.enumerated() {
        journal.append(event)
        if index % 3 == 0 { try? journal.flush() }
      }
    }
    var copies: [(path: String, acknowledged: UInt64)] = []
    repeat {
      let acknowledged = journal.lastFlushed
      let path = directory.path("copy-\(copies.count)")
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      // Oldest first, as a disk holds them: a segment is whole before its successor exists.
      for name in try FileManager.default.contentsOfDirectory(atPath: live).sorted()
      where name.hasSuffix(".journal") {
        let data = try Data(contentsOf: URL(fileURLWithPath: live + "/" + name))
        try data.write(to: URL(fileURLWithPath: path + "/" + name))
      }
      copies.append((path, acknowledged))
    } while writing.wait(timeout: .now()) == .timedOut
    return copies
  }

  /// A segment of these events, and where each record begins.
  private func segmentBytes(_ events: [LedgerEvent]) -> (bytes: [UInt8], starts: [Int]) {
    var bytes = Segment(first: events[0].sequence).head
    var starts: [Int] = []
    for event in events {
      starts.append(bytes.count)
      bytes.append(recordOf: event)
    }
    return (bytes, starts)
  }

  @discardableResult
  private func write(
    _ bytes: ArraySlice<UInt8>, to directory: TemporaryDirectory
  ) throws -> String {
    for name in try Directory.names(in: directory.path) where name.hasSuffix(".journal") {
      try FileManager.default.removeItem(atPath: directory.path(name))
    }
    let path = Segment(first: 1).path(in: directory.path)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  private func faultCode(
    _ directory: TemporaryDirectory, foldedThrough: UInt64
  ) -> StoreFault.Code? {
    do throws(StoreFault) {
      try Journal.open(directory: directory.path, foldedThrough: foldedThrough).journal.close()
      return nil
    } catch {
      return error.code
    }
  }
}
