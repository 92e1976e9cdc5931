// Hears the parts of Gemini's answers: one document, an event of a stream, or an element of the
// array that a stream is without `alt=sse`.

import Metering

/// The sink of generated content and of embeddings.
struct GeminiAnswerSink: AnswerSink {
  static let takesArray = true

  private enum Key {
    case other
    case candidates, usage, model, error, feedback, finishReason, blockReason
    case grounding, webQueries, mapsToken
    // Of a part: what is no text of the model's.
    case silent
  }

  private var reading = CallReading()
  private var usage = GeminiUsage()
  private var hasUsage = false
  /// The answer said why it ended.
  private var hasEnded = false
  private var isStreamed = false
  /// 1 where the documents stand in an array.
  private var shift = 0
  private var searches: Int64 = 0
  private var mapsQueries: Int64 = 0

  // Of the current document.
  private var path: [Key] = Array(repeating: .other, count: 6)
  private var documentSearches: Int64 = 0
  private var field: GeminiUsage.Field?
  private var list = GeminiUsage.List.none
  private var modality = GeminiUsage.Modality.unknown
  /// A modality's count that came before its name.
  private var listedCount: Int64??
  private var isModality = false
  private var isListedCount = false
  private var isTrafficType = false

  init() {}

  mutating func beginDocument() {
    isStreamed = true
    forgetDocument()
  }

  private mutating func forgetDocument() {
    for depth in path.indices { path[depth] = .other }
    documentSearches = 0
    (field, list) = (nil, .none)
  }

  func read() -> CallReading {
    var reading = reading
    // In the middle of a stream the figures are of what has been made so far.
    guard hasUsage, hasEnded || !isStreamed else { return reading }
    guard let (usage, isInconsistent) = usage.normalised() else {
      reading.isUsageInconsistent = usage.isInconsistent
      return reading
    }
    reading.usage = usage
    reading.isUsageInconsistent = isInconsistent
    if searches > 0 { reading.usage?[.webSearches] = billedSearches }
    if mapsQueries > 0 { reading.usage?[.mapsQueries] = mapsQueries }
    reading.isComplete = hasEnded
    return reading
  }

  /// Models of the third generation bill every query, older ones every answer that was grounded.
  private var billedSearches: Int64 {
    let isOlder = ["gemini-1", "gemini-2"].contains { reading.responseModel.hasPrefix($0) }
    return isOlder ? 1 : searches
  }

