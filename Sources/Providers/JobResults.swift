// The results of a batch: a document a line, read while it comes and never held.

import Metering

/// Reads the results of a job and hands out what each answer used.
public struct JobResultsReader: Sendable {
  private var lines: any ResultLinesReader

  /// - Parameter operation: what the job's requests asked for, where its kind does not say.
  /// - Returns: nil where it is not known how their answers are read.
  public init?(_ kind: FollowedJob.Kind, _ operation: Operation? = nil) {
    switch (kind, operation) {
    case (.backgroundResponse, _): return nil
    case (.messageBatch, _): lines = ResultLines<MessagesAnswerSink>(.message)
    case (.batch, .chatCompletions), (.batch, .completions), (.batch, .embeddings):
      lines = ResultLines<ChatAnswerSink>(.response)
    case (.batch, .responses): lines = ResultLines<ResponsesAnswerSink>(.response)
    case (.batch, .images): lines = ResultLines<MediaAnswerSink<PictureMedium>>(.response)
    case (.batch, _): return nil
    }
  }

  /// Requests of the batch that were answered.
  public var answered: Int64 { lines.answered }
  /// A line could not be read or is no result, or an answer did not say what it used.
  public var isBroken: Bool { lines.isBroken }
  /// Some line is a result: what is read is no page of somebody else's.
  public var hasResult: Bool { lines.hasResult }

  /// Reads the next bytes, in any split.
  ///
  /// - Parameter take: gets the reading of each request that was answered; its usage is known.
  public mutating func feed(
    _ bytes: UnsafeRawBufferPointer, _ take: (CallReading) -> Void
  ) { lines.feed(bytes, take) }

  /// The results are over; the last line may lack its end.
  public mutating func finish(_ take: (CallReading) -> Void) { lines.finish(take) }
}

private protocol ResultLinesReader: Sendable {
  var answered: Int64 { get }
  var isBroken: Bool { get }
  var hasResult: Bool { get }
  mutating func feed(_ bytes: UnsafeRawBufferPointer, _ take: (CallReading) -> Void)
  mutating func finish(_ take: (CallReading) -> Void)
}

/// The lines of results whose answers one sink hears.
private struct ResultLines<Answer: AnswerSink>: ResultLinesReader {
  private let form: ResultForm
  private var reader: JSONReader<ResultLineSink<Answer>>
  private var lineHasBytes = false
  private(set) var answered: Int64 = 0
  private(set) var isBroken = false
  private(set) var hasResult = false

  init(_ form: ResultForm) {
    self.form = form
    reader = JSONReader(sink: ResultLineSink(form), isStrict: false)
  }

  // As in `AnswerReader`.
  @_specialize(where Answer == ChatAnswerSink)
  @_specialize(where Answer == ResponsesAnswerSink)
  @_specialize(where Answer == MessagesAnswerSink)
  mutating func feed(_ bytes: UnsafeRawBufferPointer, _ take: (CallReading) -> Void) {
    forEachLinePiece(of: bytes) { piece, endsLine in
      read(piece)
      if endsLine { finish(take) }
    }
  }

  private mutating func read(_ bytes: UnsafeRawBufferPointer) {
    if !lineHasBytes { lineHasBytes = bytes.contains { $0 != 0x20 && $0 != 0x0D && $0 != 0x09 } }
    reader.feed(bytes)
  }

  mutating func finish(_ take: (CallReading) -> Void) {
    guard lineHasBytes else { return reader.restart() }
    lineHasBytes = false
    let sink = reader.sink
    if reader.isDone, sink.isResult { hasResult = true } else { isBroken = true }
    reader.sink = ResultLineSink(form)
    reader.restart()
    guard sink.isAnswered == true else { return }
    let reading = sink.answer.read()
    answered += 1
    if reading.usage == nil { isBroken = true } else { take(reading) }
  }
}

/// How a line of results says what became of its request.
private enum ResultForm {
  /// `{"custom_id": …, "result": {"type": "succeeded", "message": ANSWER}}`
  case message
  /// `{"custom_id": …, "response": {"status_code": 200, "body": ANSWER}}`
  case response

  var result: StaticString { self == .message ? "result" : "response" }
  var answer: StaticString { self == .message ? "message" : "body" }
  var status: StaticString { self == .message ? "type" : "status_code" }
}

/// The sink of a line of results. It hands the answer in it on as a document of its own.
///
/// Where there is no answer, OpenAI's `response` is null, or left out beside an `error`.
private struct ResultLineSink<Answer: AnswerSink>: JSONSink {
  private enum Key { case other, status, answer }

  private let form: ResultForm
  /// Nil: the line does not say.
  private(set) var isAnswered: Bool?
  private(set) var answer = Answer()
  private var isInResult = false
  private var member = Key.other
  private var namesRequest = false
  private var namesError = false

  init(_ form: ResultForm) { self.form = form }

  private var isInAnswer: Bool { isInResult && member == .answer }

  /// Whether the line says what became of a request.
  var isResult: Bool { isAnswered != nil || form == .response && namesRequest && namesError }

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    if isInAnswer, depth >= 2 { answer.begin(isObject: isObject, at: offset, depth: depth - 2) }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {
    if isInAnswer, depth >= 2 { answer.end(isObject: isObject, at: offset, depth: depth - 2) }
  }

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    switch depth {
    case 1:
      isInResult = text.equals(form.result)
      member = .other
      if text.equals("custom_id") { namesRequest = true }
      if text.equals("error") { namesError = true }
    case 2:
      member = text.equals(form.status) ? .status : text.equals(form.answer) ? .answer : .other
    default: if isInAnswer { answer.key(text, at: range, depth: depth - 2) }
    }
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if isInAnswer, depth > 2 { return answer.string(text, at: range, depth: depth - 2) }
    guard isInResult, depth == 2, member == .status, form == .message else { return }
    isAnswered = text.equals("succeeded")
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    if isInAnswer, depth > 2 {
      return answer.scalar(value, token: token, at: range, depth: depth - 2)
    }
    guard isInResult, form == .response else { return }
    if depth == 1, value == .null { isAnswered = false }
    if depth == 2, member == .status { isAnswered = value == .number(200) }
  }
}
