// The picture of a shift: for each label its share before and after, and beside it how far it
// moved, with the interval and what the app tolerates. Drawn as text, so that a report is one file.

import Markup

/// An inline SVG of one classifier's shifts.
struct ShiftChart {
  private let shifts: [ClassifierReport.Shift]
  private let confidence: Double
  private let scale: Double

  /// Labels drawn; the rest stand in the table.
  static let labelsMax = 10

  private static let width = 480.0
  private static let rowHeight = 58.0
  private static let top = 62.0
  private static let barWidth = 216.0
  private static let axisLeft = 260.0
  private static let axisWidth = 204.0

  /// - Parameter shifts: largest first; not empty.
  init(_ shifts: [ClassifierReport.Shift], confidence: Double) {
    self.shifts = Array(shifts.prefix(Self.labelsMax))
    self.confidence = confidence
    let reach = self.shifts.map { max(abs($0.low), abs($0.high), $0.limit) }.max() ?? 1
    let steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0]
    scale = steps.first { $0 >= reach } ?? 1
  }

  var svg: String {
    let height = Self.top + Double(shifts.count) * Self.rowHeight + 24
    var lines = [
      "<svg viewBox=\"0 0 \(Self.coordinate(Self.width)) \(Self.coordinate(height))\" "
        + "role=\"img\" aria-label=\"\(StrictHTML.escape(description))\">"
    ]
    lines += legend
    for (index, shift) in shifts.enumerated() {
      lines += row(shift, y: Self.top + Double(index) * Self.rowHeight)
    }
    lines += axis(y: Self.top + Double(shifts.count) * Self.rowHeight + 4)
    lines.append("</svg>")
    return lines.joined(separator: "\n")
  }

  /// The picture in words, for those who do not see it.
  private var description: String {
    "Share of outputs by label, baseline and period: "
      + shifts.map { shift in
        "\(Wording.label(shift.label)) \(Wording.percent(shift.baselineShare)) to "
          + "\(Wording.percent(shift.periodShare))"
      }.joined(separator: "; ")
  }

  private var legend: [String] {
    let left = Self.axisLeft
    let interval = Wording.percent(confidence).replacing(".0\u{A0}%", with: "\u{A0}%")
    return [
      text("Share of outputs", x: 0, y: 14, kind: "bold"),
      rectangle(x: 0, y: 24, width: 12, height: 9, fill: "before"),
      text("baseline", x: 17, y: 33, kind: "faint"),
      rectangle(x: 80, y: 24, width: 12, height: 9, fill: "after"),
      text("period", x: 97, y: 33, kind: "faint"),
      text("Shift, in points", x: left, y: 14, kind: "bold"),
      circle(x: left + 6, y: 28),
      text("with \(interval) interval", x: left + 17, y: 33, kind: "faint"),
      rectangle(x: left + 138, y: 24, width: 12, height: 9, fill: "band"),
      text("tolerated", x: left + 154, y: 33, kind: "faint"),
    ]
  }

  private func row(_ shift: ClassifierReport.Shift, y: Double) -> [String] {
    let name = Wording.label(shift.label)
    let short = name.count <= 24 ? name : name.prefix(23) + "…"
    let shares =
      "\(Wording.percent(shift.baselineShare)) → \(Wording.percent(shift.periodShare))"
    let zero = Self.axisLeft + Self.axisWidth / 2
    let middle = y + 30
    let tone = shift.isBeyondLimit ? "bad" : "ink"
    let band = shift.limit / scale * Self.axisWidth / 2
    return [
      line(x1: 0, y1: y - 8, x2: Self.width, y2: y - 8, stroke: "line", width: 1),
      text(String(short), x: 0, y: y + 10, kind: "bold"),
      text(shares, x: Self.barWidth + 14, y: y + 10, kind: "", anchor: "end"),
      bar(shift.baselineShare, y: y + 19, fill: "before"),
      bar(shift.periodShare, y: y + 31, fill: "after"),
      rectangle(
        x: zero - band, y: y + 19, width: 2 * band, height: 22, fill: "band"),
      line(x1: zero, y1: y + 16, x2: zero, y2: y + 44, stroke: "soft", width: 1),
      line(
        x1: place(shift.low), y1: middle, x2: place(shift.high), y2: middle, stroke: tone,
        width: 2),
      line(
        x1: place(shift.low), y1: middle - 5, x2: place(shift.low), y2: middle + 5, stroke: tone,
        width: 2),
      line(
        x1: place(shift.high), y1: middle - 5, x2: place(shift.high), y2: middle + 5,
        stroke: tone, width: 2),
      circle(x: place(shift.shift), y: middle, fill: tone),
      text(
        Wording.points(shift.shift), x: Self.axisLeft + Self.axisWidth, y: y + 10, kind: "bold",
        anchor: "end"),
    ]
  }

  private func axis(y: Double) -> [String] {
    let ends = Wording.size(scale).replacing(".0", with: "")
    return [
      text("−\(ends)", x: Self.axisLeft, y: y + 12, kind: "faint"),
      text("0", x: Self.axisLeft + Self.axisWidth / 2, y: y + 12, kind: "faint", anchor: "middle"),
      text("+\(ends)", x: Self.axisLeft + Self.axisWidth, y: y + 12, kind: "faint", anchor: "end"),
      text("0 %", x: 0, y: y + 12, kind: "faint"),
      text("100 %", x: Self.barWidth + 14, y: y + 12, kind: "faint", anchor: "end"),
    ]
  }

  private func place(_ shift: Double) -> Double {
    let half = Self.axisWidth / 2
    return Self.axisLeft + half + min(max(shift / scale, -1), 1) * half
  }

  private func bar(_ share: Double, y: Double, fill: String) -> String {
    let width = max(share * (Self.barWidth + 14), share > 0 ? 1.5 : 0)
    return rectangle(x: 0, y: y, width: width, height: 10, fill: fill)
  }

  private func rectangle(
    x: Double, y: Double, width: Double, height: Double, fill: String
  ) -> String {
    "<rect x=\"\(Self.coordinate(x))\" y=\"\(Self.coordinate(y))\" "
      + "width=\"\(Self.coordinate(width))\" height=\"\(Self.coordinate(height))\" "
      + "style=\"fill:var(--\(fill))\"/>"
  }

  private func circle(x: Double, y: Double, fill: String = "ink") -> String {
    "<circle cx=\"\(Self.coordinate(x))\" cy=\"\(Self.coordinate(y))\" r=\"4.5\" "
      + "style=\"fill:var(--\(fill))\"/>"
  }

  private func line(
    x1: Double, y1: Double, x2: Double, y2: Double, stroke: String, width: Double
  ) -> String {
    "<line x1=\"\(Self.coordinate(x1))\" y1=\"\(Self.coordinate(y1))\" "
      + "x2=\"\(Self.coordinate(x2))\" y2=\"\(Self.coordinate(y2))\" "
      + "style=\"stroke:var(--\(stroke));stroke-width:\(Self.coordinate(width))\"/>"
  }

  private func text(
    _ content: String, x: Double, y: Double, kind: String, anchor: String = "start"
  ) -> String {
    "<text x=\"\(Self.coordinate(x))\" y=\"\(Self.coordinate(y))\" class=\"\(kind)\" "
      + "text-anchor=\"\(anchor)\">\(StrictHTML.escape(content))</text>"
  }

  /// Tenths of a unit: finer than a screen, and the same text everywhere.
  private static func coordinate(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths.isMultiple(of: 10) ? "\(tenths / 10)" : "\(Double(tenths) / 10)"
  }
}
