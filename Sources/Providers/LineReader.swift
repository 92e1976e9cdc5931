// Reads a stream of JSON documents, one a line (application/x-ndjson), while it passes.

final class LineReader<Sink: AnswerSink>: PayloadReader {
  private var reader = JSONReader(sink: Sink(), isStrict: false)

  private(set) var isBetweenEvents = true

  init() {}

  @discardableResult
  func feed(_ bytes: UnsafeRawBufferPointer) -> StreamRelay {
    forEachLinePiece(of: bytes) { piece, endsLine in
      reader.feed(piece)
      isBetweenEvents = endsLine
      guard endsLine else { return }
      reader.restart()
      reader.sink.beginDocument()
    }
    return .everything
  }

  func finish() -> [UInt8] { [] }

  var reading: CallReading { reader.sink.read() }
}

/// Hands out the pieces of lines that some bytes hold, in order, and whether a line ends behind
/// each. Within a JSON document's strings a line feed is escaped, so that each one ends a document.
@inline(__always)
func forEachLinePiece(
  of bytes: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer, Bool) -> Void
) {
  var start = 0
  while let end = bytes[start...].firstIndex(of: 0x0A) {
    take(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), true)
    start = end + 1
  }
  if start < bytes.count { take(UnsafeRawBufferPointer(rebasing: bytes[start...]), false) }
}
