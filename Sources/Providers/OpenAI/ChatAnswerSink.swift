// Hears the parts of a chat completion or of a chunk of one, in the OpenAI dialect.
//
// Nothing of the answer is kept but figures and a few short names, whatever the answer's size.

import Metering

/// The sink of both answers and stream events; figures add up over the events of a stream.
struct ChatAnswerSink: AnswerSink {
  /// What `choices` was in the current document.
  private enum Choices { case absent, empty, some }

  private(set) var reading = CallReading()
  private var usage = OpenAIUsageReader()

  // Of the current document.
  private var documentHasUsage = false
  private var choices = Choices.absent
  /// Whether the document holds something beside usage that a caller may wait for.
  private var hasOtherNews = false
  private var top = Top.other
  private var choiceField = ChoiceField.other
  private var isCounted = false

  private enum Top { case model, serviceTier, usage, error, choices, filters, other }
  private enum ChoiceField { case output, finishReason, other }

  /// Forgets what belongs to one document.
  mutating func beginDocument() {
    documentHasUsage = false
    choices = .absent
    hasOtherNews = false
    top = .other
    usage.leave()
  }

  /// The reading so far.
  func read() -> CallReading {
    var reading = reading
    reading.searchSize = usage.searchSize
    usage.report(to: &reading)
    // Searches of one call are all of one size.
    if let size = reading.searchSize, size != .medium, let count = reading.usage?[.webSearches] {
      reading.usage?[.webSearches] = 0
      reading.usage?[size.bucket] = count
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
    } else if depth == 2, top == .choices {
      choices = .some
      choiceField = .other
    }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {
    if top == .usage { usage.end(below: depth - 1) }
  }

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    switch depth {
    case 1: topKey(text)
    case 2... where top == .usage: usage.key(text, below: depth - 1)
    case 3 where top == .choices: choiceKey(text)
    case 4 where top == .choices: isCounted = choiceField == .output && !text.equals("role")
    default: break
    }
  }

  private mutating func topKey(_ text: JSONText) {
    usage.leave()
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
    case .usage: usage.string(text)
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
    case .usage: usage.scalar(value, token: token)
    case .choices where depth == 1 && value == .null: choices = .empty
    case .error where depth == 1 && value != .null && value != .boolean(false): noteErrorHere()
    default: break
    }
  }
}
