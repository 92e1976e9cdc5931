// How long a sound can be, by its file.

import Foundation
import TestSupport
import Testing

@testable import Providers

@Suite struct SoundLengthTests {
  private func length(_ file: [UInt8]) -> Int64? {
    file.withUnsafeBytes { SoundLength.milliseconds(of: $0) }
  }

  private static func little(_ number: Int, _ bytes: Int) -> [UInt8] {
    (0..<bytes).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }

  /// Silence of 8,000 samples a second, two bytes each.
  static func wave(
    milliseconds: Int, format: Int = 1, frameBytes: Int = 2, rate: Int = 8_000,
    saidBytes: Int? = nil
  ) -> [UInt8] {
    let samples = [UInt8](repeating: 0, count: milliseconds * 8 * 2)
    return Array("RIFF".utf8) + little(36 + samples.count, 4) + Array("WAVEfmt ".utf8)
      + little(16, 4) + little(format, 2) + little(1, 2) + little(rate, 4) + little(rate * 2, 4)
      + little(frameBytes, 2) + little(16, 2) + Array("data".utf8)
      + little(saidBytes ?? samples.count, 4) + samples
  }

  @Test func plainSamplesSayHowLongTheyAre() throws {
    for milliseconds in [0, 1, 999, 61_000] {
      let bound = try #require(length(Self.wave(milliseconds: milliseconds)))
      #expect((Int64(milliseconds)...Int64(milliseconds) + 2).contains(bound))
    }
    // What the chunk says of its length is not believed.
    #expect(try #require(length(Self.wave(milliseconds: 5_000, saidBytes: 4))) >= 5_000)
    #expect(length(Self.wave(milliseconds: 10, format: 2)) == nil)
    #expect(length(Self.wave(milliseconds: 10, frameBytes: 400)) == nil)
    #expect(length(Self.wave(milliseconds: 10, rate: 0)) == nil)
  }

  /// Frames of MPEG 1 layer III at 128 kbit/s and 44.1 kHz: 1,152 samples in 417 bytes each.
  private static func frames(_ count: Int) -> [UInt8] {
    Array(
      repeatElement([0xFF, 0xFB, 0x90, 0x00] + [UInt8](repeating: 0x55, count: 413), count: count)
        .joined())
  }

  @Test func framesSayHowLongTheyAre() throws {
    let exact = 100 * 1_152 * 1_000 / 44_100
    let bound = try #require(length(Self.frames(100)))
    #expect((exact...exact + 100).contains(Int(bound)))
    let tagged = Array("ID3".utf8) + [4, 0, 0, 0, 0, 1, 2] + [UInt8](repeating: 9, count: 130)
    let tail = Array("TAG".utf8) + [UInt8](repeating: 0x20, count: 125)
    #expect(length(tagged + Self.frames(100) + tail) == bound)
    // The last frame may be cut off.
    #expect(length(Array(Self.frames(100).dropLast(50))) == bound)
    // Something else behind the frames may be played as well.
    #expect(length(Self.frames(100) + Self.wave(milliseconds: 500)) == nil)
    #expect(length(Self.frames(1)) == nil)
  }

  @Test func otherFilesDoNot() {
    for file in ["", "OggS", "fLaC", "RIFF", "ID3", "RIFF0000AVI fmt "] {
      #expect(length(Array(file.utf8) + [UInt8](repeating: 0, count: 2_000)) == nil)
      #expect(length(Array(file.utf8)) == nil)
    }
  }

  @Test func anyBytesAreSafe() throws {
    try checkProperty("sounds", over: 0...Int64.max, runs: 300, countMax: 40) { numbers in
      var file = numbers.count % 2 == 0 ? Self.wave(milliseconds: 30) : Self.frames(3)
      for number in numbers { file[Int(number % Int64(min(file.count, 64)))] = UInt8(number % 251) }
      let length = length(file) ?? 0
      try require(length >= 0, "\(length) ms")
    }
  }
}
