// Reads an answer's payload while it passes: what every dialect's reader does.

/// Fed every byte of an answer's payload; says what of it to relay. A class: a reader is large, and
/// lives as long as its answer.
public protocol PayloadReader: AnyObject {
  /// Reads the next bytes, in any split; linear time, no copy of them is kept.
  @discardableResult
  func feed(_ bytes: UnsafeRawBufferPointer) -> StreamRelay

  /// Ends the payload and returns the bytes of a last, unfinished event that were held back.
  func finish() -> [UInt8]

  /// What the caller was told to get ends with a whole event of a stream: another may follow.
  var isBetweenEvents: Bool { get }

  /// All that is known now; valid at any moment.
  var reading: CallReading { get }
}

/// Hears the parts of an answer's documents: of the one that a JSON answer is, or of each event of
/// a stream; figures are merged over the events as the dialect has it.
protocol AnswerSink: JSONSink {
  init()
  /// An answer may be an array of documents.
  static var takesArray: Bool { get }
  /// Forgets what belongs to one document. Called before every document of a stream.
  mutating func beginDocument()
  /// Whether the document, now whole, says nothing but usage that only the gateway asked for.
  var isUsageOnly: Bool { get }
  /// The stream said `[DONE]`.
  mutating func noteDone()
  /// The reading so far. `isComplete` is what the sink knows of a stream's end.
  func read() -> CallReading
}

extension AnswerSink {
  static var takesArray: Bool { false }
  var isUsageOnly: Bool { false }
  mutating func noteDone() {}
}
