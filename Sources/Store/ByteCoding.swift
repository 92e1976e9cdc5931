// Writing and reading the journal's bytes: variable-length integers and length-prefixed text.
//
// An encoding of our own: it is on the path of every call, and what old segments hold must stay
// readable whatever a library's next version thinks of its format.

/// Appends to its bytes.
struct ByteWriter: Sendable {
  var bytes: [UInt8] = []

  mutating func byte(_ value: UInt8) { bytes.append(value) }

  mutating func fixed<Value: FixedWidthInteger>(_ value: Value) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Overwrites a fixed-width integer written before.
  mutating func patch<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
    bytes.withUnsafeMutableBytes { buffer in
      buffer.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
    }
  }

  /// LEB128: seven bits a byte, least significant first.
  mutating func unsigned(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// Zigzag, then LEB128: small magnitudes of both signs are short.
  mutating func signed(_ value: Int64) {
    unsigned(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
  }

  /// Length in bytes, then UTF-8. Text longer than `bytesMax` is cut at a character's edge.
  mutating func text(_ value: String, bytesMax: Int = .max) {
    let utf8 = value.utf8
    if utf8.count <= bytesMax {
      unsigned(UInt64(utf8.count))
      bytes.append(contentsOf: utf8)
      return
    }
    var end = utf8.index(utf8.startIndex, offsetBy: bytesMax)
    while end > utf8.startIndex, utf8[end] & 0xC0 == 0x80 { end = utf8.index(before: end) }
    let cut = utf8[..<end]
    unsigned(UInt64(cut.count))
    bytes.append(contentsOf: cut)
  }
}

/// Reads a payload whose checksum has been verified; a fault still means no crash.
struct ByteReader {
  /// The bytes are not what a writer of this version makes.
  struct Malformed: Error {}

  private let bytes: UnsafeRawBufferPointer
  private var offset = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var isAtEnd: Bool { offset == bytes.count }

  mutating func byte() throws(Malformed) -> UInt8 {
    guard offset < bytes.count else { throw Malformed() }
    defer { offset += 1 }
    return bytes[offset]
  }

  mutating func unsigned() throws(Malformed) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let next = try byte()
      let bits = UInt64(next & 0x7F)
      // The tenth byte has one bit left.
      guard shift < 63 || (shift == 63 && bits <= 1) else { throw Malformed() }
      value |= bits << shift
      if next & 0x80 == 0 { return value }
      shift += 7
    }
  }

  mutating func signed() throws(Malformed) -> Int64 {
    let value = try unsigned()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  mutating func text() throws(Malformed) -> String {
    let length = try unsigned()
    guard length <= UInt64(bytes.count - offset) else { throw Malformed() }
    let end = offset + Int(length)
    defer { offset = end }
    return String(decoding: bytes[offset..<end], as: UTF8.self)
  }
}
