// An upper bound of the tokens that a Responses request puts before the model.

/// What OpenAI bills for media, at its largest.
enum OpenAIMedia {
  /// A picture is scaled to at most eight tiles, or to a number of patches; the dearest model by
  /// tiles bills 2,833 tokens and 5,667 a tile, which no model by patches reaches.
  static let tokensPerImage: Int64 = 48_169
}

/// Counts the bound and finds parts that have none.
///
/// The argument is that of `MessagesInputBound`: all of the body may be shown to the model, a byte
/// a token at the most, its strings of text unescaped; a picture is what the provider bills for one
/// at most, whatever its bytes; constants stand for what the provider adds.
struct ResponsesInputBound {
  static let tokensPerRequest: Int64 = 256
  static let tokensPerRequestWithTools: Int64 = 1024
  static let tokensPerItem: Int64 = 16
  static let tokensPerTool: Int64 = 16

  private(set) var unboundablePart: String?
  private var savedBytes = 0
  private var items: Int64 = 0
  private var tools: Int64 = 0
  private var images: Int64 = 0

  private enum Place: UInt8 { case top, items, item, parts, part, image, tools, tool, free }
  private enum Key { case type, image, content, other }

  private var places: [Place] = []
  private var key = Key.other
  /// The current item, and the current part, said its type.
  private var itemHasType = false
  private var itemHasRole = false
  private var partHasType = false

  mutating func begin(isObject: Bool, under top: ResponsesRequestKey?) {
    let place = place(isObject: isObject, under: top)
    places.append(place)
    switch place {
    case .item:
      items += 1
      (itemHasType, itemHasRole) = (false, false)
    case .part: partHasType = false
    case .tool: tools += 1
    default: break
    }
    key = .other
  }

  private mutating func place(isObject: Bool, under top: ResponsesRequestKey?) -> Place {
    guard let outer = places.last else { return .top }
    switch outer {
    case .top:
      if top == .input, !isObject { return .items }
      return top == .tools && !isObject ? .tools : .free
    case .items: return isObject ? .item : unknown("an input item that is no object")
    case .item:
      if key == .type { return unknown("an input item whose type is not a string") }
      guard key == .content else { return .free }
      return isObject ? unknown("content that is neither a string nor an array") : .parts
    case .parts: return isObject ? .part : unknown("a content part that is no object")
    case .part:
      if key == .type { return unknown("a content part whose type is not a string") }
      return key == .image && isObject ? .image : .free
    case .tools: return isObject ? .tool : unknown("a tool that is no object")
    case .tool:
      if key == .type { return unknown("a tool whose type is not a string") }
      return .free
    case .image, .free: return .free
    }
  }

  private mutating func unknown(_ part: String) -> Place {
    name(part)
    return .free
  }

  mutating func end() {
    switch places.popLast() {
    case .item: if !itemHasType, !itemHasRole { name("an input item without a type") }
    case .part: if !partHasType { name("a content part without a type") }
    default: break
    }
    key = .other
  }

  mutating func key(_ text: JSONText) {
    key = .other
    switch places.last {
    case .item:
      if text.equals("type") { key = .type }
      if text.equals("role") { itemHasRole = true }
      if text.equals("content") || text.equals("output") || text.equals("summary") {
        key = .content
      }
    case .part:
      if text.equals("type") { key = .type }
      if text.equals("image_url") {
        key = .image
        images += 1
      } else if text.equals("file_id") || text.equals("file_data") || text.equals("file_url") {
        // A picture of the provider's store is billed as any other; a document is not bounded, and
        // its part's type says so.
        images += 1
      }
    case .tool: if text.equals("type") { key = .type }
    default: break
    }
  }

  mutating func string(_ text: JSONText, under top: ResponsesRequestKey?, at range: Range<Int>) {
    switch places.last {
    case .top: if top == .input || top == .instructions { save(text, range) }
    case .item:
      if key == .type { itemType(text) }
      if key == .content { save(text, range) }
    case .parts: save(text, range)
    case .part:
      if key == .type { partType(text) }
      if key == .image { savedBytes += range.count } else { save(text, range) }
    case .image: savedBytes += range.count
    case .tool: if key == .type { toolType(text) }
    default: break
    }
  }

  private mutating func save(_ text: JSONText, _ range: Range<Int>) {
    savedBytes += max(0, range.count - text.count - 2)
  }

  private mutating func itemType(_ text: JSONText) {
    itemHasType = true
    if !Self.itemTypes.contains(where: { text.equals($0) }) {
      name("an input item of type '\(Self.shown(text))'")
    }
  }

  private mutating func partType(_ text: JSONText) {
    partHasType = true
    if !Self.partTypes.contains(where: { text.equals($0) }) {
      name("a content part of type '\(Self.shown(text))'")
    }
  }

  private mutating func toolType(_ text: JSONText) {
    if !Self.toolTypes.contains(where: { text.equals($0) }) {
      name("a tool of type '\(Self.shown(text))', which runs at the provider")
    }
  }

  private mutating func name(_ part: String) {
    if unboundablePart == nil { unboundablePart = part }
  }

  /// The bound, in tokens.
  func tokens(bodyBytes: Int) -> Int64 {
    Int64(max(0, bodyBytes - savedBytes)) + items * Self.tokensPerItem
      + tools * Self.tokensPerTool + images * OpenAIMedia.tokensPerImage
      + (tools > 0 ? Self.tokensPerRequestWithTools : Self.tokensPerRequest)
  }

  private static func shown(_ text: JSONText) -> String {
    String(decoding: text.bytes.prefix(40), as: UTF8.self)
  }

  /// Items whose tokens come from the body's text and pictures alone.
  private static let itemTypes: [StaticString] = [
    "message", "function_call", "function_call_output", "custom_tool_call",
    "custom_tool_call_output", "reasoning",
  ]
  private static let partTypes: [StaticString] = [
    "input_text", "output_text", "text", "refusal", "summary_text", "reasoning_text",
    "input_image",
  ]
  private static let toolTypes: [StaticString] = ["function", "custom"]
}
