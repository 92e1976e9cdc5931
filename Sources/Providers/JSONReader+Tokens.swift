// Strings, keys, numbers and literals: the tokens of a JSON document.
//
// A token that lies whole in what is fed is lent to the sink where it stands; only one that is
// escaped or split is gathered, up to the capture bound.

extension JSONReader {
  @inline(__always)
  mutating func beginToken(_ next: State, at index: Int, firstByte: Int) {
    state = next
    tokenStart = consumed + index
    runStart = firstByte
    usesScratch = false
    decodedCount = 0
  }

  /// Moves what the current piece holds of the token into `scratch`.
  mutating func keepRun(_ bytes: UnsafeRawBufferPointer, upTo end: Int) {
    if !usesScratch {
      usesScratch = true
      scratch.removeAll(keepingCapacity: true)
    }
    guard end > runStart else { return }
    let count = end - runStart
    let room = min(captureBytesMax - scratch.count, count)
    if room > 0 { scratch.append(contentsOf: bytes[runStart..<runStart + room]) }
    decodedCount += count
    runStart = end
  }

  /// Scans to the string's end or to a byte that needs more care; returns where to go on.
  mutating func scanString(_ bytes: UnsafeRawBufferPointer, from first: Int) -> Int {
    var index = first
    let end = bytes.count
    while true {
      index = plainTextEnd(bytes, from: index)
      guard index < end else { return end }
      let byte = bytes[index]
      if byte == UInt8(ascii: "\"") {
        endString(bytes, at: index)
        return index + 1
      }
      if byte == UInt8(ascii: "\\") {
        keepRun(bytes, upTo: index)
        state = .escape
        return index + 1
      }
      index += 1
      guard isStrict else { continue }
      guard beginSequence(byte, at: index - 1) else { return index }
      while needed > 0, index < end {
        guard continueSequence(bytes[index], at: index) else { return index + 1 }
        index += 1
      }
      if needed > 0 {
        state = .continuation
        return end
      }
    }
  }

  mutating func endString(_ bytes: UnsafeRawBufferPointer, at index: Int) {
    let range = tokenStart..<consumed + index + 1
    if usesScratch {
      keepRun(bytes, upTo: index)
      withScratch { reader, kept in
        reader.deliver(JSONText(bytes: kept, count: reader.decodedCount), at: range)
      }
    } else {
      let run = UnsafeRawBufferPointer(rebasing: bytes[runStart..<index])
      deliver(JSONText(bytes: run, count: run.count), at: range)
    }
  }

  @inline(__always)
  mutating func deliver(_ text: JSONText, at range: Range<Int>) {
    if isKey {
      sink.key(text, at: range, depth: depth)
      state = .colon
    } else {
      sink.string(text, at: range, depth: depth)
      state = .afterValue
    }
  }

  /// Lends the scratch bytes out while the sink may change.
  mutating func withScratch(
    _ body: (inout JSONReader<Sink>, UnsafeRawBufferPointer) -> Void
  ) {
    var taken: [UInt8] = []
    swap(&taken, &scratch)
    taken.withUnsafeBytes { body(&self, $0) }
    swap(&taken, &scratch)
  }

  mutating func scanScalar(_ bytes: UnsafeRawBufferPointer, from first: Int) -> Int {
    var index = first
    while index < bytes.count {
      switch bytes[index] {
      case 0x20, 0x0A, 0x0D, 0x09, UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"):
        endScalar(bytes, at: index)
        return index
      default: index += 1
      }
    }
    return index
  }

  mutating func endScalar(_ bytes: UnsafeRawBufferPointer, at index: Int) {
    if usesScratch {
      keepRun(bytes, upTo: index)
      withScratch { reader, kept in reader.deliverScalar(kept, at: index) }
    } else {
      decodedCount = index - runStart
      deliverScalar(UnsafeRawBufferPointer(rebasing: bytes[runStart..<index]), at: index)
    }
  }

  mutating func deliverScalar(_ token: UnsafeRawBufferPointer, at index: Int) {
    let isReadable = decodedCount == token.count && token.count <= Self.scalarBytesMax
    let value = isReadable ? JSONScalar(token: token) : .unreadable
    if isStrict, value == .unreadable {
      fail("a value is not valid JSON", at: index)
      return
    }
    sink.scalar(value, token: token, at: tokenStart..<consumed + index, depth: depth)
    state = .afterValue
  }
}
