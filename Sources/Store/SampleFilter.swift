// Which samples: the `--where` of the command line and of a pinned baseline.
//
// Every value is bound, names of tags too: a filter comes from people and files, and none of it
// ever becomes SQL.

internal import GRDB

/// Conditions that all hold. Parsed from `model=…`, `origin=…`, `status=…`, `tag.NAME=…`.
public struct SampleFilter: Hashable, Sendable, CustomStringConvertible {
  public enum Term: Hashable, Sendable {
    /// The model's name, with or without a vendor before it: `gpt-4o` is also `openai/gpt-4o`.
    case model(String)
    case origin(String)
    case status(Int)
    case tag(name: String, value: String)
  }

  public var terms: [Term]

  public init(terms: [Term]) { self.terms = terms }

  /// No condition.
  public static let all = SampleFilter(terms: [])

  /// Reads one term per text. The value is all that follows the first `=` after the name; a tag's
  /// name may hold anything but `=`.
  ///
  /// - Throws: `invalid`, with what may stand there.
  public init(parsing texts: [String]) throws(StoreFault) {
    var terms: [Term] = []
    for text in texts {
      guard let term = Term(parsing: text) else {
        throw StoreFault(
          .invalid, "'\(text)' is not a filter of samples",
          hint: "Write model=NAME, origin=gateway, origin=import, status=NUMBER or tag.NAME=VALUE.")
      }
      terms.append(term)
    }
    self.terms = terms
  }

  /// As it would be parsed again, in the order given, with spaces between.
  public var description: String { terms.map(\.description).joined(separator: " ") }
}

extension SampleFilter.Term: CustomStringConvertible {
  init?(parsing text: String) {
    guard let equals = text.firstIndex(of: "=") else { return nil }
    let name = text[..<equals]
    let value = String(text[text.index(after: equals)...])
    switch name {
    case "model": self = .model(value)
    case "origin":
      guard value == "gateway" || value == "import" else { return nil }
      self = .origin(value)
    case "status":
      guard let number = Int(value), (0...999).contains(number) else { return nil }
      self = .status(number)
    default:
      guard name.hasPrefix("tag."), name.count > "tag.".count else { return nil }
      self = .tag(name: String(name.dropFirst("tag.".count)), value: value)
    }
  }

  public var description: String {
    switch self {
    case .model(let value): "model=\(value)"
    case .origin(let value): "origin=\(value)"
    case .status(let value): "status=\(value)"
    case .tag(let name, let value): "tag.\(name)=\(value)"
    }
  }

  /// A condition over a row of `samples`.
  var sql: String {
    switch self {
    case .model: "(model = ? OR substr(model, -length(?) - 1) = '/' || ?)"
    case .origin: "origin = ?"
    case .status: "status = ?"
    case .tag:
      // Not a JSON path: a name would have to be quoted into one.
      """
      EXISTS (SELECT 1 FROM json_each(samples.tags) AS tag WHERE tag.key = ? AND tag.value = ?)
      """
    }
  }

  var arguments: StatementArguments {
    switch self {
    case .model(let value): [value, value, value]
    case .origin(let value): [value]
    case .status(let value): [value]
    case .tag(let name, let value): [name, value]
    }
  }
}
