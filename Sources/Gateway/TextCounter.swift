// The tokens of a request's text in place of its bytes, where it is certain which vocabulary cuts
// it.

import Providers
import Tokens

extension GatewayUpstream {
  /// The encoding of the model that answers under a name here; nil: nobody can be sure. OpenAI's
  /// own names tell. On Azure a deployment may have any name, and run any maker's model: there the
  /// price book has to say which it is, by an alias.
  func encoding(of model: String) -> TokenEncoding? {
    if isOpenAI { return TokenEncoding.of(model: model) }
    guard isAzureOpenAI else { return nil }
    let named = prices.model(of: model)
    return named == model ? nil : TokenEncoding.of(model: named)
  }
}

/// Counts texts, up to a number of bytes in all.
struct TextCounter: Sendable {
  /// So many bytes are counted yet.
  private var left: Int

  init(bytesMax: Int) { left = bytesMax }

  /// By how much fewer the tokens of a body's texts are than their bytes, at least.
  ///
  /// - Parameter body: as in `Operation.forEachText(in:_:)`.
  mutating func saving(
    in body: UnsafeRawBufferPointer, of operation: Operation, _ encoding: TokenEncoding
  ) -> Int64 {
    let vocabulary = encoding.vocabulary
    var (saved, left) = (Int64(0), left)
    operation.forEachText(in: body) { text in
      let counted = Self.prefix(of: text, upTo: left)
      left -= counted.count
      saved += Int64(counted.count - vocabulary.upperBound(ofText: counted))
    }
    self.left = left
    return saved
  }

  /// The beginning of a text in UTF-8, up to a character's end. The bounds of a text's parts add up
  /// to one of the text.
  private static func prefix(
    of text: UnsafeRawBufferPointer, upTo most: Int
  ) -> UnsafeRawBufferPointer {
    var end = min(text.count, most)
    while end > 0, end < text.count, text[end] & 0xC0 == 0x80 { end -= 1 }
    return UnsafeRawBufferPointer(rebasing: text[..<end])
  }
}

/// Counts the texts of a batch's requests, which are of one operation.
struct BatchTextCounter: Sendable {
  /// So many bytes of a file's text are counted at most, in a second or so, or in twelve where a
  /// caller means harm; the rest is bytes.
  private static let bytesMax = 64 << 20

  private let operation: Operation
  private let upstream: GatewayUpstream
  private var counter = TextCounter(bytesMax: Self.bytesMax)

  /// Nil where no text of such a request can be counted.
  init?(of operation: Operation, at upstream: GatewayUpstream) {
    guard operation.hasCountableText else { return nil }
    self.operation = operation
    self.upstream = upstream
  }

  /// By how much fewer the tokens of a request's text are than its bytes, at least.
  mutating func saving(_ request: PeekedRequest, _ body: UnsafeRawBufferPointer) -> Int64 {
    guard let encoding = upstream.encoding(of: request.model) else { return 0 }
    return counter.saving(in: body, of: operation, encoding)
  }
}
