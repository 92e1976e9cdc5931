// Hears the parts of InvokeModel's answers, and of the chunks of its stream, whatever the model's
// maker: the forms are told apart by their keys, of which no two mean different things.
//
// Anthropic's messages and chat completions have readers of their own. What else a maker says of
// usage is read here, and the metrics that Bedrock adds to a stream's last chunk. They stand last:
// they do not tell how long what was written to the cache is kept.

import Metering

/// The sink of answers and chunks.
struct InvokeAnswerSink: AnswerSink {
  private enum Place { case other, usage, metrics, results, silent, stop, error }

  private var messages = MessagesAnswerSink()
  private var chat = ChatAnswerSink()
  private var figures = AnthropicFigures()
  private var hasFigures = false
  private var metrics = AnthropicFigures()
  private(set) var hasMetrics = false
  private var finishReason: String?
  private var textBytes: Int64 = 0
  /// The maker is Anthropic: no other has a type at the top.
  private var isMessage = false
  private var isStream = false
  /// The answer is vectors, of which no output is counted.
  private var isEmbedding = false

  // Of the current document.
  private var places = [Place](repeating: .other, count: 6)
  private var figure: AnthropicFigures.Field?
  private var isMetric = false

  init() {}

  /// - Parameter isStream: the documents are chunks; running totals are no usage before the last.
  init(isStream: Bool) { self.isStream = isStream }

  mutating func beginDocument() {
    messages.beginDocument()
    chat.beginDocument()
    for depth in places.indices { places[depth] = .other }
    figure = nil
  }

  /// The model that the answer names is left out: it has its maker's name for it, which is another
  /// in the maker's own price list, and the regions that the call was priced by are not in it.
  func read() -> CallReading {
    let (message, completion) = (messages.read(), chat.read())
    var reading = message
    reading.responseModel = ""
    reading.sawError = message.sawError || completion.sawError
    reading.finishReason = message.finishReason ?? completion.finishReason ?? finishReason
    reading.outputTextBytes = isMessage ? message.outputTextBytes : textBytes
    reading.isComplete = message.isComplete || hasMetrics
    if message.usage != nil { return reading }
    reading.serviceTier = message.serviceTier ?? completion.serviceTier
    guard !isStream || hasMetrics else { return reading }
    var figures = figures
    if isEmbedding, figures.output == nil { figures.set(.output, 0) }
    if hasFigures, let own = figures.normalised() {
      (reading.usage, reading.isUsageInconsistent) = (own.usage, own.isInconsistent)
    } else if !isMessage, let usage = completion.usage {
      (reading.usage, reading.isUsageInconsistent) = (usage, completion.isUsageInconsistent)
    } else if hasMetrics, let own = metrics.normalised() {
      (reading.usage, reading.isUsageInconsistent) = (own.usage, own.isInconsistent)
    } else {
      reading.isUsageInconsistent =
        message.isUsageInconsistent || completion.isUsageInconsistent || figures.isInconsistent
        || metrics.isInconsistent
    }
    return reading
  }

  // MARK: Parts

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    messages.begin(isObject: isObject, at: offset, depth: depth)
    chat.begin(isObject: isObject, at: offset, depth: depth)
    figure = nil
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {
    messages.end(isObject: isObject, at: offset, depth: depth)
    chat.end(isObject: isObject, at: offset, depth: depth)
    figure = nil
  }

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    messages.key(text, at: range, depth: depth)
    chat.key(text, at: range, depth: depth)
    figure = nil
    guard depth < places.count else { return }
    for deeper in depth..<places.count { places[deeper] = .other }
    places[depth] = Self.place(text)
    switch depth {
    case 1:
      if text.equals("prompt_token_count") || text.equals("inputTextTokenCount") {
        choose(.input)
      } else if text.equals("generation_token_count")
        || text.equals("totalOutputTextTokenCount")
      {
        choose(.output)
      } else if text.equals("embedding") || text.equals("embeddings") {
        isEmbedding = true
      }
    case 2 where places[1] == .metrics: metricKey(text)
    case 2 where places[1] == .usage, 3 where places[2] == .usage: usageKey(text)
    // Titan's answer: one result, whose input's count stands at the top.
    case 3 where places[1] == .results: if text.equals("tokenCount") { choose(.output) }
    default: break
    }
  }

  private static func place(_ text: JSONText) -> Place {
    if text.equals("usage") { return .usage }
    if text.equals("amazon-bedrock-invocationMetrics") { return .metrics }
    if text.equals("results") { return .results }
    if text.equals("stop_reason") || text.equals("stopReason") || text.equals("finish_reason")
      || text.equals("completionReason")
    {
      return .stop
    }
    let silent =
      [
        "id", "role", "type", "object", "model", "response_id", "generation_id", "response_type",
        "service_tier", "system_fingerprint", "toolUseId", "signature", "prompt",
      ] as [StaticString]
    return silent.contains { text.equals($0) } ? .silent : .other
  }

  private mutating func choose(_ field: AnthropicFigures.Field) {
    figure = field
    isMetric = false
  }

  private mutating func usageKey(_ text: JSONText) {
    if text.equals("inputTokens") { choose(.input) }
    if text.equals("outputTokens") { choose(.output) }
    if text.equals("cacheReadInputTokenCount") || text.equals("cacheReadInputTokens") {
      choose(.cacheRead)
    }
    if text.equals("cacheWriteInputTokenCount") || text.equals("cacheWriteInputTokens") {
      choose(.cacheWrite)
    }
  }

  private mutating func metricKey(_ text: JSONText) {
    if text.equals("inputTokenCount") { figure = .input }
    if text.equals("outputTokenCount") { figure = .output }
    if text.equals("cacheReadInputTokenCount") { figure = .cacheRead }
    if text.equals("cacheWriteInputTokenCount") { figure = .cacheWrite }
    isMetric = true
    hasMetrics = true
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    messages.string(text, at: range, depth: depth)
    chat.string(text, at: range, depth: depth)
    if depth == 1, text.count > 0, messages.hasType { isMessage = true }
    if figure != nil { return set(nil) }
    let place = depth < places.count ? places[depth] : .other
    switch place {
    case .stop: finishReason = text.string ?? finishReason
    case .silent, .usage, .metrics: break
    default: textBytes += Int64(text.count)
    }
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    messages.scalar(value, token: token, at: range, depth: depth)
    chat.scalar(value, token: token, at: range, depth: depth)
    guard figure != nil, value != .null else { return }
    if case .number(let number) = value { set(number) } else { set(nil) }
  }

  private mutating func set(_ number: Int64?) {
    guard let figure else { return }
    if isMetric {
      metrics.set(figure, number)
    } else {
      hasFigures = true
      figures.set(figure, number)
    }
  }
}
