// Whether a sound's file can be taken for another one.
//
// What plays a file goes by what it finds in it, not by its first bytes alone: FFmpeg, and what is
// built on it, decodes packed frames that stand among plain samples, and takes a file for MPEG-TS
// or MP4 where it looks more like one. Such a file may play for hours. The figures are FFmpeg's
// (libavformat, the `probe` functions).

enum SoundDisguise {
  /// As far as FFmpeg looks for a coding among plain samples, in bytes: 32 packets, each of 4 KiB
  /// or, in later versions, of a tenth of a second, and not beyond its `probesize`.
  static func samplesLooked(aSecond bytes: Int) -> Int { min(max(4 * bytes, 1 << 18), 5_000_000) }
  /// As far as it looks for a file's format, in bytes.
  static let formatLooked = 1 << 20

  /// Whether some bytes hold packed frames in a row: MPEG audio, AAC, AC-3.
  ///
  /// - Parameter rowMin: so many in a row where something else stands before them; three are enough
  ///   where nothing but zeros does. Noise has three now and then.
  static func holdsFrames(_ bytes: Slice<UnsafeRawBufferPointer>, rowMin: Int) -> Bool {
    let bytes = UnsafeRawBufferPointer(rebasing: bytes)
    var isFirst = true
    var place = 0
    while place + 7 < bytes.count {
      let byte = bytes[place]
      if PackedFrame.mayBegin(byte, bytes[place + 1]),
        isRow(of: isFirst ? 3 : rowMin, bytes, from: place)
      {
        return true
      }
      if byte != 0 { isFirst = false }
      place += 1
    }
    return false
  }

  private static func isRow(
    of count: Int, _ bytes: UnsafeRawBufferPointer, from start: Int
  ) -> Bool {
    guard let first = PackedFrame.read(bytes, at: start) else { return false }
    var place = start + first.byteCount
    for _ in 1..<count {
      guard let next = PackedFrame.read(bytes, at: place), next.kind == first.kind else {
        return false
      }
      place += next.byteCount
    }
    return true
  }

  /// Whether a file holds the marks by which another format, or DTS or TrueHD among samples, is
  /// found.
  ///
  /// - Parameter isWave: it begins as WAV does, which outweighs some of them.
  static func holdsFormat(_ bytes: Slice<UnsafeRawBufferPointer>, isWave: Bool) -> Bool {
    let bytes = UnsafeRawBufferPointer(rebasing: bytes)
    var syncCount = 0
    var startCodeCount = 0
    var place = 0
    while place + 7 < bytes.count {
      switch bytes[place] {
      case 0x47: if isTransport(bytes, from: place) { return true }
      case 0x06: if eight(bytes, place) >> 16 == materialKey { return true }
      // Packs and streams of MPEG-PS.
      case 0x00 where !isWave:
        if bytes[place + 1] == 0, bytes[place + 2] == 1, bytes[place + 3] >= 0xBA {
          startCodeCount += 1
        }
      case 0x1F, 0x64, 0x72, 0x7F, 0xF8, 0xFE, 0xFF: if isSync(bytes, place) { syncCount += 1 }
      default: break
      }
      place += 1
    }
    // One alone may be any bytes that look like one.
    return syncCount > 1 || startCodeCount > 2
  }

