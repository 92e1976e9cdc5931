// Which column of a file holds what of a sample: the `--map KEY=COLUMN` of `samples import`.

/// The columns of an import, by what they hold.
struct SampleMapping: Hashable, Sendable {
  /// What a column can hold.
  enum Key: Hashable, Sendable {
    case output, input, model, time, reference
    case label(String)
    case tag(String)

    init?(_ text: String) {
      switch text {
      case "output": self = .output
      case "input": self = .input
      case "model": self = .model
      case "time": self = .time
      case "reference": self = .reference
      default:
        if let name = Self.name(in: text, after: "label.") {
          self = .label(name)
        } else if let name = Self.name(in: text, after: "tag.") {
          self = .tag(name)
        } else {
          return nil
        }
      }
    }

    private static func name(in text: String, after prefix: String) -> String? {
      guard text.hasPrefix(prefix), text.utf8.count > prefix.utf8.count else { return nil }
      return String(text.dropFirst(prefix.count))
    }

    static let names = ["output", "input", "model", "time", "reference", "label.NAME", "tag.NAME"]
  }

  struct Entry: Hashable, Sendable {
    var key: Key
    var column: String
  }

  /// In the order given; `output` is among them.
  let entries: [Entry]

  /// Reads texts such as `output=answer`; the column is all that follows the first `=`.
  /// - Throws: an `ImportFault` of code `mapping` for an unknown or repeated key, a text without a
  ///   column, and where `output` is missing.
  init(parsing texts: [String]) throws(ImportFault) {
    var entries: [Entry] = []
    for text in texts {
      guard let equals = text.firstIndex(of: "="), text.index(after: equals) < text.endIndex else {
        throw ImportFault(
          .mapping, "--map '\(text)' names no column",
          hint: "Write --map KEY=COLUMN, such as --map output=answer.")
      }
      let name = String(text[..<equals])
      guard let key = Key(name) else {
        throw ImportFault(
          .mapping, "--map knows no key '\(name)'",
          hint: Self.advice(for: name))
      }
      guard !entries.contains(where: { $0.key == key }) else {
        throw ImportFault(
          .mapping, "--map gives '\(name)' twice", hint: "Give every key at most one column.")
      }
      entries.append(Entry(key: key, column: String(text[text.index(after: equals)...])))
    }
    guard entries.contains(where: { $0.key == .output }) else {
      throw ImportFault(
        .mapping, "no column is mapped to 'output'",
        hint: "Add --map output=COLUMN: without the model's answer there is nothing to label.")
    }
    self.entries = entries
  }

  private static func advice(for name: String) -> String {
    let known = "Keys are " + Key.names.joined(separator: ", ")
    guard let nearest = NearestName.of(name, among: Key.names) else { return known + "." }
    return "\(known); did you mean '\(nearest)'?"
  }
}
