// Why a price table was not taken: what, in which lines, and what to do. A table is taken whole or
// not at all, since half an update is a book that nobody published.

/// A price table, or an update of the books, that is refused.
struct PriceFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// A faulty line of the table.
  struct Line: Hashable, Sendable {
    var number: Int
    var message: String
  }

  /// More lines than this are counted and not told.
  static let linesMax = 20

  var message: String
  var hint: String
  var lines: [Line] = []
  /// Faulty lines in all.
  var lineCount = 0

  init(_ message: String, hint: String) {
    self.message = message
    self.hint = hint
  }

  init(lines: [Line], of file: String) {
    let count = lines.count == 1 ? "1 line" : "\(lines.count) lines"
    self.init(
      "\(count) of \(file) cannot be read; nothing was changed",
      hint: "Take a table whose fields this version of Leeway knows, or correct the lines.")
    self.lines = Array(lines.prefix(Self.linesMax))
    lineCount = lines.count
  }

  var description: String {
    var text = [message]
    text += lines.map { "  line \($0.number): \($0.message)" }
    if lineCount > lines.count { text.append("  … and \(lineCount - lines.count) more") }
    text.append(hint)
    return text.joined(separator: "\n")
  }
}
