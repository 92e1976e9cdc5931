// Hears the parts of a response, or of an event of its stream, in the Responses dialect.
//
// An event that ends the stream holds the whole response under `response`, usage and all; the
// events before it hold the text in parts. Tools that run at the provider are billed beside the
// tokens: searches by their number, pictures by their own model's tokens.

import Metering

/// The sink of both answers and stream events.
struct ResponsesAnswerSink: AnswerSink {
  private enum Key {
    case other
    case type, response, usage, model, serviceTier, status, error, delta, output, tools, id
    case toolUsage, imageGen, webSearch, numRequests
    // Of an output item: what is no text of the model's.
    case silent
  }

  private var reading = CallReading()
  private var usage = OpenAIUsageReader()
  private var pictures = OpenAIUsageReader()
  private var pictureModel = ""
  private var searches: Int64?
  /// Calls of tools that stand in the output, for answers that do not say `tool_usage`.
  private var searchCalls: Int64 = 0
  private var fileSearchCalls: Int64 = 0
  private var ranCode = false

  // Of the current document.
  private var type = ""
  private var path: [Key] = Array(repeating: .other, count: 6)
  /// 1 under `response`, else 0.
  private var base = 0

  init() {}

  mutating func beginDocument() {
    type = ""
    base = 0
    for depth in path.indices { path[depth] = .other }
    usage.leave()
    pictures.leave()
  }

  func read() -> CallReading {
    var reading = reading
    usage.report(to: &reading)
    guard reading.usage != nil else { return reading }
    let searches = searches ?? searchCalls
    if searches > 0 { reading.usage?[.webSearches] = searches }
    if fileSearchCalls > 0 { reading.usage?[.fileSearches] = fileSearchCalls }
    if ranCode { reading.usage?[.codeSessions] = 1 }
    var made = CallReading()
    pictures.report(to: &made)
    if var usage = made.usage, usage.inputTotal + usage.outputTotal > 0 {
      // What such a model puts out is pictures.
      usage[.outputImage] = usage.outputText
      usage.outputText = 0
      let model = pictureModel.isEmpty ? Self.pictureModelUnsaid : pictureModel
      reading.otherModels = [ModelUsage(model: model, usage: usage)]
    }
    return reading
  }

  /// The model that the tool for pictures uses where a request names none.
  private static let pictureModelUnsaid = "gpt-image-1"

  // MARK: Parts

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    if depth == 1 + base, path[depth] == .error { reading.sawError = true }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {
    if depth == 0 { return endDocument() }
    if let place = usageDepth { usage.end(below: depth - place) }
    if let place = picturesDepth { pictures.end(below: depth - place) }
  }

  private mutating func endDocument() {
    switch type {
    case "response.completed", "response.incomplete": reading.isComplete = true
    case "response.failed":
      reading.isComplete = true
      reading.sawError = true
    case "error": reading.sawError = true
    default: break
    }
  }

  /// The depth of the `usage` key under which the reader is; nil: it is elsewhere.
  private var usageDepth: Int? { path[1 + base] == .usage ? 1 + base : nil }

  private var picturesDepth: Int? {
    path[1 + base] == .toolUsage && path[2 + base] == .imageGen ? 2 + base : nil
  }

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if let place = usageDepth, depth > place { return usage.key(text, below: depth - place) }
    if let place = picturesDepth, depth > place { return pictures.key(text, below: depth - place) }
    guard depth < path.count else { return }
    path[depth] = Self.name(text)
    for deeper in depth + 1..<path.count { path[deeper] = .other }
    if depth == 1 { base = path[1] == .response ? 1 : 0 }
    usage.leave()
    pictures.leave()
  }

  private static func name(_ text: JSONText) -> Key {
    if text.equals("type") { return .type }
    if text.equals("response") { return .response }
    if text.equals("usage") { return .usage }
    if text.equals("model") { return .model }
    if text.equals("service_tier") { return .serviceTier }
    if text.equals("status") { return .status }
    if text.equals("error") { return .error }
    if text.equals("delta") { return .delta }
    if text.equals("output") { return .output }
    if text.equals("tools") { return .tools }
    if text.equals("tool_usage") { return .toolUsage }
    if text.equals("image_gen") { return .imageGen }
    if text.equals("web_search") { return .webSearch }
    if text.equals("num_requests") { return .numRequests }
    if text.equals("id") { return .id }
    if text.equals("call_id") || text.equals("role") || text.equals("encrypted_content") {
      return .silent
    }
    return .other
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if usageDepth != nil { return usage.string(text) }
    if picturesDepth != nil { return pictures.string(text) }
    if depth == 1 {
      switch path[1] {
      case .type: type = text.string ?? ""
      case .delta: reading.outputTextBytes += Int64(text.count)
      default: break
      }
    }
    if depth == 1 + base {
      switch path[depth] {
      case .model: reading.responseModel = text.string ?? reading.responseModel
      case .serviceTier: reading.serviceTier = text.string ?? reading.serviceTier
      case .status: reading.finishReason = text.string
      case .error: reading.sawError = true
      case .id: reading.jobID = text.string
      default: break
      }
    } else if path[1 + base] == .output {
      outputString(text, depth: depth)
    } else if path[1 + base] == .tools, depth == 3 + base, path[depth] == .model {
      pictureModel = text.string ?? ""
    }
  }

  private mutating func outputString(_ text: JSONText, depth: Int) {
    let key = depth < path.count ? path[depth] : .other
    if depth == 3 + base, key == .type { noteItem(text) }
    // The parts of a stream were counted as they came.
    guard base == 0, key != .silent, key != .id, key != .type, key != .status else { return }
    reading.outputTextBytes += Int64(text.count)
  }

  private mutating func noteItem(_ text: JSONText) {
    if text.equals("web_search_call") { searchCalls += 1 }
    if text.equals("file_search_call") { fileSearchCalls += 1 }
    if text.equals("code_interpreter_call") { ranCode = true }
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    if usageDepth != nil { return usage.scalar(value, token: token) }
    if picturesDepth != nil { return pictures.scalar(value, token: token) }
    if path[1 + base] == .toolUsage, path[2 + base] == .webSearch, depth == 3 + base,
      path[depth] == .numRequests, case .number(let count?) = value,
      (0...OpenAIUsage.countMax).contains(count)
    {
      searches = count
    }
  }
}
