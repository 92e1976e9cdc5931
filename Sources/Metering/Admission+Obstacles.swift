// What stands against a call: a rule of its app, or a budget that it does not fit into. Asked for
// admission, and for what can be refused before its bound is known.

extension Admission {
  /// What of its budgets stands against a call.
  enum Obstacle {
    case standing(Denial)
    /// What it asks for does not fit into the budget at this place among the row's checks.
    case budget(check: Int, BudgetUnit)
  }

  /// The first of them; nil: it passes, all budgets that do not let it pass at their cap included.
  @inline(__always)
  func obstacle(
    to request: AdmissionRequest, _ amounts: Amounts, row: Int
  ) -> Obstacle? {
    guard amounts != .zero || request.tokens == nil else { return nil }
    if let denial = standings[row].denial { return .standing(denial) }
    if request.tokens == nil, standings[row].capsTokens { return .standing(.tokensUnbounded) }
    for (index, check) in standings[row].checks.enumerated() where check.atCap != .alert {
      let sum = sum(of: check, row: row)
      if let unit = check.caps.unitPassed(by: amounts, onto: sum) {
        return .budget(check: index, unit)
      }
    }
    return nil
  }

  func denial(
    of obstacle: Obstacle, _ amounts: Amounts, row: Int, _ request: AdmissionRequest,
    at now: Timestamp, clock: Timestamp
  ) -> Denial {
    switch obstacle {
    case .standing(let denial): denial
    case .budget(let check, let unit):
      exhausted(check, unit, amounts: amounts, row: row, request, at: now, clock: clock)
    }
  }

  /// Refuses a call that would be refused whatever its bound came to: its app is capped, a rate is
  /// used up, or a budget has nothing left. Asked before work is done to find the bound. Where the
  /// request names no model yet, budgets for each model are not asked.
  ///
  /// - Parameters: as in `admit`; the request has the smallest bound that it can have.
  /// - Returns: nil where the bound decides, and nothing is recorded.
  public mutating func refuseHopeless(
    _ request: AdmissionRequest, at now: Timestamp, clock: Timestamp? = nil
  ) -> (denial: Denial, event: LedgerEvent)? {
    let moment = clock ?? now
    var denial = ruleBroken(by: request)
    if denial == nil, throttle.holds(request.app) {
      denial = throttle.refusal(of: request, at: moment).map { .rateLimited($0) }
    }
    if denial == nil {
      let (row, amounts) = (standing(of: request, at: now, clock: moment), request.amounts)
      denial = obstacle(to: request, amounts, row: row).map {
        self.denial(of: $0, amounts, row: row, request, at: now, clock: moment)
      }
    }
    return denial.map { ($0, refuse($0, request, at: now)) }
  }

  /// The first rule besides the budgets that a call breaks.
  func ruleBroken(by request: AdmissionRequest) -> Denial? {
    let app = request.app
    if !ledger.isolated.isEmpty, let isolation = ledger.isolated[policies[app].app] {
      return .appIsolated(order: isolation.order)
    }
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
    if request.tokens == nil, policies[app].limitsTokenRate { return .tokensUnbounded }
    return nil
  }

  /// What a check compares with its cap: its account's balance and, of a rolling window, those of
  /// the slices before.
  @inline(__always)
  func sum(of check: Standing.Check, row: Int) -> Amounts {
    var sum = ledger.account(at: check.place).taken
    for index in check.earlier {
      sum = sum.addingClamped(ledger.account(at: standings[row].earlierPlaces[index]).taken)
    }
    return sum
  }

  /// The most money that fits into all budgets of a row; zero where one is spent.
  func room(row: Int) -> Money {
    var room = Int64.max
    for check in standings[row].checks where check.atCap != .alert {
      guard let cap = check.caps[.money] else { continue }
      let (left, isOver) = cap.subtractingReportingOverflow(
        sum(of: check, row: row).money.nanodollars)
      room = min(room, isOver ? 0 : left)
    }
    return Money(nanodollars: max(room, 0))
  }

  func exhausted(
    _ index: Int, _ unit: BudgetUnit, amounts: Amounts, row: Int, _ request: AdmissionRequest,
    at now: Timestamp, clock: Timestamp
  ) -> Denial {
    let check = standings[row].checks[index]
    var account = ledger.account(at: check.place)
    for index in check.earlier {
      let earlier = ledger.account(at: standings[row].earlierPlaces[index])
      account.settled = account.settled.addingClamped(earlier.settled)
      account.reserved = account.reserved.addingClamped(earlier.reserved)
    }
    let id = standings[row].accounts[index]
    let budget = policies[request.app].budgets[check.budget]
    let window = budget.window(at: budget.isRolling ? latest : now)
    let refusal = BudgetRefusal(
      scope: id.scope, budget: id.budget, window: id.window,
      settled: Amount(unit, count: account.settled[unit]),
      reserved: Amount(unit, count: account.reserved[unit]),
      cap: Amount(unit, count: check.caps[unit] ?? 0),
      estimate: Amount(unit, count: amounts[unit]),
      resetsAt: window?.end ?? now, resetsAtText: window?.endText ?? "")
    if budget.atCap == .throttle,
      let seconds = refusal.retryAfterSeconds(at: clock, windowsPass: budget.windowsPass)
    {
      return .budgetThrottled(refusal, retryAfterSeconds: seconds)
    }
    return .budgetExhausted(refusal)
  }
}
