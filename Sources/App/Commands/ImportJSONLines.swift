// JSON Lines: one JSON object a line. A column is a top-level key, or a JSON pointer where it
// starts with a slash, since logs of calls are rarely flat.

import Foundation

/// A line of the file.
struct JSONLine {
  /// From 1.
  var line: Int
  var bytes: [UInt8]
}

/// Reads a file line by line; blank lines are passed over.
struct LineReader {
  private var source: ByteSource

  init(_ source: ByteSource) { self.source = source }

  /// The next line that is not blank; nil at the end.
  /// - Throws: `format` where a line is too long.
  mutating func next() throws(ImportFault) -> JSONLine? {
    while true {
      var line = JSONLine(line: source.line, bytes: [])
      var isAtEnd = false
      while true {
        guard let byte = try source.next() else {
          isAtEnd = true
          break
        }
        if byte == UInt8(ascii: "\n") { break }
        guard line.bytes.count < ByteSource.rowBytesMax else {
          throw ImportFault(
            .format, "line \(line.line) is longer than 64 MiB",
            hint: "JSON Lines has one object a line; is this one JSON document?")
        }
        line.bytes.append(byte)
        source.moveRun(before: [UInt8(ascii: "\n")], to: &line.bytes)
      }
      let isBlank = line.bytes.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
      if !isBlank { return line }
      if isAtEnd { return nil }
    }
  }
}

/// A JSON value with whole numbers kept exact.
enum ImportedJSON: Decodable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case text(String)
  case array([ImportedJSON])
  case object([String: ImportedJSON])

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let text = try? value.decode(String.self) {
      self = .text(text)
    } else if let bool = try? value.decode(Bool.self) {
      self = .bool(bool)
    } else if let integer = try? value.decode(Int64.self) {
      self = .integer(integer)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let array = try? value.decode([ImportedJSON].self) {
      self = .array(array)
    } else {
      self = .object(try value.decode([String: ImportedJSON].self))
    }
  }

  /// A top-level key of that very name, or what a JSON pointer (RFC 6901) points at.
  func value(at column: String) -> ImportedJSON? {
    if case .object(let members) = self, let value = members[column] { return value }
    guard column.hasPrefix("/") else { return nil }
    var value = self
    for part in column.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
      let name = part.replacingOccurrences(of: "~1", with: "/")
        .replacingOccurrences(of: "~0", with: "~")
      switch value {
      case .object(let members):
        guard let member = members[name] else { return nil }
        value = member
      case .array(let elements):
        guard let index = Int(name), elements.indices.contains(index) else { return nil }
        value = elements[index]
      default: return nil
      }
    }
    return value
  }

  /// A text as it is, anything else as JSON with sorted keys; nil for null.
  var content: String? {
    switch self {
    case .null: nil
    case .text(let text): text
    default: json
    }
  }

  private var json: String {
    switch self {
    case .null: "null"
    case .bool(let bool): bool ? "true" : "false"
    case .integer(let integer): String(integer)
    case .number(let number): "\(number)"
    case .text(let text): Self.quoted(text)
    case .array(let elements): "[\(elements.map(\.json).joined(separator: ","))]"
    case .object(let members):
      "{"
        + members.sorted { $0.key < $1.key }
        .map { "\(Self.quoted($0.key)):\($0.value.json)" }.joined(separator: ",") + "}"
    }
  }

  private static func quoted(_ text: String) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    // A string is always JSON.
    return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
  }
}
