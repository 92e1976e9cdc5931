// An alert as JSON, for webhooks. Written by hand, because the core imports nothing and the shape
// is small; the keys are a contract with whoever receives them.

/// One particular of an alert.
public struct AlertField: Hashable, Sendable {
  public enum Value: Hashable, Sendable {
    case text(String)
    case number(Int64)
    case flag(Bool)
    /// Objects, each a list of fields.
    case list([[AlertField]])
  }

  public var name: String
  public var value: Value

  public init(_ name: String, _ value: Value) {
    self.name = name
    self.value = value
  }
}

extension Alert {
  /// `{"key":…,"app":…,"kind":…,"severity":…,"title":…,"body":…,"text":…,"link":…,
  /// "atMilliseconds":…,"details":{…}}`. `text` is the title and the body, which is what chat
  /// receivers show; `link` is absent where there is none.
  public var payloadJSON: String {
    var all: [AlertField] = [
      AlertField("key", .text(key.text)), AlertField("app", .text(app)),
      AlertField("kind", .text(kind.rawValue)), AlertField("severity", .text(severity.rawValue)),
      AlertField("title", .text(title)), AlertField("body", .text(body)),
      AlertField("text", .text(title + "\n" + body)),
    ]
    if let link { all.append(AlertField("link", .text(link))) }
    all.append(AlertField("atMilliseconds", .number(atMilliseconds)))
    var text = JSONText.object(all)
    text.removeLast()
    return text + ",\"details\":" + JSONText.object(fields) + "}"
  }
}

private enum JSONText {
  static func object(_ fields: [AlertField]) -> String {
    "{" + fields.map { string($0.name) + ":" + value($0.value) }.joined(separator: ",") + "}"
  }

  static func value(_ value: AlertField.Value) -> String {
    switch value {
    case .text(let text): string(text)
    case .number(let number): String(number)
    case .flag(let flag): flag ? "true" : "false"
    case .list(let objects): "[" + objects.map(object).joined(separator: ",") + "]"
    }
  }

  /// A JSON string (RFC 8259): quotes, backslashes and control characters escaped.
  static func string(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}
