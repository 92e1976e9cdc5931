// The text of an Ollama call as a sample keeps it.

/// Puts an answer together from its document, or from the lines of its stream.
struct OllamaGathering {
  private var output = OutputText()
  private var calls: [ToolCall] = []

  /// Reads a whole body; one document is a stream of one line.
  static func extract(_ body: [UInt8]) -> OutputText {
    var gathering = OllamaGathering()
    for line in body.split(separator: 0x0A) {
      if let document = Array(line).withUnsafeBytes({ JSONTree($0, isStrict: false) }) {
        gathering.take(document)
      }
    }
    gathering.output.take(gathering.calls)
    return gathering.output
  }

  private mutating func take(_ document: JSONTree) {
    if let error = document["error"]?.string { output.errorMessage = error }
    if let reason = document["done_reason"]?.string { output.finishReason = reason }
    output.text += document["response"]?.string ?? document["message"]?["content"]?.string ?? ""
    for entry in document["message"]?["tool_calls"]?.elements ?? [] {
      var call = ToolCall()
      call.name = entry["function"]?["name"]?.string ?? ""
      var json = JSONWriter()
      (entry["function"]?["arguments"] ?? .object([])).write(to: &json)
      call.arguments = String(decoding: json.bytes, as: UTF8.self)
      calls.append(call)
    }
  }
}

/// What a model was asked.
enum OllamaInputText {
  static func extract(_ body: [UInt8]) -> String {
    guard let request = body.withUnsafeBytes({ JSONTree($0, isStrict: false) }) else { return "" }
    guard let prompt = request["prompt"]?.string else { return ChatInputText.extract(body) }
    let system = request["system"]?.string.map { ["system: \($0)"] } ?? []
    return (system + ["user: \(prompt)"]).joined(separator: "\n\n")
  }
}
