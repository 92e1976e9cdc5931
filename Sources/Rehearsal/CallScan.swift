// Finds in a request what an answer depends on: dialect, model, stream, usage.
// It searches for bytes and understands no JSON. That is enough to rehearse with and no more: the
// gateway's own reader, which decides about money, is another.

import Foundation

/// What a request asks for.
struct CallScan: Sendable, Equatable {
  var dialect: RehearsalDialect
  var model: [UInt8]
  var isStream: Bool
  /// An OpenAI stream is asked to end with its usage.
  var includesUsage: Bool
  /// A Gemini stream without `alt=sse`: one JSON array.
  var isArray = false

  /// - Parameters:
  ///   - target: path and query.
  ///   - body: the request's body.
  /// - Returns: nil if the path is none that is rehearsed.
  init?(target: some Collection<UInt8>, body: UnsafeRawBufferPointer) {
    let target = Array(target)
    let path = target.prefix { $0 != UInt8(ascii: "?") }
    isStream = Self.value(of: "\"stream\"", in: body) == UInt8(ascii: "t")
    includesUsage = Self.value(of: "\"include_usage\"", in: body) == UInt8(ascii: "t")
    if path.ends(with: "/chat/completions".utf8) {
      dialect = .openai
      model = Self.string(of: "\"model\"", in: body) ?? Array("gpt-4o-mini".utf8)
    } else if path.ends(with: "/messages".utf8) {
      dialect = .anthropic
      model = Self.string(of: "\"model\"", in: body) ?? Array("claude-sonnet-4-5".utf8)
    } else if let colon = path.lastIndex(of: UInt8(ascii: ":")) {
      let method = path[path.index(after: colon)...]
      isStream = method.elementsEqual("streamGenerateContent".utf8)
      guard isStream || method.elementsEqual("generateContent".utf8) else { return nil }
      dialect = .gemini
      let slash = path[..<colon].lastIndex(of: UInt8(ascii: "/"))
      model = Array(path[(slash.map { $0 + 1 } ?? 0)..<colon])
      includesUsage = true
      isArray = isStream && !String(decoding: target, as: UTF8.self).contains("alt=sse")
    } else {
      return nil
    }
  }

  /// Where a text next occurs at or after an offset.
  private static func occurrence(
    of key: StaticString, in body: UnsafeRawBufferPointer, from start: Int
  ) -> Int? {
    guard let base = body.baseAddress else { return nil }
    let (first, length) = (Int32(key.utf8Start.pointee), key.utf8CodeUnitCount)
    var start = start
    while start + length <= body.count,
      let hit = memchr(base + start, first, body.count - length - start + 1)
    {
      let offset = UnsafeRawPointer(hit) - base
      if memcmp(hit, key.utf8Start, length) == 0 { return offset }
      start = offset + 1
    }
    return nil
  }

  /// The offset behind the colon and blanks that follow the first occurrence of the key.
  private static func valueOffset(of key: StaticString, in body: UnsafeRawBufferPointer) -> Int? {
    var start = 0
    while let hit = occurrence(of: key, in: body, from: start) {
      var offset = hit + key.utf8CodeUnitCount
      start = offset
      var sawColon = false
      while offset < body.count {
        let byte = body[offset]
        if byte == UInt8(ascii: ":"), !sawColon {
          sawColon = true
        } else if byte != 0x20, byte != 0x09, byte != 0x0A, byte != 0x0D {
          break
        }
        offset += 1
      }
      // Without a colon it was a value, such as a message that talks about a stream.
      if sawColon, offset < body.count { return offset }
    }
    return nil
  }

  private static func value(of key: StaticString, in body: UnsafeRawBufferPointer) -> UInt8? {
    valueOffset(of: key, in: body).map { body[$0] }
  }

  private static func string(of key: StaticString, in body: UnsafeRawBufferPointer) -> [UInt8]? {
    guard let open = valueOffset(of: key, in: body), body[open] == UInt8(ascii: "\"") else {
      return nil
    }
    let rest = body[(open + 1)...]
    guard let close = rest.firstIndex(of: UInt8(ascii: "\"")) else { return nil }
    return Array(body[(open + 1)..<close])
  }
}

extension Collection where Element == UInt8 {
  fileprivate func ends(with suffix: some Collection<UInt8>) -> Bool {
    count >= suffix.count && self.suffix(suffix.count).elementsEqual(suffix)
  }
}
