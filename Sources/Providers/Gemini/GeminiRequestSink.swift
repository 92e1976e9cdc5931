// Hears the parts of a Gemini request and keeps what admission needs. The model stands in the path.

/// The sink of requests for content and for embeddings.
///
/// `maxOutputTokens` is taken to bound thoughts and answer together: the documentation has said
/// otherwise, but answers that were cut short add up to it, thoughts included, as users of every
/// generation of thinking models have measured. So a thinking budget adds nothing to it.
struct GeminiRequestSink: RequestSink {
  private(set) var fault: PeekFault?
  private var request = PeekedRequest()
  private var bound = GeminiInputBound()
  private var said = SaidKeys<GeminiRequestKey>()
  private var saidInConfig = SaidKeys<GeminiConfigKey>()
  private var top: GeminiRequestKey?
  private var config: GeminiConfigKey?
  private var place = Place()
  /// The model that the body names beside the path, and where; of several, the first that differs.
  private(set) var named: (model: String, offset: Int)?
  private var isNestedModel = false

  /// Where an output bound goes.
  private struct Place {
    var topObject = 0
    var topIsEmpty = true
    var configObject: Int?
    var configIsEmpty = true
    var nullConfig: Range<Int>?
    /// A bound of null or zero.
    var unsetBound: Range<Int>?
  }

  init() {}

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    switch depth {
    case 0: place.topObject = offset + 1
    case 1: beginTopValue(isObject: isObject, at: offset)
    default:
      if let top, top.isUnboundable { unboundable("'\(top.name)'") }
      if depth == 2, top == .generationConfig { beginConfigValue(at: offset) }
      if isNestedModel { wrong("model", "a string", offset) }
    }
    isNestedModel = false
    bound.begin(isObject: isObject, under: top)
  }

  private mutating func beginTopValue(isObject: Bool, at offset: Int) {
    switch top {
    case .generationConfig:
      guard isObject else { return wrong("generationConfig", "an object", offset) }
      place.configObject = offset + 1
    case .serviceTier: wrong("serviceTier", "a string", offset)
    case .model: wrong("model", "a string", offset)
    case let key?: if key.isUnboundable, isObject { unboundable("'\(key.name)'") }
    case nil: break
    }
  }

  private mutating func beginConfigValue(at offset: Int) {
    switch config {
    case .maxOutputTokens: wrong("maxOutputTokens", "a whole number", offset)
    case .candidateCount: wrong("candidateCount", "a whole number", offset)
    case let key?: if let part = key.unboundablePart { unboundable(part) }
    case nil: break
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
    } else if depth == 3, top == .requests {
      isNestedModel = text.equals("model")
      if !isNestedModel, equalsIgnoringCase(text.bytes, "model") {
        note(.lookalike("model", at: range.lowerBound))
      }
    } else if let top, top.isUnboundable {
      unboundable("'\(top.name)'")
    } else if depth <= 4, config == .responseFormat {
      formatKey(text)
    }
    bound.key(text)
  }

  /// A kind of output, of `responseFormat` or of an element of it.
  private mutating func formatKey(_ text: JSONText) {
    let kinds: [StaticString] = ["audio", "image", "video"]
    if kinds.contains(where: { text.equals($0) }) { unboundable("output other than text") }
  }

  private mutating func topKey(_ text: JSONText, at offset: Int) {
    config = nil
    top = said.key(text, at: offset, fault: &fault)
  }

  private mutating func configKey(_ text: JSONText, at offset: Int) {
    config = saidInConfig.key(text, at: offset, fault: &fault)
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    let offset = range.lowerBound
    if depth == 1 {
      switch top {
      case .serviceTier: request.serviceTier = text.string?.lowercased()
      case .model: takeModel(text, at: offset)
      case .generationConfig: wrong("generationConfig", "an object", offset)
      case let key?: if key.isUnboundable, text.count > 0 { unboundable("'\(key.name)'") }
      case nil: break
      }
    } else if isNestedModel {
      takeModel(text, at: offset)
    } else if top == .generationConfig {
      configString(text, at: range)
    } else if let top, top.isUnboundable {
      unboundable("'\(top.name)'")
    }
    isNestedModel = false
    bound.string(text, at: range)
  }

  private mutating func configString(_ text: JSONText, at range: Range<Int>) {
    switch config {
    // The API's JSON may say a number as text.
    case .maxOutputTokens, .candidateCount: take(text.string.flatMap { Int64($0) }, at: range)
    case .responseModalities:
      if text.string?.lowercased() != "text" { unboundable("a modality other than text") }
    default: break
    }
  }

  private mutating func takeModel(_ text: JSONText, at offset: Int) {
    guard let name = text.string else {
      return wrong("model", "a string of at most 256 bytes", offset)
    }
    if named == nil { named = (name, offset) }
    if let first = named, first.model != name {
      wrong("model", "the same everywhere in the request", offset)
    }
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    defer { isNestedModel = false }
    guard value != .null else {
      if depth == 1, top == .generationConfig { place.nullConfig = range }
      if depth == 2, config == .maxOutputTokens { place.unsetBound = range }
      return
    }
    switch top {
    case .generationConfig where depth == 1:
      wrong("generationConfig", "an object", range.lowerBound)
    case .generationConfig: configScalar(value, at: range)
    case .serviceTier: wrong("serviceTier", "a string", range.lowerBound)
    case .model: wrong("model", "a string", range.lowerBound)
    case .requests where isNestedModel: wrong("model", "a string", range.lowerBound)
    case let key?: if key.isUnboundable { unboundable("'\(key.name)'") }
    case nil: break
    }
  }

  private mutating func configScalar(_ value: JSONScalar, at range: Range<Int>) {
    var number: Int64?
    if case .number(let whole) = value { number = whole }
    switch config {
    case .maxOutputTokens, .candidateCount: take(number, at: range)
    // Enumerations may be said by number; 1 is text, and 0 is none.
    case .responseModalities:
      if number != 0, number != 1 { unboundable("a modality other than text") }
    default: break
    }
  }

  private mutating func take(_ number: Int64?, at range: Range<Int>) {
    guard let config else { return }
    guard let number, number >= 0 else {
      return note(.wrong(config.name, "a whole number of at least 0", at: range.lowerBound))
    }
    if config == .candidateCount { request.choices = max(number, 1) }
    guard config == .maxOutputTokens else { return }
    // Zero is what the API's format takes a number for that was not said.
    if number == 0 {
      place.unsetBound = range
    } else {
      request.outputTokensPerChoice = number
      request.statedBounds.note(number, at: range)
    }
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
    if let value = place.unsetBound { return BoundPlace(range: value, before: [], after: []) }
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
    let sink = try GeminiRequestSink.read(body)
    if let (model, offset) = sink.named, !path.namesResource(model) {
      throw .wrong("model", "the model that the path names", at: offset)
    }
    var request = sink.finished(bodyBytes: body.count)
    request.model = path.modelBeforeVerb ?? ""
    request.isStream = operation == .streamGenerateContent
    if path.hasParameter("fields") || path.hasParameter("$fields") {
      request.unboundablePart = request.unboundablePart ?? "a field mask, which can hide the usage"
    }
    if operation == .embedContent {
      request.outputTokensPerChoice = 0
      request.outputBoundPlace = nil
    }
    return request
  }
}
