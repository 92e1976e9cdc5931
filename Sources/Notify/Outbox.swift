// Delivers what the store's outbox holds.
//
// An alert is raised by writing it to the store; everything after that is this service. It claims
// what is due under a lease, attempts, and records. A process that dies between claiming and
// sending loses nothing: the lease runs out and the delivery is claimed again.

import Dispatch
import Logging
import Metering
import ServiceLifecycle
import Store
import Synchronization

/// How the outbox works; every default is fit for production.
public struct OutboxSettings: Sendable {
  /// How long an attempt may take before another claimer may try. Longer than any notifier's
  /// timeout, since an attempt that outlives its lease may be made twice.
  public var leaseSeconds: Int
  /// Attempts at a time.
  public var concurrencyMax: Int
  /// How often the store is asked, for alerts that another process raises.
  public var pollSeconds: Double

  public init(leaseSeconds: Int = 60, concurrencyMax: Int = 8, pollSeconds: Double = 1) {
    self.leaseSeconds = leaseSeconds
    self.concurrencyMax = concurrencyMax
    self.pollSeconds = pollSeconds
  }
}

/// The outbox service: one per process that delivers.
public final class Outbox: Service {
  private let store: StoreDatabase
  private let notifiers: [String: any Notifier]
  private let settings: OutboxSettings
  private let now: @Sendable () -> Timestamp
  private let logger: Logger

  /// The store's calls block, so they have a thread of their own.
  private let storeQueue = DispatchQueue(label: "leeway.outbox.store")
  private let wakeUps = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
  /// Outcomes that the store did not take yet, by delivery. What was sent is not sent again.
  private let unrecorded = Mutex<[Int64: Unrecorded]>([:])

  private struct Unrecorded: Sendable {
    var attempt: Int
    var outcome: DeliveryOutcome
  }

  /// - Parameters:
  ///   - notifiers: by the channel that they serve.
  ///   - now: the wall clock.
  public init(
    store: StoreDatabase, notifiers: [Channel: any Notifier],
    settings: OutboxSettings = OutboxSettings(), now: @escaping @Sendable () -> Timestamp,
    logger: Logger
  ) {
    self.store = store
    self.notifiers = Dictionary(uniqueKeysWithValues: notifiers.map { ($0.key.rawValue, $0.value) })
    self.settings = settings
    self.now = now
    self.logger = logger
  }

  /// Looks at the store at once: an alert was just raised in this process.
  public func wake() { wakeUps.continuation.yield() }