  // MARK: Parts

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    if depth == 0, !isObject {
      shift = 1
      isStreamed = true
    }
    let depth = depth - shift
    if depth == 0, isObject, shift == 1 { forgetDocument() }
    if depth == 1, path[1] == .error { reading.sawError = true }
    if path[1] == .usage {
      if depth == 2, !isObject { usage.begin(list) }
      if depth == 3, isObject { (modality, listedCount) = (.unknown, nil) }
    }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {
    let depth = depth - shift
    if depth == 0 { searches = max(searches, documentSearches) }
    if path[1] == .usage, depth == 3, isObject, case .some(let count) = listedCount {
      usage.set(list, modality, count)
    }
    if path[1] == .usage, depth == 2 { list = .none }
  }

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    let depth = depth - shift
    guard depth > 0 else { return }
    if path[1] == .usage, depth > 1 { return usageKey(text, depth: depth) }
    let key = Self.name(text)
    guard depth < path.count else {
      // Deep in a part: whether the string that follows is text.
      path[path.count - 1] = key == .silent ? .silent : .other
      return
    }
    path[depth] = key
    for deeper in depth + 1..<path.count { path[deeper] = .other }
  }

  private static func name(_ text: JSONText) -> Key {
    if text.equals("candidates") { return .candidates }
    if text.equals("usageMetadata") { return .usage }
    if text.equals("modelVersion") { return .model }
    if text.equals("error") { return .error }
    if text.equals("promptFeedback") { return .feedback }
    if text.equals("finishReason") { return .finishReason }
    if text.equals("blockReason") { return .blockReason }
    if text.equals("groundingMetadata") { return .grounding }
    if text.equals("webSearchQueries") { return .webQueries }
    if text.equals("googleMapsWidgetContextToken") { return .mapsToken }
    if text.equals("data") || text.equals("mimeType") || text.equals("thoughtSignature")
      || text.equals("role")
    {
      return .silent
    }
    return .other
  }

  private mutating func usageKey(_ text: JSONText, depth: Int) {
    field = nil
    isModality = false
    isListedCount = false
    switch depth {
    case 2:
      list = Self.list(text)
      field = Self.field(text)
      isTrafficType = text.equals("trafficType") || text.equals("serviceTier")
    case 4:
      isModality = text.equals("modality")
      isListedCount = text.equals("tokenCount")
    default: break
    }
  }

  private static func field(_ text: JSONText) -> GeminiUsage.Field? {
    if text.equals("promptTokenCount") { return .prompt }
    if text.equals("cachedContentTokenCount") { return .cached }
    if text.equals("candidatesTokenCount") || text.equals("responseTokenCount") {
      return .candidates
    }
    if text.equals("thoughtsTokenCount") { return .thoughts }
    if text.equals("toolUsePromptTokenCount") { return .toolUse }
    return text.equals("totalTokenCount") ? .total : nil
  }

  private static func list(_ text: JSONText) -> GeminiUsage.List {
    if text.equals("promptTokensDetails") { return .prompt }
    if text.equals("cacheTokensDetails") { return .cached }
    if text.equals("candidatesTokensDetails") || text.equals("responseTokensDetails") {
      return .candidates
    }
    return text.equals("toolUsePromptTokensDetails") ? .toolUse : .none
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    let depth = depth - shift
    guard depth > 0 else { return }
    if path[1] == .usage { return usageString(text, depth: depth) }
    switch path[1] {
    case .model where depth == 1: reading.responseModel = text.string ?? reading.responseModel
    case .error where depth == 1: reading.sawError = true
    case .feedback where depth == 2 && path[2] == .blockReason:
      reading.finishReason = text.string
      hasEnded = true
    case .candidates: candidateString(text, depth: depth)
    default: break
    }
  }

  private mutating func candidateString(_ text: JSONText, depth: Int) {
    if depth == 3, path[3] == .finishReason {
      reading.finishReason = text.string
      hasEnded = true
    } else if path[3] == .grounding {
      if depth == 5, path[4] == .webQueries { documentSearches += 1 }
      if depth == 4, path[4] == .mapsToken { mapsQueries = 1 }
    } else if depth >= 6, path[path.count - 1] != .silent {
      reading.outputTextBytes += Int64(text.count)
    }
  }

  private mutating func usageString(_ text: JSONText, depth: Int) {
    if depth == 4, isModality {
      modality = Self.modality(text)
    } else if depth == 2, field == nil, isTrafficType {
      reading.serviceTier = Self.tier(text) ?? reading.serviceTier
    } else if let field {
      set(field, nil)
    } else if isListedCount {
      listedCount = .some(nil)
    }
  }

  private static func modality(_ text: JSONText) -> GeminiUsage.Modality {
    if text.equals("TEXT") { return .text }
    if text.equals("IMAGE") { return .image }
    if text.equals("VIDEO") { return .video }
    if text.equals("AUDIO") { return .audio }
    return text.equals("DOCUMENT") ? .document : .unknown
  }

  /// Traffic types under the names of service tiers that price books use.
  private static func tier(_ text: JSONText) -> String? {
    if text.equals("ON_DEMAND") || text.equals("STANDARD") || text.equals("standard") {
      return "standard"
    }
    if text.equals("ON_DEMAND_PRIORITY") || text.equals("PRIORITY") || text.equals("priority") {
      return "priority"
    }
    if text.equals("ON_DEMAND_FLEX") || text.equals("FLEX") || text.equals("flex") { return "flex" }
    if text.equals("PROVISIONED_THROUGHPUT") { return "provisioned" }
    return text.string?.lowercased()
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    guard path[1] == .usage, value != .null else { return }
    var number: Int64?
    if case .number(let whole) = value { number = whole }
    if let field { set(field, number) } else if isListedCount { listedCount = .some(number) }
  }

  private mutating func set(_ field: GeminiUsage.Field, _ number: Int64?) {
    hasUsage = true
    usage.set(field, number)
  }
}
