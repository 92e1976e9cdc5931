// Where all event loops meet: admission behind one lock, and the journal beside it.
//
// An event is appended to the journal under the same lock that numbered it, so the file's order
// is the ledger's order; the write itself happens after the lock is let go. No I/O under the
// lock.

import Metering
import Store
import Synchronization
import Telemetry

/// Admission, its journal and the counts for the admin page.
final class AdmissionDesk: Sendable {
  /// What admission says to a call.
  enum Answer: ~Copyable, Sendable {
    /// Appended to the journal; nothing may go upstream before `flush`.
    case admitted(Reservation)
    /// The call under whose number the refusal is recorded; nil where it could not be.
    case denied(Denial, CallID?)
    /// As in `Admission.Decision`.
    case tooLarge(room: Money)
  }

  /// An ended call's charge, as the shell asked for it.
  struct Bill: Sendable {
    var app: Int
    var charge: Money
    var reserved: Money
    var outcome: CallOutcome
  }

  private struct State {
    var admission: Admission
    var counts: [AppCounts]
    /// The event up to which calls may have been charged anew: a later repricing must see them so.
    var repricedSequence: UInt64

    /// The app of an open call; nil where it is not open, or its app is not configured any more.
    func app(of call: CallID) -> Int? {
      let name = admission.ledger.reservation(of: call)?.app
      return admission.policies.firstIndex { $0.app == name }
    }
  }

  private let state: Mutex<State>
  private let journal: Journal
  private let metrics: GatewayMetrics
  private let isBudgeted: [Bool]
  private let raise: @Sendable ([BudgetCrossing]) -> Void

  /// - Parameter raise: takes budget marks that were passed; called on an event loop, so it must
  ///   hand them on and return.
  init(
    policies: [AppPolicy], ledger: Ledger, journal: Journal, metrics: GatewayMetrics,
    raise: @escaping @Sendable ([BudgetCrossing]) -> Void
  ) {
    state = Mutex(
      State(
        admission: Admission(policies: policies, ledger: ledger),
        counts: Array(repeating: AppCounts(), count: policies.count),
        repricedSequence: ledger.lastSequence))
    self.journal = journal
    self.metrics = metrics
    self.raise = raise
    isBudgeted = policies.map(\.isBudgeted)
  }

  // MARK: A call

  /// Checks and reserves in one step. A refusal is in the journal on return; what is admitted goes
  /// on after the next `flush`, or is taken back with `unwind` where that fails.
  ///
  /// - Parameter mayTighten: as in `Admission.admit`.
  func admit(
    _ request: AdmissionRequest, mayTighten: Bool = false, at now: Timestamp
  ) -> Answer {
    let isBudgeted = isBudgeted[request.app]
    // While the journal cannot be written, a budgeted call is refused before it becomes an event:
    // else a full disk would fill the memory. The journal's own thread finds out when it can.
    if isBudgeted && !journal.isWritable || journal.isFull {
      state.withLock { $0.counts[request.app].countRefusal() }
      metrics.recordRefusal(app: request.app, denial: .journalUnavailable)
      return .denied(.journalUnavailable, nil)
    }
    var exhaustion: BudgetCrossing?
    let answer = state.withLock { state -> Answer in
      switch state.admission.admit(request, mayTighten: mayTighten, at: now) {
      case .tooLarge(let room): return .tooLarge(room: room)
      case .admitted(let reservation, let event):
        journal.append(event)
        return .admitted(reservation)
      case .denied(let denial, let event):
        journal.append(event)
        state.counts[request.app].countRefusal()
        if case .budgetExhausted(let refusal) = denial {
          exhaustion = state.admission.exhaustion(refusal)
        }
        return .denied(denial, CallID(event.sequence))
      }
    }
    switch consume answer {
    case .denied(let denial, let call):
      if let exhaustion { raise([exhaustion]) }
      flush()
      metrics.recordRefusal(app: request.app, denial: denial)
      return .denied(denial, call)
    case .admitted(let reservation):
      metrics.callOpened(app: request.app)
      return .admitted(reservation)
    case .tooLarge(let room): return .tooLarge(room: room)
    }
  }

  /// What is left of an app's rates and a key's.
  func rateStanding(app: Int, key: Int64, at now: Timestamp) -> [RateStanding] {
    state.withLock { $0.admission.rateStanding(app: app, key: key, at: now) }
  }

  /// Whether a call of this app waits for a journal that can be written.
  func needsJournal(app: Int) -> Bool { isBudgeted[app] }

  /// Takes back a reservation that could not be journaled.
  func unwind(_ reservation: consuming Reservation, app: Int, at now: Timestamp) {
    let outcome = CallOutcome(
      status: UInt16(Denial.journalUnavailable.httpStatus), ending: .upstreamUnreachable,
      usage: .unknown, responseModel: "", durationMilliseconds: 0, firstByteMilliseconds: -1)
    var held = Optional(consume reservation)
    state.withLock { state in
      guard let reservation = held.take() else { return }
      journal.append(state.admission.release(reservation, outcome: outcome, at: now))
      state.counts[app].countRefusal()
    }
    metrics.callClosed(app: app)
    metrics.recordRefusal(app: app, denial: .journalUnavailable)
  }

  /// Records a refusal that was decided before admission could be asked.
  func refuse(_ denial: Denial, _ request: AdmissionRequest, at now: Timestamp) -> CallID? {
    metrics.recordRefusal(app: request.app, denial: denial)
    let isRecorded = journal.isWritable
    let call = state.withLock { state -> CallID? in
      state.counts[request.app].countRefusal()
      guard isRecorded else { return nil }
      let event = state.admission.refuse(denial, request, at: now)
      journal.append(event)
      return CallID(event.sequence)
    }
    flush()
    return call
  }

