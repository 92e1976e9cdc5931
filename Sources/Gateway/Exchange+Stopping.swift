// A call that the gateway itself ends: its time is up, its app is isolated, its bound is passed.

import Metering
import NIOCore
import Providers

extension Exchange {
  func tick(now: NIODeadline) {
    guard let deadline, deadline <= now else { return }
    obey(call.timedOut())
  }

  /// The gateway's grace is over.
  func stop() { obey(call.stopped()) }

  func obey(_ action: Call.TimeoutAction) {
    switch action {
    case .ignore: deadline = nil
    case .refuse(let denial): refuse(denial)
    case .end(let ending): end(ending)
    }
  }

  /// Its app was isolated: it ends now, wherever it stands.
  func isolate(app: Int, _ denial: Denial) {
    guard plan.app == app else { return }
    obey(call.stopped(as: .isolated, denial))
  }

  /// What tells that the stream goes beyond what is held for it.
  func outputWatch() -> OutputWatch? {
    guard estimate.isStream else { return nil }
    return OutputWatch(
      estimate, operation: plan.operation, reserved: most,
      prices: core.upstreams[plan.upstream].prices, requestBytes: body.readableBytes,
      at: startedAt)
  }

  func goesBeyondItsBound(by progress: AnswerPipe.Progress) -> Bool {
    guard watch != nil, let pipe, pipe.isStream else { return false }
    return watch?.isPassed(
      after: progress.bodyBytes, isBetweenEvents: pipe.isBetweenEvents
    ) { pipe.reading } == true
  }

  /// Ends the answer that the caller is getting: with a last event where one may follow.
  func sayLast(_ denial: Denial, to caller: CallerHandler) {
    guard let operation = plan.operation, let pipe else { return cut(caller) }
    let event = Refusal.lastEvent(
      denial, of: operation, requestID: LocalAnswer.requestID(callID))
    guard pipe.end(with: event, into: &outbox) else { return cut(caller) }
    _ = write(to: caller)
    caller.exchangeEnded(keepsAlive: false)
  }

  func cut(_ caller: CallerHandler) {
    if outbox.readableBytes > 0 { _ = write(to: caller) }
    caller.cut()
  }
}
