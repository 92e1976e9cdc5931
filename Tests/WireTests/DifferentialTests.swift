// Whatever our readers accept, NIOHTTP1's parser accepts with the same lines, fields and bytes.
// Two readers that disagree about one message are a way to smuggle another.
//
// LEEWAY_FUZZ_CASES=10000000 runs the long form (build with -c release); LEEWAY_FUZZ_SEED moves it.

import Foundation
import NIOCore
import NIOEmbedded
import NIOHTTP1
import TestSupport
import Testing
import Wire

/// What NIOHTTP1 understood of one side of a connection.
private struct OtherReading {
  var messages: [Message] = []
  var isRefused = false

  /// NIO leaves tabs at the end of a value; by RFC 9110 section 5.5 they are no part of it.
  private static func lines(_ headers: HTTPHeaders) -> [String] {
    headers.map { header in
      let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
      var value = header.value[...]
      while let last = value.last, isBlank(last) { value.removeLast() }
      return "\(header.name)=\(value)"
    }
  }

  mutating func take(_ part: HTTPServerRequestPart) {
    switch part {
    case .head(let head):
      messages.append(
        Message(
          startLine: "\(head.method.rawValue) \(head.uri) 1.\(head.version.minor)",
          fields: Self.lines(head.headers)))
    case .body(let buffer):
      messages[messages.count - 1].body += buffer.readableBytesView
    case .end:
      messages[messages.count - 1].isComplete = true
    }
  }

  mutating func take(_ part: HTTPClientResponsePart) {
    switch part {
    case .head(let head):
      messages.append(
        Message(
          startLine: "1.\(head.version.minor) \(head.status.code)",
          fields: Self.lines(head.headers)))
      // NIO forwards interim answers as heads without an end.
      if (100..<200).contains(head.status.code), head.status.code != 101 {
        messages[messages.count - 1].isComplete = true
      }
    case .body(let buffer):
      messages[messages.count - 1].body += buffer.readableBytesView
    case .end:
      messages[messages.count - 1].isComplete = true
    }
  }

  static func read(
    _ side: WireSide, _ bytes: [UInt8], cuts: [Int], methods: [RequestMethod]
  ) -> OtherReading {
    var reading = OtherReading()
    let channel = EmbeddedChannel()
    do {
      if side == .request {
        try channel.pipeline.syncOperations.addHandler(
          ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
      } else {
        try channel.pipeline.syncOperations.addHandler(
          ByteToMessageHandler(
            HTTPResponseDecoder(
              leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .forward)))
        for method in methods {
          let head = HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: "\(method.name)"), uri: "/")
          channel.writeAndFlush(HTTPClientRequestPart.head(head), promise: nil)
        }
      }
      var start = 0
      for cut in cuts.sorted() + [bytes.count] where cut > start {
        try channel.writeInbound(ByteBuffer(bytes: bytes[start..<cut]))
        start = cut
      }
    } catch {
      reading.isRefused = true
    }
    // A parser that stopped throws again at the end; what it gave before counts all the same.
    if (try? channel.finish(acceptAlreadyClosed: true)) == nil { reading.isRefused = true }
    if side == .request {
      while let part = try? channel.readInbound(as: HTTPServerRequestPart.self) {
        reading.take(part)
      }
    } else {
      while let part = try? channel.readInbound(as: HTTPClientResponsePart.self) {
        reading.take(part)
      }
    }
    return reading
  }
}

@Suite struct DifferentialTests {
  private static let environment = ProcessInfo.processInfo.environment
  /// Cases of each side; the short form stays far below 20 s in a debug build.
  static let cases = environment["LEEWAY_FUZZ_CASES"].flatMap(Int.init) ?? 4_000
  static let firstSeed = environment["LEEWAY_FUZZ_SEED"].flatMap(UInt64.init) ?? 1

  /// What differs between the readings, or nil.
  private static func difference(
    _ side: WireSide, _ own: Transcript, _ other: OtherReading
  ) -> String? {
    for (index, message) in own.messages.enumerated() {
      // Where a fault stops us in a body, only the head was accepted.
      let isJudged = message.isComplete || own.fault == nil
      guard index < other.messages.count else {
        return isJudged ? "message \(index) was refused or not seen" : nil
      }
      let seen = other.messages[index]
      // NIO invents the reason phrase from the status: compare version and status.
      let startLine =
        side == .request
        ? message.startLine
        : message.startLine.split(separator: " ").prefix(2).joined(separator: " ")
      guard startLine == seen.startLine else {
        return "start line \(startLine) != \(seen.startLine)"
      }
      guard message.fields == seen.fields else {
        return "fields \(message.fields) != \(seen.fields)"
      }
      guard isJudged else { return nil }
      guard message.body == seen.body else { return "body of message \(index)" }
      if message.isComplete, !seen.isComplete { return "message \(index) does not end" }
      if !message.isComplete, seen.isComplete { return "message \(index) ends early" }
    }
    // Without a fault of ours, and while the connection lives, neither sees a message more.
    if own.fault == nil, !own.isClosed, other.messages.count > own.messages.count {
      return "a message more: \(other.messages[own.messages.count])"
    }
    return nil
  }

  private func compare(_ side: WireSide) {
    let memory = GuardedMemory()
    var accepted = 0
    var refused = 0
    for number in 0..<UInt64(Self.cases) {
      let seed = Self.firstSeed &+ number
      var grammar = WireGrammar(seed: seed)
      let (bytes, methods) = grammar.connection(side)
      let cuts = grammar.cuts(bytes.count)
      let own = TranscriptReader.read(
        side, bytes, cuts: cuts, methods: methods, memory: memory)
      if own.fault != nil { refused += 1 }
      guard !own.messages.isEmpty else { continue }
      accepted += 1
      let other = OtherReading.read(side, bytes, cuts: cuts, methods: methods)
      if let difference = Self.difference(side, own, other) {
        let text = String(decoding: bytes, as: UTF8.self).debugDescription
        Issue.record(
          "LEEWAY_FUZZ_SEED=\(seed) \(side): \(difference)\n\(text)\nown \(own)\nNIO \(other)")
        return
      }
    }
    // A generator that is always refused, or never, would prove nothing.
    #expect(accepted > Self.cases / 3, "accepted \(accepted)")
    #expect(refused > Self.cases / 20, "refused \(refused)")
  }

  @Test func requestsReadAsNIOReadsThem() { compare(.request) }

  @Test func answersReadAsNIOReadsThem() { compare(.response) }
}
