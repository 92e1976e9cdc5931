// An upper bound of the tokens that a chat request puts before the model, from its bytes alone.
//
// No tokenizer is needed: whatever a request says, a model cannot see more tokens of it than bytes.

/// Counts the bound and finds parts that have none.
///
/// The argument. (1) A token of a byte-level tokenizer stands for at least one byte of the text
/// that it encodes, so text of b bytes has at most b tokens. (2) What the model is shown of
/// `messages` are their keys and strings, unescaped, and numbers; each is counted by its bytes, and
/// by `punctuation` more, for templates that print parts as JSON or put marks between them.
/// Arguments of tool calls are counted as they stand in the body, escapes included, since templates
/// escape them again. (3) Everything beside `messages` (tools, functions, schemas, templates'
/// arguments) is counted by its bytes in the body, punctuation included; providers print tools no
/// longer than that. (4) What templates add is bounded by constants: per message (role marks), per
/// tool, per request (the provider's own preamble, larger where tools are declared). (5) Parts
/// whose tokens do not come from the body's text (images, files, audio, anything unknown) are
/// named, never guessed.
struct ChatInputBound {
  static let tokensPerRequest: Int64 = 256
  static let tokensPerRequestWithTools: Int64 = 1024
  static let tokensPerMessage: Int64 = 16
  static let tokensPerTool: Int64 = 16
  /// Quotes, a colon and a comma.
  static let punctuation = 4

  private(set) var unboundablePart: String?
  /// Bytes of the value of `messages`, which are counted by its text instead.
  private var messagesBytes = 0
  private var messagesStart = 0
  private var textBytes = 0
  private var messages: Int64 = 0
  private var tools: Int64 = 0
  private var images: Int64 = 0
  /// Depth of the `image_url` key under which the reader is; nil: it is elsewhere.
  private var imageDepth: Int?
  private var field = Field.other
  private var hasTools = false
  private var isTypeKey = false

  /// The member of a message or tool in which the reader is.
  private enum Field { case content, toolCalls, other }

  mutating func begin(isObject: Bool, under top: ChatRequestKey?, at offset: Int, depth: Int) {
    guard depth > 0 else { return }
    switch top {
    case .messages:
      if depth == 1 { messagesStart = offset } else { textBytes += Self.punctuation }
      if depth == 2 {
        messages += 1
        field = .other
      }
      // A part of an array of content; where `content` itself is an object, it is one part.
      if field == .content, isTypeKey, depth >= 4 {
        name("a content part whose type is not a string")
      }
    case .tools, .functions:
      hasTools = true
      if depth == 2 { tools += 1 }
      if depth == 3, isTypeKey { name("a tool whose type is not a string") }
    default: break
    }
    isTypeKey = false
  }

  mutating func end(under top: ChatRequestKey?, at offset: Int, depth: Int) {
    guard top == .messages else { return }
    if depth == 1 { messagesBytes = offset + 1 - messagesStart }
    if depth == 2 { field = .other }
    if let imageDepth, depth < imageDepth { self.imageDepth = nil }
  }

  mutating func key(_ text: JSONText, under top: ChatRequestKey?, depth: Int) {
    isTypeKey = false
    if let imageDepth, depth <= imageDepth { self.imageDepth = nil }
    switch top {
    case .messages:
      // A picture's address, or its bytes, are no text: it is billed as a picture.
      if imageDepth != nil { return }
      textBytes += text.count + Self.punctuation
      if field == .content, depth >= 4, text.equals("image_url") {
        imageDepth = depth
        images += 1
        return
      }
      if depth == 3 {
        messageKey(text)
      } else if depth >= 4, field == .content {
        isTypeKey = text.equals("type")
        if !isTypeKey { partKey(text) }
      }
    case .tools where depth == 3:
      isTypeKey = text.equals("type")
      if !isTypeKey, !Self.toolKeys.contains(where: { text.equals($0) }) {
        name("the tool field '\(Self.shown(text))'")
      }
    default: break
    }
  }

  private mutating func messageKey(_ text: JSONText) {
    if text.equals("content") {
      field = .content
    } else if text.equals("tool_calls") || text.equals("function_call") {
      field = .toolCalls
    } else {
      field = .other
      if Self.mediaKeys.contains(where: { equalsIgnoringCase(text.bytes, $0) }) {
        name("the message field '\(Self.shown(text))'")
      }
    }
  }

  private mutating func partKey(_ text: JSONText) {
    if !Self.partKeys.contains(where: { text.equals($0) }) {
      name("the content part field '\(Self.shown(text))'")
    }
  }

  mutating func string(
    _ text: JSONText, under top: ChatRequestKey?, at range: Range<Int>, depth: Int
  ) {
    switch top {
    case .messages where imageDepth != nil: break
    case .messages:
      textBytes += (field == .toolCalls ? range.count : text.count) + Self.punctuation
      if isTypeKey, field == .content, !Self.textTypes.contains(where: { text.equals($0) }) {
        name("a content part of type '\(Self.shown(text))'")
      }
    case .tools:
      if isTypeKey, depth == 3, !text.equals("function"), !text.equals("custom") {
        name("a tool of type '\(Self.shown(text))', which runs at the provider")
      }
    default: break
    }
    isTypeKey = false
  }

  mutating func scalar(bytes: Int, under top: ChatRequestKey?, depth: Int) {
    if top == .messages { textBytes += bytes + Self.punctuation }
    isTypeKey = false
  }

  private mutating func name(_ part: String) {
    if unboundablePart == nil { unboundablePart = part }
  }

  /// The bound, in tokens.
  func tokens(bodyBytes: Int) -> Int64 {
    Int64(bodyBytes - messagesBytes + textBytes) + messages * Self.tokensPerMessage
      + images * OpenAIMedia.tokensPerImage
      + tools * Self.tokensPerTool
      + (hasTools ? Self.tokensPerRequestWithTools : Self.tokensPerRequest)
  }

  /// A name from the request, short enough for a message.
  private static func shown(_ text: JSONText) -> String {
    String(decoding: text.bytes.prefix(40), as: UTF8.self)
  }

  /// What may stand in a part of content that is text and nothing else.
  private static let partKeys: [StaticString] = [
    "text", "refusal", "cache_control", "annotations", "citations", "ttl", "thinking", "signature",
    "reasoning", "summary", "id", "name",
  ]
  private static let textTypes: [StaticString] = [
    "text", "image_url", "input_text", "output_text", "refusal", "thinking", "reasoning",
    "ephemeral",
  ]
  private static let toolKeys: [StaticString] = [
    "function", "custom", "name", "description", "parameters", "strict", "cache_control",
    "input_schema", "format",
  ]
  private static let mediaKeys: [StaticString] = [
    "audio", "images", "image", "image_url", "video", "video_url", "files", "file", "file_ids",
    "attachments", "documents", "input_audio", "audio_url",
  ]
}
