// A second, naive ledger.
//
// The model keeps every call in a list and adds up from the start each time it is asked. It shares
// no code with the module beyond the names of things.

@testable import Metering

/// What a random call asks for.
struct CallShape: CustomStringConvertible {
  var app: Int
  var amount: Int64
  /// Nil: nothing bounds them.
  var tokens: Int64? = 0
  var key: Int64 = 1
  var user = "none"
  var model = "m"
  var isTagged = false
  var isDemo = false
  /// Its head came in so many milliseconds before it is admitted.
  var late: Int64 = 0
  /// Costs nothing by its nature, and counts as no call.
  var isFree = false

  var calls: Int64 { isFree ? 0 : 1 }

  var description: String {
    "app \(app) for \(amount) and \(tokens.map(String.init) ?? "unbounded") tokens, key \(key), "
      + "user \(user), model \(model)\(isTagged ? ", tagged" : "")\(isDemo ? ", demo" : "")"
      + (late > 0 ? ", \(late) ms late" : "") + (isFree ? ", free" : "")
  }
}

struct NaiveLedger {
  struct Call {
    var shape: CallShape
    var number: UInt64
    var at: Int64
    /// The clock of rolling windows, which does not go back.
    var rollingAt: Int64
    var charge: Int64?
    var tokensUsed: Int64 = 0
    /// The balances that it is counted in.
    var accounts: [AccountID]

    init(shape: CallShape, number: UInt64, at: Int64, rollingAt: Int64) {
      (self.shape, self.number, self.at, self.rollingAt) = (shape, number, at, rollingAt)
      accounts = NaiveLedger.rules[shape.app].compactMap { rule in
        guard let scope = NaiveLedger.scope(rule, shape),
          let window = NaiveLedger.window(rule, at, rollingAt)
        else { return nil }
        return AccountID(scope: BudgetScope(text: scope), budget: rule.id, window: window)
      }
    }
  }

  enum Answer: Equatable {
    case admitted
    case denied(String)
    case exhausted(scope: String, budget: String, settled: Amount, reserved: Amount)
  }

  enum Window {
    case calendar(Int64)
    case minute
    case purse(Range<Int64>)
    /// In minutes.
    case rolling(Int64)
  }

  struct Rule {
    var holder: BudgetHolder
    var id: String
    var caps: BudgetCaps
    var window: Window
    var atCap = AtCap.deny
  }

  /// Apps 0 and 1 are of one team; app 2 has no budget, app 3 none of the calendar's days. Days of
  /// 25 s, months of 100 s.
  static let rules: [[Rule]] = {
    let day = Window.calendar(25_000)
    let month = Window.calendar(100_000)
    let shared = [
      Rule(
        holder: .shared(.team("t")), id: "month",
        caps: BudgetCaps(money: money(280), calls: 9), window: month),
      Rule(
        holder: .shared(.organisation("o")), id: "last 1m", caps: BudgetCaps(tokens: 90),
        window: .rolling(1)),
    ]
    return [
      [
        Rule(holder: .app, id: "day", caps: BudgetCaps(money: money(100)), window: day),
        Rule(
          holder: .app, id: "month", caps: BudgetCaps(money: money(230), tokens: 150),
          window: month),
        Rule(holder: .eachUser, id: "month", caps: BudgetCaps(calls: 3), window: month),
        Rule(
          holder: .tag(0), id: "last 2m", caps: BudgetCaps(money: money(90)),
          window: .rolling(2)),
      ] + shared,
      [
        Rule(
          holder: .app, id: "month", caps: BudgetCaps(money: money(101)), window: month,
          atCap: .throttle),
        Rule(holder: .eachKey, id: "minute", caps: BudgetCaps(calls: 2), window: .minute),
        Rule(
          holder: .environment("demo"), id: "purse", caps: BudgetCaps(money: money(40)),
          window: .purse(20_000..<150_000)),
        Rule(holder: .eachModel, id: "day", caps: BudgetCaps(tokens: 60), window: day),
        Rule(
          holder: .app, id: "day", caps: BudgetCaps(money: money(30)), window: day, atCap: .alert),
      ] + shared,
      [],
      [
        Rule(holder: .eachUser, id: "minute", caps: BudgetCaps(calls: 2), window: .minute),
        Rule(
          holder: .app, id: "last 44640m", caps: BudgetCaps(money: money(300)),
          window: .rolling(44_640)),
        Rule(
          holder: .eachModel, id: "last 2m", caps: BudgetCaps(money: money(120)),
          window: .rolling(2)),
      ],
    ]
  }()
  private static func money(_ nanodollars: Int64) -> Money { Money(nanodollars: nanodollars) }

