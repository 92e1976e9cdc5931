// The results of a batch: a document a line, read while it comes and never held.

import Metering

/// Reads the results of a job and hands out what each answer used.
public struct JobResultsReader: Sendable {
  private var reader = JSONReader(sink: MessageBatchResultSink(), isStrict: false)
  private var lineHasBytes = false
  /// Requests of the batch that were answered.
  public private(set) var answered: Int64 = 0
  /// A line could not be read, or an answer did not say what it used.
  public private(set) var isBroken = false

  public init() {}

  /// Reads the next bytes, in any split.
  ///
  /// - Parameter take: gets the reading of each request that was answered; its usage is known.
  public mutating func feed(
    _ bytes: UnsafeRawBufferPointer, _ take: (CallReading) -> Void
  ) {
    forEachLinePiece(of: bytes) { piece, endsLine in
      read(piece)
      if endsLine { endLine(take) }
    }
  }

  /// The results are over; the last line may lack its end.
  public mutating func finish(_ take: (CallReading) -> Void) { endLine(take) }

  private mutating func read(_ bytes: UnsafeRawBufferPointer) {
    if !lineHasBytes { lineHasBytes = bytes.contains { $0 != 0x20 && $0 != 0x0D && $0 != 0x09 } }
    reader.feed(bytes)
  }

  private mutating func endLine(_ take: (CallReading) -> Void) {
    guard lineHasBytes else { return reader.restart() }
    lineHasBytes = false
    if !reader.isDone { isBroken = true }
    let sink = reader.sink
    reader.sink = MessageBatchResultSink()
    reader.restart()
    guard sink.isSucceeded else { return }
    let reading = sink.message.read()
    answered += 1
    if reading.usage == nil { isBroken = true } else { take(reading) }
  }
}
