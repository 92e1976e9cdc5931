// The text of a Converse call as a sample keeps it.

/// Puts an answer together from its document, or from the frames of its stream.
struct ConverseGathering: AnswerGathering {
  private var gathered = OutputText()
  private var calls: [ToolCall] = []

  init() {}

  /// Reads the payloads of a recorded stream's frames.
  static func extract(frames body: [UInt8]) -> OutputText {
    var gathering = Self()
    for payload in EventStreamPayloads.all(in: body) {
      if let document = payload.withUnsafeBytes({ JSONTree($0, isStrict: false) }) {
        gathering.take(document)
      }
    }
    return gathering.output()
  }

  mutating func take(_ document: JSONTree) {
    if let reason = document["stopReason"]?.string { gathered.finishReason = reason }
    if let message = document["message"]?.string { gathered.errorMessage = message }
    for block in document["output"]?["message"]?["content"]?.elements ?? [] {
      gathered.text += block["text"]?.string ?? ""
      if let use = block["toolUse"] { calls.append(ConverseInputText.call(use)) }
    }
    if let use = document["start"]?["toolUse"] {
      var call = ToolCall()
      call.name = use["name"]?.string ?? ""
      calls.append(call)
    }
    gathered.text += document["delta"]?["text"]?.string ?? ""
    if let part = document["delta"]?["toolUse"]?["input"]?.string, !calls.isEmpty {
      calls[calls.count - 1].arguments += part
    }
  }

  func output() -> OutputText {
    var output = gathered
    output.take(calls)
    return output
  }
}

/// The payloads of a recorded stream's frames, without a look at their checksums.
enum EventStreamPayloads {
  static func all(in body: [UInt8]) -> [[UInt8]] {
    var payloads: [[UInt8]] = []
    var index = 0
    func number(_ place: Int) -> Int { (0..<4).reduce(0) { $0 << 8 | Int(body[place + $1]) } }
    while index + 16 <= body.count {
      let (length, headers) = (number(index), number(index + 4))
      guard length >= headers + 16, index + length <= body.count else { break }
      payloads.append(Array(body[(index + 12 + headers)..<(index + length - 4)]))
      index += length
    }
    return payloads
  }
}

/// What a model was asked in a Converse request.
enum ConverseInputText {
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

  private static func content(_ blocks: JSONTree?) -> String {
    (blocks?.elements ?? []).map { block in
      if let text = block["text"]?.string { return text }
      if let use = block["toolUse"] { return ToolCall.json([call(use)]) }
      if let result = block["toolResult"] { return content(result["content"]) }
      if let json = block["json"] { return written(json) }
      return block["image"] == nil ? "[block]" : "[image]"
    }.joined(separator: "\n")
  }

  static func call(_ use: JSONTree) -> ToolCall {
    var call = ToolCall()
    call.name = use["name"]?.string ?? ""
    call.arguments = written(use["input"] ?? .object([]))
    return call
  }

  private static func written(_ tree: JSONTree) -> String {
    var json = JSONWriter()
    tree.write(to: &json)
    return String(decoding: json.bytes, as: UTF8.self)
  }
}
