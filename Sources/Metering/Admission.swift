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
  /// The families of all of them, whose purses it draws on, each once; nil: that of `model`, as far
  /// as its name tells. Found by whoever asks, before the one lock.
  public var families: [String]?
  public var isStream: Bool
  /// It cannot be kept from costing what it costs: it is admitted whatever stands against it, and
  /// what then stands over a cap is a debt.
  public var hasBegun = false
  public var bound: CostBound
  /// At most so many tokens, input and output; nil: nothing bounds them.
  public var tokens: Int64?
  /// As how many calls it counts: 0 for what costs nothing at the provider by its nature.
  public var calls: Int64 = 1
  /// It is worked off by the provider at its own pace: rates count its tokens no more.
  public var isBatch = false
  /// It holds the most that it can cost, though its app's holds are calibrated: its work outlives
  /// the call.
  public var isHeldWhole = false
  /// The environment that its key was issued for; empty: the app's.
  public var environment = ""
  /// Who the call is made for, under a name that says nothing of the person.
  public var user = BudgetScope.nobody
  public var tags: TagSet = []

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

  /// What it holds where it is admitted.
  var amounts: Amounts {
    var amounts = Amounts(tokens: tokens ?? 0, calls: calls)
    if case .atMost(let most) = bound { amounts.money = most }
    return amounts
  }
}

/// Admission over all budgets. Pure: it is handed the time and returns the events to journal.
public struct Admission: Sendable {
  public enum Decision: ~Copyable, Sendable {
    case admitted(Reservation, LedgerEvent)
    case denied(Denial, LedgerEvent)
    /// The bound does not fit into a budget, and is not the closest that can be had: nothing is
    /// recorded, and the same call may come again with a closer one. `room` would fit.
    case tooLarge(room: Money)
  }

  public let policies: [AppPolicy]
  /// What of a call picks its accounts besides the app, by app.
  let choices: [AccountChoice]
  /// Where a budget stands in `policies`, by the family of its scope and its id.
  let known: [String: [String: BudgetPlace]]
  /// A row an app, a row for the call that is asked about, and a row for every `Subject` that was
  /// admitted lately.
  var standings: [Standing]
  var subjects: [Subject: Int] = [:]
  /// The latest moment that was asked about: rolling windows do not go back behind it.
  var latest = Timestamp(milliseconds: .min)
  var throttle: Throttle
  var calibrator: Calibrator
  /// By an account's place.
  var watches: [Watch] = []
  var gauges: [Gauge] = []
  /// By scope and budget, for as long as some slice is watched.
  var gaugeNumbers: [AccountID: Int] = [:]
  /// Gauges that watch nothing.
  var freeGauges: [Int] = []
  /// Rises when places may be others than a row says: rows of before are found anew.
  var epoch = 0
  /// Places given out since places were reclaimed.
  var placesGiven = 0
  /// After so many twice as many are looked at: so that places of nobody are not more than those of
  /// somebody, and a few.
  var reclaimEach = 512
  /// Exhaustion that was told of. Not in the ledger: after a restart it is told anew, and the
  /// alert's own identity keeps it to once.
  var exhausted: Set<Exhaustion> = []
  public internal(set) var ledger: Ledger

  /// - Parameter ledger: the state folded from checkpoint and journal.
  public init(policies: [AppPolicy], ledger: Ledger) {
    self.policies = policies
    self.ledger = ledger
    choices = policies.map(AccountChoice.init)
    known = Self.places(of: policies)
    standings = Array(repeating: Standing(), count: policies.count + 1)
    throttle = Throttle(policies)
    calibrator = Calibrator(policies)
  }

