// Hears the parts of an InvokeModel request whose text and settings stand at the top, and keeps
// what admission needs. The model stands in the path.

/// The sink of such a request, whatever its maker.
///
/// The bound's argument: a token stands for at least one byte of the text that it encodes, and what
/// the model is shown is text of the body. What its template puts around that is bounded by
/// constants, per request, per entry of a list, and more where tools or documents are shown. What
/// the form does not have, or a part of a message that is more than text, is named.
struct InvokeRequestSink: RequestSink {
  static let tokensPerRequest: Int64 = 256
  static let tokensPerRequestWithTools: Int64 = 2_048
  static let tokensPerEntry: Int64 = 16

  /// Must be set before `finished(bodyBytes:)`.
  var form = InvokeFlatForm.chat
  /// The body says that it is Anthropic's.
  private(set) var isAnthropic = false
  /// The model that the body names beside the path's; nil: none.
  private(set) var namedModel: String?

  private(set) var fault: PeekFault?
  private var request = PeekedRequest()
  private var said = SaidKeys<InvokeRequestKey>()
  private var keys: [InvokeRequestKey] = []
  private var top: InvokeRequestKey?
  /// A field that no form has.
  private var unknownField: String?
  private var topObject = 0
  private var topIsEmpty = true
  private var bounds: [InvokeRequestKey: Int64] = [:]
  private var nulls: [InvokeRequestKey: Range<Int>] = [:]
  private var entries: Int64 = 0
  private var savedBytes = 0

  init() {}

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    if depth == 0 { topObject = offset + 1 }
    if depth == 1, let top, Self.isNumber(top) {
      note(.wrong(top.name, "a whole number", at: offset))
    }
    if depth == 1, top == .serviceTier || top == .model, let top {
      note(.wrong(top.name, "a string", at: offset))
    }
    if depth == 2 { entries += 1 }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {}

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    guard depth == 1 else {
      if top == .messages, !Self.messageKeys.contains(where: { text.equals($0) }) {
        part("a message with '\(Self.shown(text))'")
      }
      return
    }
    topIsEmpty = false
    top = nil
    switch InvokeRequestKey.match(text) {
    case .other: unknownField = unknownField ?? Self.shown(text)
    case .lookalike(let key): note(.lookalike(key.name, at: range.lowerBound))
    case .key(let key):
      if !said.note(key) { note(.said(key.name, at: range.lowerBound)) }
      keys.append(key)
      top = key
      if key == .anthropicVersion { isAnthropic = true }
    }
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if depth == 2 { entries += 1 }
    if depth == 1, let top {
      if Self.isNumber(top) { note(.wrong(top.name, "a whole number", at: range.lowerBound)) }
      if top == .serviceTier { request.serviceTier = name(text, range) }
      if top == .model { namedModel = name(text, range) }
    }
    // Tools are shown as JSON, all else as the text that it is.
    if top != .tools { savedBytes += max(0, range.count - text.count - 2) }
  }

  private mutating func name(_ text: JSONText, _ range: Range<Int>) -> String? {
    guard let name = text.string else {
      if let top {
        note(.wrong(top.name, "a string of at most 256 bytes", at: range.lowerBound))
      }
      return nil
    }
    return name
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    guard depth == 1, let top else { return }
    if value == .null {
      nulls[top] = range
    } else if Self.isNumber(top) {
      let least: Int64 = top == .choices || top == .numGenerations ? 1 : 0
      guard case .number(let number?) = value, number >= least else {
        return note(
          .wrong(top.name, "a whole number of at least \(least)", at: range.lowerBound))
      }
      bounds[top] = number
      if top != .choices, top != .numGenerations { request.statedBounds.note(number, at: range) }
    } else if top == .serviceTier || top == .model {
      note(.wrong(top.name, "a string", at: range.lowerBound))
    }
  }

  private static func isNumber(_ key: InvokeRequestKey) -> Bool {
    switch key {
    case .maxGenLen, .maxTokens, .maxCompletionTokens, .choices, .numGenerations: true
    default: false
    }
  }

  private mutating func part(_ words: String) {
    if request.unboundablePart == nil { request.unboundablePart = words }
  }

  private mutating func note(_ fault: PeekFault) { self.fault = self.fault ?? fault }

  private static func shown(_ text: JSONText) -> String {
    String(decoding: text.bytes.prefix(40), as: UTF8.self)
  }

  /// Keys of messages that are text and nothing else.
  private static let messageKeys: [StaticString] = [
    "role", "content", "type", "text", "name", "tool_calls", "tool_call_id", "id", "index",
    "function", "arguments", "refusal", "reasoning", "reasoning_content", "thinking",
  ]

  // MARK: - The result

  consuming func finished(bodyBytes: Int) -> PeekedRequest {
    let allowed = form.bounds + form.fields
    if let field = keys.first(where: { !allowed.contains($0) && nulls[$0] == nil }) {
      part("'\(field.name)' beside this model")
    }
    if let unknownField { part("'\(unknownField)' beside this model") }
    let hasMore = keys.contains { $0 == .tools || $0 == .documents || $0 == .toolResults }
    request.inputTokensMax =
      Int64(max(0, bodyBytes - savedBytes)) + entries * Self.tokensPerEntry
      + (hasMore ? Self.tokensPerRequestWithTools : Self.tokensPerRequest)
    request.choices = max(bounds[.choices] ?? 1, bounds[.numGenerations] ?? 1)
    guard let field = form.bounds.first else {
      request.outputTokensPerChoice = 0
      return request
    }
    let others = form.bounds.dropFirst().compactMap { bounds[$0] }.max() ?? 0
    if let bound = bounds[field] {
      request.outputTokensPerChoice = max(bound, others)
    } else {
      // Whether a model obeys another name of the bound, it does not say.
      request.foreignOutputTokens = others
    }
    request.outputBoundField = "\(field.name)"
    if let null = nulls[field] {
      request.outputBoundPlace = BoundPlace(range: null, before: [], after: [])
    } else {
      request.outputBoundPlace = BoundPlace(
        range: topObject..<topObject, before: Array("\"\(field.name)\":".utf8),
        after: topIsEmpty ? [] : [UInt8(ascii: ",")])
    }
    return request
  }
}