  static let marks: [Int64] = [50, 80, 100]
  /// No calendar window is known from here on.
  static let end: Int64 = 1_000_000

  var calls: [Call] = []
  var isCapped = [false, false, false, false]
  var isIsolated = [false, false, false, false]
  var lastOrder: Int64 = 0
  var lastRepricing: Int64 = 0
  var latest: Int64 = 0

  // MARK: What a call draws on

  static func scope(_ rule: Rule, _ shape: CallShape) -> String? {
    let app = "app\(shape.app)"
    switch rule.holder {
    case .app: return app
    case .shared(let scope): return scope.text
    case .environment: return shape.isDemo ? "environment:\(app)/demo" : nil
    case .tag: return shape.isTagged ? "tag:\(app)/nightly" : nil
    case .eachKey: return "key:\(app)/\(shape.key)"
    case .eachUser: return "user:\(app)/\(shape.user)"
    case .eachModel: return "model:\(app)/\(shape.model == "n-2024-08-06" ? "n" : shape.model)"
    }
  }

  static func window(_ rule: Rule, _ at: Int64, _ rollingAt: Int64) -> String? {
    switch rule.window {
    case .calendar(let span): return at < end ? "\(at / span)" : nil
    case .minute: return "\(Timestamp(milliseconds: at / 60_000 * 60_000).iso8601.prefix(16))Z"
    case .purse(let life): return life.contains(at) ? "life" : nil
    case .rolling(let minutes):
      let slice = minutes * 5_000
      let start = Timestamp(milliseconds: rollingAt / slice * slice)
      return "\(start.iso8601.prefix(19))Z"
    }
  }

  /// What a call holds or was charged.
  static func amounts(of call: Call) -> (isSettled: Bool, Amounts) {
    if let charge = call.charge {
      // Without a charge of any kind it was released, and counts as no call.
      let isCall = charge >= 0
      return (
        true,
        isCall
          ? Amounts(money: money(charge), tokens: call.tokensUsed, calls: call.shape.calls) : .zero
      )
    }
    return (
      false,
      Amounts(
        money: money(call.shape.amount), tokens: call.shape.tokens ?? 0, calls: call.shape.calls)
    )
  }

  // MARK: Sums

  private func sum(_ taken: (Call) -> Bool) -> Ledger.Account {
    var sum = Ledger.Account()
    for call in calls where taken(call) {
      let (isSettled, amounts) = Self.amounts(of: call)
      if isSettled {
        sum.settled = sum.settled.addingClamped(amounts)
      } else {
        sum.reserved = sum.reserved.addingClamped(amounts)
      }
    }
    return sum
  }

  /// What a rule's cap is compared with at a moment.
  func total(_ rule: Rule, _ scope: String, _ at: Int64) -> Ledger.Account {
    sum { call in
      guard Self.draws(call, on: scope, rule) else { return false }
      if case .rolling(let minutes) = rule.window {
        let slice = minutes * 5_000
        return call.rollingAt / slice >= latest / slice - 12
      }
      return Self.window(rule, call.at, 0) == Self.window(rule, at, 0)
    }
  }

  /// The same over the exact length of a rolling window.
  func exactTotal(_ scope: String, _ rule: Rule, minutes: Int64) -> Ledger.Account {
    sum { Self.draws($0, on: scope, rule) && $0.rollingAt > latest - minutes * 60_000 }
  }

  private static func draws(_ call: Call, on scope: String, _ rule: Rule) -> Bool {
    call.accounts.contains { $0.budget == rule.id && $0.scope.text == scope }
  }

  /// The balances of every window that a call was made in.
  func sums() -> [AccountID: Ledger.Account] {
    var sums: [AccountID: Ledger.Account] = [:]
    for call in calls {
      let (isSettled, amounts) = Self.amounts(of: call)
      for id in call.accounts {
        if isSettled {
          sums[id, default: .init()].settled = (sums[id]?.settled ?? .zero).addingClamped(amounts)
        } else {
          sums[id, default: .init()].reserved =
            (sums[id]?.reserved ?? .zero).addingClamped(amounts)
        }
      }
    }
    return sums
  }

