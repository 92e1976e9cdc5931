// The text of a message as a sample keeps it.

/// Puts a message together from its document or from the events of its stream.
struct MessagesGathering: AnswerGathering {
  private struct Block {
    var text = ""
    var call: ToolCall?
  }

  private var blocks: [Int: Block] = [:]
  private var finishReason = ""
  private var errorMessage: String?

  init() {}

  mutating func take(_ document: JSONTree) {
    if let error = document["error"] {
      errorMessage = error["message"]?.string ?? error.string ?? "error"
    }
    if let reason = document["stop_reason"]?.string { finishReason = reason }
    for (index, block) in (document["content"]?.elements ?? []).enumerated() {
      begin(block, at: index)
    }
    if let block = document["content_block"] { begin(block, at: index(document)) }
    guard let delta = document["delta"] else { return }
    if let reason = delta["stop_reason"]?.string { finishReason = reason }
    let index = index(document)
    var block = blocks[index] ?? Block()
    block.text += delta["text"]?.string ?? ""
    block.call?.arguments += delta["partial_json"]?.string ?? ""
    blocks[index] = block
  }

  private func index(_ document: JSONTree) -> Int {
    if case .number(let text)? = document["index"] { return Int(text) ?? 0 }
    return 0
  }

  private mutating func begin(_ block: JSONTree, at index: Int) {
    var begun = Block()
    switch block["type"]?.string {
    case "text": begun.text = block["text"]?.string ?? ""
    case "tool_use", "server_tool_use", "mcp_tool_use":
      begun.call = MessagesInputText.call(block)
      // A stream begins a call with an empty input and sends it in parts.
      if begun.call?.arguments == "{}" { begun.call?.arguments = "" }
    default: break
    }
    blocks[index] = begun
  }

  func output() -> OutputText {
    var output = OutputText()
    let ordered = blocks.sorted { $0.key < $1.key }.map(\.value)
    output.text = ordered.map(\.text).filter { !$0.isEmpty }.joined(separator: "\n")
    output.take(
      ordered.compactMap(\.call).map { call in
        var call = call
        if call.arguments.isEmpty { call.arguments = "{}" }
        return call
      })
    output.finishReason = finishReason
    output.errorMessage = errorMessage
    return output
  }
}

/// What a model was asked in a Messages request.
enum MessagesInputText {
  static func extract(_ body: [UInt8]) -> String {
    guard let request = body.withUnsafeBytes({ JSONTree($0, isStrict: false) }) else { return "" }
    var paragraphs: [String] = []
    let system = content(request["system"])
    if !system.isEmpty { paragraphs.append("system: \(system)") }
    for message in request["messages"]?.elements ?? [] {
      paragraphs.append("\(message["role"]?.string ?? "?"): \(content(message["content"]))")
    }
    return paragraphs.joined(separator: "\n\n")
  }

  private static func content(_ content: JSONTree?) -> String {
    guard case .array(let blocks)? = content else { return content?.string ?? "" }
    return blocks.map { block in
      switch block["type"]?.string {
      case "text": block["text"]?.string ?? ""
      case "tool_use", "server_tool_use": ToolCall.json([call(block)])
      case "tool_result": Self.content(block["content"])
      case let type: "[\(type ?? "block")]"
      }
    }.joined(separator: "\n")
  }

  static func call(_ block: JSONTree) -> ToolCall {
    var call = ToolCall()
    call.name = block["name"]?.string ?? ""
    var json = JSONWriter()
    (block["input"] ?? .object([])).write(to: &json)
    call.arguments = String(decoding: json.bytes, as: UTF8.self)
    return call
  }
}
