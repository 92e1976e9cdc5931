// What samples are told apart by when a shift's cause is looked for: the model that answered, and
// the tags that apps set.

internal import GRDB
public import Metering

/// One way of telling samples apart.
public enum SampleTrait: Hashable, Sendable, CustomStringConvertible {
  /// The model's name.
  case model
  /// A tag's value; empty where a sample has none of that name.
  case tag(String)

  /// As a filter would name it: "model", "tag.prompt".
  public var description: String {
    switch self {
    case .model: "model"
    case .tag(let name): "tag.\(name)"
    }
  }

  public init?(_ description: String) {
    if description == "model" {
      self = .model
    } else if description.hasPrefix("tag."), description.count > "tag.".count {
      self = .tag(String(description.dropFirst("tag.".count)))
    } else {
      return nil
    }
  }

  var sql: String {
    switch self {
    case .model: "samples.model"
    // Not a JSON path: a name would have to be quoted into one.
    case .tag:
      """
      coalesce((SELECT tag.value FROM json_each(samples.tags) AS tag WHERE tag.key = ?), '')
      """
    }
  }

  var arguments: StatementArguments {
    switch self {
    case .model: []
    case .tag(let name): [name]
    }
  }
}

/// How many samples that share a trait's value got one label.
public struct CohortRow: Hashable, Sendable {
  /// The trait's value.
  public var cohort: String
  public var label: String
  /// In (0, 1].
  public var probability: Double
  /// ≥ 1.
  public var count: Int64
}

extension StoreDatabase {
  /// The model, and every tag that has at most so many values in a span: what has more tells
  /// calls apart, not kinds of them. By name.
  public func traits(
    of span: SampleSpan, valuesMax: Int
  ) throws(StoreFault) -> [SampleTrait] {
    try read("reading samples") { db in
      let query = span.query(
        columns: "DISTINCT tag.key, tag.value",
        joining: "CROSS JOIN json_each(samples.tags) AS tag")
      var values: [String: Int] = [:]
      let rows = try query.fetchCursor(db)
      while let row = try rows.next() { values[row[0], default: 0] += 1 }
      return [.model]
        + values.filter { $0.value <= valuesMax }.keys.sorted().map(SampleTrait.tag)
    }
  }

  /// The labels of a span's samples, apart by a trait; by cohort, then label.
  public func countLabels(
    of span: SampleSpan, by instrument: Instrument, apartBy trait: SampleTrait
  ) throws(StoreFault) -> [CohortRow] {
    try read("counting labels") { db in
      guard let number = try Self.number(db, of: instrument) else { return [] }
      let names = try Self.labelNames(db)
      var query = span.query(
        columns: "\(trait.sql), labels.label, \(SampleBlock.probabilitySQL), count(*)",
        of: trait.arguments, joining: Self.labelJoin)
      query.add("labels.instrument = ?", [number])
      return try query.grouped(by: "1, 2, 3").fetchAll(db).map { row in
        CohortRow(
          cohort: row[0], label: names[row[1]] ?? "", probability: row[2], count: row[3])
      }.sorted { ($0.cohort, $0.label) < ($1.cohort, $1.label) }
    }
  }

  /// When the first call of a span was made in which a trait has a value; nil where none has.
  public func firstTime(
    of trait: SampleTrait, _ value: String, in span: SampleSpan
  ) throws(StoreFault) -> Timestamp? {
    try read("reading samples") { db in
      var query = span.query(columns: "min(samples.time)")
      query.add("\(trait.sql) = ?", trait.arguments + [value])
      return try query.fetchOne(db).flatMap { $0[0] as Int64? }
        .map(Timestamp.init(milliseconds:))
    }
  }
}

/// A number that every sample has.
public enum SampleNumber: String, Hashable, Sendable, CaseIterable {
  /// Of the output, in characters (Unicode scalars).
  case length
  /// From the request's arrival to the answer's end, in milliseconds.
  case duration

  var sql: String {
    switch self {
    case .length: "length(samples.output)"
    case .duration: "samples.latency_ms"
    }
  }
}

extension StoreDatabase {
  /// Whether all samples of a span were chosen with one probability.
  public func isUniform(_ span: SampleSpan) throws(StoreFault) -> Bool {
    try read("reading samples") { db in
      let row = try span.query(
        columns: "coalesce(min(samples.probability) = max(samples.probability), 1)"
      ).fetchOne(db)
      return row?[0] ?? true
    }
  }

  /// A number of a span's samples, in order of time; failed calls and unknown durations are left
  /// out.
  ///
  /// - Parameter limit: of more than so many samples, about so many are read, evenly.
  public func numbers(
    _ number: SampleNumber, of span: SampleSpan, limit: Int
  ) throws(StoreFault) -> [Int64] {
    try read("reading samples") { db in
      let count = try span.query(columns: "count(*)").fetchOne(db)?[0] as Int? ?? 0
      let step = max(1, (count + max(limit, 1) - 1) / max(limit, 1))
      // The ids come from an index; a sample's text is only read where it is one of the few.
      var query = span.query(columns: "samples.id")
      if step > 1 {
        // By a hash, since other apps' samples lie between in any pattern; its upper half, since
        // the lower bits are the id's own.
        query.add("(((samples.id * 2654435761) & 4294967295) >> 16) % ? = 0", [step])
      }
      let rows = try query.ordered(limit: nil).fetchCursor(db)
      let statement = try db.cachedStatement(
        sql: """
          SELECT \(number.sql) FROM samples
          WHERE id = ? AND status < 400 AND \(number.sql) >= 0
          """)
      var values: [Int64] = []
      while let row = try rows.next() {
        if let value = try Int64.fetchOne(statement, arguments: [row[0] as Int64]) {
          values.append(value)
        }
      }
      return values
    }
  }
}
