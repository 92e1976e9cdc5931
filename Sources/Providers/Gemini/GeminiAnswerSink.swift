// Hears the parts of Gemini's answers: one document, an event of a stream, or an element of the
// array that a stream is without `alt=sse`.

import Metering

/// The sink of generated content and of embeddings.
struct GeminiAnswerSink: AnswerSink {
  static let takesArray = true

  private var reading = CallReading()
  private var usage = GeminiUsage()
  private var hasUsage = false
  private var wasBlocked = false
  private var isStreamed = false
  /// 1 where the documents stand in an array.
  private var shift = 0
  private var searches: Int64 = 0
  private var isGroundedInMaps = false
  /// A bit for each candidate (the last for all beyond it) that was begun, and that said why it
  /// ended: a stream is not over while one of them goes on.
  private var begun: UInt64 = 0
  private var ended: UInt64 = 0
  /// Embeddings, and those that say their tokens.
  private var embeddings: Int64 = 0
  private var countedEmbeddings: Int64 = 0
  private var embeddedTokens: Int64 = 0

  // Of the current document.
  private var path: [GeminiAnswerKey] = Array(repeating: .other, count: 7)
  private var documentSearches: Int64 = 0
  private var candidate: Int64 = 0
  private var candidateHasEnded = false
  private var field: GeminiUsage.Field?
  private var list = GeminiUsage.List.none
  private var modality = GeminiUsage.Modality.unknown
  /// A modality's count, which may come before its name; of the inner optional: nil, it is none.
  private var listedCount: Int64??
  private var isModality = false
  private var isListedCount = false
  private var isTier = false

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

  private var hasEnded: Bool { wasBlocked || ended != 0 && begun & ~ended == 0 }

  func read() -> CallReading {
    var reading = reading
    reading.isComplete = hasEnded
    guard hasUsage else { return readEmbeddings(reading) }
    // In the middle of a stream the figures are of what has been made so far.
    guard hasEnded || !isStreamed else { return reading }
    guard
      let (usage, isInconsistent) = usage.normalised(hasOutput: reading.outputTextBytes > 0)
    else {
      reading.isUsageInconsistent = usage.isInconsistent
      return reading
    }
    reading.usage = usage
    reading.isUsageInconsistent = isInconsistent
    if searches > 0 { reading.usage?[.webSearches] = billedSearches }
    // The answer does not say how many queries it took.
    if isGroundedInMaps { reading.usage?[.mapsQueries] = 1 }
    return reading
  }

  /// Some servers count each embedding's input; the figures are believed where all are there.
  private func readEmbeddings(_ reading: CallReading) -> CallReading {
    guard countedEmbeddings > 0, countedEmbeddings == embeddings else { return reading }
    var reading = reading
    reading.usage = Usage(source: .reported)
    reading.usage?.inputUncached = embeddedTokens
    return reading
  }

  /// Models of the third generation bill every query, older ones every answer that was grounded.
  private var billedSearches: Int64 {
    let isOlder = ["gemini-1", "gemini-2"].contains { reading.responseModel.hasPrefix($0) }
    return isOlder ? 1 : searches
  }

  // MARK: - Containers

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    if depth == 0, !isObject {
      shift = 1
      isStreamed = true
    }
    let depth = depth - shift
    if depth == 0, isObject, shift == 1 { forgetDocument() }
    guard depth > 0 else { return }
    switch path[1] {
    case .error: if depth == 1 { reading.sawError = true }
    case .usage:
      if depth == 2, !isObject { usage.begin(list) }
      if depth == 3, isObject { (modality, listedCount) = (.unknown, nil) }
    case .candidates:
      if depth == 2 { (candidate, candidateHasEnded) = (0, false) }
      if depth == 6, path[4] == .chunks, path[6] == .maps { isGroundedInMaps = true }
      if isInCall(depth) { reading.outputTextBytes += 2 }
    case .embeddings:
      // One, or an element of a list.
      if isObject, depth == 1 || depth == 2 && path[2] == .other { embeddings += 1 }
    default: break
    }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {
    let depth = depth - shift
    if depth == 0 { searches = max(searches, documentSearches) }
    guard depth > 0 else { return }
    switch path[1] {
    case .usage:
      if depth == 3, isObject, case .some(let count) = listedCount {
        usage.set(list, modality, count)
      }
      if depth == 2 { list = .none }
    case .candidates where depth == 2:
      let bit: UInt64 = 1 << UInt64(min(max(candidate, 0), 63))
      begun |= bit
      if candidateHasEnded { ended |= bit }
    default: break
    }
  }

  /// Within a part that is no text: what is said there counts with its punctuation.
  private func isInCall(_ depth: Int) -> Bool {
    depth > 6 && path[3] == .content && path[6] == .call
  }

