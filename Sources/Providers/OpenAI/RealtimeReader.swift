// Reads what a provider says over a WebSocket: the Realtime API's events, and the Responses API's
// in its socket mode.
//
// Only three kinds of message matter to the meter: a response begins, a response has ended and says
// its usage, a caller's speech was transcribed by a model of its own. Messages pass in any split;
// nothing of them is kept but figures and short names.

import Metering

/// What a message means for the meter.
public enum RealtimeEvent: Hashable, Sendable {
  /// A response begins: from now on it costs.
  case responseBegan
  /// A response has ended, whole, cancelled or failed; the reading's usage is nil where it said
  /// none.
  case responseEnded(CallReading)
  /// A caller's speech was transcribed; usage of the transcribing model, which the reading names
  /// where the session said it.
  case transcribed(CallReading)
}

/// Fed the payload of each text message.
public final class RealtimeReader {
  private var reader = JSONReader(sink: RealtimeSink(), isStrict: false)

  public init() {}

  /// Reads the next bytes of the current message.
  public func feed(_ payload: UnsafeRawBufferPointer) { reader.feed(payload) }

  /// The message is whole.
  /// - Returns: what it means; nil: nothing for the meter.
  public func endMessage() -> RealtimeEvent? {
    let event = reader.isDone ? reader.sink.event() : nil
    reader.restart()
    reader.sink.beginDocument()
    return event
  }
}

/// Hears one message after another.
struct RealtimeSink: JSONSink {
  /// A key on the way to what is read.
  private enum Key {
    case other
    case type, response, usage, session, model, serviceTier, status
    case audio, input, transcription
  }

  // Of the session.
  private var sessionModel = ""
  private var transcriptionModel = ""

  // Of the current message.
  private var type = ""
  private var path: [Key] = Array(repeating: .other, count: 6)
  private var usage = OpenAIUsageReader()
  private var responseModel = ""
  private var serviceTier: String?
  private var status: String?

  mutating func beginDocument() {
    type = ""
    usage = OpenAIUsageReader()
    responseModel = ""
    serviceTier = nil
    status = nil
    for depth in path.indices { path[depth] = .other }
  }

  /// What the whole message means.
  func event() -> RealtimeEvent? {
    switch type {
    case "response.created": return .responseBegan
    case "response.done", "response.completed", "response.incomplete", "response.failed",
      "response.cancelled":
      var reading = reading()
      reading.responseModel = responseModel.isEmpty ? sessionModel : responseModel
      reading.serviceTier = serviceTier
      reading.finishReason = status
      reading.sawError = status == "failed"
      return .responseEnded(reading)
    case "conversation.item.input_audio_transcription.completed":
      var reading = reading()
      reading.responseModel = transcriptionModel
      return .transcribed(reading)
    default: return nil
    }
  }

  private func reading() -> CallReading {
    var reading = CallReading()
    reading.isComplete = true
    usage.report(to: &reading)
    return reading
  }

  // MARK: Parts

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    if depth < path.count, depth > 0, !isObject { path[depth] = .other }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {
    guard let base = usageDepth else { return }
    if depth == base { usage.leave() } else { usage.end(below: depth - base) }
  }

  /// The depth of the `usage` key under which the reader is; nil: it is elsewhere.
  private var usageDepth: Int? {
    if path[1] == .usage { return 1 }
    return path[1] == .response && path[2] == .usage ? 2 : nil
  }

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if let base = usageDepth, depth > base {
      usage.key(text, below: depth - base)
      return
    }
    guard depth < path.count else { return }
    path[depth] = Self.name(text)
    for deeper in depth + 1..<path.count { path[deeper] = .other }
    usage.leave()
  }

  private static func name(_ text: JSONText) -> Key {
    if text.equals("type") { return .type }
    if text.equals("response") { return .response }
    if text.equals("usage") { return .usage }
    if text.equals("session") { return .session }
    if text.equals("model") { return .model }
    if text.equals("service_tier") { return .serviceTier }
    if text.equals("status") { return .status }
    if text.equals("audio") { return .audio }
    if text.equals("input") { return .input }
    if text.equals("transcription") || text.equals("input_audio_transcription") {
      return .transcription
    }
    return .other
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    if usageDepth != nil { return usage.string(text) }
    guard depth < path.count else { return }
    switch (path[1], path[depth]) {
    case (.type, _) where depth == 1: type = text.string ?? ""
    case (.response, .model) where depth == 2: responseModel = text.string ?? ""
    case (.response, .serviceTier) where depth == 2: serviceTier = text.string
    case (.response, .status) where depth == 2: status = text.string
    case (.session, .model) where depth == 2: sessionModel = text.string ?? sessionModel
    case (.session, .model) where isTranscription(depth):
      transcriptionModel = text.string ?? transcriptionModel
    default: break
    }
  }

  /// `session.input_audio_transcription.model`, or `session.audio.input.transcription.model`.
  private func isTranscription(_ depth: Int) -> Bool {
    if depth == 3 { return path[2] == .transcription }
    return depth == 5 && path[2] == .audio && path[3] == .input && path[4] == .transcription
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    if usageDepth != nil { usage.scalar(value, token: token) }
  }
}
