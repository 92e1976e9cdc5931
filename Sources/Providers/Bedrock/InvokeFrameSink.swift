// Hears the frames of InvokeModel's stream: a chunk holds a document of the maker's in base 64.
//
// It is decoded once the frame's checksum bears it out: nothing of a broken one is believed.

/// The sink of such a stream.
struct InvokeFrameSink: FramedSink {
  /// A chunk is an event of some hundred bytes; a longer one than this is passed over.
  static let captureBytesMax = 1 << 20

  private var chunks = JSONReader(sink: InvokeAnswerSink(isStream: true), isStrict: false)
  private var exception: String?
  private var isBytes = false
  private var chunk: [UInt8]?
  private var reason: String?

  init() {}

  mutating func beginDocument() {
    isBytes = false
    chunk = nil
  }

  mutating func beginFrame(type: String, isException: Bool) {
    reason = isException ? type : nil
  }

  mutating func endFrame() {
    exception = exception ?? reason
    guard let chunk else { return }
    chunks.restart()
    chunks.sink.beginDocument()
    chunk.withUnsafeBytes { chunks.feed($0) }
    self.chunk = nil
  }

  func read() -> CallReading {
    var reading = chunks.sink.read()
    if let exception {
      reading.sawError = true
      reading.finishReason = reading.finishReason ?? exception
    }
    return reading
  }

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {}
  mutating func end(isObject: Bool, at offset: Int, depth: Int) {}

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    isBytes = depth == 1 && text.equals("bytes")
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    guard isBytes, depth == 1, text.isWhole, text.count <= Self.captureBytesMax else { return }
    chunk = Base64.decoded(text.bytes)
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {}
}

/// Base 64 of RFC 4648, with padding.
enum Base64 {
  /// Nil for what is not of this alphabet, or of no whole number of groups.
  static func decoded(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
    guard text.count.isMultiple(of: 4) else { return nil }
    let padding = text.suffix(2).reduce(0) { $0 + ($1 == UInt8(ascii: "=") ? 1 : 0) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3)
    var group: UInt32 = 0
    for (index, letter) in text.enumerated() {
      let isPadding = index >= text.count - padding && letter == UInt8(ascii: "=")
      guard let value = isPadding ? 0 : value(letter) else { return nil }
      group = group << 6 | UInt32(value)
      guard index % 4 == 3 else { continue }
      for shift in [16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: group >> UInt32(shift))) }
      group = 0
    }
    bytes.removeLast(min(padding, bytes.count))
    return bytes
  }

  private static func value(_ letter: UInt8) -> UInt8? {
    switch letter {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): letter - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): letter - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): letter - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