  /// Windows that began so long ago that nothing is counted in them any more: minutes two days ago,
  /// slices 35, for a window of 31 days reaches back over 31 and a twelfth of them. What an open
  /// call is counted in stays.
  mutating func forget(at now: Int64) {
    let held = Set(calls.filter { $0.charge == nil && !$0.shape.isFree }.flatMap(\.accounts))
    // What is open and holds nothing is counted in them when it ends.
    for index in calls.indices where calls[index].charge != nil {
      calls[index].accounts.removeAll { id in
        guard !held.contains(id), id.window.hasSuffix("Z") else { return false }
        let days: Int64 = id.window.count == 17 ? 2 : 35
        let cut = Timestamp(milliseconds: now - days * 86_400_000)
        return id.window < cut.iso8601
      }
    }
  }

  static func rule(of id: AccountID) -> Rule? {
    for (app, rules) in rules.enumerated() {
      for rule in rules where rule.id == id.budget {
        let text = id.scope.text
        switch rule.holder {
        case .app: if text == "app\(app)" { return rule }
        case .shared(let scope): if text == scope.text { return rule }
        case .environment: if text == "environment:app\(app)/demo" { return rule }
        case .tag: if text == "tag:app\(app)/nightly" { return rule }
        case .eachKey: if text.hasPrefix("key:app\(app)/") { return rule }
        case .eachUser: if text.hasPrefix("user:app\(app)/") { return rule }
        case .eachModel: if text.hasPrefix("model:app\(app)/") { return rule }
        }
      }
    }
    return nil
  }

  // MARK: The answer

  func answer(_ shape: CallShape, at: Int64) -> Answer {
    if isIsolated[shape.app] { return .denied("app_isolated") }
    if isCapped[shape.app] { return .denied("app_capped") }
    if shape.isFree { return .admitted }
    let rules = Self.rules[shape.app].filter { Self.scope($0, shape) != nil }
    for rule in rules where Self.window(rule, at, latest) == nil {
      if case .purse = rule.window { return .denied("purse_closed") }
      return .denied("window_unknown")
    }
    if shape.tokens == nil, rules.contains(where: { $0.caps.tokens != nil }) {
      return .denied("tokens_unbounded")
    }
    for rule in rules where rule.atCap != .alert {
      let scope = Self.scope(rule, shape) ?? ""
      let sum = total(rule, scope, at)
      let asked = Amounts(
        money: Self.money(shape.amount), tokens: shape.tokens ?? 0, calls: shape.calls)
      for unit in BudgetUnit.allCases {
        guard let cap = rule.caps[unit], asked[unit] > 0,
          sum.settled[unit] + sum.reserved[unit] + asked[unit] > cap
        else { continue }
        return .exhausted(
          scope: scope, budget: rule.id, settled: Amount(unit, count: sum.settled[unit]),
          reserved: Amount(unit, count: sum.reserved[unit]))
      }
    }
    return .admitted
  }

  // MARK: The same for the module

  static func policies() -> [AppPolicy] {
    rules.enumerated().map { app, rules in
      var policy = AppPolicy(
        app: "app\(app)",
        budgets: rules.map {
          Budget(
            $0.holder, id: $0.id, caps: $0.caps, windows: windows($0.window), atCap: $0.atCap)
        }, alertPercents: marks.map(Int.init))
      policy.tags = ["nightly"]
      return policy
    }
  }

  private static func windows(_ window: Window) -> BudgetWindows {
    switch window {
    case .minute: .minutes
    case .rolling(let minutes): .rolling(RollingWindow(minutes: minutes))
    case .purse(let life):
      .purse(
        WindowEdges(
          start: Timestamp(milliseconds: life.lowerBound),
          end: Timestamp(milliseconds: life.upperBound), id: "life", endText: "later"))
    case .calendar(let span):
      .calendar(
        (0..<(end / span)).map { index in
          WindowEdges(
            start: Timestamp(milliseconds: index * span),
            end: Timestamp(milliseconds: (index + 1) * span), id: "\(index)",
            endText: "at \((index + 1) * span)")
        })
    }
  }
}
