// What the admin page shows of the gateway: a copy taken under the lock, in one instant.

import Metering

/// Every app's state at one moment.
public struct GatewaySnapshot: Sendable {
  public struct AppState: Hashable, Sendable {
    public var app: String
    /// The app's own, its environments' and its tags'; those that each key, user or model has are
    /// not listed.
    public var budgets: [BudgetBalance]
    /// Why the app is capped from outside; nil where it is not.
    public var cappedReason: String?
    /// Who stopped the app at once, and why; nil where nobody did.
    public var isolation: Isolation?
    public var counts: AppCounts
  }

  public var at: Timestamp
  public var apps: [AppState]
  /// Budgets of teams and the organisation, each once.
  public var shared: [BudgetBalance]
  /// Reservations that are open now.
  public var openCalls: Int
  public var isJournalWritable: Bool
}

/// What an app did since the gateway started.
public struct AppCounts: Hashable, Sendable {
  /// Calls that ended, refused ones included.
  public var calls: Int64 = 0
  public var refusals: Int64 = 0
  /// Calls that the upstream did not answer well.
  public var errors: Int64 = 0
  /// Calls whose charge is an estimate.
  public var estimated: Int64 = 0
  /// Calls that cost more than was reserved for them; charged in full.
  public var debts: Int64 = 0

  public init() {}
}

extension AppCounts {
  mutating func countRefusal() {
    calls += 1
    refusals += 1
  }

  mutating func count(_ bill: AdmissionDesk.Bill) {
    calls += 1
    switch bill.outcome.ending {
    case .completed, .clientGone, .isolated: break
    case .upstreamError, .timeout, .shutdown, .upstreamUnreachable, .overBound: errors += 1
    }
    if bill.outcome.usage.source == .estimated { estimated += 1 }
    if bill.charge > bill.reserved, bill.reserved > .zero { debts += 1 }
  }
}
