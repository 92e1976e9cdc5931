// Reads a whole connection with the module, fed in pieces, into values that tests compare.
// One driver for all tests: what they say about splits or about NIO is said about the same loop.

import Wire

/// One message as a reader understood it.
struct Message: Equatable, CustomStringConvertible {
  var startLine: String
  var fields: [String]
  var body: [UInt8] = []
  var isComplete = false

  var description: String {
    let text = body.map { $0 >= 0x20 && $0 < 0x7F ? String(UnicodeScalar($0)) : "\\\($0)" }
    return "[\(startLine)] \(fields) body(\(body.count)) '\(text.joined())'"
      + (isComplete ? "" : " …")
  }
}

/// All that was understood of one direction of a connection.
struct Transcript: Equatable {
  var messages: [Message] = []
  var fault: WireFault.Code?
  /// The connection carries nothing more: the last message asked to close, or its body ends there.
  var isClosed = false
}

/// Feeds pieces to the readers as a connection handler does.
struct TranscriptReader {
  private enum Phase {
    case head
    case length(Int)
    case chunked(ChunkedReader)
    case untilClose
  }

  let side: WireSide
  /// The methods of the requests that answers belong to, in order; GET when they run out.
  var methods: [RequestMethod] = []
  var limits = HeadLimits()
  private(set) var transcript = Transcript()
  private var held: [UInt8] = []
  private var phase = Phase.head
  private var progress = HeadProgress()
  private var keepsAlive = true
  private let memory: GuardedMemory

  init(
    _ side: WireSide, methods: [RequestMethod] = [], limits: HeadLimits = HeadLimits(),
    memory: GuardedMemory = GuardedMemory()
  ) {
    self.memory = memory
    self.side = side
    self.methods = methods
    self.limits = limits
  }

  mutating func feed(_ piece: some Collection<UInt8>) {
    guard transcript.fault == nil, !transcript.isClosed else { return }
    held.append(contentsOf: piece)
    do throws(WireFault) {
      while try step() {}
    } catch {
      transcript.fault = error.code
    }
  }

  /// The peer closed the connection.
  mutating func close() {
    if case .untilClose = phase { finishMessage() }
  }

  /// Reads one part; false when more bytes are needed or nothing more can come.
  private mutating func step() throws(WireFault) -> Bool {
    switch phase {
    case .head:
      let bytes = held
      return try memory.withBytes(bytes) { (raw) throws(WireFault) in
        side == .request ? try readRequest(raw) : try readResponse(raw)
      }
    case .length(let remaining):
      let count = min(remaining, held.count)
      transcript.messages[transcript.messages.count - 1].body += held[..<count]
      held.removeFirst(count)
      phase = .length(remaining - count)
      guard remaining == count else { return false }
      finishMessage()
      return !transcript.isClosed
    case .chunked(let reader):
      return try readChunks(reader)
    case .untilClose:
      transcript.messages[transcript.messages.count - 1].body += held
      held = []
      return false
    }
  }

  private mutating func readChunks(_ reader: ChunkedReader) throws(WireFault) -> Bool {
    let bytes = held
    var reader = reader
    var offset = 0
    var part = ChunkedReader.Part.needsMore
    repeat {
      part = try memory.withBytes(bytes) { (raw) throws(WireFault) in
        try reader.next(raw, offset: &offset)
      }
      if case .payload(let range) = part {
        transcript.messages[transcript.messages.count - 1].body += bytes[range]
      }
    } while part != .needsMore && part != .end
    held.removeFirst(offset)
    phase = .chunked(reader)
    guard part == .end else { return false }
    finishMessage()
    return !transcript.isClosed
  }

  private mutating func readRequest(_ raw: UnsafeRawBufferPointer) throws(WireFault) -> Bool {
    guard let head = try RequestHead.parse(raw, limits: limits, progress: &progress) else {
      return false
    }
    let target = String(decoding: raw[head.target], as: UTF8.self)
    begin(
      startLine: "\(head.method.name) \(target) 1.\(head.minorVersion)", head.fields,
      head.framing, raw, byteCount: head.byteCount)
    keepsAlive = head.keepAlive && !head.hasUpgrade
    if head.framing.isEmpty { finishMessage() }
    return !transcript.isClosed
  }

  private mutating func readResponse(_ raw: UnsafeRawBufferPointer) throws(WireFault) -> Bool {
    let method = methods.first ?? .get
    guard
      let head = try ResponseHead.parse(
        raw, method: method, limits: limits, progress: &progress)
    else { return false }
    let reason = String(decoding: raw[head.reason], as: UTF8.self)
    begin(
      startLine: "1.\(head.minorVersion) \(head.status) \(reason)", head.fields,
      head.framing, raw, byteCount: head.byteCount)
    keepsAlive = head.keepAlive
    if !head.isInterim, !methods.isEmpty { methods.removeFirst() }
    if head.framing.isEmpty { finishMessage() }
    return !transcript.isClosed
  }

  private mutating func begin(
    startLine: String, _ fields: HeadFields, _ framing: BodyFraming,
    _ raw: UnsafeRawBufferPointer, byteCount: Int
  ) {
    let lines = fields.slices.map {
      String(decoding: raw[$0.name], as: UTF8.self) + "="
        + String(decoding: raw[$0.value], as: UTF8.self)
    }
    transcript.messages.append(Message(startLine: startLine, fields: lines))
    held.removeFirst(byteCount)
    switch framing {
    case .none: phase = .head
    case .length(let length): phase = .length(length)
    case .chunked: phase = .chunked(ChunkedReader(side, limits: limits))
    case .untilClose: phase = .untilClose
    }
  }

  private mutating func finishMessage() {
    transcript.messages[transcript.messages.count - 1].isComplete = true
    phase = .head
    if !keepsAlive { transcript.isClosed = true }
  }

  /// Reads bytes cut at the given offsets.
  static func read(
    _ side: WireSide, _ bytes: [UInt8], cuts: [Int] = [], methods: [RequestMethod] = [],
    limits: HeadLimits = HeadLimits(), memory: GuardedMemory = GuardedMemory()
  ) -> Transcript {
    var reader = TranscriptReader(side, methods: methods, limits: limits, memory: memory)
    var start = 0
    for cut in cuts.sorted() + [bytes.count] where cut >= start {
      reader.feed(bytes[start..<cut])
      start = cut
    }
    reader.close()
    return reader.transcript
  }
}
