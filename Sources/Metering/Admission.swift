// May this call pass? Check and reserve are one operation, so that no two calls can both take the
// last dollar.

/// The bound on a call's cost, as far as it can be had.
public enum CostBound: Hashable, Sendable {
  /// At most this much.
  case atMost(Money)
  /// It cannot be bounded; the denial says why. Only an unbudgeted app may make such a call.
  case none(Denial)
}

/// What admission is asked.
public struct AdmissionRequest: Sendable {
  public var app: Int
  public var key: Int64
  public var upstream: String
  /// The model that the request names; empty on paths without one.
  public var model: String
  public var isStream: Bool
  public var bound: CostBound

  public init(
    app: Int, key: Int64, upstream: String, model: String, isStream: Bool, bound: CostBound
  ) {
    self.app = app
    self.key = key
    self.upstream = upstream
    self.model = model
    self.isStream = isStream
    self.bound = bound
  }
}

/// A budget mark that a settlement passed.
public struct BudgetCrossing: Hashable, Sendable {
  public var account: AccountID
  /// Whether calls are being refused because what is left covers no more of them; then `percent`
  /// is 100, though a strict cap leaves `settled` below it.
  public var isRefusing = false
  /// The mark, in percent of the cap.
  public var percent: Int
  public var settled: Money
  public var cap: Money
  public var resetsAtText: String
}

/// Admission over all apps' budgets. Pure: it is handed the time and returns the events to journal.
public struct Admission: Sendable {
  public enum Decision: ~Copyable, Sendable {
    case admitted(Reservation, LedgerEvent)
    case denied(Denial, LedgerEvent)
  }

  public private(set) var policies: [AppPolicy]
  /// Accounts whose exhaustion was told of. Not in the ledger: after a restart it is told anew, and
  /// the alert's own identity keeps it to once.
  private var exhausted: Set<AccountID> = []
  public private(set) var ledger: Ledger

  /// - Parameter ledger: the state folded from checkpoint and journal.
  public init(policies: [AppPolicy], ledger: Ledger) {
    self.policies = policies
    self.ledger = ledger
  }

  /// Checks every rule in order and, where all pass, reserves the bound in the same step.
  ///
  /// Order: capped → model → cost bound → budgets. On admission of a call that may cost anything,
  /// for every budget, settled + reserved (this call included) ≤ cap. One whose bound is zero is
  /// no reason to refuse: it leaves every balance as it is, even one over its cap.
  public mutating func admit(_ request: AdmissionRequest, at now: Timestamp) -> Decision {
    let policy = policies[request.app]
    if let reason = ledger.capped[policy.app] {
      return deny(.appCapped(reason: reason), request, at: now)
    }
    if !request.model.isEmpty, !policy.allows(model: request.model) {
      let denial = Denial.modelForbidden(model: request.model, allowed: policy.models ?? [])
      return deny(denial, request, at: now)
    }
    var amount = Money.zero
    switch request.bound {
    case .atMost(let most): amount = most
    case .none(let denial):
      if policy.isBudgeted { return deny(denial, request, at: now) }
    }
    var accounts: [AccountID] = []
    accounts.reserveCapacity(policy.budgets.count)
    for budget in policy.budgets {
      guard let window = budget.window(at: now) else {
        return deny(.windowUnknown(budget: budget.id), request, at: now)
      }
      let id = AccountID(app: policy.app, budget: budget.id, window: window.id)
      let account = ledger.account(id)
      let after = account.settled.adding(account.reserved)?.adding(amount)
      guard let after, amount == .zero || after <= budget.cap else {
        let refusal = BudgetRefusal(
          budget: budget.id, window: window.id, settled: account.settled,
          reserved: account.reserved, cap: budget.cap, estimate: amount, resetsAt: window.end,
          resetsAtText: window.endText)
        return deny(.budgetExhausted(refusal), request, at: now)
      }
      accounts.append(id)
    }
    let call = CallID(ledger.lastSequence + 1)
    let event = record(
      .reserved(
        .init(
          call: call, app: policy.app, key: request.key, upstream: request.upstream,
          model: request.model, isStream: request.isStream, amount: amount, accounts: accounts)),
      at: now)
    return .admitted(Reservation(call: call, amount: amount), event)
  }

  /// Charges a call and ends its reservation. Returns the event and the budget marks it passed.
  public mutating func settle(
    _ reservation: consuming Reservation, charge: Money, outcome: CallOutcome, at now: Timestamp
  ) -> (event: LedgerEvent, crossings: [BudgetCrossing]) {
    let call = reservation.close()
    let held = ledger.open[call]
    let before = held.map { $0.accounts.map { ledger.account($0).settled } } ?? []
    let event = record(.settled(.init(call: call, charge: charge, outcome: outcome)), at: now)
    return (event, crossings(accounts: held?.accounts ?? [], before: before))
  }

