// Tallies: counts of labels by quarter of an hour, which outlive the samples that they were counted
// from.
//
// Only `recordLabels` writes them, with the labels: a count that anyone could add to would be
// counted twice by the first run that is repeated. Beside them stands how many samples were ever
// stored in each quarter, so that what has no label yet is found without looking for it.

internal import GRDB
internal import GRDBSQLite
public import Metering

/// The time that is counted together. Days begin at a multiple of it in every time zone in use.
public enum SampleBlock {
  public static let milliseconds: Int64 = 900_000

  /// The start of the block that a time is in.
  public static func start(of time: Timestamp) -> Timestamp {
    let rest = time.milliseconds % milliseconds
    // Floor, also before 1970.
    return time.adding(milliseconds: rest < 0 ? -rest - milliseconds : -rest)
  }

  /// The end of the last block that begins before a time: the time itself where it is an edge.
  public static func end(of time: Timestamp) -> Timestamp {
    isEdge(time) ? time : start(of: time).adding(milliseconds: milliseconds)
  }

  /// Whether a block begins at a time, or there is no edge.
  public static func isEdge(_ time: Timestamp?) -> Bool {
    (time?.milliseconds ?? 0) % milliseconds == 0
  }

  /// A probability outside (0, 1] cannot be weighed; such a sample counts once.
  static func sound(_ probability: Double) -> Double {
    probability > 0 && probability <= 1 ? probability : 1
  }

  static let startSQL = """
    samples.time - (samples.time % \(milliseconds) + \(milliseconds)) % \(milliseconds)
    """
  /// The same in SQL.
  static let probabilitySQL = """
    CASE WHEN samples.probability > 0 AND samples.probability <= 1 THEN samples.probability
    ELSE 1.0 END
    """
}

/// How many outputs of one block, sampled with one probability, got one label.
public struct TallyRow: Hashable, Sendable {
  /// The start of the block.
  public var block: Timestamp
  public var label: String
  /// In (0, 1].
  public var probability: Double
  /// ≥ 1.
  public var count: Int64

  public init(block: Timestamp, label: String, probability: Double = 1, count: Int64) {
    self.block = block
    self.label = label
    self.probability = probability
    self.count = count
  }
}

/// Where a label counts.
struct TallyPlace: Hashable {
  var block: Timestamp
  var label: Int64
  var probability: Double
}

extension StoreDatabase {
  /// Tallies of an app by instrument, in order of block and label.
  ///
  /// - Parameters:
  ///   - since: the start of a block; nil from the first.
  ///   - until: the start of the first block that is left out; nil to the last.
  public func tallies(
    app: String, by instruments: [Instrument], since: Timestamp? = nil, until: Timestamp? = nil
  ) throws(StoreFault) -> [Instrument: [TallyRow]] {
    try read("reading tallies") { db in
      let names = try Self.labelNames(db)
      var tallies: [Instrument: [TallyRow]] = [:]
      for (number, instrument) in try Self.numbers(db, of: instruments) {
        let rows = try Row.fetchCursor(
          db,
          sql: """
            SELECT block, label, probability, count FROM tallies
            WHERE app = ? AND instrument = ? AND block >= ? AND block < ?
            """,
          arguments: [
            app, number, since?.milliseconds ?? .min, until?.milliseconds ?? .max,
          ])
        var own: [TallyRow] = []
        while let row = try rows.next() {
          own.append(
            TallyRow(
              block: Timestamp(milliseconds: row[0]), label: names[row[1]] ?? "",
              probability: row[2], count: row[3]))
        }
        tallies[instrument] = own.sorted(by: Self.precedes)
      }
      return tallies
    }
  }

  /// The same from the labels themselves: of any span, and of the samples that are still there.
  public func countLabels(
    of span: SampleSpan, by instruments: [Instrument]
  ) throws(StoreFault) -> [Instrument: [TallyRow]] {
    try read("counting labels") { db in
      let names = try Self.labelNames(db)
      let numbers = try Self.numbers(db, of: instruments)
      var counter = LabelCounter(numbers.keys)
      let query = span.query(
        columns: "samples.time, samples.probability, labels.instrument, labels.label",
        joining: Self.labelJoin)
      try query.step(db) { row in
        counter.add(
          time: sqlite3_column_int64(row, 0),
          probability: SampleBlock.sound(sqlite3_column_double(row, 1)),
          instrument: sqlite3_column_int64(row, 2), label: sqlite3_column_int64(row, 3))
      }
      counter.close()
      return Dictionary(
        uniqueKeysWithValues: numbers.map { number, instrument in
          let rows = counter.counts[number]?.map { place, count in
            TallyRow(
              block: place.block, label: names[place.label] ?? "",
              probability: place.probability, count: count)
          }
          return (instrument, (rows ?? []).sorted(by: Self.precedes))
        })
    }
  }

