// A prepared statement whose values are bound by SQLite's own calls, for the few that run with
// every call of the gateway.
//
// GRDB prepares it, owns it and holds the transaction; only its lists of arguments are left out,
// which cost several times the insertion of the row.

internal import GRDB
internal import GRDBSQLite

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// Memory from which text is lent to SQLite until the statement has run: SQLite need not copy it.
final class TextArena {
  private let memory: UnsafeMutableRawBufferPointer
  private var used = 0

  init(bytes: Int = 64 * 1024) {
    memory = .allocate(byteCount: bytes, alignment: 1)
  }

  deinit { memory.deallocate() }

  func clear() { used = 0 }

  /// A copy that stands until `clear`; nil where there is no room left.
  func lend(_ text: UnsafeBufferPointer<UInt8>) -> UnsafePointer<CChar>? {
    guard text.count <= memory.count - used, let base = memory.baseAddress else { return nil }
    let start = base + used
    if let source = text.baseAddress { start.copyMemory(from: source, byteCount: text.count) }
    used += text.count
    return UnsafePointer(start.assumingMemoryBound(to: CChar.self))
  }
}

/// Binds values in order and runs the statement once per row.
struct BoundStatement {
  private let db: Database
  /// Kept, since it owns what `pointer` points to.
  private let statement: Statement
  private let pointer: OpaquePointer
  private let arena: TextArena
  private var index: Int32 = 0

  init(_ db: Database, sql: String, arena: TextArena) throws {
    self.db = db
    statement = try db.cachedStatement(sql: sql)
    pointer = statement.sqliteStatement
    self.arena = arena
  }

  mutating func bind(_ value: Int64) {
    index += 1
    sqlite3_bind_int64(pointer, index, value)
  }

  mutating func bind(_ value: Int64?) {
    if let value { bind(value) } else { bindNull() }
  }

  mutating func bindNull() {
    index += 1
    sqlite3_bind_null(pointer, index)
  }

  /// Literal text, which lives for ever.
  mutating func bind(_ text: StaticString) {
    index += 1
    text.utf8Start.withMemoryRebound(to: CChar.self, capacity: text.utf8CodeUnitCount) {
      _ = sqlite3_bind_text(pointer, index, $0, Int32(text.utf8CodeUnitCount), nil)
    }
  }

  mutating func bind(_ text: String) {
    index += 1
    var text = text
    text.withUTF8 { bytes in
      if let lent = arena.lend(bytes) {
        _ = sqlite3_bind_text(pointer, index, lent, Int32(bytes.count), nil)
      } else {
        // SQLITE_TRANSIENT, a cast that Swift does not import: SQLite makes its own copy.
        let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        bytes.withMemoryRebound(to: CChar.self) {
          _ = sqlite3_bind_text(pointer, index, $0.baseAddress, Int32(bytes.count), transient)
        }
      }
    }
  }

  mutating func bind(_ text: String?) {
    if let text { bind(text) } else { bindNull() }
  }

  /// Runs it with the values bound since the last run.
  /// - Throws: `DatabaseError`, as GRDB's own execution does.
  mutating func run() throws {
    let code = sqlite3_step(pointer)
    sqlite3_reset(pointer)
    index = 0
    arena.clear()
    guard code == SQLITE_DONE else {
      throw DatabaseError(
        resultCode: ResultCode(rawValue: code),
        message: String(cString: sqlite3_errmsg(db.sqliteConnection)), sql: statement.sql)
    }
  }
}
