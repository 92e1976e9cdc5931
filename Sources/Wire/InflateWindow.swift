// The last 32 KiB of content: what distances reach back into, and where content is put together.
//
// Content is handed on straight from here, in pieces that end where the window wraps or where the
// bytes fed so far end: no second buffer.

/// A ring of content, its checksum and its bound.
struct InflateWindow: Sendable {
  static let size = 32 * 1024

  private var ring = [UInt8](repeating: 0, count: size)
  private var position = 0
  /// Where the content starts that was not handed on yet.
  private var unsent = 0
  /// Bytes that distances may reach back.
  private var history = 0
  /// Bytes that may still come.
  private var allowance: Int
  /// Over the content that was handed on since `begin`.
  private(set) var checksum = InflateChecksum.none
  /// Bytes handed on since `begin`, modulo 2^32 as gzip counts them.
  private(set) var length: UInt32 = 0

  init(outputBytesMax: Int) { allowance = max(outputBytesMax, 0) }

  /// Starts a new stream, whose distances reach back no further than here.
  mutating func begin(_ checksum: InflateChecksum) {
    self.checksum = checksum
    history = 0
    length = 0
  }

  @inline(__always)
  mutating func put(
    _ byte: UInt8, _ output: (UnsafeRawBufferPointer) -> Void
  ) throws(InflateFault) {
    guard allowance > 0 else { throw .outputTooLong }
    allowance &-= 1
    ring[position] = byte
    advance(1, output)
  }

  /// Repeats content: `length` bytes from `distance` bytes back, which may overlap what they write.
  mutating func copy(
    distance: Int, length: Int, _ output: (UnsafeRawBufferPointer) -> Void
  ) throws(InflateFault) {
    guard distance <= history else { throw .distanceTooFar }
    let count = min(length, allowance)
    allowance -= count
    var left = count
    while left > 0 {
      let (to, from) = (position, (position - distance) & (Self.size - 1))
      // No further than to where either end of it wraps.
      let run = min(left, Self.size - max(to, from))
      ring.withUnsafeMutableBufferPointer { ring in
        // Byte by byte, because a repetition may read what it has just written.
        for index in 0..<run { ring[to &+ index] = ring[from &+ index] }
      }
      left -= run
      advance(run, output)
    }
    if count < length { throw .outputTooLong }
  }

  @inline(__always)
  private mutating func advance(_ count: Int, _ output: (UnsafeRawBufferPointer) -> Void) {
    position &+= count
    history = min(history &+ count, Self.size)
    if position == Self.size {
      flush(output)
      position = 0
      unsent = 0
    }
  }

  /// Hands on what has come since the last time.
  mutating func flush(_ output: (UnsafeRawBufferPointer) -> Void) {
    guard unsent < position else { return }
    let range = unsent..<position
    unsent = position
    ring.withUnsafeBytes { bytes in
      let piece = UnsafeRawBufferPointer(rebasing: bytes[range])
      checksum.update(piece)
      length &+= UInt32(truncatingIfNeeded: piece.count)
      output(piece)
    }
  }
}
