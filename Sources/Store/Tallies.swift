// Tallies: counts of labels by hour, which outlive the samples that they were counted from.
//
// Only `recordLabels` writes them, with the labels: a count that anyone could add to would be
// counted twice by the first run that is repeated.

internal import GRDB
public import Metering

/// The count of one label in one hour.
public struct TallyRow: Hashable, Sendable {
  public var app: String
  public var classifier: String
  public var version: String
  /// The part of the app's calls that is counted apart, such as a model; empty for none.
  public var segment: String
  /// The start of the hour.
  public var hour: Timestamp
  public var label: String
  /// Calls, by weight; ≥ 0.
  public var count: Double

  public init(
    app: String, classifier: String, version: String, segment: String = "", hour: Timestamp,
    label: String, count: Double
  ) {
    self.app = app
    self.classifier = classifier
    self.version = version
    self.segment = segment
    self.hour = hour
    self.label = label
    self.count = count
  }
}

extension StoreDatabase {
  /// Tallies whose hour begins in `since..<until`, by segment, hour and label.
  public func tallies(
    app: String, classifier: String, version: String, segment: String? = nil,
    since: Timestamp? = nil, until: Timestamp? = nil
  ) throws(StoreFault) -> [TallyRow] {
    try read("reading tallies") { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT segment, hour, label, count FROM tallies
          WHERE app = ?1 AND classifier = ?2 AND version = ?3 AND (?4 IS NULL OR segment = ?4)
          AND hour >= ?5 AND hour < ?6 ORDER BY segment, hour, label
          """,
        arguments: [
          app, classifier, version, segment, since?.milliseconds ?? .min,
          until?.milliseconds ?? .max,
        ]
      ).map { row in
        TallyRow(
          app: app, classifier: classifier, version: version, segment: row[0],
          hour: Timestamp(milliseconds: row[1]), label: row[2], count: row[3])
      }
    }
  }

  static func addTally(_ db: Database, _ row: TallyRow) throws {
    let statement = try db.cachedStatement(
      sql: """
        INSERT INTO tallies (app, classifier, version, segment, hour, label, count)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (app, classifier, version, segment, hour, label)
        DO UPDATE SET count = count + excluded.count
        """)
    try statement.execute(arguments: [
      row.app, row.classifier, row.version, row.segment, row.hour.milliseconds, row.label,
      row.count,
    ])
  }

  static func createTallies(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE tallies (
          app TEXT NOT NULL,
          classifier TEXT NOT NULL,
          version TEXT NOT NULL,
          segment TEXT NOT NULL,
          hour INTEGER NOT NULL,
          label TEXT NOT NULL,
          count REAL NOT NULL,
          PRIMARY KEY (app, classifier, version, segment, hour, label)
        ) STRICT, WITHOUT ROWID
        """)
  }
}
