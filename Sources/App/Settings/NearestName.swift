// Which known name did the author mean? Most unknown names are slips of one or two letters.

enum NearestName {
  /// The known name with the fewest edits to `name`, where they are few enough to be a slip.
  static func of(_ name: String, among known: some Sequence<String>) -> String? {
    let limit = max(1, name.count / 3)
    return known.sorted()
      .map { (name: $0, edits: edits(name.lowercased(), $0.lowercased())) }
      .filter { $0.edits <= limit }
      .min { $0.edits < $1.edits }?
      .name
  }

  /// `did you mean 'x'?`, or the list of what is known.
  static func advice(for name: String, among known: [String]) -> String {
    if let nearest = of(name, among: known) { return "did you mean '\(nearest)'?" }
    if known.isEmpty { return "remove it" }
    return "known here: \(known.sorted().joined(separator: ", "))"
  }

  /// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
  private static func edits(_ left: String, _ right: String) -> Int {
    let left = Array(left.unicodeScalars)
    let right = Array(right.unicodeScalars)
    var rows = [Array(0...right.count)]
    for (i, letter) in left.enumerated() {
      var row = [i + 1]
      for (j, other) in right.enumerated() {
        var best = min(
          rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (letter == other ? 0 : 1))
        if i > 0, j > 0, letter == right[j - 1], left[i - 1] == other {
          best = min(best, rows[i - 1][j - 1] + 1)
        }
        row.append(best)
      }
      rows.append(row)
    }
    return rows[left.count][right.count]
  }
}
