// DEFLATE (RFC 1951): blocks of stored bytes or of Huffman-coded bytes and repetitions.
//
// A step reads all the bits it needs or none: between two pieces of input there is no half of a
// symbol to remember, because the longest one (48 bits) fits into the bit buffer.

/// The blocks of one DEFLATE stream. A phase lists those that may follow it.
struct InflateBlocks: Sendable {
  private enum Phase {
    /// → storedLength, codeCounts, symbols.
    case blockStart
    /// → stored.
    case storedLength
    /// Bytes left. → blockStart, ended.
    case stored(Int)
    /// → lengthCode.
    case codeCounts
    /// The next length of the code that the other lengths are written in. → lengths.
    case lengthCode(Int)
    /// The next symbol whose length is to come. → symbols.
    case lengths(Int)
    /// → blockStart, ended.
    case symbols
    case ended
  }

  var window: InflateWindow

  private var phase = Phase.blockStart
  private var isLastBlock = false
  private var literalCount = 0
  private var distanceCount = 0
  private var lengthCodeCount = 0
  /// Of a dynamic block's symbols: literals and lengths, then distances.
  private var lengths = [UInt8](repeating: 0, count: 286 + 30)
  private var literals = InflateTable()
  private var distances = InflateTable()

  init(window: InflateWindow) { self.window = window }

  /// Starts a new stream.
  mutating func begin(_ checksum: InflateChecksum) {
    phase = .blockStart
    window.begin(checksum)
  }

  /// Reads on. True: the stream ended, and the bits stand behind it; false: it needs more bytes.
  mutating func read(
    _ bits: inout InflateBits, _ bytes: UnsafeRawBufferPointer, _ offset: inout Int,
    _ output: (UnsafeRawBufferPointer) -> Void
  ) throws(InflateFault) -> Bool {
    while true {
      let goesOn: Bool
      switch phase {
      case .stored(let left):
        goesOn = try readStored(left, &bits, bytes, &offset, output)
      case .symbols:
        goesOn = try readSymbols(&bits, bytes, &offset, output)
      case .ended:
        return true
      case .blockStart, .storedLength, .codeCounts, .lengthCode, .lengths:
        bits.fill(bytes, &offset)
        goesOn = try readBlockHead(&bits)
      }
      if !goesOn { return false }
    }
  }

  // MARK: Heads

  private mutating func readBlockHead(_ bits: inout InflateBits) throws(InflateFault) -> Bool {
    switch phase {
    case .blockStart: return try beginBlock(&bits)
    case .storedLength:
      guard let word = bits.take(32) else { return false }
      guard word & 0xFFFF == word >> 16 ^ 0xFFFF else { throw .malformedStoredLength }
      phase = .stored(word & 0xFFFF)
    case .codeCounts:
      guard let word = bits.take(14) else { return false }
      literalCount = word & 31 + 257
      distanceCount = word >> 5 & 31 + 1
      lengthCodeCount = word >> 10 + 4
      guard literalCount <= 286, distanceCount <= 30 else { throw .malformedCodeLengths }
      for index in 0..<19 { lengths[index] = 0 }
      phase = .lengthCode(0)
    case .lengthCode(let index):
      guard let length = bits.take(3) else { return false }
      lengths[Self.lengthCodeOrder[index]] = UInt8(truncatingIfNeeded: length)
      phase = .lengthCode(index + 1)
      if index + 1 == lengthCodeCount {
        // The distances' table is free until the distances are known.
        guard distances.build(lengths[..<19], isComplete: true) else {
          throw .malformedCodeLengths
        }
        phase = .lengths(0)
      }
    case .lengths(let index): return try readLength(index, &bits)
    case .stored, .symbols, .ended: break
    }
    return true
  }

  private mutating func beginBlock(_ bits: inout InflateBits) throws(InflateFault) -> Bool {
    guard let word = bits.take(3) else { return false }
    isLastBlock = word & 1 == 1
    switch word >> 1 {
    case 0:
      bits.alignToByte()
      phase = .storedLength
    case 1:
      literals = Self.fixedLiterals
      distances = Self.fixedDistances
      phase = .symbols
    case 2: phase = .codeCounts
    default: throw .malformedBlockType
    }
    return true
  }

  /// One symbol of the code lengths: a length, or a repetition of the last one or of zero.
  private mutating func readLength(
    _ index: Int, _ bits: inout InflateBits
  ) throws(InflateFault) -> Bool {
    let entry = distances.decode(bits.bits, count: bits.count)
    if entry == InflateTable.needsMore { return false }
    guard entry != InflateTable.invalid else { throw .malformedSymbol }
    let symbol = Int(entry >> 4)
    let used = Int(entry & 15)
    var value: UInt8 = 0
    var count = 1
    if symbol < 16 {
      value = UInt8(truncatingIfNeeded: symbol)
      bits.drop(used)
    } else {
      let (extra, base) = symbol == 16 ? (2, 3) : symbol == 17 ? (3, 3) : (7, 11)
      guard bits.count >= used + extra else { return false }
      bits.drop(used)
      guard let more = bits.take(extra) else { return false }
      count = base + more
      if symbol == 16 {
        guard index > 0 else { throw .malformedCodeLengths }
        value = lengths[index - 1]
      }
    }
    let end = index + count
    guard end <= literalCount + distanceCount else { throw .malformedCodeLengths }
    for index in index..<end { lengths[index] = value }
    phase = .lengths(end)
    if end == literalCount + distanceCount { try beginSymbols() }
    return true
  }

