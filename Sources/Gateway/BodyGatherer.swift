// Holds a request's body until it is whole: its model may be its last key.

import Metering
import NIOCore
import Wire

/// Takes one body off a connection's inbox.
struct BodyGatherer {
  enum Step {
    case more
    case whole(ByteBuffer)
    case refused(Denial)
  }

  private let framing: BodyFraming
  private let bytesMax: Int
  private var chunks: ChunkedReader?
  private var payload = ByteBuffer()
  private var refusal: Denial?

  init(framing: BodyFraming, bytesMax: Int, limits: HeadLimits) {
    self.framing = framing
    self.bytesMax = bytesMax
    if framing == .chunked { chunks = ChunkedReader(.request, limits: limits) }
  }

  /// Takes what has come. After `refused` the connection cannot be read on.
  mutating func take(from inbox: inout ByteBuffer) -> Step {
    if let refusal { return .refused(refusal) }
    switch framing {
    case .none, .untilClose: return .whole(ByteBuffer())
    case .length(let length):
      guard length <= bytesMax else { return refuse(.bodyTooLarge(limitBytes: bytesMax)) }
      // Held in the inbox itself, and taken as a slice: no copy of a body that came whole.
      guard let body = inbox.readSlice(length: length) else { return .more }
      return .whole(body)
    case .chunked: return takeChunks(from: &inbox)
    }
  }

  private mutating func takeChunks(from inbox: inout ByteBuffer) -> Step {
    guard var reader = chunks else { return .whole(payload) }
    var used = 0
    var isWhole = false
    var fault: WireFault?
    inbox.withUnsafeReadableBytes { bytes in
      do throws(WireFault) {
        loop: while true {
          switch try reader.next(bytes, offset: &used) {
          case .payload(let range):
            payload.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[range]))
            if payload.readableBytes > bytesMax { break loop }
          case .end:
            isWhole = true
            break loop
          case .needsMore: break loop
          }
        }
      } catch { fault = error }
    }
    inbox.moveReaderIndex(forwardBy: used)
    chunks = reader
    if let fault { return refuse(.requestInvalid(message: fault.message)) }
    if payload.readableBytes > bytesMax { return refuse(.bodyTooLarge(limitBytes: bytesMax)) }
    return isWhole ? .whole(payload) : .more
  }

  private mutating func refuse(_ denial: Denial) -> Step {
    refusal = denial
    return .refused(denial)
  }
}
