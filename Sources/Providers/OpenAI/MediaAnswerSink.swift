// Hears the parts of answers that are no text of a chat: pictures, transcriptions, speech.
//
// Nothing of what was made is kept. In a stream each picture's event has its own usage, which add
// up; speech and transcriptions say theirs once, at the end.

import Metering

/// What such an answer is.
protocol AnswerMedium: Sendable {
  /// What output tokens are where the answer does not say.
  static var output: UsageBucket { get }
  /// What input tokens are where the answer does not say.
  static var input: UsageBucket { get }
  /// Whether an answer without usage says how long its sound was, which is billed then.
  static var hasDuration: Bool { get }
  /// Types of the events that end a stream.
  static var lastEvents: [String] { get }
  /// Whether it brings pictures, which count.
  static var hasPictures: Bool { get }
}

extension AnswerMedium {
  static var hasPictures: Bool { false }
}

enum PictureMedium: AnswerMedium {
  static let output = UsageBucket.outputImage
  static let input = UsageBucket.inputUncached
  static let hasDuration = false
  static let lastEvents = ["image_generation.completed", "image_edit.completed"]
  static let hasPictures = true
}

enum SpeechMedium: AnswerMedium {
  static let output = UsageBucket.outputAudio
  static let input = UsageBucket.inputUncached
  static let hasDuration = false
  static let lastEvents = ["speech.audio.done"]
}

enum TranscriptMedium: AnswerMedium {
  static let output = UsageBucket.outputText
  static let input = UsageBucket.inputAudio
  static let hasDuration = true
  static let lastEvents = ["transcript.text.done"]
}

/// The sink of both answers and stream events.
struct MediaAnswerSink<Medium: AnswerMedium>: AnswerSink {
  private enum Key { case type, usage, error, duration, model, text, data, other }

  /// Of the documents before this one.
  private var earlier = CallReading()
  private var usage = OpenAIUsageReader()
  private var top = Key.other
  /// Of a transcription whose usage is not said: how long its sound was.
  private var milliseconds: Int64?
  private var pictures: Int64 = 0

  init() {}

  mutating func beginDocument() {
    earlier = read()
    usage = OpenAIUsageReader()
    milliseconds = nil
    top = .other
  }

  func read() -> CallReading {
    var own = CallReading()
    usage.report(to: &own)
    if var figures = own.usage {
      if !usage.hasOutputDetails { move(.outputText, to: Medium.output, in: &figures) }
      if !usage.hasInputDetails { move(.inputUncached, to: Medium.input, in: &figures) }
      own.usage = figures
    } else if let milliseconds, Medium.hasDuration {
      var figures = Usage(source: .reported)
      // Seconds are billed whole, and by some no fewer than ten.
      let billed = max(milliseconds, TranscriptionRequest.millisecondsMin)
      figures[.audioInMilliseconds] = (billed + 999) / 1_000 * 1_000
      own.usage = figures
    }
    var reading = earlier
    if let figures = own.usage {
      var sum = reading.usage ?? Usage(source: .reported)
      sum.add(figures)
      reading.usage = sum
    }
    if Medium.hasPictures { reading.pictures = pictures }
    reading.isUsageInconsistent = reading.isUsageInconsistent || own.isUsageInconsistent
    return reading
  }

  private func move(_ bucket: UsageBucket, to other: UsageBucket, in usage: inout Usage) {
    guard bucket != other else { return }
    usage[other] += usage[bucket]
    usage[bucket] = 0
  }

  mutating func noteDone() { earlier.isComplete = true }

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    if depth == 1, top == .error { earlier.sawError = true }
    if depth == 2, top == .data, isObject { pictures += 1 }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {
    if top == .usage { usage.end(below: depth - 1) }
  }

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if depth > 1 {
      if top == .usage { usage.key(text, below: depth - 1) }
      return
    }
    usage.leave()
    top = Self.name(text)
  }

  private static func name(_ text: JSONText) -> Key {
    if text.equals("type") { return .type }
    if text.equals("usage") { return .usage }
    if text.equals("error") { return .error }
    if text.equals("duration") { return .duration }
    if text.equals("data") { return .data }
    if text.equals("model") { return .model }
    return text.equals("text") ? .text : .other
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if top == .usage { usage.string(text) }
    guard depth == 1 else { return }
    switch top {
    case .type:
      if text.equals("error") { earlier.sawError = true }
      if Medium.lastEvents.contains(where: text.matches) {
        earlier.isComplete = true
        pictures += 1
      }
    case .error: earlier.sawError = true
    case .model where earlier.responseModel.isEmpty: earlier.responseModel = text.string ?? ""
    case .text: earlier.outputTextBytes += Int64(text.count)
    default: break
    }
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    if top == .usage { usage.scalar(value, token: token) }
    if depth == 1, top == .duration { milliseconds = OpenAIUsageReader.milliseconds(token) }
  }
}
