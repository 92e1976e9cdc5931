// Calls that were answered while their work goes on at the provider: the reservation stays, and is
// known by the call's number alone, since it outlives the process.

extension Admission {
  /// Hands an open reservation over to whoever follows the job that its call made.
  public mutating func follow(
    _ reservation: consuming Reservation, job: FollowedJob, at now: Timestamp
  ) -> LedgerEvent {
    let lease = reservation.lease
    let call = reservation.close()
    throttle.end(lease, of: call, used: nil, at: now)
    return record(.followed(call, job), at: now)
  }

  /// Charges a followed call and ends its reservation. Returns the event and the budget marks it
  /// passed; nil where the call is not followed, or no longer.
  public mutating func settle(
    followed call: CallID, charge: Money, outcome: CallOutcome, at now: Timestamp
  ) -> (event: LedgerEvent, crossings: [BudgetCrossing])? {
    guard ledger.followed[call] != nil, let held = ledger.reservation(of: call) else { return nil }
    let before = held.accounts.map { ledger.account($0).settled }
    let event = record(.settled(.init(call: call, charge: charge, outcome: outcome)), at: now)
    var crossings: [BudgetCrossing] = []
    for (account, before) in zip(held.accounts, before) {
      crossings += moved(account, from: before, at: now)
    }
    return (event, crossings)
  }

  /// Ends a followed call without a charge; nil where the call is not followed, or no longer.
  public mutating func release(
    followed call: CallID, outcome: CallOutcome, at now: Timestamp
  ) -> LedgerEvent? {
    guard ledger.followed[call] != nil else { return nil }
    return record(.released(call, outcome), at: now)
  }
}
