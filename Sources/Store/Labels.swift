// Labels: what a classifier's version said of a sample.
//
// Stored under the version, so that a rerun reads instead of asking again, and a changed classifier
// never speaks with an old one's labels. A row is three numbers: there are as many rows as samples
// times classifiers, and names are stored once.

internal import GRDB
public import Metering

/// What gave a label: one version of a classifier.
public struct Instrument: Hashable, Sendable {
  public var classifier: String
  public var version: String

  public init(classifier: String, version: String) {
    self.classifier = classifier
    self.version = version
  }
}

/// One new label, with what decides where it counts in the tallies.
public struct LabelRow: Hashable, Sendable {
  public var sample: Int64
  public var label: String
  /// When the sample's call was made.
  public var time: Timestamp
  /// The chance with which the sample was chosen, in (0, 1].
  public var probability: Double

  public init(sample: Int64, label: String, time: Timestamp, probability: Double = 1) {
    self.sample = sample
    self.label = label
    self.time = time
    self.probability = probability
  }
}

extension StoreDatabase {
  /// Labels by sample; a sample without one is not in the answer.
  public func labels(
    by instrument: Instrument, sampleIDs: [Int64]
  ) throws(StoreFault) -> [Int64: String] {
    guard !sampleIDs.isEmpty else { return [:] }
    return try read("reading labels") { db in
      guard let number = try Self.number(db, of: instrument) else { return [:] }
      let statement = try db.cachedStatement(
        sql: """
          SELECT label_names.label FROM labels
          JOIN label_names ON label_names.id = labels.label
          WHERE sample = ? AND instrument = ?
          """)
      var labels: [Int64: String] = [:]
      labels.reserveCapacity(sampleIDs.count)
      for sample in sampleIDs {
        let label = try String.fetchOne(statement, arguments: [sample, number])
        if let label { labels[sample] = label }
      }
      return labels
    }
  }

  /// Which of these instruments have labelled which of these samples.
  public func instruments(
    _ instruments: [Instrument], thatLabelled sampleIDs: [Int64]
  ) throws(StoreFault) -> [Int64: Set<Instrument>] {
    try read("reading labels") { db in
      let numbers = try Self.numbers(db, of: instruments)
      let statement = try db.cachedStatement(
        sql: "SELECT instrument FROM labels WHERE sample = ?")
      var found: [Int64: Set<Instrument>] = [:]
      for sample in sampleIDs {
        for number in try Int64.fetchAll(statement, arguments: [sample]) {
          if let instrument = numbers[number] { found[sample, default: []].insert(instrument) }
        }
      }
      return found
    }
  }

  /// Stores labels and counts the new ones in the tallies, in one transaction: a tally is always
  /// the sum of the labels that were ever stored, however often a run is repeated. Labels that are
  /// there stay, and those of deleted samples are left out.
  ///
  /// - Returns: how many were new.
  @discardableResult
  public func recordLabels(
    app: String, _ rows: [Instrument: [LabelRow]]
  ) throws(StoreFault) -> Int {
    guard rows.contains(where: { !$0.value.isEmpty }) else { return 0 }
    return try write("storing labels") { db in
      try rows.reduce(0) { sum, entry in
        sum + (try Self.record(db, entry.value, by: entry.key, app: app))
      }
    }
  }

  private static func record(
    _ db: Database, _ rows: [LabelRow], by instrument: Instrument, app: String
  ) throws -> Int {
    let number = try makeNumber(db, of: instrument)
    // From a select, so that a sample pruned since it was read is no foreign key fault.
    let statement = try db.cachedStatement(
      sql: """
        INSERT INTO labels (sample, instrument, label)
        SELECT id, ?2, ?3 FROM samples WHERE id = ?1
        ON CONFLICT (sample, instrument) DO NOTHING
        """)
    var names: [String: Int64] = [:]
    var counts: [TallyPlace: Int64] = [:]
    for row in rows {
      let name = try names[row.label] ?? makeNumber(db, ofLabel: row.label)
      names[row.label] = name
      try statement.execute(arguments: [row.sample, number, name])
      guard db.changesCount == 1 else { continue }
      let place = TallyPlace(
        block: SampleBlock.start(of: row.time), label: name, probability: row.probability)
      counts[place, default: 0] += 1
    }
    try add(db, counts, app: app, instrument: number)
    return Int(counts.values.reduce(0, +))
  }

  /// Samples of a span that have no label of one of these instruments, in order of time, then id.
  ///
  /// - Parameter last: only those behind this one.
  public func unlabelledSamples(
    of span: SampleSpan, by instruments: [Instrument], after last: SampleRecord?, limit: Int
  ) throws(StoreFault) -> [SampleRecord] {
    try read("reading samples") { db in
      var query = span.query(columns: Self.sampleColumns)
      if let last {
        query.add("(samples.time, samples.id) > (?, ?)", [last.time.milliseconds, last.id])
      }
      let numbers = try Self.numbers(db, of: instruments).keys.sorted()
      if numbers.count == Set(instruments).count {
        // `+`: the labels of a sample are read in one go, not each looked up.
        query.add(
          """
          (SELECT count(*) FROM labels WHERE labels.sample = samples.id
            AND +labels.instrument IN (\(numbers.map(String.init).joined(separator: ", "))))
            < \(numbers.count)
          """, [])
      }
      return try query.ordered(limit: limit).fetchAll(db).map(Self.sample(row:))
    }
  }

