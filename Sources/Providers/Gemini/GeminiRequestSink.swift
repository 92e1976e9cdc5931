// Hears the parts of a Gemini request and keeps what admission needs. The model stands in the path.

/// The sink of requests for content and for embeddings.
struct GeminiRequestSink: RequestSink {
  private(set) var fault: PeekFault?
  private var request = PeekedRequest()
  private var bound = GeminiInputBound()
  private var said = SaidKeys<GeminiRequestKey>()
  private var saidInConfig = SaidKeys<GeminiConfigKey>()
  private var top: GeminiRequestKey?
  private var config: GeminiConfigKey?
  private var place = Place()

  /// Where an output bound goes.
  private struct Place {
    var topObject = 0
    var topIsEmpty = true
    var configObject: Int?
    var configIsEmpty = true
    var nullConfig: Range<Int>?
    var nullBound: Range<Int>?
  }

  init() {}

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    switch depth {
    case 0: place.topObject = offset + 1
    case 1: beginTopValue(isObject: isObject, at: offset)
    default:
      if let top, top.isUnboundable { unboundable("'\(top.name)'") }
      if depth == 2, top == .generationConfig { beginConfigValue(at: offset) }
    }
    bound.begin(isObject: isObject, under: top)
  }

  private mutating func beginTopValue(isObject: Bool, at offset: Int) {
    switch top {
    case .generationConfig:
      guard isObject else { return wrong("generationConfig", "an object", offset) }
      place.configObject = offset + 1
    case .serviceTier: wrong("serviceTier", "a string", offset)
    case let key?: if key.isUnboundable, isObject { unboundable("'\(key.name)'") }
    case nil: break
    }
  }

  private mutating func beginConfigValue(at offset: Int) {
    switch config {
    case .maxOutputTokens: wrong("maxOutputTokens", "a whole number", offset)
    case .candidateCount: wrong("candidateCount", "a whole number", offset)
    case .speechConfig, .imageConfig: unboundable("output other than text")
    case .responseModalities, nil: break
    }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {
    bound.end()
    if depth <= 2 { config = depth == 2 && top == .generationConfig ? config : nil }
  }

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if depth == 1 {
      place.topIsEmpty = false
      topKey(text, at: range.lowerBound)
    } else if depth == 2, top == .generationConfig {
      place.configIsEmpty = false
      configKey(text, at: range.lowerBound)
    } else if let top, top.isUnboundable {
      unboundable("'\(top.name)'")
    }
    bound.key(text)
  }

  private mutating func topKey(_ text: JSONText, at offset: Int) {
    (top, config) = (nil, nil)
    switch GeminiRequestKey.match(text) {
    case .other: return
    case .lookalike(let key): note(.lookalike(key.name, at: offset))
    case .key(let key):
      if !said.note(key) { note(.said(key.name, at: offset)) }
      top = key
    }
  }

  private mutating func configKey(_ text: JSONText, at offset: Int) {
    config = nil
    switch GeminiConfigKey.match(text) {
    case .other: return
    case .lookalike(let key): note(.lookalike(key.name, at: offset))
    case .key(let key):
      if !saidInConfig.note(key) { note(.said(key.name, at: offset)) }
      config = key
    }
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    let offset = range.lowerBound
    if depth == 1 {
      switch top {
      case .serviceTier: request.serviceTier = text.string?.lowercased()
      case .generationConfig: wrong("generationConfig", "an object", offset)
      case let key?: if key.isUnboundable, text.count > 0 { unboundable("'\(key.name)'") }
      case nil: break
      }
    } else if top == .generationConfig {
      switch config {
      // The API's JSON may say a number as text.
      case .maxOutputTokens,
        .candidateCount where depth == 2:
        take(text.string.flatMap { Int64($0) }, at: offset)
      case .responseModalities:
        if text.string?.lowercased() != "text" { unboundable("a modality other than text") }
      default: break
      }
    } else if let top, top.isUnboundable {
      unboundable("'\(top.name)'")
    }
    bound.string(text, at: range)
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    if depth == 1, top == .generationConfig {
      if value == .null {
        place.nullConfig = range
      } else {
        wrong("generationConfig", "an object", range.lowerBound)
      }
    }
    if depth == 2, top == .generationConfig, let config {
      guard value != .null else {
        if config == .maxOutputTokens { place.nullBound = range }
        return
      }
      switch config {
      case .maxOutputTokens, .candidateCount:
        if case .number(let number) = value {
          take(number, at: range.lowerBound)
        } else {
          take(nil, at: range.lowerBound)
        }
      case .responseModalities, .speechConfig, .imageConfig: break
      }
    }
  }

  private mutating func take(_ number: Int64?, at offset: Int) {
    guard let config else { return }
    guard let number, number >= 0 else {
      return note(.wrong(config.name, "a whole number of at least 0", at: offset))
    }
    if config == .maxOutputTokens { request.outputTokensPerChoice = number }
    if config == .candidateCount { request.choices = max(number, 1) }
  }

  private mutating func unboundable(_ part: String) {
    if request.unboundablePart == nil { request.unboundablePart = part }
  }

  private mutating func wrong(_ name: String, _ expected: String, _ offset: Int) {
    note(.wrong(name, expected, at: offset))
  }

  private mutating func note(_ fault: PeekFault) { self.fault = self.fault ?? fault }

  // MARK: - The result

  static let boundField = "generationConfig.maxOutputTokens"

  consuming func finished(bodyBytes: Int) -> PeekedRequest {
    request.inputTokensMax = bound.tokens(bodyBytes: bodyBytes)
    request.unboundablePart = request.unboundablePart ?? bound.unboundablePart
    request.outputBoundField = Self.boundField
    request.outputBoundPlace = boundPlace
    return request
  }

  private static let member = Array(#""maxOutputTokens":"#.utf8)
  private static let whole = Array(#"{"maxOutputTokens":"#.utf8)
  private static let config = Array(#""generationConfig":{"maxOutputTokens":"#.utf8)

  private var boundPlace: BoundPlace {
    let comma = [UInt8(ascii: ",")]
    let brace = [UInt8(ascii: "}")]
    if let value = place.nullBound { return BoundPlace(range: value, before: [], after: []) }
    if let start = place.configObject {
      return BoundPlace(
        range: start..<start, before: Self.member, after: place.configIsEmpty ? [] : comma)
    }
    if let value = place.nullConfig {
      return BoundPlace(range: value, before: Self.whole, after: brace)
    }
    return BoundPlace(
      range: place.topObject..<place.topObject, before: Self.config,
      after: place.topIsEmpty ? brace : brace + comma)
  }
}

extension PeekedRequest {
  /// A request for content, or for embeddings, of the model that the path names.
  static func gemini(
    _ body: UnsafeRawBufferPointer, path: PathTail, _ operation: Operation
  ) throws(PeekFault) -> PeekedRequest {
    var request = try GeminiRequestSink.peek(body)
    request.model = path.modelBeforeVerb ?? ""
    request.isStream = operation == .streamGenerateContent
    if operation == .embedContent {
      request.outputTokensPerChoice = 0
      request.outputBoundPlace = nil
    }
    return request
  }
}
