// The text of an InvokeModel call as a sample keeps it, whatever the model's maker.

/// Puts an answer together from its document, or from the chunks of its stream.
struct InvokeGathering: AnswerGathering {
  private var messages = MessagesGathering()
  private var chat = ChatGathering()
  private var nova = ConverseGathering()
  private var own = OutputText()

  init() {}

  /// Reads the chunks of a recorded stream.
  static func extract(frames body: [UInt8]) -> OutputText {
    var gathering = Self()
    for payload in EventStreamPayloads.all(in: body) {
      let frame = payload.withUnsafeBytes { JSONTree($0, isStrict: false) }
      guard let text = frame?["bytes"]?.string else {
        if let message = frame?["message"]?.string { gathering.own.errorMessage = message }
        continue
      }
      let chunk = Array(text.utf8).withUnsafeBytes { Base64.decoded($0) }
      if let document = chunk?.withUnsafeBytes({ JSONTree($0, isStrict: false) }) {
        gathering.take(document)
      }
    }
    return gathering.output()
  }

  mutating func take(_ document: JSONTree) {
    messages.take(document)
    chat.take(document)
    nova.take(document)
    for event in ["contentBlockStart", "contentBlockDelta", "messageStop"] {
      if let part = document[event] { nova.take(part) }
    }
    // Llama, Titan, Cohere; then lists of what Mistral, Titan and Cohere made.
    for name in ["generation", "outputText", "text"] {
      own.text += document[name]?.string ?? ""
    }
    for name in ["outputs", "results", "generations"] {
      for element in document[name]?.elements ?? [] {
        own.text += element["text"]?.string ?? element["outputText"]?.string ?? ""
        own.finishReason = Self.reason(of: element) ?? own.finishReason
      }
    }
    own.finishReason = Self.reason(of: document) ?? own.finishReason
  }

  private static func reason(of tree: JSONTree) -> String? {
    ["stop_reason", "finish_reason", "completionReason"].lazy.compactMap { tree[$0]?.string }.first
  }

  func output() -> OutputText {
    let all = [messages.output(), chat.output(), nova.output(), own]
    var output = all.first { !$0.combined.isEmpty } ?? own
    if output.finishReason.isEmpty {
      output.finishReason = all.lazy.map(\.finishReason).first { !$0.isEmpty } ?? ""
    }
    output.errorMessage = output.errorMessage ?? all.lazy.compactMap(\.errorMessage).first
    return output
  }
}

/// What a model was asked in an InvokeModel request.
enum InvokeInputText {
  static func extract(_ body: [UInt8]) -> String {
    guard let request = body.withUnsafeBytes({ JSONTree($0, isStrict: false) }) else { return "" }
    for name in ["prompt", "inputText", "message"] {
      if let text = request[name]?.string { return text }
    }
    if request["anthropic_version"] != nil { return MessagesInputText.extract(body) }
    // Nova's blocks have no type, as Converse's.
    let blocks = request["messages"]?.elements.first?["content"]?.elements ?? []
    if let block = blocks.first, block["type"] == nil { return ConverseInputText.extract(body) }
    return ChatInputText.extract(body)
  }
}
