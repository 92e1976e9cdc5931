// Samples: recorded calls, from the gateway or imported, for the analyzer to label.

internal import Foundation
internal import GRDB
public import Metering

/// One recorded call. What is in `input` and `output` was redacted before it came here; a NUL in
/// them is stored as U+FFFD.
public struct SampleRecord: Hashable, Sendable {
  /// Nil until stored.
  public var id: Int64?
  public var app: String
  /// The gateway's call; nil where imported.
  public var call: CallID?
  /// `"gateway"` or `"import"`.
  public var origin: String
  public var model: String
  /// When the call was made: for an imported sample, long before it was stored.
  public var time: Timestamp
  /// The answer's HTTP status; 0 where unknown.
  public var status: Int
  public var input: String
  public var output: String
  /// What the output should have been, where it is known.
  public var reference: String?
  /// Labels by name: imported (`label.NAME` columns), and `toolsField` of the gateway's samples.
  public var fields: [String: String]
  public var tags: [String: String]
  public var finishReason: String
  /// -1 where unknown.
  public var latencyMilliseconds: Int64
  /// The chance, in 0…1, with which a call like this was chosen.
  public var probability: Double

  /// The field with the names of the tools that the answer calls, in order, commas between.
  public static let toolsField = "tools"

  public init(
    id: Int64? = nil, app: String, call: CallID? = nil, origin: String, model: String,
    time: Timestamp, status: Int = 200, input: String, output: String, reference: String? = nil,
    fields: [String: String] = [:], tags: [String: String] = [:], finishReason: String = "",
    latencyMilliseconds: Int64 = -1, probability: Double = 1
  ) {
    self.id = id
    self.app = app
    self.call = call
    self.origin = origin
    self.model = model
    self.time = time
    self.status = status
    self.input = input
    self.output = output
    self.reference = reference
    self.fields = fields
    self.tags = tags
    self.finishReason = finishReason
    self.latencyMilliseconds = latencyMilliseconds
    self.probability = probability
  }
}

extension SampleRecord {
  /// The names of the tools that the answer calls, in order.
  public var tools: [String] {
    (fields[Self.toolsField] ?? "").split(separator: ",").map(String.init)
  }
}

extension StoreDatabase {
  /// Stores samples in one transaction. A second sample of the same call is left out.
  ///
  /// - Parameter now: when they are stored: their age counts from here, not from `time`.
  /// - Returns: the ids of those that were stored.
  @discardableResult
  public func insertSamples(
    _ samples: [SampleRecord], storedAt now: Timestamp
  ) throws(StoreFault) -> [Int64] {
    try write("storing samples") { db in
      let statement = try db.cachedStatement(
        sql: """
          INSERT INTO samples (app, call, origin, model, time, status, input, output, reference,
            fields, tags, finish_reason, latency_ms, probability, stored_at, bytes)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
          ON CONFLICT (call) DO NOTHING
          """)
      var ids: [Int64] = []
      var blocks: [String: [Timestamp: Int]] = [:]
      for sample in samples {
        let fields = try Self.json(sample.fields)
        let tags = try Self.json(sample.tags)
        let bytes =
          Self.rowOverheadBytes + sample.input.utf8.count + sample.output.utf8.count
          + (sample.reference?.utf8.count ?? 0) + fields.utf8.count + tags.utf8.count
        try statement.execute(arguments: [
          sample.app, sample.call.map { Int64($0.number) }, sample.origin, sample.model,
          sample.time.milliseconds, sample.status, Self.storable(sample.input),
          Self.storable(sample.output), sample.reference.map(Self.storable),
          fields, tags, sample.finishReason, sample.latencyMilliseconds, sample.probability,
          now.milliseconds, bytes,
        ])
        guard db.changesCount == 1 else { continue }
        ids.append(db.lastInsertedRowID)
        blocks[sample.app, default: [:]][SampleBlock.start(of: sample.time), default: 0] += 1
      }
      try Self.addToBlocks(db, blocks)
      return ids
    }
  }

  /// Samples of a span in order of time, then id.
  ///
  /// - Parameters:
  ///   - limit: at most so many; nil: all. For more than fits in memory, `forEachSample`.
  ///   - latestFirst: the other way round.
  public func samples(
    of span: SampleSpan, limit: Int? = nil, latestFirst: Bool = false
  ) throws(StoreFault) -> [SampleRecord] {
    try read("reading samples") { db in
      try span.query(columns: Self.sampleColumns)
        .ordered(
          by: latestFirst
            ? "samples.time DESC, samples.id DESC" : "samples.time, samples.id", limit: limit
        ).fetchAll(db).map(Self.sample(row:))
    }
  }

  /// A sample by its id; nil where it was never there, or is no more.
  public func sample(id: Int64) throws(StoreFault) -> SampleRecord? {
    try read("reading a sample") { db in
      try Row.fetchOne(db, sql: "SELECT * FROM samples WHERE id = ?", arguments: [id])
        .map(Self.sample(row:))
    }
  }

