// The shell around one `Call`: it holds what the machine must not (sockets, bytes, the clock) and
// does what the machine says.
//
// It outlives the caller's connection, because an answer is read on for its usage when the caller
// leaves. Confined to one event loop.

import Metering
import NIOCore
import Providers
import Wire

/// One call under way.
final class Exchange: Draining {
  let context: LoopContext
  /// Another one where the call is degraded.
  var plan: RequestPlan
  /// Wall-clock time of the request's head: the moment whose prices and windows hold for the call.
  let startedAt: Timestamp
  let started: NIODeadline

  var call: Call
  /// When the phase's time is up; nil while nothing limits it.
  var deadline: NIODeadline?
  /// The connection that waits for the answer; nil once it is gone.
  var caller: CallerHandler?
  var upstream: UpstreamHandler?

  var body = ByteBuffer()
  var estimate = CallEstimate()
  var degrading = Degrading.untried
  /// Reads the file that the cost depends on, before admission is asked.
  var inputFetch: Task<Void, Never>?
  var reservation: Reservation?
  var callID: CallID?
  var reserved = Money.zero

  var pipe: AnswerPipe?
  /// Nil where nothing bounds the stream.
  var watch: OutputWatch?
  /// The caller's bytes that are not written yet: head and first body bytes leave in one write.
  var outbox = ByteBuffer()
  /// The connection that serves has brought at least one byte of the answer.
  var hasAnswerBytes = false
  var requestSentAt: NIODeadline?
  var firstByteAt: NIODeadline?
  var sampleRate = 0.0

  /// What goes on once the journal has the call's last event.
  private enum AfterJournal {
    case nothing
    case connecting
    case farewell(Call.Farewell)
  }

  private var afterJournal = AfterJournal.nothing

  var core: GatewayCore { context.core }
  private var configuration: GatewayConfiguration { core.configuration }

  init(context: LoopContext, caller: CallerHandler, plan: RequestPlan, now: NIODeadline) {
    self.context = context
    self.caller = caller
    self.plan = plan
    started = now
    startedAt = context.core.clock()
    call = Call(
      isMetered: plan.endpoint != .unmetered,
      drainBytesMax: context.core.configuration.drainBytesMax)
  }

  // MARK: Before admission

  /// The head has been read. Nil: go on and gather the body; else the refusal to answer with.
  func begin(now: NIODeadline) -> (refusal: Denial?, sendsContinue: Bool) {
    deadline = now + .seconds(configuration.bodyTimeoutSeconds)
    switch call.headChecked(denial: plan.denial, expectsContinue: plan.expectsContinue) {
    case .refuse(let denial): return (denial, false)
    case .holdBody(let sendsContinue): return (nil, sendsContinue)
    }
  }

  /// The body broke a rule before it was whole.
  func bodyFailed(_ denial: Denial) {
    guard case .refuse(let denial) = call.bodyHeld(denial: denial) else { return }
    refuse(denial)
  }

  /// The body is whole: read it, ask admission, and go to the upstream.
  func bodyArrived(_ body: ByteBuffer) {
    self.body = body
    deadline = nil
    guard let app = plan.app else { preconditionFailure("a call without an app passed its head") }
    let unread = estimate.read(
      plan: plan, body: body, policy: core.estimatePolicies[app],
      upstream: core.upstreams[plan.upstream], at: startedAt)
    let denial = unread ?? foreignName(app: app)
    let action = call.bodyHeld(
      denial: denial, hasInput: estimate.batchInput != nil, makesJob: estimate.jobKind != nil)
    switch action {
    case .refuse(let denial): refuse(denial)
    case .askAdmission: askAdmission(app: app)
    case .fetchInput: if let input = estimate.batchInput { fetchInput(input, app: app) }
    }
  }

  func askAdmission(app: Int) {
    let request = admissionRequest(app: app)
    // The key may have been revoked while the body came in, or a batch's file was read.
    if let denial = core.keys.denial(ofKey: plan.key) {
      callID = core.desk.refuse(denial, request, at: startedAt)
      return answerAdmission(denial: denial, app: app, now: .now())
    }
    let answer = core.desk.admit(
      request, mayTighten: estimate.mayTighten || degrading.isTried,
      mayDegrade: mayDegrade(app: app), at: startedAt, clock: core.clock())
    switch consume answer {
    case .admitted(let reservation):
      callID = reservation.call
      reserved = reservation.amount
      self.reservation = consume reservation
      afterJournal = .connecting
      context.afterJournal(self)
    case .denied(let reason, let number):
      callID = number
      answerAdmission(denial: reason, app: app, now: .now())
    case .tooLarge(let room):
      if estimate.mayTighten {
        let file = core.upstreams[plan.upstream].prices.file
        estimate.tighten(to: room, plan: plan, body: body, pricedIn: file)
        estimate.fit(to: room, plan: plan, body: body, pricedIn: file)
      } else {
        degrade(app: app)
      }
      askAdmission(app: app)
    }
  }

