// Verdicts: what the analyzer concluded, night by night.

internal import GRDB
public import Metering

/// One verdict on one classifier of an app.
public struct VerdictRow: Hashable, Sendable {
  /// Nil until stored.
  public var id: Int64?
  public var at: Timestamp
  public var app: String
  public var classifier: String
  public var segment: String
  /// The baseline's name.
  public var baseline: String
  public var periodStart: Timestamp
  public var periodEnd: Timestamp
  /// `ok`, `watch`, `drifted`, `no-power`, `unreadable` or `instrument-changed`.
  public var verdict: String
  /// The numbers behind it, as a JSON object.
  public var detailJSON: String
  /// The report's path under the reports directory; empty where none was written.
  public var report: String

  public init(
    id: Int64? = nil, at: Timestamp, app: String, classifier: String, segment: String = "",
    baseline: String, periodStart: Timestamp, periodEnd: Timestamp, verdict: String,
    detailJSON: String = "{}", report: String = ""
  ) {
    self.id = id
    self.at = at
    self.app = app
    self.classifier = classifier
    self.segment = segment
    self.baseline = baseline
    self.periodStart = periodStart
    self.periodEnd = periodEnd
    self.verdict = verdict
    self.detailJSON = detailJSON
    self.report = report
  }
}

extension StoreDatabase {
  /// Stores a verdict and returns its id.
  @discardableResult
  public func insertVerdict(_ row: VerdictRow) throws(StoreFault) -> Int64 {
    try write("storing a verdict") { db in try Self.insertVerdict(db, row) }
  }

  @discardableResult
  static func insertVerdict(_ db: Database, _ row: VerdictRow) throws -> Int64 {
    try db.execute(
      sql: """
        INSERT INTO verdicts (at, app, classifier, segment, baseline, period_start, period_end,
          verdict, detail, report) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        row.at.milliseconds, row.app, row.classifier, row.segment, row.baseline,
        row.periodStart.milliseconds, row.periodEnd.milliseconds, row.verdict, row.detailJSON,
        row.report,
      ])
    return db.lastInsertedRowID
  }

  /// The newest verdict of every app, classifier and segment, in that order.
  /// - Parameter app: only this app's.
  public func latestVerdicts(app: String? = nil) throws(StoreFault) -> [VerdictRow] {
    try read("reading verdicts") { db in
      try Self.verdicts(
        db,
        tail: """
          WHERE id IN (SELECT max(id) FROM verdicts WHERE ?1 IS NULL OR app = ?1
            GROUP BY app, classifier, segment)
          ORDER BY app, classifier, segment
          """,
        arguments: [app])
    }
  }

  /// Verdicts of an app, newest first.
  public func verdicts(app: String, limit: Int = 100) throws(StoreFault) -> [VerdictRow] {
    try read("reading verdicts") { db in
      try Self.verdicts(
        db, tail: "WHERE app = ? ORDER BY id DESC LIMIT ?", arguments: [app, limit])
    }
  }

  private static func verdicts(
    _ db: Database, tail: String, arguments: StatementArguments
  ) throws -> [VerdictRow] {
    try Row.fetchAll(
      db,
      sql: """
        SELECT id, at, app, classifier, segment, baseline, period_start, period_end, verdict,
          detail, report FROM verdicts \(tail)
        """,
      arguments: arguments
    ).map { row in
      VerdictRow(
        id: row[0], at: Timestamp(milliseconds: row[1]), app: row[2], classifier: row[3],
        segment: row[4], baseline: row[5], periodStart: Timestamp(milliseconds: row[6]),
        periodEnd: Timestamp(milliseconds: row[7]), verdict: row[8], detailJSON: row[9],
        report: row[10])
    }
  }

  static func createVerdicts(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE verdicts (
          id INTEGER PRIMARY KEY AUTOINCREMENT,
          at INTEGER NOT NULL,
          app TEXT NOT NULL,
          classifier TEXT NOT NULL,
          segment TEXT NOT NULL,
          baseline TEXT NOT NULL,
          period_start INTEGER NOT NULL,
          period_end INTEGER NOT NULL,
          verdict TEXT NOT NULL,
          detail TEXT NOT NULL,
          report TEXT NOT NULL
        ) STRICT;
        CREATE INDEX verdicts_by_app ON verdicts (app, classifier, segment);
        """)
  }
}
