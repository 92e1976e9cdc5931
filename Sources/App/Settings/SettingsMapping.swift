// The keys of one YAML mapping. A reader takes the keys that it knows; what is left over at the end
// is unknown, so that no key can be known in one place and forgotten in another.

import Yams

/// A mapping being read.
final class SettingsMapping {
  let node: SettingsNode
  private let mapping: Node.Mapping
  private var taken: Set<String> = []

  init(mapping: Node.Mapping, at node: SettingsNode) {
    self.mapping = mapping
    self.node = node
  }

  /// The value of a key; nil where it is absent, or present without a value, which is a fault.
  func take(_ key: String) -> SettingsNode? {
    taken.insert(key)
    guard let value = mapping[Node(key)] else { return nil }
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
    if mapping[Node(key)] == nil { node.fault("'\(path(of: key))' is missing", advice) }
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
      guard let name = key.string, !name.isEmpty else { return nil }
      taken.insert(name)
      let path = path(of: name)
      return (
        name, SettingsNode(node: key, file: node.file, name: path, log: node.log),
        SettingsNode(node: value, file: node.file, name: path, log: node.log)
      )
    }
  }

  /// Whether the key stands in the file, with or without a value.
  func has(_ key: String) -> Bool { mapping[Node(key)] != nil }

  /// Faults every key that nobody took.
  func finish() {
    for (key, _) in mapping {
      guard let name = key.string else {
        node.fault("a key here is not text", "write keys as words")
        continue
      }
      if taken.contains(name) { continue }
      let at = SettingsNode(node: key, file: node.file, name: name, log: node.log)
      at.fault(
        "unknown key '\(path(of: name))'", NearestName.advice(for: name, among: Array(taken)))
    }
  }

  private func path(of key: String) -> String {
    node.name.isEmpty ? key : "\(node.name).\(key)"
  }

  private func isNothing(_ scalar: Node.Scalar) -> Bool {
    scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
  }
}