  /// Admission's answer stands, and is in the journal.
  private func answerAdmission(denial: Denial?, app: Int, now: NIODeadline) {
    switch call.admissionAnswered(denial: denial) {
    case .refuse(let denial): caller?.answer(denial, of: self)
    case .connect:
      chooseSample(app: app)
      connect(now: now, isRetry: false)
    }
  }

  /// What the call appended is in the journal, or cannot be written.
  func journaled(_ isJournaled: Bool, now: NIODeadline) {
    let next = afterJournal
    afterJournal = .nothing
    switch next {
    case .nothing: break
    case .connecting: reserved(isJournaled: isJournaled, now: now)
    case .farewell(let farewell): say(farewell)
    }
  }

  private func reserved(isJournaled: Bool, now: NIODeadline) {
    guard let app = plan.app else { preconditionFailure("a call without an app was admitted") }
    if call.isEnded {
      // The caller left, or the gateway stopped, while the reservation was being written.
      settle(Call.Ending(ending: .clientGone, charge: .nothing, farewell: .nothing, status: 0))
    } else if !isJournaled, core.desk.needsJournal(app: app) {
      if let reservation = reservation.take() {
        core.desk.unwind(reservation, app: app, at: core.clock())
      }
      answerAdmission(denial: .journalUnavailable, app: app, now: now)
    } else {
      answerAdmission(denial: nil, app: app, now: now)
    }
  }

  private func admissionRequest(app: Int) -> AdmissionRequest {
    AdmissionRequest(
      app: app, plan: plan, estimate: estimate, bound: estimate.bound, core: core)
  }

  /// Records a refusal that admission was not asked about, and answers with it.
  func refuse(_ denial: Denial) {
    stopFetching()
    if let app = plan.app {
      callID = core.desk.refuse(denial, admissionRequest(app: app), at: startedAt)
    } else {
      core.metrics.recordRefusal(app: nil, denial: denial)
    }
    caller?.answer(denial, of: self)
  }

  private func chooseSample(app: Int) {
    guard let callID, plan.operation?.isSampled == true else { return }
    let rate = core.apps[app].sampleRate
    if SampleQueue.chooses(callID, rate: rate) { sampleRate = rate }
  }

  // MARK: To the upstream

  private func connect(now: NIODeadline, isRetry: Bool) {
    deadline = now + .seconds(configuration.connectTimeoutSeconds)
    let pool = context.pools[plan.upstream]
    // A retry never takes another old connection: they may all have been left. Nor does a call
    // that makes a job: sent again, it would make two, and one would be followed by nobody.
    if !isRetry, estimate.jobKind == nil, let handler = pool.take() {
      return connected(handler, .connectRefused)
    }
    pool.connect(now: now) { handler, failure in self.connected(handler, failure) }
  }

  private func connected(_ handler: UpstreamHandler?, _ failure: UpstreamFailure) {
    let action =
      if let handler {
        call.connected(isPooled: handler.hasServed)
      } else {
        call.connectFailed(failure)
      }
    switch action {
    case .send:
      if let handler { send(over: handler) }
    case .end(let ending): end(ending)
    case .giveBack:
      if let handler { context.pools[plan.upstream].give(handler, now: .now()) }
    }
  }

  private func send(over handler: UpstreamHandler) {
    let now = NIODeadline.now()
    upstream = handler
    handler.exchange = self
    hasAnswerBytes = false
    requestSentAt = now
    deadline = now + .seconds(configuration.answerTimeoutSeconds)
    let asked = AnswerPipe.Asked(
      isStream: estimate.isStream, hidesUsage: estimate.hidesUsage, lines: ownLines)
    pipe = AnswerPipe(
      plan: plan, asked: asked, callID: callID, sample: answerSample(), limits: core.limits,
      decodedBytesMax: configuration.decodedBytesMax)
    watch = outputWatch()
    let request = UpstreamRequest(
      plan: plan, upstream: core.upstreamLines[plan.upstream], splices: estimate.splices)
    var joined = context.takeBuffer(capacity: plan.headBytes.readableBytes + body.readableBytes)
    let rest = request.write(body: body, at: core.clock(), into: &joined)
    handler.send(joined, rest: rest)
    context.giveBuffer(joined)
  }

  private func answerSample() -> AnswerSample {
    var choice = AnswerSample.Choice.never
    if sampleRate > 0 {
      choice = .always
    } else if plan.operation?.isSampled == true, let app = plan.app,
      core.apps[app].samplesErrors
    {
      choice = .errors
    }
    return AnswerSample(choice, bytesMax: configuration.sampleBytesMax)
  }

