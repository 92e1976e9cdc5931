// Results for people.

import Foundation
import Measures

enum Table {
  private static let columns: [(title: String, figure: Figure)] = [
    ("CPU µs/call", .cpu), ("calls/s", .callsPerSecond), ("p50 µs", .p50), ("p99 µs", .p99),
    ("p99.9 µs", .p999), ("1st byte", .firstByte), ("event", .eventDelay),
    ("event p99", .eventDelay99), ("RSS MiB", .resident), ("reads", .reads),
    ("instructions", .instructions),
  ]

  /// A round in a line.
  static func brief(_ figures: [Figure: Double]) -> String {
    columns.compactMap { title, figure in
      figures[figure].map { "\(title) \(number($0))" }
    }.joined(separator: ", ")
  }

  /// All scenarios, each with the columns that it has.
  static func text(_ report: Report) -> String {
    var text = ""
    var scenarios: [String] = []
    for row in report.rows where !scenarios.contains(row.scenario) {
      scenarios.append(row.scenario)
    }
    for scenario in scenarios {
      let rows = report.rows.filter { $0.scenario == scenario }
      text += "\n\(scenario)\n" + table(rows, reference: report.reference)
    }
    for note in report.notes { text += "\n\(note)" }
    return text + "\n"
  }

  private static func table(_ rows: [Report.Row], reference: String) -> String {
    let shown = columns.filter { _, figure in
      rows.contains { $0.figures[figure.rawValue] != nil }
    }
    var header = ["subject"]
    for (title, figure) in shown {
      header.append(title)
      if figure == main(shown) { header.append("of \(reference)'s") }
    }
    let lines = rows.map { row in
      var cells = [row.subject]
      for (_, figure) in shown {
        let isMain = figure == main(shown)
        cells.append(
          row.figures[figure.rawValue].map { isMain ? full($0) : number($0.median) } ?? "")
        if isMain { cells.append(row.ratios[figure.rawValue].map(full) ?? "") }
      }
      return cells
    }
    return align([header] + lines)
  }

  /// The column that is compared: CPU, where it was measured.
  private static func main(_ shown: [(title: String, figure: Figure)]) -> Figure? {
    shown.first?.figure
  }

  private static func full(_ spread: Spread) -> String {
    "\(number(spread.median)) [\(number(spread.min))–\(number(spread.max))]"
  }

  private static func number(_ value: Double) -> String {
    let digits = value < 10 ? 2 : value < 1_000 ? 1 : 0
    return String(format: "%.\(digits)f", value)
  }

  private static func align(_ lines: [[String]]) -> String {
    let count = lines.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { cells in
      let padded = zip(cells, widths).enumerated().map { index, pair in
        let blanks = String(repeating: " ", count: pair.1 - pair.0.count)
        return index == 0 ? pair.0 + blanks : blanks + pair.0
      }
      return "  " + padded.joined(separator: "  ") + "\n"
    }.joined()
  }
}
