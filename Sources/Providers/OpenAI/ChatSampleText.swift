// The text of a chat as a sample keeps it.

/// What a model was asked in a chat.
enum ChatInputText {
  /// The messages of a request, one paragraph each: `role: text`. Parts that are no text stand as
  /// `[image_url]`; tool calls as JSON. Empty where the body is no chat request.
  static func extract(_ body: [UInt8]) -> String {
    guard let request = body.withUnsafeBytes({ JSONTree($0, isStrict: false) }) else { return "" }
    // A legacy request has a prompt in their place.
    if let prompt = request["prompt"] { return content(prompt) }
    let messages = request["messages"]?.elements ?? []
    return messages.map { message in
      var parts = [content(message["content"])]
      let calls = ToolCall.json(ToolCall.whole(in: message))
      if !calls.isEmpty { parts.append(calls) }
      let text = parts.filter { !$0.isEmpty }.joined(separator: "\n")
      return "\(message["role"]?.string ?? "?"): \(text)"
    }.joined(separator: "\n\n")
  }

  /// The text of a message's content, which is a string or an array of parts.
  static func content(_ content: JSONTree?) -> String {
    switch content {
    case .string(let text): text
    case .array(let parts):
      parts.map { part in
        part.string ?? part["text"]?.string ?? part["refusal"]?.string
          ?? "[\(part["type"]?.string ?? "part")]"
      }.joined(separator: "\n")
    default: ""
    }
  }
}

extension ToolCall {
  static func whole(in message: JSONTree) -> [ToolCall] {
    var calls = (message["tool_calls"]?.elements ?? []).map { entry in
      var call = ToolCall()
      call.take(entry["function"] ?? entry["custom"])
      return call
    }
    if let function = message["function_call"], case .object = function {
      var call = ToolCall()
      call.take(function)
      calls.append(call)
    }
    return calls
  }

  mutating func take(_ function: JSONTree?) {
    name += function?["name"]?.string ?? ""
    arguments += function?["arguments"]?.string ?? function?["input"]?.string ?? ""
  }
}

/// Puts an answer together from one document or from a stream's events.
struct ChatGathering: AnswerGathering {
  private struct Choice {
    var text = ""
    var refusal = ""
    var finishReason = ""
    var calls: [ToolCall] = []
  }

  private var choices: [Int: Choice] = [:]
  private var errorMessage: String?

  mutating func take(_ document: JSONTree) {
    switch document["error"] {
    case .string(let text): errorMessage = text
    case .object(let members):
      errorMessage = members.last { $0.name == "message" }?.value.string ?? "error"
    default: break
    }
    for (position, entry) in (document["choices"]?.elements ?? []).enumerated() {
      var index = position
      if case .number(let text)? = entry["index"] { index = Int(text) ?? position }
      var choice = choices[index] ?? Choice()
      choice.text += entry["text"]?.string ?? ""
      if let message = entry["message"] ?? entry["delta"] {
        choice.text += ChatInputText.content(message["content"])
        choice.refusal += message["refusal"]?.string ?? ""
        Self.takeCalls(message, into: &choice)
      }
      if let reason = entry["finish_reason"]?.string { choice.finishReason = reason }
      choices[index] = choice
    }
  }

  private static func takeCalls(_ message: JSONTree, into choice: inout Choice) {
    for (position, entry) in (message["tool_calls"]?.elements ?? []).enumerated() {
      var index = position
      if case .number(let text)? = entry["index"] { index = Int(text) ?? position }
      // An index is the next call's or a known one's; anything else would be a hole.
      index = min(max(0, index), choice.calls.count)
      if index == choice.calls.count { choice.calls.append(ToolCall()) }
      choice.calls[index].take(entry["function"] ?? entry["custom"])
    }
    if let function = message["function_call"], case .object = function {
      if choice.calls.isEmpty { choice.calls.append(ToolCall()) }
      choice.calls[0].take(function)
    }
  }

  func output() -> OutputText {
    var output = OutputText()
    let ordered = choices.sorted { $0.key < $1.key }.map(\.value)
    output.text = ordered.map { $0.text.isEmpty ? $0.refusal : $0.text }
      .joined(separator: "\n")
    output.finishReason = ordered.first?.finishReason ?? ""
    output.take(ordered.flatMap(\.calls))
    output.errorMessage = errorMessage
    return output
  }
}
