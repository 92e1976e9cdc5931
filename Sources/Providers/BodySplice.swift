// Changes to a request's body by replacing a few of its bytes; all others stay as they came.
//
// Peers that re-serialise drop fields they do not know; a splice cannot.

/// One replacement of bytes in a body.
public struct BodySplice: Hashable, Sendable {
  /// The bytes replaced; empty where the splice only inserts.
  public var range: Range<Int>
  public var inserting: [UInt8]

  /// How many bytes the body grows by (or shrinks, below 0).
  public var growth: Int { inserting.count - range.count }

  /// The same of bytes that this one's stand in, so many behind their first.
  public func moved(by offset: Int) -> BodySplice {
    BodySplice(
      range: range.lowerBound + offset..<range.upperBound + offset, inserting: inserting)
  }
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

/// Where in a body an output bound is put, and what stands around the number.
public struct BoundPlace: Hashable, Sendable {
  /// The bytes replaced; empty where the bound is only inserted.
  var range: Range<Int>
  var before: [UInt8]
  var after: [UInt8]
}
