// Writes the Prometheus text exposition format, version 0.0.4.
//
// Format: for each family `# HELP name text`, `# TYPE name kind`, then its samples as
// `name{label="value",…} number`, one a line; a family's lines stand together. In help text `\` and
// newline are escaped, in label values also `"`. No Swift package writes this format without taking
// over metrics as a whole, and the format is small.

/// A metric label. Names are our own constants; values may be any text.
public struct Label: Hashable, Sendable {
  public var name: String
  public var value: String

  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// An exposition under construction, in the order in which families are written.
public struct PrometheusText: Sendable {
  public enum Kind: String, Sendable {
    case counter, gauge, histogram
  }

  public private(set) var text = ""

  public init() {}

  /// Opens a family; its samples follow.
  public mutating func family(_ name: String, _ kind: Kind, _ help: String) {
    text += "# HELP \(name) "
    Self.escape(help, quotes: false, into: &text)
    text += "\n# TYPE \(name) \(kind.rawValue)\n"
  }

  /// Adds a sample; `value` is a number as Prometheus reads it.
  public mutating func sample(_ name: String, _ labels: [Label], _ value: String) {
    text += name
    if !labels.isEmpty {
      text += "{"
      for (index, label) in labels.enumerated() {
        if index > 0 { text += "," }
        text += label.name
        text += "=\""
        Self.escape(label.value, quotes: true, into: &text)
        text += "\""
      }
      text += "}"
    }
    text += " "
    text += value
    text += "\n"
  }

  /// A family of one sample without labels.
  public mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: String) {
    family(name, kind, help)
    sample(name, [], value)
  }

  /// `value` × 10^-decimals as decimal text, exact, without trailing zeros: (1250, 3) → "1.25".
  public static func fixedPoint(_ value: Int64, decimals: Int) -> String {
    var digits = String(value.magnitude)
    if decimals > 0 {
      if digits.utf8.count <= decimals {
        digits = String(repeating: "0", count: decimals + 1 - digits.utf8.count) + digits
      }
      var fraction = digits.suffix(decimals)
      let whole = digits.dropLast(decimals)
      while fraction.last == "0" { fraction.removeLast() }
      digits = fraction.isEmpty ? String(whole) : "\(whole).\(fraction)"
    }
    return value < 0 ? "-" + digits : digits
  }

  /// A floating-point number as Prometheus reads it.
  public static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    return "\(value)"
  }

  private static func escape(_ value: String, quotes: Bool, into text: inout String) {
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\"" where quotes: text += "\\\""
      default: text.unicodeScalars.append(scalar)
      }
    }
  }
}
