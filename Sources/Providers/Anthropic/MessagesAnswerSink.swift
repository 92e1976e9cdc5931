// Hears the parts of a message or of an event of its stream, in the Anthropic dialect.
//
// An event that begins the message holds it under `message`, with the input's figures and a
// placeholder of the output's; the event that ends it holds what changed, cumulative. Fields are
// merged one by one.

import Metering

/// The sink of both answers and stream events.
struct MessagesAnswerSink: AnswerSink {
  private enum Key {
    case other
    case type, message, model, usage, error, content, delta, block, stopReason
    // Of what the model says.
    case text, silent
  }

  private enum Details { case none, cacheCreation, output, serverTools }

  private var reading = CallReading()
  private var usage = AnthropicUsage()
  private var speed: String?
  private var tier: String?
  private var region: String?
  /// The stream's last figures have come; before them the output's is a placeholder.
  private var hasFinalUsage = false
  private var hasUsage = false

  // Of the current document.
  private var type = ""
  private var path: [Key] = Array(repeating: .other, count: 4)
  /// Depth of the `usage` key under which the reader is; 0: it is elsewhere.
  private var usageDepth = 0
  private var figure: AnthropicFigures.Field?
  private var usageText: UsageText?
  private var details = Details.none
  private var iteration: AnthropicIteration?
  private var isIterations = false

  /// A text within `usage`.
  private enum UsageText { case tier, speed, region, entryType, entryModel }

  init() {}

  /// The current document says what type it is of.
  var hasType: Bool { !type.isEmpty }

  mutating func beginDocument() {
    type = ""
    for depth in path.indices { path[depth] = .other }
    leaveUsage()
  }

  private mutating func leaveUsage() {
    usageDepth = 0
    figure = nil
    usageText = nil
    details = .none
    iteration = nil
    isIterations = false
  }

  func read() -> CallReading {
    var reading = reading
    if let speed, speed != "standard" {
      reading.serviceTier = speed
    } else {
      reading.serviceTier = tier
    }
    if let region, region != ModelPrice.anyRegion, region != "not_available" {
      reading.region = region
    }
    guard hasUsage, hasFinalUsage else { return reading }
    if let (usage, others, isInconsistent) = usage.normalised(model: reading.responseModel) {
      reading.usage = usage
      reading.otherModels = others
      reading.isUsageInconsistent = isInconsistent
    } else {
      reading.isUsageInconsistent = usage.total.isInconsistent
    }
    return reading
  }

  // MARK: Parts

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    guard usageDepth > 0 else {
      if depth == 1, path[1] == .error { reading.sawError = true }
      return
    }
    if isIterations, isObject, depth == usageDepth + 2 { iteration = AnthropicIteration() }
    if isIterations, !isObject, depth == usageDepth + 1 { usage.beginIterations() }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {
    if depth == 0 { endDocument() }
    guard usageDepth > 0 else { return }
    if depth == usageDepth { return leaveUsage() }
    if isIterations {
      if isObject, depth == usageDepth + 2, let iteration {
        usage.add(iteration)
        self.iteration = nil
      }
      if depth == usageDepth + 1 { isIterations = false }
      if depth == usageDepth + 3 { details = .none }
    } else if depth == usageDepth + 1 {
      details = .none
    }
    figure = nil
    usageText = nil
  }

