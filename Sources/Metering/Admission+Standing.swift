// Which accounts a call draws on: found once per window, then only indexed.
//
// An app whose budgets are picked by the app alone has one row, and admission looks nothing up.
// Where a budget is a key's, a user's, a model's or a tag's, one look-up by what picks them finds
// the row.

extension Admission {
  /// What a call of an app draws on, for as long as none of its windows changes.
  struct Standing: Sendable {
    struct Check: Sendable {
      /// The account that the call is charged to; `Ledger.nowhere`: it has no place yet.
      var place: Int
      var caps: BudgetCaps
      var atCap: AtCap
      /// Of a rolling window, where the places of the slices before lie in `earlierPlaces`.
      var earlier: Range<Int>
      /// Its place in the policy.
      var budget: Int
    }

    /// Holds from `start` up to, not including, `end`; empty before the first call.
    var start = Timestamp(milliseconds: 0)
    var end = Timestamp(milliseconds: 0)
    /// The same of its rolling windows, whose clock does not go back.
    var rollingStart = Timestamp(milliseconds: .min)
    var rollingEnd = Timestamp(milliseconds: .max)
    var accounts: [AccountID] = []
    /// Where they stand in the ledger, in the same order.
    var places: [Int] = []
    var checks: [Check] = []
    var earlierPlaces: [Int] = []
    /// A budget has no window that holds the moment: nothing passes that asks for anything.
    var denial: Denial?
    /// One of its budgets caps tokens.
    var capsTokens = false
    /// Of what epoch its places are; `once`: not all its accounts have one, and may get it by
    /// another call meanwhile, or it is a guest's.
    var epoch = 0

    static let once = -1

    func holds(at now: Timestamp, latest: Timestamp, epoch: Int) -> Bool {
      now >= start && now < end && latest >= rollingStart && latest < rollingEnd
        && self.epoch == epoch
    }
  }

  /// What of a call picks its accounts besides the app; what its app's budgets do not ask for is
  /// left out, so that few rows serve many calls.
  struct Subject: Hashable, Sendable {
    var app: Int
    var key: Int64 = 0
    var environment = ""
    var tags: TagSet = []
    var model = ""
    var user = ""
  }

  /// Which of them an app's budgets ask for.
  struct AccountChoice: Sendable {
    var byKey = false
    var byUser = false
    var byModel = false
    var byEnvironment = false
    var tags: TagSet = []
    let isByApp: Bool

    init(_ policy: AppPolicy) {
      for budget in policy.budgets {
        switch budget.holder {
        case .app, .shared: break
        case .environment: byEnvironment = true
        case .tag(let place): tags.insert(TagSet(place: place))
        case .eachKey: byKey = true
        case .eachUser: byUser = true
        case .eachModel: byModel = true
        }
      }
      isByApp = !(byKey || byUser || byModel || byEnvironment || !tags.isEmpty)
    }
  }

  /// More rows than this are thrown away together and found anew: users can be many.
  static let subjectsMax = 8_192

  /// Clocks of calls that come in late, or of a clock that is put back a little: within so many
  /// milliseconds a rolling window stays where it was.
  static let latenessMax: Int64 = 600_000

  /// The row that says what a call draws on.
  mutating func standing(
    of request: AdmissionRequest, at now: Timestamp, clock: Timestamp
  ) -> Int {
    if clock > latest {
      latest = clock
    } else if latest.milliseconds - clock.milliseconds > Self.latenessMax {
      latest = clock
      // Slices that were over are counted in again.
      epoch += 1
    }
    let row = choices[request.app].isByApp ? request.app : row(of: request)
    if !standings[row].holds(at: now, latest: latest, epoch: epoch) {
      reclaim()
      standings[row] = found(for: request, at: now)
      if row == guestRow { standings[row].epoch = Standing.once }
    }
    return row
  }

  /// The row of a call that has none of its own: it is found for each.
  var guestRow: Int { policies.count }

  private func row(of request: AdmissionRequest) -> Int {
    subject(of: request).flatMap { subjects[$0] } ?? guestRow
  }

  /// Nil: it is found each time. A batch's models are many, and it comes once.
  private func subject(of request: AdmissionRequest) -> Subject? {
    let choice = choices[request.app]
    guard !choice.byModel || request.families?.count ?? 1 < 2 else { return nil }
    var subject = Subject(app: request.app, tags: request.tags.intersection(choice.tags))
    if choice.byKey { subject.key = request.key }
    if choice.byEnvironment { subject.environment = environment(of: request) }
    if choice.byUser { subject.user = request.user }
    if choice.byModel { subject.model = request.families?.first ?? request.model }
    return subject
  }

  /// Gives an admitted call's accounts their places, and its row to those like it: who is refused
  /// leaves nothing behind, however many users it makes up.
  @inline(never)
  mutating func place(_ request: AdmissionRequest, row: Int) {
    let app = policies[request.app]
    for (index, check) in standings[row].checks.enumerated() where check.place == Ledger.nowhere {
      let place = ledger.place(of: standings[row].accounts[index])
      placesGiven += 1
      standings[row].places[index] = place
      standings[row].checks[index].place = place
      watch(
        standings[row].accounts[index], at: place,
        earlier: standings[row].earlierPlaces[check.earlier], app.budgets[check.budget], app)
    }
    guard row == guestRow else {
      standings[row].epoch = epoch
      return
    }
    guard let subject = subject(of: request) else { return }
    if subjects.count >= Self.subjectsMax {
      subjects.removeAll(keepingCapacity: true)
      standings.removeSubrange((guestRow + 1)...)
    }
    subjects[subject] = standings.count
    standings.append(standings[guestRow])
    standings[standings.count - 1].epoch = epoch
  }