  /// Samples of a span that got one label, in order of time, then id.
  public func samples(
    of span: SampleSpan, labelled label: String, by instrument: Instrument, limit: Int
  ) throws(StoreFault) -> [SampleRecord] {
    try read("reading samples") { db in
      guard let number = try Self.number(db, of: instrument),
        let name = try Self.number(db, ofLabel: label)
      else { return [] }
      var query = span.query(columns: Self.sampleColumns)
      query.add(
        """
        EXISTS (SELECT 1 FROM labels WHERE labels.sample = samples.id AND labels.instrument = ?
          AND labels.label = ?)
        """, [number, name])
      return try query.ordered(limit: limit).fetchAll(db).map(Self.sample(row:))
    }
  }

  /// The ids of a span's samples by label; those that have none are left out.
  public func sampleIDsByLabel(
    of span: SampleSpan, by instrument: Instrument
  ) throws(StoreFault) -> [String: [Int64]] {
    try read("reading labels") { db in
      guard let number = try Self.number(db, of: instrument) else { return [:] }
      let names = try Self.labelNames(db)
      var query = span.query(columns: "samples.id, labels.label", joining: Self.labelJoin)
      query.add("labels.instrument = ?", [number])
      var ids: [String: [Int64]] = [:]
      let rows = try query.ordered(limit: nil).fetchCursor(db)
      while let row = try rows.next() {
        if let name = names[row[1]] { ids[name, default: []].append(row[0]) }
      }
      return ids
    }
  }

  // CROSS: from the samples to their labels, never the other way.
  static let labelJoin = "CROSS JOIN labels ON labels.sample = samples.id"
}

// MARK: - Names and numbers

extension StoreDatabase {
  static func number(_ db: Database, of instrument: Instrument) throws -> Int64? {
    try Int64.fetchOne(
      db.cachedStatement(sql: "SELECT id FROM instruments WHERE classifier = ? AND version = ?"),
      arguments: [instrument.classifier, instrument.version])
  }

  /// Those that have labelled anything yet, by number.
  static func numbers(
    _ db: Database, of instruments: [Instrument]
  ) throws -> [Int64: Instrument] {
    var numbers: [Int64: Instrument] = [:]
    for instrument in instruments {
      if let number = try number(db, of: instrument) { numbers[number] = instrument }
    }
    return numbers
  }

  private static func makeNumber(_ db: Database, of instrument: Instrument) throws -> Int64 {
    if let number = try number(db, of: instrument) { return number }
    try db.execute(
      sql: "INSERT INTO instruments (classifier, version) VALUES (?, ?)",
      arguments: [instrument.classifier, instrument.version])
    return db.lastInsertedRowID
  }

  static func number(_ db: Database, ofLabel label: String) throws -> Int64? {
    try Int64.fetchOne(
      db.cachedStatement(sql: "SELECT id FROM label_names WHERE label = ?"), arguments: [label])
  }

  private static func makeNumber(_ db: Database, ofLabel label: String) throws -> Int64 {
    if let number = try number(db, ofLabel: label) { return number }
    try db.execute(sql: "INSERT INTO label_names (label) VALUES (?)", arguments: [label])
    return db.lastInsertedRowID
  }

  static func labelNames(_ db: Database) throws -> [Int64: String] {
    var names: [Int64: String] = [:]
    let rows = try Row.fetchCursor(db, sql: "SELECT id, label FROM label_names")
    while let row = try rows.next() { names[row[0]] = row[1] }
    return names
  }
}

// MARK: - Tables

extension StoreDatabase {
  /// As they were first: every row with its names in full.
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

  /// Names become numbers, and tallies are counted anew from the labels that there are, by quarter
  /// of an hour and probability.
  static func numberLabels(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE instruments (
          id INTEGER PRIMARY KEY,
          classifier TEXT NOT NULL,
          version TEXT NOT NULL,
          UNIQUE (classifier, version)
        ) STRICT;
        CREATE TABLE label_names (id INTEGER PRIMARY KEY, label TEXT NOT NULL UNIQUE) STRICT;
        INSERT INTO instruments (classifier, version)
          SELECT DISTINCT classifier, version FROM labels ORDER BY classifier, version;
        INSERT INTO label_names (label) SELECT DISTINCT label FROM labels ORDER BY label;
        ALTER TABLE labels RENAME TO named_labels;
        CREATE TABLE labels (
          sample INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
          instrument INTEGER NOT NULL,
          label INTEGER NOT NULL,
          PRIMARY KEY (sample, instrument)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO labels (sample, instrument, label)
          SELECT sample, instruments.id, label_names.id FROM named_labels
          JOIN instruments ON instruments.classifier = named_labels.classifier
            AND instruments.version = named_labels.version
          JOIN label_names ON label_names.label = named_labels.label;
        DROP TABLE named_labels;
        DROP TABLE tallies;
        CREATE TABLE tallies (
          app TEXT NOT NULL,
          instrument INTEGER NOT NULL,
          block INTEGER NOT NULL,
          label INTEGER NOT NULL,
          probability REAL NOT NULL,
          count INTEGER NOT NULL,
          PRIMARY KEY (app, instrument, block, label, probability)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO tallies
          SELECT app, instrument, \(SampleBlock.startSQL) AS block, label,
            \(SampleBlock.probabilitySQL) AS weighed, count(*)
          FROM labels JOIN samples ON samples.id = labels.sample
          GROUP BY app, instrument, block, label, weighed;
        CREATE TABLE sample_blocks (
          app TEXT NOT NULL,
          block INTEGER NOT NULL,
          count INTEGER NOT NULL,
          PRIMARY KEY (app, block)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO sample_blocks
          SELECT app, \(SampleBlock.startSQL) AS block, count(*) FROM samples GROUP BY app, block;
        DROP INDEX samples_by_app;
        CREATE INDEX samples_by_time ON samples (app, time, probability);
        """)
  }
}
