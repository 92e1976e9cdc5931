// Why a provider's export was not compared: what is wrong, where, and what to do. An export is read
// whole or not at all, since a part of one would say that calls are missing.

/// An export that is refused.
struct ReconcileFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// Where in the files something stands: `usage.json, line 12, /data/0/results/3/amount`.
  struct Place: Hashable, Sendable, CustomStringConvertible {
    var file: String
    /// From 1; nil where the fault is of the file as a whole.
    var line: Int?
    /// A JSON pointer within the document that starts in that line, or a column; may be empty.
    var pointer = ""

    var description: String {
      [file, line.map { "line \($0)" }, pointer.isEmpty ? nil : pointer].compactMap { $0 }
        .joined(separator: ", ")
    }
  }

  var message: String
  var place: Place
  var hint: String

  init(_ message: String, at place: Place, hint: String) {
    self.message = message
    self.place = place
    self.hint = hint
  }

  var description: String { "\(place): \(message); nothing was compared\n\(hint)" }

  /// What to say where the file is not as the provider writes it.
  static let fetchAgain =
    "The file is not as the provider writes it: fetch the export again and leave it as it came."
}
