// A canonical Huffman code (RFC 1951 section 3.2.2), read by table.
//
// Code words of up to ten bits, nearly all that occur, are one look-up; longer ones walk the
// lengths one by one. A second level of tables would be faster for those, but a stream of many
// tiny blocks could then make us fill large tables for every few bytes of it.

/// One code of a block.
struct InflateTable: Sendable {
  static let lengthMax = 15
  private static let quickBits = 10

  /// A code word: the symbol above the lowest four bits, its length in them.
  typealias Entry = UInt16
  /// The bits that are there do not end a code word.
  static let needsMore: Entry = 0
  /// The bits begin no code word.
  static let invalid: Entry = 0xFFFF

  /// By the next ten bits; 0 where the code word is longer, or there is none.
  private var quick = [Entry](repeating: 0, count: 1 << quickBits)
  /// How many code words have each length.
  private var counts = [UInt16](repeating: 0, count: lengthMax + 1)
  /// The symbols in the order of their code words.
  private var symbols = [UInt16](repeating: 0, count: 288)

  /// Builds the code from the length of every symbol's code word, 0 for symbols that do not occur.
  ///
  /// - Parameter lengths: at most 288, each at most 15.
  /// - Parameter isComplete: whether every sequence of bits must begin a code word; else a code of
  ///   one word of one bit, and one of none, are allowed too, as in zlib.
  /// - Returns: false where no code has these lengths: more code words than fit, or fewer than
  ///   there should be.
  mutating func build(_ lengths: ArraySlice<UInt8>, isComplete: Bool = false) -> Bool {
    for index in counts.indices { counts[index] = 0 }
    for length in lengths { counts[Int(length)] += 1 }
    counts[0] = 0
    var left = 1
    var longest = 0
    for length in 1...Self.lengthMax {
      left = left << 1 - Int(counts[length])
      if left < 0 { return false }
      if counts[length] > 0 { longest = length }
    }
    guard left == 0 || !isComplete && longest <= 1 else { return false }
    sortSymbols(lengths)
    fillQuick()
    return true
  }

  private mutating func sortSymbols(_ lengths: ArraySlice<UInt8>) {
    withUnsafeTemporaryAllocation(of: Int.self, capacity: Self.lengthMax + 2) { next in
      next.initialize(repeating: 0)
      for length in 1...Self.lengthMax {
        next[length + 1] = next[length] + Int(counts[length])
      }
      for (symbol, length) in lengths.enumerated() where length > 0 {
        symbols[next[Int(length)]] = UInt16(truncatingIfNeeded: symbol)
        next[Int(length)] += 1
      }
    }
  }

  private mutating func fillQuick() {
    for index in quick.indices { quick[index] = 0 }
    var code = 0
    var position = 0
    for length in 1...Self.quickBits {
      for _ in 0..<Int(counts[length]) {
        // A code word stands in the stream with its first bit lowest.
        var index = Self.reversed(code, bits: length)
        let entry = symbols[position] << 4 | UInt16(truncatingIfNeeded: length)
        while index < 1 << Self.quickBits {
          quick[index] = entry
          index += 1 << length
        }
        position += 1
        code += 1
      }
      code <<= 1
    }
  }

  private static func reversed(_ code: Int, bits: Int) -> Int {
    let word = UInt32(truncatingIfNeeded: code)
    var swapped = word.byteSwapped
    swapped = (swapped & 0x0F0F_0F0F) << 4 | (swapped >> 4) & 0x0F0F_0F0F
    swapped = (swapped & 0x3333_3333) << 2 | (swapped >> 2) & 0x3333_3333
    swapped = (swapped & 0x5555_5555) << 1 | (swapped >> 1) & 0x5555_5555
    return Int(swapped >> UInt32(32 - bits))
  }

  /// The code word at the start of the bits.
  ///
  /// - Parameter count: how many bits there are; those past them must be zero.
  @inline(__always)
  func decode(_ bits: UInt64, count: Int) -> Entry {
    let entry = quick[Int(truncatingIfNeeded: bits & (1 << UInt64(Self.quickBits) - 1))]
    guard entry != 0 else { return decodeLong(bits, count: count) }
    return Int(entry & 15) <= count ? entry : Self.needsMore
  }

  /// Walks the lengths: at each one the code words are consecutive numbers.
  private func decodeLong(_ bits: UInt64, count: Int) -> Entry {
    var code = 0
    var first = 0
    var position = 0
    for length in 1...Self.lengthMax {
      guard length <= count else { return Self.needsMore }
      code |= Int(truncatingIfNeeded: bits >> UInt64(length - 1) & 1)
      let here = Int(counts[length])
      if code - first < here {
        let symbol = symbols[position + code - first]
        return symbol << 4 | UInt16(truncatingIfNeeded: length)
      }
      position += here
      first = (first + here) << 1
      code <<= 1
    }
    return Self.invalid
  }
}
