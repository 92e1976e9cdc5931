// What a chat completions request is given on its way upstream: a stream's usage is asked for,
// since most upstreams report none unasked, and an answer without a bound gets one, so that the
// upstream holds it to what was reserved for it.

/// Where splices go in a body, by byte offsets.
struct SplicePoint: Hashable, Sendable {
  /// The byte after the top-level opening brace.
  var topObject = 0
  var topIsEmpty = true
  /// The value of `max_completion_tokens`, where it is null.
  var nullBound: Range<Int>?
  /// The value of `max_tokens`, where it is null.
  var nullTokens: Range<Int>?
  /// The value of `stream_options`, where it is null.
  var nullOptions: Range<Int>?
  /// The byte after the opening brace of `stream_options`, where it is an object.
  var optionsObject: Int?
  var optionsAreEmpty = true
  /// The value of `include_usage`, where it is not true.
  var includeUsage: Range<Int>?
}

extension SplicePoint {
  private static let insertedOptions = Array(#""stream_options":{"include_usage":true},"#.utf8)
  private static let wholeOptions = Array(#"{"include_usage":true}"#.utf8)
  private static let insertedMember = Array(#""include_usage":true,"#.utf8)
  private static let onlyMember = Array(#""include_usage":true"#.utf8)
  private static let literalTrue = Array("true".utf8)

  /// The splice that makes a stream report its usage, where it does not yet.
  var usage: BodySplice {
    if let value = includeUsage { return BodySplice(range: value, inserting: Self.literalTrue) }
    if let start = optionsObject {
      return BodySplice(
        range: start..<start, inserting: optionsAreEmpty ? Self.onlyMember : Self.insertedMember)
    }
    if let value = nullOptions { return BodySplice(range: value, inserting: Self.wholeOptions) }
    // The object has a member, `stream`, so that the comma is right.
    return BodySplice(range: topObject..<topObject, inserting: Self.insertedOptions)
  }

  /// Where the output bound goes.
  ///
  /// Of the two fields that chat completions know, `max_completion_tokens` is the one that can be
  /// put into any request. OpenAI's reasoning models answer `max_tokens` with a 400, and every
  /// model does so where both are set, so that sending both is no way out. It counts reasoning
  /// tokens too, which are billed as output. vLLM obeys it, and llama.cpp does since February 2026;
  /// servers that ignore it (older llama.cpp and its kin) are not held by it, and what they bill
  /// beyond the reservation shows as the app's debt. An app on such an upstream sets `max_tokens`
  /// itself.
  ///
  /// A null under the field is replaced: beside it, a second member would let the upstream choose
  /// which of the two it reads.
  var bound: BoundPlace {
    if let value = nullBound { return BoundPlace(range: value, before: [], after: []) }
    return BoundPlace(
      range: topObject..<topObject, before: Self.boundMember, after: topIsEmpty ? [] : Self.comma)
  }

  /// Where the output bound of a legacy completions request goes.
  var completionsBound: BoundPlace {
    if let value = nullTokens { return BoundPlace(range: value, before: [], after: []) }
    return BoundPlace(
      range: topObject..<topObject, before: Self.completionsBoundMember,
      after: topIsEmpty ? [] : Self.comma)
  }

  static let boundField = "max_completion_tokens"
  static let completionsBoundField = "max_tokens"
  private static let completionsBoundMember = Array("\"\(completionsBoundField)\":".utf8)
  private static let boundMember = Array("\"\(boundField)\":".utf8)
  private static let comma: [UInt8] = [UInt8(ascii: ",")]
}