  /// The 100 % mark, the first time that a call is refused because of what was spent.
  ///
  /// A strict cap is never passed, so the spend itself may never reach the mark. What is refused
  /// only because open calls hold the money, or before half the cap is spent, says nothing of
  /// the budget. Nil where the app wants no such alert.
  public mutating func exhaustion(_ refusal: BudgetRefusal, app: Int) -> BudgetCrossing? {
    let policy = policies[app]
    let id = AccountID(app: policy.app, budget: refusal.budget, window: refusal.window)
    let isSpent =
      refusal.settled.addingClamped(refusal.estimate) > refusal.cap
      && Int128(refusal.settled.nanodollars) * 2 >= Int128(refusal.cap.nanodollars)
    guard isSpent, refusal.settled < refusal.cap, policy.alertPercents.contains(100),
      exhausted.insert(id).inserted
    else {
      return nil
    }
    return BudgetCrossing(
      account: id, isRefusing: true, percent: 100, settled: refusal.settled, cap: refusal.cap,
      resetsAtText: refusal.resetsAtText)
  }

  /// Ends a reservation without a charge: the upstream did not do the work.
  public mutating func release(
    _ reservation: consuming Reservation, outcome: CallOutcome, at now: Timestamp
  ) -> LedgerEvent {
    record(.released(reservation.close(), outcome), at: now)
  }

  /// Records a refusal that was decided before admission could be asked.
  public mutating func refuse(
    _ denial: Denial, _ request: AdmissionRequest, at now: Timestamp
  ) -> LedgerEvent {
    let call = CallID(ledger.lastSequence + 1)
    var budget: BudgetRefusal?
    if case .budgetExhausted(let refusal) = denial { budget = refusal }
    return record(
      .refused(
        .init(
          call: call, app: policies[request.app].app, key: request.key,
          upstream: request.upstream, model: request.model, status: UInt16(denial.httpStatus),
          code: denial.code, message: denial.message, budget: budget)),
      at: now)
  }

  /// After a crash: charges every reservation that was open at its estimate. Returns the events.
  public mutating func expireOpen(at now: Timestamp) -> [LedgerEvent] {
    ledger.open.sorted { $0.key < $1.key }.map { call, reservation in
      record(.expired(call, charge: reservation.amount), at: now)
    }
  }

  /// Stops an app (`reason`) or lets it run again (nil). Nil where the order was applied before.
  public mutating func cap(
    app: String, reason: String?, order: Int64, at now: Timestamp
  ) -> LedgerEvent? {
    guard order > ledger.lastOrder else { return nil }
    return record(.capped(app: app, reason: reason, order: order), at: now)
  }

  /// Every budget mark that stands passed now: raised again at start, since a crash can come
  /// between a settlement and its alert; the alert's own identity keeps it to once.
  public func standingCrossings(at now: Timestamp) -> [BudgetCrossing] {
    policies.flatMap { policy in
      policy.budgets.flatMap { budget -> [BudgetCrossing] in
        guard let window = budget.window(at: now) else { return [] }
        let id = AccountID(app: policy.app, budget: budget.id, window: window.id)
        return passedMarks(
          policy: policy, budget: budget, window: window, id: id, before: nil)
      }
    }
  }

  private mutating func deny(
    _ denial: Denial, _ request: AdmissionRequest, at now: Timestamp
  ) -> Decision {
    .denied(denial, refuse(denial, request, at: now))
  }

  private mutating func record(_ kind: LedgerEvent.Kind, at now: Timestamp) -> LedgerEvent {
    let event = LedgerEvent(sequence: ledger.lastSequence + 1, at: now, kind: kind)
    ledger.apply(event)
    return event
  }

  private func crossings(accounts: [AccountID], before: [Money]) -> [BudgetCrossing] {
    var found: [BudgetCrossing] = []
    for (id, before) in zip(accounts, before) {
      guard
        let policy = policies.first(where: { $0.app == id.app }),
        let budget = policy.budgets.first(where: { $0.id == id.budget }),
        let window = budget.windows.first(where: { $0.id == id.window })
      else { continue }
      found += passedMarks(
        policy: policy, budget: budget, window: window, id: id, before: before)
    }
    return found
  }

  private func passedMarks(
    policy: AppPolicy, budget: Budget, window: WindowEdges, id: AccountID, before: Money?
  ) -> [BudgetCrossing] {
    let settled = ledger.account(id).settled
    return policy.alertPercents.compactMap { percent in
      // settled / cap ≥ percent / 100, without division; a cap of zero has no marks.
      let mark = Int128(budget.cap.nanodollars) * Int128(percent)
      guard mark > 0, Int128(settled.nanodollars) * 100 >= mark else { return nil }
      if let before, Int128(before.nanodollars) * 100 >= mark { return nil }
      if percent == 100, before != nil, exhausted.contains(id) { return nil }
      return BudgetCrossing(
        account: id, percent: percent, settled: settled, cap: budget.cap,
        resetsAtText: window.endText)
    }
  }
}
