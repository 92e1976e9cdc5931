// Answers as the bytes that go out, made once for each answer and model and kept.
// Under load the same few are asked for again and again: an answer is one write of shared bytes.

import NIOCore
import Synchronization
import Wire

/// The bytes of one answer.
struct RenderedAnswer: Sendable {
  /// The head, and with a length the whole body.
  let start: ByteBuffer
  /// The chunks of a stream, one an event; empty for an answer with a length.
  let events: [ByteBuffer]
  /// The last chunk of a stream.
  let end: ByteBuffer
  /// All of it in one piece.
  let whole: ByteBuffer

  /// The first half, for an answer that breaks off.
  var half: ByteBuffer {
    var bytes = whole
    return bytes.readSlice(length: whole.readableBytes / 2) ?? whole
  }

  init(status: Int, contentType: StaticString, body: [UInt8], extraFields: String = "") {
    var bytes = Self.head(status: status, contentType: contentType)
    bytes.append(text: extraFields)
    bytes.append("content-length: ")
    bytes.append(decimal: body.count)
    bytes.append("\r\n\r\n")
    bytes += body
    start = ByteBuffer(bytes: bytes)
    events = []
    end = ByteBuffer()
    whole = start
  }

  init(contentType: StaticString, events payloads: [[UInt8]]) {
    var bytes = Self.head(status: 200, contentType: contentType)
    bytes.append("cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n")
    start = ByteBuffer(bytes: bytes)
    var events: [ByteBuffer] = []
    for payload in payloads {
      var chunk: [UInt8] = []
      chunk.append(chunkOf: payload.count)
      chunk += payload
      chunk.append(ChunkFrame.payloadEnd)
      bytes += chunk
      events.append(ByteBuffer(bytes: chunk))
    }
    var last: [UInt8] = []
    last.append(ChunkFrame.bodyEnd)
    self.events = events
    end = ByteBuffer(bytes: last)
    whole = ByteBuffer(bytes: bytes + last)
  }

  private static func head(status: Int, contentType: StaticString) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append("HTTP/1.1 ")
    bytes.append(decimal: status)
    bytes.append(" ")
    bytes.append(ReasonPhrase.of(status))
    bytes.append("\r\ncontent-type: ")
    bytes.append(contentType)
    bytes.append("\r\nserver: rehearsal\r\nx-request-id: req_rehearsal\r\n")
    return bytes
  }
}

enum ReasonPhrase {
  /// The phrase of the statuses that occur here; empty for others.
  static func of(_ status: Int) -> StaticString {
    switch status {
    case 200: "OK"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 404: "Not Found"
    case 413: "Content Too Large"
    case 429: "Too Many Requests"
    case 500: "Internal Server Error"
    case 503: "Service Unavailable"
    default: ""
    }
  }
}

/// The recorded answers and what has been rendered of them.
final class AnswerLibrary: Sendable {
  private struct Key: Hashable {
    let dialect: RehearsalDialect
    let answer: Int
    let model: [UInt8]
    let isStream: Bool
    let includesUsage: Bool
    let isArray: Bool
  }

  /// Models that are not asked for any more must not fill the memory.
  private static let renderedMax = 512

  private let dialects: [RehearsalDialect: DialectAnswers]
  private let rendered = Mutex<[Key: RenderedAnswer]>([:])

  /// - Throws: the first recording that is missing or unreadable.
  init(directory: String) throws(RehearsalFault) {
    var dialects: [RehearsalDialect: DialectAnswers] = [:]
    for dialect in RehearsalDialect.allCases {
      dialects[dialect] = try DialectAnswers(dialect: dialect, directory: directory)
    }
    self.dialects = dialects
  }

  func contains(name: String) -> Bool {
    dialects.values.contains { $0.answers.contains { $0.name == name } }
  }

  /// The answer to a call. - Parameter pick: any number; it chooses among the recorded answers.
  func answer(_ scan: CallScan, pick: UInt64, name: String?) -> RenderedAnswer? {
    guard let recorded = dialects[scan.dialect] else { return nil }
    var index = Int(pick % UInt64(recorded.answers.count))
    if let name, let named = recorded.answers.firstIndex(where: { $0.name == name }) {
      index = named
    }
    let key = Key(
      dialect: scan.dialect, answer: index, model: scan.model, isStream: scan.isStream,
      includesUsage: scan.includesUsage, isArray: scan.isArray)
    if let known = rendered.withLock({ $0[key] }) { return known }
    let fresh = render(recorded.answers[index], scan)
    rendered.withLock { kept in
      if kept.count >= Self.renderedMax { kept.removeAll() }
      kept[key] = fresh
    }
    return fresh
  }

  /// An error in the shape of the dialect.
  func error(_ dialect: RehearsalDialect, status: Int) -> RenderedAnswer {
    let body = dialects[dialect]?.errors[status] ?? []
    let retry = status == 429 ? "retry-after: 2\r\n" : ""
    return RenderedAnswer(
      status: status, contentType: "application/json", body: body, extraFields: retry)
  }

  private func render(_ answer: RecordedAnswer, _ scan: CallScan) -> RenderedAnswer {
    guard scan.isStream else {
      return RenderedAnswer(
        status: 200, contentType: "application/json", body: answer.body.filled(scan.model))
    }
    let payloads = answer.events.compactMap { event in
      (scan.includesUsage ? event.asked : event.unasked)?.filled(scan.model)
    }
    guard scan.isArray else {
      return RenderedAnswer(contentType: "text/event-stream", events: payloads)
    }
    let elements = payloads.enumerated().map { index, payload in
      // `data: {…}` and its line ends become an element of the array.
      let text = payload.dropFirst(6).filter { $0 != 0x0D && $0 != 0x0A }
      let isLast = index == payloads.count - 1
      return Array((index == 0 ? "[" : ",\r\n").utf8) + text + Array((isLast ? "]" : "").utf8)
    }
    return RenderedAnswer(contentType: "application/json; charset=UTF-8", events: elements)
  }
}
