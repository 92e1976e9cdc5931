// Hears the parts of a Converse request and keeps what admission needs. The model stands in the
// path.

/// A top-level key of a Converse request.
enum ConverseRequestKey: UInt8, RequestKey, CaseIterable {
  case messages, system, inferenceConfig, toolConfig, serviceTier
  // From here on: keys that reach what no bound can be read of. Empty values do not.
  case guardrailConfig, additionalFields, promptVariables, performanceConfig

  static let all = allCases

  var name: StaticString {
    switch self {
    case .messages: "messages"
    case .system: "system"
    case .inferenceConfig: "inferenceConfig"
    case .toolConfig: "toolConfig"
    case .serviceTier: "serviceTier"
    case .guardrailConfig: "guardrailConfig"
    case .additionalFields: "additionalModelRequestFields"
    case .promptVariables: "promptVariables"
    case .performanceConfig: "performanceConfig"
    }
  }

  var isUnboundable: Bool { rawValue >= ConverseRequestKey.guardrailConfig.rawValue }
}

/// The sink of a Converse request.
///
/// The bound's argument is that of `MessagesInputBound`: a byte a token at the most over the whole
/// body, pictures apart. What a part is, its one key says.
struct ConverseRequestSink: RequestSink {
  static let tokensPerRequest: Int64 = 256
  static let tokensPerRequestWithTools: Int64 = 1024
  static let tokensPerMessage: Int64 = 16
  static let tokensPerTool: Int64 = 16

  private enum Place: UInt8 {
    case top, messages, message, blocks, block, image, source, tools, tool, config, tier, free
  }
  private enum Key {
    case content, image, source, bytes, maxTokens, maxNewTokens, type, tools, other
  }

  private(set) var fault: PeekFault?
  private var request = PeekedRequest()
  private var hasTier = false
  private var said = SaidKeys<ConverseRequestKey>()
  private var top: ConverseRequestKey?
  private var places: [Place] = []
  private var key = Key.other
  private var savedBytes = 0
  private var messages: Int64 = 0
  private var tools: Int64 = 0
  private(set) var images: Int64 = 0
  private var topObject = 0
  private var topIsEmpty = true
  private var configObject: Int?
  private var configIsEmpty = true
  private var nullConfig: Range<Int>?
  private var nullBound: Range<Int>?
  private var hasMaxTokens = false
  private var hasMaxNewTokens = false
  /// What InvokeModel's bodies for Nova may call the bound; to Converse it means nothing.
  private(set) var maxNewTokens: Int64?

