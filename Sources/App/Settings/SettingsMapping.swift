// The keys of one YAML mapping. A reader takes the keys that it knows; what is left over at the end
// is unknown, so that no key can be known in one place and forgotten in another.

import Yams

/// A mapping being read.
final class SettingsMapping {
  let node: SettingsNode
  private let mapping: Node.Mapping
  /// Values by key. The mapping's own look-up compares nodes one by one, tags and all.
  private let values: [String: Node]
  private var taken: Set<String> = []
  /// Keys that would have been taken had they been there, beyond those that were asked for.
  private var known: [String] = []

  init(mapping: Node.Mapping, at node: SettingsNode) {
    self.mapping = mapping
    self.node = node
    var values: [String: Node] = [:]
    for (key, value) in mapping {
      if case .scalar(let scalar) = key { values[scalar.string] = value }
    }
    self.values = values
  }

  /// The value of a key; nil where it is absent, or present without a value, which is a fault.
  func take(_ key: String) -> SettingsNode? {
    taken.insert(key)
    return values[key].flatMap { value(of: key, $0) }
  }

  /// The values of those keys that a table knows, in the file's order.
  func take<Meaning>(among table: [String: Meaning]) -> [(Meaning, SettingsNode)] {
    known.append(contentsOf: table.keys)
    return mapping.compactMap { key, value in
      guard case .scalar(let scalar) = key, let meaning = table[scalar.string] else { return nil }
      taken.insert(scalar.string)
      return self.value(of: scalar.string, value).map { (meaning, $0) }
    }
  }

  /// The values of those keys that begin so, in the file's order.
  func take(withPrefix prefix: String) -> [(String, SettingsNode)] {
    mapping.compactMap { key, value in
      guard case .scalar(let scalar) = key, scalar.string.hasPrefix(prefix) else { return nil }
      taken.insert(scalar.string)
      return self.value(of: scalar.string, value).map { (scalar.string, $0) }
    }
  }

  private func value(of key: String, _ value: Node) -> SettingsNode? {
    let child = SettingsNode(
      node: value, file: node.file, name: path(of: key), log: node.log)
    if case .scalar(let scalar) = value, isNothing(scalar) {
      child.fault("'\(child.name)' has no value", "give it one, or remove the line")
      return nil
    }
    return child
  }

  /// The value of a key that must be there.
  func need(_ key: String, _ advice: String) -> SettingsNode? {
    if let value = take(key) { return value }
    if values[key] == nil { node.fault("'\(path(of: key))' is missing", advice) }
    return nil
  }

  /// Takes a key and, where it is a mapping, reads it and faults what was not taken.
  func section(_ key: String, _ read: (SettingsMapping) -> Void) {
    guard let section = take(key)?.mapping() else { return }
    read(section)
    section.finish()
  }

  /// All entries, for mappings whose keys are names that the author chooses.
  func entries() -> [(name: String, key: SettingsNode, value: SettingsNode)] {
    mapping.compactMap { key, value in
      guard case .scalar(let scalar) = key, !scalar.string.isEmpty else {
        SettingsNode(node: key, file: node.file, name: node.name, log: node.log)
          .fault("a key is no name", "write a name before the colon, in quotes where it is odd")
        return nil
      }
      let name = scalar.string
      taken.insert(name)
      let path = path(of: name)
      return (
        name, SettingsNode(node: key, file: node.file, name: path, log: node.log),
        SettingsNode(node: value, file: node.file, name: path, log: node.log)
      )
    }
  }

  /// Whether the key stands in the file, with or without a value.
  func has(_ key: String) -> Bool { values[key] != nil }

  /// Faults every key that nobody took.
  func finish() {
    for (key, _) in mapping {
      guard case .scalar(let scalar) = key else {
        node.fault("a key here is not text", "write keys as words")
        continue
      }
      let name = scalar.string
      if taken.contains(name) { continue }
      let at = SettingsNode(node: key, file: node.file, name: name, log: node.log)
      at.fault(
        "unknown key '\(path(of: name))'",
        NearestName.advice(for: name, among: taken.union(known).sorted()))
    }
  }

  private func path(of key: String) -> String {
    node.name.isEmpty ? key : "\(node.name).\(key)"
  }

  private func isNothing(_ scalar: Node.Scalar) -> Bool {
    scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
  }
}
