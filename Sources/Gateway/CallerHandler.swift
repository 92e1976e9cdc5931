// One connection of an app: requests in, answers out, one at a time and in order.
//
// Auto-read stays on. Bytes that come while a call is under way are held in the inbox, up to the
// head bound, and reading stops only above it: suppressing every read would cost more than it
// saves.

import Metering
import NIOCore
import Wire

/// The channel handler of a caller's connection.
final class CallerHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum Phase {
    /// Between two requests; nothing of the next one has come. → head, call, closed.
    case idle
    /// Some bytes of a head have come. → call, closing, closed.
    case head
    /// The body is gathered. → call, idle, closing.
    case body
    /// A call is with admission or the upstream. → idle, closing, closed.
    case call
    /// The last answer is written; what still comes is thrown away until the caller closes, so
    /// that a reset does not take the answer from under it. → closed.
    case closing
    /// The connection has become a WebSocket. → closing, closed.
    case socket(SocketSession)
    case closed
  }

  /// Bytes of requests served that may lie in front of the inbox before it is moved up.
  private static let spentBytesMax = 64 * 1024
  /// How long a caller gets to take its last answer and close.
  private static let lingerSeconds: Int64 = 2

  private let loop: LoopContext
  private var context: ChannelHandlerContext?
  private var phase = Phase.idle
  private var inbox = ByteBuffer()
  private var progress = HeadProgress()
  private var memo = KeyMemo()
  private var exchange: Exchange?
  /// The body of the request under way; nil outside `body`.
  private var gatherer: BodyGatherer?
  // Kept here: to ask the channel takes a lock and three calls each time.
  private var isActive = false
  private var isWritable = true
  /// When the connection's own phase is over; a call has its deadline in its exchange.
  private var deadline = NIODeadline.distantFuture
  /// When a caller that does not read counts as gone.
  private var stallDeadline: NIODeadline?
  private var isReadingStopped = false
  private var isCounted = false
  private var isProcessing = false
  private var discardedBytes = 0

  private var configuration: GatewayConfiguration { loop.core.configuration }

  init(loop: LoopContext) { self.loop = loop }

  // MARK: Channel events

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelActive(context: ChannelHandlerContext) {
    isActive = true
    guard !loop.isStopping, loop.core.openConnection() else {
      return context.close(promise: nil)
    }
    isCounted = true
    loop.add(self)
    // The first head has the head's time from the connection's start, not the idle time.
    deadline = .now() + .seconds(configuration.headTimeoutSeconds)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    isActive = false
    let last = phase
    phase = .closed
    if isCounted {
      isCounted = false
      loop.remove(self)
      loop.core.closeConnection()
    }
    let exchange = exchange
    self.exchange = nil
    exchange?.callerLeft(now: .now())
    if case .socket(let session) = last { session.callerLeft(now: .now()) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    switch phase {
    case .closing:
      discardedBytes += bytes.readableBytes
      if discardedBytes > configuration.bodyBytesMax { context.close(promise: nil) }
    case .closed: break
    case .socket(let session): session.callerRead(bytes)
    case .idle, .head, .body, .call:
      // Copied, so that the channel reads into the same memory again; a request is small, and new
      // memory for each read costs more than to move it.
      if inbox.readableBytes == 0 { inbox.clear() }
      inbox.writeBuffer(&bytes)
      stopReadingIfAhead()
      if inbox.readerIndex > Self.spentBytesMax { inbox.discardReadBytes() }
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    process()
  }

  /// What a caller sends ahead of its answer is held up to a bound; the rest waits in the kernel.
  private func stopReadingIfAhead() {
    guard case .call = phase, inbox.readableBytes > configuration.headBytesMax,
      !isReadingStopped
    else { return }
    isReadingStopped = true
    context?.channel.setReading(false)
  }

  private func readOn() {
    guard isReadingStopped else { return }
    isReadingStopped = false
    context?.channel.setReading(true)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    isWritable = context.channel.isWritable
    stallDeadline = isWritable ? nil : .now() + .seconds(configuration.stallTimeoutSeconds)
    exchange?.callerWritabilityChanged(isWritable)
    if case .socket(let session) = phase { session.callerWritabilityChanged(isWritable) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? ChannelEvent, event == .outputClosed, case .closing = phase {
      deadline = .now() + .seconds(Self.lingerSeconds)
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  // MARK: Requests

  /// Serves as much of the inbox as can be served now.
  private func process() {
    guard !isProcessing else { return }
    isProcessing = true
    defer { isProcessing = false }
    while true {
      switch phase {
      case .idle, .head:
        guard readHead() else { return }
      case .body:
        guard let exchange, let step = gatherer?.take(from: &inbox) else { return }
        switch step {
        case .more: return
        case .whole(let body):
          phase = .call
          gatherer = nil
          exchange.bodyArrived(body)
          stopReadingIfAhead()
        case .refused(let denial): exchange.bodyFailed(denial)
        }
      case .call, .closing, .socket, .closed: return
      }
    }
  }

  /// Reads one head. False: there is nothing more to do for now.
  private func readHead() -> Bool {
    guard inbox.readableBytes > 0 else { return false }
    let now = NIODeadline.now()
    let parsed: RequestPlan?
    do {
      parsed = try RequestPlan.read(
        from: &inbox, progress: &progress, memo: &memo, core: loop.core)
    } catch {
      reject(error)
      return false
    }
    guard let plan = parsed else {
      if case .idle = phase {
        phase = .head
        deadline = now + .seconds(configuration.headTimeoutSeconds)
      }
      return false
    }
    deadline = .distantFuture
    let exchange = Exchange(context: loop, caller: self, plan: plan, now: now)
    self.exchange = exchange
    phase = .body
    gatherer = BodyGatherer(
      framing: plan.head.framing, bytesMax: configuration.bodyBytesMax, limits: loop.core.limits)
    let (refusal, sendsContinue) = exchange.begin(now: now)
    if let refusal {
      exchange.refuse(refusal)
      return true
    }
    makeRoom(for: plan)
    if sendsContinue, inbox.readableBytes == 0, isBodyWelcome(plan) {
      _ = write(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n"))
    }
    return true
  }

  /// Room for a body of known length at once: a large one would else be moved at every doubling.
  /// Only for a caller whose key is known; memory that nothing is written to costs nothing.
  private func makeRoom(for plan: RequestPlan) {
    guard case .length(let length) = plan.head.framing, length <= configuration.bodyBytesMax,
      length > inbox.readableBytes
    else { return }
    inbox.reserveCapacity(minimumWritableBytes: length - inbox.readableBytes)
  }

  /// A body that is known to be too long is refused in place of being asked for.
  private func isBodyWelcome(_ plan: RequestPlan) -> Bool {
    if case .length(let length) = plan.head.framing { return length <= configuration.bodyBytesMax }
    return true
  }

  /// Answers a request that is not HTTP/1.1 as it must be, and closes: nothing after it can be
  /// trusted.
  private func reject(_ fault: WireFault) {
    loop.core.metrics.record(.requestsMalformed)
    _ = write(LocalAnswer(fault: fault).bytes)
    linger()
  }

  // MARK: Answers, called by the exchange

  /// Writes bytes of an answer. False: the socket is full; wait for room.
  func write(_ bytes: ByteBuffer) -> Bool {
    guard let context, isActive else { return true }
    context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    return isWritable
  }

  /// Answers in the gateway's own words, because admission refused.
  func answer(_ denial: Denial, of exchange: Exchange) {
    let keepsAlive = canKeepAlive(exchange)
    let answer = LocalAnswer(
      denial: denial, dialect: exchange.plan.dialect, call: exchange.callID,
      lines: exchange.rateLines, keepsAlive: keepsAlive, isHead: exchange.plan.isHead)
    finish(answer, keepsAlive: keepsAlive)
  }

  /// Answers in the gateway's own words, because the upstream failed.
  func answer(_ failure: UpstreamFailure, of exchange: Exchange) {
    let keepsAlive = canKeepAlive(exchange)
    let answer = LocalAnswer(
      failure: failure, upstream: loop.core.upstreams[exchange.plan.upstream].name,
      dialect: exchange.plan.dialect, call: exchange.callID, keepsAlive: keepsAlive,
      isHead: exchange.plan.isHead)
    finish(answer, keepsAlive: keepsAlive)
  }

  private func finish(_ answer: LocalAnswer, keepsAlive: Bool) {
    _ = write(answer.bytes)
    exchangeEnded(keepsAlive: keepsAlive)
  }

  /// The connection can serve on if it wants to and the refused request's body is out of the way.
  private func canKeepAlive(_ exchange: Exchange) -> Bool {
    guard exchange.plan.keepsAlive else { return false }
    switch phase {
    case .body:
      // What has come of a refused body is skipped where it is whole; else the connection must
      // close.
      guard !exchange.plan.expectsContinue, case .whole? = gatherer?.take(from: &inbox)
      else { return false }
      return true
    case .call: return true
    case .idle, .head, .closing, .socket, .closed: return false
    }
  }

  /// The answer is written: serve the next request, or close.
  func exchangeEnded(keepsAlive: Bool) {
    exchange = nil
    gatherer = nil
    guard keepsAlive, !loop.isStopping else { return linger() }
    phase = .idle
    deadline = .now() + .seconds(configuration.idleTimeoutSeconds)
    // An idle connection does not keep what a large body took.
    if inbox.readableBytes == 0, inbox.capacity > Self.spentBytesMax { inbox = ByteBuffer() }
    readOn()
    if inbox.readableBytes > 0 { process() }
  }

  /// The answer was a WebSocket's opening: all bytes are the session's from now on.
  func becomeSocket(_ session: SocketSession) {
    exchange = nil
    gatherer = nil
    guard isActive else { return session.callerLeft(now: .now()) }
    // The upstream's first frames may have ended the session already.
    guard case .call = phase else { return }
    phase = .socket(session)
    deadline = .distantFuture
    readOn()
    let early = inbox
    inbox = ByteBuffer()
    if early.readableBytes > 0 { session.callerRead(early) }
  }

  /// Stops or resumes reading of a socket whose upstream is behind.
  func holdSocket(_ isHeld: Bool) {
    guard case .socket = phase else { return }
    context?.channel.setReading(!isHeld)
  }

  /// The session is over, its last frames written.
  func socketEnded() { if isActive { linger() } }

  /// Closes at once: half an answer must not look like a whole one.
  func cut() {
    exchange = nil
    phase = .closed
    context?.close(promise: nil)
  }

  /// Closes the write side's way: says all, waits for the caller to close, up to a bound.
  private func linger() {
    exchange = nil
    gatherer = nil
    phase = .closing
    inbox.clear()
    deadline = .now() + .seconds(configuration.stallTimeoutSeconds)
    readOn()
    context?.close(mode: .output, promise: nil)
  }

  // MARK: Clock and shutdown

  func tick(now: NIODeadline) {
    if let stallDeadline, stallDeadline <= now { return cutStalled() }
    if deadline <= now {
      switch phase {
      case .head: rejectSlowHead()
      case .idle, .body, .call, .closing, .socket, .closed: context?.close(promise: nil)
      }
      return
    }
    exchange?.tick(now: now)
    if case .socket(let session) = phase { session.tick(now: now) }
  }

  private func cutStalled() {
    stallDeadline = nil
    context?.close(promise: nil)
  }

  private func rejectSlowHead() {
    loop.core.metrics.record(.requestsMalformed)
    let answer = LocalAnswer(
      status: 408, code: "head_timeout",
      message: "The request's head did not arrive in time.", dialect: .openai)
    _ = write(answer.bytes)
    linger()
  }

  /// No more requests: an idle connection closes now.
  func beginStopping() {
    switch phase {
    case .idle: context?.close(promise: nil)
    case .head, .body, .call, .closing, .socket, .closed: break
    }
  }

  func isolate(app: Int, _ denial: Denial) {
    exchange?.isolate(app: app, denial)
    if case .socket(let session) = phase { session.isolate(app: app, denial) }
  }

  /// The grace is over.
  func stop() {
    exchange?.stop()
    if case .socket(let session) = phase { session.stop() }
    if case .closed = phase { return }
    context?.close(promise: nil)
  }
}
