// Reads the reference tables: CSV as RFC 4180 has it, quoted fields with line breaks included.

import Foundation

/// A table by column name.
struct CommaSeparated {
  let rows: [[String: String]]

  init(contentsOf file: URL) throws {
    var fields: [String] = []
    var records: [[String]] = []
    var field: [UInt8] = []
    var isQuoted = false
    let bytes = [UInt8](try Data(contentsOf: file))
    var index = 0
    func closed(_ field: inout [UInt8]) -> String {
      defer { field.removeAll() }
      return String(decoding: field, as: UTF8.self)
    }
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      switch byte {
      case UInt8(ascii: "\"")
      where isQuoted && index < bytes.count && bytes[index] == UInt8(ascii: "\""):
        field.append(byte)
        index += 1
      case UInt8(ascii: "\""): isQuoted.toggle()
      case UInt8(ascii: ",") where !isQuoted: fields.append(closed(&field))
      case UInt8(ascii: "\r") where !isQuoted: continue
      case UInt8(ascii: "\n") where !isQuoted:
        fields.append(closed(&field))
        records.append(fields)
        fields = []
      default: field.append(byte)
      }
    }
    if !field.isEmpty || !fields.isEmpty { records.append(fields + [closed(&field)]) }
    let names = records.first ?? []
    rows = records.dropFirst().map { record in
      Dictionary(zip(names, record)) { first, _ in first }
    }
  }
}
