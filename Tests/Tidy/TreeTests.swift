// The style is a test: lengths, imports, banned calls, files that nobody may leave behind.
//
// A rule that only a reviewer remembers is broken within a month.

import Foundation
import Testing

/// The checkout that this test was compiled from.
enum Tree {
  static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// All text files below a folder of the checkout, with their paths relative to the root.
  static func files(below folders: [String], suffixes: [String]) -> [(path: String, text: String)] {
    var found: [(String, String)] = []
    for folder in folders {
      let start = root.appending(path: folder)
      let walker = FileManager.default.enumerator(atPath: start.path)
      while let name = walker?.nextObject() as? String {
        guard suffixes.contains(where: { name.hasSuffix($0) }) else { continue }
        let url = start.appending(path: name)
        guard let text = try? String(contentsOf: url, encoding: .utf8) else { continue }
        found.append((folder + "/" + name, text))
      }
    }
    return found.sorted { $0.0 < $1.0 }
  }

  static var swift: [(path: String, text: String)] {
    files(below: ["Sources", "Tests"], suffixes: [".swift"])
  }

  static func text(of path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }
}

@Suite struct TreeTests {
  @Test func filesAndLinesKeepTheirLengths() {
    #expect(Tree.swift.count > 50, "the tree was not found")
    for (path, text) in Tree.swift {
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.count <= 401, "\(path) has \(lines.count) lines; 400 is the most")
      for (index, line) in lines.enumerated() where line.count > 100 {
        Issue.record("\(path):\(index + 1) is longer than 100 columns")
      }
      for (index, line) in lines.enumerated() where line.contains("\t") {
        Issue.record("\(path):\(index + 1) has a tab; indent by two spaces")
      }
    }
  }

  @Test func functionsKeepTheirLength() {
    for (path, text) in Tree.swift {
      for function in longFunctions(in: text, above: 70) {
        Issue.record("\(path):\(function.line): \(function.name) has \(function.length) lines")
      }
    }
  }

  @Test func everyFileSaysWhatItIs() {
    for (path, text) in Tree.swift {
      #expect(text.hasPrefix("//"), "\(path) must open with what it is and why")
      #expect(!path.hasSuffix("Placeholder.swift"), "\(path) holds nothing")
    }
  }

  @Test(arguments: [
    ("fatalError(", "a crash is not an answer: return a fault"),
    ("try!", "handle the error"),
    ("TODO", "do it, or say it in the changelog"),
    ("FIXME", "fix it"),
    ("print(", "write through Console (commands) or the logger"),
  ])
  func sourcesAvoid(call: String, because reason: String) {
    for (path, text) in Tree.swift where path.hasPrefix("Sources/") {
      if call == "print(", path.hasPrefix("Sources/App/Commands/") { continue }
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      for (index, line) in lines.enumerated() where containsCall(line, call) {
        // An exception says so to the formatter, and its comment says why.
        if index > 0, lines[index - 1].contains("swift-format-ignore:") { continue }
        Issue.record("\(path):\(index + 1) uses \(call): \(reason)")
      }
    }
  }

  @Test func coreReadsNoClockAndThrowsNoDice() {
    let core = ["Metering", "Providers", "Contracts", "Drift", "Alerting", "Wire", "Tokens"]
    let banned = [
      "Date()", "Date.now", "ContinuousClock", "SystemRandomNumberGenerator", ".random(in",
    ]
    for (path, text) in Tree.swift where core.contains(where: { path.hasPrefix("Sources/\($0)/") })
    {
      for call in banned where text.contains(call) {
        Issue.record("\(path) uses \(call); the core is handed time and seeds")
      }
    }
  }

  @Test func noPathOfAnyMachineStands() {
    let places = ["work/", "opt/swift", "root/", "home/"].map { "/" + $0 }
    let files =
      Tree.swift.filter { !$0.path.hasPrefix("Tests/Tidy/") }
      + Tree.files(
        below: ["scripts", "docs", "thresholds", ".ci"], suffixes: ["", ".md", ".yaml", ".json"])
    for (path, text) in files {
      for place in places where text.contains(place) {
        Issue.record("\(path) names \(place), a path of some machine")
      }
    }
  }

  private func containsCall(_ line: Substring, _ call: String) -> Bool {
    let code =
      line.split(separator: "//", maxSplits: 1, omittingEmptySubsequences: false).first ?? line
    guard call != "TODO", call != "FIXME" else { return line.contains(call) }
    guard let range = code.range(of: call) else { return false }
    guard range.lowerBound > code.startIndex else { return true }
    let before = code[code.index(before: range.lowerBound)]
    return !before.isLetter && !before.isNumber && before != "."
  }

  /// Functions by their indentation: from `func`/`init` to the closing brace in the same column.
  private func longFunctions(
    in text: String, above limit: Int
  ) -> [(name: String, line: Int, length: Int)] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    var found: [(String, Int, Int)] = []
    for (index, line) in lines.enumerated() {
      let code = line.drop { $0 == " " }
      let isStart =
        code.range(
          of: #"^([a-z@()_]+ )*(func [^ (<]+|init[?(<])"#, options: .regularExpression) != nil
      guard isStart else { continue }
      let indent = String(repeating: " ", count: line.count - code.count)
      guard let end = lines[index...].firstIndex(where: { $0 == indent + "}" }) else { continue }
      let length = end - index + 1
      if length > limit { found.append((String(code.prefix(40)), index + 1, length)) }
    }
    return found
  }
}
