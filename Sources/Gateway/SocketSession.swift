// A WebSocket under way: frames pass both ways as they came, and every response that the upstream
// makes is a call of its own in the ledger.
//
// One reservation always stands ready for the next response, at the most that the model can cost. A
// response that begins takes it; one that ends settles it by the usage that it says, and the next
// is reserved before the message's last byte reaches the caller. Where there is no money for a next
// one, the session is told why and closed: so that settled and reserved money never pass the cap,
// however long a session lasts. Only a response that the upstream begins beside another while there
// is no money for it is a debt: it cannot be kept from beginning.

import Metering
import NIOCore
import Providers
import Wire

/// One WebSocket, from the upstream's 101 to its end. Confined to one event loop.
final class SocketSession: Draining {
  /// A reservation that waits for a response, or pays for one under way.
  final class Held {
    var reservation: Reservation?
    let amount: Money
    /// When its response began, or it was reserved.
    var since: NIODeadline

    init(_ reservation: consuming Reservation, since: NIODeadline) {
      amount = reservation.amount
      self.reservation = consume reservation
      self.since = since
    }
  }

  private let context: LoopContext
  private let plan: RequestPlan
  private let estimate: CallEstimate
  private let app: Int
  private var caller: CallerHandler?
  private var upstream: UpstreamHandler?
  private var frames = WebSocketReader()
  private let reader = RealtimeReader()
  /// For the next response.
  private var spare: Held?
  /// For responses under way, the oldest first.
  private var open: [Held] = []
  /// Usage of speech that was transcribed since the last response was settled.
  private var transcribed: [ModelUsage] = []
  private var lastBytesAt: NIODeadline
  /// When an upstream whose caller has left is given up.
  private var drainDeadline: NIODeadline?
  private var isEnded = false

  private var core: GatewayCore { context.core }

  init(
    context: LoopContext, plan: RequestPlan, estimate: CallEstimate, app: Int, spare: Held,
    caller: CallerHandler, upstream: UpstreamHandler, now: NIODeadline
  ) {
    self.context = context
    self.plan = plan
    self.estimate = estimate
    self.app = app
    self.spare = spare
    self.caller = caller
    self.upstream = upstream
    lastBytesAt = now
  }

  // MARK: Bytes

  /// The caller's frames: its own business, and the upstream's.
  func callerRead(_ bytes: ByteBuffer) {
    lastBytesAt = .now()
    upstream?.send(bytes, rest: [])
  }

  func upstreamRead(_ bytes: ByteBuffer) {
    guard !isEnded else { return }
    lastBytesAt = .now()
    let stepsBefore = ledgerSteps
    let (count, stop) = read(bytes)
    // What the response cost is in the journal before its last byte is with the caller.
    var denial: Denial?
    if case .refused(let reason)? = stop { denial = reason }
    if ledgerSteps != stepsBefore, !core.desk.flush(), core.desk.needsJournal(app: app) {
      denial = denial ?? .journalUnavailable
    }
    relay(bytes.getSlice(at: bytes.readerIndex, length: count))
    if let denial { return refuse(denial) }
    if case .malformed? = stop { return lose() }
    if caller == nil, open.isEmpty { end(.clientGone) }
  }

  /// Why reading stops.
  private enum Stop {
    case refused(Denial)
    case malformed
  }

  /// Reads frames and acts on their messages.
  /// - Returns: how many bytes are good to go on, and why no more are.
  private func read(_ bytes: ByteBuffer) -> (count: Int, stop: Stop?) {
    bytes.withUnsafeReadableBytes { raw in
      var offset = 0
      // Where the last whole frame ended.
      var whole = 0
      do throws(WebSocketFault) {
        while true {
          switch try frames.next(raw, offset: &offset) {
          case .payload(let range, .text):
            reader.feed(UnsafeRawBufferPointer(rebasing: raw[range]))
          case .payload: break
          case .frameEnd(let kind, let endsMessage):
            whole = offset
            guard kind == .text, endsMessage, let event = reader.endMessage() else { continue }
            if let denial = take(event) { return (whole, .refused(denial)) }
          case .needsMore: return (raw.count, nil)
          }
        }
      } catch { return (whole, .malformed) }
    }
  }

