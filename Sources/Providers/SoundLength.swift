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

  /// PCM and floating point; other codings are packed.
  private static let plainFormats: Set<Int> = [1, 3]
  private static let extensible = 0xFFFE
  /// What stands behind the format in the extensible form, where it is one of the plain ones.
  private static let extensibleRest: [UInt8] = [
    0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71,
  ]

  /// All bytes behind the format count as samples, whatever the chunks say of their lengths.
  private static func wave(_ file: UnsafeRawBufferPointer) -> Int64? {
    guard file.count >= 36, file[8..<12].elementsEqual("WAVE".utf8),
      file[12..<16].elementsEqual("fmt ".utf8)
    else { return nil }
    let size = number(file, 16, 4)
    var format = number(file, 20, 2)
    let (channels, rate) = (number(file, 22, 2), number(file, 24, 4))
    let (frameBytes, bits) = (number(file, 32, 2), number(file, 34, 2))
    guard [16, 18, 40].contains(size), file.count >= 20 + size else { return nil }
    if format == extensible, size == 40, file[46..<60].elementsEqual(extensibleRest) {
      format = number(file, 44, 2)
    }
    guard plainFormats.contains(format), (1...8).contains(channels), bits > 0, bits % 8 == 0,
      frameBytes == channels * bits / 8, (1_000...192_000).contains(rate),
      let start = samplesStart(file, from: 20 + size), !looksLikeACT(file)
    else { return nil }
    let looked = file[start...].prefix(SoundDisguise.samplesLooked(aSecond: rate * frameBytes))
    guard !SoundDisguise.holdsFrames(looked, rowMin: 6),
      !SoundDisguise.holdsFormat(looked, isWave: true)
    else { return nil }
    return milliseconds((file.count - 36) / frameBytes + 1, aSecond: rate)
  }

  /// A number whose first byte is the lowest.
  private static func number(_ file: UnsafeRawBufferPointer, _ place: Int, _ bytes: Int) -> Int {
    (0..<bytes).reversed().reduce(0) { $0 << 8 | Int(file[place + $1]) }
  }

  /// Where the samples begin; nil where a chunk before them says anew what they are.
  private static func samplesStart(_ file: UnsafeRawBufferPointer, from start: Int) -> Int? {
    var place = start
    while place + 8 <= file.count {
      let name = file[place..<place + 4]
      let size = number(file, place + 4, 4)
      if name.elementsEqual("data".utf8) { return place + 8 }
      if name.elementsEqual("fmt ".utf8) || name.elementsEqual("XMA2".utf8) { return nil }
      place += 8 + size + size % 2
    }
    return nil
  }

  /// Whether it is laid out as a voice recorder's ACT, which begins as WAV does and is packed.
  private static func looksLikeACT(_ file: UnsafeRawBufferPointer) -> Bool {
    file.count > 256 && file[256] == 0x84 && file[44..<256].allSatisfy { $0 == 0 }
  }

  // MARK: MP3

  private static func frames(_ file: UnsafeRawBufferPointer) -> Int64? {
    guard let start = tagEnd(file), let first = MPEGFrameHead(file, at: start), first.layer == 3,
      !hasBoxName(file, at: start),
      !SoundDisguise.holdsFormat(file.prefix(SoundDisguise.formatLooked), isWave: false)
    else { return nil }
    var place = start
    var milliseconds: Int64 = 0
    var count = 0
    while let head = MPEGFrameHead(file, at: place) {
      // Decoders look for the next frame within one that they do not take.
      guard head.layer == 3, head.version == first.version,
        head.samplesRate == first.samplesRate, !head.isEmphasisReserved
      else { return nil }
      place += head.byteCount
      milliseconds += Self.milliseconds(head.sampleCount, aSecond: head.samplesRate) ?? 0
      count += 1
    }
    // One frame alone may be any bytes that look like one.
    guard count > 1, isEnd(file, place), framesSaid(file, start, first) <= count else { return nil }
    return milliseconds
  }

  /// Behind a tag of ID3v2, whose length has seven bits a byte; nil for one that decoders may read
  /// otherwise.
  private static func tagEnd(_ file: UnsafeRawBufferPointer) -> Int? {
    guard file.starts(with: "ID3".utf8) else { return 0 }
    guard file.count >= 10, (2...4).contains(file[3]), file[4] != 0xFF, file[5] & 0x0F == 0,
      file[6..<10].allSatisfy({ $0 < 0x80 })
    else { return nil }
    let hasFooter = file[5] & 0x10 != 0
    if hasFooter, file[3] < 4 { return nil }
    let size = (6..<10).reduce(0) { $0 << 7 | Int(file[$1]) }
    let end = 10 + size + (hasFooter ? 10 : 0)
    // What does not know the tag plays the frames in it.
    guard end <= file.count, !SoundDisguise.holdsFrames(file[10..<end], rowMin: 3) else {
      return nil
    }
    return end
  }

  /// Whether a box of MP4 could begin here: its name stands behind its length.
  private static func hasBoxName(_ file: UnsafeRawBufferPointer, at start: Int) -> Bool {
    file.count >= start + 8
      && file[(start + 4)..<(start + 8)].allSatisfy { (0x20...0x7E).contains($0) }
  }

  /// The frames that the first one says there are (Xing's and Fraunhofer's heads), by which some
  /// tell the length; 0: it does not say.
  private static func framesSaid(
    _ file: UnsafeRawBufferPointer, _ start: Int, _ head: MPEGFrameHead
  ) -> Int {
    func word(_ place: Int) -> Int {
      place + 4 <= file.count ? (0..<4).reduce(0) { $0 << 8 | Int(file[place + $1]) } : 0
    }
    let xing = start + 4 + (head.version == 1 ? (head.isMono ? 17 : 32) : head.isMono ? 9 : 17)
    if [0x5869_6E67, 0x496E_666F].contains(word(xing)), word(xing + 4) & 1 == 1 {
      return word(xing + 8)
    }
    return word(start + 36) == 0x5642_5249 ? word(start + 36 + 14) : 0
  }

  /// Whether nothing more is played from here on: the file's end, zeros, or a tag of ID3v1 without
  /// a frame's head.
  private static func isEnd(_ file: UnsafeRawBufferPointer, _ place: Int) -> Bool {
    guard place < file.count else { return true }
    let rest = file[place...]
    if rest.starts(with: "TAG".utf8) { return rest.count == 128 && !rest.dropLast().contains(0xFF) }
    return rest.allSatisfy { $0 == 0 }
  }
}
