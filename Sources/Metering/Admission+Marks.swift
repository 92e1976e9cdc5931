// Budget marks: what alerts when spend passes a share of a cap, once each per window and unit.

/// A budget mark that a settlement passed.
public struct BudgetCrossing: Hashable, Sendable {
  public var account: AccountID
  /// Whether calls are being refused because what is left covers no more of them; then `percent`
  /// is 100, though a strict cap leaves `settled` below it.
  public var isRefusing = false
  /// Whether calls pass at the cap, by the owner's choice.
  public var isPassing = false
  /// The mark, in percent of the cap.
  public var percent: Int
  /// Of a rolling window, over all of it. The same unit as `cap`.
  public var settled: Amount
  public var cap: Amount
  /// Empty: it never resets.
  public var resetsAtText: String
}

extension Admission {
  /// What is looked at when a call was charged to an account.
  struct Watch: Sendable {
    /// By unit, the lowest sum at which the account's next mark is passed.
    var next = Amounts.max
    /// Of a rolling budget's slice, its gauge; -1: the account is a window of its own.
    var gauge = -1

    @inline(__always)
    func isReached(by settled: Amounts) -> Bool {
      gauge >= 0 || settled.reachesAny(of: next)
    }
  }

  /// A rolling budget of one scope: the places of its slices of now.
  struct Gauge: Sendable {
    var account: AccountID
    var budget: BudgetPlace
    var places: [Int]
    /// By unit, the lowest sum over the slices at which the next mark is passed. It falls with the
    /// sum, so that a mark is passed anew when spend comes back to it.
    var next: Amounts

    /// Its scope and budget, whatever the slice.
    var key: AccountID { AccountID(scope: account.scope, budget: account.budget, window: "") }
  }

  struct Exhaustion: Hashable, Sendable {
    var account: AccountID
    var unit: BudgetUnit
  }

  /// Every budget mark that stands passed now: raised again at start, since a crash can come
  /// between a settlement and its alert; the alert's own identity keeps it to once.
  public func standingCrossings(at now: Timestamp) -> [BudgetCrossing] {
    var crossings: [BudgetCrossing] = []
    var rolling: Set<AccountID> = []
    for (id, account) in ledger.accounts {
      guard let (policy, budget) = budget(of: id), Self.isTold(of: id.scope),
        let window = budget.window(at: now)
      else { continue }
      var settled = account.settled
      var current = id
      if budget.isRolling {
        current.window = window.id
        guard rolling.insert(current).inserted else { continue }
        settled = ledger.balance(of: budget, id.scope, at: now).settled
      } else if window.id != id.window {
        continue
      }
      crossings += Self.crossings(
        of: current, policy, budget, window, settled: settled, from: .zero)
    }
    // In the order of policy and mark, whatever the order of the accounts was.
    return crossings.sorted {
      ($0.account.scope.text, $0.account.budget, $0.cap.unit.rawValue, $0.percent)
        < ($1.account.scope.text, $1.account.budget, $1.cap.unit.rawValue, $1.percent)
    }
  }

  /// The 100 % mark, the first time that a call is refused because of what was spent.
  ///
  /// A strict cap is never passed, so the spend itself may never reach the mark. What is refused
  /// only because open calls hold the money, or before half the cap is spent, says nothing of
  /// the budget. Nil where the owner wants no such alert.
  public mutating func exhaustion(_ refusal: BudgetRefusal) -> BudgetCrossing? {
    let id = AccountID(scope: refusal.scope, budget: refusal.budget, window: refusal.window)
    guard let (policy, budget) = budget(of: id), Self.isTold(of: id.scope) else { return nil }
    let (settled, cap) = (refusal.settled.count, refusal.cap.count)
    let isSpent =
      settled.addingClamped(refusal.estimate.count) > cap && Int128(settled) * 2 >= Int128(cap)
    guard isSpent, settled < cap, budget.marks(of: policy).contains(100),
      exhausted.insert(Exhaustion(account: id, unit: refusal.cap.unit)).inserted
    else {
      return nil
    }
    return BudgetCrossing(
      account: id, isRefusing: true, percent: 100, settled: refusal.settled, cap: refusal.cap,
      resetsAtText: refusal.resetsAtText)
  }

  /// Users may be thousands, and nobody wants a mail for each: their refusals tell.
  private static func isTold(of scope: BudgetScope) -> Bool { scope.kind != .user }

  /// Sets what is to be looked at when a call is charged to an account.
  mutating func watch(
    _ id: AccountID, at place: Int, earlier: ArraySlice<Int>, _ budget: Budget,
    _ policy: AppPolicy
  ) {
    while watches.count <= max(place, earlier.max() ?? 0) { watches.append(Watch()) }
    guard Self.isTold(of: id.scope) else { return }
    guard budget.isRolling else {
      watches[place].next = budget.nextMarks(policy, above: ledger.account(at: place).settled)
      return
    }
    let places = [place] + earlier
    let settled = settled(at: places)
    let next = budget.nextMarks(policy, above: settled)
    guard let found = self.known[id.scope.family]?[id.budget] else { return }
    let gauge = Gauge(account: id, budget: found, places: places, next: next)
    let known = gaugeNumbers[gauge.key]
    let number = known ?? freeGauges.popLast() ?? gauges.count
    gaugeNumbers[gauge.key] = number
    if number == gauges.count { gauges.append(gauge) }
    // Slices that have left the sum are watched no more.
    for place in gauges[number].places { watches[place] = Watch() }
    gauges[number] = gauge
    for place in places { watches[place].gauge = number }
  }

