// The text of a response as a sample keeps it.

/// Puts a response together from its document, or from the event that ends its stream.
struct ResponsesGathering: AnswerGathering {
  private var response: JSONTree?
  /// Text of a stream that did not come to its end.
  private var parts = ""
  private var errorMessage: String?

  init() {}

  mutating func take(_ document: JSONTree) {
    if let whole = document["response"] {
      if whole["output"]?.elements.isEmpty == false || response == nil { response = whole }
      note(whole["error"])
    } else if document["output"] != nil {
      response = document
    }
    note(document["error"])
    if document["type"]?.string == "response.output_text.delta" {
      parts += document["delta"]?.string ?? ""
    }
    if document["type"]?.string == "error" { errorMessage = document["message"]?.string ?? "error" }
  }

  private mutating func note(_ error: JSONTree?) {
    if let message = error?["message"]?.string ?? error?.string { errorMessage = message }
  }

  func output() -> OutputText {
    var output = OutputText()
    output.errorMessage = errorMessage
    // An answer that is incomplete says why: its length, or a filter.
    output.finishReason =
      response?["incomplete_details"]?["reason"]?.string ?? response?["status"]?.string ?? ""
    let items = response?["output"]?.elements ?? []
    let texts = items.flatMap { item in
      item["type"]?.string == "message" ? item["content"]?.elements ?? [] : []
    }.compactMap { $0["text"]?.string ?? $0["refusal"]?.string }
    output.text = texts.isEmpty ? parts : texts.joined(separator: "\n")
    output.take(
      items.filter { ["function_call", "custom_tool_call"].contains($0["type"]?.string) }
        .map { item in
          var call = ToolCall()
          call.name = item["name"]?.string ?? ""
          call.arguments = item["arguments"]?.string ?? item["input"]?.string ?? ""
          return call
        })
    return output
  }
}

/// What a model was asked in a Responses request.
enum ResponsesInputText {
  static func extract(_ body: [UInt8]) -> String {
    guard let request = body.withUnsafeBytes({ JSONTree($0, isStrict: false) }) else { return "" }
    var paragraphs: [String] = []
    if let instructions = request["instructions"]?.string {
      paragraphs.append("system: \(instructions)")
    }
    if let text = request["input"]?.string { paragraphs.append("user: \(text)") }
    for item in request["input"]?.elements ?? [] {
      switch item["type"]?.string {
      case nil, "message":
        let role = item["role"]?.string ?? "?"
        paragraphs.append("\(role): \(ChatInputText.content(item["content"]))")
      case "function_call_output", "custom_tool_call_output":
        paragraphs.append("tool: \(ChatInputText.content(item["output"]))")
      case "function_call", "custom_tool_call":
        var call = ToolCall()
        call.name = item["name"]?.string ?? ""
        call.arguments = item["arguments"]?.string ?? item["input"]?.string ?? ""
        paragraphs.append("assistant: \(ToolCall.json([call]))")
      case let type?: paragraphs.append("[\(type)]")
      }
    }
    return paragraphs.joined(separator: "\n\n")
  }
}
