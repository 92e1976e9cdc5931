// Hears the parts of a chat completion or of a chunk of one, in the OpenAI dialect.
//
// Nothing of the answer is kept but figures and a few short names, whatever the answer's size.

import Metering

/// The sink of both answers and stream events; figures add up over the events of a stream.
struct ChatAnswerSink: AnswerSink {
  /// What `choices` was in the current document.
  private enum Choices { case absent, empty, some }

  private(set) var reading = CallReading()
  private var usage = OpenAIUsage()
  private var hasUsage = false

  // Of the current document.
  private var documentHasUsage = false
  private var choices = Choices.absent
  /// Whether the document holds something beside usage that a caller may wait for.
  private var hasOtherNews = false
  private var top = Top.other
  private var choiceField = ChoiceField.other
  private var usageField: OpenAIUsage.Field?
  private var details = Details.none
  private var isCounted = false

  private enum Top { case model, serviceTier, usage, error, choices, filters, other }
  private enum ChoiceField { case output, finishReason, other }
  private enum Details { case none, input, output, searchSize }

  /// Forgets what belongs to one document.
  mutating func beginDocument() {
    documentHasUsage = false
    choices = .absent
    hasOtherNews = false
    top = .other
  }

  /// The reading so far.
  func read() -> CallReading {
    var reading = reading
    if hasUsage, let (usage, isInconsistent) = usage.normalised() {
      reading.usage = usage
      reading.isUsageInconsistent = isInconsistent
      // Searches of one call are all of one size.
      if let size = reading.searchSize, size != .medium, let count = reading.usage?[.webSearches] {
        reading.usage?[.webSearches] = 0
        reading.usage?[size.bucket] = count
      }
    } else if hasUsage {
      reading.isUsageInconsistent = usage.isInconsistent
    }
    return reading
  }

  /// Whether the document says nothing but usage.
  var isUsageOnly: Bool { documentHasUsage && choices == .empty && !hasOtherNews }

  mutating func noteDone() { reading.isComplete = true }

  private mutating func noteErrorHere() {
    reading.sawError = true
    hasOtherNews = true
  }

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    if depth == 1 {
      switch top {
      case .error: noteErrorHere()
      case .choices: choices = .empty
      case .usage: documentHasUsage = isObject
      case .filters: hasOtherNews = true
      default: break
      }
      choiceField = .other
      details = .none
      usageField = nil
    } else if depth == 2, top == .choices {
      choices = .some
      choiceField = .other
    }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {
    if depth == 2, top == .usage { details = .none }
  }

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    switch depth {
    case 1: topKey(text)
    case 2 where top == .usage: usageKey(text)
    case 3 where top == .usage: detailKey(text)
    case 3 where top == .choices: choiceKey(text)
    case 4 where top == .choices: isCounted = choiceField == .output && !text.equals("role")
    default: break
    }
  }

  private mutating func topKey(_ text: JSONText) {
    top =
      if text.equals("choices") {
        .choices
      } else if text.equals("model") {
        .model
      } else if text.equals("usage") {
        .usage
      } else if text.equals("service_tier") {
        .serviceTier
      } else if text.equals("error") {
        .error
      } else if text.equals("prompt_filter_results") {
        .filters
      } else {
        .other
      }
  }

  private mutating func choiceKey(_ text: JSONText) {
    if text.equals("delta") || text.equals("message") || text.equals("text") {
      choiceField = .output
    } else {
      choiceField = text.equals("finish_reason") ? .finishReason : .other
    }
    isCounted = choiceField == .output
  }

  private mutating func usageKey(_ text: JSONText) {
    details = .none
    usageField = nil
    if text.equals("prompt_tokens") || text.equals("input_tokens") {
      usageField = .prompt
    } else if text.equals("completion_tokens") || text.equals("output_tokens") {
      usageField = .completion
    } else if text.equals("total_tokens") {
      usageField = .total
    } else if text.equals("prompt_tokens_details") || text.equals("input_tokens_details") {
      details = .input
    } else if text.equals("completion_tokens_details") || text.equals("output_tokens_details") {
      details = .output
    } else if text.equals("prompt_cache_hit_tokens") {
      usageField = .cached
    } else if text.equals("num_search_queries") {
      usageField = .searches
    } else if text.equals("citation_tokens") {
      usageField = .citations
    } else if text.equals("reasoning_tokens") {
      usageField = .reasoningBeside
    } else if text.equals("search_context_size") {
      details = .searchSize
    }
  }

  private mutating func detailKey(_ text: JSONText) {
    usageField = nil
    switch details {
    case .input:
      if text.equals("cached_tokens") { usageField = .cached }
      if text.equals("cache_write_tokens") { usageField = .cacheWrite }
      if text.equals("audio_tokens") { usageField = .inputAudio }
      if text.equals("image_tokens") { usageField = .inputImage }
    case .output:
      if text.equals("reasoning_tokens") { usageField = .reasoning }
      if text.equals("audio_tokens") { usageField = .outputAudio }
      if text.equals("image_tokens") { usageField = .outputImage }
    case .none, .searchSize: break
    }
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    switch top {
    case .choices:
      if depth >= 3, isCounted { reading.outputTextBytes += Int64(text.count) }
      if depth == 3, choiceField == .finishReason {
        Self.keep(text, in: &reading.finishReason)
      }
    case .model where depth == 1 && reading.responseModel.isEmpty:
      reading.responseModel = text.string ?? ""
    case .serviceTier where depth == 1: Self.keep(text, in: &reading.serviceTier)
    case .error where depth == 1: noteErrorHere()
    case .usage where depth == 2 && details == .searchSize:
      reading.searchSize = text.string.flatMap(SearchSize.init) ?? reading.searchSize
    default: break
    }
  }

  /// Keeps a short text, without a copy where it says what is known.
  private static func keep(_ text: JSONText, in place: inout String?) {
    if let known = place, text.matches(known) { return }
    if let string = text.string { place = string }
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    switch top {
    case .usage where depth == 2 || depth == 3:
      guard let field = usageField, value != .null else { return }
      hasUsage = true
      if case .number(let number) = value {
        usage.set(field, number)
      } else {
        usage.set(field, nil)
      }
    case .choices where depth == 1 && value == .null: choices = .empty
    case .error where depth == 1 && value != .null && value != .boolean(false): noteErrorHere()
    default: break
    }
  }
}
