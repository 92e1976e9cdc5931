// Reads a JSON answer of chat completions while it passes, in any split, without holding it.

/// Fed every byte of an answer's body as it is relayed. A class: it is large, and lives as long as
/// its answer.
public final class AnswerReader {
  private var reader = JSONReader(sink: OpenAISink(), isStrict: false)

  public init() {}

  /// Reads the next bytes of the body; linear time, no copy of them is kept.
  public func feed(_ bytes: UnsafeRawBufferPointer) { reader.feed(bytes) }

  /// What is known now. At the body's end it is all that the answer tells: an answer that was cut
  /// off, or is no JSON, has `isComplete` false and what could be read of it.
  public var reading: CallReading {
    var reading = reader.sink.read()
    reading.isComplete = reader.isDone
    return reading
  }
}
