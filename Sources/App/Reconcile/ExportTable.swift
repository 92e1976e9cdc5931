// A table (CSV with a head row) as a console exports it: a row for each day and whatever else it
// tells apart.

import Metering
import Providers

/// Reads a file of CSV into an export.
struct ExportTable {
  private let file: String
  private var reader: CSVReader
  private let columns: ExportColumns
  private let head: [String]

  init(file: String) throws(ReconcileFault) {
    self.file = file
    let place = ReconcileFault.Place(file: file, line: 1)
    do throws(ImportFault) {
      reader = CSVReader(try ByteSource(file: file))
      guard let row = try reader.next() else {
        throw ImportFault(.format, "the file is empty", hint: "")
      }
      guard let cells = Self.cells(row) else {
        throw ImportFault(.format, "the head is no UTF-8", hint: "")
      }
      head = cells
    } catch { throw Self.fault(error, place) }
    columns = try ExportColumns(head, at: place)
  }

  /// - Parameter progress: told the bytes that were read, now and then.
  mutating func read(
    into assembly: inout ExportAssembly, progress: (Int) -> Void
  ) throws(ReconcileFault) {
    let place = ReconcileFault.Place(file: file, line: 1)
    try assembly.add(
      measures: Set(columns.measures.keys), dialect: columns.dialect, isTable: true, at: place)
    var count = 0
    while let row = try next() {
      count += 1
      if count.isMultiple(of: 10_000) { progress(reader.bytesRead) }
      let place = ReconcileFault.Place(file: file, line: row.line)
      guard row.count == head.count else {
        throw ReconcileFault(
          "the row has \(row.count) fields, its head \(head.count)", at: place,
          hint: "The export is cut off or was edited: fetch it again.")
      }
      guard let cells = Self.cells(row) else {
        throw ReconcileFault("the row is no UTF-8", at: place, hint: ReconcileFault.fetchAgain)
      }
      try read(cells, at: place, into: &assembly)
    }
  }

  private mutating func next() throws(ReconcileFault) -> CSVRow? {
    do throws(ImportFault) { return try reader.next() } catch {
      throw Self.fault(error, ReconcileFault.Place(file: file))
    }
  }

  private static func fault(
    _ fault: ImportFault, _ place: ReconcileFault.Place
  ) -> ReconcileFault {
    ReconcileFault(fault.message, at: place, hint: ReconcileFault.fetchAgain)
  }

  /// Nil where a field is no UTF-8.
  private static func cells(_ row: CSVRow) -> [String]? {
    let cells = (0..<row.count).compactMap { row[$0] }
    return cells.count == row.count ? cells : nil
  }

  private func read(
    _ cells: [String], at place: ReconcileFault.Place, into assembly: inout ExportAssembly
  ) throws(ReconcileFault) {
    let start = try moment(cells, columns.start, at: place)
    let days = try days(cells, from: start, at: place)
    var row = ProviderUsageRow(day: days.lowerBound.day)
    row.model = columns.model.flatMap { nonEmpty(cells[$0]) }
    row.key = columns.key.flatMap { nonEmpty(cells[$0]) }.map(ShownKey.text)
    if let key = row.key, let name = columns.keyName.flatMap({ nonEmpty(cells[$0]) }) {
      assembly.name(key, ShownKey.text(name))
    }
    if let currency = columns.currency, let text = nonEmpty(cells[currency]),
      text.uppercased() != "USD"
    {
      throw ReconcileFault(
        "the amount is in \(text)", at: place,
        hint: "The ledger is in US dollars; nothing is converted.")
    }
    var amount: ExportAmount?
    for (measure, indexes) in columns.measures {
      for index in indexes {
        if measure == .cost {
          amount = try self.amount(cells[index], index, place)
        } else {
          row.figures.add(try self.count(cells[index], index, place), to: measure)
        }
      }
    }
    if columns.includesCached {
      let cached = row.figures[.cacheRead] + row.figures[.cacheWrite]
      guard row.figures[.input] >= cached else {
        throw ReconcileFault(
          "more input tokens are cached than there are", at: place,
          hint: ReconcileFault.fetchAgain)
      }
      row.figures[.input] -= cached
    }
    // By what is said, not how: two exports may write a day in two ways.
    let others = Set(columns.measures.values.joined()).union([columns.start, columns.end ?? -1])
    let identity =
      cells.enumerated().filter { !others.contains($0.offset) }
      .map { "\(columns.names[$0.offset])=\(Self.trimmed($0.element))" }
      .joined(separator: "\u{1F}") + "\u{1F}\(start.milliseconds)"
    try assembly.addTableRow(identity, days: days, at: place)
    assembly.add(row, amount: amount)
  }

  private func moment(
    _ cells: [String], _ index: Int, at place: ReconcileFault.Place
  ) throws(ReconcileFault) -> Timestamp {
    guard let moment = ImportTime.parse(cells[index]), ExportNumber.moments.contains(moment)
    else {
      throw ReconcileFault(
        "'\(head[index])' is no date: ISO 8601 or seconds since 1970", at: place,
        hint: "Export by day, in UTC.")
    }
    return moment
  }

  /// The bucket where the row says its end, else the day.
  private func days(
    _ cells: [String], from start: Timestamp, at place: ReconcileFault.Place
  ) throws(ReconcileFault) -> Range<Timestamp> {
    guard let end = columns.end, nonEmpty(cells[end]) != nil else {
      guard !ImportTime.hasOffset(cells[columns.start]) else {
        throw ReconcileFault(
          "'\(head[columns.start])' is of another time zone, and where it ends is not said",
          at: place, hint: "Export by day, in UTC.")
      }
      return start.day.start..<start.day.adding(days: 1).start
    }
    let last = try moment(cells, end, at: place)
    guard start < last else {
      throw ReconcileFault(
        "the row ends before it begins", at: place, hint: ReconcileFault.fetchAgain)
    }
    try ExportAssembly.check(start..<last, at: place, widthHint: "Export by day, in UTC.")
    return start..<last
  }

  private func amount(
    _ cell: String, _ index: Int, _ place: ReconcileFault.Place
  ) throws(ReconcileFault) -> ExportAmount? {
    guard let text = nonEmpty(cell) else { return nil }
    let digits = text.hasPrefix("$") ? String(text.dropFirst()) : text
    guard let amount = ExportAmount(digits, .dollars) else {
      throw ReconcileFault(
        "'\(head[index])' is no amount of dollars", at: place, hint: ReconcileFault.fetchAgain)
    }
    return amount
  }

  private func count(
    _ cell: String, _ index: Int, _ place: ReconcileFault.Place
  ) throws(ReconcileFault) -> Int64 {
    guard let text = nonEmpty(cell) else { return 0 }
    guard let count = ExportNumber.count(text) else {
      throw ReconcileFault(
        "'\(head[index])' is no whole number of 0 or more", at: place,
        hint: ReconcileFault.fetchAgain)
    }
    return count
  }

  private func nonEmpty(_ cell: String) -> String? {
    let text = Self.trimmed(cell)
    return text.isEmpty ? nil : text
  }

  private static func trimmed(_ cell: String) -> String {
    var text = cell.drop { $0 == " " }
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
