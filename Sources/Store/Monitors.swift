// Monitors: how far each continuous alarm has come, and how much evidence it had hour by hour.
//
// What an alarm knows, the last sample that it took, and what it set off (a verdict, an alert, an
// order) are one transaction: a process that dies at any moment leaves each sample taken once or
// not at all, and each alarm told once. A revision keeps two processes from taking the same
// samples.

internal import GRDB
public import Metering

/// One continuous alarm.
public struct MonitorRow: Hashable, Sendable {
  public var app: String
  public var classifier: String
  /// The baseline's name.
  public var baseline: String
  /// Id of the last sample taken.
  public var position: Int64
  /// What the evidence is about; a state of another origin is of no use.
  public var origin: String
  /// What the alarm knows, as JSON; nil: as it is stored. It may be large.
  public var state: String?
  /// ln M and its threshold.
  public var evidence: Double
  public var threshold: Double
  /// Outputs taken since the alarm was set up.
  public var outputs: Int64
  /// `watch` or `drifted`; empty where no alarm is open.
  public var level: String
  /// When it was raised to this level; nil where none is open.
  public var raisedAt: Timestamp?
  /// Since when the labels have shifted, as far as can be told; nil where no alarm is open.
  public var since: Timestamp?
  public var updatedAt: Timestamp
  /// How often it was stored; 0 where never.
  public var revision: Int64

  public init(
    app: String, classifier: String, baseline: String, position: Int64, origin: String,
    state: String? = nil, evidence: Double = 0, threshold: Double, outputs: Int64 = 0,
    level: String = "",
    raisedAt: Timestamp? = nil, since: Timestamp? = nil, updatedAt: Timestamp, revision: Int64 = 0
  ) {
    self.app = app
    self.classifier = classifier
    self.baseline = baseline
    self.position = position
    self.origin = origin
    self.state = state
    self.evidence = evidence
    self.threshold = threshold
    self.outputs = outputs
    self.level = level
    self.raisedAt = raisedAt
    self.since = since
    self.updatedAt = updatedAt
    self.revision = revision
  }
}

/// The most evidence that a monitor had in one hour of its app's calls.
public struct EvidencePoint: Hashable, Sendable {
  /// The start of the hour.
  public var hour: Timestamp
  public var evidence: Double
  /// The last in the hour.
  public var threshold: Double

  public init(hour: Timestamp, evidence: Double, threshold: Double) {
    self.hour = hour
    self.evidence = evidence
    self.threshold = threshold
  }
}

/// What an alarm sets off.
public struct MonitorAlarm: Sendable {
  public var verdict: VerdictRow
  /// Nil: nobody is told.
  public var alert: AlertRow?
  public var deliveries: [(channel: String, address: String)]
  /// Why the app is capped; nil: it is not.
  public var capReason: String?

  public init(
    verdict: VerdictRow, alert: AlertRow? = nil,
    deliveries: [(channel: String, address: String)] = [], capReason: String? = nil
  ) {
    self.verdict = verdict
    self.alert = alert
    self.deliveries = deliveries
    self.capReason = capReason
  }
}

/// That a person has seen an alarm.
public struct AcknowledgementRow: Hashable, Sendable {
  public var at: Timestamp
  public var actor: String
  public var app: String
  public var classifier: String
  /// What was acknowledged: `watch` or `drifted`.
  public var level: String
  public var reason: String

  public init(
    at: Timestamp, actor: String, app: String, classifier: String, level: String, reason: String
  ) {
    self.at = at
    self.actor = actor
    self.app = app
    self.classifier = classifier
    self.level = level
    self.reason = reason
  }
}

