// Bounds on what a peer may make us hold, and how the end of a body is known.
// A limit of each kind stands here, so that no reader has a number of its own.

/// Upper bounds on one head and on the framing of one chunked body.
public struct HeadLimits: Sendable, Equatable {
  /// Bytes of a whole head, both empty lines included.
  public var headBytesMax: Int
  /// Header fields of one head.
  public var fieldCountMax: Int
  /// Bytes of a request target, or of a status line.
  public var targetBytesMax: Int
  /// Payload bytes of one chunk.
  public var chunkBytesMax: Int
  /// Bytes of chunk extensions in one whole body.
  public var extensionBytesMax: Int
  /// Bytes of the trailer of one body.
  public var trailerBytesMax: Int

  public init(
    headBytesMax: Int = 32 * 1024, fieldCountMax: Int = 128, targetBytesMax: Int = 8 * 1024,
    chunkBytesMax: Int = 1 << 40, extensionBytesMax: Int = 4 * 1024,
    trailerBytesMax: Int = 8 * 1024
  ) {
    // Slices hold 32-bit offsets, and sizes are summed in Int: clamp rather than trap on a setting.
    self.headBytesMax = min(max(headBytesMax, 16), 1 << 28)
    self.fieldCountMax = min(max(fieldCountMax, 1), 1 << 16)
    self.targetBytesMax = min(max(targetBytesMax, 1), 1 << 27)
    self.chunkBytesMax = min(max(chunkBytesMax, 1), 1 << 48)
    self.extensionBytesMax = min(max(extensionBytesMax, 0), 1 << 28)
    self.trailerBytesMax = min(max(trailerBytesMax, 2), 1 << 28)
  }
}

/// How the end of a body is known.
public enum BodyFraming: Sendable, Equatable {
  /// No body follows.
  case none
  /// Exactly so many bytes follow (0 where a length of zero was announced).
  case length(Int)
  /// Chunks follow; read them with `ChunkedReader`.
  case chunked
  /// Everything until the peer closes (answers only); the connection cannot be used again.
  case untilClose

  /// No byte of a body can follow.
  @inlinable public var isEmpty: Bool { self == .none || self == .length(0) }
}
