// An answer on its way from the upstream to the caller: bytes in, bytes out, read in passing.
//
// Pure: it is fed what the upstream sent in any split and appends what the caller gets. Interim
// answers are swallowed, hop-by-hop fields dropped, chunks framed anew; the payload stays as it
// came, but for the usage event that the caller did not ask for, and that only where no content
// coding hides it.

import Metering
import NIOCore
import Providers
import Wire

/// One answer's framing, reader and sample. A class: whoever asks it something copies nothing.
final class AnswerPipe {
  /// What the request asked for, as far as its answer is read and told by it.
  struct Asked {
    var isStream = false
    /// The caller did not ask for a stream's usage, so it must not see it.
    var hidesUsage = false
    /// Lines of the gateway's own for the answer's head, each with its end.
    var lines = ""
  }

  /// What a piece of the answer brought.
  struct Progress: Equatable {
    /// The final answer's status, in the piece that ends its head.
    var status: Int?
    var bodyBytes = 0
    var isEnded = false
    /// The upstream opened the WebSocket that was asked for: what follows its head is frames.
    var frames: ByteBuffer?
  }

  private enum Phase {
    /// The final head is not whole. → body, ended.
    case head
    /// → ended.
    case body(BodyFraming)
    case ended
  }

  let plan: RequestPlan
  let asked: Asked
  let callID: CallID?
  let limits: HeadLimits
  let decodedBytesMax: Int
  private(set) var sample: AnswerSample
  /// The caller can tell the answer's end without the connection closing.
  private(set) var keepsCallerAlive: Bool

  private var phase = Phase.head
  /// The upstream keeps the connection, as far as the answer's head and what came since tell.
  private var upstreamKeepsAlive = false
  /// Bytes of a head that is not whole.
  private var pending = ByteBuffer()
  private var progress = HeadProgress()
  private var chunks: ChunkedReader
  private var content = AnswerContent()
  private var links: ResultsLinks?
  /// What the head of the answer says of the call's cost; nil where heads say nothing of it.
  private var costHead: InvokeHead?
  /// How the caller gets the body; `untilClose` for callers of HTTP/1.0.
  private var outFraming = BodyFraming.none
  /// Payload of one piece, gathered so that it becomes one chunk.
  private var payload = ByteBuffer()

  init(
    plan: RequestPlan, asked: Asked, callID: CallID?, sample: AnswerSample, limits: HeadLimits,
    decodedBytesMax: Int
  ) {
    self.plan = plan
    self.asked = asked
    self.callID = callID
    self.sample = sample
    self.limits = limits
    self.decodedBytesMax = decodedBytesMax
    keepsCallerAlive = plan.keepsAlive
    chunks = ChunkedReader(.response, limits: limits)
  }

  // MARK: Feeding

  /// Reads a piece of the answer.
  ///
  /// - Parameter isAbsorbing: the caller is gone; nothing is written to `out`.
  /// - Throws: the answer is not HTTP/1.1 as it must be.
  func feed(
    _ piece: ByteBuffer, into out: inout ByteBuffer, isAbsorbing: Bool
  ) throws(WireFault) -> Progress {
    var result = Progress()
    var piece = piece
    if case .head = phase {
      if pending.readableBytes > 0 {
        pending.writeBuffer(&piece)
        piece = pending
      }
      guard try readHead(&piece, into: &out, isAbsorbing: isAbsorbing) else {
        pending = piece
        return result
      }
      pending = ByteBuffer()
      result.status = status
      if status == 101 {
        phase = .ended
        result.frames = piece
        return result
      }
    }
    try readBody(&piece, into: &out, isAbsorbing: isAbsorbing, &result)
    if case .ended = phase {
      result.isEnded = true
      // Bytes behind the end belong to no request of ours.
      if piece.readableBytes > 0 { upstreamKeepsAlive = false }
    }
    return result
  }

  /// The upstream closed. True: that is the answer's end; else the answer was cut.
  func closed(into out: inout ByteBuffer, isAbsorbing: Bool) -> Bool {
    guard case .body(.untilClose) = phase else { return false }
    end(into: &out, isAbsorbing: isAbsorbing)
    return true
  }

  /// Ends a stream in mid-way with an event of ours.
  /// - Returns: whether one could follow what the caller has got. Where none can, only the loss of
  ///   the connection tells it that the answer is not whole.
  func end(with event: [UInt8], into out: inout ByteBuffer) -> Bool {
    guard case .body = phase, content.isBetweenEvents,
      outFraming == .chunked || outFraming == .untilClose
    else { return false }
    phase = .ended
    upstreamKeepsAlive = false
    payload.writeBytes(event)
    flushPayload(into: &out)
    if outFraming == .chunked { out.append(ChunkFrame.bodyEnd) }
    return true
  }

  private(set) var status = 0

  /// All that the answer told, valid at any moment.
  var reading: CallReading { costHead?.completing(content.reading) ?? content.reading }

  /// The upstream's connection can carry another call: this answer has been read to its end.
  var isReusable: Bool {
    if case .ended = phase { upstreamKeepsAlive } else { false }
  }

