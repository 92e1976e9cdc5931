// Changes to a request's body by replacing a few of its bytes; all others stay as they came.
//
// Peers that re-serialise drop fields they do not know; a splice cannot.

/// Where splices go in a body, by byte offsets.
struct SplicePoint: Hashable, Sendable {
  /// The byte after the top-level opening brace.
  var topObject = 0
  var topIsEmpty = true
  /// The value of `max_completion_tokens`, where it is null.
  var nullBound: Range<Int>?
  /// The value of `stream_options`, where it is null.
  var nullOptions: Range<Int>?
  /// The byte after the opening brace of `stream_options`, where it is an object.
  var optionsObject: Int?
  var optionsAreEmpty = true
  /// The value of `include_usage`, where it is not true.
  var includeUsage: Range<Int>?
}

/// One replacement of bytes in a body.
public struct BodySplice: Hashable, Sendable {
  /// The bytes replaced; empty where the splice only inserts.
  public var range: Range<Int>
  public var inserting: [UInt8]

  /// How many bytes the body grows by (or shrinks, below 0).
  public var growth: Int { inserting.count - range.count }
}

extension [BodySplice] {
  /// How many bytes the body grows by (or shrinks, below 0).
  public var growth: Int { reduce(0) { $0 + $1.growth } }

  /// The body with all splices in it; they come in the order of their ranges, which are disjoint.
  public func applied(to body: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(body.count + growth)
    var start = 0
    for splice in self {
      result += body[start..<splice.range.lowerBound]
      result += splice.inserting
      start = splice.range.upperBound
    }
    return result + body[start...]
  }
}

extension ChatRequest {
  /// All splices that the body needs on its way upstream, in the order of their ranges.
  ///
  /// - Parameter outputBound: the bound of output tokens to put in; nil: none. See
  ///   `outputBoundSplice(_:)`.
  public func splices(outputBound: Int64?) -> [BodySplice] {
    let bound = outputBound.map { outputBoundSplice($0) }
    guard let usage = usageSplice() else { return bound.map { [$0] } ?? [] }
    guard let bound else { return [usage] }
    // Both may insert at the same byte; either order gives the same members there.
    return bound.range.lowerBound <= usage.range.lowerBound ? [bound, usage] : [usage, bound]
  }
}
