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
    /// Let this app run again.
    case restore(String)
    /// Keys were issued or revoked: read them again.
    case keysChanged
  }

  /// Ascending and never reused.
  public var sequence: Int64
  public var at: Timestamp
  /// Who placed it: `"analyzer"`, a person's name.
  public var actor: String
  public var action: Action
  /// Why, in words that the app's callers may read.
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
      return try Row.fetchAll(statement, arguments: [sequence, limit]).compactMap { row in
        guard let action = Self.action(named: row[3], app: row[4]) else { return nil }
        return OrderRecord(
          sequence: row[0], at: Timestamp(milliseconds: row[1]), actor: row[2], action: action,
          reason: row[5])
      }
    }
  }

  @discardableResult
  static func insertOrder(
    _ db: Database, _ action: OrderRecord.Action, actor: String, reason: String, at now: Timestamp
  ) throws -> Int64 {
    let (name, app): (String, String) =
      switch action {
      case .cap(let app): ("cap", app)
      case .restore(let app): ("restore", app)
      case .keysChanged: ("keys_changed", "")
      }
    try db.execute(
      sql: "INSERT INTO orders (at, actor, action, app, reason) VALUES (?, ?, ?, ?, ?)",
      arguments: [now.milliseconds, actor, name, app, reason])
    return db.lastInsertedRowID
  }

  /// Nil cannot come up: the table's own check admits these three names only.
  private static func action(named name: String, app: String) -> OrderRecord.Action? {
    switch name {
    case "cap": .cap(app)
    case "restore": .restore(app)
    case "keys_changed": .keysChanged
    default: nil
    }
  }

  static func createOrders(_ db: Database) throws {
    // AUTOINCREMENT: a sequence must never come back, not even after the last row is deleted.
    try db.execute(
      sql: """
        CREATE TABLE orders (
          sequence INTEGER PRIMARY KEY AUTOINCREMENT,
          at INTEGER NOT NULL,
          actor TEXT NOT NULL,
          action TEXT NOT NULL CHECK (action IN ('cap', 'restore', 'keys_changed')),
          app TEXT NOT NULL,
          reason TEXT NOT NULL
        ) STRICT
        """)
  }
}
