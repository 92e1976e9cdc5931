// One push reader of JSON for requests, answers and stream events alike.
//
// There is one reader, because two that disagree about a body are a way round a cap. It is pushed
// bytes in any split, keeps no body and allocates nothing while strings lie whole in what it is
// fed.

/// Why a document is not read further.
struct JSONFault: Hashable, Sendable {
  /// What is wrong, without any of the document's text.
  var reason: String
  /// Bytes before the fault.
  var offset: Int
}

/// The reader. Strict: RFC 8259 to the letter, valid UTF-8, no lone surrogates, an object at the
/// top, nothing after it. Lenient (for answers, where losing the usage is worse than a sloppy
/// upstream): control characters, broken UTF-8, unknown escapes and `NaN` are passed over.
struct JSONReader<Sink: JSONSink>: Sendable {
  /// The deepest nesting that is read.
  static var depthMax: Int { 127 }
  /// The longest number that is read, in bytes.
  static var scalarBytesMax: Int { 128 }

  enum State: Sendable {
    case start, value, valueOrEnd, keyOrEnd, key, colon, afterValue, done, failed
    case string, continuation, escape, hex, lowSurrogateEscape, lowSurrogateU
    case scalar
  }

  var sink: Sink
  var state = State.start
  private(set) var fault: JSONFault?
  let isStrict: Bool
  let captureBytesMax: Int
  /// The document may be an array too.
  let takesArray: Bool

  var depth = 0
  /// A bit for each open container, the innermost lowest: 1 is an object.
  var kinds: UInt128 = 0
  /// Bytes fed before the current piece.
  var consumed = 0

  // The key, string or scalar in progress.
  var isKey = false
  var tokenStart = 0
  /// Where the token's bytes that are not yet in `scratch` begin in the current piece.
  var runStart = 0
  var usesScratch = false
  var scratch: [UInt8] = []
  var decodedCount = 0
  var needed = 0
  var low: UInt8 = 0
  var high: UInt8 = 0
  var escape: UInt32 = 0
  var escapeDigits = 0
  var highSurrogate: UInt32 = 0

  /// - Parameter captureBytesMax: how much of a string that is escaped or split is kept for the
  /// sink.
  init(sink: Sink, isStrict: Bool, captureBytesMax: Int = 256, takesArray: Bool = false) {
    self.sink = sink
    self.takesArray = takesArray
    self.isStrict = isStrict
    self.captureBytesMax = captureBytesMax
  }

  var isDone: Bool { state == .done }

  /// Whether the document so far ends inside a string.
  var isInString: Bool {
    switch state {
    case .string, .continuation, .escape, .hex, .lowSurrogateEscape, .lowSurrogateU: true
    default: false
    }
  }

  /// Makes the reader ready for another document; the sink keeps its state.
  mutating func restart() {
    state = .start
    fault = nil
    depth = 0
    kinds = 0
    consumed = 0
    usesScratch = false
    highSurrogate = 0
  }

  /// Reads the next piece of the document.
  mutating func feed(_ bytes: UnsafeRawBufferPointer) {
    var index = 0
    let end = bytes.count
    runStart = 0
    while index < end {
      switch state {
      case .string: index = scanString(bytes, from: index)
      case .scalar: index = scanScalar(bytes, from: index)
      case .failed: return
      case .continuation, .escape, .hex, .lowSurrogateEscape, .lowSurrogateU:
        stepInString(bytes[index], at: index)
        index += 1
      default: index = scanStructure(bytes, from: index)
      }
    }
    switch state {
    case .string, .continuation, .scalar: keepRun(bytes, upTo: end)
    default: break
    }
    consumed += end
  }

  /// Says that the document ends here; a document that is not whole is a fault.
  mutating func finish() {
    if state != .done { fail("the document ends too early", at: 0) }
  }

  // MARK: - Structure

