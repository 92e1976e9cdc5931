// From an app's key to the app. Keys are stored as digests: a stolen database opens nothing.
//
// The table is immutable and swapped whole, so that a call sees either the old keys or the new.

import Crypto
import Metering
import Store

/// Digest → app, for every key that was ever issued.
struct KeyTable: Sendable {
  /// A SHA-256 digest, compared as four words.
  struct Digest: Hashable, Sendable {
    var a: UInt64
    var b: UInt64
    var c: UInt64
    var d: UInt64
  }

  struct Entry: Sendable {
    /// Index in the gateway's list of apps.
    var app: Int
    /// The key's row in the store.
    var key: Int64
    var isRevoked: Bool
    /// The environment that it was issued for; empty: the app's.
    var environment = ""
  }

  /// Tells one table from another: a new one is made whenever a key changes.
  final class Identity: Sendable {}

  let identity = Identity()
  private var entries: [Digest: Entry] = [:]
  /// By the key's row in the store.
  private var isRevoked: [Int64: Bool] = [:]

  /// - Parameter apps: the apps in their order; a key of an app that is not among them is unknown.
  init(records: [KeyRecord], apps: [String]) {
    let indices = Dictionary(
      apps.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
    for record in records {
      guard let app = indices[record.app], let digest = Self.digest(hex: record.hashHex)
      else { continue }
      entries[digest] = Entry(
        app: app, key: record.id, isRevoked: record.revokedAt != nil,
        environment: record.environment)
      isRevoked[record.id] = record.revokedAt != nil
    }
  }

  var count: Int { entries.count }

  /// The entry of a key's bytes; a hash lookup, so that its time tells nothing of a stored key.
  func entry(of key: UnsafeRawBufferPointer) -> Entry? {
    var hasher = SHA256()
    hasher.update(bufferPointer: key)
    let digest = hasher.finalize().withUnsafeBytes { Self.digest(bytes: $0) }
    return entries[digest]
  }

  /// Why a key opens nothing any more; nil: it does.
  ///
  /// - Parameter id: its row in the store, as the entry of its bytes had it.
  func denial(ofKey id: Int64) -> Denial? {
    guard let isRevoked = isRevoked[id] else { return .keyUnknown }
    return isRevoked ? .keyRevoked : nil
  }

  private static func digest(bytes: UnsafeRawBufferPointer) -> Digest {
    func word(_ offset: Int) -> UInt64 {
      UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
    return Digest(a: word(0), b: word(8), c: word(16), d: word(24))
  }

  private static func digest(hex: String) -> Digest? {
    let text = Array(hex.utf8)
    guard text.count == 64 else { return nil }
    var words: [UInt64] = []
    for start in stride(from: 0, to: 64, by: 16) {
      guard
        let word = UInt64(String(decoding: text[start..<start + 16], as: UTF8.self), radix: 16)
      else { return nil }
      words.append(word)
    }
    return Digest(a: words[0], b: words[1], c: words[2], d: words[3])
  }
}

/// The key that a connection's last request carried, with what the table said of it.
///
/// A connection nearly always carries one app's calls, and to hash the key again for each costs
/// more than the rest of the head. Only that connection's own bytes are compared with it.
struct KeyMemo {
  private var key: [UInt8] = []
  private var entry: KeyTable.Entry?
  private var table: KeyTable.Identity?

  /// As `KeyTable.entry(of:)`; unknown keys are not remembered.
  mutating func entry(
    of key: UnsafeRawBufferPointer, in keys: KeyTable
  ) -> KeyTable.Entry? {
    if table === keys.identity, isLast(key) { return entry }
    guard let found = keys.entry(of: key) else { return nil }
    self.key = Array(key)
    entry = found
    table = keys.identity
    return found
  }

  /// All bytes are looked at wherever they differ: behind a proxy a connection may be shared, and
  /// the time must not tell one app how much of another's key it has guessed.
  private func isLast(_ other: UnsafeRawBufferPointer) -> Bool {
    guard key.count == other.count else { return false }
    var difference: UInt8 = 0
    for index in 0..<key.count { difference |= key[index] ^ other[index] }
    return difference == 0
  }
}
