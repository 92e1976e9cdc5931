// How fast text is counted and bounded: ordinary text, and text made to be slow.

import ArgumentParser
import Foundation
import Tokens

struct TokensBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokens", abstract: "Count and bound tokens of text.")

  @Argument(help: "Files of text; none: texts made to be slow, 1 MiB each.")
  var files: [String] = []
  @Option(help: "Rounds; the fastest counts.") var rounds = 5

  func run() throws {
    var texts = try files.map { ($0, [UInt8](try Data(contentsOf: URL(fileURLWithPath: $0)))) }
    if texts.isEmpty { texts = Self.hostile() }
    for encoding in TokenEncoding.allCases {
      let vocabulary = encoding.vocabulary
      for (name, text) in texts {
        let text = Array(text.prefix(Vocabulary.boundedTextMax))
        measure("\(encoding) \(name), count", text) { vocabulary.count($0) }
        measure("\(encoding) \(name), bound", text) { vocabulary.upperBound(ofText: $0) }
      }
    }
  }

  private func measure(_ name: String, _ text: [UInt8], _ count: ([UInt8]) -> Int) {
    var fastest = Double.infinity
    var tokens = 0
    for _ in 0..<rounds {
      let start = now()
      tokens = count(text)
      fastest = min(fastest, now() - start)
    }
    report("\(name) (\(tokens) tokens)", Double(text.count) / fastest / 1e6, "MB/s")
  }

  private static func hostile() -> [(String, [UInt8])] {
    let most = Vocabulary.boundedTextMax
    var state: UInt32 = 1
    let letters = (0..<most).map { _ in
      state = state &* 1_664_525 &+ 1_013_904_223
      return UInt8(ascii: "a") + UInt8((state >> 16) % 26)
    }
    func cut(_ text: [UInt8], every length: Int) -> [UInt8] {
      text.enumerated().map { $0.offset % length == length - 1 ? UInt8(ascii: "1") : $0.element }
    }
    let spaces = [UInt8](repeating: UInt8(ascii: " "), count: most)
    return [
      ("one letter", [UInt8](repeating: UInt8(ascii: "a"), count: most)),
      ("random letters by 100", cut(letters, every: 100)),
      ("random letters by 32,000", cut(letters, every: 32_000)),
      ("spaces by 32,000", cut(spaces, every: 32_000)),
    ]
  }
}