  private func environment(of request: AdmissionRequest) -> String {
    request.environment.isEmpty ? policies[request.app].environment : request.environment
  }

  /// The scopes whose accounts of one budget a call draws on: one, none, or a batch's models.
  private func scopes(of budget: Budget, for request: AdmissionRequest) -> [BudgetScope] {
    let policy = policies[request.app]
    let app = policy.app
    switch budget.holder {
    case .app, .shared: break
    case .environment(let name): if environment(of: request) != name { return [] }
    case .tag(let place): if !request.tags.contains(TagSet(place: place)) { return [] }
    case .eachKey: return [.part(.key, of: app, String(request.key))]
    case .eachUser: return [.part(.user, of: app, request.user)]
    case .eachModel:
      guard !request.model.isEmpty else { return [] }
      // The names of one model share its purse: else each dated name would be a new one.
      let families = request.families ?? [ModelName.family(request.model)]
      return families.map { .part(.model, of: app, $0) }
    }
    return budget.holder.scope(in: policy).map { [$0] } ?? []
  }

  /// Finds what a call draws on at a moment, and how long that stays the same.
  @inline(never)
  private mutating func found(for request: AdmissionRequest, at now: Timestamp) -> Standing {
    var standing = Standing(
      start: Timestamp(milliseconds: .min), end: Timestamp(milliseconds: .max), epoch: epoch)
    for (index, budget) in policies[request.app].budgets.enumerated() {
      for scope in scopes(of: budget, for: request) {
        guard let window = budget.window(at: budget.isRolling ? latest : now) else {
          // Asked again at the next call: the clock may be put right.
          standing.denial = standing.denial ?? Self.denial(of: budget, scope)
          continue
        }
        if budget.caps.tokens != nil { standing.capsTokens = true }
        add(
          AccountID(scope: scope, budget: budget.id, window: window.id), of: budget, at: index,
          window, to: &standing, for: request)
      }
    }
    if standing.denial != nil { standing.end = standing.start }
    return standing
  }

  /// - Parameter index: the budget's place in the policy.
  private mutating func add(
    _ id: AccountID, of budget: Budget, at index: Int, _ window: WindowEdges,
    to standing: inout Standing, for request: AdmissionRequest
  ) {
    let firstEarlier = standing.earlierPlaces.count
    if case .rolling(let rolling) = budget.windows {
      standing.rollingStart = max(standing.rollingStart, window.start)
      standing.rollingEnd = min(standing.rollingEnd, window.end)
      for slice in rolling.earlierSlices(at: latest) {
        // One without a place stands at zero, and no call is counted in it any more.
        let id = AccountID(scope: id.scope, budget: budget.id, window: slice)
        if let place = ledger.knownPlace(of: id) { standing.earlierPlaces.append(place) }
      }
    } else {
      standing.start = max(standing.start, window.start)
      standing.end = min(standing.end, window.end)
    }
    // What policy names is given its place: those are few. Others get it when a call is admitted.
    var place = ledger.knownPlace(of: id)
    if place == nil, !id.scope.kind.isFoundByCall {
      place = ledger.place(of: id)
      placesGiven += 1
    }
    if place == nil { standing.epoch = Standing.once }
    let earlier = firstEarlier..<standing.earlierPlaces.count
    standing.accounts.append(id)
    standing.places.append(place ?? Ledger.nowhere)
    standing.checks.append(
      .init(
        place: place ?? Ledger.nowhere, caps: budget.caps, atCap: budget.atCap, earlier: earlier,
        budget: index))
    if let place {
      watch(
        id, at: place, earlier: standing.earlierPlaces[earlier], budget, policies[request.app])
    }
  }

  private static func denial(of budget: Budget, _ scope: BudgetScope) -> Denial {
    guard case .purse(let edges) = budget.windows else { return .windowUnknown(budget: budget.id) }
    return .purseClosed(
      scope: scope, budget: budget.id,
      from: edges.start.milliseconds == .min ? "" : edges.start.minuteText,
      until: edges.endText)
  }

  // MARK: Looking a budget up by its account

  /// Where a budget stands: of shared ones the first app's.
  struct BudgetPlace: Sendable {
    var policy: Int
    var budget: Int
  }

  static func places(of policies: [AppPolicy]) -> [String: [String: BudgetPlace]] {
    var places: [String: [String: BudgetPlace]] = [:]
    for (index, policy) in policies.enumerated() {
      for (place, budget) in policy.budgets.enumerated() {
        let family = budget.family(in: policy)
        if places[family]?[budget.id] == nil {
          places[family, default: [:]][budget.id] = BudgetPlace(policy: index, budget: place)
        }
      }
    }
    return places
  }

  /// Whose account it is; nil where policy no longer has it.
  func budget(of id: AccountID) -> (policy: AppPolicy, budget: Budget)? {
    guard let place = known[id.scope.family]?[id.budget] else { return nil }
    return (policies[place.policy], policies[place.policy].budgets[place.budget])
  }
}

extension Budget {
  var isRolling: Bool { if case .rolling = windows { true } else { false } }

  /// As `BudgetScope.family` of its accounts.
  fileprivate func family(in policy: AppPolicy) -> String {
    let scope: BudgetScope? =
      switch holder {
      case .app, .shared, .environment, .tag: holder.scope(in: policy)
      case .eachKey: .part(.key, of: policy.app, "")
      case .eachUser: .part(.user, of: policy.app, "")
      case .eachModel: .part(.model, of: policy.app, "")
      }
    return scope?.family ?? policy.app
  }
}
