// What the mock answers: shaped and sized as a provider's chat completions are, written for this
// benchmark.

/// One way to answer, each on a port of its own.
enum Scenario: String, CaseIterable {
  /// One JSON body.
  case json
  /// A stream of 40 events in one write.
  case burst
  /// The same, an event a write, the next as soon as the loop comes round.
  case events
  /// The same, an event every 10 ms, each with the time at which it was sent.
  case paced
  /// The head and one event, then silence until the peer closes.
  case idle
  /// As json; the request is large. Apart, so that a subject can be set up for it.
  case large

  var isStream: Bool { self != .json && self != .large }
}

enum Bodies {
  static let streamEvents = 40

  static let json =
    answerHead("application/json", "content-length: \(completion.utf8.count)")
    + completion.utf8
  static let streamHead = answerHead(
    "text/event-stream; charset=utf-8", "cache-control: no-cache\r\ntransfer-encoding: chunked")
  /// Each event as an HTTP chunk; the last carries `[DONE]` and the end of the body.
  static let chunks: [[UInt8]] = (0..<streamEvents).map { chunk(index: $0, sent: nil) }
  static let burst = streamHead + chunks.joined()

  /// - Parameter sent: nanoseconds of the monotonic clock, to stand in the event.
  static func chunk(index: Int, sent: UInt64?) -> [UInt8] {
    let data = event(index, sent: sent)
    let size = String(data.utf8.count, radix: 16)
    let end = index == streamEvents - 1 ? "0\r\n\r\n" : ""
    return Array("\(size)\r\n\(data)\r\n\(end)".utf8)
  }

  private static let common = """
    "id":"chatcmpl-Bench0123456789abcdefghij","created":1790000000,\
    "model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_0bench0000"
    """

  private static let usage = """
    {"prompt_tokens":371,"completion_tokens":64,"total_tokens":435,\
    "prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},\
    "completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,\
    "accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}
    """

  private static let completion = """
    {\(common),"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant",\
    "content":"The parcel left the depot on Tuesday and is due on Friday before noon. If nobody is \
    at home it will wait at the shop on the corner for seven days; please bring the card that the \
    driver leaves, and something that shows your name.","refusal":null,"annotations":[]},\
    "logprobs":null,"finish_reason":"stop"}],"usage":\(usage)}
    """

  private static let words = [
    "The", " parcel", " left", " the", " depot", " on", " Tuesday", " and", " is", " due", " on",
    " Friday", " before", " noon",
  ]

  private static func event(_ index: Int, sent: UInt64?) -> String {
    let mark = sent.map { "\"sent\":\($0)," } ?? ""
    let start = "data: {\(mark)\"object\":\"chat.completion.chunk\",\(shortCommon),\"choices\":"
    switch index {
    case streamEvents - 1:
      return "\(start)[],\"usage\":\(usage)}\n\ndata: [DONE]\n\n"
    case streamEvents - 2:
      return start + "[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
    default:
      let delta = "{\"content\":\"\(words[index % words.count])\"}"
      return start + "[{\"index\":0,\"delta\":\(delta)}]}\n\n"
    }
  }

  /// Chunks repeat it 40 times; at this length the whole stream has 6.5 kB.
  private static let shortCommon = """
    "id":"chatcmpl-Bench0123456789","created":1790000000,"model":"gpt-4o-mini-2024-07-18"
    """

  private static func answerHead(_ type: String, _ framing: String) -> [UInt8] {
    let head = """
      HTTP/1.1 200 OK\r
      date: Tue, 01 Sep 2026 10:00:00 GMT\r
      content-type: \(type)\r
      openai-processing-ms: 312\r
      openai-version: 2020-10-01\r
      x-ratelimit-limit-requests: 10000\r
      x-ratelimit-remaining-requests: 9999\r
      x-request-id: req_0123456789abcdef0123456789abcdef\r
      \(framing)\r
      \r

      """
    return Array(head.utf8)
  }
}
