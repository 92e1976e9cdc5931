// The database: one SQLite file in WAL, shared by the gateway and the analyzer.
//
// Every write is a named transaction that keeps an invariant, one file per table family; nothing
// outside this module sees SQL, so that an invariant has one place to be broken in.

internal import GRDB

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// How the database is opened.
public struct StoreSettings: Hashable, Sendable {
  /// How long a statement waits for another process's write lock before it fails as `busy`.
  public var busyTimeoutSeconds: Double = 5
  /// Connections for reading, beside the one that writes. At least 1.
  public var readersMax: Int = 4

  public init() {}
}

/// The store's database. One value per process; safe to use from any thread.
///
/// Calls block the calling thread for the length of the statement (and up to the busy timeout), so
/// none of them belongs on an event loop.
public final class StoreDatabase: Sendable {
  /// The file, or `:memory:`.
  public let path: String
  let writer: any DatabaseWriter
  let ledgerClaim = LedgerClaim()
  static let inMemoryPath = ":memory:"

  private init(path: String, writer: any DatabaseWriter) {
    self.path = path
    self.writer = writer
  }

  /// Opens the file, creating and migrating it as needed.
  ///
  /// - Throws: `cannotOpen`, `readOnly`, `corrupt`, `busy`, or `schemaNewer` where a newer Leeway
  ///   has written it.
  public static func open(
    path: String, settings: StoreSettings = StoreSettings()
  ) throws(StoreFault) -> StoreDatabase {
    do {
      try createFile(path)
      let pool = try openPool(path, settings)
      try pool.writeWithoutTransaction { db in
        // A commit is on the disk when it returns: journal segments are deleted on its word.
        try db.execute(sql: "PRAGMA synchronous = FULL")
      }
      let database = StoreDatabase(path: path, writer: pool)
      try database.migrate()
      return database
    } catch {
      throw StoreFault(error, doing: "opening the database", path: path)
    }
  }

  /// The pool; waits for another process that is just making the file.
  ///
  /// SQLite's change to WAL fails at once where another connection makes it: no busy handler is
  /// asked, so the wait of the settings is kept here.
  private static func openPool(_ path: String, _ settings: StoreSettings) throws -> DatabasePool {
    let start = ContinuousClock.now
    while true {
      do {
        return try DatabasePool(path: path, configuration: configuration(settings))
      } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
        let waited = ContinuousClock.now - start
        if waited >= .seconds(settings.busyTimeoutSeconds) { throw error }
        usleep(20_000)
      }
    }
  }

  /// A database that lives as long as the value, for tests.
  public static func inMemory() throws(StoreFault) -> StoreDatabase { try inMemory(upTo: nil) }

  /// One as an older version made it: with the tables up to this migration.
  static func inMemory(upTo migration: String?) throws(StoreFault) -> StoreDatabase {
    do {
      let queue = try DatabaseQueue(configuration: configuration(StoreSettings()))
      let database = StoreDatabase(path: inMemoryPath, writer: queue)
      if let migration {
        try migrator.migrate(queue, upTo: migration)
      } else {
        try database.migrate()
      }
      return database
    } catch {
      throw StoreFault(error, doing: "opening the database", path: inMemoryPath)
    }
  }

  /// Closes every connection, and gives up the ledger; later calls fail.
  public func close() throws(StoreFault) {
    defer { ledgerClaim.release() }
    do { try writer.close() } catch {
      throw StoreFault(error, doing: "closing the database", path: path)
    }
  }

  /// One write transaction. `doing` names it in errors: "placing an order".
  func write<Value>(
    _ doing: String, _ body: (Database) throws -> Value
  ) throws(StoreFault) -> Value {
    do { return try writer.write(body) } catch { throw StoreFault(error, doing: doing, path: path) }
  }

  /// One read of a consistent snapshot.
  func read<Value>(
    _ doing: String, _ body: (Database) throws -> Value
  ) throws(StoreFault) -> Value {
    do { return try writer.read(body) } catch { throw StoreFault(error, doing: doing, path: path) }
  }

  private static func configuration(_ settings: StoreSettings) -> Configuration {
    var configuration = Configuration()
    configuration.label = "leeway.store"
    configuration.foreignKeysEnabled = true
    configuration.busyMode = .timeout(settings.busyTimeoutSeconds)
    configuration.maximumReaderCount = max(1, settings.readersMax)
    configuration.prepareDatabase { db in
      guard !db.configuration.readonly else { return }
      // Takes effect on an empty file only, hence before the first table.
      try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
      // The log is checkpointed every 40 MB and shrunk back: it must not outgrow the data.
      try db.execute(sql: "PRAGMA wal_autocheckpoint = 10000")
      try db.execute(sql: "PRAGMA journal_size_limit = 67108864")
    }
    return configuration
  }

  /// Samples are in it: the file, and with it the log beside it, is for this account alone.
  private static func createFile(_ path: String) throws(StoreFault) {
    if let slash = path.lastIndex(of: "/"), slash > path.startIndex {
      try Directory.create(String(path[..<slash]))
    }
    guard Directory.modificationSeconds(of: path) == nil else { return }
    try OpenFile(path: path, flags: O_RDWR | O_CREAT).close()
  }

  func migrate() throws {
    let migrator = Self.migrator
    if try writer.read(migrator.hasBeenSuperseded) {
      throw StoreFault(
        .schemaNewer, "The database \(path) was written by a newer Leeway",
        hint: "Start that version again, or restore a backup from before the upgrade.")
    }
    // The gateway and the analyzer may start at once on an empty file: the one that loses a step
    // finds it done when it looks again.
    for attempt in 1... {
      do {
        return try migrator.migrate(writer)
      } catch {
        if try writer.read(migrator.hasCompletedMigrations) { return }
        if attempt == Self.migrationAttemptsMax { throw error }
      }
    }
  }

  /// More than there are migrations to lose, fewer than one would wait for.
  private static let migrationAttemptsMax = 20

  /// Names are for ever: a change to a table is a new migration at the end.
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("keys-1", migrate: createKeys)
    migrator.registerMigration("orders-1", migrate: createOrders)
    migrator.registerMigration("ledger-1", migrate: createLedger)
    migrator.registerMigration("calls-1", migrate: createCalls)
    migrator.registerMigration("samples-1", migrate: createSamples)
    migrator.registerMigration("labels-1", migrate: createLabels)
    migrator.registerMigration("tallies-1", migrate: createTallies)
    migrator.registerMigration("verdicts-1", migrate: createVerdicts)
    migrator.registerMigration("outbox-1", migrate: createOutbox)
    migrator.registerMigration("units-1", migrate: createUnits)
    migrator.registerMigration("repricings-1", migrate: createRepricings)
    migrator.registerMigration("held-1", migrate: addHeldCounts)
    migrator.registerMigration("followed-1", migrate: createFollowed)
    migrator.registerMigration("scopes-1", migrate: addScopes)
    migrator.registerMigration("secrets-1", migrate: createSecrets)
    migrator.registerMigration("reviews-1", migrate: createReviews)
    migrator.registerMigration("monitors-1", migrate: createMonitors)
    migrator.registerMigration("isolation-1", migrate: addIsolation)
    migrator.registerMigration("most-1", migrate: addMost)
    migrator.registerMigration("instruments-1", migrate: numberLabels)
    return migrator
  }
}