  /// Of DTS in its four forms and its extension, TrueHD and MLP, IEC 61937 in both orders of bytes.
  private static func isSync(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> Bool {
    let eight = eight(bytes, place)
    switch eight >> 32 {
    case 0x1FFF_E800: return eight >> 16 & 0xFFF0 == 0x07F0
    // Soft noise has it at odd places, where nobody looks for it.
    case 0xFF1F_00E8: return eight >> 16 & 0xF0FF == 0xF007 && place % 2 == 0
    case 0x7FFE_8001, 0xFE7F_0180, 0x6458_2025, 0xF872_6FBA, 0xF872_6FBB, 0xF872_4E1F, 0x72F8_1F4E:
      return true
    default: return false
    }
  }

  /// How MXF begins, wherever it does.
  private static let materialKey: UInt64 = 0x060E_2B34_0205

  /// Five packets of MPEG-TS in a row, alone, with a time code, or with a checksum.
  private static func isTransport(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Bool {
    func isRow(of packet: Int) -> Bool {
      var place = start
      for _ in 0..<4 {
        place += packet
        guard place < bytes.count, bytes[place] == 0x47 else { return false }
      }
      return true
    }
    return isRow(of: 188) || isRow(of: 192) || isRow(of: 204)
  }

  private static func eight(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> UInt64 {
    UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
  }
}

/// The head of a frame in one of the codings that are found by their heads.
struct PackedFrame {
  /// What stays the same from one frame to the next.
  var kind: UInt32
  /// Bytes of the frame, its head included.
  var byteCount: Int

  /// Whether a head may have these first two bytes.
  @inline(__always)
  static func mayBegin(_ first: UInt8, _ second: UInt8) -> Bool {
    switch first {
    case 0xFF, 0x56: second >= 0xE0
    case 0x0B: second == 0x77
    case 0x77: second == 0x0B
    default: false
    }
  }

  /// The frame whose head stands at a place; nil: there is none.
  static func read(_ bytes: UnsafeRawBufferPointer, at place: Int) -> PackedFrame? {
    guard place + 7 < bytes.count else { return nil }
    let (first, second) = (bytes[place], bytes[place + 1])
    switch (first, second) {
    case (0xFF, 0xF0), (0xFF, 0xF1), (0xFF, 0xF8), (0xFF, 0xF9): return adts(bytes, place)
    case (0xFF, _):
      return MPEGFrameHead(bytes, at: place).map { head in
        let kind = UInt32(second) << 8 | UInt32(bytes[place + 2] & 0x0C)
        return PackedFrame(kind: kind, byteCount: head.byteCount)
      }
    // In either order of bytes.
    case (0x0B, 0x77): return ac3 { bytes[place + $0] }
    case (0x77, 0x0B): return ac3 { bytes[place + ($0 ^ 1)] }
    // AAC in LOAS.
    case (0x56, 0xE0...):
      let size = Int(second & 0x1F) << 8 | Int(bytes[place + 2])
      return PackedFrame(kind: 0x56, byteCount: size + 3)
    default: return nil
    }
  }

  private static func adts(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> PackedFrame? {
    let size =
      Int(bytes[place + 3] & 3) << 11 | Int(bytes[place + 4]) << 3 | Int(bytes[place + 5] >> 5)
    guard size >= 7, bytes[place + 2] >> 2 & 15 < 13 else { return nil }
    let kind = UInt32(bytes[place + 1]) << 8 | UInt32(bytes[place + 2] & 0x3C)
    return PackedFrame(kind: kind, byteCount: size)
  }

  private static let ac3Kilobits = [
    32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640,
  ]

  /// ETSI TS 102 366: syncinfo of AC-3 up to `bsid` 10, of Enhanced AC-3 above.
  private static func ac3(_ byte: (Int) -> UInt8) -> PackedFrame? {
    let (version, rate, size) = (byte(5) >> 3, Int(byte(4) >> 6), Int(byte(4) & 0x3F))
    guard version <= 16, version > 10 || rate < 3 && size < 38 else { return nil }
    var words = (Int(byte(2) & 7) << 8 | Int(byte(3))) + 1
    if version <= 10 {
      let kilobits = ac3Kilobits[size / 2]
      words = [2 * kilobits, kilobits * 960 / 441 + size % 2, 3 * kilobits][rate]
    }
    return PackedFrame(kind: 0x0B77, byteCount: 2 * words)
  }
}

/// The head of a frame of MPEG audio, any version and layer (ISO/IEC 11172-3, 13818-3).
struct MPEGFrameHead {
  /// 1, 2, or 3 for 2.5.
  var version: Int
  var layer: Int
  /// A second.
  var samplesRate: Int
  var sampleCount: Int
  /// Bytes of the frame, its head included.
  var byteCount: Int
  var isEmphasisReserved: Bool
  var isMono: Bool

  /// Kilobits a second by the index in the head: layers I to III of version 1, layer I of the
  /// others, and their layers II and III.
  private static let bitrates = [
    [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  ]
  private static let rates = [44_100, 48_000, 32_000]

  /// Nil for what is no head, and for a bitrate that the head does not say.
  init?(_ bytes: UnsafeRawBufferPointer, at place: Int) {
    guard place + 4 <= bytes.count, bytes[place] == 0xFF, bytes[place + 1] >= 0xE0 else {
      return nil
    }
    let (second, third, fourth) = (bytes[place + 1], bytes[place + 2], bytes[place + 3])
    layer = 4 - Int(second >> 1 & 3)
    let (bits, rate) = (Int(third >> 4), Int(third >> 2 & 3))
    guard second >> 3 & 3 != 1, layer < 4, bits > 0, bits < 15, rate < 3 else { return nil }
    version = second >> 3 & 3 == 0 ? 3 : second >> 3 & 3 == 2 ? 2 : 1
    // Versions 2 and 2.5 halve the rates.
    samplesRate = Self.rates[rate] >> (version - 1)
    let table = version == 1 ? layer - 1 : layer == 1 ? 3 : 4
    let bitrate = Self.bitrates[table][bits] * 1_000
    let padding = Int(third >> 1 & 1)
    if layer == 1 {
      sampleCount = 384
      byteCount = (12 * bitrate / samplesRate + padding) * 4
    } else {
      sampleCount = layer == 3 && version > 1 ? 576 : 1_152
      byteCount = sampleCount / 8 * bitrate / samplesRate + padding
    }
    isEmphasisReserved = fourth & 3 == 2
    isMono = fourth >> 6 == 3
  }
}
