// Asks a stream for its usage, since most upstreams report none unasked.

extension ChatRequest {
  private static let insertedOptions = Array(#""stream_options":{"include_usage":true},"#.utf8)
  private static let wholeOptions = Array(#"{"include_usage":true}"#.utf8)
  private static let insertedMember = Array(#""include_usage":true,"#.utf8)
  private static let onlyMember = Array(#""include_usage":true"#.utf8)
  private static let literalTrue = Array("true".utf8)

  /// Whether the caller must not see the extra usage event: it streams and did not ask for it.
  public var hidesUsage: Bool { isStream && includesUsage != true }

  /// The splice that makes a stream report its usage; nil where it does already, or is no stream.
  public func usageSplice() -> BodySplice? {
    guard hidesUsage else { return nil }
    if let value = splice.includeUsage {
      return BodySplice(range: value, inserting: Self.literalTrue)
    }
    if let start = splice.optionsObject {
      return BodySplice(
        range: start..<start,
        inserting: splice.optionsAreEmpty ? Self.onlyMember : Self.insertedMember)
    }
    if let value = splice.nullOptions {
      return BodySplice(range: value, inserting: Self.wholeOptions)
    }
    // The object has a member, `stream`, so that the comma is right.
    return BodySplice(range: splice.topObject..<splice.topObject, inserting: Self.insertedOptions)
  }
}
