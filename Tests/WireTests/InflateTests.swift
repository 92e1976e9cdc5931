// Compressed bodies: whatever zlib writes is read, in any split; whatever else comes is a fault.

import Foundation
import TestSupport
import Testing
import Wire
import WireFuzzing

@Suite struct InflateTests {
  @Test func whatZlibWritesIsRead() throws {
    let memory = GuardedMemory()
    let vectors = try InflateVector.all()
    #expect(vectors.count > 50)
    for vector in vectors {
      let format = Inflate.Format.named(vector.format)
      let expected = InflateResult(content: vector.content, isWhole: true)
      let coded = Array(vector.coded)
      #expect(
        try InflateResult.read(coded, format, memory: memory) == expected, "\(vector.name)")
      let single = try InflateResult.read(
        coded, format, cuts: Array(1..<max(coded.count, 2)), memory: memory)
      #expect(single == expected, "\(vector.name), byte by byte")
    }
  }

  @Test func everySplitGivesTheSame() throws {
    let memory = GuardedMemory()
    let names = [
      "gzip all header fields", "gzip members", "gzip flushed", "gzip zeros behind", "zlib level 9",
      "raw fixed", "zlib level 0", "gzip empty", "raw empty",
    ]
    for name in names {
      let vector = try InflateVector.named(name)
      let coded = Array(vector.coded)
      let expected = InflateResult(content: vector.content, isWhole: true)
      for split in 0...coded.count {
        let result = try InflateResult.read(
          coded, .named(vector.format), cuts: [split], memory: memory)
        #expect(result == expected, "\(name) split at \(split)")
      }
    }
  }

  @Test func whatIsCutShortIsNotWhole() throws {
    let memory = GuardedMemory()
    for name in ["gzip all header fields", "zlib fixed", "raw level 6"] {
      let vector = try InflateVector.named(name)
      let (coded, content) = (Array(vector.coded), vector.content)
      for count in 1..<coded.count {
        let result = try InflateResult.read(
          Array(coded[..<count]), .named(vector.format), memory: memory)
        #expect(!result.isWhole, "\(name) after \(count) bytes")
        #expect(result.fault == nil)
        #expect(content.starts(with: result.content))
      }
    }
    #expect(try InflateResult.read([], .gzip, memory: memory).isWhole)
  }

  @Test func contentComesOutAsSoonAsItIsThere() throws {
    let vector = try InflateVector.named("gzip flushed")
    var inflate = Inflate(.gzip, outputBytesMax: 1 << 20)
    var held = 0
    var most = 0
    var total = 0
    for byte in vector.coded {
      held += 1
      try withUnsafeBytes(of: byte) { raw in
        try inflate.feed(raw) { content in
          most = max(most, held)
          held = 0
          total += content.count
        }
      }
    }
    #expect(total == vector.content.count)
    // A flush after each 50 bytes of content: no more than one block may be waited for.
    #expect(most < 80, "\(most) bytes went in before one came out")
  }

  @Test func theBoundHoldsToTheByte() throws {
    let memory = GuardedMemory()
    for name in ["gzip one letter", "zlib several windows", "raw level 0", "gzip members"] {
      let vector = try InflateVector.named(name)
      let (coded, content) = (Array(vector.coded), vector.content)
      for bound in [content.count - 1, content.count / 2, 1, 0] {
        let result = try InflateResult.read(
          coded, .named(vector.format), outputBytesMax: bound, memory: memory)
        #expect(result.fault == .outputTooLong, "\(name) within \(bound)")
        #expect(result.content == Array(content[..<bound]))
        #expect(!result.isWhole)
      }
      let exact = try InflateResult.read(
        coded, .named(vector.format), outputBytesMax: content.count, memory: memory)
      #expect(exact == InflateResult(content: content, isWhole: true))
    }
  }

  @Test func aFaultStays() throws {
    var inflate = Inflate(.gzip, outputBytesMax: 10)
    for _ in 0..<2 {
      #expect(throws: InflateFault.malformedHeader) {
        try [0x1F, 0x8C].withUnsafeBytes { raw in
          _ = try inflate.feed(raw) { _ in }
        }
      }
    }
    #expect(inflate.fault == .malformedHeader)
    #expect(!inflate.isWhole)
  }

  // MARK: What is wrong

  @Test func wrongTrailersAreFaults() throws {
    let memory = GuardedMemory()
    func fault(_ name: String, flipping fromEnd: Int) throws -> InflateFault? {
      let vector = try InflateVector.named(name)
      var coded = Array(vector.coded)
      coded[coded.count - fromEnd] ^= 0x10
      let result = try InflateResult.read(coded, .named(vector.format), memory: memory)
      // All content stands before its trailer, so all of it was handed on.
      #expect(result.content == vector.content)
      return result.fault
    }
    for byte in 1...4 {
      #expect(try fault("gzip level 6", flipping: byte) == .lengthMismatch)
      #expect(try fault("gzip level 6", flipping: byte + 4) == .checksumMismatch)
      #expect(try fault("zlib level 6", flipping: byte) == .checksumMismatch)
    }
  }

  @Test func wrongHeadersAreFaults() throws {
    let memory = GuardedMemory()
    func fault(_ bytes: [UInt8], _ format: Inflate.Format) throws -> InflateFault? {
      try InflateResult.read(bytes, format, memory: memory).fault
    }
    #expect(try fault([0x1F, 0x8B, 7], .gzip) == .malformedHeader)
    #expect(try fault([0x1F, 0x8B, 8, 0x20], .gzip) == .malformedHeader)
    #expect(try fault(Array("{\"id\":1}".utf8), .gzip) == .malformedHeader)
    #expect(try fault([0x78, 0x20], .deflate) == .dictionaryNeeded)
    let vector = try InflateVector.named("gzip all header fields")
    // The header: 10 fixed bytes, 2 + 5 extra, 10 name, 10 comment, 2 checksum.
    for place in 4..<39 where place != 10 && place != 11 {
      var coded = Array(vector.coded)
      coded[place] ^= 0x40
      #expect(try fault(coded, .gzip) == .headerChecksumMismatch, "byte \(place)")
    }
  }

  @Test func wrongBlocksAreFaults() throws {
    let memory = GuardedMemory()
    func fault(_ write: (inout BitWriter) -> Void) throws -> InflateFault? {
      var writer = BitWriter()
      write(&writer)
      return try InflateResult.read(writer.bytes + [0, 0, 0, 0], .deflate, memory: memory).fault
    }
    #expect(try fault { $0.number(0b111, bits: 3) } == .malformedBlockType)
    #expect(
      try fault {
        $0.number(0b001, bits: 8)
        $0.number(5, bits: 16)
        $0.number(5, bits: 16)
      } == .malformedStoredLength)
    // 31 and 32 distance codes do not exist, nor do 287 and 288 literals.
    for (literals, distances) in [(257, 31), (257, 32), (287, 1), (288, 1)] {
      let found = try fault {
        $0.number(0b101, bits: 3)
        $0.number(literals - 257, bits: 5)
        $0.number(distances - 1, bits: 5)
        $0.number(0, bits: 4)
      }
      #expect(found == .malformedCodeLengths)
    }
    // Three code words of one bit.
    #expect(
      try fault {
        $0.number(0b101, bits: 3)
        $0.number(0, bits: 14)
        for _ in 0..<4 { $0.number(1, bits: 3) }
      } == .malformedCodeLengths)
    // The length symbol 286 and the distance symbol 30 have words in the fixed code and no meaning.
    #expect(
      try fault {
        $0.number(0b011, bits: 3)
        $0.word(0b1100_0110, bits: 8)
      } == .malformedSymbol)
    #expect(
      try fault {
        $0.number(0b011, bits: 3)
        $0.word(0b0011_0000, bits: 8)
        $0.word(0b000_0001, bits: 7)
        $0.word(30, bits: 5)
      } == .malformedSymbol)
  }

  /// zlib never reaches back the whole window, other compressors do.
  @Test(arguments: [32_767, 32_768])
  func theFarthestDistanceIsTheWindow(stored: Int) throws {
    var writer = BitWriter()
    let content = (0..<stored).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }
    writer.number(0, bits: 8)
    writer.number(stored, bits: 16)
    writer.number(stored ^ 0xFFFF, bits: 16)
    for byte in content { writer.number(Int(byte), bits: 8) }
    writer.number(0b011, bits: 3)
    // Length 258 at distance 24,577 + 8,191.
    writer.word(0b1100_0101, bits: 8)
    writer.word(29, bits: 5)
    writer.number(8_191, bits: 13)
    writer.word(0, bits: 7)
    let result = try InflateResult.read(writer.bytes, .deflate, memory: GuardedMemory())
    if stored == 32_768 {
      #expect(result == InflateResult(content: content + content[..<258], isWhole: true))
    } else {
      #expect(result == InflateResult(content: content, fault: .distanceTooFar))
    }
  }
}