extension PeekedRequest {
  /// An InvokeModel request of the model that the path names.
  static func invoke(
    _ body: UnsafeRawBufferPointer, path: PathTail, isStream: Bool
  ) throws(PeekFault) -> PeekedRequest {
    let model = path.bedrockModel ?? ""
    var request: PeekedRequest
    switch InvokeForm(model: model) {
    case .messages: request = try MessagesRequestSink.peek(body)
    case .nova: request = try .nova(body)
    case .flat(let form):
      var sink = try InvokeRequestSink.read(body)
      sink.form = form
      let named = sink.namedModel
      request = sink.finished(bodyBytes: body.count)
      if let named, named != model {
        request.unboundablePart = "a model beside the one that the path names"
      }
    case .unknown(let part):
      // A name of one's own for a model (a profile, a deployment) hides its maker.
      let sink = try InvokeRequestSink.read(body)
      if sink.isAnthropic {
        request = try MessagesRequestSink.peek(body)
      } else {
        request = sink.finished(bodyBytes: body.count)
        request.unboundablePart = part
        request.outputBoundPlace = nil
      }
    }
    request.model = model
    request.isStream = isStream
    request.noteStoredPrompt()
    return request
  }

  /// A prompt that Bedrock keeps is called as a model is; its text is not in the body.
  mutating func noteStoredPrompt() {
    if model.contains(":prompt/") {
      unboundablePart = unboundablePart ?? "a prompt that the provider keeps"
    }
  }

  private static func nova(_ body: UnsafeRawBufferPointer) throws(PeekFault) -> PeekedRequest {
    let sink = try ConverseRequestSink.read(body)
    let other = sink.maxNewTokens
    var request = sink.finished(bodyBytes: body.count)
    if let other {
      request.outputTokensPerChoice = max(other, request.outputTokensPerChoice ?? 0)
    }
    if request.hasPictures { request.unboundablePart = request.unboundablePart ?? "an image" }
    return request
  }

  /// Takes what a header of an InvokeModel request adds to its cost; Converse says it in the body.
  public mutating func takeInvokeField(
    name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer
  ) {
    func part(_ words: String) { unboundablePart = unboundablePart ?? words }
    if equalsIgnoringCase(name, "x-amzn-bedrock-service-tier") {
      let tier = String(decoding: value.prefix(64), as: UTF8.self)
      if let serviceTier, serviceTier != tier { part("two service tiers") }
      serviceTier = tier
    } else if equalsIgnoringCase(name, "x-amzn-bedrock-guardrailidentifier") {
      part("a guardrail")
    } else if equalsIgnoringCase(name, "x-amzn-bedrock-performanceconfig-latency") {
      if !equals(value, "standard") { part("optimized latency") }
    }
  }
}
