// The bodies of the grammar: what announces them, and bytes that follow, now and then wrong ones.

import Wire

extension WireGrammar {
  typealias Framing = (lines: [String], body: [UInt8])

  /// A body that looks like the next message: a reader that ends it early meets that as one.
  private static let text = Array("{\"model\": \"m\"}\r\nGET / HTTP/1.1\r\n\r\n0\r\n\r\n".utf8)

  mutating func framing(allowsChunks: Bool) -> Framing {
    var text = Array(Self.text.prefix(generator.int(0...Self.text.count)))
    if isLong, generator.chance(0.5) {
      for _ in 0..<generator.int(4...8) {
        text += [UInt8](repeating: text.last ?? 0x61, count: 997)
      }
    }
    switch generator.int(0...9) {
    case 0...2: return ([], isAbuse() ? text : [])
    case 3...5: return length(text)
    default: return allowsChunks ? chunked(text) : length(text)
    }
  }

  private mutating func length(_ text: [UInt8]) -> Framing {
    let length = isAbuse() ? max(0, text.count + generator.int(-3...3)) : text.count
    let line = choose(Vocabulary.lengthName) + choose(Vocabulary.length)
    return ([Self.fill(line, "\(length)")], text)
  }

  private mutating func chunked(_ text: [UInt8]) -> Framing {
    let line = choose(Vocabulary.chunkedName) + choose(Vocabulary.chunked)
    var body: [UInt8] = []
    withChunkAbuse { $0.addChunks(text, to: &body) }
    return ([line], body)
  }

  /// The template with every `#` replaced.
  private static func fill(_ template: String, _ value: String) -> String {
    var filled = ""
    for scalar in template.unicodeScalars {
      if scalar == "#" { filled += value } else { filled.unicodeScalars.append(scalar) }
    }
    return filled
  }

  private mutating func addChunks(_ text: [UInt8], to body: inout [UInt8]) {
    var rest = text[...]
    let pieceMax = generator.chance(0.1) ? 3 : max(1, text.count)
    while !rest.isEmpty {
      let piece = rest.prefix(generator.int(1...min(pieceMax, rest.count)))
      rest = rest.dropFirst(piece.count)
      let wrong = isAbuse() ? generator.int(-1...1) : 0
      let size = String(max(0, piece.count + wrong), radix: 16, uppercase: generator.chance(0.3))
      body.append(contentsOf: Self.fill(choose(Vocabulary.chunkSize), size).utf8)
      if generator.chance(0.3) { add(Vocabulary.chunkExtension, to: &body) }
      add(Vocabulary.sizeEnd, to: &body)
      body += piece
      add(Vocabulary.chunkEnd, to: &body)
    }
    add(Vocabulary.lastChunk, to: &body)
    if generator.chance(0.25) { add(Vocabulary.trailer, to: &body) }
    if generator.chance(0.01) {
      body.append(contentsOf: generator.pick(Vocabulary.forbiddenTrailers).utf8)
    }
    add(Vocabulary.bodyEnd, to: &body)
  }

  private static let looseBytes = Array("\r\n\t \0:;,\"0aA%=".utf8)

  /// Changes bytes, or moves, doubles and drops pieces and lines.
  mutating func mutate(_ bytes: inout [UInt8]) {
    for _ in 0..<generator.int(1...3) where !bytes.isEmpty {
      let index = generator.int(0...bytes.count - 1)
      let isLoose = generator.chance(0.9)
      let byte = isLoose ? generator.pick(Self.looseBytes) : generator.int(0...255)
      switch generator.int(0...8) {
      case 0, 1: bytes[index] = byte
      case 2: bytes.insert(byte, at: index)
      case 3: bytes.remove(at: index)
      case 4: bytes.swapAt(index, generator.int(0...bytes.count - 1))
      case 5: bytes.insert(contentsOf: generator.pick(Vocabulary.tokens).utf8, at: index)
      case 6: bytes[index] ^= 1 << generator.int(UInt8(0)...7)
      case 7:
        let end = min(bytes.count, index + generator.int(1...40))
        bytes.removeSubrange(index..<end)
      default: moveLine(&bytes, from: index)
      }
    }
  }

  /// Puts the line around an offset before another line, and leaves the first there or not.
  private mutating func moveLine(_ bytes: inout [UInt8], from index: Int) {
    let start = bytes[..<index].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    let end = bytes[index...].firstIndex(of: 0x0A).map { $0 + 1 } ?? bytes.count
    let line = Array(bytes[start..<end])
    if generator.chance(0.5) { bytes.removeSubrange(start..<end) }
    guard !bytes.isEmpty else { return }
    let other = generator.int(0...bytes.count - 1)
    let place = bytes[..<other].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    bytes.insert(contentsOf: line, at: place)
  }
}
