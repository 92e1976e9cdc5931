// What a path may name, however it is spelt.

extension Endpoint {
  /// Every name that a server could read out of a path: its runs of letters, digits, `-` and `_`,
  /// with all escapes undone. Names of jobs and files are such, whatever stands around them.
  ///
  /// - Parameter path: without its query.
  /// - Returns: nil: there are more than any path that means something has.
  public static func names(in path: UnsafeRawBufferPointer) -> [String]? {
    var bytes = Array(path)
    // Servers that stand one behind the other may each undo one layer.
    for _ in 0..<3 where bytes.contains(UInt8(ascii: "%")) {
      bytes = PercentEscapes.decoded(bytes)
    }
    let names = bytes.split { !BatchInput.isNameByte($0) }
    return names.count > namesMax ? nil : names.map { String(decoding: $0, as: UTF8.self) }
  }

  private static let namesMax = 64

  /// Whether the answer names files that are then the caller's own: those of an upload, or of a
  /// batch that the caller looks at.
  ///
  /// - Parameter path: as in `classify`.
  public func namesFiles(_ path: UnsafeRawBufferPointer) -> Bool {
    let path = PathTail(path)
    switch self {
    case .free:
      return path.ends(with: "/files") || path.ends(with: "/uploads")
        || path.isPart("/complete", ofItemIn: "/uploads")
    case .stored:
      return path.isItem(in: "/batches") || path.isPart("/cancel", ofItemIn: "/batches")
    case .metered, .unmetered: return false
    }
  }
}
