// The outbox's rows as events of Alerting's delivery machine, which alone decides on retries.

import Alerting
import Metering
import Store

enum RetryRule {
  /// What becomes of a claimed delivery whose attempt failed.
  static func outcome(
    of fault: NotifyFault, claimed: ClaimedDelivery, at now: Timestamp
  ) -> DeliveryOutcome {
    let delivery = claimed.delivery
    // The row counts the attempt that was just made; the machine begins it itself.
    var machine = Delivery(
      raisedAt: claimed.alert.at.milliseconds, attempts: delivery.attempts - 1,
      dueAt: now.milliseconds, spread: UInt64(bitPattern: delivery.id))
    _ = machine.begin(at: now.milliseconds)
    let action = machine.finish(
      .failed(
        reason: fault.description, isPermanent: !fault.isRetryable,
        retryAfterMilliseconds: fault.retryAfterSeconds.map { Int64($0) * 1000 }),
      at: now.milliseconds)
    switch action {
    case .retry(let at, let reason): return .retry(at: Timestamp(milliseconds: at), error: reason)
    case .abandoned(let reason): return .abandoned(error: reason)
    // Neither can come of a failed attempt that was begun.
    case .delivered, .nothing: return .abandoned(error: fault.description)
    }
  }
}
