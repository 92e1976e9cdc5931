// Hears the parts of a chat request and keeps what admission needs.
//
// It only notes; faults of meaning are kept and reported once the syntax is known, so that it need
// not stop the reader.

/// The sink of a chat completions request.
struct ChatRequestSink: RequestSink {
  private(set) var fault: PeekFault?
  private var request = PeekedRequest()
  private var splice = SplicePoint()
  /// `stream_options.include_usage`; nil where absent or null.
  private var includesUsage: Bool?
  private var bound = ChatInputBound()
  private var said = SaidKeys<ChatRequestKey>()
  private var top: ChatRequestKey?
  private var limits: (completion: Int64?, tokens: Int64?, output: Int64?) = (nil, nil, nil)
  private var bestOf: Int64 = 1
  private var searchOptions = ChatSearchOptions()
  /// Within `stream_options`.
  private var isIncludeUsage = false
  private var hasIncludeUsage = false

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    switch depth {
    case 0: splice.topObject = offset + 1
    case 1: beginTopValue(isObject: isObject, at: offset)
    default:
      if let top, top.isUnboundable { unboundable(top) }
      if top == .streamOptions { includeUsageMustBeBoolean(at: offset, depth: depth) }
      if top == .webSearchOptions, depth == 2 { searchOptions.notPlain() }
    }
    bound.begin(isObject: isObject, under: top, at: offset, depth: depth)
  }

  private mutating func beginTopValue(isObject: Bool, at offset: Int) {
    switch top {
    case .streamOptions:
      if isObject { splice.optionsObject = offset + 1 } else { wrong("an object", offset) }
    case .messages, .tools, .functions, .modalities: if isObject { wrong("an array", offset) }
    case .model, .serviceTier: wrong("a string", offset)
    case .stream: wrong("true or false", offset)
    case .maxTokens, .maxCompletionTokens, .maxOutputTokens, .choices, .bestOf:
      wrong("a whole number", offset)
    case .webSearchOptions:
      if isObject { searchOptions.begin() } else { wrong("an object", offset) }
    // Even an empty object can switch something on; an empty array cannot.
    case let key?: if key.isUnboundable, isObject { unboundable(key) }
    case nil: break
    }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {
    bound.end(under: top, at: offset, depth: depth)
  }

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if depth == 1 {
      splice.topIsEmpty = false
      topKey(text, at: range.lowerBound)
    } else if depth == 2, top == .streamOptions {
      splice.optionsAreEmpty = false
      isIncludeUsage = text.equals("include_usage")
      if isIncludeUsage {
        if hasIncludeUsage { note(.said("stream_options.include_usage", at: range.lowerBound)) }
        hasIncludeUsage = true
      } else if equalsIgnoringCase(text.bytes, "include_usage") {
        note(.lookalike("include_usage", at: range.lowerBound))
      }
    } else if depth == 2, top == .webSearchOptions {
      searchOptions.key(text)
    } else if let top, top.isUnboundable {
      unboundable(top)
    }
    bound.key(text, under: top, depth: depth)
  }

  private mutating func topKey(_ text: JSONText, at offset: Int) {
    top = said.key(text, at: offset, fault: &fault)
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if depth == 1 {
      switch top {
      case .model:
        guard let name = text.string else { return wrong("a string of at most 256 bytes", range) }
        request.model = name
        request.modelPlace = range
      case .serviceTier:
        guard let tier = text.string else { return wrong("a string of at most 256 bytes", range) }
        request.serviceTier = tier
      case .stream: wrong("true or false", range)
      case .streamOptions, .webSearchOptions: wrong("an object", range)
      case .messages, .tools, .functions, .modalities: wrong("an array", range)
      case .maxTokens, .maxCompletionTokens, .maxOutputTokens, .choices, .bestOf:
        wrong("a whole number", range)
      case let key?: if key.isUnboundable, text.count > 0 { unboundable(key) }
      case nil: break
      }
    } else if let top {
      if top.isUnboundable { unboundable(top) }
      if top == .streamOptions { includeUsageMustBeBoolean(at: range.lowerBound, depth: depth) }
      if top == .webSearchOptions, depth == 2 { searchOptions.string(text) }
      if top == .modalities, !text.equals("text") {
        request.unboundablePart = request.unboundablePart ?? "a modality other than text"
      }
    }
    bound.string(text, under: top, at: range, depth: depth)
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    bound.scalar(bytes: token.count, under: top, depth: depth)
    guard let top else { return }
    if depth > 1 {
      if top == .streamOptions, depth == 2, isIncludeUsage {
        includeUsage(value, at: range)
      } else if top == .webSearchOptions {
        if depth == 2, value != .null { searchOptions.notPlain() }
      } else if top.isUnboundable {
        unboundable(top)
      }
      return
    }
    if value == .null {
      if top == .streamOptions { splice.nullOptions = range }
      if top == .maxCompletionTokens { splice.nullBound = range }
      if top == .maxTokens { splice.nullTokens = range }
      return
    }
    switch top {
    case .model, .serviceTier: wrong("a string", range)
    case .stream:
      guard case .boolean(let isOn) = value else { return wrong("true or false", range) }
      request.isStream = isOn
    case .streamOptions, .webSearchOptions: wrong("an object", range)
    case .messages, .tools, .functions, .modalities: wrong("an array", range)
    case .maxTokens: limits.tokens = bound(value, range)
    case .maxCompletionTokens: limits.completion = bound(value, range)
    case .maxOutputTokens: limits.output = bound(value, range)
    case .choices: request.choices = count(value, from: 0, range) ?? 1
    case .bestOf: bestOf = count(value, from: 0, range) ?? 1
    default: if value != .boolean(false) { unboundable(top) }
    }
  }

  private mutating func includeUsage(_ value: JSONScalar, at range: Range<Int>) {
    switch value {
    case .boolean(true): includesUsage = true
    case .boolean(false):
      includesUsage = false
      splice.includeUsage = range
    case .null: splice.includeUsage = range
    default: includeUsageMustBeBoolean(at: range.lowerBound, depth: 2)
    }
  }

  private mutating func includeUsageMustBeBoolean(at offset: Int, depth: Int) {
    guard depth == 2, isIncludeUsage else { return }
    note(.wrong("stream_options.include_usage", "true or false", at: offset))
  }

  /// A whole number of at least `least`, or a fault.
  private mutating func count(_ value: JSONScalar, from least: Int64, _ range: Range<Int>) -> Int64?
  {
    guard case .number(let number?) = value, number >= least else {
      wrong("a whole number of at least \(least)", range)
      return nil
    }
    return number
  }

  private mutating func bound(_ value: JSONScalar, _ range: Range<Int>) -> Int64? {
    let tokens = count(value, from: 0, range)
    request.statedBounds.note(tokens, at: range)
    return tokens
  }

  private mutating func unboundable(_ key: ChatRequestKey) {
    if request.unboundablePart == nil { request.unboundablePart = "'\(key.name)'" }
  }

  // MARK: - Faults

  private mutating func wrong(_ expected: String, _ range: Range<Int>) {
    wrong(expected, range.lowerBound)
  }

  private mutating func wrong(_ expected: String, _ offset: Int) {
    guard let top else { return }
    note(.wrong(top.name, expected, at: offset))
  }

  private mutating func note(_ fault: PeekFault) { self.fault = self.fault ?? fault }

  // MARK: - The result

  consuming func finished(bodyBytes: Int) -> PeekedRequest {
    request.choices = max(request.choices, bestOf, 1)
    // The larger of the two, since upstreams differ in which they obey. `max_output_tokens` can
    // only raise it: chat completions of OpenAI do not know the field and others ignore it, so that
    // alone it bounds nothing.
    request.foreignOutputTokens = limits.output ?? 0
    if limits.completion != nil || limits.tokens != nil {
      request.outputTokensPerChoice = max(
        limits.completion ?? 0, limits.tokens ?? 0, limits.output ?? 0)
    }
    request.inputTokensMax = bound.tokens(bodyBytes: bodyBytes)
    request.unboundablePart = request.unboundablePart ?? bound.unboundablePart
    request.webSearch = searchOptions.search
    request.hidesUsage = request.isStream && includesUsage != true
    if request.hidesUsage { request.usageSplice = splice.usage }
    request.outputBoundPlace = splice.bound
    request.outputBoundField = SplicePoint.boundField
    return request
  }

  /// As `finished(bodyBytes:)`, for a request of the legacy API.
  consuming func finishedAsCompletions(bodyBytes: Int) -> PeekedRequest {
    let splice = splice
    var request = finished(bodyBytes: bodyBytes)
    request.outputBoundPlace = splice.completionsBound
    request.outputBoundField = SplicePoint.completionsBoundField
    return request
  }
}