  private mutating func endDocument() {
    switch type {
    case "message_stop": reading.isComplete = true
    case "error": reading.sawError = true
    default: break
    }
  }

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if usageDepth > 0, depth > usageDepth { return usageKey(text, below: depth - usageDepth) }
    guard depth < path.count else {
      // Deep in what the model says: names and values of a tool's input count alike.
      return
    }
    path[depth] = Self.name(text)
    for deeper in depth + 1..<path.count { path[deeper] = .other }
    leaveUsage()
    let isInMessage = depth == 2 && path[1] == .message
    if path[depth] == .usage, depth == 1 || isInMessage { usageDepth = depth }
  }

  private static func name(_ text: JSONText) -> Key {
    if text.equals("type") { return .type }
    if text.equals("message") { return .message }
    if text.equals("model") { return .model }
    if text.equals("usage") { return .usage }
    if text.equals("error") { return .error }
    if text.equals("content") { return .content }
    if text.equals("delta") { return .delta }
    if text.equals("content_block") { return .block }
    if text.equals("stop_reason") { return .stopReason }
    if text.equals("id") || text.equals("signature") || text.equals("data")
      || text.equals("tool_use_id") || text.equals("role")
    {
      return .silent
    }
    return .text
  }

  private mutating func usageKey(_ text: JSONText, below: Int) {
    figure = nil
    usageText = nil
    if below == 1 { isIterations = false }
    if isIterations {
      switch below {
      case 3: entryKey(text)
      case 4 where details != .none: detailKey(text)
      default: break
      }
      return
    }
    switch below {
    case 1:
      details = .none
      if text.equals("iterations") { isIterations = true }
      if text.equals("service_tier") { usageText = .tier }
      if text.equals("speed") { usageText = .speed }
      if text.equals("inference_geo") { usageText = .region }
      figureKey(text)
    case 2: detailKey(text)
    default: break
    }
  }

  private mutating func entryKey(_ text: JSONText) {
    details = .none
    if text.equals("type") { usageText = .entryType }
    if text.equals("model") { usageText = .entryModel }
    figureKey(text)
  }

  private mutating func figureKey(_ text: JSONText) {
    if text.equals("input_tokens") { figure = .input }
    if text.equals("output_tokens") { figure = .output }
    if text.equals("cache_read_input_tokens") { figure = .cacheRead }
    if text.equals("cache_creation_input_tokens") { figure = .cacheWrite }
    if text.equals("cache_creation") { details = .cacheCreation }
    if text.equals("output_tokens_details") { details = .output }
    if text.equals("server_tool_use") { details = .serverTools }
  }

  private mutating func detailKey(_ text: JSONText) {
    switch details {
    case .cacheCreation:
      if text.equals("ephemeral_5m_input_tokens") { figure = .cacheWrite5m }
      if text.equals("ephemeral_1h_input_tokens") { figure = .cacheWrite1h }
    case .output: if text.equals("thinking_tokens") { figure = .thinking }
    // Fetching a page costs the tokens that it puts in, and they are in the input's count.
    case .serverTools: if text.equals("web_search_requests") { figure = .webSearches }
    case .none: break
    }
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if usageDepth > 0 { return usageString(text) }
    switch (depth, path[1]) {
    case (1, .type): type = text.string ?? ""
    case (1, .model): reading.responseModel = text.string ?? reading.responseModel
    case (1, .stopReason): reading.finishReason = text.string
    case (1, .error): reading.sawError = true
    case (2, .message):
      if path[2] == .model { reading.responseModel = text.string ?? reading.responseModel }
    case (2, .delta) where path[2] == .stopReason: reading.finishReason = text.string
    case (2..., .delta), (2..., .block), (2..., .content): countText(text, depth)
    default: break
    }
  }

  /// Text that the model said: of blocks all but their names of kinds, ids and signatures.
  private mutating func countText(_ text: JSONText, _ depth: Int) {
    let last = path[min(depth, path.count - 1)]
    if depth < path.count, last == .silent || last == .type { return }
    reading.outputTextBytes += Int64(text.count)
  }

  private mutating func usageString(_ text: JSONText) {
    switch usageText {
    case .tier: tier = text.string ?? tier
    case .speed: speed = text.string ?? speed
    case .region: region = text.string ?? region
    case .entryModel: iteration?.model = text.string ?? ""
    case .entryType: iteration?.kind = Self.kind(text)
    case nil:
      // A count that is said as text is no count.
      if let figure { set(figure, nil) }
    }
  }

  private static func kind(_ text: JSONText) -> AnthropicIteration.Kind {
    if text.equals("compaction") { return .compaction }
    if text.equals("advisor_message") { return .adviser }
    return text.equals("message") || text.equals("fallback_message") ? .message : .unknown
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    guard usageDepth > 0, let figure, value != .null else { return }
    if case .number(let number) = value { set(figure, number) } else { set(figure, nil) }
  }

  private mutating func set(_ figure: AnthropicFigures.Field, _ number: Int64?) {
    if iteration != nil {
      iteration?.figures.set(figure, number)
      return
    }
    hasUsage = true
    usage.total.set(figure, number)
    // Under `message` it is the stream's beginning, whose output is a placeholder.
    if usageDepth == 1, figure == .output { hasFinalUsage = true }
  }
}
