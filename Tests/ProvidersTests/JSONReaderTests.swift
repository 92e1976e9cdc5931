// The JSON reader against Foundation's: what ours takes, it takes with the same values.

import Foundation
import TestSupport
import Testing

@testable import Providers

/// Reads a document in pieces of the given size; nil where the reader does not take it.
func tree(_ bytes: [UInt8], isStrict: Bool = true, piece: Int = .max) -> JSONTree? {
  var reader = JSONReader(sink: EventLog(), isStrict: isStrict)
  feed(bytes, piece: piece) { reader.feed($0) }
  reader.finish()
  guard reader.fault == nil else { return nil }
  return bytes.withUnsafeBytes { JSONTree($0, isStrict: isStrict) }
}

/// Lends out bytes in pieces of one size.
func feed(_ bytes: [UInt8], piece: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
  var start = 0
  while start < bytes.count {
    let end = min(bytes.count, piece == .max ? bytes.count : start + piece)
    // A copy of its own, so that reading beyond the piece is seen by a sanitizer.
    Array(bytes[start..<end]).withUnsafeBytes(body)
    start = end
  }
}

/// Notes every part, for comparing readings.
struct EventLog: JSONSink, Equatable {
  var events: [String] = []

  mutating func begin(isObject: Bool, at offset: Int, depth: Int) {
    events.append("begin \(isObject) \(offset) \(depth)")
  }
  mutating func end(isObject: Bool, at offset: Int, depth: Int) {
    events.append("end \(isObject) \(offset) \(depth)")
  }
  mutating func key(_ text: JSONText, at range: Range<Int>, depth: Int) {
    events.append("key \(text.string ?? "?") \(text.count) \(range) \(depth)")
  }
  mutating func string(_ text: JSONText, at range: Range<Int>, depth: Int) {
    events.append("string \(text.string ?? "?") \(text.count) \(range) \(depth)")
  }
  mutating func scalar(
    _ value: JSONScalar, token: UnsafeRawBufferPointer, at range: Range<Int>, depth: Int
  ) {
    events.append("\(value) \(String(decoding: token, as: UTF8.self)) \(range) \(depth)")
  }
}

/// Random JSON text: mostly valid, in all the spellings that the grammar allows.
struct JSONMaker {
  var generator: SeededGenerator

  mutating func document() -> String { space() + object(4) + space() }

  private mutating func space() -> String {
    generator.chance(0.2) ? generator.pick([" ", "\n", "\t", "\r\n", "  "]) : ""
  }

  private mutating func object(_ depth: Int) -> String {
    let count = generator.int(0...4)
    // Numbered, since a name said twice is another matter.
    let members = (0..<count).map { index in
      space() + string(ending: "\(index)") + space() + ":" + value(depth)
    }
    return "{" + members.joined(separator: ",") + space() + "}"
  }

  private mutating func value(_ depth: Int) -> String {
    switch generator.int(0...(depth > 0 ? 7 : 5)) {
    case 0: return space() + generator.pick(["true", "false", "null"]) + space()
    case 1, 2: return space() + number() + space()
    case 3, 4, 5: return string(ending: "")
    case 6:
      let count = generator.int(0...4)
      let elements = (0..<count).map { _ in value(depth - 1) }
      return "[" + (elements.isEmpty ? space() : elements.joined(separator: ",")) + "]"
    default: return object(depth - 1)
    }
  }

  private mutating func number() -> String {
    let whole = generator.pick(["0", "-0", "7", "-12", "9007199254740991", "120034"])
    let fraction = generator.pick(["", "", ".0", ".5", ".125"])
    return whole + fraction + generator.pick(["", "", "", "e2", "E-1", "e+0"])
  }

