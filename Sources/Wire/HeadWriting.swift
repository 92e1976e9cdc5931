// Writes heads and chunk frames: what of a head goes on to the next hop, and in which bytes.
// Field lines that stay are copied as they came, neighbours in one piece: most heads are two.

/// Where written bytes go. `[UInt8]` is one; a channel's buffer becomes one in a few lines.
public protocol ByteSink {
  mutating func append(_ bytes: UnsafeRawBufferPointer)
}

extension [UInt8]: ByteSink {
  @inlinable
  public mutating func append(_ bytes: UnsafeRawBufferPointer) {
    append(contentsOf: bytes)
  }
}

extension ByteSink {
  /// Writes fixed text.
  @inlinable
  public mutating func append(_ text: StaticString) {
    append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Writes text.
  @inlinable
  public mutating func append(text: String) {
    var text = text
    text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  /// Writes a number in decimal digits. - Parameter number: 0 or more.
  @inlinable
  public mutating func append(decimal number: Int) {
    append(digitsOf: UInt(max(number, 0)), radix: 10)
  }

  /// Writes `NAME: VALUE` and the line end. The value must have no control characters.
  @inlinable
  public mutating func append(field name: StaticString, _ value: String) {
    append(name)
    append(": ")
    append(text: value)
    append("\r\n")
  }

  /// Writes what stands before a chunk's payload. - Parameter payloadBytes: 1 or more; a size of 0
  /// would end the body.
  @inlinable
  public mutating func append(chunkOf payloadBytes: Int) {
    assert(payloadBytes > 0, "an empty chunk ends the body")
    append(digitsOf: UInt(max(payloadBytes, 0)), radix: 16)
    append("\r\n")
  }

  @inlinable
  mutating func append(digitsOf number: UInt, radix: UInt) {
    withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { digits in
      var start = 20
      var rest = number
      repeat {
        let digit = UInt8(truncatingIfNeeded: rest % radix)
        rest /= radix
        start -= 1
        digits[start] = digit < 10 ? 0x30 + digit : 0x57 + digit
      } while rest > 0
      append(UnsafeRawBufferPointer(rebasing: digits[start..<20]))
    }
  }
}

/// The fixed pieces of chunked framing.
public enum ChunkFrame {
  /// What stands behind a chunk's payload.
  public static let payloadEnd: StaticString = "\r\n"
  /// The last chunk and an empty trailer.
  public static let bodyEnd: StaticString = "0\r\n\r\n"
}

extension HeadFields {
  /// Gives the field lines that go on to the next hop, each with its line end, as runs of
  /// neighbouring bytes. Left out are hop-by-hop fields, those that the connection field names, and
  /// those to drop. Content-length stays unless dropped; transfer-encoding never does: frame the
  /// body anew.
  /// - Parameters:
  ///   - bytes: the bytes that the head was read from.
  ///   - dropping: known fields to leave out besides the hop-by-hop ones.
  ///   - names: further names to leave out, in lower case.
  public func forEachRun(
    in bytes: UnsafeRawBufferPointer, dropping: FieldSet = [], names: [StaticString] = [],
    _ body: (UnsafeRawBufferPointer) -> Void
  ) {
    let dropped = dropping.union(.hopByHop)
    var start = -1
    var end = 0
    for (index, slice) in slices.enumerated() {
      let goes =
        dropped.contains(slice.field) || isNominated(slice.name, in: bytes)
        || (!names.isEmpty && names.contains { ByteClass.equals(bytes, slice.name, $0) })
      if goes {
        if start >= 0 { body(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) }
        start = -1
      } else {
        if start < 0 { start = Int(slice.nameStart) }
        // A line ends where the next one begins; the last one, after its blanks and line end.
        end =
          index + 1 < slices.count
          ? Int(slices[index + 1].nameStart) : lineEnd(slice, in: bytes)
      }
    }
    if start >= 0 { body(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) }
  }

  private func lineEnd(_ slice: FieldSlice, in bytes: UnsafeRawBufferPointer) -> Int {
    var end = Int(slice.valueEnd)
    while bytes[end] != ByteClass.lineFeed { end += 1 }
    return end + 1
  }
}
