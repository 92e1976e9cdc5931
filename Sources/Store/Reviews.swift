// Reviews: outputs that were drawn for persons to label, and what they said.
//
// What was drawn and said outlives the samples: it holds labels and no text.

internal import Foundation
internal import GRDB
public import Metering

/// One draw of outputs of an app, to check one version of a classifier.
public struct ReviewRound: Hashable, Sendable {
  /// Nil until stored; ascending from 1.
  public var id: Int64?
  public var app: String
  public var classifier: String
  public var version: String
  public var drawnAt: Timestamp
  /// The conditions that chose the outputs, as given.
  public var filter: [String]
  /// The times of the first and last output that could have been drawn.
  public var since: Timestamp
  public var until: Timestamp
  /// How many outputs there were to draw from, by the label that the classifier had given.
  public var population: [String: Int64]

  public init(
    id: Int64? = nil, app: String, classifier: String, version: String, drawnAt: Timestamp,
    filter: [String], since: Timestamp, until: Timestamp, population: [String: Int64]
  ) {
    self.id = id
    self.app = app
    self.classifier = classifier
    self.version = version
    self.drawnAt = drawnAt
    self.filter = filter
    self.since = since
    self.until = until
    self.population = population
  }
}

/// One output of a round.
public struct ReviewItem: Hashable, Sendable {
  public enum Answer: Hashable, Sendable {
    case label(String)
    /// The person could not or would not tell.
    case skipped
  }

  public var sample: Int64
  /// The label that the classifier had given; not shown to the person.
  public var predicted: String
  /// Nil until somebody answered.
  public var answer: Answer?
  /// Who answered; empty until then.
  public var reviewer: String

  public init(sample: Int64, predicted: String, answer: Answer? = nil, reviewer: String = "") {
    self.sample = sample
    self.predicted = predicted
    self.answer = answer
    self.reviewer = reviewer
  }
}

extension StoreDatabase {
  /// Stores a round with its items, in the order in which they are to be shown.
  /// - Returns: the round's id.
  public func insertReview(
    _ round: ReviewRound, items: [ReviewItem]
  ) throws(StoreFault) -> Int64 {
    try write("storing a review") { db in
      try db.execute(
        sql: """
          INSERT INTO review_rounds (app, classifier, version, drawn_at, filter, since, until,
            population) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          round.app, round.classifier, round.version, round.drawnAt.milliseconds,
          try Self.text(round.filter), round.since.milliseconds, round.until.milliseconds,
          try Self.text(round.population),
        ])
      let id = db.lastInsertedRowID
      let statement = try db.cachedStatement(
        sql: "INSERT INTO review_items (round, position, sample, predicted) VALUES (?, ?, ?, ?)")
      for (position, item) in items.enumerated() {
        try statement.execute(arguments: [id, position, item.sample, item.predicted])
      }
      return id
    }
  }

  /// An app's rounds, the oldest first.
  public func reviews(app: String, classifier: String) throws(StoreFault) -> [ReviewRound] {
    try read("reading reviews") { db in
      try Row.fetchAll(
        db, sql: "SELECT * FROM review_rounds WHERE app = ? AND classifier = ? ORDER BY id",
        arguments: [app, classifier]
      ).map(Self.round)
    }
  }

  /// A round's items in their order.
  public func reviewItems(round: Int64) throws(StoreFault) -> [ReviewItem] {
    try read("reading a review") { db in
      try Row.fetchAll(
        db, sql: "SELECT * FROM review_items WHERE round = ? ORDER BY position",
        arguments: [round]
      ).map(Self.item)
    }
  }

  /// Stores a person's answer; a later one stands for an earlier.
  public func recordReview(
    round: Int64, sample: Int64, answer: ReviewItem.Answer, reviewer: String, at now: Timestamp
  ) throws(StoreFault) {
    let label: String? = if case .label(let text) = answer { text } else { nil }
    try write("storing a review") { db in
      try db.execute(
        sql: """
          UPDATE review_items SET label = ?, is_skipped = ?, reviewer = ?, answered_at = ?
          WHERE round = ? AND sample = ?
          """,
        arguments: [label, label == nil, reviewer, now.milliseconds, round, sample])
    }
  }

  private static func round(row: Row) throws -> ReviewRound {
    ReviewRound(
      id: row["id"], app: row["app"], classifier: row["classifier"], version: row["version"],
      drawnAt: Timestamp(milliseconds: row["drawn_at"]),
      filter: try JSONDecoder().decode([String].self, from: Data((row["filter"] as String).utf8)),
      since: Timestamp(milliseconds: row["since"]), until: Timestamp(milliseconds: row["until"]),
      population: try JSONDecoder().decode(
        [String: Int64].self, from: Data((row["population"] as String).utf8)))
  }

  private static func item(row: Row) -> ReviewItem {
    let label: String? = row["label"]
    let isSkipped: Bool = row["is_skipped"]
    return ReviewItem(
      sample: row["sample"], predicted: row["predicted"],
      answer: label.map { .label($0) } ?? (isSkipped ? .skipped : nil), reviewer: row["reviewer"])
  }

  private static func text(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  static func createReviews(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE review_rounds (
          id INTEGER PRIMARY KEY,
          app TEXT NOT NULL,
          classifier TEXT NOT NULL,
          version TEXT NOT NULL,
          drawn_at INTEGER NOT NULL,
          filter TEXT NOT NULL,
          since INTEGER NOT NULL,
          until INTEGER NOT NULL,
          population TEXT NOT NULL
        ) STRICT;
        CREATE TABLE review_items (
          round INTEGER NOT NULL REFERENCES review_rounds (id),
          position INTEGER NOT NULL,
          sample INTEGER NOT NULL,
          predicted TEXT NOT NULL,
          label TEXT,
          is_skipped INTEGER NOT NULL DEFAULT 0,
          reviewer TEXT NOT NULL DEFAULT '',
          answered_at INTEGER,
          PRIMARY KEY (round, sample)
        ) STRICT, WITHOUT ROWID;
        """)
  }
}
