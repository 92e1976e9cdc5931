// What admission must know of a chat completions request, peeked from its bytes.
//
// The body goes upstream as it came, so that nothing here is a copy of it: a few scalars, a bound
// on its tokens, and the places where members would be spliced in.

/// Why a body is not taken: the caller's fault, 400.
public struct PeekFault: Error, Hashable, Sendable {
  /// What is wrong and where, without any of the body's text.
  public var message: String
  /// Bytes of the body before the fault.
  public var offset: Int

  public init(message: String, offset: Int) {
    self.message = message
    self.offset = offset
  }
}

/// A peeked chat completions request.
public struct ChatRequest: Hashable, Sendable {
  /// The model it names; empty where it names none.
  public internal(set) var model = ""
  public internal(set) var isStream = false
  /// `stream_options.include_usage`; nil where absent or null.
  public internal(set) var includesUsage: Bool?
  /// How many answers it asks for: `n` (or a larger `best_of`), at least 1.
  public internal(set) var choices: Int64 = 1
  /// The most output tokens of one answer that it asks for; nil where it sets no bound.
  ///
  /// The larger of `max_completion_tokens` and `max_tokens`, since upstreams differ in which of two
  /// they obey. `max_output_tokens` can only raise it: chat completions of OpenAI do not know the
  /// field and others ignore it, so that alone it bounds nothing.
  public internal(set) var outputTokensPerChoice: Int64?
  /// `max_output_tokens`, 0 where absent: an upstream that knows the field may obey it.
  var foreignOutputTokens: Int64 = 0
  /// `service_tier` as asked for.
  public internal(set) var serviceTier: String?
  /// An upper bound of the input tokens; see `InputBound`.
  public internal(set) var inputTokensMax: Int64 = 0
  /// The part that makes the cost unboundable, for people: `an image (image_url)`; nil: none.
  public internal(set) var unboundablePart: String?
  /// Where splices go.
  var splice = SplicePoint()

  init() {}

  /// The most output tokens of the whole call; nil where it sets no bound.
  public var outputTokensMax: Int64? {
    guard let outputTokensPerChoice else { return nil }
    return outputTokens(ofEach: outputTokensPerChoice)
  }

  /// The most output tokens of the whole call where each answer has at most `most`.
  public func outputTokens(ofEach most: Int64) -> Int64 {
    let (product, isOver) = most.multipliedReportingOverflow(by: choices)
    return isOver ? .max : product
  }

  /// Peeks a whole body. Strict: RFC 8259, UTF-8, one object; a key that is read and said twice, or
  /// of the wrong type, is a fault.
  ///
  /// - Parameter body: the bytes, not kept. Time is linear; strings read allocate, nothing else.
  public static func peek(_ body: UnsafeRawBufferPointer) throws(PeekFault) -> ChatRequest {
    var reader = JSONReader(sink: RequestSink(), isStrict: true)
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
    return reader.sink.finished(bodyBytes: body.count)
  }

  /// As `peek(_:)`, for an array.
  public static func peek(_ body: [UInt8]) throws(PeekFault) -> ChatRequest {
    let result = body.withUnsafeBytes { bytes -> Result<ChatRequest, PeekFault> in
      do throws(PeekFault) { return .success(try peek(bytes)) } catch { return .failure(error) }
    }
    return try result.get()
  }
}