  private mutating func string(ending: String) -> String {
    let pieces = [
      "a", "model", " ", "é", "→", "😀", "\\n", "\\\"", "\\\\", "\\/", "\\u00e9", "\\uD83D\\uDE00",
      "\\b\\f\\r\\t", "\\u0041", "{", "]", ",", ":", "data", "\\u0001", "中文", "~", "12345678",
    ]
    let text = (0..<generator.int(0...6)).map { _ in generator.pick(pieces) }.joined()
    return "\"" + text + ending + "\""
  }
}

@Suite struct JSONReaderTests {
  /// Whether a value of ours is the one that Foundation read.
  private func same(_ ours: JSONTree, _ theirs: Any) -> Bool {
    switch ours {
    case .null: return theirs is NSNull
    case .boolean(let isTrue): return theirs as? Bool == isTrue
    case .number(let text):
      // Foundation reads some numbers as decimals, whose nearest double may be the next one.
      guard let ours = Double(text), let theirs = (theirs as? NSNumber)?.doubleValue else {
        return false
      }
      return abs(ours - theirs) <= abs(ours) * 1e-15
    case .string(let text): return theirs as? String == text
    case .array(let elements):
      guard let theirs = theirs as? [Any], theirs.count == elements.count else { return false }
      return zip(elements, theirs).allSatisfy { same($0, $1) }
    case .object(let members):
      guard let theirs = theirs as? [String: Any], theirs.count == members.count else {
        return false
      }
      return members.allSatisfy { member in
        theirs[member.name].map { same(member.value, $0) } ?? false
      }
    }
  }

  private func agree(_ bytes: [UInt8]) throws -> Bool {
    guard let ours = tree(bytes) else { return false }
    let theirs = try JSONSerialization.jsonObject(with: Data(bytes))
    #expect(same(ours, theirs), "\(String(decoding: bytes, as: UTF8.self))")
    return true
  }

  @Test func takesWhatFoundationTakesWithTheSameValues() throws {
    for seed in UInt64(1)...1_500 {
      var maker = JSONMaker(generator: SeededGenerator(seed: seed))
      let text = maker.document()
      #expect(try agree(Array(text.utf8)), "not taken: \(text)")
    }
  }

  @Test func whatMutationLeavesValidHasTheSameValues() throws {
    var taken = 0
    for seed in UInt64(1)...1_500 {
      var maker = JSONMaker(generator: SeededGenerator(seed: seed))
      var bytes = Array(maker.document().utf8)
      var generator = SeededGenerator(seed: seed ^ 0xABCD)
      for _ in 0..<generator.int(1...3) {
        let place = generator.int(0...bytes.count - 1)
        switch generator.int(0...2) {
        case 0: bytes[place] = generator.int(0...255)
        case 1: if bytes.count > 2 { bytes.remove(at: place) }
        default: bytes.insert(generator.pick(Array("{}[]\",:\\0-e.u 1".utf8)), at: place)
        }
      }
      // Foundation also takes bodies in UTF-16; ours never does. Names said twice differ by design.
      if let ours = tree(bytes), hasNamesOnce(ours) {
        if try agree(bytes) { taken += 1 }
      }
      _ = tree(bytes, isStrict: false)
    }
    #expect(taken > 100)
  }

  private func hasNamesOnce(_ tree: JSONTree) -> Bool {
    switch tree {
    case .array(let elements): elements.allSatisfy { hasNamesOnce($0) }
    case .object(let members):
      Set(members.map(\.name)).count == members.count
        && members.allSatisfy { hasNamesOnce($0.value) }
    default: true
    }
  }

