// Counts that few calls have: units that are no tokens, rare kinds of tokens, and what models
// beside the answering one used. A row each, so that calls without them pay for none.

internal import GRDB
internal import Metering

extension StoreDatabase {
  static func createUnits(_ db: Database) throws {
    try db.execute(
      sql: """
        ALTER TABLE calls ADD COLUMN service_tier TEXT;
        CREATE TABLE call_units (
          call INTEGER NOT NULL,
          part INTEGER NOT NULL,
          model TEXT NOT NULL,
          bucket TEXT NOT NULL,
          count INTEGER NOT NULL,
          PRIMARY KEY (call, part, bucket)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE usage_hour_units (
          app TEXT NOT NULL,
          hour INTEGER NOT NULL,
          upstream TEXT NOT NULL,
          model TEXT NOT NULL,
          usage_source INTEGER NOT NULL,
          bucket TEXT NOT NULL,
          count INTEGER NOT NULL,
          PRIMARY KEY (app, hour, upstream, model, usage_source, bucket)
        ) STRICT, WITHOUT ROWID;
        """)
  }

  static let insertUnitSQL =
    "INSERT INTO call_units (call, part, model, bucket, count) VALUES (?, ?, ?, ?, ?)"

  /// Adds to calls what `call_units` has of them.
  static func readUnits(of calls: inout [CallRow], _ db: Database) throws {
    guard let first = calls.map(\.call).min(), let last = calls.map(\.call).max() else { return }
    let places = Dictionary(
      uniqueKeysWithValues: calls.enumerated().map { ($1.call.number, $0) })
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT call, part, model, bucket, count FROM call_units
        WHERE call BETWEEN ? AND ? ORDER BY call, part
        """,
      arguments: [Int64(first.number), Int64(last.number)])
    while let row = try rows.next() {
      guard let place = places[UInt64(row[0] as Int64)] else { continue }
      calls[place].take(part: row[1], model: row[2], bucket: row[3], count: row[4])
    }
  }

  /// Adds the units of calls to their hours. The caller deletes both in the same transaction.
  static func rollUpUnits(_ db: Database, before cut: Timestamp) throws {
    try db.execute(
      sql: """
        INSERT INTO usage_hour_units (app, hour, upstream, model, usage_source, bucket, count)
        SELECT app, at - at % 3600000, upstream, calls.model, usage_source, bucket, sum(count)
        FROM call_units JOIN calls USING (call)
        WHERE at < ?1 AND state <> 'reserved'
        GROUP BY 1, 2, 3, 4, 5, 6
        ON CONFLICT (app, hour, upstream, model, usage_source, bucket)
        DO UPDATE SET count = count + excluded.count
        """,
      arguments: [cut.milliseconds])
    try db.execute(
      sql: """
        DELETE FROM call_units
        WHERE call IN (SELECT call FROM calls WHERE at < ?1 AND state <> 'reserved')
        """,
      arguments: [cut.milliseconds])
  }

  /// Adds the units of a span to its totals.
  static func readUnits(
    of totals: inout [UsageTotals], _ db: Database, app: String?, since: Timestamp, until: Timestamp
  ) throws {
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT app, upstream, calls.model, usage_source, bucket, sum(count)
        FROM call_units JOIN calls USING (call)
        WHERE (?1 IS NULL OR app = ?1) AND at >= ?2 AND at < ?3
        GROUP BY 1, 2, 3, 4, 5
        UNION ALL
        SELECT app, upstream, model, usage_source, bucket, sum(count) FROM usage_hour_units
        WHERE (?1 IS NULL OR app = ?1) AND hour >= ?2 AND hour < ?3
        GROUP BY 1, 2, 3, 4, 5
        """,
      arguments: [app, since.milliseconds, until.milliseconds])
    var places: [[String]: Int] = [:]
    for (index, total) in totals.enumerated() {
      places[[total.app, total.upstream, total.model]] = index
    }
    while let row = try rows.next() {
      guard let place = places[[row[0], row[1], row[2]]],
        let bucket = UsageBucket(name: row[4])
      else { continue }
      totals[place].add(bucket, row[5], source: UsageSource(rawValue: row[3]) ?? .unknown)
    }
  }
}

extension CallRow {
  fileprivate mutating func take(part: Int, model: String, bucket name: String, count: Int64) {
    guard let bucket = UsageBucket(name: name) else { return }
    guard part > 0 else {
      usage[bucket] = count
      return
    }
    while otherModels.count < part {
      otherModels.append(ModelUsage(model: model, usage: Usage(source: usage.source)))
    }
    otherModels[part - 1].usage[bucket] = count
  }
}

extension UsageTotals {
  fileprivate mutating func add(_ bucket: UsageBucket, _ count: Int64, source: UsageSource) {
    switch source {
    case .reported: reported.usage[bucket] += count
    case .estimated: estimated.usage[bucket] += count
    case .unknown: unknown.usage[bucket] += count
    }
  }
}
