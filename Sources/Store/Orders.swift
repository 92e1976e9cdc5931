// Orders: what changes admission from outside the hot path.
//
// Anyone may place an order, the gateway alone applies it: two processes that both acted on a cap
// could not be told apart afterwards.

internal import GRDB
public import Metering

/// One order, as placed.
public struct OrderRecord: Hashable, Sendable {
  public enum Action: Hashable, Sendable {
    /// Stop this app: every call is refused until it is restored.
    case cap(String)
    /// Stop this app at once: as `cap`, and the calls that are under way end.
    case isolate(String)
    /// Let this app run again, whatever had stopped it.
    case restore(String)
    /// Keys were issued or revoked: read them again.
    case keysChanged

    public var name: String {
      switch self {
      case .cap: "cap"
      case .restore: "restore"
      case .isolate: "isolate"
      case .keysChanged: "keys_changed"
      }
    }

    /// Nil: it is of no one app.
    public var app: String? {
      switch self {
      case .cap(let app), .restore(let app), .isolate(let app): app
      case .keysChanged: nil
      }
    }
  }

  /// Ascending and never reused.
  public var sequence: Int64
  public var at: Timestamp
  /// Who placed it: `"analyzer"`, a person's name.
  public var actor: String
  public var action: Action
  /// Why. Of a cap the app's callers read it, of an isolation they do not.
  public var reason: String

  public init(sequence: Int64, at: Timestamp, actor: String, action: Action, reason: String) {
    self.sequence = sequence
    self.at = at
    self.actor = actor
    self.action = action
    self.reason = reason
  }
}

extension StoreDatabase {
  /// Places an order and returns its sequence.
  @discardableResult
  public func placeOrder(
    action: OrderRecord.Action, actor: String, reason: String, at now: Timestamp
  ) throws(StoreFault) -> Int64 {
    try write("placing an order") { db in
      try Self.insertOrder(db, action, actor: actor, reason: reason, at: now)
    }
  }

  /// Orders above a sequence, ascending, at most `limit`.
  public func orders(after sequence: Int64, limit: Int = 1000) throws(StoreFault) -> [OrderRecord] {
    try read("reading orders") { db in
      let statement = try db.cachedStatement(
        sql: """
          SELECT sequence, at, actor, action, app, reason FROM orders
          WHERE sequence > ? ORDER BY sequence LIMIT ?
          """)
      return try Row.fetchAll(statement, arguments: [sequence, limit]).compactMap(Self.order)
    }
  }

  /// The latest orders, ascending; of one app, or of all.
  public func latestOrders(app: String?, limit: Int) throws(StoreFault) -> [OrderRecord] {
    try read("reading orders") { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT sequence, at, actor, action, app, reason FROM orders
          WHERE ? IS NULL OR app = ? ORDER BY sequence DESC LIMIT ?
          """, arguments: [app, app, limit])
      return rows.reversed().compactMap(Self.order)
    }
  }

  private static func order(_ row: Row) -> OrderRecord? {
    guard let action = action(named: row[3], app: row[4]) else { return nil }
    return OrderRecord(
      sequence: row[0], at: Timestamp(milliseconds: row[1]), actor: row[2], action: action,
      reason: row[5])
  }

  @discardableResult
  static func insertOrder(
    _ db: Database, _ action: OrderRecord.Action, actor: String, reason: String, at now: Timestamp
  ) throws -> Int64 {
    try db.execute(
      sql: "INSERT INTO orders (at, actor, action, app, reason) VALUES (?, ?, ?, ?, ?)",
      arguments: [now.milliseconds, actor, action.name, action.app ?? "", reason])
    return db.lastInsertedRowID
  }

  /// Nil cannot come up: the table's own check admits these names only.
  private static func action(named name: String, app: String) -> OrderRecord.Action? {
    switch name {
    case "cap": .cap(app)
    case "restore": .restore(app)
    case "isolate": .isolate(app)
    case "keys_changed": .keysChanged
    default: nil
    }
  }

  static func createOrders(_ db: Database) throws {
    try createOrders(db, actions: ["cap", "restore", "keys_changed"])
  }

  static func createOrders(_ db: Database, actions: [String]) throws {
    let names = actions.map { "'\($0)'" }.joined(separator: ", ")
    // AUTOINCREMENT: a sequence must never come back, not even after the last row is deleted.
    try db.execute(
      sql: """
        CREATE TABLE orders (
          sequence INTEGER PRIMARY KEY AUTOINCREMENT,
          at INTEGER NOT NULL,
          actor TEXT NOT NULL,
          action TEXT NOT NULL CHECK (action IN (\(names))),
          app TEXT NOT NULL,
          reason TEXT NOT NULL
        ) STRICT
        """)
  }
}
