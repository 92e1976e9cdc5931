// docs/GUARANTEES.md names tests: a guarantee whose test has gone is a claim.

import Foundation
import Testing

@Suite struct GuaranteeTests {
  /// `SUITE.TEST` of every row of the first table.
  private static func rows(_ text: String) -> [(number: String, tests: [String])] {
    text.split(separator: "\n").compactMap { line in
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count == 3, Int(cells[0]) != nil else { return nil }
      let parts = cells[2].split(separator: "`", omittingEmptySubsequences: false)
      return (cells[0], stride(from: 1, to: parts.count, by: 2).map { String(parts[$0]) })
    }
  }

  /// Suites share names between modules; one of them must have the test.
  private static func isThere(_ name: String) -> Bool {
    let parts = name.split(separator: ".")
    guard parts.count == 2 else { return false }
    return Tree.swift.contains { path, text in
      guard path.hasPrefix("Tests/"), text.contains("struct \(parts[0]) ") else { return false }
      // Its attribute stands before it, at most some lines of arguments away.
      guard let function = text.range(of: "func \(parts[1])(") else { return false }
      let before = text[..<function.lowerBound]
      guard let attribute = before.range(of: "@Test", options: .backwards) else { return false }
      return !before[attribute.upperBound...].contains("func ")
    }
  }

  @Test func everyTestThatIsNamedExists() throws {
    let rows = Self.rows(try Tree.text(of: "docs/GUARANTEES.md"))
    #expect(rows.map(\.number) == (1...max(rows.count, 1)).map(String.init))
    #expect(rows.count >= 20)
    for (number, tests) in rows {
      #expect(!tests.isEmpty, "guarantee \(number) names no test")
      for test in tests {
        #expect(Self.isThere(test), "guarantee \(number) names \(test), which does not exist")
      }
    }
  }

  @Test func aTestThatDoesNotExistWouldBeNoticed() {
    #expect(Self.isThere("GuaranteeTests.everyTestThatIsNamedExists"))
    #expect(!Self.isThere("GuaranteeTests.noSuchTest"))
    #expect(!Self.isThere("NoSuchTests.everyTestThatIsNamedExists"))
    #expect(!Self.isThere("everyTestThatIsNamedExists"))
    #expect(
      Self.rows("| 1 | a | `A.b`, `C.d` |\n|---|---|---|\n| # | x | y |").first?.tests.count == 2)
  }

  /// What is said of others has its public source beside it.
  @Test func everyWordOfOthersHasItsSource() throws {
    let text = try Tree.text(of: "docs/GUARANTEES.md")
    let table = try #require(text.components(separatedBy: "## In their place elsewhere").last)
    var cells = 0
    for line in table.split(separator: "\n") where line.hasPrefix("| ") && !line.hasPrefix("| #") {
      let row = line.split(separator: "|", omittingEmptySubsequences: false).dropFirst(2).dropLast()
      #expect(row.count == 5, "\(line.prefix(60))")
      for cell in row where cell.contains(where: { !$0.isWhitespace }) {
        #expect(cell.contains("](https://"), "no source: \(cell)")
        cells += 1
      }
    }
    #expect(cells > 20)
  }
}
