// Reads a stream of JSON documents, one a line (application/x-ndjson), while it passes.

final class LineReader<Sink: AnswerSink>: PayloadReader {
  private var reader = JSONReader(sink: Sink(), isStrict: false)

  init() {}

  @discardableResult
  func feed(_ bytes: UnsafeRawBufferPointer) -> StreamRelay {
    var start = 0
    // Within a document's strings a line feed is escaped, so that each one ends a document.
    while let end = bytes[start...].firstIndex(of: 0x0A) {
      reader.feed(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
      reader.restart()
      reader.sink.beginDocument()
      start = end + 1
    }
    if start < bytes.count { reader.feed(UnsafeRawBufferPointer(rebasing: bytes[start...])) }
    return .everything
  }

  func finish() -> [UInt8] { [] }

  var reading: CallReading { reader.sink.read() }
}
