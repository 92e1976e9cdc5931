// Calls that were answered while their work goes on at the provider: the reservation stays, and is
// known by the call's number alone, since it outlives the process.

extension Admission {
  /// Hands an open reservation over to whoever follows the job that its call made.
  public mutating func follow(
    _ reservation: consuming Reservation, job: FollowedJob, at now: Timestamp
  ) -> LedgerEvent {
    let ticket = reservation.close()
    ended(ticket, used: nil, at: now)
    return record(.followed(ticket.call, job), at: now)
  }

  /// Charges a followed call and ends its reservation. Returns the event and the budget marks it
  /// passed; nil where the call is not followed, or no longer.
  public mutating func settle(
    followed call: CallID, charge: Money, outcome: CallOutcome, at now: Timestamp
  ) -> (event: LedgerEvent, crossings: [BudgetCrossing])? {
    guard ledger.followed[call] != nil else { return nil }
    return settled(call, charge: charge, outcome: outcome, at: now)
  }

  /// Charges an open call whose accounts are known by their names alone.
  mutating func settled(
    _ call: CallID, charge: Money, outcome: CallOutcome, at now: Timestamp
  ) -> (event: LedgerEvent, crossings: [BudgetCrossing]) {
    let accounts = ledger.reservation(of: call)?.accounts ?? []
    let before = accounts.map { ledger.account($0).settled }
    let event = record(.settled(.init(call: call, charge: charge, outcome: outcome)), at: now)
    var crossings: [BudgetCrossing] = []
    for (account, before) in zip(accounts, before) where ledger.account(account).settled != before {
      // Its place may be a new one.
      epoch += 1
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
