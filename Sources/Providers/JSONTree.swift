// A whole JSON document as a value, for what is read off the hot path: samples, price tables.
//
// Built by the same reader as everything else, so that a sample shows what the meter saw.

/// A JSON value; numbers as they are written, members in their order.
public enum JSONTree: Hashable, Sendable {
  case null
  case boolean(Bool)
  case number(String)
  case string(String)
  case array([JSONTree])
  case object([Member])

  public struct Member: Hashable, Sendable {
    public var name: String
    public var value: JSONTree
  }

  /// Reads a whole document; nil where it is not one object, or, lenient, one array.
  ///
  /// - Parameter isStrict: false also takes a document that was cut off, as far as it goes.
  public init?(_ bytes: UnsafeRawBufferPointer, isStrict: Bool) {
    var reader = JSONReader(
      sink: TreeSink(), isStrict: isStrict, captureBytesMax: .max, takesArray: !isStrict)
    reader.feed(bytes)
    if isStrict {
      guard reader.isDone else { return nil }
    } else if !reader.isDone {
      // Twice, since the first quote may complete an escape.
      for _ in 0..<2 where reader.isInString {
        withUnsafeBytes(of: UInt8(ascii: "\"")) { reader.feed($0) }
      }
      reader.sink.endAll()
    }
    guard let root = reader.sink.root else { return nil }
    self = root
  }

  /// The last member of this name, where the value is an object.
  subscript(_ name: String) -> JSONTree? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.name == name }?.value
  }

  var string: String? { if case .string(let text) = self { text } else { nil } }
  var elements: [JSONTree] { if case .array(let elements) = self { elements } else { [] } }

  /// Writes the value as compact JSON.
  func write(to json: inout JSONWriter) {
    switch self {
    case .null: json.token("null")
    case .boolean(let isTrue): json.token(isTrue ? "true" : "false")
    case .number(let text): json.token(text)
    case .string(let text): json.string(text)
    case .array(let elements):
      json.array { json in for element in elements { element.write(to: &json) } }
    case .object(let members):
      json.object { json in
        for member in members { json.member(member.name) { member.value.write(to: &$0) } }
      }
    }
  }
}

/// Builds the tree from the reader's parts.
private struct TreeSink: JSONSink {
  private struct Frame {
    let isObject: Bool
    var name = ""
    var members: [JSONTree.Member] = []
    var elements: [JSONTree] = []
  }

  private var open: [Frame] = []
  private(set) var root: JSONTree?

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    open.append(Frame(isObject: isObject))
  }

  mutating func end(isObject: Bool, at offset: Int, depth: Int) {
    guard let frame = open.popLast() else { return }
    add(frame.isObject ? .object(frame.members) : .array(frame.elements))
  }

  mutating func endAll() {
    while !open.isEmpty { end(isObject: false, at: 0, depth: 0) }
  }

  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    open[open.count - 1].name = String(decoding: text.bytes, as: UTF8.self)
  }

  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    add(.string(String(decoding: text.bytes, as: UTF8.self)))
  }

  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    switch value {
    case .null, .unreadable: add(.null)
    case .boolean(let isTrue): add(.boolean(isTrue))
    case .number: add(.number(String(decoding: token, as: UTF8.self)))
    }
  }

  private mutating func add(_ value: JSONTree) {
    guard !open.isEmpty else {
      root = value
      return
    }
    // In place, so that a long array is not copied for each element.
    let last = open.count - 1
    if open[last].isObject {
      open[last].members.append(.init(name: open[last].name, value: value))
    } else {
      open[last].elements.append(value)
    }
  }
}
