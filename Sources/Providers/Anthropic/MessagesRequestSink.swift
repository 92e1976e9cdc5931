// Hears the parts of a Messages request and keeps what admission needs.

/// The sink of a Messages request.
struct MessagesRequestSink: RequestSink {
  private(set) var fault: PeekFault?
  private var request = PeekedRequest()
  private var bound = MessagesInputBound()
  private var said = SaidKeys<MessagesRequestKey>()
  private var top: MessagesRequestKey?
  private var topObject = 0
  private var topIsEmpty = true
  /// The value of `max_tokens`, where it is null.
  private var nullBound: Range<Int>?

  init() {}

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    switch depth {
    case 0: topObject = offset + 1
    case 1: beginTopValue(isObject: isObject, at: offset)
    default: if let top, top.isUnboundable { unboundable(top) }
    }
    bound.begin(isObject: isObject, under: top, depth: depth)
  }

  private mutating func beginTopValue(isObject: Bool, at offset: Int) {
    switch top {
    case .messages, .tools: if isObject { wrong("an array", offset) }
    case .system: if isObject { wrong("a string or an array", offset) }
    case .model, .serviceTier, .speed, .inferenceGeo: wrong("a string", offset)
    case .stream: wrong("true or false", offset)
    case .maxTokens: wrong("a whole number", offset)
    case .thinking: if !isObject { wrong("an object", offset) }
    default: break
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
      case .speed: if !text.equals("standard") { part("'speed'") }
      case .inferenceGeo: request.region = name(text, range)
      case .stream: wrong("true or false", range.lowerBound)
      case .messages, .tools: wrong("an array", range.lowerBound)
      case .maxTokens: wrong("a whole number", range.lowerBound)
      case .thinking: wrong("an object", range.lowerBound)
      case .system, nil: break
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
      if top == .maxTokens { nullBound = range }
      return
    }
    switch top {
    case .model, .serviceTier, .speed, .inferenceGeo: wrong("a string", range.lowerBound)
    case .stream:
      guard case .boolean(let isOn) = value else { return wrong("true or false", range.lowerBound) }
      request.isStream = isOn
    case .messages, .tools: wrong("an array", range.lowerBound)
    case .system: wrong("a string or an array", range.lowerBound)
    case .thinking: wrong("an object", range.lowerBound)
    case .maxTokens:
      guard case .number(let number?) = value, number >= 0 else {
        return wrong("a whole number of at least 0", range.lowerBound)
      }
      request.outputTokensPerChoice = number
      request.statedBounds.note(number, at: range)
    default: if value != .boolean(false) { unboundable(top) }
    }
  }

  private mutating func unboundable(_ key: MessagesRequestKey) { part("'\(key.name)'") }

  private mutating func part(_ part: String) {
    if request.unboundablePart == nil { request.unboundablePart = part }
  }

  private mutating func wrong(_ expected: String, _ offset: Int) {
    guard let top else { return }
    note(.wrong(top.name, expected, at: offset))
  }

  private mutating func note(_ fault: PeekFault) { self.fault = self.fault ?? fault }

  // MARK: - The result

  static let boundField = "max_tokens"
  private static let boundMember = Array("\"\(boundField)\":".utf8)

  /// The API wants `max_tokens` of every request and counts thinking in it; servers that speak its
  /// dialect may do without.
  consuming func finished(bodyBytes: Int) -> PeekedRequest {
    request.inputTokensMax = bound.tokens(bodyBytes: bodyBytes)
    request.unboundablePart = request.unboundablePart ?? bound.unboundablePart
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
