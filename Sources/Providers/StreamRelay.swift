// What of a stream goes on to the caller after a piece of it was read.

/// What to relay. Ranges count from the first byte of the piece just fed.
public enum StreamRelay: Hashable, Sendable {
  /// The piece as it is: the common case, no copy.
  case everything
  /// Nothing of it: an event is not whole yet, or was removed.
  case nothing
  /// First bytes that were held back before, then parts of the piece in order.
  case pieces(held: [UInt8], ranges: [Range<Int>])

  /// All bytes to relay, gathered. For tests and for slow paths.
  public func bytes(of piece: UnsafeRawBufferPointer) -> [UInt8] {
    switch self {
    case .everything: return Array(piece)
    case .nothing: return []
    case .pieces(let held, let ranges):
      return ranges.reduce(into: held) { $0.append(contentsOf: piece[$1]) }
    }
  }
}
