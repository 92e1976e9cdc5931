// What the page shows, as values: App fills them in, the page only lays them out.

import Metering

/// Every app, and the program's health, at one moment.
public struct Overview: Sendable {
  /// A budget's balance in its present window, in one unit.
  public struct BudgetLine: Sendable {
    /// `day`, `tag nightly: month`.
    public var name: String
    /// Of a part of the app's calls: that it is used up stops those alone.
    public var isPart: Bool
    public var settled: Amount
    public var reserved: Amount
    public var cap: Amount
    /// When the window ends, for people; empty: never.
    public var resetsAtText: String

    public init(
      name: String, isPart: Bool = false, settled: Amount, reserved: Amount, cap: Amount,
      resetsAtText: String
    ) {
      self.isPart = isPart
      self.name = name
      self.settled = settled
      self.reserved = reserved
      self.cap = cap
      self.resetsAtText = resetsAtText
    }
  }

  public enum State: Hashable, Sendable {
    case running
    /// Stopped from outside, by a person or a verdict.
    case capped(reason: String)
    /// Stopped at once, open calls included.
    case isolated(reason: String)
  }

  /// How a verdict is to be seen at a glance.
  public enum Tone: String, Sendable, CaseIterable {
    case good, watch, bad
    /// Nothing can be said: no power, unreadable.
    case unclear
  }

  /// The last word of the analyzer on an app.
  public struct VerdictLine: Sendable {
    /// `ok`, `drifted`, `no-power`, ….
    public var word: String
    public var tone: Tone
    /// What moved and how far, in one line; may be empty.
    public var detail: String
    /// When, for people.
    public var atText: String
    /// The report's path below the reports directory; nil: there is none.
    public var reportPath: String?

    public init(word: String, tone: Tone, detail: String, atText: String, reportPath: String?) {
      self.word = word
      self.tone = tone
      self.detail = detail
      self.atText = atText
      self.reportPath = reportPath
    }
  }

  public struct AppLine: Sendable {
    public var name: String
    public var owner: String
    public var state: State
    /// Empty: metered but not capped.
    public var budgets: [BudgetLine]
    /// In the overview's period.
    public var spent: Money
    public var calls: Int64
    public var errors: Int64
    public var refusals: Int64
    /// Calls whose usage is not known; shown where there are any, never as zero cost.
    public var unknownUsage: Int64
    public var verdict: VerdictLine?

    public init(
      name: String, owner: String, state: State, budgets: [BudgetLine], spent: Money,
      calls: Int64, errors: Int64, refusals: Int64, unknownUsage: Int64, verdict: VerdictLine?
    ) {
      self.name = name
      self.owner = owner
      self.state = state
      self.budgets = budgets
      self.spent = spent
      self.calls = calls
      self.errors = errors
      self.refusals = refusals
      self.unknownUsage = unknownUsage
      self.verdict = verdict
    }
  }

  /// What several apps share: a team's budgets, the organisation's.
  public struct SharedLine: Sendable {
    /// `team search`.
    public var name: String
    public var owner: String
    public var budgets: [BudgetLine]

    public init(name: String, owner: String, budgets: [BudgetLine]) {
      self.name = name
      self.owner = owner
      self.budgets = budgets
    }
  }

  /// One line on the program's own state.
  public struct HealthLine: Sendable {
    public var name: String
    public var value: String
    public var isFine: Bool

    public init(name: String, value: String, isFine: Bool) {
      self.name = name
      self.value = value
      self.isFine = isFine
    }
  }

  public var version: String
  /// The moment, for people.
  public var atText: String
  /// What calls, errors, refusals and spent are counted over: `today (UTC)`.
  public var periodText: String
  public var openCalls: Int
  public var apps: [AppLine]
  public var shared: [SharedLine]
  public var health: [HealthLine]

  public init(
    version: String, atText: String, periodText: String, openCalls: Int, apps: [AppLine],
    shared: [SharedLine] = [], health: [HealthLine]
  ) {
    self.version = version
    self.atText = atText
    self.periodText = periodText
    self.openCalls = openCalls
    self.apps = apps
    self.shared = shared
    self.health = health
  }
}
