// Properties of the decompressor over damaged and random bodies, and the comparison with zlib.

import Foundation
import TestSupport
import Testing
import Wire
import WireFuzzing

@Suite struct InflatePropertyTests {
  /// Damaged in any way, a body is read or refused, in bounds, the same in any split.
  @Test func damageNeverCrashesAndNeverDependsOnSplits() throws {
    let memory = GuardedMemory()
    var generator = SeededGenerator(seed: 20_261_123)
    let vectors = try InflateVector.all().filter { $0.coded.count < 1_500 }
    var faults: Set<InflateFault> = []
    for _ in 0..<2_500 {
      let vector = generator.pick(vectors)
      var coded = Array(vector.coded)
      for _ in 0..<generator.int(1...4) { damage(&coded, &generator) }
      let bound = generator.pick([100, 1_000, 20_000])
      let format = generator.chance(0.9) ? Inflate.Format.named(vector.format) : .deflate
      let whole = try InflateResult.read(
        coded, format, outputBytesMax: bound, memory: memory)
      #expect(whole.content.count <= bound)
      #expect(!(whole.isWhole && whole.fault != nil))
      var cuts = (0..<generator.int(1...20)).map { _ in generator.int(0...coded.count) }
      cuts.sort()
      let split = try InflateResult.read(
        coded, format, cuts: cuts, outputBytesMax: bound, memory: memory)
      #expect(whole == split, "\(vector.name), cuts \(cuts)")
      if let fault = whole.fault { faults.insert(fault) }
    }
    #expect(faults.count >= 9, "the damage met only \(faults)")
  }

  @Test func anyBytesAreReadOrRefused() throws {
    let memory = GuardedMemory()
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<4_000 {
      var bytes = (0..<generator.int(0...300)).map { _ in generator.int(UInt8(0)...255) }
      // Without this nearly all would end at the first byte or block type.
      if let first = bytes.first { bytes[0] = first & 0xF8 | generator.pick([0, 2, 3, 4, 5]) }
      let result = try InflateResult.read(
        bytes, .deflate, outputBytesMax: 10_000, memory: memory)
      #expect(result.content.count <= 10_000)
    }
  }

  private func damage(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
    guard !bytes.isEmpty else { return }
    let place = generator.int(0...min(bytes.count - 1, generator.pick([15, 60, 5_000])))
    switch generator.int(0...5) {
    case 0: bytes[place] = generator.int(0...255)
    case 1: bytes.remove(at: place)
    case 2: bytes.insert(generator.int(0...255), at: place)
    case 3: bytes += bytes[place...]
    default: bytes[place] ^= 1 << generator.int(UInt8(0)...7)
    }
  }

  // MARK: zlib's word

  static let python = "/usr/bin/python3"

  @Test(
    .enabled(
      if: FileManager.default.isExecutableFile(atPath: python),
      "needs \(python), whose zlib is the reference"),
    arguments: [1, 2, 3])
  func zlibAndWeAgree(seed: Int) throws {
    let ending = try Command.run(
      Self.python,
      [InflateVector.folder.appending(path: "make.py").path, "random", "\(seed)", "150"])
    #expect(ending.status == 0)
    let output = ending.said
    let memory = GuardedMemory()
    var counts: [Substring: Int] = [:]
    for (number, line) in output.split(separator: "\n").enumerated() {
      let fields = line.split(separator: " ")
      let coded = Array(Data(base64Encoded: String(fields[2])) ?? Data())
      let content = Array(Data(base64Encoded: String(fields[3])) ?? Data())
      let ours = try InflateResult.read(coded, .named(String(fields[0])), memory: memory)
      counts[fields[1], default: 0] += 1
      if fields[1] == "whole" {
        #expect(ours == InflateResult(content: content, isWhole: true), "\(seed)/\(number)")
      } else if !coded.isEmpty {
        #expect(!ours.isWhole, "\(seed)/\(number): zlib refuses it")
      }
    }
    #expect(counts["whole", default: 0] > 50 && counts["broken", default: 0] > 30)
  }
}
