// Hears a batch of messages: the document about it, and the lines of its results.

/// The sink of a batch's own document.
struct MessageBatchAnswerSink: AnswerSink {
  private enum Key { case other, id, status, counts, error }

  private var reading = CallReading()
  private var top = Key.other
  private var isSucceeded = false

  init() {}

  mutating func beginDocument() {
    top = .other
    isSucceeded = false
  }

  func read() -> CallReading { reading }

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    if depth == 1, top == .error { reading.sawError = true }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {}

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if depth == 2 { isSucceeded = top == .counts && text.equals("succeeded") }
    guard depth == 1 else { return }
    isSucceeded = false
    top = .other
    if text.equals("id") { top = .id }
    if text.equals("processing_status") { top = .status }
    if text.equals("request_counts") { top = .counts }
    if text.equals("error") { top = .error }
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    guard depth == 1 else { return }
    if top == .id { reading.jobID = text.string }
    if top == .status { reading.finishReason = text.string }
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    guard depth == 2, isSucceeded, case .number(let count?) = value, count >= 0 else { return }
    reading.resultCount = count
  }
}

/// The sink of a line of results: `{"custom_id": …, "result": {"type": …, "message": …}}`.
struct MessageBatchResultSink: JSONSink {
  private enum Key { case other, type, message }

  private(set) var isSucceeded = false
  private(set) var message = MessagesAnswerSink()
  private var isResult = false
  private var member = Key.other

  init() {}

  private var isInMessage: Bool { isResult && member == .message }

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    if isInMessage, depth >= 2 { message.begin(isObject: isObject, at: offset, depth: depth - 2) }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {
    if isInMessage, depth >= 2 { message.end(isObject: isObject, at: offset, depth: depth - 2) }
  }

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    switch depth {
    case 1:
      isResult = text.equals("result")
      member = .other
    case 2:
      member = text.equals("type") ? .type : text.equals("message") ? .message : .other
    default: if isInMessage { message.key(text, at: range, depth: depth - 2) }
    }
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if isInMessage, depth > 2 { return message.string(text, at: range, depth: depth - 2) }
    if isResult, depth == 2, member == .type { isSucceeded = text.equals("succeeded") }
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    if isInMessage, depth > 2 { message.scalar(value, token: token, at: range, depth: depth - 2) }
  }
}