extension StoreDatabase {
  /// Monitors by app and classifier, without their states.
  /// - Parameter app: only this app's.
  public func monitors(app: String? = nil) throws(StoreFault) -> [MonitorRow] {
    try read("reading monitors") { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT app, classifier, baseline, position, origin, evidence, threshold, outputs, level,
            raised_at, since, updated_at, revision
          FROM monitors WHERE ?1 IS NULL OR app = ?1 ORDER BY app, classifier
          """,
        arguments: [app]
      ).map { row in
        MonitorRow(
          app: row[0], classifier: row[1], baseline: row[2], position: row[3], origin: row[4],
          evidence: row[5], threshold: row[6], outputs: row[7], level: row[8],
          raisedAt: (row[9] as Int64?).map(Timestamp.init(milliseconds:)),
          since: (row[10] as Int64?).map(Timestamp.init(milliseconds:)),
          updatedAt: Timestamp(milliseconds: row[11]), revision: row[12])
      }
    }
  }

  /// What an alarm knows, as JSON; nil where there is none.
  public func monitorState(app: String, classifier: String) throws(StoreFault) -> String? {
    try read("reading monitors") { db in
      try String.fetchOne(
        db, sql: "SELECT state FROM monitors WHERE app = ? AND classifier = ?",
        arguments: [app, classifier])
    }
  }

  /// Stores a monitor with all that belongs to the step, in one transaction.
  ///
  /// - Parameters:
  ///   - row: with the revision at which it was read.
  ///   - points: of hours; an hour keeps the most evidence that it had.
  ///   - alarm: what the step set off.
  ///   - acknowledgement: by whom an open alarm was ended.
  /// - Returns: false, and nothing is stored, where another process has stored the monitor since.
  @discardableResult
  public func saveMonitor(
    _ row: MonitorRow, points: [EvidencePoint] = [], alarm: MonitorAlarm? = nil,
    acknowledgement: AcknowledgementRow? = nil
  ) throws(StoreFault) -> Bool {
    try write("storing a monitor") { db in
      guard try Self.replaceMonitor(db, row) else { return false }
      for point in points { try Self.addPoint(db, row, point) }
      let cut = row.updatedAt.adding(milliseconds: -Self.evidenceMilliseconds)
      try db.execute(
        sql: "DELETE FROM evidence WHERE app = ? AND classifier = ? AND hour < ?",
        arguments: [row.app, row.classifier, cut.milliseconds])
      if let alarm {
        try Self.insertVerdict(db, alarm.verdict)
        if let alert = alarm.alert { try Self.insertAlert(db, alert, alarm.deliveries) }
        if let reason = alarm.capReason {
          try Self.insertOrder(
            db, .cap(row.app), actor: "analyzer", reason: reason, at: row.updatedAt)
        }
      }
      if let acknowledgement { try Self.insertAcknowledgement(db, acknowledgement) }
      return true
    }
  }

  /// How long evidence is kept for pictures of it.
  private static let evidenceMilliseconds: Int64 = 90 * 86_400_000

  private static func replaceMonitor(_ db: Database, _ row: MonitorRow) throws -> Bool {
    let statement = try db.cachedStatement(
      sql: """
        INSERT INTO monitors (app, classifier, baseline, position, state, evidence, threshold,
          outputs, level, raised_at, since, updated_at, revision, origin)
        SELECT ?1, ?2, ?3, ?4, coalesce(
            ?5, (SELECT state FROM monitors WHERE app = ?1 AND classifier = ?2), ''),
          ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13 + 1, ?14
        WHERE ?13 = coalesce(
          (SELECT revision FROM monitors WHERE app = ?1 AND classifier = ?2), 0)
        ON CONFLICT (app, classifier) DO UPDATE SET baseline = excluded.baseline,
          position = excluded.position, state = excluded.state, evidence = excluded.evidence,
          threshold = excluded.threshold, outputs = excluded.outputs, level = excluded.level,
          raised_at = excluded.raised_at, since = excluded.since,
          updated_at = excluded.updated_at, revision = excluded.revision,
          origin = excluded.origin
        """)
    try statement.execute(arguments: [
      row.app, row.classifier, row.baseline, row.position, row.state, row.evidence, row.threshold,
      row.outputs, row.level, row.raisedAt?.milliseconds, row.since?.milliseconds,
      row.updatedAt.milliseconds, row.revision, row.origin,
    ])
    return db.changesCount == 1
  }

  private static func addPoint(
    _ db: Database, _ row: MonitorRow, _ point: EvidencePoint
  ) throws {
    let statement = try db.cachedStatement(
      sql: """
        INSERT INTO evidence (app, classifier, hour, evidence, threshold) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (app, classifier, hour) DO UPDATE
        SET evidence = max(evidence, excluded.evidence), threshold = excluded.threshold
        """)
    try statement.execute(arguments: [
      row.app, row.classifier, point.hour.milliseconds, point.evidence, point.threshold,
    ])
  }

  /// Evidence by hour in `since..<until`, ascending.
  public func evidence(
    app: String, classifier: String, since: Timestamp, until: Timestamp
  ) throws(StoreFault) -> [EvidencePoint] {
    try read("reading evidence") { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT hour, evidence, threshold FROM evidence
          WHERE app = ? AND classifier = ? AND hour >= ? AND hour < ? ORDER BY hour
          """,
        arguments: [app, classifier, since.milliseconds, until.milliseconds]
      ).map { row in
        EvidencePoint(
          hour: Timestamp(milliseconds: row[0]), evidence: row[1], threshold: row[2])
      }
    }
  }

  /// Acknowledged alarms, newest first.
  /// - Parameter app: only this app's.
  public func acknowledgements(
    app: String? = nil, limit: Int = 100
  ) throws(StoreFault) -> [AcknowledgementRow] {
    try read("reading acknowledgements") { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT at, actor, app, classifier, level, reason FROM acknowledgements
          WHERE ?1 IS NULL OR app = ?1 ORDER BY id DESC LIMIT ?2
          """,
        arguments: [app, limit]
      ).map { row in
        AcknowledgementRow(
          at: Timestamp(milliseconds: row[0]), actor: row[1], app: row[2], classifier: row[3],
          level: row[4], reason: row[5])
      }
    }
  }

  private static func insertAcknowledgement(
    _ db: Database, _ row: AcknowledgementRow
  ) throws {
    try db.execute(
      sql: """
        INSERT INTO acknowledgements (at, actor, app, classifier, level, reason)
        VALUES (?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        row.at.milliseconds, row.actor, row.app, row.classifier, row.level, row.reason,
      ])
  }

  static func createMonitors(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE monitors (
          app TEXT NOT NULL,
          classifier TEXT NOT NULL,
          baseline TEXT NOT NULL,
          position INTEGER NOT NULL,
          origin TEXT NOT NULL,
          state TEXT NOT NULL,
          evidence REAL NOT NULL,
          threshold REAL NOT NULL,
          outputs INTEGER NOT NULL,
          level TEXT NOT NULL CHECK (level IN ('', 'watch', 'drifted')),
          raised_at INTEGER,
          since INTEGER,
          updated_at INTEGER NOT NULL,
          revision INTEGER NOT NULL,
          PRIMARY KEY (app, classifier)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE evidence (
          app TEXT NOT NULL,
          classifier TEXT NOT NULL,
          hour INTEGER NOT NULL,
          evidence REAL NOT NULL,
          threshold REAL NOT NULL,
          PRIMARY KEY (app, classifier, hour)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE acknowledgements (
          id INTEGER PRIMARY KEY AUTOINCREMENT,
          at INTEGER NOT NULL,
          actor TEXT NOT NULL,
          app TEXT NOT NULL,
          classifier TEXT NOT NULL,
          level TEXT NOT NULL,
          reason TEXT NOT NULL
        ) STRICT;
        CREATE INDEX samples_in_order ON samples (app);
        """)
  }
}
