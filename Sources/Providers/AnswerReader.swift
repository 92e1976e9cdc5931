// Reads an answer that is one JSON document while it passes, in any split, without holding it.

final class AnswerReader<Sink: AnswerSink>: PayloadReader {
  private var reader = JSONReader(
    sink: Sink(), isStrict: false, takesArray: Sink.takesArray)

  init() {}

  // A generic class's methods are else called through its sink's witnesses, for every byte.
  @_specialize(where Sink == ChatAnswerSink)
  @_specialize(where Sink == ResponsesAnswerSink)
  @_specialize(where Sink == MessagesAnswerSink)
  @_specialize(where Sink == GeminiAnswerSink)
  @discardableResult
  func feed(_ bytes: UnsafeRawBufferPointer) -> StreamRelay {
    reader.feed(bytes)
    return .everything
  }

  func finish() -> [UInt8] { [] }

  var isBetweenEvents: Bool { false }

  /// At the body's end it is all that the answer tells: an answer that was cut off, or is no JSON,
  /// has `isComplete` false and what could be read of it.
  var reading: CallReading {
    var reading = reader.sink.read()
    reading.isComplete = reader.isDone
    return reading
  }
}
