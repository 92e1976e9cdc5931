// Passing through calls one by one, for questions that no sum answers: what would each have cost?

internal import GRDB
public import Metering

extension StoreDatabase {
  /// Hands every call that was charged, and began in `since..<until`, to the body, oldest first.
  /// One row is in memory at a time.
  public func forEachChargedCall(
    since: Timestamp, until: Timestamp, _ body: (CallRow) -> Void
  ) throws(StoreFault) {
    try read("reading calls") { db in
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT \(Self.callColumns.joined(separator: ", ")) FROM calls
          WHERE at >= ? AND at < ? AND state IN ('settled', 'expired') ORDER BY at, call
          """,
        arguments: [since.milliseconds, until.milliseconds])
      while let row = try rows.next() { body(CallRow(row: row)) }
    }
  }
}
