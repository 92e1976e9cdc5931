// Labels: what a classifier's version said of a sample.
//
// Stored under the version, so that a rerun reads instead of asking again, and a changed classifier
// never speaks with an old one's labels.

internal import GRDB
public import Metering

/// One new label, with the place in the tallies where it counts.
public struct LabelRow: Hashable, Sendable {
  public var sample: Int64
  public var label: String
  /// The part of the app's calls that is counted apart, such as a model; empty for none.
  public var segment: String
  /// The start of the hour it counts in.
  public var hour: Timestamp
  /// How many calls it stands for: 1 / probability; 1 where every call was sampled.
  public var weight: Double

  public init(
    sample: Int64, label: String, segment: String = "", hour: Timestamp, weight: Double = 1
  ) {
    self.sample = sample
    self.label = label
    self.segment = segment
    self.hour = hour
    self.weight = weight
  }
}

extension StoreDatabase {
  /// Labels by sample; a sample without one is not in the answer.
  public func labels(
    classifier: String, version: String, sampleIDs: [Int64]
  ) throws(StoreFault) -> [Int64: String] {
    guard !sampleIDs.isEmpty else { return [:] }
    return try read("reading labels") { db in
      let statement = try db.cachedStatement(
        sql: "SELECT label FROM labels WHERE sample = ? AND classifier = ? AND version = ?")
      var labels: [Int64: String] = [:]
      labels.reserveCapacity(sampleIDs.count)
      for sample in sampleIDs {
        let label = try String.fetchOne(statement, arguments: [sample, classifier, version])
        if let label { labels[sample] = label }
      }
      return labels
    }
  }

  /// Stores labels and counts the new ones in the tallies, in one transaction: a tally is always
  /// the sum of the labels that were ever stored, however often a run is repeated. Labels that are
  /// there stay, and those of deleted samples are left out.
  ///
  /// - Returns: how many were new.
  @discardableResult
  public func recordLabels(
    app: String, classifier: String, version: String, rows: [LabelRow]
  ) throws(StoreFault) -> Int {
    guard !rows.isEmpty else { return 0 }
    return try write("storing labels") { db in
      var inserted = 0
      for row in rows where try Self.insertLabel(db, row.sample, classifier, version, row.label) {
        inserted += 1
        try Self.addTally(
          db,
          TallyRow(
            app: app, classifier: classifier, version: version, segment: row.segment,
            hour: row.hour, label: row.label, count: row.weight))
      }
      return inserted
    }
  }

  private static func insertLabel(
    _ db: Database, _ sample: Int64, _ classifier: String, _ version: String, _ label: String
  ) throws -> Bool {
    // From a select, so that a sample pruned since it was read is no foreign key fault.
    let statement = try db.cachedStatement(
      sql: """
        INSERT INTO labels (sample, classifier, version, label)
        SELECT id, ?2, ?3, ?4 FROM samples WHERE id = ?1
        ON CONFLICT (sample, classifier, version) DO NOTHING
        """)
    try statement.execute(arguments: [sample, classifier, version, label])
    return db.changesCount == 1
  }

  static func createLabels(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE labels (
          sample INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
          classifier TEXT NOT NULL,
          version TEXT NOT NULL,
          label TEXT NOT NULL,
          PRIMARY KEY (sample, classifier, version)
        ) STRICT, WITHOUT ROWID
        """)
  }
}
