// From a file to samples: reads rows of CSV or JSON Lines and makes each a sample by the mapping.

import Contracts
import Foundation
import Metering
import Store

/// Reads the samples of a file, one at a time, from the start at every `forEach`.
struct SampleReader {
  enum Format: Hashable, Sendable {
    case csv, jsonLines
  }

  let file: String
  let format: Format
  let app: String
  let mapping: SampleMapping
  /// The time of samples where no column holds one.
  let now: Timestamp
  /// Takes secrets out of texts before they are stored; nil where nothing will be stored.
  let redactor: Redactor?

  /// - Throws: `format` where the name says neither CSV nor JSON Lines.
  init(
    file: String, app: String, mapping: SampleMapping, now: Timestamp,
    redactor: Redactor?
  ) throws(ImportFault) {
    self.file = file
    self.app = app
    self.mapping = mapping
    self.now = now
    self.redactor = redactor
    switch URL(fileURLWithPath: file).pathExtension.lowercased() {
    case "csv": format = .csv
    case "jsonl", "ndjson": format = .jsonLines
    default:
      throw ImportFault(
        .format, "\(file): the name tells no format",
        hint: "Name it .csv, or .jsonl for one JSON object a line ('jq -c .[]' makes that of an "
          + "array).")
    }
  }

  /// Hands out every row in the order of the file: a sample, or why there is none.
  /// - Throws: what the body throws, and `ImportFault` where the file itself is at fault.
  func forEach(
    _ body: (Result<SampleRecord, RowFault>) throws(ImportFault) -> Void
  ) throws(ImportFault) {
    switch format {
    case .csv: try forEachCSVRow(body)
    case .jsonLines: try forEachJSONLine(body)
    }
  }

  /// Why a row is no sample.
  struct RowFault: Error {
    var row: ImportFault.Row

    init(_ line: Int, _ message: String) { row = ImportFault.Row(line: line, message: message) }
  }

  /// What a row has in a column.
  fileprivate enum Cell {
    case absent
    /// JSON null.
    case null
    case text(String)
  }
}

// MARK: - CSV

extension SampleReader {
  private func forEachCSVRow(
    _ body: (Result<SampleRecord, RowFault>) throws(ImportFault) -> Void
  ) throws(ImportFault) {
    var reader = CSVReader(try ByteSource(file: file))
    guard let header = try reader.next() else {
      throw ImportFault(
        .format, "\(file) is empty", hint: "The first line must name the columns.")
    }
    let places = try places(in: header)
    while let row = try reader.next() {
      try body(csvSample(row, columns: header.count, places: places))
    }
  }

  /// Where in a row each mapped column is.
  private func places(in header: CSVRow) throws(ImportFault) -> [Int] {
    var names: [String] = []
    for index in 0..<header.count {
      guard let name = header[index] else {
        throw ImportFault(
          .format, "line \(header.line): the name of column \(index + 1) is not UTF-8",
          hint: "Convert the file to UTF-8, for example with iconv.")
      }
      names.append(name)
    }
    var places: [Int] = []
    for entry in mapping.entries {
      let found = names.indices.filter { names[$0] == entry.column }
      guard let place = found.first else { throw noColumn(entry.column, names) }
      guard found.count == 1 else {
        throw ImportFault(
          .mapping, "\(file) has \(found.count) columns called '\(entry.column)'",
          hint: "Rename them in the file's first line, so that one is meant.")
      }
      places.append(place)
    }
    return places
  }

  private func csvSample(
    _ row: CSVRow, columns: Int, places: [Int]
  ) -> Result<SampleRecord, RowFault> {
    guard row.count == columns else {
      return .failure(
        RowFault(row.line, "\(row.count) fields where the first line has \(columns)"))
    }
    var cells: [Cell] = []
    for (place, entry) in zip(places, mapping.entries) {
      guard let text = row[place] else {
        return .failure(RowFault(row.line, "column '\(entry.column)' is not UTF-8"))
      }
      cells.append(.text(text))
    }
    return sample(cells, line: row.line)
  }