  private mutating func beginSymbols() throws(InflateFault) {
    let end = literalCount + distanceCount
    // Without an end of block the block could not end.
    guard lengths[256] > 0, literals.build(lengths[..<literalCount]),
      distances.build(lengths[literalCount..<end])
    else { throw .malformedCodeLengths }
    phase = .symbols
  }

  // MARK: Content

  private mutating func readStored(
    _ left: Int, _ bits: inout InflateBits, _ bytes: UnsafeRawBufferPointer,
    _ offset: inout Int, _ output: (UnsafeRawBufferPointer) -> Void
  ) throws(InflateFault) -> Bool {
    var left = left
    // Whole bytes that were taken in advance come first.
    while left > 0, let byte = bits.take(8) {
      try window.put(UInt8(truncatingIfNeeded: byte), output)
      left -= 1
    }
    let end = offset + min(left, bytes.count - offset)
    left -= end - offset
    while offset < end {
      try window.put(bytes[offset], output)
      offset += 1
    }
    phase = .stored(left)
    guard left == 0 else { return false }
    phase = isLastBlock ? .ended : .blockStart
    return true
  }

  private mutating func readSymbols(
    _ bits: inout InflateBits, _ bytes: UnsafeRawBufferPointer, _ offset: inout Int,
    _ output: (UnsafeRawBufferPointer) -> Void
  ) throws(InflateFault) -> Bool {
    while true {
      bits.fill(bytes, &offset)
      let entry = literals.decode(bits.bits, count: bits.count)
      let symbol = Int(entry >> 4)
      let used = Int(entry & 15)
      if symbol < 256 {
        if entry == InflateTable.needsMore { return false }
        bits.drop(used)
        try window.put(UInt8(truncatingIfNeeded: symbol), output)
      } else if symbol > 256 {
        guard try readRepetition(symbol, used, &bits, output) else { return false }
      } else {
        bits.drop(used)
        phase = isLastBlock ? .ended : .blockStart
        return true
      }
    }
  }

  /// A length whose symbol was seen and its distance. False: their bits are not all there.
  @inline(__always)
  private mutating func readRepetition(
    _ symbol: Int, _ symbolBits: Int, _ bits: inout InflateBits,
    _ output: (UnsafeRawBufferPointer) -> Void
  ) throws(InflateFault) -> Bool {
    // Two more symbols exist in the fixed code and mean nothing.
    guard symbol <= 285 else { throw .malformedSymbol }
    var rest = bits
    rest.drop(symbolBits)
    let length = Self.lengthBases[symbol - 257]
    guard let lengthMore = rest.take(length.extraBits) else { return false }
    let entry = distances.decode(rest.bits, count: rest.count)
    if entry == InflateTable.needsMore { return false }
    guard entry >> 4 < 30 else { throw .malformedSymbol }
    rest.drop(Int(entry & 15))
    let distance = Self.distanceBases[Int(entry >> 4)]
    guard let distanceMore = rest.take(distance.extraBits) else { return false }
    bits = rest
    try window.copy(
      distance: distance.base + distanceMore, length: length.base + lengthMore, output)
    return true
  }

  // MARK: Tables of RFC 1951 sections 3.2.5 to 3.2.7

  private typealias Base = (base: Int, extraBits: Int)

  private static let lengthBases: [Base] = {
    var bases: [Base] = (0..<8).map { (base: $0 + 3, extraBits: 0) }
    for extra in 1...5 {
      for step in 0..<4 { bases.append((base: 3 + (4 + step) << extra, extraBits: extra)) }
    }
    // The last one is the longest length alone, without extra bits.
    bases.append((base: 258, extraBits: 0))
    return bases
  }()

  private static let distanceBases: [Base] = {
    var bases: [Base] = (0..<4).map { (base: $0 + 1, extraBits: 0) }
    for extra in 1...13 {
      for step in 0..<2 { bases.append((base: 1 + (2 + step) << extra, extraBits: extra)) }
    }
    return bases
  }()

  private static let lengthCodeOrder = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
  ]

  private static let fixedLiterals: InflateTable = {
    let runs: [(UInt8, Int)] = [(8, 144), (9, 112), (7, 24), (8, 8)]
    return table(runs.flatMap { Array(repeating: $0.0, count: $0.1) })
  }()

  private static let fixedDistances = table(Array(repeating: 5, count: 32))

  private static func table(_ lengths: [UInt8]) -> InflateTable {
    var table = InflateTable()
    let isCode = table.build(lengths[...])
    assert(isCode, "the fixed codes of RFC 1951 are complete")
    return table
  }
}