  /// Reads what stands between tokens, and every token that lies whole and plain in the piece.
  ///
  /// Most of a document is such tokens, so they are read here without leaving the loop; any other
  /// is begun and left to the states for tokens.
  /// - Returns: where to go on; the state then is that of a token, failed, or the piece is over.
  private mutating func scanStructure(_ bytes: UnsafeRawBufferPointer, from first: Int) -> Int {
    var index = first
    let end = bytes.count
    while index < end {
      let byte = bytes[index]
      if byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
        index += 1
        continue
      }
      switch state {
      case .afterValue: stepAfterValue(byte, at: index)
      case .key, .keyOrEnd:
        if byte == UInt8(ascii: "\"") {
          isKey = true
          guard let next = plainString(bytes, at: index) else { return index + 1 }
          index = next
          continue
        }
        stepKey(byte, at: index)
      case .colon:
        if byte == UInt8(ascii: ":") { state = .value } else { fail("':' is missing", at: index) }
      case .value, .valueOrEnd:
        if byte == UInt8(ascii: "\"") {
          isKey = false
          guard let next = plainString(bytes, at: index) else { return index + 1 }
          index = next
          continue
        }
        stepValue(byte, at: index)
        if state == .scalar { return index + 1 }
      case .start:
        if byte == UInt8(ascii: "{") {
          open(isObject: true, at: index)
        } else if byte == UInt8(ascii: "["), takesArray {
          open(isObject: false, at: index)
        } else {
          fail("the document is not an object", at: index)
        }
      case .done: if isStrict { fail("something follows the document", at: index) }
      default: return index
      }
      index += 1
    }
    return index
  }

  /// Reads a string that begins at a quote and lies whole and plain in the piece.
  /// - Returns: behind its last quote; nil: it does not, and has been begun.
  @inline(__always)
  private mutating func plainString(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Int? {
    let close = plainTextEnd(bytes, from: index + 1)
    guard close < bytes.count, bytes[close] == UInt8(ascii: "\"") else {
      beginToken(.string, at: index, firstByte: index + 1)
      return nil
    }
    let run = UnsafeRawBufferPointer(rebasing: bytes[index + 1..<close])
    deliver(
      JSONText(bytes: run, count: run.count), at: consumed + index..<consumed + close + 1)
    // A colon stands right behind nearly every key.
    if isKey, close + 1 < bytes.count, bytes[close + 1] == UInt8(ascii: ":") {
      state = .value
      return close + 2
    }
    return close + 1
  }

  @inline(__always)
  private mutating func stepAfterValue(_ byte: UInt8, at index: Int) {
    switch byte {
    case UInt8(ascii: ","): state = kinds & 1 == 1 ? .key : .value
    case UInt8(ascii: "}"): close(isObject: true, at: index)
    case UInt8(ascii: "]"): close(isObject: false, at: index)
    default: fail("',' or the end of the object or array is missing", at: index)
    }
  }

  @inline(__always)
  private mutating func stepKey(_ byte: UInt8, at index: Int) {
    if byte == UInt8(ascii: "}"), state == .keyOrEnd {
      close(isObject: true, at: index)
    } else {
      fail("a key is missing", at: index)
    }
  }

  @inline(__always)
  private mutating func stepValue(_ byte: UInt8, at index: Int) {
    switch byte {
    case UInt8(ascii: "{"): open(isObject: true, at: index)
    case UInt8(ascii: "["): open(isObject: false, at: index)
    case UInt8(ascii: "]") where state == .valueOrEnd: close(isObject: false, at: index)
    case UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "]"), UInt8(ascii: "}"):
      fail("a value is missing", at: index)
    default: beginToken(.scalar, at: index, firstByte: index)
    }
  }

  private mutating func open(isObject: Bool, at index: Int) {
    guard depth < Self.depthMax else {
      fail("the document is nested deeper than \(Self.depthMax) levels", at: index)
      return
    }
    sink.begin(isObject: isObject, at: consumed + index, depth: depth)
    depth += 1
    kinds = kinds << 1 | (isObject ? 1 : 0)
    state = isObject ? .keyOrEnd : .valueOrEnd
  }

  private mutating func close(isObject: Bool, at index: Int) {
    guard (kinds & 1 == 1) == isObject else {
      fail("an object or array is closed by the wrong bracket", at: index)
      return
    }
    depth -= 1
    kinds >>= 1
    sink.end(isObject: isObject, at: consumed + index, depth: depth)
    state = depth == 0 ? .done : .afterValue
  }

  mutating func fail(_ reason: String, at index: Int) {
    guard state != .failed else { return }
    state = .failed
    fault = JSONFault(reason: reason, offset: consumed + index)
  }
}
