// Reads a stream of AWS's event-stream framing (application/vnd.amazon.eventstream) while it
// passes.
//
// A frame, all numbers in network order: its length in 4 bytes, that of its headers in 4, a CRC-32
// of these 8 bytes in 4, the headers, the payload, and a CRC-32 of all before it in 4. A header is
// a name's length in 1 byte, the name, a type in 1 byte and a value by type; texts (type 7) have a
// length in 2 bytes. What a checksum does not bear out is believed no more, nor anything after it.

/// What hears a frame's payload, told first what it is.
protocol FramedSink: AnswerSink {
  /// - Parameters:
  ///   - type: `:event-type`, or `:exception-type`; empty where it is not said.
  ///   - isException: whether the frame is an error.
  mutating func beginFrame(type: String, isException: Bool)
  /// The frame was whole, and its checksum bears it out.
  mutating func endFrame()
  /// How much of a text in a payload is kept for the sink where it came in pieces.
  static var captureBytesMax: Int { get }
}

extension FramedSink {
  static var captureBytesMax: Int { JSONText.nameBytesMax }
}

final class EventStreamReader<Sink: FramedSink>: PayloadReader {
  /// Longer headers, and frames, are none of this protocol's.
  private static var headersBytesMax: Int { 128 * 1024 }
  private static var frameBytesMax: Int { 24 * 1024 * 1024 }

  private enum Phase { case prelude, headers, payload, checksum, broken }

  private var reader = JSONReader(
    sink: Sink(), isStrict: false, captureBytesMax: Sink.captureBytesMax)
  private var phase = Phase.prelude
  /// Bytes of the prelude, the headers or the checksum.
  private var gathered: [UInt8] = []
  private var wanted = 12
  private var payloadLeft = 0
  private var headersCount = 0
  private var checksum = CRC32()

  init() {}

  var isBetweenEvents: Bool { phase == .prelude && gathered.isEmpty }

  var reading: CallReading { reader.sink.read() }

  func finish() -> [UInt8] { [] }

  @discardableResult
  func feed(_ bytes: UnsafeRawBufferPointer) -> StreamRelay {
    var index = 0
    while index < bytes.count, phase != .broken {
      if phase == .payload {
        let count = min(payloadLeft, bytes.count - index)
        let piece = UnsafeRawBufferPointer(rebasing: bytes[index..<index + count])
        checksum.add(piece)
        reader.feed(piece)
        payloadLeft -= count
        index += count
      } else {
        let count = min(wanted - gathered.count, bytes.count - index)
        gathered.append(contentsOf: bytes[index..<index + count])
        index += count
        if gathered.count == wanted { step() }
      }
      if phase == .payload, payloadLeft == 0 { begin(.checksum, bytes: 4) }
    }
    return .everything
  }

  private func begin(_ next: Phase, bytes count: Int) {
    phase = next
    wanted = count
    gathered.removeAll(keepingCapacity: true)
  }

  /// What was gathered is whole.
  private func step() {
    switch phase {
    case .prelude: readPrelude()
    case .headers: readHeaders()
    case .checksum: readChecksum()
    case .payload, .broken: break
    }
  }

  private func readPrelude() {
    let length = Int(number(at: 0))
    headersCount = Int(number(at: 4))
    var own = CRC32()
    gathered.withUnsafeBytes { own.add(UnsafeRawBufferPointer(rebasing: $0[..<8])) }
    guard own.value == number(at: 8), headersCount <= Self.headersBytesMax,
      length <= Self.frameBytesMax, length >= headersCount + 16
    else {
      phase = .broken
      return
    }
    checksum = CRC32()
    gathered.withUnsafeBytes { checksum.add($0) }
    payloadLeft = length - headersCount - 16
    begin(.headers, bytes: headersCount)
    if headersCount == 0 { readHeaders() }
  }

  private func readHeaders() {
    gathered.withUnsafeBytes { checksum.add($0) }
    let (type, isException) = EventStreamHeaders.read(gathered)
    reader.restart()
    reader.sink.beginDocument()
    reader.sink.beginFrame(type: type, isException: isException)
    phase = .payload
  }

  private func readChecksum() {
    guard checksum.value == number(at: 0) else {
      phase = .broken
      return
    }
    reader.sink.endFrame()
    begin(.prelude, bytes: 12)
  }

  private func number(at index: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 << 8 | UInt32(gathered[index + $1]) }
  }
}

/// The headers of a frame that say what it is.
enum EventStreamHeaders {
  static func read(_ bytes: [UInt8]) -> (type: String, isException: Bool) {
    var type = ""
    var isException = false
    var index = 0
    while index < bytes.count {
      let nameEnd = index + 1 + Int(bytes[index])
      guard nameEnd < bytes.count else { break }
      let name = String(decoding: bytes[(index + 1)..<nameEnd], as: UTF8.self)
      index = nameEnd + 1
      guard let (value, next) = value(bytes, kind: bytes[nameEnd], from: index) else { break }
      index = next
      switch name {
      case ":event-type", ":exception-type", ":error-code": type = value
      case ":message-type": isException = value == "exception" || value == "error"
      default: break
      }
    }
    return (type, isException)
  }

  /// A value and where it ends; texts are read, all others passed over.
  private static func value(_ bytes: [UInt8], kind: UInt8, from index: Int) -> (String, Int)? {
    let fixed = [0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16][kind]
    if let fixed { return index + fixed <= bytes.count ? ("", index + fixed) : nil }
    guard kind == 6 || kind == 7, index + 2 <= bytes.count else { return nil }
    let end = index + 2 + Int(bytes[index]) << 8 + Int(bytes[index + 1])
    guard end <= bytes.count else { return nil }
    return (kind == 7 ? String(decoding: bytes[(index + 2)..<end], as: UTF8.self) : "", end)
  }
}

/// CRC-32 of IEEE 802.3, reflected polynomial 0xEDB88320.
struct CRC32: Sendable {
  private var state: UInt32 = 0xFFFF_FFFF

  var value: UInt32 { ~state }

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    var state = state
    for byte in bytes {
      state = Self.table[Int((state ^ UInt32(byte)) & 0xFF)] ^ (state >> 8)
    }
    self.state = state
  }

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in
      value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1
    }
  }
}
