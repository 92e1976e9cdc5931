// An upper bound of the tokens that a Messages request puts before the model.

/// Counts the bound and finds parts that have none.
///
/// The argument. (1) A token stands for at least one byte of the text that it encodes. (2) All of
/// the body may be shown to the model, keys and punctuation included, so that the body's bytes are
/// a bound; strings of `system` and `messages` are counted unescaped, as the model is shown them.
/// Input of tool calls stays as it stands in the body, since it is shown as JSON. (3) A picture's
/// bytes are no text: in their place stands the most that the provider bills for one, whatever its
/// size, since larger ones are scaled down. (4) What the provider adds is bounded by constants: per
/// message, per request (more where tools are declared), per tool, more for the tools that the
/// provider itself describes. (5) Parts whose tokens do not come from the body's text (documents
/// that are no text, files, anything unknown) are named, never guessed.
struct MessagesInputBound {
  static let tokensPerRequest: Int64 = 256
  static let tokensPerRequestWithTools: Int64 = 1024
  static let tokensPerMessage: Int64 = 16
  static let tokensPerTool: Int64 = 16
  /// The provider's own descriptions of its client tools are the longest at some 1,300 tokens.
  static let tokensPerKnownTool: Int64 = 2048
  /// Pictures of up to 2,576 pixels a side, at a token for 750 square pixels, are billed at no more
  /// than 4,784 tokens; most models scale to a third of that.
  static let tokensPerImage: Int64 = 4_784

  private(set) var unboundablePart: String?
  private var savedBytes = 0
  private var messages: Int64 = 0
  private var tools: Int64 = 0
  private var knownTools: Int64 = 0
  private var images: Int64 = 0

  /// What an open container is.
  private enum Place: UInt8 {
    case top, messages, message, blocks, block, source, tools, tool
    /// Shown as it stands.
    case free
  }

  private enum Key { case content, source, type, data, text, other }

  private struct Block {
    var type = Kind.unseen
    var source = Source.none
    var dataBytes = 0
  }

  private enum Kind { case unseen, text, image, document, unknown }
  private enum Source { case none, text, base64, url, file, content, unknown }

  private var places: [Place] = []
  private var blocks: [Block] = []
  private var key = Key.other

  mutating func begin(isObject: Bool, under top: MessagesRequestKey?, depth: Int) {
    places.append(place(isObject: isObject, under: top, depth: depth))
    switch places[places.count - 1] {
    case .message: messages += 1
    case .block: blocks.append(Block())
    case .tool: tools += 1
    default: break
    }
    key = .other
  }

  private mutating func place(
    isObject: Bool, under top: MessagesRequestKey?, depth: Int
  ) -> Place {
    guard let outer = places.last else { return .top }
    switch outer {
    case .top:
      switch top {
      case .messages where !isObject: return .messages
      case .system where !isObject: return .blocks
      case .tools where !isObject: return .tools
      default: return .free
      }
    case .messages: return isObject ? .message : unknown("a message that is no object")
    case .message:
      guard key == .content else { return unknown("an unknown field of a message") }
      return isObject ? unknown("content that is neither a string nor an array") : .blocks
    case .blocks: return isObject ? .block : unknown("a content block that is no object")
    case .block:
      if key == .source, isObject { return .source }
      if key == .type { return unknown("a content block whose type is not a string") }
      // Results of tools hold blocks of their own.
      return key == .content && !isObject ? .blocks : .free
    case .source:
      if key == .content, !isObject { return .blocks }
      return unknown("a source that holds an object")
    case .tools: return isObject ? .tool : unknown("a tool that is no object")
    case .tool:
      if key == .type { return unknown("a tool whose type is not a string") }
      return .free
    case .free: return .free
    }
  }

  private mutating func unknown(_ part: String) -> Place {
    name(part)
    return .free
  }

  mutating func end() {
    let place = places.popLast()
    if place == .block, let block = blocks.popLast() { take(block) }
    key = .other
  }

