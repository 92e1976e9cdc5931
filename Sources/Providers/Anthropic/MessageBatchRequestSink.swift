// Hears the parts of a request that makes a batch of messages, and bounds each message by itself.

/// The members of a batch's body that are read.
private enum BatchKey: UInt8, RequestKey, CaseIterable {
  case requests, customID, params

  static let all = allCases

  var name: StaticString {
    switch self {
    case .requests: "requests"
    case .customID: "custom_id"
    case .params: "params"
    }
  }
}

/// One request of a batch: it has a model, and so a price, of its own.
public struct BatchPart: Hashable, Sendable {
  public var model: String
  public var inputTokensMax: Int64
  /// Nil where it sets no bound.
  public var outputTokensMax: Int64?
}

/// The sink of a batch. It finds where the requests stand; each is then peeked as any other.
struct MessageBatchRequestSink: RequestSink {
  private(set) var fault: PeekFault?
  private var top: BatchKey?
  private var member: BatchKey?
  private var topSaid = SaidKeys<BatchKey>()
  private var said = SaidKeys<BatchKey>()
  /// Where the current request's `params` begins; nil: it said none.
  private var start: Int?
  private var ranges: [Range<Int>] = []

  init() {}

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    switch (depth, top) {
    case (1, .requests): if isObject { note(.wrong("requests", "an array", at: offset)) }
    case (2, .requests):
      if !isObject { note(.meaning("a request of a batch is no object", at: offset)) }
      said.forget()
      member = nil
      start = nil
    case (3, .requests) where member == .params:
      if !isObject { note(.wrong("params", "an object", at: offset)) }
      start = offset
    default: break
    }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {
    guard top == .requests else { return }
    if depth == 3, member == .params, let start { ranges.append(start..<offset + 1) }
    if depth == 2, start == nil {
      note(.meaning("a request of a batch has no 'params'", at: offset))
    }
  }

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if depth == 1 {
      top = topSaid.key(text, at: range.lowerBound, fault: &fault)
    } else if depth == 3, top == .requests {
      member = said.key(text, at: range.lowerBound, fault: &fault)
    }
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    plain(at: range.lowerBound, depth: depth)
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) { plain(at: range.lowerBound, depth: depth) }

  /// A value that is neither an object nor an array.
  private mutating func plain(at offset: Int, depth: Int) {
    guard top == .requests else { return }
    if depth == 1 { note(.wrong("requests", "an array", at: offset)) }
    if depth == 2 { note(.meaning("a request of a batch is no object", at: offset)) }
    if depth == 3, member == .params { note(.wrong("params", "an object", at: offset)) }
  }

  private mutating func note(_ fault: PeekFault) { self.fault = self.fault ?? fault }

  consuming func finished(bodyBytes: Int) -> PeekedRequest { PeekedRequest() }

  /// Peeks the batch and every request in it.
  static func request(_ body: UnsafeRawBufferPointer) throws(PeekFault) -> PeekedRequest {
    let sink = try read(body)
    var batch = PeekedRequest()
    batch.jobKind = .messageBatch
    batch.outputBoundField = MessagesRequestSink.boundField
    for (index, range) in sink.ranges.enumerated() {
      let part: PeekedRequest
      do throws(PeekFault) {
        part = try MessagesRequestSink.peek(UnsafeRawBufferPointer(rebasing: body[range]))
      } catch {
        throw PeekFault(
          message: "Of 'params' of request \(index) of the batch: \(error.message)",
          offset: range.lowerBound + error.offset)
      }
      // What the price of one model might bound has no bound in a batch of several.
      batch.unboundablePart = batch.unboundablePart ?? part.priced(at: nil).unboundablePart
      batch.parts.append(
        BatchPart(
          model: part.model, inputTokensMax: part.inputTokensMax,
          outputTokensMax: part.outputTokensMax))
    }
    batch.model = batch.parts.first?.model ?? ""
    return batch
  }
}