  private func noColumn(_ column: String, _ names: [String]) -> ImportFault {
    let isOther = names.count == 1 && names[0].contains { ";\t|".contains($0) }
    let hint =
      isOther
      ? "The first line holds no comma: columns must be separated by commas."
      : "Columns: \(names.prefix(40).map { "'\($0)'" }.joined(separator: ", "))"
        + (names.count > 40 ? ", and \(names.count - 40) more." : ".")
    return ImportFault(.mapping, "\(file) has no column '\(column)'", hint: hint)
  }
}

// MARK: - JSON Lines

extension SampleReader {
  private func forEachJSONLine(
    _ body: (Result<SampleRecord, RowFault>) throws(ImportFault) -> Void
  ) throws(ImportFault) {
    var reader = LineReader(try ByteSource(file: file))
    let decoder = JSONDecoder()
    var isSeen = mapping.entries.map { _ in false }
    var isAnyRow = false
    while let line = try reader.next() {
      guard let value = try? decoder.decode(ImportedJSON.self, from: Data(line.bytes)),
        case .object = value
      else {
        try body(.failure(RowFault(line.line, Self.notAnObject(line))))
        continue
      }
      let cells = mapping.entries.map { entry -> Cell in
        guard let cell = value.value(at: entry.column) else { return .absent }
        return cell.content.map(Cell.text) ?? .null
      }
      for (index, cell) in cells.enumerated() {
        if case .absent = cell { continue }
        isSeen[index] = true
      }
      isAnyRow = true
      try body(sample(cells, line: line.line))
    }
    // A column that no row has is a slip in the mapping, not a file full of gaps.
    guard isAnyRow, let missing = isSeen.firstIndex(of: false) else { return }
    throw ImportFault(
      .mapping, "no row of \(file) has '\(mapping.entries[missing].column)'",
      hint: "Name a top-level key, or a place inside by JSON pointer, such as "
        + "output=/choices/0/message/content.")
  }

  private static func notAnObject(_ line: JSONLine) -> String {
    let first = line.bytes.first { $0 != 0x20 && $0 != 0x09 }
    return first == UInt8(ascii: "[")
      ? "a JSON array; each line must be one object" : "not a JSON object"
  }
}

// MARK: - A row's sample

extension SampleReader {
  private func sample(_ cells: [Cell], line: Int) -> Result<SampleRecord, RowFault> {
    // What is in a log was answered: 200, as the classifiers take it.
    var record = SampleRecord(
      app: app, origin: "import", model: "", time: now, status: 200, input: "", output: "")
    for (cell, entry) in zip(cells, mapping.entries) {
      let text: String? = if case .text(let text) = cell { text } else { nil }
      switch entry.key {
      case .output:
        if case .absent = cell {
          return .failure(RowFault(line, "'\(entry.column)', the output, is missing"))
        }
        record.output = redacted(text)
      case .input: record.input = redacted(text)
      case .model: record.model = text ?? ""
      case .reference: record.reference = nonEmpty(text).map { redacted($0) }
      case .label(let name): record.fields[name] = nonEmpty(text)
      case .tag(let name): record.tags[name] = nonEmpty(text)
      case .time:
        guard let time = ImportTime.parse(text ?? "") else {
          return .failure(RowFault(line, timeFault(entry.column, text)))
        }
        record.time = time
      }
    }
    return .success(record)
  }

  private func redacted(_ text: String?) -> String {
    guard let text else { return "" }
    return redactor?.redact(text).text ?? text
  }

  private func nonEmpty(_ text: String?) -> String? { text?.isEmpty == false ? text : nil }

  private func timeFault(_ column: String, _ text: String?) -> String {
    guard let text = nonEmpty(text) else { return "'\(column)', the time, is empty" }
    // Not the value: a column mapped by mistake may hold a prompt.
    return "'\(column)' (\(text.utf8.count) bytes) is no time: ISO 8601, a count since 1970 or "
      + "MM/DD/YYYY"
  }
}
