// Writing and reading the journal's bytes: variable-length integers and length-prefixed text.
//
// An encoding of our own: it is on the path of every call, and what old segments hold must stay
// readable whatever a library's next version thinks of its format.

/// Writes into memory that was bounded before: every write of a call's path would otherwise ask
/// whether there is room. Going beyond it traps, as it would be a wrong bound.
struct ByteWriter {
  private let memory: UnsafeMutableRawBufferPointer
  private(set) var count = 0

  init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

  /// The most bytes that a LEB128 integer takes.
  static let integerBytesMax = 10

  var written: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

  @inline(__always)
  mutating func byte(_ value: UInt8) {
    precondition(count < memory.count, "a record is longer than its bound")
    memory[count] = value
    count += 1
  }

  mutating func fixed<Value: FixedWidthInteger>(_ value: Value) {
    patch(value, at: count)
    count += MemoryLayout<Value>.size
  }

  /// Overwrites a fixed-width integer written before.
  mutating func patch<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
    precondition(
      offset + MemoryLayout<Value>.size <= memory.count, "a record is longer than its bound")
    memory.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
  }

  /// LEB128: seven bits a byte, least significant first.
  @inline(__always)
  mutating func unsigned(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      byte(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    byte(UInt8(truncatingIfNeeded: rest))
  }

  /// Zigzag, then LEB128: small magnitudes of both signs are short.
  @inline(__always)
  mutating func signed(_ value: Int64) {
    unsigned(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
  }

  /// Length in bytes, then UTF-8. Text longer than `bytesMax` is cut at a character's edge.
  mutating func text(_ value: String, bytesMax: Int = .max) {
    let isWritten: Void? = value.utf8.withContiguousStorageIfAvailable { utf8 in
      write(utf8, bytesMax: bytesMax)
    }
    if isWritten != nil { return }
    // A string that came from elsewhere (bridged) has no storage to lend.
    var copy = value
    copy.withUTF8 { write($0, bytesMax: bytesMax) }
  }

  private mutating func write(_ utf8: UnsafeBufferPointer<UInt8>, bytesMax: Int) {
    var end = utf8.count
    if end > bytesMax {
      end = bytesMax
      while end > 0, utf8[end] & 0xC0 == 0x80 { end -= 1 }
    }
    unsigned(UInt64(end))
    precondition(end <= memory.count - count, "a record is longer than its bound")
    guard end > 0, let base = memory.baseAddress, let source = utf8.baseAddress else { return }
    (base + count).copyMemory(from: source, byteCount: end)
    count += end
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

  /// What is not read yet.
  var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[offset...]) }

  mutating func skipRest() { offset = bytes.count }

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
