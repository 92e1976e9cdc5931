// Adds dated prices to a price file's text and leaves every other byte as it is: what stands there
// may have been written by hand, with comments, and old calls were charged by it.
//
// The edit is of text, by the places that the parser gives; so the result is read again and
// compared before anybody relies on it.

import Foundation
import Metering
import Yams

/// A price file's text with new prices in it.
struct PriceFileEdit {
  /// The file's lines, without their line feeds; a carriage return stays.
  private var lines: [String]
  /// What stands before the line feed of lines that are added.
  private let returns: String
  /// For faults.
  private let file: String

  init(text: String, file: String) {
    // By bytes: to Swift the end of a line of Windows is one character.
    lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    returns = lines.first?.utf8.last == UInt8(ascii: "\r") ? "\r" : ""
    // A last line that ends is followed by an empty rest.
    if lines.last == "" { lines.removeLast() }
    self.file = file
  }

  private static let lineEnds: Set<Unicode.Scalar> = ["\r", "\u{85}", "\u{2028}", "\u{2029}"]

  var text: String { lines.map { $0 + "\n" }.joined() }

  /// Adds a dated price of each model: below its other prices, or at the end where it has none.
  ///
  /// - Parameters:
  ///   - entries: by model.
  ///   - provenance: comment lines for the header.
  /// - Throws: where the file's shape is one that cannot be added to; nothing is lost then.
  mutating func add(
    _ entries: [String: PriceEntry], provenance: String
  ) throws(PriceFault) {
    // The parser ends a line at these, too: its places would be others than those here.
    let hasOtherEnds = lines.contains { line in
      let end = line.unicodeScalars.last == "\r" ? 1 : 0
      return line.unicodeScalars.dropLast(end).contains { Self.lineEnds.contains($0) }
    }
    guard !hasOtherEnds else {
      throw PriceFault(
        "\(file) has odd line ends, so that it cannot be added to; nothing was written",
        hint: "Save it with line feeds alone, or with those of Windows, and try again.")
    }
    let root: Node.Mapping?
    do { root = try compose(yaml: text)?.mapping } catch {
      throw PriceFault("\(file) is not YAML", hint: "See leeway prices check.")
    }
    var places: [(model: String, key: Int, value: Node)] = []
    for (key, value) in root ?? Node.Mapping([]) {
      guard case .scalar(let name) = key, let line = key.mark?.line else { continue }
      places.append((name.string, line - 1, value))
    }
    var known: Set<String> = []
    // From the end, so that the places before stay where they are.
    for (index, place) in places.enumerated().reversed() {
      known.insert(place.model)
      guard let entry = entries[place.model] else { continue }
      let next = index + 1 < places.count ? places[index + 1].key : lines.count
      try add(entry, to: place, end: contentEnd(from: place.key, before: next))
    }
    for (model, entry) in entries.sorted(by: { $0.key < $1.key }) where !known.contains(model) {
      lines.append(PriceFileText.key(model) + ":" + returns)
      lines.append("- " + PriceFileText.flow(entry) + returns)
    }
    insertProvenance(provenance)
  }

  /// Behind the last line of a value: comments and blank lines before the next key belong to that.
  private func contentEnd(from key: Int, before next: Int) -> Int {
    var end = next
    while end > key + 1 {
      let line = lines[end - 1].drop { $0 == " " }
      guard line.isEmpty || line == "\r" || line.hasPrefix("#") else { break }
      end -= 1
    }
    return end
  }

  private mutating func add(
    _ entry: PriceEntry, to place: (model: String, key: Int, value: Node), end: Int
  ) throws(PriceFault) {
    let flow = PriceFileText.flow(entry) + returns
    guard let mark = place.value.mark else { throw shapeFault(place.model) }
    let (line, column) = (mark.line - 1, mark.column - 1)
    switch place.value {
    case .sequence where line > place.key:
      // A list of a line each, as imports write it.
      lines.insert(String(repeating: " ", count: column) + "- " + flow, at: end)
    case .mapping where line > place.key:
      // Keys on lines of their own become the list's first element.
      for index in line..<end where !["", "\r"].contains(lines[index]) {
        let indent = min(column, lines[index].prefix { $0 == " " }.count)
        lines[index] = (index == line ? "  - " : "    ") + String(lines[index].dropFirst(indent))
      }
      lines.insert("  - " + flow, at: end)
    case .mapping where line == place.key:
      // One flow mapping behind the key, on one line or several.
      let scalars = lines[line].unicodeScalars
      var key = String(scalars.prefix(column))
      while key.hasSuffix(" ") { key.removeLast() }
      lines[line] = "  - " + String(scalars.dropFirst(column))
      for index in (line + 1)..<max(end, line + 1) { lines[index] = "    " + lines[index] }
      lines.insert("  - " + flow, at: end)
      lines.insert(key + returns, at: line)
    default: throw shapeFault(place.model)
    }
  }

  private func shapeFault(_ model: String) -> PriceFault {
    PriceFault(
      "\(file): the price of '\(model)' stands in a form that cannot be added to",
      hint: "Write its prices as a list of a line each, `- { from: …, … }`, and try again.")
  }

  /// Behind the header's other lines of this kind, else at its end.
  private mutating func insertProvenance(_ text: String) {
    let headerEnd = lines.firstIndex { !$0.hasPrefix("#") } ?? lines.count
    let header = lines[..<headerEnd]
    let last = header.lastIndex { $0.hasPrefix("# Imported ") || $0.hasPrefix("# Updated ") }
    var place = last.map { $0 + 1 } ?? headerEnd
    while last != nil, place < headerEnd, lines[place].hasPrefix("#   ") { place += 1 }
    lines.insert(contentsOf: text.split(separator: "\n").map { $0 + returns }, at: place)
  }
}