  /// The coding in which the answer cannot be read; nil where it can.
  var unreadableCoding: ContentCoding? { content.isUnreadable ? content.coding : nil }

  var isStream: Bool { content.isStream }

  var isBetweenEvents: Bool { content.isBetweenEvents }

  // MARK: Head

  /// Reads heads until the final one. False: more bytes are needed.
  private func readHead(
    _ piece: inout ByteBuffer, into out: inout ByteBuffer, isAbsorbing: Bool
  ) throws(WireFault) -> Bool {
    while true {
      let (limits, method) = (limits, plan.head.method)
      let parsed = piece.withUnsafeReadableBytes { bytes -> Result<ResponseHead?, WireFault> in
        do throws(WireFault) {
          return .success(
            try ResponseHead.parse(bytes, method: method, limits: limits, progress: &progress))
        } catch {
          return .failure(error)
        }
      }
      guard let head = try parsed.get(), let bytes = piece.readSlice(length: head.byteCount)
      else { return false }
      if head.isInterim { continue }
      // An upgrade that was not asked for cannot be answered, nor an extension that was left out.
      let extensions = head.fields.present.contains(.secWebSocketExtensions)
      guard head.status != 101 || plan.isSocket && !extensions else {
        throw WireFault(.malformedStatusLine, .response)
      }
      begin(head, bytes, into: &out, isAbsorbing: isAbsorbing)
      return true
    }
  }

  private func begin(
    _ head: ResponseHead, _ bytes: ByteBuffer, into out: inout ByteBuffer, isAbsorbing: Bool
  ) {
    status = head.status
    upstreamKeepsAlive = head.keepAlive
    sample.begin(status: head.status)
    bytes.withUnsafeReadableBytes { raw in
      chooseReader(head, raw)
      if plan.linksResults, ContentCoding(head.fields, in: raw) == .identity { links = .init() }
      if plan.operation?.hasCostInHead == true { readCost(head, raw) }
      chooseFraming(head)
      if !isAbsorbing { writeHead(head, raw, to: &out) }
    }
    phase = .body(head.framing)
  }

  private func chooseReader(_ head: ResponseHead, _ bytes: UnsafeRawBufferPointer) {
    guard plan.endpoint != .unmetered, plan.endpoint != .stored || plan.namesFiles,
      !head.framing.isEmpty
    else { return }
    let type = head.fields.first(.contentType)
    let isEventStream = type.map { Self.begins(bytes[$0], "text/event-stream") } ?? false
    let isJSON = type.map { Self.begins(bytes[$0], "application/json") } ?? false
    // What other paths hand out may be any file: only what says that it is an answer is read.
    if plan.operation == nil, !isEventStream, !isJSON { return }
    // An upstream that streams without saying so is read by what was asked for.
    let isStream = isEventStream || asked.isStream && !isJSON && head.status < 300
    content = AnswerContent(
      isStream ? .stream(hidesUsage: asked.hidesUsage) : .json,
      of: plan.operation ?? (plan.namesFiles ? .batches : .chatCompletions),
      coding: ContentCoding(head.fields, in: bytes),
      decodedBytesMax: decodedBytesMax)
  }

  private func readCost(_ head: ResponseHead, _ bytes: UnsafeRawBufferPointer) {
    guard let operation = plan.operation else { return }
    var cost = InvokeHead(operation)
    for slice in head.fields.slices where slice.field == .other {
      cost.take(
        name: UnsafeRawBufferPointer(rebasing: bytes[slice.name]),
        value: UnsafeRawBufferPointer(rebasing: bytes[slice.value]))
    }
    costHead = cost
  }

  private func chooseFraming(_ head: ResponseHead) {
    switch head.framing {
    case .none: outFraming = .none
    case .length where !content.mayShorten: outFraming = head.framing
    case .length, .chunked, .untilClose:
      outFraming = plan.isOldVersion ? .untilClose : .chunked
    }
    if outFraming == .untilClose { keepsCallerAlive = false }
  }

  private func writeHead(
    _ head: ResponseHead, _ bytes: UnsafeRawBufferPointer, to out: inout ByteBuffer
  ) {
    // The head's own lines, and at most what is written beside them below.
    let lines = Array(asked.lines.utf8)
    out.write(atMost: head.byteCount + Self.ownLinesBytesMax + lines.count) { cursor in
      cursor.append("HTTP/1.1 ")
      cursor.append(decimal: head.status)
      cursor.append(" ")
      cursor.append(UnsafeRawBufferPointer(rebasing: bytes[head.reason]))
      cursor.append("\r\n")
      // The length stays where the body's does, and where a head tells of a body that does not
      // follow.
      let keepsLength = outFraming == head.framing
      head.fields.forEachRun(in: bytes, dropping: keepsLength ? [] : .init(.contentLength)) {
        cursor.append($0)
      }
      if outFraming == .chunked { cursor.append("transfer-encoding: chunked\r\n") }
      if let callID {
        cursor.append("x-leeway-call: ")
        cursor.append(decimal: Int(clamping: callID.number))
        cursor.append("\r\n")
      }
      if !lines.isEmpty { cursor.append(lines) }
      if head.status == 101 {
        cursor.append("connection: upgrade\r\nupgrade: websocket\r\n")
      } else if !keepsCallerAlive {
        cursor.append("connection: close\r\n")
      } else if plan.isOldVersion {
        cursor.append("connection: keep-alive\r\n")
      }
      cursor.append("\r\n")
    }
  }

