// Apps that were stopped at once, as the ledger has them.

internal import GRDB
internal import Metering

extension StoreDatabase {
  static func isolatedApps(_ db: Database) throws -> [String: Isolation] {
    let statement = try db.cachedStatement(
      sql: "SELECT app, ordered, actor, reason FROM isolated_apps")
    return try Row.fetchAll(statement).reduce(into: [:]) { isolated, row in
      isolated[row[0]] = Isolation(order: row[1], actor: row[2], reason: row[3])
    }
  }

  static func writeIsolated(_ db: Database, before: Ledger, after: Ledger) throws {
    for app in before.isolated.keys where after.isolated[app] == nil {
      try db.execute(sql: "DELETE FROM isolated_apps WHERE app = ?", arguments: [app])
    }
    for (app, isolation) in after.isolated where before.isolated[app] != isolation {
      try db.execute(
        sql: "REPLACE INTO isolated_apps (app, ordered, actor, reason) VALUES (?, ?, ?, ?)",
        arguments: [app, isolation.order, isolation.actor, isolation.reason])
    }
  }

  /// The orders' table is made anew, since SQLite cannot change what a column admits; the highest
  /// sequence that it gave out stays taken.
  static func addIsolation(_ db: Database) throws {
    let last = try Int64.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'orders'")
    try db.execute(sql: "ALTER TABLE orders RENAME TO orders_before")
    try createOrders(db, actions: ["cap", "restore", "keys_changed", "isolate"])
    try db.execute(
      sql: """
        INSERT INTO orders (sequence, at, actor, action, app, reason)
          SELECT sequence, at, actor, action, app, reason FROM orders_before ORDER BY sequence;
        DROP TABLE orders_before;
        DELETE FROM sqlite_sequence WHERE name = 'orders';
        CREATE TABLE isolated_apps (
          app TEXT PRIMARY KEY,
          ordered INTEGER NOT NULL,
          actor TEXT NOT NULL,
          reason TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        """)
    try db.execute(
      sql: "INSERT INTO sqlite_sequence (name, seq) VALUES ('orders', ?)", arguments: [last ?? 0])
  }
}