  /// Spans of blocks in which a sample may be without a label of one of these instruments: where
  /// more samples were ever stored than got one, and some are still there.
  public func blocksToLabel(
    app: String, by instruments: [Instrument], since: Timestamp? = nil, until: Timestamp? = nil
  ) throws(StoreFault) -> [Range<Timestamp>] {
    try read("reading tallies") { db in
      let numbers = try Self.numbers(db, of: instruments).keys
      let condition = numbers.map { number in
        """
        (SELECT coalesce(sum(count), 0) FROM tallies WHERE tallies.app = sample_blocks.app
          AND tallies.instrument = \(number) AND tallies.block = sample_blocks.block)
          < sample_blocks.count
        """
      }
      let isAnyNew = numbers.count < Set(instruments).count
      let blocks = try Int64.fetchAll(
        db,
        sql: """
          SELECT block FROM sample_blocks WHERE app = ? AND block >= ? AND block < ?
          AND \(isAnyNew ? "1" : "(\(condition.joined(separator: " OR ")))")
          AND EXISTS (SELECT 1 FROM samples WHERE samples.app = sample_blocks.app
            AND samples.time >= block AND samples.time < block + \(SampleBlock.milliseconds))
          ORDER BY block
          """,
        arguments: [app, since?.milliseconds ?? .min, until?.milliseconds ?? .max])
      return blocks.reduce(into: []) { ranges, block in
        let start = Timestamp(milliseconds: block)
        let end = start.adding(milliseconds: SampleBlock.milliseconds)
        if let last = ranges.last, last.upperBound == start {
          ranges[ranges.count - 1] = last.lowerBound..<end
        } else {
          ranges.append(start..<end)
        }
      }
    }
  }

  /// How many samples of an app were ever stored in a span of blocks.
  public func samplesEverStored(
    app: String, since: Timestamp? = nil, until: Timestamp? = nil
  ) throws(StoreFault) -> Int64 {
    try read("counting samples") { db in
      try Int64.fetchOne(
        db,
        sql: """
          SELECT coalesce(sum(count), 0) FROM sample_blocks
          WHERE app = ? AND block >= ? AND block < ?
          """,
        arguments: [app, since?.milliseconds ?? .min, until?.milliseconds ?? .max]) ?? 0
    }
  }

  static func add(
    _ db: Database, _ counts: [TallyPlace: Int64], app: String, instrument: Int64
  ) throws {
    let statement = try db.cachedStatement(
      sql: """
        INSERT INTO tallies (app, instrument, block, label, probability, count)
        VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (app, instrument, block, label, probability)
        DO UPDATE SET count = count + excluded.count
        """)
    for (place, count) in counts {
      try statement.execute(arguments: [
        app, instrument, place.block.milliseconds, place.label, place.probability, count,
      ])
    }
  }

  /// Counts samples that were just stored.
  static func addToBlocks(_ db: Database, _ counts: [String: [Timestamp: Int]]) throws {
    let statement = try db.cachedStatement(
      sql: """
        INSERT INTO sample_blocks (app, block, count) VALUES (?, ?, ?)
        ON CONFLICT (app, block) DO UPDATE SET count = count + excluded.count
        """)
    for (app, blocks) in counts {
      for (block, count) in blocks {
        try statement.execute(arguments: [app, block.milliseconds, count])
      }
    }
  }

  private static func precedes(_ left: TallyRow, _ right: TallyRow) -> Bool {
    (left.block, left.label, right.probability) < (right.block, right.label, left.probability)
  }

  /// As they were first: weights instead of counts, by hour.
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

/// Counts rows as they come, mostly those of one block in a row: each costs an addition in a table.
private struct LabelCounter {
  /// By instrument.
  private(set) var counts: [Int64: [TallyPlace: Int64]]
  private let instruments: [Int64]
  /// Place of an instrument by its number; -1: not asked for.
  private let places: [Int32]
  private var block = Timestamp(milliseconds: 0)
  private var end = Int64.min
  private var strata: [(probability: Double, table: [Int64])] = []
  /// Labels of a table's row; more have it made anew.
  private var labels = 64

  init(_ numbers: some Sequence<Int64>) {
    instruments = numbers.sorted()
    counts = Dictionary(uniqueKeysWithValues: instruments.map { ($0, [:]) })
    var places = [Int32](repeating: -1, count: Int(instruments.last ?? -1) + 1)
    for (place, number) in instruments.enumerated() { places[Int(number)] = Int32(place) }
    self.places = places
  }

  mutating func add(time: Int64, probability: Double, instrument: Int64, label: Int64) {
    guard instrument < places.count, places[Int(instrument)] >= 0 else { return }
    if time >= end || time < block.milliseconds {
      close()
      block = SampleBlock.start(of: Timestamp(milliseconds: time))
      end = block.milliseconds + SampleBlock.milliseconds
    }
    if label >= labels {
      close()
      labels = Int(label) * 2
    }
    let cell = Int(places[Int(instrument)]) * labels + Int(label)
    if let index = strata.firstIndex(where: { $0.probability == probability }) {
      strata[index].table[cell] += 1
    } else {
      var table = [Int64](repeating: 0, count: instruments.count * labels)
      table[cell] = 1
      strata.append((probability, table))
    }
  }

  /// Books the block that is under way.
  mutating func close() {
    for stratum in strata {
      for (cell, count) in stratum.table.enumerated() where count > 0 {
        let place = TallyPlace(
          block: block, label: Int64(cell % labels), probability: stratum.probability)
        counts[instruments[cell / labels]]?[place, default: 0] += count
      }
    }
    strata = []
  }
}