  /// Ends a call: charges it or, where `isReleased`, releases it. The caller's last byte follows
  /// the next `flush`.
  func settle(
    _ reservation: consuming Reservation, upstream: Int, bill: Bill, isReleased: Bool,
    at now: Timestamp
  ) {
    var held = Optional(consume reservation)
    let crossings = state.withLock { state -> [BudgetCrossing] in
      guard let reservation = held.take() else { return [] }
      state.counts[bill.app].count(bill)
      if isReleased {
        journal.append(state.admission.release(reservation, outcome: bill.outcome, at: now))
        return []
      }
      let (event, crossings) = state.admission.settle(
        reservation, charge: bill.charge, outcome: bill.outcome, at: now)
      journal.append(event)
      return crossings
    }
    metrics.callClosed(app: bill.app)
    metrics.recordCall(
      app: bill.app, upstream: upstream, outcome: bill.outcome, charge: bill.charge,
      reserved: bill.reserved)
    if !crossings.isEmpty { raise(crossings) }
  }

  // MARK: Work that goes on

  /// Hands an open call over to whoever follows its job. The caller's last byte follows the next
  /// `flush`.
  func follow(_ reservation: consuming Reservation, job: FollowedJob, at now: Timestamp) {
    var held = Optional(consume reservation)
    state.withLock { state in
      guard let reservation = held.take() else { return }
      journal.append(state.admission.follow(reservation, job: job, at: now))
    }
  }

  /// Ends a followed call, once.
  ///
  /// - Parameters:
  ///   - upstream: nil where it is not configured any more.
  ///   - bill: its `app` is not looked at: the call's own is found.
  func settle(
    followed call: CallID, upstream: Int?, bill: Bill, isReleased: Bool, at now: Timestamp
  ) {
    var bill = bill
    let ended = state.withLock { state -> (app: Int?, crossings: [BudgetCrossing])? in
      let app = state.app(of: call)
      var crossings: [BudgetCrossing] = []
      if isReleased {
        let event = state.admission.release(followed: call, outcome: bill.outcome, at: now)
        guard let event else { return nil }
        journal.append(event)
      } else {
        let settled = state.admission.settle(
          followed: call, charge: bill.charge, outcome: bill.outcome, at: now)
        guard let settled else { return nil }
        journal.append(settled.event)
        crossings = settled.crossings
      }
      if let app {
        bill.app = app
        state.counts[app].count(bill)
      }
      return (app, crossings)
    }
    guard let ended else { return metrics.record(.duplicateSettlements) }
    if let app = ended.app {
      metrics.callClosed(app: app)
      if let upstream {
        metrics.recordCall(
          app: app, upstream: upstream, outcome: bill.outcome, charge: bill.charge,
          reserved: bill.reserved)
      }
    }
    if !ended.crossings.isEmpty { raise(ended.crossings) }
  }

  /// What an open call holds; nil where it is not open.
  func held(for call: CallID) -> Money? {
    state.withLock { $0.admission.ledger.reservation(of: call)?.amounts.money }
  }

  /// What is followed now.
  var followed: [CallID: FollowedJob] { state.withLock { $0.admission.ledger.followed } }

  // MARK: Start and orders

  /// Charges what a crash left open and nobody follows at its estimate, and raises again every mark
  /// that stands passed.
  /// - Returns: how many reservations were open.
  /// - Throws: `GatewayFault.journalUnavailable`.
  func recover(at now: Timestamp) throws(GatewayFault) -> Int {
    let (expired, standing) = state.withLock { state in
      let events = state.admission.expireOpen(at: now)
      for event in events { journal.append(event) }
      for call in state.admission.ledger.followed.keys {
        if let app = state.app(of: call) { metrics.callOpened(app: app) }
      }
      return (events.count, state.admission.standingCrossings(at: now))
    }
    try flushOrThrow()
    if !standing.isEmpty { raise(standing) }
    return expired
  }

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

  /// Forgets windows that are long over.
  /// - Throws: `GatewayFault.journalUnavailable`; they are forgotten in memory all the same.
  func forget(at now: Timestamp) throws(GatewayFault) {
    state.withLock { state in
      if let event = state.admission.forget(at: now) { journal.append(event) }
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

  /// Writes all that was appended before. False: it is not in the file.
  @discardableResult
  func flush() -> Bool {
    do {
      try journal.flush()
      return true
    } catch {
      metrics.record(.journalWriteFailures)
      return false
    }
  }

  private func flushOrThrow() throws(GatewayFault) {
    do { try journal.flush() } catch {
      metrics.record(.journalWriteFailures)
      throw GatewayFault(
        code: .journalUnavailable, message: "The journal cannot be written.",
        hint: "Check that its disk is there, writable and not full.", isRetryable: true,
        cause: "\(error)")
    }
  }
}

extension AppCounts {
  fileprivate mutating func countRefusal() {
    calls += 1
    refusals += 1
  }

  fileprivate mutating func count(_ bill: AdmissionDesk.Bill) {
    calls += 1
    switch bill.outcome.ending {
    case .completed, .clientGone, .isolated: break
    case .upstreamError, .timeout, .shutdown, .upstreamUnreachable, .overBound: errors += 1
    }
    if bill.outcome.usage.source == .estimated { estimated += 1 }
    if bill.charge > bill.reserved, bill.reserved > .zero { debts += 1 }
  }
}
