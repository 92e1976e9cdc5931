// Reads a whole connection with the module, fed in pieces, as a connection handler does.
// One driver for all tests: what they say about splits or about NIO is said about the same loop.

import Wire

/// Feeds pieces to the readers.
public struct TranscriptReader {
  private enum Phase {
    case head
    case length(Int)
    case chunked(ChunkedReader)
    case untilClose
  }

  private let side: WireSide
  /// The methods of the requests that answers belong to, in order; GET when they run out.
  private var methods: ArraySlice<RequestMethod>
  private let limits: HeadLimits
  public private(set) var transcript = Transcript()
  /// What the messages that were read to their end had.
  public private(set) var features = WireFeatures()
  /// The same of the message that is being read.
  private var pending = WireFeatures()
  private var held: [UInt8] = []
  private var phase = Phase.head
  private var progress = HeadProgress()
  private var keepsAlive = true
  /// Bytes of chunk frames since the last payload.
  private var frame: [UInt8] = []
  private var chunkCount = 0
  private let memory: GuardedMemory

  public init(
    _ side: WireSide, methods: [RequestMethod] = [], limits: HeadLimits = HeadLimits(),
    memory: GuardedMemory = GuardedMemory()
  ) {
    self.memory = memory
    self.side = side
    self.methods = methods[...]
    self.limits = limits
  }

  public mutating func feed(_ piece: some Collection<UInt8>) {
    guard transcript.fault == nil, !transcript.isClosed, !piece.isEmpty else { return }
    held.append(contentsOf: piece)
    do throws(WireFault) {
      while try step() {}
    } catch {
      transcript.fault = error.code
    }
  }

  /// Says that more bytes follow the last piece, to note where it was cut.
  public mutating func noteCut() {
    guard transcript.fault == nil, !transcript.isClosed else { return }
    switch phase {
    case .head:
      if held.last == 0x0D {
        pending.insert(.cutInLineEnd)
      } else if held.contains(0x0A) {
        pending.insert(.cutInFields)
      } else if !held.isEmpty {
        pending.insert(.cutInStartLine)
      } else if !transcript.messages.isEmpty {
        pending.insert(.cutBetweenMessages)
      }
    case .length: pending.insert(.cutInLength)
    case .chunked:
      if frame.isEmpty {
        if chunkCount > 0 { pending.insert(.cutInPayload) }
      } else {
        pending.insert(isInTrailer ? .cutInTrailer : .cutInChunkFrame)
      }
    case .untilClose: break
    }
  }