  private func relay(_ bytes: ByteBuffer?) {
    guard let caller, let bytes, bytes.readableBytes > 0 else { return }
    if !caller.write(bytes) { upstream?.hold(true) }
  }

  // MARK: Responses

  /// Appended ledger events, for a look at whether there were any.
  private var ledgerSteps = 0

  /// - Returns: why the session cannot go on.
  private func take(_ event: RealtimeEvent) -> Denial? {
    switch event {
    case .responseBegan:
      // One beside another, as a session may make them, needs a reservation of its own.
      let denial = spare == nil ? reserveNext() : nil
      if let held = spare.take() ?? owed() {
        held.since = .now()
        open.append(held)
      }
      return denial
    case .responseEnded(let reading):
      if open.isEmpty, let held = spare.take() ?? owed() { open.append(held) }
      guard !open.isEmpty else { return nil }
      settle(open.removeFirst(), reading, .completed)
      return spare == nil ? reserveNext() : nil
    case .transcribed(let reading):
      guard let usage = reading.usage else { return nil }
      let model = reading.responseModel.isEmpty ? estimate.model : reading.responseModel
      transcribed.append(ModelUsage(model: model, usage: usage))
      // A response under way takes it along. With none, a session that only listens would spend
      // what nothing holds it back from.
      guard open.isEmpty, let held = spare.take() else { return nil }
      var only = CallReading()
      only.usage = Usage(source: .reported)
      settle(held, only, .completed)
      return reserveNext()
    }
  }

  /// Reserves for the next response; nobody is left to have one where the caller is gone.
  private func reserveNext() -> Denial? {
    guard caller != nil else { return nil }
    let (request, now) = (request(), core.clock())
    if let denial = core.keys.denial(ofKey: plan.key) {
      _ = core.desk.refuse(denial, request, at: now)
      return denial
    }
    switch core.desk.admit(request, at: now, clock: now) {
    case .admitted(let reservation):
      spare = Held(reservation, since: .now())
      return nil
    case .denied(let denial, _): return denial
    case .tooLarge: preconditionFailure("a response's bound cannot be made smaller")
    }
  }

  /// A response has begun that nothing is reserved for: it is a call like any other, and what it
  /// costs over a cap is a debt.
  private func owed() -> Held? {
    guard let reservation = core.desk.owe(request(), at: core.clock()) else { return nil }
    return Held(reservation, since: .now())
  }

  private func request() -> AdmissionRequest {
    ledgerSteps += 1
    var request = AdmissionRequest(
      app: app, plan: plan, estimate: estimate, bound: estimate.bound, core: core)
    request.isStream = true
    return request
  }

  private func settle(_ held: Held, _ reading: CallReading, _ ending: CallEnding) {
    guard let reservation = held.reservation.take() else { return }
    ledgerSteps += 1
    var reading = reading
    reading.otherModels += transcribed
    transcribed = []
    let at = core.clock()
    let settlement = Settlement(
      .reportedElseEstimate, reading: reading, estimate: estimate, reserved: held.amount,
      endpoint: plan.endpoint, prices: core.upstreams[plan.upstream].prices, at: at)
    close(reservation, held, settlement, reading, ending, at)
  }

  private func close(
    _ reservation: consuming Reservation, _ held: Held, _ settlement: Settlement,
    _ reading: CallReading, _ ending: CallEnding, _ at: Timestamp
  ) {
    let outcome = settlement.outcome(
      of: reading, status: 101, ending: ending,
      durationMilliseconds: (NIODeadline.now() - held.since).nanoseconds / 1_000_000)
    core.desk.settle(
      reservation, upstream: plan.upstream,
      bill: AdmissionDesk.Bill(
        app: app, charge: settlement.charge, reserved: held.amount, outcome: outcome),
      isReleased: settlement.isReleased, at: at)
  }

  // MARK: Ends

  func callerWritabilityChanged(_ isWritable: Bool) { upstream?.hold(!isWritable) }

  func upstreamWritabilityChanged(_ isWritable: Bool) { caller?.holdSocket(!isWritable) }

