// A budget: hard caps on what the calls of a scope may use per window.

/// The most that a scope may use per window, in each unit that is capped.
public struct BudgetCaps: Hashable, Sendable {
  public var money: Money?
  public var tokens: Int64?
  public var calls: Int64?

  public init(money: Money? = nil, tokens: Int64? = nil, calls: Int64? = nil) {
    self.money = money
    self.tokens = tokens
    self.calls = calls
  }

  public var isEmpty: Bool { money == nil && tokens == nil && calls == nil }

  /// Nanodollars, tokens or calls; nil: this unit has no cap.
  public subscript(unit: BudgetUnit) -> Int64? {
    switch unit {
    case .money: money?.nanodollars
    case .tokens: tokens
    case .calls: calls
    }
  }

  /// The first unit in which an amount does not fit onto a sum; nil: it fits. A unit of which
  /// nothing is asked is no reason to refuse, even where its sum is over the cap.
  @inline(__always)
  func unitPassed(by amounts: Amounts, onto sum: Amounts) -> BudgetUnit? {
    if let money, amounts.money > .zero {
      guard let after = sum.money.adding(amounts.money), after <= money else { return .money }
    }
    if let tokens, Self.isPassed(tokens, sum.tokens, amounts.tokens) { return .tokens }
    if let calls, Self.isPassed(calls, sum.calls, amounts.calls) { return .calls }
    return nil
  }

  @inline(__always)
  private static func isPassed(_ cap: Int64, _ sum: Int64, _ amount: Int64) -> Bool {
    guard amount > 0 else { return false }
    let (after, isOver) = sum.addingReportingOverflow(amount)
    return isOver || after > cap
  }
}

/// Hard caps on what the calls of a scope use per window.
public struct Budget: Hashable, Sendable {
  public var holder: BudgetHolder
  /// Unique within its scope: `day`, `month`, `last 24h`.
  public var id: String
  public var caps: BudgetCaps
  public var windows: BudgetWindows
  /// Marks that alert, in percent of each cap, ascending; nil: those of the app.
  public var alertPercents: [Int]?
  public var atCap: AtCap

  public init(
    _ holder: BudgetHolder, id: String, caps: BudgetCaps, windows: BudgetWindows,
    alertPercents: [Int]? = nil, atCap: AtCap = .deny
  ) {
    self.holder = holder
    self.id = id
    self.caps = caps
    self.windows = windows
    self.alertPercents = alertPercents
    self.atCap = atCap
  }

  /// A cap on the app's own spend by the calendar.
  public init(id: String, cap: Money, windows: [WindowEdges]) {
    self.init(.app, id: id, caps: BudgetCaps(money: cap), windows: .calendar(windows))
  }

  /// The window that a call of this moment is counted in.
  public func window(at now: Timestamp) -> WindowEdges? { windows.window(at: now) }
}

/// What admission needs to know of an app.
public struct AppPolicy: Sendable {
  public var app: String
  /// All that a call may draw on, shared ones included. Empty: metered but not capped.
  public var budgets: [Budget]
  /// Models the app may call; nil: all. An entry that ends in `*` matches by prefix.
  public var models: [String]?
  /// Bound of each answer's output tokens where the request names none; nil: the model's own
  /// maximum. It is put into the request of a budgeted app, so that the upstream obeys it.
  public var outputTokensDefault: Int64?
  /// The smallest bound that is put in where the default one does not fit into what is left; nil:
  /// the call is refused then.
  public var fitTokensMin: Int64?
  /// Whether a bound of the caller's own is lowered so, too.
  public var fitsCallersBound = false
  /// What is tried in place of a call that a budget with `AtCap.degrade` has no room for.
  public var substitute: Substitute?
  /// How its calls' money is held; nil: at the most that they can cost.
  public var calibration: Calibration?
  /// Budget marks that alert, in percent of the cap, ascending.
  public var alertPercents: [Int]
  /// The tags that its calls may carry, at most `TagSet.countMax`.
  public var tags: [String] = []
  public var rates = RateLimits()
  /// Those that each of its keys has.
  public var ratesPerKey = RateLimits()
  /// The environment of keys that were issued for none.
  public var environment = AppPolicy.usualEnvironment

  public static let usualEnvironment = "production"

  public init(
    app: String, budgets: [Budget], models: [String]? = nil, outputTokensDefault: Int64? = nil,
    alertPercents: [Int] = [50, 80, 100]
  ) {
    self.app = app
    self.budgets = budgets
    self.models = models
    self.outputTokensDefault = outputTokensDefault
    self.alertPercents = alertPercents
  }

  public var isBudgeted: Bool { !budgets.isEmpty }

  public var limitsTokenRate: Bool {
    rates.tokensPerMinute != nil || ratesPerKey.tokensPerMinute != nil
  }

  public var isThrottled: Bool { !rates.isEmpty || !ratesPerKey.isEmpty }

  public func allows(model: String) -> Bool {
    guard let models else { return true }
    return models.contains { rule in
      rule.hasSuffix("*") ? model.hasPrefix(rule.dropLast()) : rule == model
    }
  }
}
