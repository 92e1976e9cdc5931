// Frames of a WebSocket: told apart in every split, and refused where they break the protocol.

import TestSupport
import Testing

@testable import Wire

@Suite struct WebSocketReaderTests {
  private enum Seen: Equatable {
    case message(WebSocketReader.Kind, [UInt8])
    case fault
  }

  /// Reads bytes cut at a place and gathers the messages.
  private static func read(_ bytes: [UInt8], cutAt cut: Int) -> [Seen] {
    var reader = WebSocketReader()
    var seen: [Seen] = []
    var message: [UInt8] = []
    var ping: [UInt8] = []
    for piece in [bytes[..<cut], bytes[cut...]] {
      let piece = Array(piece)
      var offset = 0
      var isOver = false
      piece.withUnsafeBytes { raw in
        while !isOver {
          do {
            switch try reader.next(raw, offset: &offset) {
            case .payload(let range, let kind):
              if kind == .text || kind == .binary { message += raw[range] }
              if kind == .ping { ping += raw[range] }
            case .frameEnd(.ping, _):
              seen.append(.message(.ping, ping))
              ping = []
            case .frameEnd(let kind, let endsMessage):
              guard endsMessage, kind == .text || kind == .binary else { continue }
              seen.append(.message(kind, message))
              message = []
            case .needsMore: isOver = true
            }
          } catch {
            seen.append(.fault)
            isOver = true
          }
        }
      }
      if seen.last == .fault { return seen }
    }
    return seen
  }

  private static let long = [UInt8](repeating: 7, count: 70_000)

  @Test func messagesAreWholeInEverySplit() {
    let bytes =
      WebSocketFrame.text(Array("one".utf8)) + [0x01, 2, 0x61, 0x62] + [0x89, 1, 0x70]
      + [0x80, 1, 0x63] + WebSocketFrame.text([])
      + WebSocketFrame.text(Array(Self.long.prefix(300)))
      + [0x82, 1, 0xFF]
    let wanted: [Seen] = [
      .message(.text, Array("one".utf8)), .message(.ping, [0x70]),
      .message(.text, Array("abc".utf8)), .message(.text, []),
      .message(.text, Array(Self.long.prefix(300))), .message(.binary, [0xFF]),
    ]
    for cut in 0...bytes.count {
      #expect(Self.read(bytes, cutAt: cut) == wanted, "cut at \(cut)")
    }
  }

  @Test func aLongFrameHasALongLength() {
    let bytes = WebSocketFrame.text(Self.long)
    #expect(Array(bytes[..<10]) == [0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70])
    for cut in [0, 1, 2, 5, 10, 11, 40_000] {
      #expect(Self.read(bytes, cutAt: cut) == [.message(.text, Self.long)])
    }
  }

  @Test(
    arguments: [
      [0xC1, 0], [0xA1, 0], [0x91, 0], [0x83, 0], [0x8B, 0], [0x80, 0], [0x00, 0],
      // A new message within another, a control frame in parts, a long one, a masked one.
      [0x01, 0, 0x81, 0], [0x09, 0], [0x89, 126, 0, 200], [0x81, 0x81, 0, 0, 0, 0, 1],
      // Lengths that are not in their shortest form, or beyond all bounds.
      [0x81, 126, 0, 125], [0x81, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF],
      [0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0],
    ] as [[UInt8]])
  func refuses(bytes: [UInt8]) {
    for cut in 0...bytes.count {
      #expect(Self.read(bytes, cutAt: cut).last == .fault, "cut at \(cut)")
    }
  }

  /// Whatever comes, in whatever split, the same is seen, and nothing crashes.
  @Test func garbageIsReadTheSameInEverySplit() throws {
    try checkProperty("frames", over: 0...255, runs: 2_000, countMax: 40) { numbers in
      let bytes = numbers.map { UInt8($0) }
      let whole = Self.read(bytes, cutAt: 0)
      for cut in 0...bytes.count {
        try require(Self.read(bytes, cutAt: cut) == whole, "cut at \(cut)")
      }
    }
  }

  @Test func aCloseFrameHoldsItsReason() {
    let reason = String(repeating: "é", count: 100)
    let frame = WebSocketFrame.close(code: 1008, reason: reason)
    #expect(Array(frame[..<4]) == [0x88, 124, 0x03, 0xF0])
    #expect(String(validating: frame[4...], as: UTF8.self)?.count == 61)
  }
}
