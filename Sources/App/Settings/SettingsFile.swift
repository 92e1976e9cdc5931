// Opens one settings file and parses it, so that a broken one is a fault with its line.

import Foundation
import Yams

enum SettingsFile {
  /// Policy is written by hand; more than this is a mistake.
  private static let bytesMax = 4 << 20

  /// The file's root mapping; nil after a recorded fault, or where the file holds nothing.
  ///
  /// - Parameter shown: the path for messages.
  static func read(_ path: String, shown: String, log: FaultLog) -> SettingsMapping? {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      log.add(shown, 1, "cannot be read", "check that it is a file and that Leeway may read it")
      return nil
    }
    guard data.count <= bytesMax else {
      log.add(shown, 1, "is larger than 4 MiB", "split it, or check that it is the right file")
      return nil
    }
    guard let text = String(data: data, encoding: .utf8) else {
      log.add(shown, 1, "is not UTF-8 text", "save it as UTF-8")
      return nil
    }
    return parse(text, shown: shown, log: log)
  }

  /// As `read`, of a text that is at hand.
  static func parse(_ text: String, shown: String, log: FaultLog) -> SettingsMapping? {
    do {
      guard let root = try compose(yaml: text) else { return nil }
      if case .scalar(let scalar) = root, scalar.string.isEmpty { return nil }
      return SettingsNode(node: root, file: shown, name: "", log: log).mapping()
    } catch let error as YamlError {
      record(error, text: text, shown: shown, log: log)
    } catch {
      log.add(shown, 1, "is not YAML", "check its indentation and quotes")
    }
    return nil
  }

  private static func record(_ error: YamlError, text: String, shown: String, log: FaultLog) {
    switch error {
    case .scanner(let context, let problem, let mark, _),
      .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let before = context.map { "\($0.text) (line \($0.mark.line)): " } ?? ""
      log.add(
        shown, mark.line, "is not YAML: \(before)\(problem)",
        "check indentation, colons and quotes at column \(mark.column)")
    case .duplicatedKeysInMapping(let duplicates, let context):
      for key in duplicates {
        log.add(
          shown, secondLine(of: key, from: context.mark.line, in: text),
          "key '\(key)' stands twice", "keep one of the two")
      }
    case .reader(let problem, let offset, _, _):
      let line = text.prefix(offset ?? 0).filter(\.isNewline).count + 1
      log.add(shown, line, "is not YAML: \(problem)", "remove the odd character")
    default:
      log.add(shown, 1, "is not YAML", "check its indentation and quotes")
    }
  }

  /// The line of a key's second appearance. The parser names only the mapping that holds both.
  private static func secondLine(of key: String, from first: Int, in text: String) -> Int {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let forms = ["\(key):", "\"\(key)\":", "'\(key)':"]
    let found = lines.indices.dropFirst(first - 1).filter { index in
      let line = lines[index].drop { $0 == " " || $0 == "-" }
      return forms.contains { line.hasPrefix($0) }
    }
    return found.count > 1 ? found[1] + 1 : first
  }
}
