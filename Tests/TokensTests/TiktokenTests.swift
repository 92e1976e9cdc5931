// Our pieces and counts are tiktoken's own, over random texts and over texts made to strain the
// rules.

import Foundation
import TestSupport
import Testing

@testable import Tokens

@Suite struct TiktokenTests {
  private static let script = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Peers/tiktoken_counts.py").path

  private static let hasTiktoken: Bool = {
    guard let python = Command.peersPython else { return false }
    return (try? Command.run(python, ["-c", "import tiktoken, regex, bpe_openai"]).status) == 0
  }()
  private static let absence =
    Command.peersPython == nil
    ? Command.peersAbsence : "tiktoken is not in the environment that scripts/peers makes"

  @Test(.enabled(if: hasTiktoken, "\(absence)"))
  func randomTextsCountAsTiktokenSays() throws {
    var generator = SeededGenerator(seed: 1)
    try compare((0..<24_000).map { RandomText.text(&generator, partsMax: $0 % 4 == 0 ? 40 : 8) })
  }

  @Test(.enabled(if: hasTiktoken, "\(absence)"))
  func everyShortTextOfHostileScalarsCountsAsTiktokenSays() throws {
    let scalars = ["'", "s", "ſ", "1", " ", "\n", "!", "/", "\u{301}", "日", "A", "\t"]
    var texts = [""]
    var longest = [""]
    for _ in 0..<4 {
      longest = longest.flatMap { text in scalars.map { text + $0 } }
      texts += longest
    }
    try compare(texts)
  }

  @Test(.enabled(if: hasTiktoken, "\(absence)"))
  func longPiecesCountAsTiktokenSays() throws {
    var generator = SeededGenerator(seed: 2)
    var texts: [String] = []
    for alphabet in ["a", "ab", "etaoinshrdlu", "!?-=", "日本語中文字", "ء ي".replacing(" ", with: "")] {
      for length in [95, 96, 97, 127, 128, 129, 1_000, 20_000] {
        texts.append(String((0..<length).map { _ in generator.pick(alphabet) }))
      }
    }
    try compare(texts)
  }

  /// What the script says of a text; lists by encoding.
  private struct Answer: Decodable {
    var counts: [Int]
    var pieces: [[Int]]
  }

  private func compare(_ texts: [String]) throws {
    let python = try #require(Command.peersPython)
    let input = String(decoding: try JSONEncoder().encode(texts), as: UTF8.self)
    let ending = try Command.run(python, [Self.script], input: input)
    try #require(ending.status == 0, "\(ending.said.suffix(2_000))")
    let answers = try JSONDecoder().decode([Answer].self, from: Data(ending.said.utf8))
    try #require(answers.count == texts.count)
    var faults = 0
    for (text, answer) in zip(texts, answers) {
      for (index, vocabulary) in [Vocabulary.cl100k, .o200k].enumerated() {
        let count = vocabulary.count(text)
        let pieces = pieceLengths(text, vocabulary.pretokenizer)
        if count == answer.counts[index], pieces == answer.pieces[index] { continue }
        faults += 1
        if faults > 5 { continue }
        Issue.record(
          """
          \(text.prefix(200).debugDescription) in \(vocabulary.pretokenizer.pattern): \
          \(count) of \(pieces), tiktoken \(answer.counts[index]) of \(answer.pieces[index])
          """)
      }
    }
    #expect(faults == 0, "of \(texts.count)")
  }

  private func pieceLengths(_ text: String, _ pretokenizer: Pretokenizer) -> [Int] {
    let bytes = Array(text.utf8)
    var lengths: [Int] = []
    var start = 0
    while start < bytes.count {
      let end = pretokenizer.pieceEnd(bytes.span, from: start)
      lengths.append(end - start)
      start = end
    }
    return lengths
  }
}
