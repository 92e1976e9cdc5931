// A report as Markdown, for a ticket or a review, and as a table for a terminal.

import Foundation
import Markup

/// Draws a report as text.
public enum ReportText {
  /// Markdown; every value of an app or an output is escaped.
  static func markdown(_ report: DriftReport) -> String {
    var lines = ["# \(escape(report.app)): drift" + (report.night.map { " on \($0)" } ?? ""), ""]
    lines += ["**\(escape(report.headline))**", ""]
    lines.append(
      escape(
        "Compared: \(ReportPage.periodText(report.period)) with "
          + "\(ReportPage.baselineText(report.baseline)). Owner: \(report.owner)."))
    lines += ["", "## What to do next", ""]
    lines += report.next.map { step in
      // Between backticks stands a command, made of names that need no escape.
      let parts = step.split(separator: "`", omittingEmptySubsequences: false)
      return "- "
        + parts.enumerated().map { index, part in
          index.isMultiple(of: 2) ? escape(String(part)) : "`\(part)`"
        }.joined()
    }
    for part in report.classifiers { lines += [""] + section(part, in: report) }
    if !report.numbers.isEmpty { lines += [""] + numbers(report.numbers) }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func section(_ part: ClassifierReport, in report: DriftReport) -> [String] {
    var lines = ["## \(escape(part.name)): \(Wording.verdict(part.verdict))", ""]
    lines += [escape(part.explanation), ""]
    if let evidence = part.evidence, !evidence.isEmpty {
      lines += [escape(ReportPage.evidenceText(evidence)), ""]
    }
    lines += [
      "| label | baseline | period | shift, points | interval | tolerated |",
      "|---|---:|---:|---:|---:|---:|",
    ]
    for shift in part.shifts {
      let counts = part.counts[shift.label]
      lines.append(
        "| \(escape(shift.label)) | \(side(counts?.baseline, shift.baselineShare)) "
          + "| \(side(counts?.period, shift.periodShare)) | \(Wording.points(shift.shift)) "
          + "| \(Wording.points(shift.low)) to \(Wording.points(shift.high)) "
          + "| ±\(Wording.size(shift.limit)) |")
    }
    for cause in part.causes {
      lines += [""] + cause.sentences.map { "- " + escape($0) }
    }
    guard part.baselineOutputs > 0, part.periodOutputs > 0 else { return lines }
    lines += ["", "| statistic | found | if nothing had changed |", "|---|---:|---:|"]
    for figure in Figure.all(part, in: report) {
      lines.append(
        "| \(escape(figure.name)) | \(escape(figure.found)) | \(escape(figure.expected)) |")
    }
    for example in part.examples {
      lines += ["", "Outputs labelled \(escape(Wording.label(example.label)))", ""]
      for (side, outputs) in [("baseline", example.baseline), ("period", example.period)] {
        for output in outputs {
          lines += ["*\(side)*", ""]
          lines += output.split(separator: "\n", omittingEmptySubsequences: false)
            .map { "> \(escape(String($0)))" }
          lines.append("")
        }
      }
    }
    return lines
  }

  private static func numbers(_ numbers: [NumberReport]) -> [String] {
    var lines = ["## Numbers, no part of the verdict", ""]
    lines += ["| percentile | baseline | period | change |", "|---|---:|---:|---:|"]
    lines += numbers.flatMap(\.rows).map {
      "| \($0.name) | \($0.baseline) | \($0.period) | \($0.change) |"
    }
    return lines + [""] + numbers.map { "- " + escape($0.sentence) }
  }

  private static func side(_ count: Int64?, _ share: Double) -> String {
    "\(Wording.count(count ?? 0)) (\(Wording.percent(share)))"
  }

  /// No value may become a heading, a link, a table's edge or HTML.
  static func escape(_ text: String) -> String {
    var escaped = ""
    for scalar in StrictHTML.escape(text).replacing("&#39;", with: "'").unicodeScalars {
      switch scalar {
      case "\\", "`", "*", "_", "[", "]", "|", "~": escaped += "\\"
      case "\n":
        escaped += " "
        continue
      case "#" where escaped.isEmpty: escaped += "\\"
      default: break
      }
      escaped.unicodeScalars.append(scalar)
    }
    return escaped
  }

  // MARK: - Terminal

  /// A table for a terminal of 80 columns or more.
  public static func table(_ report: DriftReport) -> String {
    var lines = [printable(report.headline), ""]
    for part in report.classifiers {
      let name = printable(part.name)
      lines.append("\(name): \(part.verdict). \(printable(part.explanation))")
      var rows = [["label", "baseline", "period", "shift", "interval", "tolerated"]]
      rows += part.shifts.map { shift in
        let counts = part.counts[shift.label]
        return [
          printable(shift.label), side(counts?.baseline, shift.baselineShare),
          side(counts?.period, shift.periodShare), Wording.points(shift.shift),
          "\(Wording.points(shift.low)) … \(Wording.points(shift.high))",
          "±" + Wording.size(shift.limit),
        ]
      }
      lines += aligned(rows).map { "  " + $0 }
      lines += part.causes.flatMap(\.sentences).map { "  " + printable($0) }
      lines.append(
        "  PSI \(Wording.number(part.psi)) (\(Wording.number(part.psiExpected)) by chance)"
          + " · JS \(Wording.number(part.jsDistance)) · TV \(Wording.number(part.totalVariation))"
          + " · χ² \(Wording.number(part.chiSquare)) df \(part.degreesOfFreedom)")
      lines.append(
        "  p \(Wording.probability(part.pValue)) (\(part.pMethod))"
          + " · asymptotic \(Wording.probability(part.pAsymptotic))"
          + " · corrected \(Wording.probability(part.pAdjusted))"
          + " · wobble \(part.wobbleFactor.map { Wording.number($0) } ?? "unknown")")
      lines.append("")
    }
    lines += report.numbers.map { "\($0.sentence)" }
    return lines.joined(separator: "\n")
  }

  /// First column to the left, the others to the right.
  private static func aligned(_ rows: [[String]]) -> [String] {
    let columns = rows.first?.count ?? 0
    let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      row.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + space : space + cell
      }.joined(separator: "  ")
    }
  }

  /// A label may hold what a terminal obeys.
  private static func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { scalar in
          switch scalar.properties.generalCategory {
          case .control, .format, .privateUse, .surrogate, .unassigned: "\u{FFFD}"
          default: scalar
          }
        }))
  }
}

extension DriftReport {
  /// The report as JSON: keys in snake case and sorted, numbers as they are.
  public func json() throws(AnalyzerFault) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    do { return try encoder.encode(self) + Data("\n".utf8) } catch {
      throw AnalyzerFault(
        .report, "The report of \(app) cannot be written as JSON",
        hint: "This is a fault of the program.", cause: error)
    }
  }
}
