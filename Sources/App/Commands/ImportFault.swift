// Why a file of samples was not imported: what, in which line, and what to do.
//
// All faulty rows are told at once, up to a bound: whoever cleans a log wants the list, not the
// first of many.

/// A file of samples that cannot be imported, or the mapping given for it.
struct ImportFault: Error, Hashable, Sendable, CustomStringConvertible {
  enum Code: String, Hashable, Sendable {
    /// `--map` is wrong.
    case mapping
    /// The file cannot be opened or read.
    case unreadable
    /// The file is neither JSON Lines nor CSV, or is broken in a way that hides its rows.
    case format
    /// Single rows are faulty.
    case rows
    /// The store refused.
    case store
  }

  /// A faulty row.
  struct Row: Hashable, Sendable {
    /// The line of the file in which the row starts, from 1.
    var line: Int
    var message: String
  }

  /// More rows than this are counted and not told.
  static let rowsMax = 20

  var code: Code
  var message: String
  var hint: String
  var rows: [Row] = []
  /// Faulty rows in all.
  var rowCount = 0
  /// Samples that were stored before the fault; 0 unless the store failed half-way.
  var storedCount = 0
  var isRetryable = false
  var cause: String = ""

  init(
    _ code: Code, _ message: String, hint: String, isRetryable: Bool = false, cause: String = ""
  ) {
    self.code = code
    self.message = message
    self.hint = hint
    self.isRetryable = isRetryable
    self.cause = cause
  }

  /// Faulty rows of a file.
  init(rows: [Row], of rowCount: Int, file: String) {
    self.init(
      .rows, "\(rowCount) faulty row(s) in \(file); nothing was imported",
      hint: "Correct or remove the rows, or change --map, and import again.")
    self.rows = Array(rows.prefix(Self.rowsMax))
    self.rowCount = rowCount
  }

  var description: String {
    var lines = [message + (cause.isEmpty ? "" : " (\(cause))")]
    lines += rows.map { "  line \($0.line): \($0.message)" }
    if rowCount > rows.count { lines.append("  … and \(rowCount - rows.count) more") }
    lines.append(hint)
    return lines.joined(separator: "\n")
  }
}
