// Hears the parts of Bedrock's Converse answers, and of the events of its stream.
//
// Cached tokens stand beside the input's count, as at Anthropic. A stream says its usage in its
// last event, behind the one that says why the model stopped.

import Metering

/// The sink of both.
struct ConverseAnswerSink: FramedSink {
  private enum Key { case other, usage, stopReason, output, delta, tier, performance, message }

  private enum Details { case none, list }

  private var reading = CallReading()
  private var figures = AnthropicFigures()
  private var hasUsage = false
  private var isFramed = false
  private var frameType = ""
  /// The figures of frames whose checksums were right.
  private var believed: AnthropicFigures?
  private var hasStopped = false

  // Of the current document.
  private var top = Key.other
  private var figure: AnthropicFigures.Field?
  private var details = Details.none
  private var isTTL = false
  private var isListedCount = false
  private var ttlIsLong = false
  private var listed: Int64?
  private var isTierType = false
  private var isSilent = false

  init() {}

  mutating func beginDocument() {
    top = .other
    (figure, details) = (nil, .none)
  }

  mutating func beginFrame(type: String, isException: Bool) {
    isFramed = true
    if isException {
      reading.sawError = true
      reading.finishReason = reading.finishReason ?? type
    }
    frameType = type
  }

  mutating func endFrame() {
    if frameType == "messageStop" { hasStopped = true }
    if hasUsage { believed = figures }
  }

  func read() -> CallReading {
    var reading = reading
    reading.isComplete = hasStopped
    guard hasUsage, let figures = isFramed ? believed : figures else { return reading }
    let normalised = figures.normalised()
    reading.usage = normalised?.usage
    reading.isUsageInconsistent = normalised?.isInconsistent ?? figures.isInconsistent
    return reading
  }

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    if top == .usage, depth == 3, details == .list {
      (ttlIsLong, listed) = (false, nil)
    }
    if top == .usage, depth == 2, !isObject, details == .list {
      figures.set(.cacheWrite5m, 0)
      figures.set(.cacheWrite1h, 0)
    }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {
    if top == .usage, depth == 3, details == .list, let listed {
      let field: AnthropicFigures.Field = ttlIsLong ? .cacheWrite1h : .cacheWrite5m
      let before = ttlIsLong ? figures.cacheWrite1h : figures.cacheWrite5m
      figures.set(field, before + listed)
    }
    if top == .usage, depth == 2 { details = .none }
  }

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if depth == 1 {
      top = Self.name(text)
      (figure, details, isTierType) = (nil, .none, false)
      return
    }
    switch top {
    case .usage: usageKey(text, depth: depth)
    case .tier: isTierType = depth == 2 && text.equals("type")
    case .performance: isTierType = depth == 2 && text.equals("latency")
    case .output, .delta:
      isSilent =
        text.equals("role") || text.equals("toolUseId") || text.equals("signature")
        || text.equals("bytes") || text.equals("format")
    default: break
    }
  }

  private static func name(_ text: JSONText) -> Key {
    if text.equals("usage") { return .usage }
    if text.equals("stopReason") { return .stopReason }
    if text.equals("output") { return .output }
    if text.equals("delta") { return .delta }
    if text.equals("serviceTier") { return .tier }
    if text.equals("performanceConfig") { return .performance }
    return text.equals("message") ? .message : .other
  }

  private mutating func usageKey(_ text: JSONText, depth: Int) {
    (figure, isTTL, isListedCount) = (nil, false, false)
    if depth == 2 {
      details = .none
      if text.equals("inputTokens") { figure = .input }
      if text.equals("outputTokens") { figure = .output }
      if text.equals("cacheReadInputTokens") || text.equals("cacheReadInputTokenCount") {
        figure = .cacheRead
      }
      if text.equals("cacheWriteInputTokens") || text.equals("cacheWriteInputTokenCount") {
        figure = .cacheWrite
      }
      if text.equals("cacheDetails") { details = .list }
    } else if depth == 4, details == .list {
      isTTL = text.equals("ttl")
      isListedCount = text.equals("inputTokens")
    }
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    switch top {
    case .stopReason where depth == 1: reading.finishReason = text.string
    case .tier where isTierType: reading.serviceTier = text.string
    case .performance where isTierType:
      if text.equals("optimized") { reading.serviceTier = "optimized" }
    case .output, .delta: if !isSilent { reading.outputTextBytes += Int64(text.count) }
    case .usage:
      if isTTL { ttlIsLong = text.equals("1h") }
      if let figure { set(figure, nil) }
    default: break
    }
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    guard top == .usage, value != .null else { return }
    var number: Int64?
    if case .number(let whole) = value { number = whole }
    if let figure { set(figure, number) }
    if isListedCount, let number, (0...OpenAIUsage.countMax).contains(number) { listed = number }
  }

  private mutating func set(_ figure: AnthropicFigures.Field, _ number: Int64?) {
    hasUsage = true
    figures.set(figure, number)
  }
}
