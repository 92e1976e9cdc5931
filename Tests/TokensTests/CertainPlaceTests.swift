// The rule that the bound rests on: at a certain place every text is cut.

import TestSupport
import Testing

@testable import Tokens

@Suite struct CertainPlaceTests {
  @Test(arguments: [TokenEncoding.cl100k, .o200k])
  func noPieceHoldsACertainPlace(encoding: TokenEncoding) {
    let vocabulary = encoding.vocabulary
    var generator = SeededGenerator(seed: 3)
    var seen = 0
    for _ in 0..<6_000 {
      let text = Array(RandomText.text(&generator, partsMax: 12).utf8)
      var inPiece = [Bool](repeating: true, count: text.count + 1)
      var start = 0
      while start < text.count {
        inPiece[start] = false
        start = vocabulary.pretokenizer.pieceEnd(text.span, from: start)
      }
      var place = 0
      var before = CharacterClass.unsettled
      while place < text.count {
        let (kind, length) = vocabulary.pretokenizer.scalars.read(text.span, at: place)
        if vocabulary.isCertain(before, kind, text[place]) {
          seen += 1
          #expect(!inPiece[place], "\(place) in \(String(decoding: text, as: UTF8.self))")
        }
        before = kind
        place += length
      }
    }
    #expect(seen > 10_000)
  }
}