  init() {}

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    let place = place(isObject: isObject, at: offset)
    places.append(place)
    switch place {
    case .top: topObject = offset + 1
    case .config: configObject = offset + 1
    case .message: messages += 1
    case .tool: tools += 1
    case .image: images += 1
    default: break
    }
    if depth == 2, let top, top.isUnboundable { part("'\(top.name)'") }
    key = .other
  }

  private mutating func place(isObject: Bool, at offset: Int) -> Place {
    guard let outer = places.last else { return .top }
    switch outer {
    case .top:
      switch top {
      case .messages where !isObject: return .messages
      case .system where !isObject: return .blocks
      case .inferenceConfig:
        if !isObject { note(.wrong("inferenceConfig", "an object", at: offset)) }
        return isObject ? .config : .free
      case .serviceTier: return isObject ? .tier : .free
      default: return .free
      }
    case .messages: return isObject ? .message : unknown("a message that is no object")
    case .message: return key == .content && !isObject ? .blocks : unknown("an unknown message")
    case .blocks: return isObject ? .block : unknown("a content block that is no object")
    case .block:
      if key == .image { return isObject ? .image : unknown("an image that is no object") }
      return key == .content && isObject ? .block : key == .content ? .blocks : .free
    case .image: return key == .source && isObject ? .source : .free
    case .config:
      if key == .maxTokens {
        note(.wrong("inferenceConfig.maxTokens", "a whole number", at: offset))
      }
      return .free
    case .tools: return isObject ? .tool : unknown("a tool that is no object")
    case .free where key == .tools && !isObject: return .tools
    case .source, .tool, .tier, .free: return .free
    }
  }

  private mutating func unknown(_ words: String) -> Place {
    part(words)
    return .free
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {
    places.removeLast()
    key = .other
  }

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    key = .other
    if depth == 1 {
      topIsEmpty = false
      return topKey(text, at: range.lowerBound)
    }
    if let top, top.isUnboundable { part("'\(top.name)'") }
    switch places.last {
    case .message: if text.equals("content") { key = .content }
    case .block: blockKey(text)
    case .image: if text.equals("source") { key = .source }
    case .source:
      if text.equals("bytes") { key = .bytes } else { part("an image that is stored elsewhere") }
    case .config:
      configIsEmpty = false
      configKey(text, at: range.lowerBound)
    case .tier: if text.equals("type") { key = .type }
    case .free where top == .toolConfig && depth == 2:
      if text.equals("tools") { key = .tools }
    case .tool:
      if !text.equals("toolSpec"), !text.equals("cachePoint") {
        part("the tool '\(Self.shown(text))', which runs at the provider")
      }
    default: break
    }
  }

  private mutating func topKey(_ text: JSONText, at offset: Int) {
    top = said.key(text, at: offset, fault: &fault)
  }

  private mutating func blockKey(_ text: JSONText) {
    if text.equals("image") {
      key = .image
    } else if text.equals("toolResult") || text.equals("content") {
      key = .content
    } else if !Self.blockKeys.contains(where: { text.equals($0) }) {
      part("a content block with '\(Self.shown(text))'")
    }
  }

  private mutating func configKey(_ text: JSONText, at offset: Int) {
    if text.equals("maxTokens") {
      if hasMaxTokens { note(.said("inferenceConfig.maxTokens", at: offset)) }
      hasMaxTokens = true
      key = .maxTokens
    } else if text.equals("max_new_tokens") {
      if hasMaxNewTokens { note(.said("inferenceConfig.max_new_tokens", at: offset)) }
      hasMaxNewTokens = true
      key = .maxNewTokens
    } else if equalsIgnoringCase(text.bytes, "maxtokens") {
      note(.lookalike("maxTokens", at: offset))
    }
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    switch (places.last, key) {
    case (.source, .bytes): savedBytes += range.count
    case (.block, _), (.blocks, _): savedBytes += max(0, range.count - text.count - 2)
    case (.config, .maxTokens):
      note(.wrong("inferenceConfig.maxTokens", "a whole number", at: range.lowerBound))
    case (.tier, .type):
      // Said twice, it may be either: as if it were not said, any tier is reserved for.
      request.serviceTier = hasTier ? nil : text.string
      hasTier = true
    case (.top, _): if let top, top.isUnboundable, text.count > 0 { part("'\(top.name)'") }
    default: break
    }
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    if depth == 1, top == .inferenceConfig {
      if value == .null {
        nullConfig = range
      } else {
        note(.wrong("inferenceConfig", "an object", at: range.lowerBound))
      }
    }
    if places.last == .config, key == .maxNewTokens, case .number(let number?) = value {
      maxNewTokens = number >= 0 ? number : nil
      request.statedBounds.note(maxNewTokens, at: range)
    }
    guard places.last == .config, key == .maxTokens else { return }
    if value == .null {
      nullBound = range
    } else if case .number(let number?) = value, number >= 0 {
      request.outputTokensPerChoice = number
      request.statedBounds.note(number, at: range)
    } else {
      note(
        .wrong("inferenceConfig.maxTokens", "a whole number of at least 0", at: range.lowerBound))
    }
  }

  private mutating func part(_ words: String) {
    if request.unboundablePart == nil { request.unboundablePart = words }
  }

  private mutating func note(_ fault: PeekFault) { self.fault = self.fault ?? fault }

  private static func shown(_ text: JSONText) -> String {
    String(decoding: text.bytes.prefix(40), as: UTF8.self)
  }

  /// Keys of blocks that are text and nothing else, and of results of tools.
  private static let blockKeys: [StaticString] = [
    "text", "toolUse", "cachePoint", "reasoningContent", "citationsContent", "searchResult",
    "json", "toolUseId", "status", "name", "type",
  ]

  // MARK: - The result

  static let boundField = "inferenceConfig.maxTokens"
  private static let member = Array(#""maxTokens":"#.utf8)
  private static let whole = Array(#"{"maxTokens":"#.utf8)
  private static let config = Array(#""inferenceConfig":{"maxTokens":"#.utf8)

  consuming func finished(bodyBytes: Int) -> PeekedRequest {
    request.inputTokensMax =
      Int64(max(0, bodyBytes - savedBytes)) + messages * Self.tokensPerMessage
      + tools * Self.tokensPerTool + images * MessagesInputBound.tokensPerImage
      + (tools > 0 ? Self.tokensPerRequestWithTools : Self.tokensPerRequest)
    request.outputBoundField = Self.boundField
    request.outputBoundPlace = boundPlace
    request.hasPictures = images > 0
    return request
  }

  private var boundPlace: BoundPlace {
    let comma = [UInt8(ascii: ",")]
    let brace = [UInt8(ascii: "}")]
    if let value = nullBound { return BoundPlace(range: value, before: [], after: []) }
    if let start = configObject {
      return BoundPlace(
        range: start..<start, before: Self.member, after: configIsEmpty ? [] : comma)
    }
    if let value = nullConfig { return BoundPlace(range: value, before: Self.whole, after: brace) }
    return BoundPlace(
      range: topObject..<topObject, before: Self.config, after: topIsEmpty ? brace : brace + comma)
  }
}

extension PeekedRequest {
  /// A Converse request of the model that the path names.
  static func converse(
    _ body: UnsafeRawBufferPointer, path: PathTail, isStream: Bool
  ) throws(PeekFault) -> PeekedRequest {
    var request = try ConverseRequestSink.peek(body)
    request.model = path.bedrockModel ?? ""
    request.isStream = isStream
    request.noteStoredPrompt()
    // What a picture costs elsewhere, each model's maker decides.
    if request.hasPictures, !request.model.contains("anthropic.") {
      request.unboundablePart = request.unboundablePart ?? "an image"
    }
    return request
  }
}
