// Hears a batch of messages: the document about it.

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