  /// Forgets what is watched at a place; a gauge without any is free for another.
  mutating func unwatch(_ place: Int) {
    let number = watches[place].gauge
    watches[place] = Watch()
    guard number >= 0 else { return }
    gauges[number].places.removeAll { $0 == place }
    if gauges[number].places.isEmpty {
      gaugeNumbers[gauges[number].key] = nil
      freeGauges.append(number)
    }
  }

  private func settled(at places: [Int]) -> Amounts {
    places.reduce(.zero) { $0.addingClamped(ledger.account(at: $1).settled) }
  }

  /// The marks that an account, or the rolling window that it is in, has passed since it was looked
  /// at last.
  mutating func crossed(_ place: Int, at now: Timestamp) -> [BudgetCrossing] {
    let number = watches[place].gauge
    if number >= 0 { return crossed(gauge: number, at: now) }
    let id = ledger.name(at: place)
    guard let (policy, budget) = budget(of: id) else { return [] }
    let settled = ledger.account(at: place).settled
    let from = watches[place].next
    watches[place].next = budget.nextMarks(policy, above: settled)
    guard let window = budget.window(named: id.window, at: now) else { return [] }
    return untold(
      Self.crossings(of: id, policy, budget, window, settled: settled, from: from))
  }

  /// The same of a rolling window, which is looked at on every settlement: its marks come nearer
  /// again when its sum falls.
  private mutating func crossed(gauge number: Int, at now: Timestamp) -> [BudgetCrossing] {
    let settled = settled(at: gauges[number].places)
    let from = gauges[number].next
    let place = gauges[number].budget
    let policy = policies[place.policy]
    let budget = policy.budgets[place.budget]
    gauges[number].next = budget.nextMarks(policy, above: settled)
    guard settled.reachesAny(of: from), let window = budget.window(at: now) else { return [] }
    return untold(
      Self.crossings(
        of: gauges[number].account, policy, budget, window, settled: settled, from: from))
  }

  /// The marks that an account of a window of today's passed on its way from `before`.
  mutating func moved(
    _ id: AccountID, from before: Amounts, at now: Timestamp
  ) -> [BudgetCrossing] {
    guard let (policy, budget) = budget(of: id), Self.isTold(of: id.scope) else { return [] }
    let place = ledger.place(of: id)
    if budget.isRolling {
      return place < watches.count && watches[place].gauge >= 0 ? crossed(place, at: now) : []
    }
    guard let window = budget.window(named: id.window, at: now) else { return [] }
    let settled = ledger.account(at: place).settled
    if place < watches.count { watches[place].next = budget.nextMarks(policy, above: settled) }
    // A mark that stood at `before` was passed before.
    var from = Amounts.zero
    for unit in BudgetUnit.allCases { from[unit] = before[unit].addingClamped(1) }
    return untold(
      Self.crossings(of: id, policy, budget, window, settled: settled, from: from))
  }

  private func untold(_ crossings: [BudgetCrossing]) -> [BudgetCrossing] {
    crossings.filter {
      $0.percent != 100
        || !exhausted.contains(Exhaustion(account: $0.account, unit: $0.cap.unit))
    }
  }

  /// The marks from a sum on that the settled sum has reached.
  private static func crossings(
    of id: AccountID, _ policy: AppPolicy, _ budget: Budget, _ window: WindowEdges,
    settled: Amounts, from: Amounts
  ) -> [BudgetCrossing] {
    var crossings: [BudgetCrossing] = []
    for unit in BudgetUnit.allCases {
      guard let cap = budget.caps[unit] else { continue }
      for percent in budget.marks(of: policy) {
        guard let mark = Budget.mark(percent, of: cap), mark >= from[unit], settled[unit] >= mark
        else { continue }
        crossings.append(
          BudgetCrossing(
            account: id, isPassing: budget.atCap == .alert, percent: percent,
            settled: Amount(unit, count: settled[unit]),
            cap: Amount(unit, count: cap), resetsAtText: window.endText))
      }
    }
    return crossings
  }
}

extension Budget {
  /// By unit, the lowest mark above a sum.
  fileprivate func nextMarks(_ policy: AppPolicy, above sum: Amounts) -> Amounts {
    var next = Amounts.max
    for unit in BudgetUnit.allCases {
      guard let cap = caps[unit] else { continue }
      for percent in marks(of: policy) {
        guard let mark = Self.mark(percent, of: cap), mark > sum[unit] else { continue }
        next[unit] = min(next[unit], mark)
      }
    }
    return next
  }

  /// The lowest sum that is so many percent of a cap; nil for a cap of zero, which has no marks,
  /// and where no sum can reach it.
  fileprivate static func mark(_ percent: Int, of cap: Int64) -> Int64? {
    let hundredfold = Int128(cap) * Int128(percent)
    guard hundredfold > 0 else { return nil }
    return Int64(exactly: (hundredfold + 99) / 100)
  }

  /// The window of that name; of those that are counted by the clock, only that of now.
  fileprivate func window(named id: String, at now: Timestamp) -> WindowEdges? {
    switch windows {
    case .calendar(let windows): BudgetWindows.find(named: id, in: windows)
    case .minutes, .purse: window(at: now).flatMap { $0.id == id ? $0 : nil }
    // Its gauge follows the slices; which one a mark is told under keeps it to once a slice.
    case .rolling: window(at: now)
    }
  }
}
