// Hears the parts of an embeddings request and keeps what admission needs.

/// The sink of an embeddings request. It has no output, so that its input bounds its cost.
///
/// The argument: a token stands for at least one byte of text, and a token that is given by its
/// number takes at least two bytes of the body; each input may be given marks at its ends.
struct EmbeddingsRequestSink: RequestSink {
  static let tokensPerRequest: Int64 = 16
  static let tokensPerInput: Int64 = 4

  private enum Key: UInt8, RequestKey, CaseIterable {
    case model, input
    // Servers of the same API take what is to be embedded under other names, pictures among it.
    case inputs, messages, images, content

    static let all = allCases
    var name: StaticString {
      switch self {
      case .model: "model"
      case .input: "input"
      case .inputs: "inputs"
      case .messages: "messages"
      case .images: "images"
      case .content: "content"
      }
    }
  }

  private(set) var fault: PeekFault?
  private var request = PeekedRequest()
  private var said = SaidKeys<Key>()
  private var top: Key?
  private var inputs: Int64 = 0
  private var savedBytes = 0

  init() {}

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    guard depth > 0 else { return }
    if top == .model { note(.wrong("model", "a string", at: offset)) }
    guard top == .input else { return }
    // What is no text and no list of numbers is a picture, or something else unknown.
    if isObject { request.unboundablePart = request.unboundablePart ?? "an input that is no text" }
    if depth == 2 { inputs += 1 }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {}

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    guard depth == 1 else { return }
    top = said.key(text, at: range.lowerBound, fault: &fault)
    guard let key = top else { return }
    if key.rawValue >= Key.inputs.rawValue {
      request.unboundablePart = request.unboundablePart ?? "'\(key.name)'"
    }
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if depth == 1, top == .model {
      guard let name = text.string else {
        return note(.wrong("model", "a string of at most 256 bytes", at: range.lowerBound))
      }
      request.model = name
    } else if top == .input {
      inputs += 1
      savedBytes += max(0, range.count - text.count - 2)
    }
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    if depth == 1, top == .model, value != .null {
      note(.wrong("model", "a string", at: range.lowerBound))
    }
  }

  private mutating func note(_ fault: PeekFault) { self.fault = self.fault ?? fault }

  consuming func finished(bodyBytes: Int) -> PeekedRequest {
    request.outputTokensPerChoice = 0
    request.inputTokensMax =
      Int64(max(0, bodyBytes - savedBytes)) + max(inputs, 1) * Self.tokensPerInput
      + Self.tokensPerRequest
    return request
  }
}
