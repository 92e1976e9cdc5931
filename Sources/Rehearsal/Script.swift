// What a test or a rehearsal may ask an upstream to do, well-behaved or not.
// Steps rather than switches: every misbehaviour is bytes, pauses and an end, in some order.

/// A request as the rehearsal upstream received it.
public struct RecordedRequest: Sendable {
  /// Counts requests of one upstream from 0.
  public let number: Int
  /// Counts connections of one upstream from 0.
  public let connection: Int
  public let method: String
  /// Path and query.
  public let target: String
  public let fields: [(name: String, value: String)]
  public let body: [UInt8]

  /// The value of the first field of that name, in any case.
  public func field(_ name: String) -> String? {
    fields.first { $0.name.lowercased() == name.lowercased() }?.value
  }
}

/// What the upstream does about one request.
public struct Reply: Sendable {
  /// One act; they follow each other in order.
  public enum Step: Sendable {
    /// Writes bytes and flushes them.
    case bytes([UInt8])
    /// Waits so many milliseconds.
    case wait(Int64)
    /// Closes the connection after what was written has gone out.
    case close
    /// Resets the connection.
    case reset
    /// Never goes on; the peer has to end it.
    case never
  }

  enum Content: Sendable {
    case recorded(name: String?)
    case steps([Step])
  }

  let content: Content

  /// The recorded answer that the configuration picks, or the one of that name.
  public static func recorded(_ name: String? = nil) -> Reply {
    Reply(content: .recorded(name: name))
  }

  /// Any steps. Without `close`, `reset` or `never` the connection takes the next request.
  public static func steps(_ steps: [Step]) -> Reply { Reply(content: .steps(steps)) }

  /// Takes the request and never answers.
  public static let silence = Reply.steps([.never])

  /// How the body of a scripted answer is framed.
  public enum Framing: Sendable {
    case length
    /// A chunk for each piece of so many bytes; the rest goes into a last one.
    case chunks([Int])
    /// No framing: the end is the connection's.
    case untilClose
  }

  /// A whole answer.
  /// - Parameters:
  ///   - interim: statuses of interim answers that come first, such as 100 or 103.
  ///   - waitMilliseconds: before the answer, and between its chunks.
  ///   - breakAfter: closes the connection after so many bytes of the body with its framing.
  public static func answer(
    status: Int = 200, fields: [(String, String)] = [("content-type", "application/json")],
    body: [UInt8], framing: Framing = .length, interim: [Int] = [],
    waitMilliseconds: Int64 = 0, breakAfter: Int? = nil
  ) -> Reply {
    var head = interim.map { "HTTP/1.1 \($0) Interim\r\n\r\n" }.joined()
    head += "HTTP/1.1 \(status) \(ReasonPhrase.of(status))\r\n"
    for (name, value) in fields { head += "\(name): \(value)\r\n" }
    var pieces: [[UInt8]]
    switch framing {
    case .length:
      head += "content-length: \(body.count)\r\n\r\n"
      pieces = [body]
    case .untilClose:
      head += "\r\n"
      pieces = [body]
    case .chunks(let sizes):
      head += "transfer-encoding: chunked\r\n\r\n"
      pieces = chunks(body, sizes)
    }
    if let limit = breakAfter { pieces = cut(pieces, limit) }
    var steps: [Step] = waitMilliseconds > 0 ? [.wait(waitMilliseconds)] : []
    // Head and first body bytes in one write, as servers do.
    pieces = [Array(head.utf8) + (pieces.first ?? [])] + pieces.dropFirst()
    for (index, piece) in pieces.enumerated() {
      if index > 0, waitMilliseconds > 0 { steps.append(.wait(waitMilliseconds)) }
      steps.append(.bytes(piece))
    }
    if case .untilClose = framing {
      steps.append(.close)
    } else if breakAfter != nil {
      steps.append(.close)
    }
    return .steps(steps)
  }

  /// An answer with its body coded by gzip.
  public static func gzip(
    status: Int = 200, contentType: String = "application/json", body: [UInt8]
  ) -> Reply {
    answer(
      status: status, fields: [("content-type", contentType), ("content-encoding", "gzip")],
      body: StoredGzip.encode(body))
  }

  private static func chunks(_ body: [UInt8], _ sizes: [Int]) -> [[UInt8]] {
    var rest = body[...]
    var pieces: [[UInt8]] = []
    for size in sizes + [body.count] where size > 0 && !rest.isEmpty {
      let payload = rest.prefix(size)
      rest = rest.dropFirst(size)
      pieces.append(Array("\(String(payload.count, radix: 16))\r\n".utf8) + payload + [13, 10])
    }
    return pieces + [Array("0\r\n\r\n".utf8)]
  }

  private static func cut(_ pieces: [[UInt8]], _ limit: Int) -> [[UInt8]] {
    var left = max(limit, 0)
    return pieces.compactMap { piece in
      let kept = piece.prefix(left)
      left -= kept.count
      return kept.isEmpty ? nil : Array(kept)
    }
  }
}

/// Decides about each request. Called on the connection's event loop: it must not block.
public typealias Script = @Sendable (RecordedRequest) -> Reply

/// Gzip without compression (RFC 1952 around stored blocks of RFC 1951): a coding to be decoded,
/// without a dependency to make it.
public enum StoredGzip {
  /// The bytes as a gzip member.
  public static func encode(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]
    var rest = bytes[...]
    repeat {
      let block = rest.prefix(65_535)
      rest = rest.dropFirst(block.count)
      let length = UInt16(block.count)
      out.append(rest.isEmpty ? 1 : 0)
      for word in [length, ~length] { out += [UInt8(word & 0xFF), UInt8(word >> 8)] }
      out += block
    } while !rest.isEmpty
    for word in [checksum(bytes), UInt32(truncatingIfNeeded: bytes.count)] {
      for shift in [0, 8, 16, 24] as [UInt32] { out.append(UInt8(word >> shift & 0xFF)) }
    }
    return out
  }

  /// CRC-32 as in ISO 3309.
  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
  }
}
