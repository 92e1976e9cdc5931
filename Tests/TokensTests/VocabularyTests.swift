// The vocabularies are whole, and every token is found by its bytes.

import Testing

@testable import Tokens

@Suite struct VocabularyTests {
  @Test(arguments: [(TokenEncoding.cl100k, 100_256), (.o200k, 199_998)])
  func holdsEveryToken(encoding: TokenEncoding, count: Int) {
    let vocabulary = encoding.vocabulary
    #expect(vocabulary.tokenCount == count)
    #expect(vocabulary.lengthMax == 128)
    for byte in UInt8.min...UInt8.max { #expect(vocabulary.count([byte]) == 1) }
  }
}