  /// Samples of a span in the order in which they were stored.
  ///
  /// - Parameter id: those stored after this one.
  public func samples(
    of span: SampleSpan, storedAfter id: Int64, limit: Int
  ) throws(StoreFault) -> [SampleRecord] {
    try read("reading samples") { db in
      // Not by the planner's choice: the index by time would read all of an app's samples.
      var query = span.query(columns: Self.sampleColumns, index: "samples_in_order")
      query.add("samples.id > ?", [id])
      return try query.ordered(by: "samples.id", limit: limit).fetchAll(db)
        .map(Self.sample(row:))
    }
  }

  /// Id of the last sample, of any app, that was stored before a time; 0 where there is none.
  public func lastSample(storedBefore time: Timestamp) throws(StoreFault) -> Int64 {
    try read("reading samples") { db in
      try Int64.fetchOne(
        db,
        sql: """
          SELECT id FROM samples WHERE stored_at < ? ORDER BY stored_at DESC, id DESC LIMIT 1
          """,
        arguments: [time.milliseconds]) ?? 0
    }
  }

  /// Hands samples out one at a time, in order of time, then id.
  ///
  /// Read in pages, not in one long transaction: that would keep the write-ahead log from shrinking
  /// for as long as the slowest classifier takes. `body` may use the store. A sample stored
  /// meanwhile is handed out where its time is still to come.
  public func forEachSample(
    of span: SampleSpan, _ body: (SampleRecord) throws -> Void
  ) throws(StoreFault) {
    var last: SampleRecord?
    repeat {
      let page = try read("reading samples") { db in
        var query = span.query(columns: Self.sampleColumns)
        if let last {
          query.add("(samples.time, samples.id) > (?, ?)", [last.time.milliseconds, last.id])
        }
        return try query.ordered(limit: Self.pageRows).fetchAll(db).map(Self.sample(row:))
      }
      for sample in page {
        do { try body(sample) } catch {
          throw StoreFault(error, doing: "walking samples", path: path)
        }
      }
      last = page.count == Self.pageRows ? page.last : nil
    } while last != nil
  }

  private static let pageRows = 200

  /// How many samples a span has.
  ///
  /// - Parameter id: of those stored after this one.
  public func sampleCount(
    of span: SampleSpan, storedAfter id: Int64? = nil
  ) throws(StoreFault) -> Int {
    try read("counting samples") { db in
      var query = span.query(columns: "count(*)")
      if let id { query.add("samples.id > ?", [id]) }
      return try query.fetchOne(db)?[0] ?? 0
    }
  }

  /// When the first and the last call of a span's samples were made; nil where there are none.
  public func sampleTimes(
    of span: SampleSpan
  ) throws(StoreFault) -> (first: Timestamp, last: Timestamp)? {
    try read("reading samples") { db in
      let row = try span.query(columns: "min(samples.time), max(samples.time)").fetchOne(db)
      guard let row, let first = row[0] as Int64?, let last = row[1] as Int64? else { return nil }
      return (Timestamp(milliseconds: first), Timestamp(milliseconds: last))
    }
  }

  static let sampleColumns = """
    samples.id, app, call, origin, model, time, status, input, output, reference, fields, tags,
    finish_reason, latency_ms, probability
    """

  static func sample(row: Row) throws -> SampleRecord {
    SampleRecord(
      id: row[0], app: row[1], call: (row[2] as Int64?).map { CallID(UInt64($0)) },
      origin: row[3], model: row[4], time: Timestamp(milliseconds: row[5]), status: row[6],
      input: row[7], output: row[8], reference: row[9], fields: try map(json: row[10]),
      tags: try map(json: row[11]), finishReason: row[12], latencyMilliseconds: row[13],
      probability: row[14])
  }

  /// SQLite's text ends at a NUL: what follows one would be lost in silence.
  private static func storable(_ text: String) -> String {
    guard text.utf8.contains(0) else { return text }
    return text.replacingOccurrences(of: "\0", with: "\u{FFFD}")
  }

  /// Keys sorted: equal maps are equal text.
  private static func json(_ map: [String: String]) throws -> String {
    if map.isEmpty { return "{}" }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(map), as: UTF8.self)
  }

  private static func map(json: String) throws -> [String: String] {
    if json == "{}" { return [:] }
    return try JSONDecoder().decode([String: String].self, from: Data(json.utf8))
  }

  /// What a row costs beside its texts: columns, index entries, page slack.
  private static let rowOverheadBytes = 256

  static func createSamples(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE samples (
          id INTEGER PRIMARY KEY AUTOINCREMENT,
          app TEXT NOT NULL,
          call INTEGER UNIQUE,
          origin TEXT NOT NULL,
          model TEXT NOT NULL,
          time INTEGER NOT NULL,
          status INTEGER NOT NULL,
          input TEXT NOT NULL,
          output TEXT NOT NULL,
          reference TEXT,
          fields TEXT NOT NULL,
          tags TEXT NOT NULL,
          finish_reason TEXT NOT NULL,
          latency_ms INTEGER NOT NULL,
          probability REAL NOT NULL,
          stored_at INTEGER NOT NULL,
          bytes INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX samples_by_app ON samples (app, time);
        CREATE INDEX samples_by_age ON samples (stored_at, id, bytes);
        """)
  }
}
