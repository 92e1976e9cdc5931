// Virtual keys: which app a caller speaks for.
//
// Only a hash is stored, so that a copy of the database opens nothing.

internal import GRDB
public import Metering

/// One virtual key. The key itself is shown once, when it is issued, and stored nowhere.
public struct KeyRecord: Hashable, Sendable, Codable {
  public var id: Int64
  public var app: String
  /// The key's SHA-256 in lower-case hexadecimal.
  public var hashHex: String
  /// The key's last characters, so that people can tell keys apart.
  public var hint: String
  /// What the key is for, in its owner's words; may be empty.
  public var label: String
  public var createdAt: Timestamp
  public var revokedAt: Timestamp?
  /// The environment of the app that its calls are of; empty: the one that the app's file names.
  public var environment: String

  public init(
    id: Int64, app: String, hashHex: String, hint: String, label: String, createdAt: Timestamp,
    revokedAt: Timestamp? = nil, environment: String = ""
  ) {
    self.id = id
    self.app = app
    self.hashHex = hashHex
    self.hint = hint
    self.label = label
    self.createdAt = createdAt
    self.revokedAt = revokedAt
    self.environment = environment
  }

  public var isRevoked: Bool { revokedAt != nil }
}

extension StoreDatabase {
  /// Records a new key and, in the same transaction, the order that makes the gateway read it.
  ///
  /// - Parameter actor: who asked, for the record: `"cli"`, a person's name.
  /// - Throws: `constraint` where the hash is there already.
  @discardableResult
  public func issueKey(
    app: String, hashHex: String, hint: String, label: String, environment: String = "",
    actor: String = "cli", at now: Timestamp
  ) throws(StoreFault) -> KeyRecord {
    try write("issuing a key") { db in
      try db.execute(
        sql: """
          INSERT INTO keys (app, hash, hint, label, environment, created_at)
          VALUES (?, ?, ?, ?, ?, ?)
          """,
        arguments: [app, hashHex, hint, label, environment, now.milliseconds])
      let id = db.lastInsertedRowID
      try Self.insertOrder(
        db, .keysChanged, actor: actor, reason: "key \(id) issued to \(app)", at: now)
      return KeyRecord(
        id: id, app: app, hashHex: hashHex, hint: hint, label: label, createdAt: now,
        environment: environment)
    }
  }

  /// Ends a key for good, with the order that makes the gateway drop it. False where there is no
  /// such key or it was revoked before.
  @discardableResult
  public func revokeKey(
    id: Int64, actor: String = "cli", at now: Timestamp
  ) throws(StoreFault) -> Bool {
    try write("revoking a key") { db in
      try db.execute(
        sql: "UPDATE keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
        arguments: [now.milliseconds, id])
      guard db.changesCount == 1 else { return false }
      try Self.insertOrder(db, .keysChanged, actor: actor, reason: "key \(id) revoked", at: now)
      return true
    }
  }

  /// All keys in order of issue, revoked ones included: a caller with a revoked key is told so.
  /// - Parameter app: only this app's.
  public func keys(app: String? = nil) throws(StoreFault) -> [KeyRecord] {
    try read("reading keys") { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT id, app, hash, hint, label, created_at, revoked_at, environment FROM keys
          WHERE ?1 IS NULL OR app = ?1 ORDER BY id
          """,
        arguments: [app]
      ).map { row in
        KeyRecord(
          id: row[0], app: row[1], hashHex: row[2], hint: row[3], label: row[4],
          createdAt: Timestamp(milliseconds: row[5]),
          revokedAt: (row[6] as Int64?).map(Timestamp.init(milliseconds:)), environment: row[7])
      }
    }
  }

  static func createKeys(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE keys (
          id INTEGER PRIMARY KEY AUTOINCREMENT,
          app TEXT NOT NULL,
          hash TEXT NOT NULL UNIQUE,
          hint TEXT NOT NULL,
          label TEXT NOT NULL,
          created_at INTEGER NOT NULL,
          revoked_at INTEGER
        ) STRICT
        """)
  }
}
