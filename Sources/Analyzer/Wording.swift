// Numbers as people read them. No locale: the same report has the same bytes everywhere.

import Foundation

enum Wording {
  /// "36.1 %"; "0.04 %" below 0.1 %.
  static func percent(_ share: Double) -> String {
    let value = share * 100
    let digits = abs(value) < 0.1 && value != 0 ? 2 : 1
    // A space that does not break: a sign on the next line is misread.
    return String(format: "%.\(digits)f\u{A0}%%", value)
  }

  /// "+62.6": percentage points with their sign.
  static func points(_ shift: Double) -> String {
    let value = shift * 100
    let digits = abs(value) < 0.1 && value != 0 ? 2 : 1
    let text = String(format: "%+.\(digits)f", value)
    return text.hasPrefix("-") ? "−" + text.dropFirst() : text
  }

  /// "62.6": percentage points without a sign.
  static func size(_ shift: Double) -> String { String(points(abs(shift)).dropFirst()) }

  static func number(_ value: Double) -> String {
    if value == 0 { return "0" }
    switch abs(value) {
    case 1000...: return String(format: "%.0f", value)
    case 10...: return trimmed(String(format: "%.1f", value))
    case 0.001...: return trimmed(String(format: "%.3f", value))
    default: return String(format: "%.1e", value)
    }
  }

  private static func trimmed(_ text: String) -> String {
    var text = text
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text
  }

  /// "0.048", "2.3 × 10⁻¹⁹⁴".
  static func probability(_ value: Double) -> String {
    if value >= 0.001 { return String(format: "%.3f", value) }
    if value <= 0 { return "below 10⁻³⁰⁷" }
    var exponent = Int(log10(value).rounded(.down))
    // In two steps: 10 to the power of 320 is not a number that there is.
    let half = -exponent / 2
    var mantissa = value * pow(10, Double(half)) * pow(10, Double(-exponent - half))
    if mantissa >= 9.95 {
      mantissa /= 10
      exponent += 1
    }
    let digits: [Character] = ["⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"]
    let raised = String(exponent).map { character -> Character in
      character.wholeNumberValue.map { digits[$0] } ?? "⁻"
    }
    return String(format: "%.1f", mantissa) + " × 10" + String(raised)
  }

  /// "1,000".
  static func count(_ value: Int64) -> String {
    let digits = String(value.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
      text.append(digit)
    }
    return value < 0 ? "−" + text : text
  }

  /// "1 output", "1,000 outputs".
  static func count(_ value: Int64, _ noun: String) -> String {
    "\(count(value)) \(noun)\(value == 1 ? "" : "s")"
  }

  /// A label as a sentence names it; what the reserved ones mean is said.
  static func label(_ label: String) -> String {
    switch label {
    case "__missing__": "nothing found"
    case "__invalid__": "not readable"
    case "__error__": "no output"
    case "__rare__": "rare labels together"
    case "__other__": "rare and new labels together"
    default: "“\(label)”"
    }
  }

  static func verdict(_ verdict: String) -> String {
    switch verdict {
    case "ok": "No drift"
    case "watch": "Watch"
    case "drifted": "Drifted"
    case "no-power": "Too few outputs"
    case "unreadable": "Unreadable"
    case "instrument-changed": "Classifier changed"
    default: verdict
    }
  }
}
