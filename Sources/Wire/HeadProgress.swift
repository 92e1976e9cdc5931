// How far a head has been read when its bytes come in pieces.
// Lines that are complete are read once, so that a slow trickle costs no more than one piece.

/// The state between two attempts to read the same head. One per connection and direction.
public struct HeadProgress: Sendable {
  /// Where the first line begins that is not read yet.
  private var lineStart = 0
  /// No line feed stands before this offset of the unread line.
  private var searched = 0
  var hasStartLine = false
  var requestLine = RequestLine()
  var statusLine = StatusLine()
  var fields = HeadFields()

  public init() {}

  /// Gives the storage of a head that is no longer needed to the next one.
  public mutating func recycle(_ spent: HeadFields) {
    guard fields.slices.capacity == 0 else { return }
    fields = spent
    fields.removeAll()
  }

  /// Starts on a new head.
  mutating func reset() {
    lineStart = 0
    searched = 0
    hasStartLine = false
    fields.removeAll()
  }

  /// The bytes read so far: the length of the head once its empty line is read.
  var consumed: Int { lineStart }

  /// The next complete line without its line end, or nil if it is not there yet. What it finds does
  /// not depend on how the bytes are split.
  mutating func nextLine(
    _ bytes: UnsafeRawBufferPointer, _ side: WireSide, _ limits: HeadLimits
  ) throws(WireFault) -> Range<Int>? {
    var bound = limits.headBytesMax
    var excess = WireFault.Code.headTooLong
    if !hasStartLine, lineStart + limits.targetBytesMax + Self.startLineExtra < bound {
      bound = lineStart + limits.targetBytesMax + Self.startLineExtra
      excess = side == .request ? .targetTooLong : .malformedStatusLine
    }
    let end = min(bytes.count, bound)
    let start = max(searched, lineStart)
    guard start <= end, let feed = ByteClass.firstLineFeed(bytes, start..<end) else {
      if bytes.count >= bound { throw WireFault(excess, side) }
      searched = end
      return nil
    }
    guard feed > lineStart, bytes[feed - 1] == ByteClass.carriageReturn else {
      throw WireFault(.bareLineFeed, side)
    }
    let line = lineStart..<feed - 1
    lineStart = feed + 1
    searched = lineStart
    return line
  }

  /// Bytes of a start line besides its target: method, version, spaces, line end, with room.
  private static let startLineExtra = 32
}
