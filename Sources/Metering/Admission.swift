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
  /// The models that its parts name besides.
  public var otherModels: [String] = []
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
    /// The bound does not fit into a budget, and is not the closest that can be had: nothing is
    /// recorded, and the same call may come again with a closer one. `room` would fit.
    case tooLarge(room: Money)
  }

  /// An app's accounts while none of its windows changes: found once, then only indexed.
  private struct Standing {
    /// Holds from `start` up to, not including, `end`; empty before the first call.
    var start = Timestamp(milliseconds: 0)
    var end = Timestamp(milliseconds: 0)
    var accounts: [AccountID] = []
    /// Where they stand in the ledger, in the same order.
    var places: [Int] = []
    /// The first budget none of whose windows holds the moment: nothing passes.
    var budgetWithoutWindow: String?
  }

  public private(set) var policies: [AppPolicy]
  private var standings: [Standing]
  /// By an account's place, the lowest spend in nanodollars at which its next mark is passed.
  private var nextMarks: [Int64] = []
  /// Accounts whose exhaustion was told of. Not in the ledger: after a restart it is told anew, and
  /// the alert's own identity keeps it to once.
  private var exhausted: Set<AccountID> = []
  public private(set) var ledger: Ledger

  /// - Parameter ledger: the state folded from checkpoint and journal.
  public init(policies: [AppPolicy], ledger: Ledger) {
    self.policies = policies
    self.ledger = ledger
    standings = Array(repeating: Standing(), count: policies.count)
  }

  /// Checks every rule in order and, where all pass, reserves the bound in the same step.
  ///
  /// Order: capped → model → cost bound → budgets. On admission of a call that may cost anything,
  /// for every budget, settled + reserved (this call included) ≤ cap. One whose bound is zero is
  /// no reason to refuse: it leaves every balance as it is, even one over its cap.
  ///
  /// - Parameter mayTighten: whether the bound can be made smaller: `tooLarge` is answered then,
  ///   where the call would else be refused for its money.
  public mutating func admit(
    _ request: AdmissionRequest, mayTighten: Bool = false, at now: Timestamp
  ) -> Decision {
    let app = request.app
    if let denial = ruleBroken(by: request) { return deny(denial, request, at: now) }
    var amount = Money.zero
    if case .atMost(let most) = request.bound { amount = most }
    if now < standings[app].start || now >= standings[app].end { stand(app, at: now) }
    if let budget = standings[app].budgetWithoutWindow {
      return deny(.windowUnknown(budget: budget), request, at: now)
    }
    if amount > .zero, let index = budgetPassed(by: amount, app: app) {
      if mayTighten { return .tooLarge(room: room(app: app)) }
      return deny(exhausted(index, amount: amount, app: app, at: now), request, at: now)
    }
    let call = CallID(ledger.lastSequence + 1)
    let event = LedgerEvent(
      sequence: call.number, at: now,
      kind: .reserved(
        .init(
          call: call, app: policies[app].app, key: request.key, upstream: request.upstream,
          model: request.model, isStream: request.isStream, amount: amount,
          accounts: standings[app].accounts)))
    ledger.apply(event, at: standings[app].places)
    return .admitted(Reservation(call: call, amount: amount), event)
  }

  /// The first rule besides the budgets that a call breaks.
  private func ruleBroken(by request: AdmissionRequest) -> Denial? {
    let app = request.app
    if !ledger.capped.isEmpty, let reason = ledger.capped[policies[app].app] {
      return .appCapped(reason: reason)
    }
    if let allowed = policies[app].models, !request.model.isEmpty {
      if !policies[app].allows(model: request.model) {
        return .modelForbidden(model: request.model, allowed: allowed)
      }
      for model in request.otherModels where !policies[app].allows(model: model) {
        return .modelForbidden(model: model, allowed: allowed)
      }
    }
    if case .none(let denial) = request.bound, policies[app].isBudgeted { return denial }
    return nil
  }

  /// The first budget that an amount does not fit into; nil: it fits into all.
  private func budgetPassed(by amount: Money, app: Int) -> Int? {
    for (index, place) in standings[app].places.enumerated() {
      let account = ledger.account(at: place)
      let after = account.settled.adding(account.reserved)?.adding(amount)
      guard let after, after <= policies[app].budgets[index].cap else { return index }
    }
    return nil
  }

  /// The most that fits into all budgets of an app that stands; zero where one is spent.
  private func room(app: Int) -> Money {
    var room = Int64.max
    for (index, place) in standings[app].places.enumerated() {
      let account = ledger.account(at: place)
      let used = account.settled.addingClamped(account.reserved)
      let left = policies[app].budgets[index].cap.nanodollars
        .subtractingReportingOverflow(used.nanodollars)
      room = min(room, left.overflow ? 0 : left.partialValue)
    }
    return Money(nanodollars: max(room, 0))
  }

  private func exhausted(
    _ index: Int, amount: Money, app: Int, at now: Timestamp
  ) -> Denial {
    let budget = policies[app].budgets[index]
    let account = ledger.account(at: standings[app].places[index])
    let window = budget.window(at: now)
    return .budgetExhausted(
      BudgetRefusal(
        budget: budget.id, window: window?.id ?? "", settled: account.settled,
        reserved: account.reserved, cap: budget.cap, estimate: amount,
        resetsAt: window?.end ?? now, resetsAtText: window?.endText ?? ""))
  }

  /// Finds an app's accounts at a moment, and how long they stay the same.
  private mutating func stand(_ app: Int, at now: Timestamp) {
    var standing = Standing(
      start: Timestamp(milliseconds: .min), end: Timestamp(milliseconds: .max))
    for budget in policies[app].budgets {
      guard let window = budget.window(at: now) else {
        // Asked again at the next call: the clock may be put right.
        standings[app] = Standing(budgetWithoutWindow: budget.id)
        return
      }
      let id = AccountID(app: policies[app].app, budget: budget.id, window: window.id)
      let place = ledger.place(of: id)
      standing.start = max(standing.start, window.start)
      standing.end = min(standing.end, window.end)
      standing.accounts.append(id)
      standing.places.append(place)
      while nextMarks.count <= place { nextMarks.append(.max) }
      nextMarks[place] = nextMark(
        of: budget, policies[app], above: ledger.account(at: place).settled)
    }
    standings[app] = standing
  }

  /// Charges a call and ends its reservation. Returns the event and the budget marks it passed.
  public mutating func settle(
    _ reservation: consuming Reservation, charge: Money, outcome: CallOutcome, at now: Timestamp
  ) -> (event: LedgerEvent, crossings: [BudgetCrossing]) {
    let call = reservation.close()
    let places = ledger.places(of: call) ?? []
    let event = record(.settled(.init(call: call, charge: charge, outcome: outcome)), at: now)
    var crossings: [BudgetCrossing] = []
    for place in places where place < nextMarks.count {
      if ledger.account(at: place).settled.nanodollars >= nextMarks[place] {
        crossings += crossed(place)
      }
    }
    return (event, crossings)
  }

  /// Charges calls that ended before anew: every account moves by its difference, those of windows
  /// that are over too. What then stands over its cap is a debt like any other.
  /// - Returns: nil where this repricing was applied before.
  public mutating func reprice(
    _ repricing: Repricing, at now: Timestamp
  ) -> (event: LedgerEvent, crossings: [BudgetCrossing])? {
    guard repricing.number > ledger.lastRepricing else { return nil }
    let before = repricing.differences.map { ledger.account($0.account).settled }
    let event = record(.repriced(repricing), at: now)
    var crossings: [BudgetCrossing] = []
    for (difference, before) in zip(repricing.differences, before) {
      crossings += moved(difference.account, from: before)
    }
    return (event, crossings)
  }

  /// The marks that an account of a window of today's passed on its way from `before`.
  mutating func moved(_ id: AccountID, from before: Money) -> [BudgetCrossing] {
    guard let (policy, budget, window) = standing(of: id) else { return [] }
    let settled = ledger.account(id).settled
    let place = ledger.place(of: id)
    if place < nextMarks.count { nextMarks[place] = nextMark(of: budget, policy, above: settled) }
    guard settled > before else { return [] }
    return Self.crossings(
      of: id, policy, budget, window, settled: settled, from: before.nanodollars + 1
    ).filter { $0.percent != 100 || !exhausted.contains(id) }
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

  /// After a crash: charges every reservation that was open at its estimate, but for those that
  /// are followed: their work goes on. Returns the events.
  public mutating func expireOpen(at now: Timestamp) -> [LedgerEvent] {
    let followed = ledger.followed
    let lost = ledger.open.filter { followed[$0.key] == nil }
    return lost.sorted { $0.key < $1.key }.map { call, reservation in
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

  private mutating func deny(
    _ denial: Denial, _ request: AdmissionRequest, at now: Timestamp
  ) -> Decision {
    .denied(denial, refuse(denial, request, at: now))
  }

  mutating func record(_ kind: LedgerEvent.Kind, at now: Timestamp) -> LedgerEvent {
    let event = LedgerEvent(sequence: ledger.lastSequence + 1, at: now, kind: kind)
    ledger.apply(event)
    return event
  }
}

// MARK: - Budget marks

extension Admission {
  /// Every budget mark that stands passed now: raised again at start, since a crash can come
  /// between a settlement and its alert; the alert's own identity keeps it to once.
  public func standingCrossings(at now: Timestamp) -> [BudgetCrossing] {
    policies.flatMap { policy in
      policy.budgets.flatMap { budget -> [BudgetCrossing] in
        guard let window = budget.window(at: now) else { return [] }
        let id = AccountID(app: policy.app, budget: budget.id, window: window.id)
        return Self.crossings(
          of: id, policy, budget, window, settled: ledger.account(id).settled, from: .min)
      }
    }
  }

  /// The marks that an account has passed since it was looked at last.
  private mutating func crossed(_ place: Int) -> [BudgetCrossing] {
    let id = ledger.name(at: place)
    guard let (policy, budget, window) = standing(of: id) else { return [] }
    let settled = ledger.account(at: place).settled
    let from = nextMarks[place]
    nextMarks[place] = nextMark(of: budget, policy, above: settled)
    return Self.crossings(of: id, policy, budget, window, settled: settled, from: from)
      .filter { $0.percent != 100 || !exhausted.contains(id) }
  }

  /// Whose account it is; nil where policy no longer has it.
  private func standing(of id: AccountID) -> (AppPolicy, Budget, WindowEdges)? {
    guard
      let policy = policies.first(where: { $0.app == id.app }),
      let budget = policy.budgets.first(where: { $0.id == id.budget }),
      let window = budget.windows.first(where: { $0.id == id.window })
    else { return nil }
    return (policy, budget, window)
  }

  /// The marks from a spend in nanodollars on that the settled sum has reached.
  private static func crossings(
    of id: AccountID, _ policy: AppPolicy, _ budget: Budget, _ window: WindowEdges,
    settled: Money, from: Int64
  ) -> [BudgetCrossing] {
    policy.alertPercents.compactMap { percent in
      guard let mark = budget.mark(percent), mark >= from, settled.nanodollars >= mark else {
        return nil
      }
      return BudgetCrossing(
        account: id, percent: percent, settled: settled, cap: budget.cap,
        resetsAtText: window.endText)
    }
  }

  private func nextMark(of budget: Budget, _ policy: AppPolicy, above settled: Money) -> Int64 {
    let marks = policy.alertPercents.compactMap { budget.mark($0) }
    return marks.filter { $0 > settled.nanodollars }.min() ?? .max
  }
}

extension Budget {
  /// The lowest spend, in nanodollars, that is so many percent of the cap; nil for a cap of zero,
  /// which has no marks, and where no spend can reach it.
  fileprivate func mark(_ percent: Int) -> Int64? {
    let hundredfold = Int128(cap.nanodollars) * Int128(percent)
    guard hundredfold > 0 else { return nil }
    return Int64(exactly: (hundredfold + 99) / 100)
  }
}
