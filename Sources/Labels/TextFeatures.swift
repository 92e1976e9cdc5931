// A text as numbers: hashed words, pairs of words and letters in a row (K. Weinberger et al.,
// Feature hashing for large scale multitask learning, 2009), so that no vocabulary has to be kept.

/// The features of a text: buckets in ascending order with their values; the values' squares sum
/// to 1, but for a text without words, which has none.
struct TextFeatures: Hashable, Sendable {
  struct Feature: Hashable, Sendable {
    var bucket: UInt32
    var value: Float
  }

  static let bucketBits: UInt64 = 18
  static let bucketCount = 1 << Int(bucketBits)
  /// Raised when code changes which features a text has; models of another are refused.
  static let revision = 1

  private static let wordsMax = 4_000
  private static let wordScalarsMax = 40
  private static let lettersInARow = 3...5

  let features: [Feature]

  init(of text: String) {
    let words = Words.of(text, scalarsMax: 100_000).prefix(Self.wordsMax)
    var counts: [UInt32: Float] = [:]
    var before: [UInt8] = []
    for word in words {
      let bytes = Array(word.utf8)
      counts[Self.bucket(of: bytes, kind: 1), default: 0] += 1
      if !before.isEmpty {
        counts[Self.bucket(of: before + [32] + bytes, kind: 2), default: 0] += 1
      }
      before = bytes
      let letters = Array("<\(word)>".unicodeScalars.prefix(Self.wordScalarsMax))
      for length in Self.lettersInARow where length < letters.count {
        for start in 0...(letters.count - length) {
          let row = String(String.UnicodeScalarView(letters[start..<start + length]))
          counts[Self.bucket(of: Array(row.utf8), kind: 3), default: 0] += 1
        }
      }
    }
    // The square root damps repeated words, and is exact on every platform, as no logarithm is.
    let damped = counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value.squareRoot()) }
    let length = damped.reduce(Float(0)) { $0 + $1.1 * $1.1 }.squareRoot()
    features = damped.map { Feature(bucket: $0.0, value: $0.1 / length) }
  }

  /// FNV-1a over 64 bits, folded (Fowler, Noll, Vo; IETF draft-eastlake-fnv).
  private static func bucket(of bytes: [UInt8], kind: UInt64) -> UInt32 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ kind
    hash &*= 0x0000_0100_0000_01B3
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    let mask = UInt64(bucketCount - 1)
    return UInt32(((hash >> bucketBits) ^ hash ^ (hash >> (2 * bucketBits))) & mask)
  }
}
