// Keys of a request that admission reads.
//
// Such a key must be said once and exactly: an upstream that takes the second of two, or that
// ignores the case of letters (as Go's decoder does), would else see another request.

/// The keys that one object of a request's body is read for.
protocol RequestKey: RawRepresentable<UInt8>, Sendable {
  /// All keys, made once.
  static var all: [Self] { get }
  /// The key as it stands in the body.
  var name: StaticString { get }
  /// Another spelling of the same key; nil: there is none.
  var otherName: StaticString? { get }
}

extension RequestKey {
  var otherName: StaticString? { nil }
}

/// What a key of a body is.
enum RequestKeyMatch<Key> {
  case key(Key)
  case other
  /// The same as a known key but for the case of letters.
  case lookalike(Key)
}

/// The keys of one object that were said, so that a second one is seen.
struct SaidKeys<Key: RequestKey> {
  private var bits: UInt64 = 0

  /// Notes a key. False: it was said before.
  mutating func note(_ key: Key) -> Bool {
    let bit: UInt64 = 1 << key.rawValue
    defer { bits |= bit }
    return bits & bit == 0
  }

  mutating func forget() { bits = 0 }

  /// The key that a text names; nil where it is not read.
  ///
  /// - Parameter fault: gets the first fault: a key said twice, or one that differs from a known
  ///   one by the case of its letters alone.
  mutating func key(_ text: JSONText, at offset: Int, fault: inout PeekFault?) -> Key? {
    switch Key.match(text) {
    case .other: return nil
    case .lookalike(let key):
      fault = fault ?? .lookalike(key.name, at: offset)
      return nil
    case .key(let key):
      if !note(key) { fault = fault ?? .said(key.name, at: offset) }
      return key
    }
  }
}

extension RequestKey {
  /// The key that a text names.
  static func match(_ text: JSONText) -> RequestKeyMatch<Self> {
    guard text.isWhole else { return .other }
    var isASCII = true
    for byte in text.bytes where byte >= 0x80 { isASCII = false }
    if !isASCII { return matchFolded(text) }
    for key in all {
      if key.name.utf8CodeUnitCount == text.count {
        if text.equals(key.name) { return .key(key) }
        if equalsFolding(text.bytes, key.name) { return .lookalike(key) }
      }
      if let other = key.otherName, other.utf8CodeUnitCount == text.count {
        if text.equals(other) { return .key(key) }
        if equalsFolding(text.bytes, other) { return .lookalike(key) }
      }
    }
    return .other
  }

  /// Two letters beyond ASCII fold to ASCII ones: U+017F to `s`, U+212A to `k`.
  private static func matchFolded(_ text: JSONText) -> RequestKeyMatch<Self> {
    for key in all {
      if foldsTo(text.bytes, key.name) { return .lookalike(key) }
      if let other = key.otherName, foldsTo(text.bytes, other) { return .lookalike(key) }
    }
    return .other
  }
}

/// As `equalsFolding`, of bytes that may hold those two letters.
private func foldsTo(_ bytes: UnsafeRawBufferPointer, _ name: StaticString) -> Bool {
  var index = 0
  for place in 0..<name.utf8CodeUnitCount {
    guard index < bytes.count else { return false }
    var byte = lowercase(bytes[index])
    let next = index + 1 < bytes.count ? bytes[index + 1] : 0
    if byte == 0xC5, next == 0xBF {
      byte = UInt8(ascii: "s")
      index += 1
    } else if byte == 0xE2, next == 0x84, index + 2 < bytes.count, bytes[index + 2] == 0xAA {
      byte = UInt8(ascii: "k")
      index += 2
    }
    if byte != lowercase(name.utf8Start[place]) { return false }
    index += 1
  }
  return index == bytes.count
}

/// Whether bytes are this ASCII text, in any case of letters on either side.
func equalsFolding(_ bytes: UnsafeRawBufferPointer, _ name: StaticString) -> Bool {
  guard bytes.count == name.utf8CodeUnitCount else { return false }
  for index in 0..<bytes.count where lowercase(bytes[index]) != lowercase(name.utf8Start[index]) {
    return false
  }
  return true
}

private func lowercase(_ byte: UInt8) -> UInt8 {
  byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
}
