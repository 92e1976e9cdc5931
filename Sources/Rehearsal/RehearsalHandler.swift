// One connection of the rehearsal upstream: reads requests with the module Wire, plays answers.
// Requests are answered one after the other; bytes of a next one wait until the answer is out.

import Foundation
import NIOCore
import Wire

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

final class RehearsalHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// What is kept of a head while its body arrives.
  private struct Pending {
    var number = 0
    var target: [UInt8] = []
    var keepAlive = true
    var isPost = false
    var method = ""
    var fields: [(name: String, value: String)] = []
  }

  private enum Phase {
    case head
    case length(Int)
    case chunked(ChunkedReader)
    case answering
    case ended
  }

  private let core: RehearsalCore
  private let connection: Int
  private let limits = HeadLimits()
  private var held = ByteBuffer()
  private var progress = HeadProgress()
  private var phase = Phase.head
  private var pending = Pending()
  private var chunkedBody: [UInt8] = []
  private var isReading = false
  private var scheduled: Scheduled<Void>?

  init(_ core: RehearsalCore, connection: Int) {
    self.core = core
    self.connection = connection
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    if held.readableBytes == 0 { held = bytes } else { held.writeBuffer(&bytes) }
    // Nobody needs more than one body and a head ahead: what floods us is cut.
    if held.readableBytes > core.configuration.bodyBytesMax + limits.headBytesMax {
      phase = .ended
      context.close(promise: nil)
      return
    }
    readOn(context)
  }

  func channelInactive(context: ChannelHandlerContext) {
    scheduled?.cancel()
    if case .answering = phase { core.noteAbandoned() }
    phase = .ended
    core.closed(context.channel)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  // MARK: Reading

  private func readOn(_ context: ChannelHandlerContext) {
    // An answer that is out at once comes back here: the loop goes on instead of the stack.
    guard !isReading else { return }
    isReading = true
    defer { isReading = false }
    do throws(WireFault) {
      while try readPart(context) {}
    } catch {
      refuse(context, error.httpStatus, error.message)
    }
  }

  /// Reads one part; false when more bytes are needed or an answer is under way.
  private func readPart(_ context: ChannelHandlerContext) throws(WireFault) -> Bool {
    switch phase {
    case .head: return try readHead(context)
    case .length(let length):
      guard held.readableBytes >= length else { return false }
      let body = held.readSlice(length: length) ?? ByteBuffer()
      phase = .answering
      body.withUnsafeReadableBytes { answer(context, body: $0) }
      return true
    case .chunked(let reader): return try readChunks(context, reader)
    case .answering, .ended: return false
    }
  }

  private func readHead(_ context: ChannelHandlerContext) throws(WireFault) -> Bool {
    guard held.readableBytes > 0 else { return false }
    var framing = BodyFraming.none
    var expectsContinue = false
    let outcome = held.withUnsafeReadableBytes { raw -> Result<Int?, WireFault> in
      do throws(WireFault) {
        guard let head = try RequestHead.parse(raw, limits: limits, progress: &progress) else {
          return .success(nil)
        }
        framing = head.framing
        expectsContinue = head.expectsContinue
        take(head, raw)
        progress.recycle(head.fields)
        return .success(head.byteCount)
      } catch {
        return .failure(error)
      }
    }
    guard let byteCount = try outcome.get() else { return false }
    held.moveReaderIndex(forwardBy: byteCount)
    if case .length(let length) = framing, length > core.configuration.bodyBytesMax {
      refuse(context, 413, "the body is longer than the rehearsal upstream takes")
      return false
    }
    if expectsContinue, !framing.isEmpty {
      let interim = ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")
      context.writeAndFlush(wrapOutboundOut(interim), promise: nil)
    }
    switch framing {
    case .length(let length): phase = .length(length)
    case .chunked:
      chunkedBody = []
      phase = .chunked(ChunkedReader(.request, limits: limits))
    case .none, .untilClose: phase = .length(0)
    }
    return true
  }

  private func take(_ head: RequestHead, _ raw: UnsafeRawBufferPointer) {
    pending.number = core.nextRequest()
    pending.target = Array(raw[head.pathAndQuery])
    pending.keepAlive = head.keepAlive
    pending.isPost = head.method == .post
    guard core.wantsRequests else { return }
    pending.method = "\(head.method.name)"
    pending.fields = head.fields.slices.map {
      (
        String(decoding: raw[$0.name], as: UTF8.self),
        String(decoding: raw[$0.value], as: UTF8.self)
      )
    }
  }

  private func readChunks(
    _ context: ChannelHandlerContext, _ reader: ChunkedReader
  ) throws(WireFault) -> Bool {
    var reader = reader
    var offset = 0
    let outcome = held.withUnsafeReadableBytes { raw -> Result<Void, WireFault> in
      do throws(WireFault) {
        while case .payload(let range) = try reader.next(raw, offset: &offset) {
          chunkedBody += raw[range]
        }
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    try outcome.get()
    held.moveReaderIndex(forwardBy: offset)
    guard chunkedBody.count <= core.configuration.bodyBytesMax else {
      refuse(context, 413, "the body is longer than the rehearsal upstream takes")
      return false
    }
    phase = .chunked(reader)
    guard reader.isEnded else { return false }
    phase = .answering
    chunkedBody.withUnsafeBytes { answer(context, body: $0) }
    return true
  }

  // MARK: Answering

  private func answer(_ context: ChannelHandlerContext, body: UnsafeRawBufferPointer) {
    var record: RecordedRequest?
    if core.wantsRequests {
      record = RecordedRequest(
        number: pending.number, connection: connection, method: pending.method,
        target: String(decoding: pending.target, as: UTF8.self), fields: pending.fields,
        body: Array(body))
    }
    let decision = core.decide(
      number: pending.number, isPost: pending.isPost, target: pending.target, body: body,
      record: record)
    let latency = core.configuration.latencyMilliseconds
    if case .follow(let steps) = decision {
      follow(context, steps[...])
    } else if latency > 0 {
      after(context, latency) { $0.carryOut($1, decision) }
    } else {
      carryOut(context, decision)
    }
  }

  private func carryOut(_ context: ChannelHandlerContext, _ decision: RehearsalCore.Decision) {
    switch decision {
    case .play(let rendered): play(context, rendered)
    case .breakOff(let rendered):
      phase = .ended
      context.write(wrapOutboundOut(rendered.half), promise: nil)
      closeAfterFlush(context)
    case .follow(let steps): follow(context, steps[...])
    }
  }

  private func play(_ context: ChannelHandlerContext, _ rendered: RenderedAnswer) {
    let configuration = core.configuration
    if rendered.events.isEmpty {
      finish(context, writing: rendered.whole)
    } else if configuration.paceMilliseconds > 0 {
      context.writeAndFlush(wrapOutboundOut(rendered.start), promise: nil)
      playEvent(context, rendered, 0)
    } else if configuration.writesEachEvent {
      for (index, event) in rendered.events.enumerated() {
        if index == 0 { context.write(wrapOutboundOut(rendered.start), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(event), promise: nil)
      }
      finish(context, writing: rendered.end)
    } else {
      finish(context, writing: rendered.whole)
    }
  }

  private func playEvent(
    _ context: ChannelHandlerContext, _ rendered: RenderedAnswer, _ index: Int
  ) {
    guard index < rendered.events.count else { return finish(context, writing: rendered.end) }
    context.writeAndFlush(wrapOutboundOut(rendered.events[index]), promise: nil)
    after(context, core.configuration.paceMilliseconds) {
      $0.playEvent($1, rendered, index + 1)
    }
  }

  private func follow(_ context: ChannelHandlerContext, _ steps: ArraySlice<Reply.Step>) {
    var rest = steps
    while let step = rest.popFirst() {
      switch step {
      case .bytes(let bytes):
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
      case .wait(let milliseconds):
        let left = rest
        after(context, milliseconds) { $0.follow($1, left) }
        return
      case .close:
        phase = .ended
        closeAfterFlush(context)
        return
      case .reset:
        phase = .ended
        reset(context)
        return
      case .never:
        return
      }
    }
    finish(context, writing: nil)
  }

  private func finish(_ context: ChannelHandlerContext, writing last: ByteBuffer?) {
    if let last { context.writeAndFlush(wrapOutboundOut(last), promise: nil) }
    guard pending.keepAlive else {
      phase = .ended
      closeAfterFlush(context)
      return
    }
    phase = .head
    readOn(context)
  }

  /// Answers what cannot be read on, and closes.
  private func refuse(_ context: ChannelHandlerContext, _ status: Int, _ message: String) {
    phase = .ended
    let answer = RehearsalCore.refusal(status, message)
    context.write(wrapOutboundOut(answer.whole), promise: nil)
    closeAfterFlush(context)
  }

  private func closeAfterFlush(_ context: ChannelHandlerContext) {
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in
      channel.close(promise: nil)
    }
  }

  /// Closes so that the peer gets a reset instead of an end.
  private func reset(_ context: ChannelHandlerContext) {
    let channel = context.channel
    guard let socket = channel as? any SocketOptionProvider else {
      channel.close(promise: nil)
      return
    }
    socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in
      channel.close(promise: nil)
    }
  }

  private func after(
    _ context: ChannelHandlerContext, _ milliseconds: Int64,
    _ act: @escaping (RehearsalHandler, ChannelHandlerContext) -> Void
  ) {
    scheduled = context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(milliseconds)) {
      [self] in
      // The task is cancelled when the connection goes, but may already have been due then.
      guard context.channel.isActive else { return }
      act(self, context)
    }
  }
}
