// Prometheus' own checker, and a strict little reader of what it checks.

import Foundation
import TestSupport

/// `promtool check metrics`, where it is installed.
enum Promtool {
  static let path = Command.find("promtool")

  static let skipReason = "promtool is not on PATH; install Debian's prometheus to run this test"

  /// What promtool complains of; empty: nothing, and it exited with 0.
  static func complaints(about text: String) throws -> String {
    guard let path else { return skipReason }
    let ending = try Command.run(path, ["check", "metrics"], input: text)
    return ending.status == 0 ? ending.said : "exit \(ending.status): \(ending.said)"
  }
}

/// The samples of an exposition by name and labels as written.
struct Scrape {
  var values: [String: String] = [:]
  var duplicates: [String] = []

  init(_ text: String) {
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      guard let space = line.lastIndex(of: " ") else { continue }
      let name = String(line[..<space])
      if values[name] != nil { duplicates.append(name) }
      values[name] = String(line[line.index(after: space)...])
    }
  }

  subscript(name: String) -> String? { values[name] }
}
