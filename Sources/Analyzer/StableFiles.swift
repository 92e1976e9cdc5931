// Files whose bytes depend on their content alone, and that nobody ever sees half written.

import Foundation

/// JSON with sorted keys, two-space indent and a newline at the end.
func stableJSON(_ value: some Encodable) throws -> Data {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
  return try encoder.encode(value) + Data("\n".utf8)
}

/// Writes a file and its folders: into a temporary file first, then by one rename.
func writeWhole(_ data: Data, to path: String) throws(AnalyzerFault) {
  let url = URL(fileURLWithPath: path)
  // An unchanged file keeps its time, so that a rerun of a night touches nothing.
  if FileManager.default.contents(atPath: path) == data { return }
  do {
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: url, options: .atomic)
  } catch {
    throw AnalyzerFault(
      .report, "The file \(path) cannot be written",
      hint: "Check that the folder may be written and that the disk has space.",
      isRetryable: true, cause: error)
  }
}
