// What moves admission from outside of calls: orders, repricings, the passing of windows; and what
// is seen of it there.

import Metering
import Store

extension AdmissionDesk {
  /// Stops an app, or lets it run again where `reason` is nil. An order applied before does
  /// nothing.
  /// - Throws: `GatewayFault.journalUnavailable`; the order holds in memory all the same.
  func cap(
    app: String, reason: String?, order: Int64, at now: Timestamp
  ) throws(GatewayFault) {
    state.withLock { state in
      if let event = state.admission.cap(app: app, reason: reason, order: order, at: now) {
        journal.append(event)
      }
    }
    try flushOrThrow()
  }

  /// Stops an app at once. An order applied before does nothing.
  ///
  /// - Parameter end: ends the calls that are under way; none begins any more when it is called.
  /// - Throws: `GatewayFault.journalUnavailable`; the order holds in memory all the same.
  func isolate(
    app: String, _ isolation: Isolation, at now: Timestamp, end: () -> Void
  ) throws(GatewayFault) {
    let isInForce = state.withLock { state in
      if let event = state.admission.isolate(app: app, isolation, at: now) {
        journal.append(event)
      }
      return state.admission.ledger.isolated[app] == isolation
    }
    if isInForce { end() }
    try flushOrThrow()
  }

  /// Charges calls anew. A repricing applied before does nothing.
  /// - Throws: `GatewayFault.journalUnavailable`; it holds in memory all the same.
  func reprice(_ repricing: Repricing, at now: Timestamp) throws(GatewayFault) {
    let crossings = state.withLock { state -> [BudgetCrossing] in
      guard let (event, crossings) = state.admission.reprice(repricing, at: now) else { return [] }
      state.repricedSequence = event.sequence
      journal.append(event)
      return crossings
    }
    try flushOrThrow()
    if !crossings.isEmpty { raise(crossings) }
  }

  /// Forgets windows that are long over, a piece at a time: calls are admitted between two.
  /// - Throws: `GatewayFault.journalUnavailable`; they are forgotten in memory all the same.
  func forget(at now: Timestamp) throws(GatewayFault) {
    var forgetting = Forgetting(at: now)
    while !forgetting.isOver {
      state.withLock { state in
        if let event = state.admission.forget(pieceOf: &forgetting) { journal.append(event) }
      }
    }
    try flushOrThrow()
  }

  var lastRepricing: Int64 { state.withLock { $0.admission.ledger.lastRepricing } }
  var repricedSequence: UInt64 { state.withLock { $0.repricedSequence } }

  /// The highest order that was applied; the poller asks for those after it.
  var lastOrder: Int64 { state.withLock { $0.admission.ledger.lastOrder } }

  func snapshot(at now: Timestamp) -> GatewaySnapshot {
    let isWritable = journal.isWritable
    return state.withLock { state in
      let ledger = state.admission.ledger
      let policies = state.admission.policies
      let balances = Dictionary(
        grouping: ledger.balances(of: policies, at: now), by: \.scope.holder)
      let apps = policies.enumerated().map { index, policy in
        GatewaySnapshot.AppState(
          app: policy.app, budgets: balances[.app(policy.app)] ?? [],
          cappedReason: ledger.capped[policy.app], isolation: ledger.isolated[policy.app],
          counts: state.counts[index])
      }
      let shared = balances.filter { $0.key.kind != .app }.sorted { $0.key.text < $1.key.text }
      return GatewaySnapshot(
        at: now, apps: apps, shared: shared.flatMap(\.value), openCalls: ledger.openCount,
        isJournalWritable: isWritable)
    }
  }

  /// A copy of the ledger, for tests and for a check against the folded store.
  var ledger: Ledger { state.withLock { $0.admission.ledger } }
}
