// Compressed bodies made by zlib, and the plumbing of the tests that read them.
//
// Why files: Inflate/make.py made them through Python's zlib; whoever doubts one can make it again.

import Foundation
import Wire
import WireFuzzing

/// A compressed body and what it holds.
struct InflateVector: Decodable {
  var name: String
  var format: String
  var coded: Data
  private var unit: Data
  private var repeats: Int

  var content: [UInt8] { Array(repeating: Array(unit), count: repeats).flatMap { $0 } }

  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Inflate")

  static func all() throws -> [InflateVector] {
    let data = try Data(contentsOf: folder.appending(path: "vectors.json"))
    return try JSONDecoder().decode([InflateVector].self, from: data)
  }

  static func named(_ name: String) throws -> InflateVector {
    guard let vector = try all().first(where: { $0.name == name }) else {
      throw CocoaError(.fileReadCorruptFile)
    }
    return vector
  }
}

/// What a decompressor made of a body.
struct InflateResult: Equatable {
  var content: [UInt8] = []
  var isWhole = false
  var fault: InflateFault?

  /// Feeds the bytes in pieces between the cuts; each piece ends where readable memory ends.
  static func read(
    _ bytes: [UInt8], _ format: Inflate.Format, cuts: [Int] = [], outputBytesMax: Int = 1 << 24,
    memory: GuardedMemory
  ) throws -> InflateResult {
    var inflate = Inflate(format, outputBytesMax: outputBytesMax)
    var result = InflateResult()
    var start = 0
    for cut in cuts + [bytes.count] {
      let piece = Array(bytes[start..<cut])
      start = cut
      try memory.withBytes(piece) { raw in
        do throws(InflateFault) {
          try inflate.feed(raw) { content in
            result.content += content
          }
        } catch { result.fault = error }
      }
    }
    result.isWhole = inflate.isWhole
    return result
  }
}

extension Inflate.Format {
  static func named(_ name: String) -> Inflate.Format { name == "gzip" ? .gzip : .deflate }
}

/// Bits as RFC 1951 packs them, for streams that no compressor writes.
struct BitWriter {
  private(set) var bytes: [UInt8] = []
  private var free = 0

  /// A number, its lowest bit first.
  mutating func number(_ value: Int, bits: Int) {
    for index in 0..<bits {
      if free == 0 {
        bytes.append(0)
        free = 8
      }
      bytes[bytes.count - 1] |= UInt8(value >> index & 1) << UInt8(8 - free)
      free -= 1
    }
  }

  /// A code word, its highest bit first.
  mutating func word(_ value: Int, bits: Int) {
    for index in stride(from: bits - 1, through: 0, by: -1) { number(value >> index & 1, bits: 1) }
  }

  mutating func alignToByte() { free = 0 }
}
