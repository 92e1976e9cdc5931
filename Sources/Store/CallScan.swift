// Passing through calls one by one, for questions that no sum answers: what would each have cost?

internal import GRDB
public import Metering

extension StoreDatabase {
  /// Hands every call that was charged, and began in `since..<until`, to the body, oldest first.
  /// A thousand rows are in memory at a time.
  public func forEachChargedCall(
    since: Timestamp, until: Timestamp, _ body: (CallRow) -> Void
  ) throws(StoreFault) {
    try forEachCall(in: [.settled, .expired], since: since, until: until, body)
  }

  /// As above, of calls in any of these states.
  public func forEachCall(
    in states: [CallRow.State], since: Timestamp, until: Timestamp, _ body: (CallRow) -> Void
  ) throws(StoreFault) {
    // Names of cases, which need no quoting.
    let states = states.map { "'\($0.rawValue)'" }.joined(separator: ", ")
    try read("reading calls") { db in
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT \(Self.callColumnsRead) FROM calls
          WHERE at >= ? AND at < ? AND state IN (\(states)) ORDER BY at, call
          """,
        arguments: [since.milliseconds, until.milliseconds])
      var batch: [CallRow] = []
      func hand() throws {
        try Self.readUnits(of: &batch, db)
        for call in batch { body(call) }
        batch.removeAll(keepingCapacity: true)
      }
      while let row = try rows.next() {
        batch.append(CallRow(row: row))
        if batch.count == 1_000 { try hand() }
      }
      try hand()
    }
  }
}
