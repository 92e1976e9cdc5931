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
    wave(
      [UInt8](repeating: 0, count: milliseconds * 8 * 2), format: format, frameBytes: frameBytes,
      rate: rate, saidBytes: saidBytes)
  }

  /// - Parameter chunks: what stands between the format and the samples.
  private static func wave(
    _ samples: [UInt8], format: Int = 1, channels: Int = 1, frameBytes: Int = 2,
    rate: Int = 8_000, formatBytes: Int = 16, chunks: [UInt8] = [], saidBytes: Int? = nil
  ) -> [UInt8] {
    Array("RIFF".utf8) + little(36 + samples.count, 4) + Array("WAVEfmt ".utf8)
      + little(formatBytes, 4) + little(format, 2) + little(channels, 2) + little(rate, 4)
      + little(rate * 2, 4) + little(frameBytes, 2) + little(16, 2) + chunks
      + Array("data".utf8) + little(saidBytes ?? samples.count, 4) + samples
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
    for rate in [0, 999, 192_001] {
      #expect(length(Self.wave(milliseconds: 10, rate: rate)) == nil)
    }
    #expect(length(Self.wave([], channels: 9, frameBytes: 18)) == nil)
    #expect(length(Self.wave([], channels: 8, frameBytes: 16)) != nil)
    let list = Array("LIST".utf8) + Self.little(3, 4) + [1, 2, 3, 0]
    #expect(length(Self.wave([0, 0], chunks: list)) != nil)
  }

  @Test func theExtensibleFormHoldsAPlainOneOnly() {
    func file(_ format: Int, rest: [UInt8]) -> [UInt8] {
      Self.wave(
        [UInt8](repeating: 0, count: 1_600), format: 0xFFFE, formatBytes: 40,
        chunks: Self.little(22, 2) + Self.little(16, 2) + Self.little(4, 4)
          + Self.little(format, 2) + rest)
    }
    let plain: [UInt8] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]
    #expect(length(file(1, rest: plain)) != nil)
    #expect(length(file(0x55, rest: plain)) == nil)
    #expect(length(file(1, rest: [7] + plain.dropFirst())) == nil)
  }

  // MARK: WAV that is something else, as FFmpeg plays it

  /// Frames of silence, as encoders write them or as their heads have them at least.
  private static let packed: [(name: String, frame: [UInt8])] = [
    ("MP3", [0xFF, 0xFB, 0x90, 0x00] + [UInt8](repeating: 0xAA, count: 413)),
    ("MP2", [0xFF, 0xFD, 0x14, 0x00] + [UInt8](repeating: 0, count: 92)),
    ("MP1", [0xFF, 0xFF, 0x14, 0x00] + [UInt8](repeating: 0, count: 28)),
    ("AAC", [0xFF, 0xF1, 0x6C, 0x40, 0x01, 0x7F, 0xFC, 0x01, 0x18, 0x20, 0x07]),
    ("AAC in LOAS", [0x56, 0xE0, 0x08] + [UInt8](repeating: 1, count: 8)),
    ("AC-3", [0x0B, 0x77, 0, 0, 0x00, 0x40] + [UInt8](repeating: 0, count: 122)),
    ("AC-3, swapped", [0x77, 0x0B, 0, 0, 0x40, 0x00] + [UInt8](repeating: 0, count: 122)),
    ("E-AC-3", [0x0B, 0x77, 0x00, 0x3F, 0x34, 0x80] + [UInt8](repeating: 0, count: 122)),
    ("DTS", [0x7F, 0xFE, 0x80, 0x01] + [UInt8](repeating: 3, count: 92)),
    ("DTS, swapped", [0xFE, 0x7F, 0x01, 0x80] + [UInt8](repeating: 3, count: 92)),
    ("DTS, 14 bits", [0x1F, 0xFF, 0xE8, 0x00, 0x07, 0xF0] + [UInt8](repeating: 3, count: 92)),
    (
      "DTS, 14 bits, swapped",
      [0xFF, 0x1F, 0x00, 0xE8, 0xF3, 0x07] + [UInt8](repeating: 3, count: 92)
    ),
    ("TrueHD", [0xF8, 0x72, 0x6F, 0xBA] + [UInt8](repeating: 3, count: 92)),
    ("IEC 61937", [0x72, 0xF8, 0x1F, 0x4E] + [UInt8](repeating: 3, count: 92)),
    ("MPEG-TS", [0x47, 0x1F, 0xFF, 0x10] + [UInt8](repeating: 0xFF, count: 184)),
    ("MPEG-TS with time codes", [0x47, 0x1F, 0xFF, 0x10] + [UInt8](repeating: 0xFF, count: 188)),
    ("MPEG-TS with checksums", [0x47, 0x1F, 0xFF, 0x10] + [UInt8](repeating: 0xFF, count: 200)),
    ("MXF", [0x06, 0x0E, 0x2B, 0x34, 0x02, 0x05, 0x01, 0x01]),
  ]

  @Test(arguments: packed.indices)
  func packedFramesAmongSamplesHaveNoLength(index: Int) {
    let (name, frame) = Self.packed[index]
    let frames = Array(repeatElement(frame, count: 12).joined())
    let three = Array(frames.prefix(3 * frame.count)) + [0, 0, 0, 0, 0, 0, 0, 0]
    if index < 8 { #expect(length(Self.wave([0, 0] + three)) == nil, "three of \(name)") }
    for quiet in [0, 2, 40_002, 200_000] {
      let samples = (0..<quiet).map { UInt8($0 % 5) } + frames + [0, 0, 0, 0, 0, 0, 0, 0]
      #expect(length(Self.wave(samples)) == nil, "\(name) behind \(quiet) bytes")
    }
  }

  @Test func samplesStaySamples() {
    var generator = SeededGenerator(seed: 9)
    for most in [1, 3, 20, 30, 40, 90, 300, 2_000, 32_767] {
      let samples = (0..<200_000).flatMap { _ in Self.little(generator.int(-most...most), 2) }
      let isBound = length(Self.wave(samples)) != nil
      #expect(isBound, "up to \(most)")
    }
  }

  @Test func whatSaysTwiceWhatItIsHasNoLength() {
    let second = Array("fmt ".utf8) + Self.little(16, 4) + [UInt8](repeating: 1, count: 16)
    #expect(length(Self.wave([0, 0], chunks: second)) == nil)
    #expect(length(Self.wave([0, 0], chunks: Array("XMA2".utf8) + Self.little(0, 4))) == nil)
    // A voice recorder's format that begins as WAV does.
    let act = [UInt8](repeating: 0, count: 212) + [0x84] + [UInt8](repeating: 0, count: 700)
    #expect(length(Self.wave(act)) == nil)
  }

  // MARK: MP3

  /// Frames of MPEG 1 layer III at 128 kbit/s and 44.1 kHz: 1,152 samples in 417 bytes each.
  private static func frames(_ count: Int) -> [UInt8] {
    Array(
      repeatElement([0xFF, 0xFB, 0x90, 0x00] + [UInt8](repeating: 0xAA, count: 413), count: count)
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

  /// What FFmpeg and others would play instead of, or beside, the frames.
  @Test func framesWithMoreInThemHaveNoLength() {
    let frames = Self.frames(20)
    func changed(_ place: Int, _ bytes: [UInt8]) -> [UInt8] {
      var file = frames
      file.replaceSubrange(place..<place + bytes.count, with: bytes)
      return file
    }
    #expect(length(changed(9, [0])) != nil)
    // Another rate, another version, a reserved emphasis: decoders look for other heads then.
    #expect(length(changed(417 * 3 + 2, [0x94])) == nil)
    #expect(length(changed(417 * 3 + 3, [0x02])) == nil)
    #expect(length(frames + [0xFF, 0xF3, 0x90, 0x00] + [UInt8](repeating: 0, count: 257)) == nil)
    // A box of MP4, packs of MPEG-PS.
    #expect(length(changed(4, Array("moov".utf8))) == nil)
    let pack: [UInt8] = [0, 0, 1, 0xBA, 0, 0, 1, 0xBB, 0, 0, 1, 0xC0]
    #expect(length(changed(417 * 2 + 50, pack)) == nil)
    // Marks of another format that stand in the frames' contents.
    for (name, frame) in Self.packed where ["TrueHD", "IEC 61937", "MXF"].contains(name) {
      #expect(length(changed(50, frame + frame)) == nil, "\(name)")
    }
    for packet in [188, 192, 204] {
      var file = frames
      for index in 0..<6 { file[230 + index * packet] = 0x47 }
      #expect(length(file) == nil, "packets of \(packet)")
    }
    // The first frame says how many there are; some believe it.
    let said = Array("Xing".utf8) + [0, 0, 0, 1]
    #expect(length(changed(36, said + [0, 0, 0, 20])) != nil)
    #expect(length(changed(36, said + [0, 1, 0, 0])) == nil)
    let vbri = Array("VBRI".utf8) + [UInt8](repeating: 0, count: 10)
    #expect(length(changed(36, vbri + [0, 0, 0, 19])) != nil)
    #expect(length(changed(36, vbri + [0, 0, 0, 21])) == nil)
  }

  @Test func tagsAreReadAsTheyAreOrNotAtAll() throws {
    let frames = Self.frames(20)
    let bound = try #require(length(frames))
    func tagged(
      version: UInt8 = 4, revision: UInt8 = 0, flags: UInt8 = 0, size: [UInt8] = [0, 0, 1, 2],
      content: [UInt8] = [UInt8](repeating: 9, count: 130), footer: [UInt8] = []
    ) -> Int64? {
      length(Array("ID3".utf8) + [version, revision, flags] + size + content + footer + frames)
    }
    let footer = Array("3DI".utf8) + [UInt8](repeating: 0, count: 7)
    for version in UInt8(2)...4 { #expect(tagged(version: version) == bound) }
    #expect(tagged(flags: 0xC0) == bound)
    #expect(tagged(flags: 0x10, footer: footer) == bound)
    #expect(tagged(flags: 0x10) == nil && tagged(footer: footer) == nil)
    #expect(tagged(version: 3, flags: 0x10, footer: footer) == nil)
    #expect(tagged(version: 5) == nil && tagged(version: 1) == nil && tagged(revision: 0xFF) == nil)
    for bit in 0..<4 { #expect(tagged(flags: 1 << bit) == nil) }
    // The same number to who ignores the upper bits, another one to who does not.
    #expect(tagged(size: [0, 0, 0x81, 2]) == nil && tagged(size: [0x80, 0, 1, 2]) == nil)
    let hidden = Self.frames(3)
    #expect(
      tagged(size: [0, 0, 9, UInt8(1_251 - 9 * 128)], content: hidden) == nil)
    // At the end: APE's tag holds anything, ID3v1's has 128 bytes.
    let ape = Array("APETAGEX".utf8) + [0xD0, 7, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0]
    #expect(length(frames + ape + [UInt8](repeating: 0, count: 12)) == nil)
    #expect(length(frames + Array("APETAGEX".utf8) + Self.wave(milliseconds: 9_000)) == nil)
    for count in [100, 124, 125, 126, 20_000] {
      let tail = Array("TAG".utf8) + [UInt8](repeating: 0x20, count: count)
      #expect(length(frames + tail) == (count == 125 ? bound : nil))
    }
    let genre = Array("TAG".utf8) + [UInt8](repeating: 0, count: 124) + [0xFF]
    #expect(length(frames + genre) == bound)
    let heads = Array("TAG".utf8) + [0xFF, 0xE3, 0x18, 0xC4] + [UInt8](repeating: 0, count: 121)
    #expect(length(frames + heads) == nil)
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
