// Retention: what keeps the file from growing for ever.
//
// Deleting is done in slices, each its own transaction, so that the fold of a busy gateway never
// waits for a night's cleaning; freed pages go back to the file system in slices too.

internal import GRDB
public import Metering

extension StoreDatabase {
  /// Deletes calls that began before a time, after adding whole hours of them to the usage totals.
  /// Open calls stay.
  ///
  /// - Parameter cut: rounded down to its hour.
  /// - Returns: how many were deleted.
  @discardableResult
  public func pruneCalls(olderThan cut: Timestamp) throws(StoreFault) -> Int {
    let end = Timestamp(milliseconds: cut.milliseconds - cut.milliseconds % Self.hourMilliseconds)
    var deleted = 0
    // Hour by hour: a slice must be whole hours, or an hour would be rolled up in part.
    while let hour = try oldestEndedHour(before: end) {
      deleted += try write("pruning calls") { db in
        let next = hour.adding(milliseconds: Self.hourMilliseconds)
        try Self.rollUpCalls(db, before: next)
        try Self.rollUpUnits(db, before: next)
        try db.execute(
          sql: "DELETE FROM calls WHERE at < ? AND state <> 'reserved'",
          arguments: [next.milliseconds])
        return db.changesCount
      }
    }
    if deleted > 0 { try write("pruning calls") { db in try AccountSets.prune(db) } }
    return deleted
  }

  private func oldestEndedHour(before end: Timestamp) throws(StoreFault) -> Timestamp? {
    try read("pruning calls") { db in
      try Int64.fetchOne(
        db,
        sql: """
          SELECT at - at % 3600000 FROM calls WHERE at < ? AND state <> 'reserved'
          ORDER BY at LIMIT 1
          """,
        arguments: [end.milliseconds]
      ).map(Timestamp.init(milliseconds:))
    }
  }

  /// Deletes samples stored before a time, then the oldest until the rest fits. Their labels go
  /// with them, tallies stay.
  ///
  /// - Parameter bytesMax: bound of all samples together, texts and a constant per row.
  /// - Returns: how many were deleted.
  @discardableResult
  public func pruneSamples(olderThan cut: Timestamp, bytesMax: Int64) throws(StoreFault) -> Int {
    var deleted = try deleteSamples { db in
      try Int64.fetchAll(
        db, sql: "SELECT id FROM samples WHERE stored_at < ? ORDER BY stored_at, id LIMIT ?",
        arguments: [cut.milliseconds, Self.sliceRows])
    }
    deleted += try deleteSamples { db in
      let total = try Int64.fetchOne(db, sql: "SELECT coalesce(sum(bytes), 0) FROM samples") ?? 0
      var excess = total - bytesMax
      guard excess > 0 else { return [] }
      var ids: [Int64] = []
      let rows = try Row.fetchCursor(
        db, sql: "SELECT id, bytes FROM samples ORDER BY stored_at, id LIMIT ?",
        arguments: [Self.sliceRows])
      while excess > 0, let row = try rows.next() {
        ids.append(row[0])
        excess -= row[1] as Int64
      }
      return ids
    }
    return deleted
  }

  /// Bytes that the samples take, as `pruneSamples` counts them.
  public func sampleBytes() throws(StoreFault) -> Int64 {
    try read("counting samples") { db in
      try Int64.fetchOne(db, sql: "SELECT coalesce(sum(bytes), 0) FROM samples") ?? 0
    }
  }

  private func deleteSamples(
    _ choose: (Database) throws -> [Int64]
  ) throws(StoreFault) -> Int {
    var deleted = 0
    while true {
      let slice = try write("pruning samples") { db in
        let ids = try choose(db)
        let statement = try db.cachedStatement(sql: "DELETE FROM samples WHERE id = ?")
        for id in ids { try statement.execute(arguments: [id]) }
        return ids.count
      }
      if slice == 0 { return deleted }
      deleted += slice
    }
  }

  /// Deletes alerts raised before a time whose deliveries have all ended.
  ///
  /// An alert's key is what keeps it from being raised twice: keep them for longer than the longest
  /// budget window (a month) and the longest drift period.
  @discardableResult
  public func pruneAlerts(olderThan cut: Timestamp) throws(StoreFault) -> Int {
    try write("pruning alerts") { db in
      try db.execute(
        sql: """
          DELETE FROM alerts WHERE at < ? AND NOT EXISTS (
            SELECT 1 FROM deliveries WHERE alert = alerts.key AND state = 'pending')
          """,
        arguments: [cut.milliseconds])
      return db.changesCount
    }
  }

  /// Gives freed pages back to the file system and empties the write-ahead log.
  ///
  /// - Returns: pages given back.
  @discardableResult
  public func reclaimSpace() throws(StoreFault) -> Int {
    do {
      let before = try pragma("freelist_count")
      var left = before
      while left > 0 {
        // Each step returns a row per page: fetched to the end, or the pragma stops after one.
        try writer.writeWithoutTransaction { db in
          _ = try Row.fetchAll(db, sql: "PRAGMA incremental_vacuum(\(Self.slicePages))")
        }
        let now = try pragma("freelist_count")
        if now >= left { break }
        left = now
      }
      try writer.writeWithoutTransaction { db in
        try db.execute(sql: "PRAGMA optimize")
        // A reader may hold the log: then it shrinks the next time.
        _ = try? db.checkpoint(.truncate)
      }
      return before - left
    } catch {
      throw StoreFault(error, doing: "reclaiming space", path: path)
    }
  }

  /// A number that SQLite keeps of the file or of the writing connection.
  func pragma(_ name: String) throws -> Int {
    try writer.writeWithoutTransaction { db in
      try Int.fetchOne(db, sql: "PRAGMA \(name)") ?? 0
    }
  }

  private static let hourMilliseconds: Int64 = 3_600_000
  private static let sliceRows = 500
  private static let slicePages = 1000
}
