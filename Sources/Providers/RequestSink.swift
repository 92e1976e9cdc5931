// What reads a request: one sink a dialect and operation, over the one JSON reader.

/// Hears the parts of a request's body and keeps what admission needs. It only notes: faults of
/// meaning are kept and reported once the syntax is known, so that it need not stop the reader.
protocol RequestSink: JSONSink {
  init()
  /// The first fault of meaning.
  var fault: PeekFault? { get }
  /// What was heard; once, at the body's end.
  consuming func finished(bodyBytes: Int) -> PeekedRequest
}

extension RequestSink {
  /// Peeks a whole body. Strict: RFC 8259, UTF-8, one object; a key that is read and said twice, or
  /// of the wrong type, is a fault.
  ///
  /// - Parameter body: the bytes, not kept. Time is linear; strings read allocate, nothing else.
  static func peek(_ body: UnsafeRawBufferPointer) throws(PeekFault) -> PeekedRequest {
    try read(body).finished(bodyBytes: body.count)
  }

  /// As `peek(_:)`; the sink, for what of it the request alone does not tell.
  static func read(_ body: UnsafeRawBufferPointer) throws(PeekFault) -> Self {
    var reader = JSONReader(sink: Self(), isStrict: true)
    reader.feed(body)
    if reader.fault == nil { reader.finish() }
    // A fault of meaning stands before the end of what could be read, so it comes first.
    if let fault = reader.sink.fault { throw fault }
    if let fault = reader.fault {
      throw PeekFault(
        message: "The request body is not a JSON object that this gateway takes: \(fault.reason) "
          + "(at byte \(fault.offset)).",
        offset: fault.offset)
    }
    return reader.sink
  }
}

/// The words of faults of meaning, the same in every dialect.
extension PeekFault {
  static func wrong(_ name: some CustomStringConvertible, _ expected: String, at offset: Int)
    -> PeekFault
  { meaning("'\(name)' must be \(expected)", at: offset) }

  static func said(_ name: some CustomStringConvertible, at offset: Int) -> PeekFault {
    meaning("'\(name)' is said twice; parsers disagree about which one counts", at: offset)
  }

  static func lookalike(_ name: some CustomStringConvertible, at offset: Int) -> PeekFault {
    meaning(
      "a key differs from '\(name)' only by the case of its letters; write it exactly", at: offset)
  }

  static func meaning(_ reason: String, at offset: Int) -> PeekFault {
    PeekFault(
      message: "The request body is refused: \(reason) (at byte \(offset)).", offset: offset)
  }
}
