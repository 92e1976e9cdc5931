// Which accounts a call draws on: found once per window, then only indexed.
//
// An app whose budgets are picked by the app alone has one row, and admission looks nothing up.
// Where a budget is a key's, a user's, a model's or a tag's, one look-up by what picks them finds
// the row.

extension Admission {
  /// What a call of an app draws on, for as long as none of its windows changes.
  struct Standing: Sendable {
    struct Check: Sendable {
      /// The account that the call is charged to.
      var place: Int
      var caps: BudgetCaps
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
    /// A budget has no window that holds the moment: nothing passes.
    var denial: Denial?

    func holds(at now: Timestamp, latest: Timestamp) -> Bool {
      now >= start && now < end && latest >= rollingStart && latest < rollingEnd
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
    var capsTokens = false

    init(_ policy: AppPolicy) {
      capsTokens = policy.limitsTokenRate
      for budget in policy.budgets {
        if budget.caps.tokens != nil { capsTokens = true }
        switch budget.holder {
        case .app, .shared: break
        case .environment: byEnvironment = true
        case .tag(let place): tags.insert(TagSet(place: place))
        case .eachKey: byKey = true
        case .eachUser: byUser = true
        case .eachModel: byModel = true
        }
      }
    }

    var isByApp: Bool { !(byKey || byUser || byModel || byEnvironment || !tags.isEmpty) }
  }

  /// More rows than this are thrown away together and found anew: users can be many.
  static let subjectsMax = 8_192

  /// Clocks of calls that come in late, or of a clock that is put back a little: within so many
  /// milliseconds a rolling window stays where it was.
  static let latenessMax: Int64 = 600_000

  /// The row that says what a call draws on.
  mutating func standing(of request: AdmissionRequest, at now: Timestamp) -> Int {
    if now > latest || latest.milliseconds - now.milliseconds > Self.latenessMax { latest = now }
    let row = choices[request.app].isByApp ? request.app : row(of: request)
    if !standings[row].holds(at: now, latest: latest) {
      standings[row] = found(for: request, at: now)
    }
    return row
  }

  private mutating func row(of request: AdmissionRequest) -> Int {
    let choice = choices[request.app]
    var subject = Subject(app: request.app, tags: request.tags.intersection(choice.tags))
    if choice.byKey { subject.key = request.key }
    if choice.byEnvironment { subject.environment = environment(of: request) }
    if choice.byUser { subject.user = request.user }
    if choice.byModel {
      subject.model = request.model
      for other in request.otherModels { subject.model += "\n" + other }
    }
    if let row = subjects[subject] { return row }
    if subjects.count >= Self.subjectsMax {
      subjects.removeAll(keepingCapacity: true)
      standings.removeSubrange(policies.count...)
    }
    subjects[subject] = standings.count
    standings.append(Standing())
    return standings.count - 1
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
      // Snapshots of a model share its purse: else each dated name would be a new one.
      let families = Set(([request.model] + request.otherModels).map(ModelName.family))
      return families.sorted().map { .part(.model, of: app, $0) }
    }
    return budget.holder.scope(in: policy).map { [$0] } ?? []
  }

  /// Finds what a call draws on at a moment, and how long that stays the same.
  private mutating func found(for request: AdmissionRequest, at now: Timestamp) -> Standing {
    var standing = Standing(
      start: Timestamp(milliseconds: .min), end: Timestamp(milliseconds: .max))
    for (index, budget) in policies[request.app].budgets.enumerated() {
      for scope in scopes(of: budget, for: request) {
        guard let window = budget.window(at: budget.isRolling ? latest : now) else {
          // Asked again at the next call: the clock may be put right.
          return Standing(denial: Self.denial(of: budget, scope))
        }
        let id = AccountID(scope: scope, budget: budget.id, window: window.id)
        let place = ledger.place(of: id)
        let firstEarlier = standing.earlierPlaces.count
        if case .rolling(let rolling) = budget.windows {
          standing.rollingStart = max(standing.rollingStart, window.start)
          standing.rollingEnd = min(standing.rollingEnd, window.end)
          for slice in rolling.earlierSlices(at: latest) {
            let id = AccountID(scope: scope, budget: budget.id, window: slice)
            standing.earlierPlaces.append(ledger.place(of: id))
          }
        } else {
          standing.start = max(standing.start, window.start)
          standing.end = min(standing.end, window.end)
        }
        standing.accounts.append(id)
        standing.places.append(place)
        let earlier = firstEarlier..<standing.earlierPlaces.count
        standing.checks.append(
          .init(place: place, caps: budget.caps, earlier: earlier, budget: index))
        watch(
          id, at: place, earlier: standing.earlierPlaces[earlier], budget,
          policies[request.app])
      }
    }
    return standing
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
