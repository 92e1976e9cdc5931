// One connection to an upstream, on the event loop of the caller that it serves.
//
// It knows bytes and back-pressure only; what the bytes mean is the exchange's business.

import NIOCore
import NIOTLS

/// The channel handler of an upstream connection.
final class UpstreamHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// The call that the connection serves; nil while it idles.
  var exchange: Exchange?
  /// The WebSocket that the connection has become.
  var socket: SocketSession?
  /// The connection has carried a whole call before.
  var hasServed = false
  /// When it was given back last.
  var idleSince = NIODeadline.uptimeNanoseconds(0)

  private let pool: UpstreamPool
  private let isTLS: Bool
  private var context: ChannelHandlerContext?
  /// Told once: true when the connection can carry a request, false when it never will.
  private var onReady: ((Bool) -> Void)?
  /// Kept here: to ask the channel takes a lock and three calls.
  private(set) var isActive = false
  private var isHeld = false

  init(pool: UpstreamPool, isTLS: Bool, onReady: @escaping (Bool) -> Void) {
    self.pool = pool
    self.isTLS = isTLS
    self.onReady = onReady
  }

  /// Writes a request: what is joined in one write, then the rest of a large body.
  func send(_ joined: ByteBuffer, rest: [ByteBuffer]) {
    guard let context else { return }
    if rest.isEmpty { return context.writeAndFlush(wrapOutboundOut(joined), promise: nil) }
    context.write(wrapOutboundOut(joined), promise: nil)
    for part in rest { context.write(wrapOutboundOut(part), promise: nil) }
    context.flush()
  }

  /// Stops or resumes reading: the caller takes the answer as fast as it can, and no faster.
  func hold(_ isHeld: Bool) {
    guard isHeld != self.isHeld else { return }
    self.isHeld = isHeld
    context?.channel.setReading(!isHeld)
  }

  func close() {
    exchange = nil
    socket = nil
    isActive = false
    context?.close(promise: nil)
  }

  // MARK: Channel events

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
  }

  func channelActive(context: ChannelHandlerContext) {
    isActive = true
    if !isTLS { becomeReady() }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .handshakeCompleted = event as? TLSUserEvent {
      becomeReady()
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard let exchange else {
      if let socket { return socket.upstreamRead(unwrapInboundIn(data)) }
      // Bytes that nobody asked for: the next answer on this connection could not be trusted.
      context.close(promise: nil)
      return
    }
    exchange.upstreamRead(unwrapInboundIn(data))
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    exchange?.upstreamReadCompleted()
  }

  func channelInactive(context: ChannelHandlerContext) {
    isActive = false
    pool.forget(self)
    if let onReady {
      self.onReady = nil
      onReady(false)
    }
    let exchange = exchange
    self.exchange = nil
    exchange?.upstreamClosed()
    let socket = socket
    self.socket = nil
    socket?.upstreamClosed()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    socket?.upstreamWritabilityChanged(context.channel.isWritable)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // The reason is of no use to the caller; `channelInactive` follows and ends the call.
    context.close(promise: nil)
  }

  private func becomeReady() {
    guard let onReady else { return }
    self.onReady = nil
    onReady(true)
  }
}

extension Channel {
  /// Lets the channel read on, or leaves what comes in the kernel. Called on the channel's loop.
  ///
  /// The channel reads by itself, and is told only at the rare moments when it must not: a handler
  /// that is asked before every read would cost every call.
  func setReading(_ isReading: Bool) {
    // Every channel of ours has the option; one that is closing may refuse it, and reads no more.
    try? syncOptions?.setOption(.autoRead, value: isReading)
  }
}