  /// The caller is gone. A response under way is cancelled, and read on for what it cost.
  func callerLeft(now: NIODeadline) {
    caller = nil
    guard !isEnded else { return }
    guard !open.isEmpty, let upstream else { return end(.clientGone) }
    drainDeadline = now + .seconds(core.configuration.drainSeconds)
    context.addDraining(self)
    upstream.hold(false)
    if plan.operation == .realtime { upstream.send(Self.cancel, rest: []) }
  }

  private static let cancel = ByteBuffer(
    bytes: WebSocketFrame.maskedText(Array(#"{"type":"response.cancel"}"#.utf8)))

  func upstreamClosed() {
    upstream = nil
    guard !isEnded else { return }
    end(open.isEmpty ? .completed : .upstreamError)
  }

  /// The upstream's bytes are no frames: nothing after them can be trusted.
  private func lose() {
    core.logger.warning(
      "an upstream's WebSocket frames are not valid",
      metadata: ["upstream": "\(core.upstreams[plan.upstream].name)"])
    end(.upstreamError)
  }

  /// No next response may begin: the caller is told, in the protocol's own words.
  private func refuse(_ denial: Denial) {
    say(denial, withMessage: true)
    end(.completed)
  }

  /// The app was isolated: a response under way is charged what is held for it, since nothing tells
  /// how much of it has come.
  func isolate(app: Int, _ denial: Denial) {
    guard self.app == app, !isEnded else { return }
    if frames.isBetweenFrames { say(denial, withMessage: frames.isBetweenMessages) }
    end(.isolated)
  }

  private func say(_ denial: Denial, withMessage: Bool) {
    var farewell = ByteBuffer()
    if withMessage { farewell.writeBytes(message(denial)) }
    farewell.writeBytes(WebSocketFrame.close(code: 1008, reason: denial.code))
    _ = caller?.write(farewell)
  }

  private func message(_ denial: Denial) -> [UInt8] {
    let refusal = Refusal.render(denial, dialect: plan.dialect, requestID: "leeway-session")
    return WebSocketFrame.text(Array(#"{"type":"error","#.utf8) + refusal.body.dropFirst())
  }

  func tick(now: NIODeadline) {
    if let drainDeadline {
      if drainDeadline <= now { end(.clientGone) }
    } else if open.isEmpty, frames.isBetweenFrames, core.keys.denial(ofKey: plan.key) != nil {
      // Nothing more is to begin, not even what is reserved.
      if let denial = reserveNext() { refuse(denial) }
    } else if now - lastBytesAt > .seconds(core.configuration.silenceTimeoutSeconds) {
      goAway(.timeout)
    }
  }

  /// The gateway's grace is over.
  func stop() { goAway(.shutdown) }

  private func goAway(_ ending: CallEnding) {
    guard !isEnded else { return }
    if frames.isBetweenFrames {
      let frame = WebSocketFrame.close(code: 1001, reason: ending.name)
      _ = caller?.write(ByteBuffer(bytes: frame))
    }
    end(ending)
  }

  /// The one end: what is open is charged, the spare given back, both connections closed.
  private func end(_ ending: CallEnding) {
    guard !isEnded else { return }
    isEnded = true
    for held in open { settle(held, CallReading(), ending) }
    open = []
    if let held = spare.take(), let reservation = held.reservation.take() {
      ledgerSteps += 1
      var reading = CallReading()
      // Speech may have been transcribed that no response came after.
      if !transcribed.isEmpty { reading.usage = Usage(source: .reported) }
      reading.otherModels = transcribed
      let at = core.clock()
      let settlement = Settlement(
        .reportedElseNothing, reading: reading, estimate: estimate, reserved: held.amount,
        endpoint: plan.endpoint, prices: core.upstreams[plan.upstream].prices, at: at)
      close(reservation, held, settlement, reading, ending, at)
    }
    core.desk.flush()
    context.removeDraining(self)
    if let upstream {
      self.upstream = nil
      upstream.send(ByteBuffer(bytes: WebSocketFrame.maskedClose(code: 1000)), rest: [])
      upstream.close()
    }
    let caller = caller
    self.caller = nil
    caller?.socketEnded()
  }
}