  /// The peer closed the connection.
  public mutating func close() {
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
      let start = offset
      part = try memory.withBytes(bytes) { (raw) throws(WireFault) in
        try reader.next(raw, offset: &offset)
      }
      if case .payload(let range) = part {
        transcript.messages[transcript.messages.count - 1].body += bytes[range]
        frame += bytes[start..<range.lowerBound]
        if !frame.isEmpty { noteFrame() }
      } else {
        frame += bytes[start..<offset]
      }
    } while part != .needsMore && part != .end
    held.removeFirst(offset)
    phase = .chunked(reader)
    guard part == .end else { return false }
    if chunkCount == 0 { pending.insert(.chunkedEmpty) }
    if frame.count(where: { $0 == 0x0A }) > (chunkCount > 0 ? 3 : 2) { pending.insert(.trailer) }
    noteFrame()
    finishMessage()
    return !transcript.isClosed
  }

  /// The line of the last chunk has been read, that is, one line end more than after a payload.
  private var isInTrailer: Bool {
    frame.last != 0x0A && frame.count(where: { $0 == 0x0A }) >= (chunkCount > 0 ? 2 : 1)
  }

  private mutating func noteFrame() {
    if frame.contains(0x3B) {
      // A trailer may hold a semicolon as well.
      let line = frame.drop { $0 == 0x0D || $0 == 0x0A }.prefix { $0 != 0x0D }
      if line.contains(0x3B) { pending.insert(.chunkExtension) }
      if line.contains(0x22) { pending.insert(.quotedChunkExtension) }
    }
    frame.removeAll(keepingCapacity: true)
    chunkCount += 1
    if chunkCount > 8 { pending.insert(.manyChunks) }
  }

  private mutating func readRequest(_ raw: UnsafeRawBufferPointer) throws(WireFault) -> Bool {
    guard let head = try RequestHead.parse(raw, limits: limits, progress: &progress) else {
      return false
    }
    if head.methodRange.lowerBound > 0 { pending.insert(.leadingEmptyLine) }
    if head.query != nil { pending.insert(.query) }
    if raw[head.target.lowerBound] == 0x2A { pending.insert(.starTarget) }
    if head.path.lowerBound > head.target.lowerBound { pending.insert(.absoluteTarget) }
    if head.target.count > 1_000 { pending.insert(.longTarget) }
    if head.expectsContinue { pending.insert(.expectContinue) }
    if head.hasUpgrade { pending.insert(.upgrade) }
    if head.minorVersion == 0, head.keepAlive { pending.insert(.oldVersionKeptAlive) }
    var message = Message()
    message.head.append(head.method.name)
    message.head.append(0x20)
    message.head.append(UnsafeRawBufferPointer(rebasing: raw[head.target]))
    message.head.append(head.minorVersion == 1 ? " 1.1\0" : " 1.0\0")
    if head.minorVersion == 0 { pending.insert(.oldVersion) }
    begin(&message, head.fields, head.framing, raw, byteCount: head.byteCount)
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
    if head.reason.isEmpty { pending.insert(.noReason) }
    if head.isInterim { pending.insert(.interim) }
    switch head.status {
    case 101: pending.insert(.switchingProtocols)
    case 204: pending.insert(.noContent)
    case 304: pending.insert(.notModified)
    case 200... where method == .head: pending.insert(.answerToHead)
    default: break
    }
    if head.minorVersion == 0 { pending.insert(.oldVersion) }
    if head.minorVersion == 0, head.keepAlive { pending.insert(.oldVersionKeptAlive) }
    var message = Message()
    message.head.append(head.minorVersion == 1 ? "1.1 " : "1.0 ")
    message.head.append(decimal: head.status)
    message.head.append(0)
    begin(&message, head.fields, head.framing, raw, byteCount: head.byteCount)
    keepsAlive = head.keepAlive
    if !head.isInterim { methods = methods.dropFirst() }
    if head.framing.isEmpty { finishMessage() }
    return !transcript.isClosed
  }

  private mutating func begin(
    _ message: inout Message, _ fields: HeadFields, _ framing: BodyFraming,
    _ raw: UnsafeRawBufferPointer, byteCount: Int
  ) {
    for slice in fields.slices {
      message.head.append(UnsafeRawBufferPointer(rebasing: raw[slice.name]))
      message.head.append(0)
      message.head.append(UnsafeRawBufferPointer(rebasing: raw[slice.value]))
      message.head.append(0)
      note(raw[slice.value])
    }
    message.fieldCount = fields.count
    if fields.count == 0 { pending.insert(.noFields) }
    if fields.count > 32 { pending.insert(.manyFields) }
    if fields.asksClose { pending.insert(.close) }
    transcript.messages.append(message)
    held.removeFirst(byteCount)
    frame.removeAll(keepingCapacity: true)
    chunkCount = 0
    switch framing {
    case .none:
      phase = .head
      pending.insert(.noBody)
    case .length(let length):
      phase = .length(length)
      pending.insert(length == 0 ? .lengthZero : .length)
    case .chunked:
      phase = .chunked(ChunkedReader(side, limits: limits))
      pending.insert(.chunked)
    case .untilClose:
      phase = .untilClose
      pending.insert(.untilClose)
    }
  }

  private mutating func note(_ value: Slice<UnsafeRawBufferPointer>) {
    if value.isEmpty { pending.insert(.emptyValue) }
    if value.count > 4_000 { pending.insert(.longValue) }
    for byte in value where byte == 0x09 || byte >= 0x80 {
      pending.insert(byte == 0x09 ? .tabInValue : .highByteInValue)
    }
  }

  private mutating func finishMessage() {
    let last = transcript.messages.count - 1
    transcript.messages[last].isComplete = true
    if last > 0 { pending.insert(.pipelined) }
    if transcript.messages[last].body.count > 4_000 { pending.insert(.longBody) }
    features.formUnion(pending)
    pending.removeAll()
    phase = .head
    if !keepsAlive { transcript.isClosed = true }
  }

  /// Reads bytes cut at the given offsets.
  public mutating func read(_ bytes: [UInt8], cuts: [Int] = []) {
    var start = 0
    for cut in cuts where cut > start && cut < bytes.count {
      feed(bytes[start..<cut])
      noteCut()
      start = cut
    }
    if cuts.count >= bytes.count - 1, bytes.count > 1 { pending.insert(.everyByteAlone) }
    feed(bytes[start...])
    close()
  }

  /// What the readers understand of bytes cut at the given offsets, which need no order.
  public static func read(
    _ side: WireSide, _ bytes: [UInt8], cuts: [Int] = [], methods: [RequestMethod] = [],
    limits: HeadLimits = HeadLimits(), memory: GuardedMemory = GuardedMemory()
  ) -> Transcript {
    var reader = TranscriptReader(side, methods: methods, limits: limits, memory: memory)
    reader.read(bytes, cuts: cuts.sorted())
    return reader.transcript
  }
}
