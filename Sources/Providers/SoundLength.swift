// How long a sound is at most, from its file.
//
// Two formats bound their length by what every decoder has to obey: WAV with plain samples says
// how many bytes a second has, and MP3 is a row of frames, each of which says how many bytes and
// samples it has. The others may hold hours of silence in a few bytes.

enum SoundLength {
  /// The most milliseconds that a file plays; nil where the file does not bound them.
  static func milliseconds(of file: UnsafeRawBufferPointer) -> Int64? {
    file.starts(with: "RIFF".utf8) ? wave(file) : frames(file)
  }

  private static func milliseconds(_ units: Int, aSecond: Int) -> Int64? {
    let (product, isOver) = Int64(units).multipliedReportingOverflow(by: 1_000)
    guard aSecond > 0, !isOver else { return nil }
    return (product + Int64(aSecond) - 1) / Int64(aSecond)
  }

  // MARK: WAV

  /// PCM, floating point, or the extensible form of either; other codings are packed.
  private static let plainFormats: Set<Int> = [1, 3, 0xFFFE]

  /// All bytes behind the format count as samples, whatever the chunks say of their lengths.
  private static func wave(_ file: UnsafeRawBufferPointer) -> Int64? {
    guard file.count >= 36, file[8..<12].elementsEqual("WAVE".utf8),
      file[12..<16].elementsEqual("fmt ".utf8)
    else { return nil }
    func number(_ place: Int, _ bytes: Int) -> Int {
      (0..<bytes).reversed().reduce(0) { $0 << 8 | Int(file[place + $1]) }
    }
    let size = number(16, 4)
    var format = number(20, 2)
    let (channels, rate) = (number(22, 2), number(24, 4))
    let (frameBytes, bits) = (number(32, 2), number(34, 2))
    if format == 0xFFFE {
      guard size >= 40, file.count >= 46 else { return nil }
      format = number(44, 2)
    }
    guard plainFormats.contains(format), format != 0xFFFE, channels > 0, bits > 0, bits % 8 == 0,
      frameBytes == channels * bits / 8
    else { return nil }
    return milliseconds((file.count - 36) / frameBytes + 1, aSecond: rate)
  }

  // MARK: MP3

  /// Kilobits a second of layer III, by the index in a frame's head.
  private static let bitrates1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]
  private static let bitrates2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
  private static let rates = [44_100, 48_000, 32_000]

  private static func frames(_ file: UnsafeRawBufferPointer) -> Int64? {
    var place = tagEnd(file)
    var milliseconds: Int64 = 0
    var count = 0
    while place + 4 <= file.count {
      guard file[place] == 0xFF, file[place + 1] & 0xE6 == 0xE2 else { break }
      let version = Int(file[place + 1] >> 3 & 3)
      let (bits, rate) = (Int(file[place + 2] >> 4), Int(file[place + 2] >> 2 & 3))
      guard version != 1, bits > 0, bits < 15, rate < 3 else { return nil }
      let isFirst = version == 3
      // Versions 2 and 2.5 halve the rates.
      let samplesASecond = rates[rate] >> (isFirst ? 0 : version == 2 ? 1 : 2)
      let bitrate = (isFirst ? bitrates1 : bitrates2)[bits] * 1_000
      let padding = Int(file[place + 2] >> 1 & 1)
      place += (isFirst ? 144 : 72) * bitrate / samplesASecond + padding
      let samples = isFirst ? 1_152 : 576
      milliseconds += Self.milliseconds(samples, aSecond: samplesASecond) ?? 0
      count += 1
    }
    // One frame alone may be any bytes that look like one.
    guard count > 1, isEnd(file, place) else { return nil }
    return milliseconds
  }

  /// Behind a tag of ID3v2, whose length has seven bits a byte.
  private static func tagEnd(_ file: UnsafeRawBufferPointer) -> Int {
    guard file.count >= 10, file.starts(with: "ID3".utf8) else { return 0 }
    let size = (6..<10).reduce(0) { $0 << 7 | Int(file[$1] & 0x7F) }
    return 10 + size
  }

  /// Whether nothing more is played from here on.
  private static func isEnd(_ file: UnsafeRawBufferPointer, _ place: Int) -> Bool {
    guard place < file.count else { return true }
    let rest = file[place...]
    return rest.starts(with: "TAG".utf8) && rest.count <= 128
      || rest.starts(with: "APETAGEX".utf8) || rest.allSatisfy { $0 == 0 }
  }
}
