// The text of a request that is put before a model as it stands: what a tokenizer can count.
//
// Only values that the input bound counts by the bytes of their text, and that every template keeps
// whole: a message's content, and text in its parts. Tools, arguments and names are printed anew,
// in ways that nobody publishes, and stay counted by bytes.

extension Operation {
  /// Whether `forEachText(in:_:)` finds any text.
  public var hasCountableText: Bool {
    switch self {
    case .chatCompletions, .responses, .embeddings: true
    default: false
    }
  }

  /// Hands out the texts of a body that was peeked before, unescaped, in UTF-8.
  ///
  /// - Parameter body: JSON without a fault. Time is linear; a copy is made of texts with escapes.
  public func forEachText(
    in body: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) -> Void
  ) {
    guard hasCountableText else { return }
    withoutActuallyEscaping(take) { take in
      var reader = JSONReader(
        sink: CountableTextSink(self, TextTaker(take: take)), isStrict: true, captureBytesMax: .max)
      reader.feed(body)
    }
  }
}

/// The closure of one walk, which ends before the closure does.
private struct TextTaker: @unchecked Sendable {
  let take: (UnsafeRawBufferPointer) -> Void
}

/// Tells a request's texts by where they stand.
private struct CountableTextSink: JSONSink {
  private enum Key { case input, messages, content, text, instructions, other }

  private let operation: Operation
  private let taker: TextTaker
  /// By depth, the key of the object there under which the reader is.
  private var path: [Key] = Array(repeating: .other, count: 6)
  /// By depth, whether the container there is a list.
  private var isList: [Bool] = Array(repeating: false, count: 6)

  init(_ operation: Operation, _ taker: TextTaker) {
    self.operation = operation
    self.taker = taker
  }

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    guard depth + 1 < path.count else { return }
    path[depth + 1] = .other
    isList[depth + 1] = !isObject
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {}

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    guard depth < path.count else { return }
    path[depth] =
      if text.equals("content") {
        .content
      } else if text.equals("text") {
        .text
      } else if text.equals("messages") {
        .messages
      } else if text.equals("input") {
        .input
      } else {
        text.equals("instructions") ? .instructions : .other
      }
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if text.isWhole, isCountable(depth: depth) { taker.take(text.bytes) }
  }

  private func isCountable(depth: Int) -> Bool {
    switch operation {
    case .embeddings: path[1] == .input && (depth == 1 || depth == 2 && isList[2])
    case .chatCompletions: path[1] == .messages && isContent(depth: depth)
    case .responses:
      depth == 1
        ? path[1] == .input || path[1] == .instructions
        : path[1] == .input && isContent(depth: depth)
    default: false
    }
  }

  /// `[{"content": TEXT}]` or `[{"content": [{"text": TEXT}]}]`, below the first key.
  private func isContent(depth: Int) -> Bool {
    guard isList[2], !isList[3], path[3] == .content else { return false }
    return depth == 3 || depth == 5 && isList[4] && !isList[5] && path[5] == .text
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {}
}
