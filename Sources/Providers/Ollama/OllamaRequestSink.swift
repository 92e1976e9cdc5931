// Hears the parts of an Ollama request and keeps what admission needs.

/// The sink of chats, completions and embeddings.
///
/// The bound's argument: a token stands for at least one byte of what the model is shown, and all
/// of it is in the body; templates add a few tokens a message, and as many to begin with as a
/// model's own system text has, which operators of such a server choose themselves. Pictures are
/// billed by models of all kinds and are named.
struct OllamaRequestSink: RequestSink {
  static let tokensPerRequest: Int64 = 1024
  static let tokensPerMessage: Int64 = 16

  private enum Key: UInt8, RequestKey, CaseIterable {
    case model, stream, options, messages, images, template

    static let all = allCases

    var name: StaticString {
      switch self {
      case .model: "model"
      case .stream: "stream"
      case .options: "options"
      case .messages: "messages"
      case .images: "images"
      case .template: "template"
      }
    }
  }

  private enum MessageKey: UInt8, RequestKey, CaseIterable {
    case images

    static let all = allCases

    var name: StaticString { "images" }
  }

  private(set) var fault: PeekFault?
  private var request = PeekedRequest()
  private var said = SaidKeys<Key>()
  private var top: Key?
  private var messages: Int64 = 0
  private var topObject = 0
  private var topIsEmpty = true
  private var optionsObject: Int?
  private var optionsAreEmpty = true
  private var nullOptions: Range<Int>?
  private var hasNumPredict = false
  private var isNumPredict = false
  /// The value of `num_predict`, where it bounds nothing.
  private var openBound: Range<Int>?

  /// A stream is what the server makes of a request that does not say.
  init() { request.isStream = true }

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    switch depth {
    case 0: topObject = offset + 1
    case 1:
      switch top {
      case .options:
        if isObject { optionsObject = offset + 1 } else { wrong("options", "an object", offset) }
      case .model: wrong("model", "a string", offset)
      case .stream: wrong("stream", "true or false", offset)
      default: break
      }
    case 2:
      if top == .messages, isObject { messages += 1 }
      if isNumPredict { wrong("options.num_predict", "a whole number", offset) }
    default: break
    }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {}

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    isNumPredict = false
    if depth == 1 {
      topIsEmpty = false
      top = said.key(text, at: range.lowerBound, fault: &fault)
    } else if depth == 2, top == .options {
      optionsAreEmpty = false
      isNumPredict = text.equals("num_predict")
      if isNumPredict, hasNumPredict { note(.said("options.num_predict", at: range.lowerBound)) }
      hasNumPredict = hasNumPredict || isNumPredict
      if !isNumPredict, equalsIgnoringCase(text.bytes, "num_predict") {
        note(.lookalike("num_predict", at: range.lowerBound))
      }
    } else if depth == 3, top == .messages {
      switch MessageKey.match(text) {
      case .other: break
      // The server's decoder takes any case of letters.
      case .key, .lookalike: picture()
      }
    }
  }

  private mutating func picture() { unboundable("'images'") }

  private mutating func unboundable(_ part: String) {
    if request.unboundablePart == nil { request.unboundablePart = part }
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if top == .images { picture() }
    // A template may show the prompt to the model any number of times.
    if top == .template, depth == 1, text.count > 0 { unboundable("'template'") }
    if isNumPredict { wrong("options.num_predict", "a whole number", range.lowerBound) }
    guard depth == 1 else { return }
    switch top {
    case .model:
      guard let name = text.string else {
        return wrong("model", "a string of at most 256 bytes", range.lowerBound)
      }
      request.model = name
      request.modelPlace = range
    case .stream: wrong("stream", "true or false", range.lowerBound)
    case .options: wrong("options", "an object", range.lowerBound)
    default: break
    }
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    if isNumPredict, depth == 2 { return numPredict(value, range) }
    guard depth == 1, value != .null else {
      if depth == 1, top == .options { nullOptions = range }
      return
    }
    switch top {
    case .stream:
      guard case .boolean(let isOn) = value else {
        return wrong("stream", "true or false", range.lowerBound)
      }
      request.isStream = isOn
    case .model: wrong("model", "a string", range.lowerBound)
    case .options: wrong("options", "an object", range.lowerBound)
    default: break
    }
  }

  /// Below zero it means that nothing, or the context alone, bounds the answer.
  private mutating func numPredict(_ value: JSONScalar, _ range: Range<Int>) {
    if value == .null {
      openBound = range
      return
    }
    guard case .number(let number?) = value else {
      return wrong("options.num_predict", "a whole number", range.lowerBound)
    }
    if number < 0 {
      openBound = range
    } else {
      request.outputTokensPerChoice = number
      request.statedBounds.note(number, at: range)
    }
  }

  private mutating func wrong(_ name: String, _ expected: String, _ offset: Int) {
    note(.wrong(name, expected, at: offset))
  }

  private mutating func note(_ fault: PeekFault) { self.fault = self.fault ?? fault }

  // MARK: - The result

  static let boundField = "options.num_predict"
  private static let member = Array(#""num_predict":"#.utf8)
  private static let whole = Array(#"{"num_predict":"#.utf8)
  private static let options = Array(#""options":{"num_predict":"#.utf8)

  consuming func finished(bodyBytes: Int) -> PeekedRequest {
    request.inputTokensMax =
      Int64(bodyBytes) + messages * Self.tokensPerMessage + Self.tokensPerRequest
    request.outputBoundField = Self.boundField
    request.isModelOutputEnforced = false
    request.outputBoundPlace = boundPlace
    return request
  }

  private var boundPlace: BoundPlace {
    let comma = [UInt8(ascii: ",")]
    let brace = [UInt8(ascii: "}")]
    if let value = openBound { return BoundPlace(range: value, before: [], after: []) }
    if let start = optionsObject {
      return BoundPlace(
        range: start..<start, before: Self.member, after: optionsAreEmpty ? [] : comma)
    }
    if let value = nullOptions { return BoundPlace(range: value, before: Self.whole, after: brace) }
    return BoundPlace(
      range: topObject..<topObject, before: Self.options, after: topIsEmpty ? brace : brace + comma)
  }
}

extension PeekedRequest {
  static func ollama(
    _ body: UnsafeRawBufferPointer, _ operation: Operation
  ) throws(PeekFault) -> PeekedRequest {
    var request = try OllamaRequestSink.peek(body)
    if operation == .ollamaEmbed {
      request.isStream = false
      request.outputTokensPerChoice = 0
      request.outputBoundPlace = nil
    }
    return request
  }
}