  private static let ownLinesBytesMax = 256

  // MARK: Body

  private func readBody(
    _ piece: inout ByteBuffer, into out: inout ByteBuffer, isAbsorbing: Bool,
    _ result: inout Progress
  ) throws(WireFault) {
    guard case .body(let framing) = phase else { return }
    let before = piece.readableBytes
    switch framing {
    case .none: end(into: &out, isAbsorbing: isAbsorbing)
    case .length(let left):
      let count = min(left, piece.readableBytes)
      relay(&piece, count: count, into: &out, isAbsorbing: isAbsorbing)
      phase = .body(.length(left - count))
      if left == count { end(into: &out, isAbsorbing: isAbsorbing) }
    case .untilClose:
      relay(&piece, count: piece.readableBytes, into: &out, isAbsorbing: isAbsorbing)
    case .chunked: try readChunks(&piece, into: &out, isAbsorbing: isAbsorbing)
    }
    result.bodyBytes = before - piece.readableBytes
  }

  private func readChunks(
    _ piece: inout ByteBuffer, into out: inout ByteBuffer, isAbsorbing: Bool
  ) throws(WireFault) {
    var offset = 0
    var fault: WireFault?
    var isEnded = false
    // Taken out for the while, since the reader writes to it and belongs to the pipe as well.
    var gathered = payload
    payload = ByteBuffer()
    if !isAbsorbing { gathered.reserveCapacity(piece.readableBytes) }
    piece.withUnsafeReadableBytes { bytes in
      do throws(WireFault) {
        loop: while true {
          switch try chunks.next(bytes, offset: &offset) {
          case .payload(let range):
            read(
              UnsafeRawBufferPointer(rebasing: bytes[range]), into: &gathered,
              isAbsorbing: isAbsorbing)
          case .end:
            isEnded = true
            break loop
          case .needsMore: break loop
          }
        }
      } catch { fault = error }
    }
    payload = gathered
    gathered = ByteBuffer()
    piece.moveReaderIndex(forwardBy: offset)
    if let fault { throw fault }
    flushPayload(into: &out)
    if isEnded { end(into: &out, isAbsorbing: isAbsorbing) }
  }

  private func relay(
    _ piece: inout ByteBuffer, count: Int, into out: inout ByteBuffer, isAbsorbing: Bool
  ) {
    guard count > 0, let body = piece.readSlice(length: count) else { return }
    if outFraming == .chunked {
      // As above.
      var gathered = payload
      payload = ByteBuffer()
      body.withUnsafeReadableBytes { read($0, into: &gathered, isAbsorbing: isAbsorbing) }
      payload = gathered
      gathered = ByteBuffer()
      flushPayload(into: &out)
    } else {
      body.withUnsafeReadableBytes { read($0, into: &out, isAbsorbing: isAbsorbing) }
    }
  }

  /// Reads payload, and gathers what of it the caller gets.
  private func read(
    _ bytes: UnsafeRawBufferPointer, into gathered: inout ByteBuffer, isAbsorbing: Bool
  ) {
    let relay = content.read(bytes, sample: &sample)
    guard !isAbsorbing else { return }
    switch relay {
    case .everything where links != nil: gathered.writeBytes(links?.take(bytes) ?? [])
    case .everything: gathered.writeBytes(bytes)
    case .nothing: break
    case .pieces(let held, let ranges):
      gathered.writeBytes(held)
      for range in ranges { gathered.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[range])) }
    }
  }

  private func flushPayload(into out: inout ByteBuffer) {
    let count = payload.readableBytes
    guard count > 0 else { return }
    if outFraming == .chunked {
      out.append(chunkOf: count)
      out.writeBuffer(&payload)
      out.append(ChunkFrame.payloadEnd)
    } else {
      out.writeBuffer(&payload)
    }
    payload.clear()
  }

  private func end(into out: inout ByteBuffer, isAbsorbing: Bool) {
    let rest = content.end(sample: &sample)
    if !isAbsorbing { payload.writeBytes(rest + (links?.finish() ?? [])) }
    flushPayload(into: &out)
    if outFraming == .chunked, !isAbsorbing { out.append(ChunkFrame.bodyEnd) }
    phase = .ended
  }

  private static func begins(_ bytes: Slice<UnsafeRawBufferPointer>, _ text: StaticString) -> Bool {
    bytes.count >= text.utf8CodeUnitCount && equals(bytes.prefix(text.utf8CodeUnitCount), text)
  }

  private static func equals(_ bytes: Slice<UnsafeRawBufferPointer>, _ text: StaticString) -> Bool {
    guard bytes.count == text.utf8CodeUnitCount else { return false }
    return zip(bytes, 0...).allSatisfy { byte, index in
      let lower = 0x41...0x5A ~= byte ? byte | 0x20 : byte
      return lower == text.utf8Start[index]
    }
  }
}