  @Test func noTruncationIsTaken() {
    for seed in UInt64(1)...60 {
      var maker = JSONMaker(generator: SeededGenerator(seed: seed))
      let text = maker.document().trimmingCharacters(in: .whitespacesAndNewlines)
      let bytes = Array(text.utf8)
      for end in 0..<bytes.count { #expect(tree(Array(bytes[..<end])) == nil) }
    }
  }

  @Test(arguments: [true, false]) func anySplitReadsTheSame(isStrict: Bool) {
    for seed in UInt64(1)...150 {
      var maker = JSONMaker(generator: SeededGenerator(seed: seed))
      let bytes = Array(maker.document().utf8)
      var whole = JSONReader(sink: EventLog(), isStrict: isStrict)
      feed(bytes, piece: .max) { whole.feed($0) }
      #expect(whole.isDone)
      for piece in [1, 2, 3, 5, 7, 11] {
        var split = JSONReader(sink: EventLog(), isStrict: isStrict)
        feed(bytes, piece: piece) { split.feed($0) }
        #expect(split.sink == whole.sink)
      }
    }
  }

  @Test(arguments: [
    "", " ", "[]", "1", "\"a\"", "null", "{", "}", "{}}", "{} {}", "{},", "{\"a\"}", "{\"a\":}",
    "{\"a\":1,}", "{,}", "{a:1}", "{'a':1}", "{\"a\":01}", "{\"a\":1.}", "{\"a\":.5}", "{\"a\":+1}",
    "{\"a\":1e}", "{\"a\":-}", "{\"a\":NaN}", "{\"a\":tru}", "{\"a\":truee}", "{\"a\":[1,]}",
    "{\"a\":[1 2]}", "{\"a\":[}", "{\"a\":{]}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12g4\"}",
    "{\"a\":\"\\uD83D\"}", "{\"a\":\"\\uDE00\"}", "{\"a\":\"\\uD83Dx\"}", "{\"a\":\"\\uD83D\\n\"}",
    "{\"a\":\"\\uD83D\\uD83D\"}", "{\"a\":\"\n\"}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{1:2}",
    "\u{FEFF}{}", "{}\0", "{\"a\":0x10}", "{\"a\":1_000}", "// c\n{}", "{\"a\":1e5.5}",
  ])
  func refuses(text: String) { #expect(tree(Array(text.utf8)) == nil) }

  @Test func refusesBrokenUTF8() {
    let broken: [[UInt8]] = [
      [0x80], [0xC0, 0xAF], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0xAF],
      [0xE2, 0x82], [0xE2, 0x28, 0xA1], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80],
      [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xF0, 0x9F, 0x98],
    ]
    for sequence in broken {
      let bytes = Array(#"{"a":""#.utf8) + sequence + Array(#""}"#.utf8)
      #expect(tree(bytes) == nil, "\(sequence)")
      #expect(tree(bytes, piece: 1) == nil, "\(sequence)")
      #expect(tree(bytes, isStrict: false) != nil, "\(sequence)")
    }
  }

  @Test func depthIsBounded() {
    func nested(_ depth: Int) -> [UInt8] {
      Array((#"{"a":"# + String(repeating: "[", count: depth)).utf8)
        + Array((String(repeating: "]", count: depth) + "}").utf8)
    }
    #expect(tree(nested(126)) != nil)
    #expect(tree(nested(127)) == nil)
    #expect(tree(nested(100_000)) == nil)
  }

  @Test func lenientReaderPassesOverSloppiness() {
    let text = #"{"a":NaN,"b":"\ud83d","c":"\q","d":-Infinity,"e":1}"#
    let read = tree(Array(text.utf8), isStrict: false)
    #expect(read?["b"] == .string("\u{FFFD}"))
    #expect(read?["c"] == .string("q"))
    #expect(read?["e"] == .number("1"))
  }

  @Test func wholeNumbersAreExact() {
    func value(_ text: String) -> JSONScalar {
      Array(text.utf8).withUnsafeBytes { JSONScalar(token: $0) }
    }
    #expect(value("9223372036854775807") == .number(.max))
    #expect(value("-9223372036854775808") == .number(.min))
    #expect(value("9223372036854775808") == .number(nil))
    #expect(value("12.000") == .number(12))
    #expect(value("12.5") == .number(nil))
    #expect(value("1e3") == .number(nil))
    #expect(value("-0") == .number(0))
  }
}
