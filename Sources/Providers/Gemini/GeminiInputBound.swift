// An upper bound of the tokens that a Gemini request puts before the model.

/// Counts the bound and finds parts that have none.
///
/// The argument is that of `MessagesInputBound`: all of the body may be shown to the model, a byte
/// a token at the most, its texts unescaped; constants stand for what the provider adds. A picture
/// is billed by tiles that follow its shape: the bound holds for pictures whose sides differ by no
/// more than ten times, of which there are at most thirty tiles of 258 tokens; later models bill
/// fewer, 2,240 at their finest resolution. Pictures that a function answers with are the same.
/// Sound, films and documents are billed by their length, which their bytes do not tell.
struct GeminiInputBound {
  static let tokensPerRequest: Int64 = 256
  static let tokensPerContent: Int64 = 16
  static let tokensPerTool: Int64 = 256
  /// A declaration as the model is shown it may be longer than its shortest JSON.
  static let tokensPerDeclaration: Int64 = 64
  static let tokensPerImage: Int64 = 30 * 258

  private(set) var unboundablePart: String?
  private var savedBytes = 0
  private var contents: Int64 = 0
  private var tools: Int64 = 0
  private var declarations: Int64 = 0
  private var images: Int64 = 0

  private enum Place: UInt8 {
    case top, requests, request, contents, content, parts, part, blob, response
    case tools, tool, declarations, declaration, free
  }

  private enum Key { case content, parts, text, blob, response, mimeType, data, functions, other }

  private var places: [Place] = []
  private var key = Key.other
  private var dataBytes = 0
  private var isImage = false
  private var saysType = false

  mutating func begin(isObject: Bool, under top: GeminiRequestKey?) {
    let place = place(isObject: isObject, under: top)
    places.append(place)
    switch place {
    case .content: contents += 1
    case .tool: tools += 1
    case .declaration: declarations += 1
    case .blob: (dataBytes, isImage, saysType) = (0, false, false)
    default: break
    }
    key = .other
  }

  private mutating func place(isObject: Bool, under top: GeminiRequestKey?) -> Place {
    guard let outer = places.last else { return .top }
    switch outer {
    case .top:
      switch top {
      case .contents: return isObject ? .content : .contents
      case .content, .systemInstruction: return isObject ? .content : unknown("content in a list")
      case .requests: return isObject ? unknown("requests that are no list") : .requests
      case .tools: return isObject ? .tool : .tools
      default: return .free
      }
    case .requests: return isObject ? .request : unknown("a request that is no object")
    case .request: return key == .content && isObject ? .content : .free
    case .contents: return isObject ? .content : unknown("content that is no object")
    case .content:
      guard key == .parts else { return unknown("an unknown field of a content") }
      return isObject ? .part : .parts
    case .parts: return isObject ? .part : unknown("a part that is no object")
    case .part:
      switch key {
      case .blob: return isObject ? .blob : unknown("inline data that is no object")
      case .response: return isObject ? .response : unknown("an answer that is no object")
      default: return .free
      }
    // What a function answers can hold parts of its own.
    case .response:
      guard key == .parts else { return .free }
      return isObject ? .part : .parts
    case .tools: return isObject ? .tool : unknown("a tool that is no object")
    case .tool:
      guard key == .functions else { return .free }
      return isObject ? .declaration : .declarations
    case .declarations: return isObject ? .declaration : .free
    case .declaration, .blob, .free: return .free
    }
  }

  private mutating func unknown(_ part: String) -> Place {
    name(part)
    return .free
  }

  mutating func end() {
    if places.popLast() == .blob {
      if isImage {
        images += 1
        savedBytes += dataBytes
      } else {
        name("inline data that is no picture")
      }
    }
    key = .other
  }

  mutating func key(_ text: JSONText) {
    key = .other
    switch places.last {
    case .request: if text.equals("content") { key = .content }
    case .content, .response: if text.equals("parts") { key = .parts }
    case .part: partKey(text)
    case .blob:
      if text.equals("mimeType") || text.equals("mime_type") { key = .mimeType }
      if text.equals("data") { key = .data }
    case .tool:
      if text.equals("functionDeclarations") || text.equals("function_declarations") {
        key = .functions
      } else {
        name("the tool '\(Self.shown(text))', which runs at the provider")
      }
    default: break
    }
  }

  private mutating func partKey(_ text: JSONText) {
    if text.equals("text") {
      key = .text
    } else if text.equals("inlineData") || text.equals("inline_data") {
      key = .blob
    } else if text.equals("functionResponse") || text.equals("function_response") {
      key = .response
    } else if !Self.partKeys.contains(where: { text.equals($0) }) {
      name("a part with '\(Self.shown(text))'")
    }
  }

  mutating func string(_ text: JSONText, at range: Range<Int>) {
    switch (places.last, key) {
    case (.part, .text): savedBytes += max(0, range.count - text.count - 2)
    case (.blob, .data): dataBytes = range.count
    case (.blob, .mimeType):
      // Said twice, both must say so: parsers disagree about which one counts.
      isImage = Self.isImage(text) && (isImage || !saysType)
      saysType = true
    case (.parts, _), (.contents, _): savedBytes += max(0, range.count - text.count - 2)
    default: break
    }
  }

  private static func isImage(_ text: JSONText) -> Bool {
    let prefix: StaticString = "image/"
    guard text.bytes.count > prefix.utf8CodeUnitCount else { return false }
    return (0..<prefix.utf8CodeUnitCount).allSatisfy { text.bytes[$0] == prefix.utf8Start[$0] }
  }

  private mutating func name(_ part: String) {
    if unboundablePart == nil { unboundablePart = part }
  }

  /// The bound, in tokens.
  func tokens(bodyBytes: Int) -> Int64 {
    Int64(max(0, bodyBytes - savedBytes)) + contents * Self.tokensPerContent
      + tools * Self.tokensPerTool + declarations * Self.tokensPerDeclaration
      + images * Self.tokensPerImage + Self.tokensPerRequest
  }

  private static func shown(_ text: JSONText) -> String {
    String(decoding: text.bytes.prefix(40), as: UTF8.self)
  }

  /// What may stand in a part beside text and pictures.
  private static let partKeys: [StaticString] = [
    "thought", "thoughtSignature", "thought_signature", "functionCall", "function_call",
    "executableCode", "executable_code",
    "codeExecutionResult", "code_execution_result", "partMetadata", "part_metadata",
    "mediaResolution", "media_resolution",
  ]
}