  /// A whole block: what it is may be said after what it holds.
  private mutating func take(_ block: Block) {
    switch (block.type, block.source) {
    case (.text, .none): break
    case (.image, .base64):
      images += 1
      savedBytes += block.dataBytes
    case (.image, .url), (.image, .file): images += 1
    case (.document, .text), (.document, .content): break
    case (.document, .base64), (.document, .url), (.document, .file):
      name("a document that is not given as text")
    case (.unseen, _): name("a content block without a type")
    default: name("a content block whose source is unknown")
    }
  }

  mutating func key(_ text: JSONText) {
    key = .other
    switch places.last {
    case .message: if text.equals("content") { key = .content }
    case .block:
      if text.equals("type") { key = .type }
      if text.equals("source") { key = .source }
      if text.equals("content") { key = .content }
    case .source:
      if text.equals("type") { key = .type }
      if text.equals("data") { key = .data }
      if text.equals("content") { key = .content }
    case .tool: if text.equals("type") { key = .type }
    default: break
    }
  }

  mutating func string(_ text: JSONText, under top: MessagesRequestKey?, at range: Range<Int>) {
    switch places.last {
    case .top where top == .system: save(text, range)
    case .message, .blocks: save(text, range)
    case .block:
      if key == .type { blockType(text) }
      save(text, range)
    case .source: sourceString(text, range)
    case .tool: if key == .type { toolType(text) }
    default: break
    }
  }

  private mutating func save(_ text: JSONText, _ range: Range<Int>) {
    savedBytes += max(0, range.count - text.count - 2)
  }

  private mutating func sourceString(_ text: JSONText, _ range: Range<Int>) {
    guard !blocks.isEmpty else { return }
    let last = blocks.count - 1
    if key == .data { blocks[last].dataBytes = range.count }
    guard key == .type else { return }
    if blocks[last].source != .none { name("a source that says twice what it is") }
    blocks[last].source =
      if text.equals("base64") {
        .base64
      } else if text.equals("text") {
        .text
      } else if text.equals("url") {
        .url
      } else if text.equals("file") {
        .file
      } else if text.equals("content") {
        .content
      } else {
        .unknown
      }
  }

  /// Of two types nobody knows which one the server reads.
  private mutating func blockType(_ text: JSONText) {
    let last = blocks.count - 1
    if blocks[last].type != .unseen { name("a content block that says twice what it is") }
    blocks[last].type = kind(text)
  }

  private mutating func kind(_ text: JSONText) -> Kind {
    if text.equals("image") { return .image }
    if text.equals("document") { return .document }
    if Self.textTypes.contains(where: { text.equals($0) }) { return .text }
    name("a content block of type '\(Self.shown(text))'")
    return .unknown
  }

  private mutating func toolType(_ text: JSONText) {
    if text.equals("custom") { return }
    let known = ["bash_", "text_editor_", "computer_20", "memory_"]
    let type = Self.shown(text)
    if known.contains(where: type.hasPrefix) {
      knownTools += 1
    } else {
      name("a tool of type '\(type)', which runs at the provider")
    }
  }

  private mutating func name(_ part: String) {
    if unboundablePart == nil { unboundablePart = part }
  }

  /// The bound, in tokens.
  func tokens(bodyBytes: Int) -> Int64 {
    Int64(max(0, bodyBytes - savedBytes)) + messages * Self.tokensPerMessage
      + tools * Self.tokensPerTool + knownTools * Self.tokensPerKnownTool
      + images * Self.tokensPerImage
      + (tools > 0 ? Self.tokensPerRequestWithTools : Self.tokensPerRequest)
  }

  /// A name from the request, short enough for a message.
  private static func shown(_ text: JSONText) -> String {
    String(decoding: text.bytes.prefix(40), as: UTF8.self)
  }

  /// Blocks that are text and nothing else; results of server tools of earlier turns among them.
  private static let textTypes: [StaticString] = [
    "text", "tool_use", "tool_result", "thinking", "redacted_thinking", "search_result",
    "server_tool_use", "web_search_tool_result", "web_search_result", "code_execution_tool_result",
    "bash_code_execution_tool_result", "text_editor_code_execution_tool_result",
    "tool_search_tool_result", "tool_reference", "mcp_tool_use", "mcp_tool_result", "compaction",
    "fallback",
  ]
}
