// What form an output has. A program that parses JSON breaks on the day that a model begins to put
// it into a fence: so that is a label of its own.

import Drift

/// "json", "fenced json", "code", "markdown", "plain" or "tool call".
struct FormatClassifier: Classifier {
  let name: String
  let version: String

  func label(_ sample: SampleView) -> String {
    if sample.isFailed || sample.isEmpty { return SpecialLabel.error.rawValue }
    guard sample.output.utf8.count <= RegexClassifier.outputBytesMax else {
      return SpecialLabel.invalid.rawValue
    }
    // A sample's calls stand behind its text, as a JSON array of their own.
    if !sample.tools.isEmpty, sample.output.hasPrefix("[{") { return "tool call" }
    if Self.isJSON(sample.output) { return "json" }
    let shape = TextShape(of: sample.output)
    if let block = shape.soleBlock, Self.isJSON(block) { return "fenced json" }
    if shape.fencedCharacters * 2 >= max(1, shape.characters) { return "code" }
    return shape.isMarkdown ? "markdown" : "plain"
  }

  private static let whole = JSONPointer("")

  /// A bare number or string is text like any other; what a program reads is an object or an array.
  private static func isJSON(_ text: String) -> Bool {
    switch whole?.read(Array(text.utf8)) {
    case .object, .array: true
    default: false
    }
  }
}
