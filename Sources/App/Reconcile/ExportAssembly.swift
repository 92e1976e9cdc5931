// Puts the parts of an export together, and refuses what would make a false comparison: parts that
// overlap, parts that are missing, exports of two kinds.

import Metering
import Providers

/// What the readers fill and what becomes the export.
struct ExportAssembly {
  /// A span of one kind of figures.
  struct Bucket {
    var span: Range<Timestamp>
    /// What its results are; empty where it has none.
    var kind: String
    var place: ReconcileFault.Place
  }

  struct Page {
    var end: Timestamp?
    var kind: String
    var hasMore: Bool
    var place: ReconcileFault.Place
  }

  private struct Source {
    var measures: Set<UsageMeasure>
    var dialect: DialectID?
    var isTable: Bool
    var place: ReconcileFault.Place
  }

  private(set) var rows: [ProviderUsageRow] = []
  private var buckets: [Bucket] = []
  private var tableSpan: Range<Timestamp>?
  private var pages: [Page] = []
  private var sources: [Source] = []
  private var finestDigit: Int?
  private var keyNames: [String: Set<String>] = [:]
  private var leftOut: [String: Int] = [:]
  private var notes: [String] = []
  private var tableRows: [String: ReconcileFault.Place] = [:]

  mutating func add(_ page: Page) { pages.append(page) }

  /// Adds a bucket, which must lie within one UTC day.
  mutating func add(_ bucket: Bucket, widthHint: String) throws(ReconcileFault) {
    try Self.check(bucket.span, at: bucket.place, widthHint: widthHint)
    buckets.append(bucket)
  }

  static func check(
    _ span: Range<Timestamp>, at place: ReconcileFault.Place, widthHint: String
  ) throws(ReconcileFault) {
    guard !span.isEmpty else {
      throw ReconcileFault("the bucket is empty", at: place, hint: ReconcileFault.fetchAgain)
    }
    guard span.lowerBound.day == span.upperBound.adding(milliseconds: -1).day else {
      throw ReconcileFault(
        "the bucket is wider than a UTC day, or not of one: \(Moment.text(span.lowerBound)) to "
          + Moment.text(span.upperBound),
        at: place, hint: widthHint)
    }
  }

  /// Counts a row; its amount too, where it has one.
  mutating func add(_ row: ProviderUsageRow, amount: ExportAmount? = nil) {
    var row = row
    if let amount {
      row.figures[.cost] = amount.nanodollars
      finestDigit = min(finestDigit ?? amount.lastDigit, amount.lastDigit)
    }
    rows.append(row)
  }

  /// Says what a part of the export counts.
  mutating func add(
    measures: Set<UsageMeasure>, dialect: DialectID?, isTable: Bool, at place: ReconcileFault.Place
  ) throws(ReconcileFault) {
    if let first = sources.first {
      guard first.dialect == dialect else {
        throw mixed("exports of two providers", first, at: place)
      }
      // Completions and embeddings count different things of one usage; a table counts what its
      // head says.
      let isSame =
        first.isTable || isTable
        ? first.measures == measures
        : first.measures.contains(.cost) == measures.contains(.cost)
      guard isSame else { throw mixed("exports that count different things", first, at: place) }
    }
    let source = Source(measures: measures, dialect: dialect, isTable: isTable, place: place)
    if !sources.contains(where: { $0.measures == measures }) { sources.append(source) }
  }

  private func mixed(
    _ what: String, _ first: Source, at place: ReconcileFault.Place
  ) -> ReconcileFault {
    ReconcileFault(
      "\(what) stand together; the other is \(first.place)", at: place,
      hint: "Compare usage and cost, and each provider, by itself.")
  }

  mutating func note(_ text: String) { notes.append(text) }

  /// A result that counts units which no measure compares.
  mutating func leaveOut(_ kind: String) { leftOut[kind, default: 0] += 1 }

  /// Another name of a key.
  mutating func name(_ key: String, _ name: String) { keyNames[key, default: []].insert(name) }

