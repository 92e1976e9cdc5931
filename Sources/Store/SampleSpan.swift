// Which samples: of an app, by condition and by time. The one place where a choice becomes SQL.

internal import GRDB
internal import GRDBSQLite
public import Metering

/// Some of an app's samples.
public struct SampleSpan: Hashable, Sendable {
  public var app: String
  public var filter: SampleFilter
  /// When their calls were made: included; nil from the first.
  public var since: Timestamp?
  /// Excluded; nil to the last.
  public var until: Timestamp?

  public init(
    app: String, filter: SampleFilter = .all, since: Timestamp? = nil, until: Timestamp? = nil
  ) {
    self.app = app
    self.filter = filter
    self.since = since
    self.until = until
  }

  /// - Parameters:
  ///   - columns: with their table's name where two tables have one of that name.
  ///   - values: of the placeholders in the columns.
  ///   - joining: what stands between the table and the conditions.
  ///   - index: the only one to go by; nil: as the planner finds.
  func query(
    columns: String, of values: StatementArguments = [], joining join: String = "",
    index: String? = nil
  ) -> SampleQuery {
    var query = SampleQuery(
      sql: """
        SELECT \(columns) FROM samples\(index.map { " INDEXED BY \($0)" } ?? "") \(join)
        WHERE samples.app = ?
        """,
      arguments: values + [app])
    if let since { query.add("samples.time >= ?", [since.milliseconds]) }
    if let until { query.add("samples.time < ?", [until.milliseconds]) }
    for term in filter.terms { query.add(term.sql, term.arguments) }
    return query
  }
}

/// A query of samples that is being put together.
struct SampleQuery {
  private(set) var sql: String
  private(set) var arguments: StatementArguments

  mutating func add(_ condition: String, _ arguments: StatementArguments) {
    sql += " AND " + condition
    self.arguments += arguments
  }

  func ordered(by order: String = "samples.time, samples.id", limit: Int?) -> SampleQuery {
    var query = self
    query.sql += " ORDER BY " + order
    if let limit {
      query.sql += " LIMIT ?"
      query.arguments += [limit]
    }
    return query
  }

  func grouped(by columns: String) -> SampleQuery {
    var query = self
    query.sql += " GROUP BY " + columns
    return query
  }

  func fetchAll(_ db: Database) throws -> [Row] {
    try Row.fetchAll(db, sql: sql, arguments: arguments)
  }

  func fetchOne(_ db: Database) throws -> Row? {
    try Row.fetchOne(db, sql: sql, arguments: arguments)
  }

  func fetchCursor(_ db: Database) throws -> RowCursor {
    try Row.fetchCursor(db, sql: sql, arguments: arguments)
  }

  /// Hands out SQLite's own rows, for the query that reads millions of them: GRDB's cost several
  /// times as much.
  func step(_ db: Database, _ body: (OpaquePointer) -> Void) throws {
    let statement = try db.cachedStatement(sql: sql)
    try statement.setArguments(arguments)
    let pointer = statement.sqliteStatement
    defer { sqlite3_reset(pointer) }
    while true {
      switch sqlite3_step(pointer) {
      case SQLITE_ROW: body(pointer)
      case SQLITE_DONE: return
      case let code:
        throw DatabaseError(
          resultCode: ResultCode(rawValue: code),
          message: String(cString: sqlite3_errmsg(db.sqliteConnection)), sql: sql)
      }
    }
  }
}
