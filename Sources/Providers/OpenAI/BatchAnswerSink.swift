// Hears a batch of OpenAI's: the document about it; and that about an upload.

/// The sink of a batch's own document. Its `usage` is not read: what each answer used, and so what
/// it costs, stands in the file of results alone.
struct BatchAnswerSink: AnswerSink {
  private enum Key {
    case other, id, status, endpoint, inputFile, outputFile, errorFile, counts, error
    /// What came of an upload in parts.
    case file
  }

  private var reading = CallReading()
  private var top = Key.other
  private var isCompleted = false
  private var isFileID = false

  /// A batch names three.
  private static let filesMax = 8

  init() {}

  mutating func beginDocument() {
    top = .other
    isCompleted = false
    isFileID = false
  }

  func read() -> CallReading { reading }

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    if depth == 1, top == .error { reading.sawError = true }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {}

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if depth == 2 {
      isCompleted = top == .counts && text.equals("completed")
      isFileID = top == .file && text.equals("id")
    }
    guard depth == 1 else { return }
    isCompleted = false
    isFileID = false
    top = Self.key(text)
  }

  private static func key(_ text: JSONText) -> Key {
    if text.equals("id") { return .id }
    if text.equals("status") { return .status }
    if text.equals("endpoint") { return .endpoint }
    if text.equals("input_file_id") { return .inputFile }
    if text.equals("output_file_id") { return .outputFile }
    if text.equals("error_file_id") { return .errorFile }
    if text.equals("file") { return .file }
    if text.equals("request_counts") { return .counts }
    if text.equals("error") { return .error }
    return .other
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if depth == 2, isFileID { _ = file(text) }
    guard depth == 1 else { return }
    switch top {
    case .id: reading.jobID = text.string
    case .status: reading.finishReason = text.string
    case .endpoint:
      if case .metered(let operation) = Endpoint.ofBatch(text) {
        reading.resultOperation = operation
      }
    // Azure says an empty one where there is none.
    case .outputFile: reading.resultFile = file(text)
    case .inputFile, .errorFile: _ = file(text)
    case .counts, .error, .file, .other: break
    }
  }

  private mutating func file(_ text: JSONText) -> String? {
    guard let name = text.string, BatchInput.isPlain(name) else { return nil }
    if reading.files.count < Self.filesMax { reading.files.append(name) }
    return name
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    guard depth == 2, isCompleted, case .number(let count?) = value, count >= 0 else { return }
    reading.resultCount = count
  }
}
