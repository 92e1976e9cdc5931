// The file itself: created, migrated, shared, locked, read-only, damaged.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Store

@Suite struct StoreDatabaseTests {
  private let now = Timestamp(milliseconds: 1_700_000_000_000)

  @Test func anEmptyFileIsMigratedAndOpensAgain() throws {
    try withTemporaryDirectory { directory in
      let path = directory.path("new/folder/leeway.sqlite")
      let database = try StoreDatabase.open(path: path)
      #expect(try database.checkpoint() == Ledger())
      try database.placeOrder(action: .cap("a"), actor: "test", reason: "r", at: now)
      try database.close()
      let again = try StoreDatabase.open(path: path)
      #expect(try again.orders(after: 0).count == 1)
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      #expect(attributes[.posixPermissions] as? Int == 0o600)
      #expect(try again.pragma("auto_vacuum") == 2, "incremental")
      #expect(try again.pragma("synchronous") == 2, "full")
      #expect(try again.pragma("foreign_keys") == 1)
      #expect(try again.pragma("busy_timeout") == 5000)
      #expect(try again.pragma("journal_size_limit") == 64 << 20)
      // Bytes 18 and 19 of the head are 2 in a file that is in WAL mode.
      let head = try Data(contentsOf: URL(fileURLWithPath: path)).prefix(20)
      #expect(head.suffix(2) == Data([2, 2]))
      try again.close()
    }
  }

  @Test func manyProcessesMayOpenANewFileAtOnce() throws {
    try withTemporaryDirectory { directory in
      let path = directory.path("leeway.sqlite")
      let results = Results<StoreFault?>()
      DispatchQueue.concurrentPerform(iterations: 6) { _ in
        do throws(StoreFault) {
          try StoreDatabase.open(path: path).close()
          results.add(nil)
        } catch {
          results.add(error)
        }
      }
      #expect(results.all.compactMap { $0 } == [])
    }
  }

  @Test func aStoreHasOneGatewayWhateverLinkLeadsToIt() throws {
    try withTemporaryDirectory { directory in
      let path = directory.path("leeway.sqlite")
      let link = directory.path("elsewhere")
      try FileManager.default.createSymbolicLink(
        atPath: link, withDestinationPath: directory.path)
      let first = try StoreDatabase.open(path: path)
      try first.claimLedger()
      try first.claimLedger()
      // Commands and the analyzer share the store all the same.
      let second = try StoreDatabase.open(path: link + "/leeway.sqlite")
      _ = try second.checkpoint()
      let fault = #expect(throws: StoreFault.self) { try second.claimLedger() }
      #expect(fault?.code == .storeClaimed)
      #expect(fault?.message.hasSuffix("process \(getpid())") == true)
      try first.close()
      try second.claimLedger()
      try second.close()
      try StoreDatabase.inMemory().claimLedger()
    }
  }

  @Test func aNewerSchemaIsLeftAlone() throws {
    try withTemporaryDirectory { directory in
      let path = directory.path("leeway.sqlite")
      let database = try StoreDatabase.open(path: path)
      try database.write("test") { db in
        try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('keys-99')")
      }
      try database.close()
      let fault = #expect(throws: StoreFault.self) { _ = try StoreDatabase.open(path: path) }
      #expect(fault?.code == .schemaNewer && fault?.isRetryable == false)
    }
  }

  @Test func aFileThatIsNoDatabaseIsSaidToBeNone() throws {
    try withTemporaryDirectory { directory in
      let path = try directory.write(String(repeating: "not a database. ", count: 500), to: "x")
      let fault = #expect(throws: StoreFault.self) { _ = try StoreDatabase.open(path: path) }
      #expect(fault?.code == .corrupt && fault?.message.contains(path) == true)
      let nowhere = directory.path("x/leeway.sqlite")
      let other = #expect(throws: StoreFault.self) { _ = try StoreDatabase.open(path: nowhere) }
      #expect(other?.code == .cannotOpen)
    }
  }

  @Test func aLockedDatabaseIsBusyAndThenWorksAgain() throws {
    try withTemporaryDirectory { directory in
      let path = directory.path("leeway.sqlite")
      var settings = StoreSettings()
      settings.busyTimeoutSeconds = 0.05
      let database = try StoreDatabase.open(path: path, settings: settings)
      let other = try StoreDatabase.open(path: path)
      let (locked, release) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
      let holding = DispatchGroup()
      DispatchQueue.global().async(group: holding) {
        try? other.write("holding the lock") { _ in
          locked.signal()
          release.wait()
        }
      }
      locked.wait()
      let events = LedgerHistory.random(events: 20, seed: 1)
      let fault = #expect(throws: StoreFault.self) { try database.fold(events.events) }
      #expect(fault?.code == .busy && fault?.isRetryable == true)
      #expect(try database.checkpoint() == Ledger(), "readers do not wait")
      release.signal()
      holding.wait()
      #expect(try database.fold(events.events) == 20)
      #expect(try database.checkpoint() == events.ledger)
      try database.close()
      try other.close()
    }
  }

  @Test func aReadOnlyDatabaseSaysSoAndLosesNothing() throws {
    let database = try StoreDatabase.inMemory()
    let history = LedgerHistory.random(events: 20, seed: 1)
    try database.setReadOnly(true)
    let fault = #expect(throws: StoreFault.self) { try database.fold(history.events) }
    #expect(fault?.code == .readOnly && fault?.hint.isEmpty == false)
    #expect(throws: StoreFault.self) {
      try database.enqueueAlert(
        AlertRow(key: "k", app: "a", kind: "", severity: "", title: "", body: "", at: now),
        deliveries: [])
    }
    try database.setReadOnly(false)
    #expect(try database.fold(history.events) == 20)
  }

  @Test func faultsNeverQuoteValues() throws {
    let database = try StoreDatabase.inMemory()
    let secret = "sk-very-secret-hash"
    try database.issueKey(app: "a", hashHex: secret, hint: "h", label: "", at: now)
    let fault = #expect(throws: StoreFault.self) {
      try database.issueKey(app: "a", hashHex: secret, hint: "h", label: "", at: now)
    }
    #expect(fault?.code == .constraint)
    #expect(fault?.description.contains(secret) == false)
  }
}

/// Collects values from several threads.
final class Results<Value: Sendable>: @unchecked Sendable {
  // Unchecked: every access holds the lock.
  private let lock = NSLock()
  private var values: [Value] = []

  func add(_ value: Value) { lock.withLock { values.append(value) } }
  var all: [Value] { lock.withLock { values } }
}

extension StoreDatabase {
  /// Makes every later write fail as on a read-only file system.
  func setReadOnly(_ isReadOnly: Bool) throws {
    // Not `write`: its transaction could not end.
    try writer.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA query_only = \(isReadOnly ? 1 : 0)")
    }
  }
}
