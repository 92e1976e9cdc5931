// CSV as RFC 4180 has it, read row by row: quoted fields may hold commas, quotes written twice and
// line breaks. Rows end with LF, CR LF or CR; blank lines are passed over.
//
// Our own, because the package that exists loads whole files into memory.

/// One row of fields.
struct CSVRow {
  /// The line in which it starts, from 1.
  var line: Int
  fileprivate var bytes: [UInt8] = []
  fileprivate var ends: [Int] = []

  fileprivate init(line: Int) { self.line = line }

  var count: Int { ends.count }

  /// A field's text; nil where its bytes are not UTF-8.
  subscript(index: Int) -> String? {
    let start = index == 0 ? 0 : ends[index - 1]
    return String(validating: bytes[start..<ends[index]], as: UTF8.self)
  }
}

/// Reads a file of CSV.
struct CSVReader {
  private enum State {
    case fieldStart, plain, quoted, quoteInQuoted
  }

  private static let quotedStops = Array("\"\n".utf8)
  private static let plainStops = Array(",\n\r".utf8)

  private var source: ByteSource
  private var rowBytesUsual = 0

  init(_ source: ByteSource) { self.source = source }

  /// How far the file has been read.
  var bytesRead: Int { source.bytesRead }

  /// The next row; nil at the end.
  /// - Throws: `format` where a quote is misplaced or never closed, or a row is too long.
  mutating func next() throws(ImportFault) -> CSVRow? {
    while true {
      var row = CSVRow(line: source.line)
      row.bytes.reserveCapacity(rowBytesUsual)
      var state = State.fieldStart
      var wasQuoted = false
      var isAtEnd = false
      while try !step(&row, &state, &wasQuoted, &isAtEnd) {}
      rowBytesUsual = min(row.bytes.count * 2, 1 << 20)
      let isBlank = row.ends.count == 1 && row.bytes.isEmpty && !wasQuoted
      if !isBlank { return row }
      if isAtEnd { return nil }
    }
  }

  /// Takes one byte; whether the row has ended.
  private mutating func step(
    _ row: inout CSVRow, _ state: inout State, _ wasQuoted: inout Bool, _ isAtEnd: inout Bool
  ) throws(ImportFault) -> Bool {
    guard let byte = try source.next() else {
      if state == .quoted { throw neverClosed(row) }
      row.ends.append(row.bytes.count)
      isAtEnd = true
      return true
    }
    if state == .quoted {
      guard byte != UInt8(ascii: "\"") else {
        state = .quoteInQuoted
        return false
      }
      try append(byte, to: &row)
      source.moveRun(before: Self.quotedStops, to: &row.bytes)
      return false
    }
    switch byte {
    case UInt8(ascii: "\"") where state == .fieldStart:
      state = .quoted
      wasQuoted = true
    case UInt8(ascii: "\"") where state == .quoteInQuoted:
      try append(byte, to: &row)
      state = .quoted
    case UInt8(ascii: ","):
      row.ends.append(row.bytes.count)
      state = .fieldStart
    case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
      try endLine(byte)
      row.ends.append(row.bytes.count)
      return true
    default:
      guard state != .quoteInQuoted else { throw afterQuote(row) }
      try append(byte, to: &row)
      source.moveRun(before: Self.plainStops, to: &row.bytes)
      state = .plain
    }
    return false
  }

  private mutating func endLine(_ byte: UInt8) throws(ImportFault) {
    guard byte == UInt8(ascii: "\r") else { return }
    if try source.peek() == UInt8(ascii: "\n") { _ = try source.next() } else { source.countLine() }
  }

  private func append(_ byte: UInt8, to row: inout CSVRow) throws(ImportFault) {
    guard row.bytes.count < ByteSource.rowBytesMax else {
      throw ImportFault(
        .format, "the row that starts in line \(row.line) is longer than 64 MiB",
        hint: "Most likely a quote is opened there and never closed.")
    }
    row.bytes.append(byte)
  }

  private func neverClosed(_ row: CSVRow) -> ImportFault {
    ImportFault(
      .format, "the row that starts in line \(row.line) opens a quote that is never closed",
      hint: "Close it; a quote inside a quoted field is written twice. Nothing was imported.")
  }

  private func afterQuote(_ row: CSVRow) -> ImportFault {
    ImportFault(
      .format, "line \(source.line): text stands after a closing quote, in field \(row.count + 1)",
      hint: "A quote inside a quoted field is written twice. Nothing was imported.")
  }
}
