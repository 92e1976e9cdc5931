// The picture of a continuous alarm: its evidence hour by hour against the threshold.

import Markup
import Metering

/// An inline SVG of the evidence of one classifier's alarm.
struct EvidenceChart {
  private let points: [ClassifierReport.Evidence]
  private let top: Double

  private static let width = 480.0
  private static let height = 120.0
  private static let floor = 96.0
  private static let ceiling = 12.0

  /// - Parameter points: by hour; not empty.
  init(_ points: [ClassifierReport.Evidence]) {
    self.points = points
    // The threshold stands at half the height or above, so that evidence far beyond it fits too.
    let threshold = points.map(\.threshold).max() ?? 1
    top = max(min(points.map(\.evidence).max() ?? 0, 2 * threshold), 1.2 * threshold, 1)
  }

  var svg: String {
    let last = points.last?.threshold ?? 0
    return [
      "<svg viewBox=\"0 0 480 120\" role=\"img\" aria-label=\"\(StrictHTML.escape(description))\">",
      line(points.map { ($0, $0.threshold) }, "stroke:var(--bad);stroke-dasharray:4 3"),
      line(points.map { ($0, $0.evidence) }, "stroke:var(--after);stroke-width:2"),
      "<line x1=\"0\" y1=\"96\" x2=\"480\" y2=\"96\" style=\"stroke:var(--line)\"/>",
      "<text x=\"480\" y=\"\(Self.tenths(y(last) - 4))\" class=\"faint\" text-anchor=\"end\">"
        + "alarm at \(Wording.number(last))</text>",
      "<text x=\"0\" y=\"114\" class=\"faint\">\(StrictHTML.escape(edge(points.first)))</text>",
      "<text x=\"480\" y=\"114\" class=\"faint\" text-anchor=\"end\">"
        + "\(StrictHTML.escape(edge(points.last)))</text>",
      "</svg>",
    ].joined(separator: "\n")
  }

  /// The picture in words, for those who do not see it.
  private var description: String {
    let most = points.max { $0.evidence - $0.threshold < $1.evidence - $1.threshold }
    return "Evidence by hour, at most \(Wording.number(most?.evidence ?? 0)); the alarm is at "
      + "\(Wording.number(most?.threshold ?? 0))."
  }

  private func line(
    _ values: [(point: ClassifierReport.Evidence, value: Double)], _ style: String
  ) -> String {
    var places = values.map { "\(Self.tenths(x($0.point))),\(Self.tenths(y($0.value)))" }
    // One hour alone is drawn as a stroke.
    if values.count == 1, let only = values.first {
      places.append("\(Self.tenths(Self.width)),\(Self.tenths(y(only.value)))")
    }
    return "<polyline points=\"\(places.joined(separator: " "))\" style=\"fill:none;\(style)\"/>"
  }

  private func x(_ point: ClassifierReport.Evidence) -> Double {
    guard let first = points.first?.at, let last = points.last?.at, last > first else { return 0 }
    let span = Double(last.milliseconds - first.milliseconds)
    return Self.width * Double(point.at.milliseconds - first.milliseconds) / span
  }

  private func y(_ value: Double) -> Double {
    let share = min(max(value / top, 0), 1)
    return Self.floor - share * (Self.floor - Self.ceiling)
  }

  private func edge(_ point: ClassifierReport.Evidence?) -> String {
    point.map { $0.at.minuteText } ?? ""
  }

  private static func tenths(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
}
