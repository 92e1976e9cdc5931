// A connection of the test's own, over a real socket and without an HTTP client's conveniences:
// pipelining, half a request and the moment of each byte are what these tests are about.

import NIOCore
import NIOPosix
import Wire

/// What was received, as one answer.
struct ReceivedAnswer: Equatable {
  var status: Int
  var head: String
  var body: [UInt8]
  /// False where the connection ended before the body did.
  var isComplete: Bool

  var text: String { String(decoding: body, as: UTF8.self) }
}

/// A client's side of one connection.
final class RawConnection: Sendable {
  private let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>

  private init(_ channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>) { self.channel = channel }

  /// Connects, runs the body with what writes and what receives, and closes.
  static func with<Result: Sendable>(
    port: Int,
    _ body: (NIOAsyncChannelOutboundWriter<ByteBuffer>, inout Receiver) async throws -> Result
  ) async throws -> Result {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .connectTimeout(.seconds(5))
      .connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
    return try await channel.executeThenClose { inbound, outbound in
      var receiver = Receiver(inbound)
      return try await body(outbound, &receiver)
    }
  }
}

/// Takes what the upstream sends apart into answers.
struct Receiver {
  private var iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
  private var held: [UInt8] = []
  /// How many reads it took, and when each came.
  private(set) var arrivals: [ContinuousClock.Instant] = []

  init(_ inbound: NIOAsyncChannelInboundStream<ByteBuffer>) {
    iterator = inbound.makeAsyncIterator()
  }

  /// Reads more; false when the upstream closed.
  private mutating func receive() async -> Bool {
    // A reset is an end as well: what counts is what arrived before it.
    guard let buffer = try? await iterator.next() else { return false }
    arrivals.append(.now)
    held += buffer.readableBytesView
    return true
  }

  /// Whether the upstream has closed the connection, without a byte more.
  mutating func isAtEnd() async -> Bool {
    held.isEmpty ? !(await receive()) : false
  }

  /// The next answer that is not an interim one unless asked for; nil when the upstream closed
  /// before a whole head.
  mutating func answer(
    to method: RequestMethod = .post, withInterim: Bool = false
  ) async throws -> ReceivedAnswer? {
    while true {
      let head = try held.withUnsafeBytes { raw -> (ReceivedAnswer, BodyFraming, Bool, Int)? in
        guard let head = try ResponseHead.parse(raw, method: method) else { return nil }
        let text = String(decoding: raw[..<head.byteCount], as: UTF8.self)
        let answer = ReceivedAnswer(status: head.status, head: text, body: [], isComplete: true)
        return (answer, head.framing, head.isInterim, head.byteCount)
      }
      guard let (answer, framing, isInterim, byteCount) = head else {
        guard await receive() else { return nil }
        continue
      }
      held.removeFirst(byteCount)
      if isInterim, !withInterim { continue }
      return try await body(of: answer, framing)
    }
  }

  private mutating func body(
    of answer: ReceivedAnswer, _ framing: BodyFraming
  ) async throws -> ReceivedAnswer {
    var answer = answer
    switch framing {
    case .none: break
    case .length(let length):
      while held.count < length, await receive() {}
      answer.isComplete = held.count >= length
      answer.body = Array(held.prefix(length))
      held.removeFirst(min(length, held.count))
    case .untilClose:
      while await receive() {}
      answer.body = held
      held = []
    case .chunked:
      var reader = ChunkedReader(.response)
      repeat {
        var offset = 0
        let bytes = held
        try bytes.withUnsafeBytes { raw in
          while case .payload(let range) = try reader.next(raw, offset: &offset) {
            answer.body += bytes[range]
          }
        }
        held.removeFirst(offset)
      } while !reader.isEnded ? await receive() : false
      answer.isComplete = reader.isEnded
    }
    return answer
  }
}

extension NIOAsyncChannelOutboundWriter<ByteBuffer> {
  func send(_ text: String) async throws { try await write(ByteBuffer(string: text)) }
}
