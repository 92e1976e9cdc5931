// Writes the many short pieces of a head into room that was made once for all of them.
//
// A buffer checks at every write that it owns its bytes and has room; a head is some twenty writes.

import NIOCore
import Wire

/// Bytes written in a row into bounded memory. Going beyond it traps: that is a wrong bound.
struct ByteCursor: ByteSink {
  private let memory: UnsafeMutableRawBufferPointer
  private(set) var count = 0

  init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

  @inline(__always)
  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count <= memory.count - count, "a head is longer than its bound")
    guard let base = memory.baseAddress, let source = bytes.baseAddress else { return }
    (base + count).copyMemory(from: source, byteCount: bytes.count)
    count += bytes.count
  }

  @inline(__always)
  mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }
}

extension ByteBuffer: ByteSink {
  public mutating func append(_ bytes: UnsafeRawBufferPointer) { writeBytes(bytes) }

  /// Writes at most so many bytes with one check for room.
  mutating func write(atMost bytesMax: Int, _ body: (inout ByteCursor) -> Void) {
    writeWithUnsafeMutableBytes(minimumWritableBytes: bytesMax) { memory in
      var cursor = ByteCursor(memory)
      body(&cursor)
      return cursor.count
    }
  }
}
