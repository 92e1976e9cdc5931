// Hears the parts of a request for speech.

import Metering

/// The sink of a speech request.
///
/// Billed by the characters of its text, which the request holds, or by tokens, whose number the
/// length of the speech decides: that bound is the price book's.
struct SpeechRequestSink: RequestSink {
  private enum Key: UInt8, RequestKey, CaseIterable {
    case model, input, instructions, voice
    case responseFormat, streamFormat

    static let all = allCases
    var name: StaticString {
      switch self {
      case .model: "model"
      case .input: "input"
      case .instructions: "instructions"
      case .voice: "voice"
      case .responseFormat: "response_format"
      case .streamFormat: "stream_format"
      }
    }
  }

  static let tokensPerRequest: Int64 = 64

  private(set) var fault: PeekFault?
  private var request = PeekedRequest()
  private var said = SaidKeys<Key>()
  private var top: Key?
  /// Where the texts stand that may be spoken, their quotation marks included: a server may take
  /// another key for `input`.
  private var spoken: [Range<Int>] = []
  private var textBytes = 0
  /// No text but `input` may be spoken.
  private var saysInputAlone = true

  init() {}

  static func request(
    _ body: UnsafeRawBufferPointer, form: RequestForm, deployment: String?
  ) throws(PeekFault) -> PeekedRequest {
    guard form == .json else { throw .formUnknown }
    let sink = try read(body)
    let texts = sink.spoken.map { Self.characters(of: body[$0]) }
    let characters = texts.reduce(0) { $0 + $1.count }
    var request = sink.finished(bodyBytes: body.count).of(deployment)
    request.media = MediaUnits(
      alternatives: [UsageCount(.charactersIn, characters)],
      isExact: sink.saysInputAlone && texts.allSatisfy(\.isCertain))
    return request
  }

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    if depth > 0 { noteNoText(at: offset, depth: depth) }
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {}

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    guard depth == 1 else { return }
    top = said.key(text, at: range.lowerBound, fault: &fault)
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    // What else a server may read aloud counts as text, too.
    textBytes += text.count
    let isFormat = top == .streamFormat && (text.equals("sse") || text.equals("audio"))
    switch top {
    case .model, .voice, .responseFormat: break
    default:
      if !isFormat { spoken.append(range) }
      if !isFormat, top != .input { saysInputAlone = false }
    }
    guard depth == 1 else { return }
    switch top {
    case .model:
      guard let name = text.string else {
        return note(.wrong("model", "a string of at most 256 bytes", at: range.lowerBound))
      }
      request.model = name
    case .streamFormat: request.isStream = text.equals("sse")
    default: break
    }
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    if value != .null { noteNoText(at: range.lowerBound, depth: depth) }
  }

  private mutating func noteNoText(at offset: Int, depth: Int) {
    // A voice may be an object that names one's own.
    guard depth == 1, let top, top != .voice else { return }
    note(.wrong(top.name, "a string", at: offset))
  }

  private mutating func note(_ fault: PeekFault) { self.fault = self.fault ?? fault }

  consuming func finished(bodyBytes: Int) -> PeekedRequest {
    request.inputTokensMax = Int64(textBytes) + Self.tokensPerRequest
    return request
  }

  /// The characters of a JSON string as UTF-16 counts them: an emoji is two. No provider says
  /// whether it counts it once, so that a text with one has no certain count.
  static func characters(
    of quoted: Slice<UnsafeRawBufferPointer>
  ) -> (count: Int64, isCertain: Bool) {
    var count: Int64 = 0
    var isCertain = true
    var rest = quoted.dropFirst().dropLast()
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\") {
        let isHex = rest.first == UInt8(ascii: "u")
        // Half of a pair: `\uD83D`.
        let digits = rest.dropFirst().prefix(2)
        if isHex, digits.first.map({ $0 | 0x20 }) == UInt8(ascii: "d"),
          digits.last ?? 0 >= UInt8(ascii: "8")
        {
          isCertain = false
        }
        rest = rest.dropFirst(isHex ? 5 : 1)
        count += 1
      } else if byte & 0xC0 != 0x80 {
        if byte >= 0xF0 { isCertain = false }
        count += byte >= 0xF0 ? 2 : 1
      }
    }
    return (count, isCertain)
  }
}
