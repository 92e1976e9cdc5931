// Reads a whole connection with NIOHTTP1's decoder, fed in the same pieces as our readers.
// The decoder is called as ByteToMessageHandler calls it, on the pipeline of one channel that
// stays: a channel for every case would cost more than both readers. A test compares the two ways.

import NIOCore
import NIOEmbedded
import NIOHTTP1
import Wire

/// One thread's way to NIO's decoders.
public final class OtherReader {
  private let requests = Receiver(takes: HTTPServerRequestPart.self) { $0.take($1) }
  private let answers = Receiver(takes: HTTPClientResponsePart.self) { $0.take($1) }

  public init() {}

  /// - Parameter cuts: in ascending order.
  /// - Parameter methods: of the requests that the answers belong to.
  public func read(
    _ side: WireSide, _ bytes: [UInt8], cuts: [Int], methods: [RequestMethod]
  ) -> OtherReading {
    switch side {
    case .request:
      return requests.read(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes), bytes, cuts)
    case .response:
      return answers.read(Self.answerDecoder(methods), bytes, cuts)
    }
  }

  private static func answerDecoder(_ methods: [RequestMethod]) -> HTTPResponseDecoder {
    let decoder = HTTPResponseDecoder(
      leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .forward)
    for method in methods { decoder.write(data: .head(heads[Int(method.rawValue)])) }
    return decoder
  }

  private static let heads = RequestMethod.allCases.map {
    HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: "\($0.name)"), uri: "/")
  }

  /// The same through a channel of its own: slow, and beyond doubt what a server does.
  public static func readThroughChannel(
    _ side: WireSide, _ bytes: [UInt8], cuts: [Int], methods: [RequestMethod]
  ) -> OtherReading {
    var reading = OtherReading()
    let channel = EmbeddedChannel()
    do {
      let pipeline = channel.pipeline.syncOperations
      if side == .request {
        try pipeline.addHandler(
          ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
      } else {
        try pipeline.addHandler(ByteToMessageHandler(answerDecoder(methods)))
      }
      var start = 0
      for cut in cuts + [bytes.count] where cut > start {
        try channel.writeInbound(ByteBuffer(bytes: bytes[start..<cut]))
        start = cut
      }
    } catch {
      reading.isRefused = true
    }
    // A decoder that stopped throws again at the end; what it gave before counts all the same.
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

/// A channel whose last handler notes what a decoder hands on.
private final class Receiver<Part: Sendable> {
  private final class Sink: ChannelInboundHandler {
    typealias InboundIn = Part
    var reading = OtherReading()
    let take: (inout OtherReading, Part) -> Void

    init(_ take: @escaping (inout OtherReading, Part) -> Void) { self.take = take }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      take(&reading, Self.unwrapInboundIn(data))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      reading.isRefused = true
    }
  }

  /// Stands where the decoder's handler would and lends its context.
  private final class Place: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
  }

  private let channel = EmbeddedChannel()
  private let context: ChannelHandlerContext
  private let sink: Sink
  private var buffer = ByteBuffer()

  init(takes: Part.Type, take: @escaping (inout OtherReading, Part) -> Void) {
    let place = Place()
    let pipeline = channel.pipeline.syncOperations
    sink = Sink(take)
    do {
      try pipeline.addHandlers([place, sink])
      context = try pipeline.context(handler: place)
    } catch {
      preconditionFailure("an embedded channel takes handlers at once: \(error)")
    }
  }

  deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }

  func read<Decoder: ByteToMessageDecoder>(
    _ decoder: Decoder, _ bytes: [UInt8], _ cuts: [Int]
  ) -> OtherReading where Decoder.InboundOut == Part {
    var decoder = decoder
    sink.reading = OtherReading()
    buffer.clear()
    decoder.decoderAdded(context: context)
    do {
      var start = 0
      for cut in cuts where cut > start {
        buffer.writeBytes(bytes[start..<cut])
        _ = try decoder.decode(context: context, buffer: &buffer)
        start = cut
      }
      if start < bytes.count {
        buffer.writeBytes(bytes[start...])
        _ = try decoder.decode(context: context, buffer: &buffer)
      }
      _ = try decoder.decodeLast(context: context, buffer: &buffer, seenEOF: true)
    } catch {
      sink.reading.isRefused = true
    }
    decoder.decoderRemoved(context: context)
    return sink.reading
  }
}

extension OtherReading {
  fileprivate mutating func take(_ part: HTTPServerRequestPart) {
    switch part {
    case .head(let head):
      var message = Message()
      message.head.append(contentsOf: head.method.rawValue.utf8)
      message.head.append(0x20)
      message.head.append(contentsOf: head.uri.utf8)
      message.head.append(0x20)
      message.add(head.version, end: 0)
      message.add(head.headers)
      messages.append(message)
    case .body(let buffer):
      messages[messages.count - 1].body.append(contentsOf: buffer.readableBytesView)
    case .end:
      messages[messages.count - 1].isComplete = true
    }
  }

  fileprivate mutating func take(_ part: HTTPClientResponsePart) {
    switch part {
    case .head(let head):
      var message = Message()
      message.add(head.version, end: 0x20)
      message.head.append(contentsOf: "\(head.status.code)".utf8)
      message.head.append(0)
      message.add(head.headers)
      // NIO forwards interim answers as heads without an end.
      message.isComplete = (100..<200).contains(head.status.code) && head.status.code != 101
      messages.append(message)
    case .body(let buffer):
      messages[messages.count - 1].body.append(contentsOf: buffer.readableBytesView)
    case .end:
      messages[messages.count - 1].isComplete = true
    }
  }
}

extension Message {
  fileprivate mutating func add(_ version: HTTPVersion, end: UInt8) {
    head.append(contentsOf: "\(version.major).\(version.minor)".utf8)
    head.append(end)
  }

  /// NIO leaves tabs at the end of a value; by RFC 9110 section 5.5 they are no part of it.
  fileprivate mutating func add(_ headers: HTTPHeaders) {
    for (name, value) in headers {
      head.append(contentsOf: name.utf8)
      head.append(0)
      head.append(contentsOf: value.utf8)
      while let last = head.last, last == 0x20 || last == 0x09 { head.removeLast() }
      head.append(0)
      fieldCount += 1
    }
  }
}
