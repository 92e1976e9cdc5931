// Reads the content codings gzip (RFC 1952) and deflate (RFC 1950, or RFC 1951 without a wrapper)
// as the bytes pass, in any split.
//
// Written for bytes of strangers: memory is bounded by the window, output by a bound of the
// caller's, time by the bytes in and out; whatever comes, it is read or it is a fault.

/// A decompressor that is fed a body in pieces and hands its content on in pieces.
///
/// ```
/// var inflate = Inflate(.gzip, outputBytesMax: 1 << 26)
/// try inflate.feed(bytes) { content in … }
/// ```
public struct Inflate: Sendable {
  /// How the compressed bytes are wrapped.
  public enum Format: Sendable {
    /// One or more gzip members, one after another.
    case gzip
    /// A zlib stream, or what some send by the same name: DEFLATE alone.
    case deflate
  }

  private enum Phase {
    /// → blocks.
    case gzipHeader(GzipHeader)
    /// → blocks.
    case zlibHeader
    /// → checksum, ended.
    case blocks
    /// → length, ended.
    case checksum
    /// → betweenMembers.
    case length
    /// Behind a gzip member: another one, or the end. → gzipHeader, ended.
    case betweenMembers
    case ended
  }

  /// Why reading stopped; nil while it did not.
  public private(set) var fault: InflateFault?

  private var phase: Phase
  private var bits = InflateBits()
  private var blocks: InflateBlocks
  private var wasFed = false

  /// - Parameter outputBytesMax: the most bytes of content, all members together; one more is the
  ///   fault `outputTooLong`.
  public init(_ format: Format, outputBytesMax: Int) {
    phase = format == .gzip ? .gzipHeader(GzipHeader()) : .zlibHeader
    blocks = InflateBlocks(window: InflateWindow(outputBytesMax: outputBytesMax))
  }

  /// What was fed is whole: every stream in it has ended and its checksum was right. Nothing at all
  /// is whole too. Bytes behind the end are ignored, as most readers do.
  public var isWhole: Bool {
    switch phase {
    case .ended: true
    case .betweenMembers: fault == nil
    default: !wasFed
    }
  }

  /// Reads the next bytes of the body.
  ///
  /// - Parameter output: gets the content in order, in pieces of at most 32 KiB that are valid
  ///   during the call only; before a fault it gets all content that stands before it.
  /// - Throws: the first fault, and the same one ever after.
  public mutating func feed(
    _ bytes: UnsafeRawBufferPointer, _ output: (UnsafeRawBufferPointer) -> Void
  ) throws(InflateFault) {
    if let fault { throw fault }
    if bytes.count > 0 { wasFed = true }
    var offset = 0
    do throws(InflateFault) {
      while try step(bytes, &offset, output) {}
    } catch {
      blocks.window.flush(output)
      fault = error
      throw error
    }
    blocks.window.flush(output)
  }

  /// Reads one part. False: nothing goes on without more bytes.
  private mutating func step(
    _ bytes: UnsafeRawBufferPointer, _ offset: inout Int,
    _ output: (UnsafeRawBufferPointer) -> Void
  ) throws(InflateFault) -> Bool {
    if case .blocks = phase {
      guard try blocks.read(&bits, bytes, &offset, output) else { return false }
      // The checksum covers what was handed on.
      blocks.window.flush(output)
      bits.alignToByte()
      if case .none = blocks.window.checksum { phase = .ended } else { phase = .checksum }
      return true
    }
    bits.fill(bytes, &offset)
    switch phase {
    case .gzipHeader(var header):
      guard let byte = bits.take(8) else { return false }
      if try header.take(UInt8(truncatingIfNeeded: byte)) {
        begin(.emptyCRC)
      } else {
        phase = .gzipHeader(header)
      }
    case .zlibHeader: return try readZlibHeader()
    case .checksum: return try readChecksum()
    case .length:
      guard let length = bits.take(32) else { return false }
      guard length == Int(blocks.window.length) else { throw .lengthMismatch }
      phase = .betweenMembers
    case .betweenMembers:
      guard bits.count >= 16 else { return false }
      phase = bits.bits & 0xFFFF == 0x8B1F ? .gzipHeader(GzipHeader()) : .ended
    case .blocks, .ended: return false
    }
    return true
  }

  /// Two bytes tell zlib from DEFLATE alone: as the start of the latter they would be a stored
  /// block whose padding is not zero, which nobody writes.
  private mutating func readZlibHeader() throws(InflateFault) -> Bool {
    guard bits.count >= 16 else { return false }
    let method = Int(bits.bits & 0xFF)
    let flags = Int(bits.bits >> 8 & 0xFF)
    guard method & 15 == 8, method >> 4 <= 7, (method << 8 | flags) % 31 == 0 else {
      begin(.none)
      return true
    }
    if flags & 0x20 != 0 { throw .dictionaryNeeded }
    bits.drop(16)
    begin(.emptyAdler)
    return true
  }

  private mutating func readChecksum() throws(InflateFault) -> Bool {
    guard let word = bits.take(32) else { return false }
    let announced = UInt32(truncatingIfNeeded: word)
    switch blocks.window.checksum {
    case .crc32(let sum):
      guard announced == sum else { throw .checksumMismatch }
      phase = .length
    case .adler32:
      guard announced.byteSwapped == blocks.window.checksum.value else { throw .checksumMismatch }
      phase = .ended
    case .none: phase = .ended
    }
    return true
  }

  private mutating func begin(_ checksum: InflateChecksum) {
    blocks.begin(checksum)
    phase = .blocks
  }
}
