// Hears the parts of a Responses request and keeps what admission needs.

/// The sink of a Responses request.
struct ResponsesRequestSink: RequestSink {
  private(set) var fault: PeekFault?
  private var request = PeekedRequest()
  private var bound = ResponsesInputBound()
  private var said = SaidKeys<ResponsesRequestKey>()
  private var top: ResponsesRequestKey?
  private var topObject = 0
  private var topIsEmpty = true
  private var isBackground = false
  /// The provider is told to keep nothing, so that nobody can ask it for what it did.
  private var keepsNothing = false
  /// The value of `max_output_tokens`, where it is null.
  private var nullBound: Range<Int>?

  init() {}

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    switch depth {
    case 0: topObject = offset + 1
    case 1: beginTopValue(isObject: isObject, at: offset)
    default: if let top, top.isUnboundable { unboundable(top) }
    }
    bound.begin(isObject: isObject, under: top)
  }

  private mutating func beginTopValue(isObject: Bool, at offset: Int) {
    switch top {
    case .input: if isObject { wrong("a string or an array", offset) }
    case .tools: if isObject { wrong("an array", offset) }
    case .model, .serviceTier, .instructions: wrong("a string", offset)
    case .stream, .background, .store: wrong("true or false", offset)
    case .maxOutputTokens: wrong("a whole number", offset)
    // Even an empty object can name something that the provider keeps; an empty array cannot.
    case let key?: if key.isUnboundable, isObject { unboundable(key) }
    case nil: break
    }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) { bound.end() }

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if depth == 1 {
      topIsEmpty = false
      topKey(text, at: range.lowerBound)
    } else if let top, top.isUnboundable {
      unboundable(top)
    }
    bound.key(text)
  }

  private mutating func topKey(_ text: JSONText, at offset: Int) {
    top = said.key(text, at: offset, fault: &fault)
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if depth == 1 {
      switch top {
      case .model:
        request.model = name(text, range) ?? ""
        request.modelPlace = range
      case .serviceTier: request.serviceTier = name(text, range)
      case .stream, .background, .store: wrong("true or false", range.lowerBound)
      case .tools: wrong("an array", range.lowerBound)
      case .maxOutputTokens: wrong("a whole number", range.lowerBound)
      case .input, .instructions, nil: break
      case let key?: if key.isUnboundable, text.count > 0 { unboundable(key) }
      }
    } else if let top, top.isUnboundable {
      unboundable(top)
    }
    bound.string(text, under: top, at: range)
  }

  private mutating func name(_ text: JSONText, _ range: Range<Int>) -> String? {
    guard let name = text.string else {
      wrong("a string of at most 256 bytes", range.lowerBound)
      return nil
    }
    return name
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    guard let top else { return }
    if depth > 1 {
      if top.isUnboundable { unboundable(top) }
      return
    }
    if value == .null {
      if top == .maxOutputTokens { nullBound = range }
      return
    }
    switch top {
    case .model, .serviceTier, .instructions: wrong("a string", range.lowerBound)
    case .input: wrong("a string or an array", range.lowerBound)
    case .tools: wrong("an array", range.lowerBound)
    case .stream, .background, .store:
      guard case .boolean(let isOn) = value else { return wrong("true or false", range.lowerBound) }
      switch top {
      case .stream: request.isStream = isOn
      case .background: isBackground = isOn
      default: keepsNothing = !isOn
      }
    case .maxOutputTokens:
      guard case .number(let number?) = value, number >= 0 else {
        return wrong("a whole number of at least 0", range.lowerBound)
      }
      request.outputTokensPerChoice = number
      request.statedBounds.note(number, at: range)
    default: if value != .boolean(false) { unboundable(top) }
    }
  }

  private mutating func unboundable(_ key: ResponsesRequestKey) {
    if request.unboundablePart == nil { request.unboundablePart = "'\(key.name)'" }
  }

  private mutating func wrong(_ expected: String, _ offset: Int) {
    guard let top else { return }
    note(.wrong(top.name, expected, at: offset))
  }

  private mutating func note(_ fault: PeekFault) { self.fault = self.fault ?? fault }

  // MARK: - The result

  static let boundField = "max_output_tokens"
  private static let boundMember = Array("\"\(boundField)\":".utf8)

  /// The bound holds for reasoning too, which is billed as output.
  consuming func finished(bodyBytes: Int) -> PeekedRequest {
    request.inputTokensMax = bound.tokens(bodyBytes: bodyBytes)
    request.unboundablePart = request.unboundablePart ?? bound.unboundablePart
    if isBackground {
      request.jobKind = .backgroundResponse
      if keepsNothing, request.unboundablePart == nil {
        request.unboundablePart = "'background' of a response that is not stored"
      }
    }
    request.outputBoundField = Self.boundField
    if let nullBound {
      request.outputBoundPlace = BoundPlace(range: nullBound, before: [], after: [])
    } else {
      request.outputBoundPlace = BoundPlace(
        range: topObject..<topObject, before: Self.boundMember,
        after: topIsEmpty ? [] : [UInt8(ascii: ",")])
    }
    return request
  }
}
