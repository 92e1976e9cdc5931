// A byte-pair vocabulary: which strings of bytes are tokens, and in which order pairs are merged.

import CTokenData

/// One of OpenAI's public vocabularies with its rules, as tiktoken has them.
///
/// Each is loaded when it is first used (some 10 ms), and stays. Counting reads no file and needs
/// no lock.
public struct Vocabulary: Sendable {
  /// The vocabulary of the GPT-3.5 and GPT-4 models and of the embeddings.
  public static let cl100k = Vocabulary(
    .cl100k,
    data: UnsafeBufferPointer(start: leeway_cl100k_base(), count: leeway_cl100k_base_size()))
  /// The vocabulary of GPT-4o and of what came after it.
  public static let o200k = Vocabulary(
    .o200k, data: UnsafeBufferPointer(start: leeway_o200k_base(), count: leeway_o200k_base_size()))

  /// No token: no rank is as high.
  static let none = UInt32.max

  let pretokenizer: Pretokenizer
  /// How many tokens there are, special ones apart. A token's rank is below it.
  public let tokenCount: Int
  /// The bytes of the longest token.
  public let lengthMax: Int
  /// All tokens one after another; token `rank` is `bytes[offsets[rank]..<offsets[rank + 1]]`.
  private let bytes: [UInt8]
  private let offsets: [UInt32]
  /// Ranks by hash, open addressing: the upper half of the hash above the rank, `vacant` if empty.
  private let slots: [UInt64]
  /// Ranks of tokens of two bytes, which are asked for most.
  private let pairs: [UInt32]

  private static let vacant = UInt64.max

  private init(_ pattern: Pretokenizer.Pattern, data: UnsafeBufferPointer<UInt8>) {
    let count = (0..<4).reduce(0) { $0 | Int(data[$1]) << ($1 * 8) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(data.count - 4 - count)
    var offsets: [UInt32] = [0]
    offsets.reserveCapacity(count + 1)
    var place = 4
    var lengthMax = 0
    for _ in 0..<count {
      let length = Int(data[place])
      bytes += data[(place + 1)..<(place + 1 + length)]
      offsets.append(UInt32(bytes.count))
      lengthMax = max(lengthMax, length)
      place += 1 + length
    }
    // At most half full, so that a search for what is no token ends soon.
    var capacity = 1
    while capacity < 2 * count { capacity *= 2 }
    var slots = [UInt64](repeating: Self.vacant, count: capacity)
    var pairs = [UInt32](repeating: Self.none, count: 1 << 16)
    for rank in 0..<count {
      let (start, end) = (Int(offsets[rank]), Int(offsets[rank + 1]))
      if end - start == 2 { pairs[Int(bytes[start]) << 8 | Int(bytes[start + 1])] = UInt32(rank) }
      let hash = Self.hash(bytes.span, start, end)
      var slot = Int(truncatingIfNeeded: hash) & (capacity - 1)
      while slots[slot] != Self.vacant { slot = (slot + 1) & (capacity - 1) }
      slots[slot] = (hash & ~0xFFFF_FFFF) | UInt64(rank)
    }
    self.pretokenizer = Pretokenizer(pattern: pattern)
    self.tokenCount = count
    self.lengthMax = lengthMax
    self.bytes = bytes
    self.offsets = offsets
    self.slots = slots
    self.pairs = pairs
  }

  /// The rank of the token that has exactly the bytes `text[start..<end]`; `none` if none has.
  @inline(__always)
  func rank(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> UInt32 {
    if end - start == 2 { return pairs[Int(text[start]) << 8 | Int(text[start + 1])] }
    return end - start > lengthMax ? Self.none : search(text, start, end)
  }

  private func search(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> UInt32 {
    let hash = Self.hash(text, start, end)
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != Self.vacant {
      if slots[slot] >> 32 == hash >> 32 {
        let rank = UInt32(truncatingIfNeeded: slots[slot])
        if isToken(rank, text, start, end) { return rank }
      }
      slot = (slot + 1) & mask
    }
    return Self.none
  }

  private func isToken(_ rank: UInt32, _ text: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    let first = Int(offsets[Int(rank)])
    guard Int(offsets[Int(rank) + 1]) - first == end - start else { return false }
    let (raw, token) = (text.bytes, bytes.span.bytes)
    var index = 0
    while index + 8 <= end - start {
      let ours = token.unsafeLoadUnaligned(fromByteOffset: first + index, as: UInt64.self)
      let theirs = raw.unsafeLoadUnaligned(fromByteOffset: start + index, as: UInt64.self)
      if ours != theirs { return false }
      index += 8
    }
    while index < end - start {
      if bytes[first + index] != text[start + index] { return false }
      index += 1
    }
    return true
  }

  /// Mixes eight bytes at a time. The tokens are fixed: nobody can fill the table up.
  @inline(__always)
  private static func hash(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> UInt64 {
    let raw = text.bytes
    var hash = UInt64(end - start) &* 0x9E37_79B9_7F4A_7C15
    var place = start
    while end - place >= 8 {
      hash = mix(hash ^ raw.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self))
      place += 8
    }
    var rest: UInt64 = 0
    while place < end {
      rest = rest << 8 | UInt64(text[place])
      place += 1
    }
    return mix(hash ^ rest)
  }

  @inline(__always)
  private static func mix(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    return product.high ^ product.low
  }
}