  /// Delivers until the service group shuts down; attempts under way are finished first, so that
  /// what was sent is also recorded.
  public func run() async throws {
    let continuation = wakeUps.continuation
    let pollSeconds = settings.pollSeconds
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        while !Task.isCancelled {
          continuation.yield()
          try? await Task.sleep(for: .seconds(pollSeconds))
        }
      }
      await withGracefulShutdownHandler {
        for await _ in wakeUps.stream {
          if Task.isShuttingDownGracefully || Task.isCancelled { break }
          while await deliverDue() > 0, !Task.isShuttingDownGracefully, !Task.isCancelled {}
        }
      } onGracefulShutdown: {
        continuation.finish()
      }
      group.cancelAll()
    }
    await recordLeft()
  }

  /// One round: claims what is due and attempts it. Returns how many attempts were made; 0 where
  /// nothing is due or the store cannot be used now.
  @discardableResult
  public func deliverDue() async -> Int {
    await recordLeft()
    let claimed = await claim()
    guard !claimed.isEmpty else { return 0 }
    await withTaskGroup(of: Void.self) { group in
      for delivery in claimed { group.addTask { await self.attempt(delivery) } }
    }
    return claimed.count
  }

  private func claim() async -> [ClaimedDelivery] {
    let (moment, settings) = (now(), settings)
    do {
      return try await onStore { store throws(StoreFault) in
        // Asked first, because a claim is a write and this runs every second.
        guard let next = try store.nextDeliveryAt(), next <= moment else { return [] }
        return try store.claimDeliveries(
          now: moment, leaseSeconds: settings.leaseSeconds, limit: settings.concurrencyMax)
      }
    } catch {
      logger.error("outbox cannot read the store", metadata: ["error": "\(error)"])
      return []
    }
  }

  private func attempt(_ claimed: ClaimedDelivery) async {
    let delivery = claimed.delivery
    let earlier = unrecorded.withLock { $0[delivery.id] }
    if let earlier, case .delivered = earlier.outcome {
      // It was sent; only its record is missing. The new claim is recorded in its place.
      return await record(delivery, .delivered)
    }
    let place = Channel.redacted(channel: delivery.channel, address: delivery.address)
    do {
      try await send(claimed)
      logger.info(
        "alert delivered",
        metadata: [
          "alert": "\(claimed.alert.key)", "channel": "\(delivery.channel)", "to": "\(place)",
          "attempt": "\(delivery.attempts)",
        ])
      await record(delivery, .delivered)
    } catch {
      let outcome = RetryRule.outcome(of: error, claimed: claimed, at: now())
      logFailure(claimed, error, outcome, place: place)
      await record(delivery, outcome)
    }
  }

  private func send(_ claimed: ClaimedDelivery) async throws(NotifyFault) {
    let channel = claimed.delivery.channel
    guard let notifier = notifiers[channel] else {
      throw NotifyFault(
        .channelUnknown, "No way to send alerts by '\(channel)' is set up.",
        hint: "Set it up in the gateway's settings, or take the receiver out of the app's policy.",
        isRetryable: true)
    }
    try await notifier.send(claimed.alert, to: claimed.delivery.address)
  }

  private func record(_ delivery: DeliveryRow, _ outcome: DeliveryOutcome) async {
    let (id, attempt) = (delivery.id, delivery.attempts)
    unrecorded.withLock { $0[id] = Unrecorded(attempt: attempt, outcome: outcome) }
    do {
      _ = try await onStore { store throws(StoreFault) in
        try store.finishDelivery(id: id, attempt: attempt, outcome: outcome)
      }
      unrecorded.withLock { _ = $0.removeValue(forKey: id) }
    } catch {
      logger.error(
        "delivery not recorded yet",
        metadata: ["alert": "\(delivery.alertKey)", "error": "\(error)"])
    }
  }

  /// Tries again to record outcomes that the store did not take.
  private func recordLeft() async {
    for (id, left) in unrecorded.withLock({ $0 }) {
      do {
        _ = try await onStore { store throws(StoreFault) in
          try store.finishDelivery(id: id, attempt: left.attempt, outcome: left.outcome)
        }
      } catch {
        return logger.error("deliveries not recorded yet", metadata: ["error": "\(error)"])
      }
      unrecorded.withLock { _ = $0.removeValue(forKey: id) }
    }
  }

  private func logFailure(
    _ claimed: ClaimedDelivery, _ fault: NotifyFault, _ outcome: DeliveryOutcome, place: String
  ) {
    var metadata: Logger.Metadata = [
      "alert": "\(claimed.alert.key)", "channel": "\(claimed.delivery.channel)", "to": "\(place)",
      "attempt": "\(claimed.delivery.attempts)", "error": "\(fault)",
    ]
    if case .retry(let at, _) = outcome {
      metadata["next"] = "\(at.iso8601)"
      logger.warning("alert not delivered, will be tried again", metadata: metadata)
    } else {
      logger.error("alert given up", metadata: metadata)
    }
  }

  private func onStore<Value: Sendable>(
    _ body: @escaping @Sendable (StoreDatabase) throws(StoreFault) -> Value
  ) async throws(StoreFault) -> Value {
    let store = store
    let result: Result<Value, StoreFault> = await withCheckedContinuation { continuation in
      storeQueue.async {
        do throws(StoreFault) {
          continuation.resume(returning: .success(try body(store)))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
    return try result.get()
  }
}