  /// A table's row, by all that tells it apart from others.
  mutating func addTableRow(
    _ identity: String, days: Range<Timestamp>, at place: ReconcileFault.Place
  ) throws(ReconcileFault) {
    if let other = tableRows.updateValue(place, forKey: identity) {
      throw ReconcileFault(
        "a second row of the same day, model and all else but figures; the other is \(other)",
        at: place,
        hint: "Most likely an export stands there twice. If not, keep the column that tells them "
          + "apart.")
    }
    tableSpan =
      tableSpan.map {
        min($0.lowerBound, days.lowerBound)..<max($0.upperBound, days.upperBound)
      } ?? days
  }

  // MARK: - The whole

  /// The export, if its parts fit together.
  func export(of files: [String]) throws(ReconcileFault) -> ProviderExport {
    try checkOverlaps()
    let spans = buckets.map(\.span) + [tableSpan].compactMap { $0 }
    guard let start = spans.map(\.lowerBound).min(), let end = spans.map(\.upperBound).max() else {
      throw ReconcileFault(
        "there is no day in it", at: ReconcileFault.Place(file: files.joined(separator: ", ")),
        hint: "Ask the provider for a span that has days.")
    }
    try checkGaps()
    try checkPages()
    let usage: Set<UsageMeasure> = [.requests, .input, .output]
    var export = ProviderExport(
      span: start..<end, dialect: sources.first?.dialect,
      measures: sources.isEmpty ? usage : sources.reduce([]) { $0.union($1.measures) })
    export.rows = rows
    export.keyNames = keyNames
    export.notes = notes
    if let finestDigit {
      let slack = ExportAmount.slack(lastDigit: finestDigit)
      for index in export.rows.indices { export.rows[index].costSlack = slack }
    }
    if sources.isEmpty {
      export.notes.append("The export has no result in any bucket; it is taken as one of usage.")
    }
    for (kind, count) in leftOut.sorted(by: { $0.key < $1.key }) {
      export.notes.append(
        "Left out: \(count) of \(kind), which count no tokens; their calls are only in the ledger.")
    }
    if buckets.isEmpty {
      export.notes.append("The span is from the table's first day to its last.")
    }
    return export
  }

  private func checkOverlaps() throws(ReconcileFault) {
    let sorted = buckets.filter { !$0.kind.isEmpty }
      .sorted { ($0.kind, $0.span.lowerBound) < ($1.kind, $1.span.lowerBound) }
    for (one, next) in zip(sorted, sorted.dropFirst())
    where one.kind == next.kind && next.span.lowerBound < one.span.upperBound {
      let what = one.span == next.span ? "the same bucket a second time" : "overlapping buckets"
      throw ReconcileFault(
        "\(what), \(Moment.text(next.span.lowerBound)); the other is \(one.place)",
        at: next.place, hint: "Remove the page that stands there twice.")
    }
  }

  private func checkGaps() throws(ReconcileFault) {
    let sorted = buckets.sorted { $0.span.lowerBound < $1.span.lowerBound }
    guard var end = sorted.first?.span.upperBound else { return }
    for bucket in sorted {
      guard bucket.span.lowerBound <= end else {
        throw ReconcileFault(
          "no bucket from \(Moment.text(end)) to \(Moment.text(bucket.span.lowerBound))",
          at: bucket.place, hint: "A page is missing: fetch it too, or compare the spans apart.")
      }
      end = max(end, bucket.span.upperBound)
    }
  }

  /// A page that says that there is more must be followed by it.
  private func checkPages() throws(ReconcileFault) {
    for page in pages where page.hasMore {
      let isFollowed = pages.contains { other in
        guard let end = page.end, let later = other.end else { return false }
        return later > end && (other.kind.isEmpty || page.kind.isEmpty || other.kind == page.kind)
      }
      guard !isFollowed else { continue }
      throw ReconcileFault(
        "the page says that there is more (has_more), and what follows it is missing",
        at: page.place,
        hint: "Fetch the pages after it, or ask for a span that ends there, so that has_more is "
          + "false.")
    }
  }
}