  // MARK: - Keys

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    let depth = depth - shift
    guard depth > 0 else { return }
    if path[1] == .usage, depth > 1 { return usageKey(text, depth: depth) }
    if isInCall(depth) {
      reading.outputTextBytes += Int64(text.count) + 4
      return
    }
    guard depth < path.count else { return }
    path[depth] = GeminiAnswerKey(text, depth: depth)
    for deeper in depth + 1..<path.count { path[deeper] = .other }
  }

  private mutating func usageKey(_ text: JSONText, depth: Int) {
    (field, isTier, isModality, isListedCount) = (nil, false, false, false)
    switch depth {
    case 2:
      list = GeminiUsage.List(text)
      field = GeminiUsage.Field(text)
      isTier = text.equals("trafficType") || text.equals("serviceTier")
    case 4:
      isModality = text.equals("modality")
      isListedCount = text.equals("tokenCount")
    default: break
    }
  }

  // MARK: - Values

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    let depth = depth - shift
    guard depth > 0 else { return }
    switch path[1] {
    case .usage: usageString(text, depth: depth)
    case .model where depth == 1: reading.responseModel = text.string ?? reading.responseModel
    case .error where depth == 1: reading.sawError = true
    case .feedback where depth == 2 && path[2] == .blockReason: block(text.string)
    case .candidates: candidateString(text, depth: depth)
    default: break
    }
  }

  private mutating func candidateString(_ text: JSONText, depth: Int) {
    if depth == 3, path[3] == .finishReason {
      finish(text.string)
    } else if path[3] == .grounding {
      // Empty queries are not billed.
      if depth == 5, path[4] == .queries, text.count > 0 { documentSearches += 1 }
    } else if isInCall(depth) {
      reading.outputTextBytes += Int64(text.count) + 3
    } else if depth == 6, path[3] == .content, path[6] == .text {
      reading.outputTextBytes += Int64(text.count)
    }
  }

  private mutating func finish(_ reason: String?) {
    guard reason != "FINISH_REASON_UNSPECIFIED", reason != "" else { return }
    reading.finishReason = reason
    candidateHasEnded = true
  }

  private mutating func block(_ reason: String?) {
    reading.finishReason = reason
    wasBlocked = true
  }

  private mutating func usageString(_ text: JSONText, depth: Int) {
    if depth == 4, isModality {
      modality = GeminiUsage.Modality(text)
    } else if depth == 2, isTier {
      reading.serviceTier = GeminiUsage.tier(text) ?? reading.serviceTier
    } else if let field {
      // The API's JSON may say a number as text.
      set(field, text.string.flatMap { Int64($0) })
    } else if isListedCount {
      listedCount = .some(text.string.flatMap { Int64($0) })
    }
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    let depth = depth - shift
    guard depth > 0 else { return }
    if isInCall(depth) { reading.outputTextBytes += Int64(token.count) + 1 }
    guard value != .null else { return }
    var number: Int64?
    if case .number(let whole) = value { number = whole }
    switch path[1] {
    case .usage: usageNumber(number, depth: depth)
    // Enumerations are said by number where the caller asks for it, as some packages do.
    case .candidates where depth == 3 && path[3] == .finishReason:
      if let number, number > 0 { finish(GeminiAnswerKey.finishReason(number)) }
    case .candidates where depth == 3 && path[3] == .index: candidate = number ?? 0
    case .feedback where depth == 2 && path[2] == .blockReason:
      if let number, number > 0 { block(GeminiAnswerKey.blockReason(number)) }
    case .embeddings: embeddingNumber(number, depth: depth)
    default: break
    }
  }

  private mutating func usageNumber(_ number: Int64?, depth: Int) {
    if depth == 4, isModality {
      modality = GeminiUsage.Modality(number: number)
    } else if depth == 2, isTier {
      reading.serviceTier = number.flatMap(GeminiUsage.tier(number:)) ?? reading.serviceTier
    } else if let field {
      set(field, number)
    } else if isListedCount {
      listedCount = .some(number)
    }
  }

  private mutating func set(_ field: GeminiUsage.Field, _ number: Int64?) {
    hasUsage = true
    usage.set(field, number)
  }

  /// `statistics.tokenCount` of an embedding, alone or in a list.
  private mutating func embeddingNumber(_ number: Int64?, depth: Int) {
    guard depth == 3 || depth == 4, path[depth - 1] == .statistics, path[depth] == .tokenCount,
      let number, (0...OpenAIUsage.countMax).contains(number)
    else { return }
    countedEmbeddings += 1
    embeddedTokens = min(embeddedTokens + number, OpenAIUsage.countMax)
  }
}
