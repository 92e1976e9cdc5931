// The text of generated content as a sample keeps it.

/// Puts an answer together from its document, or from those of its stream.
struct GeminiGathering: AnswerGathering {
  private struct Candidate {
    var text = ""
    var calls: [ToolCall] = []
    var finishReason = ""
  }

  private var candidates: [Int: Candidate] = [:]
  private var errorMessage: String?

  init() {}

  mutating func take(_ document: JSONTree) {
    // A stream without `alt=sse` is one array.
    for element in document.elements { take(element) }
    if let error = document["error"] {
      errorMessage = error["message"]?.string ?? error.string ?? "error"
    }
    let blocked = document["promptFeedback"]?["blockReason"]
    if let reason = Self.reason(blocked, named: GeminiAnswerKey.blockReason) {
      candidates[0, default: Candidate()].finishReason = reason
    }
    for (position, entry) in (document["candidates"]?.elements ?? []).enumerated() {
      var index = position
      if case .number(let text)? = entry["index"] { index = Int(text) ?? position }
      var candidate = candidates[index] ?? Candidate()
      for part in entry["content"]?["parts"]?.elements ?? [] {
        if case .boolean(true)? = part["thought"] { continue }
        candidate.text += part["text"]?.string ?? ""
        if let call = part["functionCall"] { candidate.calls.append(GeminiInputText.call(call)) }
      }
      if let reason = Self.reason(entry["finishReason"], named: GeminiAnswerKey.finishReason) {
        candidate.finishReason = reason
      }
      candidates[index] = candidate
    }
  }

  /// A reason by its name, or by the number that stands for it.
  private static func reason(_ tree: JSONTree?, named: (Int64) -> String) -> String? {
    guard case .number(let text)? = tree, let number = Int64(text), number > 0 else {
      return tree?.string
    }
    return named(number)
  }

  func output() -> OutputText {
    var output = OutputText()
    let ordered = candidates.sorted { $0.key < $1.key }.map(\.value)
    output.text = ordered.map(\.text).filter { !$0.isEmpty }.joined(separator: "\n")
    output.take(ordered.flatMap(\.calls))
    output.finishReason = ordered.first { !$0.finishReason.isEmpty }?.finishReason ?? ""
    output.errorMessage = errorMessage
    return output
  }
}

/// What a model was asked in a Gemini request.
enum GeminiInputText {
  static func extract(_ body: [UInt8]) -> String {
    guard let request = body.withUnsafeBytes({ JSONTree($0, isStrict: false) }) else { return "" }
    var paragraphs: [String] = []
    if let system = request["systemInstruction"] ?? request["system_instruction"] {
      paragraphs.append("system: \(parts(of: system))")
    }
    let contents = request["contents"]
    let list = contents?.elements ?? []
    for content in list.isEmpty ? contents.map({ [$0] }) ?? [] : list {
      paragraphs.append("\(content["role"]?.string ?? "user"): \(parts(of: content))")
    }
    return paragraphs.joined(separator: "\n\n")
  }

  private static func parts(of content: JSONTree) -> String {
    (content["parts"]?.elements ?? []).map { part in
      if let text = part["text"]?.string { return text }
      if let call = part["functionCall"] ?? part["function_call"] {
        return ToolCall.json([Self.call(call)])
      }
      if let answer = part["functionResponse"] ?? part["function_response"] {
        return written(answer["response"])
      }
      let isBlob = part["inlineData"] != nil || part["inline_data"] != nil
      return isBlob ? "[inlineData]" : "[part]"
    }.joined(separator: "\n")
  }

  static func call(_ tree: JSONTree) -> ToolCall {
    var call = ToolCall()
    call.name = tree["name"]?.string ?? ""
    call.arguments = written(tree["args"])
    return call
  }

  private static func written(_ tree: JSONTree?) -> String {
    var json = JSONWriter()
    (tree ?? .object([])).write(to: &json)
    return String(decoding: json.bytes, as: UTF8.self)
  }
}