  /// Checks every rule in order and, where all pass, reserves the bound in the same step.
  ///
  /// Order: isolated → capped → model → cost bound → rates → budgets.
  ///
  /// On admission of a call, for every budget that it draws on and every unit that it asks anything
  /// of, settled + reserved (this call included) ≤ cap, but for budgets that let pass (`AtCap`);
  /// where one says no, nothing is held in any.
  /// What asks nothing is no reason to refuse: it leaves the balance as it is, even one over its
  /// cap; and what asks nothing in any unit passes closed purses, too.
  ///
  /// - Parameters:
  ///   - mayTighten: whether the bound can be made smaller: `tooLarge` is answered then, where the
  ///     call would else be refused for its money or its tokens.
  ///   - mayDegrade: whether another call can stand in for it: `tooLarge` is answered then, where
  ///     a budget that degrades would refuse it.
  ///   - now: the call's start, which names its windows of the calendar, as it does its price.
  ///   - clock: the moment of asking, which rolling windows go by: a body can come in slowly. Nil:
  ///     the start.
  public mutating func admit(
    _ request: AdmissionRequest, mayTighten: Bool = false, mayDegrade: Bool = false,
    at now: Timestamp, clock: Timestamp? = nil
  ) -> Decision {
    if !request.hasBegun, let denial = ruleBroken(by: request) {
      return deny(denial, request, at: now)
    }
    let moment = clock ?? now
    let isThrottled = throttle.holds(request.app)
    if isThrottled, !request.hasBegun, let refusal = throttle.refusal(of: request, at: moment) {
      if mayTighten, refusal.unit == .tokens { return .tooLarge(room: Money(nanodollars: .max)) }
      return deny(.rateLimited(refusal), request, at: now)
    }
    let row = standing(of: request, at: now, clock: moment)
    var amounts = request.amounts
    let most = amounts.money
    let isCalibrated = most > .zero && calibrator.isCalibrated(request)
    var hold = Calibrator.Hold(amount: most)
    if isCalibrated {
      hold = calibrator.hold(request, most: most)
      amounts.money = hold.amount
    }
    if !request.hasBegun, let obstacle = obstacle(to: request, amounts, row: row) {
      if case .budget(let check, let unit) = obstacle, unit != .calls,
        mayTighten || mayDegrade && standings[row].checks[check].atCap == .degrade
      {
        return .tooLarge(room: calibrator.most(request, holding: room(row: row)))
      }
      let denial = denial(of: obstacle, amounts, row: row, request, at: now, clock: moment)
      return deny(denial, request, at: now)
    }
    if standings[row].epoch != epoch, amounts != .zero { place(request, row: row) }
    let call = CallID(ledger.lastSequence + 1)
    let event = LedgerEvent(
      sequence: call.number, at: now,
      kind: .reserved(
        .init(
          call: call, app: policies[request.app].app, key: request.key,
          upstream: request.upstream, model: request.model, isStream: request.isStream,
          amounts: amounts, accounts: standings[row].accounts, most: most)))
    ledger.apply(event, at: standings[row].places)
    var ticket = Reservation.Ticket(call: call)
    if isThrottled { ticket.lease = throttle.take(request, for: call, at: moment) }
    if isCalibrated {
      ticket.app = request.app
      ticket.history = calibrator.take(request, hold, most: most)
      (ticket.most, ticket.less) = (
        most, Money(nanodollars: most.nanodollars - hold.amount.nanodollars)
      )
    }
    return .admitted(Reservation(ticket, amount: amounts.money), event)
  }

  /// Charges a call and ends its reservation. Returns the event and the budget marks it passed.
  public mutating func settle(
    _ reservation: consuming Reservation, charge: Money, outcome: CallOutcome, at now: Timestamp
  ) -> (event: LedgerEvent, crossings: [BudgetCrossing]) {
    let ticket = reservation.close()
    let call = ticket.call
    ended(ticket, used: outcome.tokens, at: now)
    learn(ticket, charge: charge, source: outcome.usage.source)
    let places = ledger.places(of: call) ?? []
    // It held nothing, and may cost something all the same.
    if places.isEmpty { return settled(call, charge: charge, outcome: outcome, at: now) }
    let event = record(.settled(.init(call: call, charge: charge, outcome: outcome)), at: now)
    var crossings: [BudgetCrossing] = []
    for place in places where place < watches.count {
      if watches[place].isReached(by: ledger.account(at: place).settled) {
        crossings += crossed(place, at: now)
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
    epoch += 1
    var crossings: [BudgetCrossing] = []
    for (difference, before) in zip(repricing.differences, before) {
      crossings += moved(difference.account, from: before, at: now)
    }
    return (event, crossings)
  }

  /// Ends a reservation without a charge: the upstream did not do the work.
  public mutating func release(
    _ reservation: consuming Reservation, outcome: CallOutcome, at now: Timestamp
  ) -> LedgerEvent {
    let ticket = reservation.close()
    ended(ticket, used: 0, at: now)
    return record(.released(ticket.call, outcome), at: now)
  }

  /// Records a refusal that was decided before admission could be asked.
  public mutating func refuse(
    _ denial: Denial, _ request: AdmissionRequest, at now: Timestamp
  ) -> LedgerEvent {
    let call = CallID(ledger.lastSequence + 1)
    return record(
      .refused(
        .init(
          call: call, app: policies[request.app].app, key: request.key,
          upstream: request.upstream, model: request.model, status: UInt16(denial.httpStatus),
          code: denial.code, message: denial.message, budget: denial.budget)),
      at: now)
  }

  /// After a crash: charges every reservation that was open at its estimate, but for those that
  /// are followed: their work goes on. Returns the events.
  public mutating func expireOpen(at now: Timestamp) -> [LedgerEvent] {
    let followed = ledger.followed
    let lost = ledger.open.filter { followed[$0.key] == nil }
    return lost.sorted { $0.key < $1.key }.map { call, reservation in
      record(.expired(call, charge: reservation.amounts.money), at: now)
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
    ledger.apply(event, at: nil)
    return event
  }
}
