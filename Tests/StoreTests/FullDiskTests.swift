// A disk that fills up, for real: a file system of a few pages, which only root may mount.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Store

#if canImport(Glibc)
  import Glibc

  @Suite(.enabled(if: geteuid() == 0, "mounting a small file system needs root"))
  struct FullDiskTests {
    private let history = LedgerHistory.random(events: 600, seed: 41)

    @Test(arguments: [0, 20])
    func aFullDiskIsSaidAndNothingIsLostOnceThereIsRoom(syncMilliseconds: Int) throws {
      try withSmallDisk(bytes: 64 << 10) { path in
        var settings = JournalSettings()
        settings.syncMilliseconds = syncMilliseconds
        settings.segmentBytesMax = 8 << 10
        let journal = try Journal.open(
          directory: path + "/journal", settings: settings, foldedThrough: 0
        ).journal
        let ballast = path + "/ballast"
        try fill(ballast, leaving: 12 << 10)
        var fault: StoreFault?
        var acknowledged: UInt64 = 0
        for event in history.events.prefix(300) {
          journal.append(event)
          do throws(StoreFault) {
            try journal.flush()
            acknowledged = event.sequence
          } catch {
            fault = fault ?? error
          }
        }
        #expect(fault?.code == .full && fault?.isRetryable == true && !journal.isWritable)
        #expect(acknowledged > 0 && acknowledged < 300 && journal.lastFlushed == acknowledged)
        // What a crash would leave now: whole records only.
        #expect(try journal.takeUnfolded(max: .max).count == Int(acknowledged))
        try FileManager.default.removeItem(atPath: ballast)
        try journal.flush()
        #expect(journal.isWritable && journal.lastFlushed == 300)
        try journal.close()
        let reopened = try Journal.open(directory: path + "/journal", foldedThrough: 0)
        #expect(reopened.tail == Array(history.events.prefix(300)))
        #expect(reopened.journal.tornTail == nil)
        try reopened.journal.close()
      }
    }

    @Test func theBackgroundThreadRecoversAQuietJournal() throws {
      try withSmallDisk(bytes: 64 << 10) { path in
        var settings = JournalSettings()
        settings.pendingBytesMax = 1000
        let journal = try Journal.open(
          directory: path + "/journal", settings: settings, foldedThrough: 0
        ).journal
        let ballast = path + "/ballast"
        try fill(ballast, leaving: 0)
        for event in history.events.prefix(100) { journal.append(event) }
        #expect(throws: StoreFault.self) { try journal.flush() }
        #expect(journal.isFull, "beyond pendingBytesMax nothing more is to be taken in")
        try FileManager.default.removeItem(atPath: ballast)
        let end = Date(timeIntervalSinceNow: 10)
        while !journal.isWritable, Date() < end { Thread.sleep(forTimeInterval: 0.01) }
        #expect(journal.isWritable && journal.lastFlushed == 100 && !journal.isFull)
        try journal.close()
      }
    }

    @Test func aFullDiskUnderTheDatabaseIsSaid() throws {
      try withSmallDisk(bytes: 1 << 20) { path in
        let database = try StoreDatabase.open(path: path + "/leeway.sqlite")
        try fill(path + "/ballast", leaving: 8 << 10)
        let fault = #expect(throws: StoreFault.self) { try database.fold(history.events) }
        #expect(fault?.code == .full)
        #expect(try database.foldedThrough() == 0)
        try FileManager.default.removeItem(atPath: path + "/ballast")
        #expect(try database.fold(history.events) == 600)
        #expect(try database.checkpoint() == history.ledger)
        try database.close()
      }
    }

    @Test func aReadOnlyFileSystemIsSaidAtTheStart() throws {
      try withSmallDisk(bytes: 1 << 20) { path in
        try StoreDatabase.open(path: path + "/leeway.sqlite").close()
        try Journal.open(directory: path + "/journal", foldedThrough: 0).journal.close()
        let remounted = mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT | MS_RDONLY), nil)
        try #require(remounted == 0, "remounting read-only: errno \(errno)")
        let database = #expect(throws: StoreFault.self) {
          _ = try StoreDatabase.open(path: path + "/leeway.sqlite")
        }
        #expect([.readOnly, .cannotOpen].contains(database?.code))
        #expect(database?.hint.isEmpty == false)
        let journal = #expect(throws: StoreFault.self) {
          _ = try Journal.open(directory: path + "/journal", foldedThrough: 0)
        }
        #expect(journal?.code == .readOnly)
      }
    }

    private func withSmallDisk(bytes: Int, _ body: (String) throws -> Void) throws {
      try withTemporaryDirectory { directory in
        let mounted = mount("tmpfs", directory.path, "tmpfs", 0, "size=\(bytes)")
        try #require(mounted == 0, "mounting a tmpfs: errno \(errno)")
        defer { umount2(directory.path, Int32(MNT_DETACH)) }
        try body(directory.path)
      }
    }

    /// Takes what is free but for so many bytes.
    private func fill(_ path: String, leaving bytes: Int) throws {
      let file = try OpenFile(path: path, flags: O_RDWR | O_CREAT)
      defer { file.close() }
      var offset = 0
      let page = [UInt8](repeating: 1, count: 4096)
      while (try? file.write(page, at: offset)) != nil { offset += page.count }
      try file.truncate(to: max(0, offset - bytes))
    }
  }
#endif