  // MARK: From the upstream

  func upstreamRead(_ bytes: ByteBuffer) {
    guard !call.isEnded else { return }
    hasAnswerBytes = true
    if outbox.capacity == 0 { outbox = context.takeBuffer(capacity: bytes.readableBytes) }
    do throws(WireFault) {
      let progress = try pipe?.feed(bytes, into: &outbox, isAbsorbing: call.isDraining)
      if let progress { advance(progress) }
    } catch {
      core.logger.warning(
        "an upstream's answer is not valid HTTP/1.1",
        metadata: [
          "upstream": "\(core.upstreams[plan.upstream].name)", "code": "\(error.code.rawValue)",
        ])
      lose(.answerInvalid)
    }
  }

  private func advance(_ progress: AnswerPipe.Progress) {
    let now = NIODeadline.now()
    if firstByteAt == nil { firstByteAt = now }
    if !call.isDraining { deadline = now + .seconds(configuration.silenceTimeoutSeconds) }
    if let frames = progress.frames { return openSocket(frames, now: now) }
    if let status = progress.status { _ = call.answerBegan(status: status) }
    if progress.bodyBytes > 0, case .end(let ending) = call.answerBytes(progress.bodyBytes) {
      return end(ending)
    }
    if progress.isEnded {
      endAnswered()
    } else if goesBeyondItsBound(by: progress) {
      obey(call.stopped(as: .overBound, .answerOverBound))
    }
  }

  func upstreamReadCompleted() {
    guard outbox.readableBytes > 0 else { return }
    writeOutbox()
  }

  /// Hands what has gathered to the caller, and stops the upstream while the caller is behind.
  private func writeOutbox() {
    guard let caller else { return outbox.clear() }
    if !write(to: caller) { upstream?.hold(true) }
  }

  /// Hands the outbox on. False: the caller's socket is full.
  func write(to caller: CallerHandler) -> Bool {
    let bytes = outbox
    outbox = ByteBuffer()
    let hasRoom = caller.write(bytes)
    context.giveBuffer(bytes)
    return hasRoom
  }

  func upstreamClosed() {
    upstream = nil
    // An answer that ends with its connection is whole only if the pipe says so.
    if hasAnswerBytes, pipe?.closed(into: &outbox, isAbsorbing: call.isDraining) == true {
      return endAnswered()
    }
    lose(.closedEarly)
  }

  private func endAnswered() { end(call.answerEnded(saysError: pipe?.reading.sawError == true)) }

  private func lose(_ failure: UpstreamFailure) {
    let now = NIODeadline.now()
    let sinceSent = now - (requestSentAt ?? now)
    let action = call.upstreamLost(
      failure, hasAnswerBytes: hasAnswerBytes,
      sinceSentMilliseconds: sinceSent.nanoseconds / 1_000_000)
    switch action {
    case .ignore: break
    case .retry:
      detachUpstream(isReusable: false)
      connect(now: now, isRetry: true)
    case .end(let ending): end(ending)
    }
  }

  // MARK: From the caller

  /// The caller's socket has room again, or has not.
  func callerWritabilityChanged(_ isWritable: Bool) { upstream?.hold(!isWritable) }

  func callerLeft(now: NIODeadline) {
    caller = nil
    switch call.callerLeft() {
    case .forget: break
    case .stopFetching: stopFetching()
    case .end(let ending): end(ending)
    case .drain:
      outbox.clear()
      deadline = now + .seconds(configuration.drainSeconds)
      context.addDraining(self)
      upstream?.hold(false)
    }
  }

  // MARK: The end

  /// The one exit of an admitted call: settle, journal, and only then the caller's last bytes.
  /// Until the journal has the charge they wait in the outbox.
  func end(_ ending: Call.Ending) {
    deadline = nil
    settle(ending)
    detachUpstream(isReusable: pipe?.isReusable == true)
    context.removeDraining(self)
    afterJournal = .farewell(ending.farewell)
    context.afterJournal(self)
  }

  private func say(_ farewell: Call.Farewell) {
    guard let caller else { return }
    self.caller = nil
    switch farewell {
    case .lastBytes:
      _ = write(to: caller)
      caller.exchangeEnded(keepsAlive: pipe?.keepsCallerAlive == true)
    case .failure(let failure): caller.answer(failure, of: self)
    case .refusal(let denial): caller.answer(denial, of: self)
    case .lastEvent(let denial): sayLast(denial, to: caller)
    case .cut: cut(caller)
    case .nothing: break
    }
  }

  private func detachUpstream(isReusable: Bool) {
    guard let handler = upstream else { return }
    upstream = nil
    handler.exchange = nil
    if isReusable {
      context.pools[plan.upstream].give(handler, now: .now())
    } else {
      handler.close()
    }
  }
}
