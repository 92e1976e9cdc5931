// The parts of a JSON document as the reader tells them.
//
// Parts are lent, never owned: a sink that wants to keep text copies it, so that reading costs no
// allocation for what nobody asks for.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Text of a key or string value, unescaped.
struct JSONText {
  /// The first bytes of the text: all of them, or as many as the reader's capture bound allows.
  let bytes: UnsafeRawBufferPointer
  /// The length of the whole unescaped text in UTF-8 bytes.
  let count: Int

  /// Whether `bytes` is all of the text.
  var isWhole: Bool { bytes.count == count }

  /// Whether the text is exactly this name.
  @inline(__always)
  func equals(_ name: StaticString) -> Bool {
    guard count == name.utf8CodeUnitCount, isWhole else { return false }
    guard let base = bytes.baseAddress else { return true }
    return memcmp(base, name.utf8Start, count) == 0
  }

  /// Whether the text is exactly this string. Not `equals`: a literal would then be a string, and
  /// cost ten times as much.
  func matches(_ string: String) -> Bool {
    guard count == string.utf8.count, isWhole else { return false }
    var string = string
    return string.withUTF8 { known in
      guard let base = bytes.baseAddress, let other = known.baseAddress else { return true }
      return memcmp(base, other, count) == 0
    }
  }

  /// The longest text that is taken as a name.
  static let nameBytesMax = 256

  /// The text as a string; nil where it is longer than a name, however the document was split.
  var string: String? {
    isWhole && count <= Self.nameBytesMax ? String(decoding: bytes, as: UTF8.self) : nil
  }
}

/// A value without parts that is not a string.
enum JSONScalar: Equatable {
  case null
  case boolean(Bool)
  /// A number; its value where it is a whole number within range (`12`, `-3`, `12.0`).
  case number(Int64?)
  /// Not JSON (`NaN`), met only by a lenient reader.
  case unreadable
}

/// What hears of a document's parts. `depth` counts the containers open around the part, so that
/// 1 is a member of the top-level object; `at` counts from the document's first byte.
protocol JSONSink: Sendable {
  mutating func begin(isObject: Bool, at offset: Int, depth: Int)
  mutating func end(isObject: Bool, at offset: Int, depth: Int)
  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int)
  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int)
  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int)
}
