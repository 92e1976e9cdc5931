// The reference tables by column name, read by the reader that imports use.

import Foundation

@testable import App

struct CommaSeparated {
  let rows: [[String: String]]

  init(contentsOf file: URL) throws {
    var reader = CSVReader(try ByteSource(file: file.path))
    func fields(_ row: CSVRow) -> [String] { (0..<row.count).map { row[$0] ?? "" } }
    let names = try reader.next().map(fields) ?? []
    var rows: [[String: String]] = []
    while let row = try reader.next() {
      rows.append(Dictionary(zip(names, fields(row))) { first, _ in first })
    }
    self.rows = rows
  }
}
