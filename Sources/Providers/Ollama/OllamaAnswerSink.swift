// Hears the parts of Ollama's answers: of each line of a stream, or of the one document.
//
// The last document says the counts. Cached prompt tokens are inside the prompt's count; servers of
// before they were counted leave the field out, which is unknown and not zero.

import Metering

/// The sink of chats, completions and embeddings.
struct OllamaAnswerSink: AnswerSink {
  private enum Key {
    case other, model, done, doneReason, prompt, cached, eval, error, said, vectors
  }

  private var reading = CallReading()
  private var prompt: Int64?
  private var cached: Int64 = 0
  private var eval: Int64?
  private var isDone = false
  private var hasVectors = false
  private var isInconsistent = false
  private var top = Key.other
  private var isRole = false

  init() {}

  mutating func beginDocument() { top = .other }

  func read() -> CallReading {
    var reading = reading
    reading.isComplete = isDone
    reading.isUsageInconsistent = isInconsistent
    // Embeddings have no output, and no word of an end.
    guard let prompt, let output = eval ?? (hasVectors ? 0 : nil), isDone || hasVectors else {
      return reading
    }
    var usage = Usage(source: .reported)
    // More cached than there was input is no reason for the cached rate.
    usage.cacheRead = cached <= prompt ? cached : 0
    usage.inputUncached = prompt - usage.cacheRead
    usage.outputText = output
    reading.usage = usage
    reading.isUsageInconsistent = isInconsistent || cached > prompt
    return reading
  }

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    if depth == 1, top == .error { reading.sawError = true }
    if depth == 1, top == .vectors { hasVectors = true }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {}

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    guard depth == 1 else {
      isRole = text.equals("role")
      return
    }
    isRole = false
    top =
      if text.equals("model") {
        .model
      } else if text.equals("done") {
        .done
      } else if text.equals("done_reason") {
        .doneReason
      } else if text.equals("prompt_eval_count") {
        .prompt
      } else if text.equals("prompt_eval_cached_count") {
        .cached
      } else if text.equals("eval_count") {
        .eval
      } else if text.equals("error") {
        .error
      } else if text.equals("message") || text.equals("response") || text.equals("thinking") {
        .said
      } else if text.equals("embeddings") || text.equals("embedding") {
        .vectors
      } else {
        .other
      }
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    switch top {
    case .model where depth == 1: reading.responseModel = text.string ?? reading.responseModel
    case .doneReason where depth == 1: reading.finishReason = text.string
    case .error where depth == 1: reading.sawError = true
    case .said where !isRole: reading.outputTextBytes += Int64(text.count)
    case .prompt, .cached, .eval: if depth == 1 { isInconsistent = true }
    default: break
    }
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    guard depth == 1, value != .null else { return }
    switch top {
    case .done: isDone = isDone || value == .boolean(true)
    case .prompt: prompt = count(value) ?? prompt
    case .cached: cached = count(value) ?? cached
    case .eval: eval = count(value) ?? eval
    default: break
    }
  }

  private mutating func count(_ value: JSONScalar) -> Int64? {
    guard case .number(let number?) = value, (0...OpenAIUsage.countMax).contains(number) else {
      isInconsistent = true
      return nil
    }
    return number
  }
}
