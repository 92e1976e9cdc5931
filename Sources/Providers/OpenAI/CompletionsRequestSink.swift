// Hears the parts of a legacy completions request: a chat request's keys, but for the prompt.

/// The sink of a completions request.
struct CompletionsRequestSink: RequestSink {
  private enum PromptKey: UInt8, RequestKey, CaseIterable {
    case prompt

    static let all = allCases
    var name: StaticString { "prompt" }
  }

  private var chat = ChatRequestSink()
  private var isPrompt = false
  private var hasPrompt = false
  /// Prompts that are answered each: strings of a list, or lists of token numbers.
  private var prompts: Int64 = 0

  var fault: PeekFault? { promptFault ?? chat.fault }
  private var promptFault: PeekFault?

  init() {}

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    if isPrompt {
      if depth == 2 { prompts += 1 }
      if isObject { promptFault = .wrong("prompt", "a string or an array", at: offset) }
    }
    chat.begin(isObject: isObject, at: offset, depth: depth)
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {
    chat.end(isObject: isObject, at: offset, depth: depth)
  }

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if depth == 1 {
      switch PromptKey.match(text) {
      case .key: isPrompt = true
      case .other: isPrompt = false
      case .lookalike(let key):
        isPrompt = false
        promptFault = .lookalike(key.name, at: range.lowerBound)
      }
      if isPrompt, hasPrompt { promptFault = .said("prompt", at: range.lowerBound) }
      hasPrompt = hasPrompt || isPrompt
    }
    chat.key(text, at: range, depth: depth)
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if isPrompt, depth == 2 { prompts += 1 }
    chat.string(text, at: range, depth: depth)
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    chat.scalar(value, token: token, at: range, depth: depth)
  }

  /// `max_tokens` is the one bound that this API knows; its default differs between servers.
  consuming func finished(bodyBytes: Int) -> PeekedRequest {
    var request = chat.finishedAsCompletions(bodyBytes: bodyBytes)
    request.choices = request.outputTokens(ofEach: max(prompts, 1))
    return request
  }
}
