// Secrets that Leeway makes for itself and must find again after a restart.

internal import Foundation
internal import GRDB

extension StoreDatabase {
  /// The secret of a name: 32 random bytes, made when it is asked for first.
  public func secret(_ name: String) throws(StoreFault) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    let fresh = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    return try write("reading a secret") { db in
      try db.execute(
        sql: "INSERT OR IGNORE INTO secrets (name, value) VALUES (?, ?)",
        arguments: [name, Data(fresh)])
      let value = try Data.fetchOne(
        db, sql: "SELECT value FROM secrets WHERE name = ?", arguments: [name])
      return value.map(Array.init) ?? fresh
    }
  }

  static func createSecrets(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE secrets (
          name TEXT PRIMARY KEY,
          value BLOB NOT NULL
        ) STRICT, WITHOUT ROWID
        """)
  }
}
