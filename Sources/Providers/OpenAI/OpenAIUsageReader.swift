// Reads a `usage` object of OpenAI's, in the spellings of all its APIs, part by part.

import Metering

/// Fed the parts below a `usage` key; depths count from that key: 1 is a member of the object.
struct OpenAIUsageReader: Sendable {
  private enum Details { case none, input, output, cached, written }

  private(set) var usage = OpenAIUsage()
  /// A figure was said.
  private(set) var hasFigures = false
  /// The input was told apart by kind; the output was.
  private(set) var hasInputDetails = false
  private(set) var hasOutputDetails = false
  /// A duration in place of tokens, in milliseconds.
  private(set) var milliseconds: Int64?
  private var field: OpenAIUsage.Field?
  private var isSeconds = false
  private var isSearchSize = false
  /// How much of its searches' results went before the model.
  private(set) var searchSize: SearchSize?
  private var details = Details.none

  /// Nothing below the key is read any more.
  mutating func leave() {
    field = nil
    isSeconds = false
    isSearchSize = false
    details = .none
  }

  mutating func end(below: Int) {
    if below == 1 { details = .none }
    if below == 2, details == .cached || details == .written { details = .input }
    field = nil
  }

  mutating func key(_ text: JSONText, below: Int) {
    field = nil
    isSeconds = false
    isSearchSize = false
    switch (below, details) {
    case (1, _): topKey(text)
    case (2, .input): inputKey(text)
    case (2, .output):
      if text.equals("audio_tokens") { field = .outputAudio }
      if text.equals("image_tokens") { field = .outputImage }
      if text.equals("reasoning_tokens") { field = .reasoning }
    case (3, .cached):
      if text.equals("audio_tokens") { field = .cachedAudio }
      if text.equals("image_tokens") { field = .cachedImage }
    case (3, .written):
      if text.equals("ttl_30m_tokens") { field = .cacheWrite30m }
      if text.equals("ttl_12h_tokens") { field = .cacheWrite12h }
    default: break
    }
  }

  /// Whether a member of a kind of details was said, of which a count follows.
  private mutating func noteDetails() {
    switch details {
    case .input: hasInputDetails = true
    case .output: hasOutputDetails = true
    default: break
    }
  }

  private mutating func topKey(_ text: JSONText) {
    details = .none
    if text.equals("input_tokens") || text.equals("prompt_tokens") { field = .prompt }
    if text.equals("output_tokens") || text.equals("completion_tokens") { field = .completion }
    if text.equals("total_tokens") { field = .total }
    if text.equals("seconds") { isSeconds = true }
    if text.equals("prompt_cache_hit_tokens") { field = .cached }
    if text.equals("num_search_queries") { field = .searches }
    if text.equals("citation_tokens") { field = .citations }
    if text.equals("reasoning_tokens") { field = .reasoningBeside }
    if text.equals("search_context_size") { isSearchSize = true }
    if text.equals("input_token_details") || text.equals("input_tokens_details")
      || text.equals("prompt_tokens_details")
    {
      details = .input
    }
    if text.equals("output_token_details") || text.equals("output_tokens_details")
      || text.equals("completion_tokens_details")
    {
      details = .output
    }
  }

  private mutating func inputKey(_ text: JSONText) {
    if text.equals("cached_tokens") { field = .cached }
    if text.equals("cache_write_tokens") { field = .cacheWrite }
    if text.equals("audio_tokens") { field = .inputAudio }
    if text.equals("image_tokens") { field = .inputImage }
    if text.equals("cached_tokens_details") { details = .cached }
    if text.equals("cache_write_tokens_details") { details = .written }
  }

  mutating func scalar(_ value: JSONScalar, token: UnsafeRawBufferPointer) {
    guard value != .null else { return }
    noteDetails()
    if isSeconds {
      milliseconds = Self.milliseconds(token)
    } else if let field {
      hasFigures = true
      if case .number(let number) = value {
        usage.set(field, number)
      } else {
        usage.set(field, nil)
      }
    }
  }

  /// A count that is said as text is no count.
  mutating func string(_ text: JSONText) {
    if isSearchSize { searchSize = text.string.flatMap(SearchSize.init) ?? searchSize }
    guard let field else { return }
    hasFigures = true
    usage.set(field, nil)
  }

  /// Puts into a reading what the object said.
  func report(to reading: inout CallReading) {
    if let milliseconds, !hasFigures {
      var usage = Usage(source: .reported)
      usage[.audioInMilliseconds] = milliseconds
      reading.usage = usage
    } else if hasFigures {
      let normalised = usage.normalised()
      reading.usage = normalised?.usage
      reading.isUsageInconsistent = normalised?.isInconsistent ?? usage.isInconsistent
    }
  }

  /// Milliseconds of a duration in seconds, rounded up; nil for what is no plain decimal number.
  static func milliseconds(_ token: UnsafeRawBufferPointer) -> Int64? {
    var value: Int64 = 0
    var decimals = -1
    var hasRest = false
    for byte in token {
      if byte == UInt8(ascii: "."), decimals < 0 {
        decimals = 0
        continue
      }
      let digit = byte &- UInt8(ascii: "0")
      guard digit < 10, value < OpenAIUsage.countMax else { return nil }
      if decimals >= 3 {
        hasRest = hasRest || digit > 0
        continue
      }
      value = value * 10 + Int64(digit)
      if decimals >= 0 { decimals += 1 }
    }
    guard !token.isEmpty, value < OpenAIUsage.countMax else { return nil }
    for _ in 0..<3 - max(decimals, 0) { value *= 10 }
    return value + (hasRest ? 1 : 0)
  }
}
