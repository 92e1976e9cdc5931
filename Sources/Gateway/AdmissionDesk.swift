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

  struct State {
    var admission: Admission
    var counts: [AppCounts]
    /// The event up to which calls may have been charged anew: a later repricing must see them so.
    var repricedSequence: UInt64
    var owners = JobOwners()

    mutating func note(_ job: FollowedJob, of call: CallID, at places: [String: String]) {
      guard let held = admission.ledger.reservation(of: call), let place = places[job.upstream]
      else { return }
      owners.hold(job, of: call, app: held.app, at: place)
    }

    /// The app of an open call; nil where it is not open, or its app is not configured any more.
    func app(of call: CallID) -> Int? {
      let name = admission.ledger.reservation(of: call)?.app
      return admission.policies.firstIndex { $0.app == name }
    }
  }

  let state: Mutex<State>
  let journal: Journal
  private let metrics: GatewayMetrics
  private let isBudgeted: [Bool]
  /// The address of each upstream, by its name.
  let places: [String: String]
  let raise: @Sendable ([BudgetCrossing]) -> Void

  /// - Parameter raise: takes budget marks that were passed; called on an event loop, so it must
  ///   hand them on and return.
  init(
    policies: [AppPolicy], upstreams: [GatewayUpstream], ledger: Ledger, journal: Journal,
    metrics: GatewayMetrics,
    raise: @escaping @Sendable ([BudgetCrossing]) -> Void
  ) {
    var state = State(
      admission: Admission(policies: policies, ledger: ledger),
      counts: Array(repeating: AppCounts(), count: policies.count),
      repricedSequence: ledger.lastSequence)
    places = Dictionary(
      upstreams.map { ($0.name, $0.place) }, uniquingKeysWith: { first, _ in first })
    for (call, job) in ledger.followed { state.note(job, of: call, at: places) }
    self.state = Mutex(state)
    self.journal = journal
    self.metrics = metrics
    self.raise = raise
    isBudgeted = policies.map(\.isBudgeted)
  }

  // MARK: A call

  /// Checks and reserves in one step. A refusal is in the journal on return; what is admitted goes
  /// on after the next `flush`, or is taken back with `unwind` where that fails.
  ///
  /// - Parameters: as in `Admission.admit`.
  func admit(
    _ request: AdmissionRequest, mayTighten: Bool = false, mayDegrade: Bool = false,
    at now: Timestamp, clock: Timestamp
  ) -> Answer {
    guard canRecord(request) else { return .denied(.journalUnavailable, nil) }
    var exhaustion: BudgetCrossing?
    let answer = state.withLock { state -> Answer in
      let decision = state.admission.admit(
        request, mayTighten: mayTighten, mayDegrade: mayDegrade, at: now, clock: clock)
      switch consume decision {
      case .tooLarge(let room): return .tooLarge(room: room)
      case .admitted(let reservation, let event):
        journal.append(event)
        return .admitted(reservation)
      case .denied(let denial, let event):
        exhaustion = deny(denial, event, request, in: &state)
        return .denied(denial, CallID(event.sequence))
      }
    }
    switch consume answer {
    case .denied(let denial, let call):
      denied(denial, request, exhaustion)
      return .denied(denial, call)
    case .admitted(let reservation):
      metrics.callOpened(app: request.app)
      return .admitted(reservation)
    case .tooLarge(let room): return .tooLarge(room: room)
    }
  }

  /// Holds what has begun already and cannot be refused. It is appended though the journal may not
  /// be writable now: a session owes once, and ends.
  func owe(_ request: AdmissionRequest, at now: Timestamp) -> Reservation? {
    var request = request
    request.hasBegun = true
    let answer = state.withLock { state -> Answer? in
      guard case .admitted(let reservation, let event) = state.admission.admit(request, at: now)
      else { return nil }
      journal.append(event)
      return .admitted(reservation)
    }
    guard case .admitted(let reservation)? = consume answer else { return nil }
    metrics.callOpened(app: request.app)
    return reservation
  }

  /// As `Admission.refuseHopeless`; the refusal is in the journal on return.
  func refuseHopeless(
    _ request: AdmissionRequest, at now: Timestamp, clock: Timestamp
  ) -> (denial: Denial, call: CallID?)? {
    guard canRecord(request) else { return (.journalUnavailable, nil) }
    let refusal = state.withLock { state -> (Denial, CallID, BudgetCrossing?)? in
      let refusal = state.admission.refuseHopeless(request, at: now, clock: clock)
      guard let (denial, event) = refusal else { return nil }
      return (denial, CallID(event.sequence), deny(denial, event, request, in: &state))
    }
    guard let (denial, call, exhaustion) = refusal else { return nil }
    denied(denial, request, exhaustion)
    return (denial, call)
  }

  /// While the journal cannot be written, a budgeted call is refused before it becomes an event:
  /// else a full disk would fill the memory. The journal's own thread finds out when it can.
  private func canRecord(_ request: AdmissionRequest) -> Bool {
    guard isBudgeted[request.app] && !journal.isWritable || journal.isFull else { return true }
    state.withLock { $0.counts[request.app].countRefusal() }
    metrics.recordRefusal(app: request.app, denial: .journalUnavailable)
    return false
  }

  /// - Returns: the exhaustion that is to be told of.
  private func deny(
    _ denial: Denial, _ event: LedgerEvent, _ request: AdmissionRequest, in state: inout State
  ) -> BudgetCrossing? {
    journal.append(event)
    state.counts[request.app].countRefusal()
    guard let refusal = denial.budget else { return nil }
    return state.admission.exhaustion(refusal)
  }

  private func denied(
    _ denial: Denial, _ request: AdmissionRequest, _ exhaustion: BudgetCrossing?
  ) {
    if let exhaustion { raise([exhaustion]) }
    flush()
    metrics.recordRefusal(app: request.app, denial: denial)
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
  ///
  /// - Parameters:
  ///   - isUnderWay: the job has not ended yet.
  ///   - files: those that it is known to use.
  /// - Returns: the reservation, where the job is another call's: it is charged once.
  func follow(
    _ reservation: consuming Reservation, job: FollowedJob, isUnderWay: Bool, files: [String],
    at now: Timestamp
  ) -> Reservation? {
    let call = reservation.call
    var held = Optional(consume reservation)
    let isFollowed = state.withLock { state in
      let app = state.admission.ledger.reservation(of: call)?.app ?? ""
      guard !state.isKnown(job, isUnderWay: isUnderWay, to: app, at: places),
        let reservation = held.take()
      else { return false }
      state.note(job, of: call, at: places)
      state.owners.hold(files, with: call)
      journal.append(state.admission.follow(reservation, job: job, at: now))
      return true
    }
    return isFollowed ? nil : held.take()
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
      state.owners.end(call)
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

  /// What is followed now, and the app that each is charged to.
  var followed: [(call: CallID, job: FollowedJob, app: String)] {
    state.withLock { state in
      state.admission.ledger.followed.map { call, job in
        (call, job, state.admission.ledger.reservation(of: call)?.app ?? "")
      }
    }
  }

  // MARK: Start and orders

  /// As `Admission.learn`.
  func learn(app: Int, family: String, charge: Money, of most: Money) {
    state.withLock { $0.admission.learn(app: app, family: family, charge: charge, of: most) }
  }

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

  func flushOrThrow() throws(GatewayFault) {
    do { try journal.flush() } catch {
      metrics.record(.journalWriteFailures)
      throw GatewayFault(
        code: .journalUnavailable, message: "The journal cannot be written.",
        hint: "Check that its disk is there, writable and not full.", isRetryable: true,
        cause: "\(error)")
    }
  }
}
