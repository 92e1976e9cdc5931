// The ledger's events: what the journal records and what every view is folded from.

/// A call's number: the journal sequence of its first event, so unique for ever and ascending.
public struct CallID: Hashable, Comparable, Sendable, Codable {
  public var number: UInt64

  public init(_ number: UInt64) { self.number = number }

  public static func < (left: CallID, right: CallID) -> Bool { left.number < right.number }
}

/// One counter: a budget of a scope in one window. The window is part of the key, so that nothing
/// is ever reset.
public struct AccountID: Hashable, Sendable, Codable {
  public var scope: BudgetScope
  public var budget: String
  public var window: String

  public init(scope: BudgetScope, budget: String, window: String) {
    self.scope = scope
    self.budget = budget
    self.window = window
  }

  public init(app: String, budget: String, window: String) {
    self.init(scope: .app(app), budget: budget, window: window)
  }

  private enum CodingKeys: String, CodingKey {
    /// As it stands in stores from before there were other scopes.
    case scope = "app"
    case budget, window
  }
}

/// How a call ended.
public enum CallEnding: UInt8, Sendable, Codable, CaseIterable {
  case completed = 0
  case upstreamError = 1
  case clientGone = 2
  case timeout = 3
  case shutdown = 4
  case upstreamUnreachable = 5
  /// Its app was isolated in mid-call.
  case isolated = 6
  /// Its answer went beyond what the call may cost, and was cut there.
  case overBound = 7

  public var name: String {
    switch self {
    case .completed: "completed"
    case .upstreamError: "upstream_error"
    case .clientGone: "client_gone"
    case .timeout: "timeout"
    case .shutdown: "shutdown"
    case .upstreamUnreachable: "upstream_unreachable"
    case .isolated: "isolated"
    case .overBound: "over_bound"
    }
  }
}

/// What is known of a call when it ends.
public struct CallOutcome: Hashable, Sendable, Codable {
  /// The status that the caller saw; 0 where it saw none.
  public var status: UInt16
  public var ending: CallEnding
  /// Of the model that answered; see `otherModels`.
  public var usage: Usage
  /// The model that the provider says it ran; empty where it did not say.
  public var responseModel: String
  /// The service tier that the provider says it used; nil where it did not say.
  public var serviceTier: String?
  /// What models beside the answering one consumed within the call.
  public var otherModels: [ModelUsage]
  public var durationMilliseconds: Int64
  /// From the request's last byte to the answer's first; -1 where none came.
  public var firstByteMilliseconds: Int64

  public init(
    status: UInt16, ending: CallEnding, usage: Usage, responseModel: String,
    serviceTier: String? = nil, otherModels: [ModelUsage] = [], durationMilliseconds: Int64,
    firstByteMilliseconds: Int64
  ) {
    self.status = status
    self.ending = ending
    self.usage = usage
    self.responseModel = responseModel
    self.serviceTier = serviceTier
    self.otherModels = otherModels
    self.durationMilliseconds = durationMilliseconds
    self.firstByteMilliseconds = firstByteMilliseconds
  }
}

/// A journaled change. Applying an event whose sequence is not above the last one changes nothing.
public struct LedgerEvent: Hashable, Sendable {
  public struct Reserved: Hashable, Sendable {
    public var call: CallID
    public var app: String
    public var key: Int64
    public var upstream: String
    public var model: String
    public var isStream: Bool
    /// Held by each of the accounts.
    public var amounts: Amounts
    public var accounts: [AccountID]
    /// The most that it may cost: what it holds, or more where its app's holds are calibrated.
    public var most: Money

    /// - Parameter most: nil: what it holds.
    public init(
      call: CallID, app: String, key: Int64, upstream: String, model: String, isStream: Bool,
      amounts: Amounts, accounts: [AccountID], most: Money? = nil
    ) {
      self.call = call
      self.app = app
      self.key = key
      self.upstream = upstream
      self.model = model
      self.isStream = isStream
      self.amounts = amounts
      self.accounts = accounts
      self.most = most ?? amounts.money
    }
  }

  public struct Settled: Hashable, Sendable {
    public var call: CallID
    public var charge: Money
    public var outcome: CallOutcome

    public init(call: CallID, charge: Money, outcome: CallOutcome) {
      self.call = call
      self.charge = charge
      self.outcome = outcome
    }
  }

  public struct Refused: Hashable, Sendable {
    public var call: CallID
    public var app: String
    public var key: Int64
    public var upstream: String
    public var model: String
    public var status: UInt16
    public var code: String
    public var message: String
    public var budget: BudgetRefusal?

    public init(
      call: CallID, app: String, key: Int64, upstream: String, model: String, status: UInt16,
      code: String, message: String, budget: BudgetRefusal?
    ) {
      self.call = call
      self.app = app
      self.key = key
      self.upstream = upstream
      self.model = model
      self.status = status
      self.code = code
      self.message = message
      self.budget = budget
    }
  }

  public enum Kind: Hashable, Sendable {
    case reserved(Reserved)
    case settled(Settled)
    /// Ended without a charge, with the reason: the upstream refused, or was never reached.
    case released(CallID, CallOutcome)
    /// Charged at its estimate, because the process died with it open.
    case expired(CallID, charge: Money)
    /// Indirect: it is the largest and the rarest, and every event would be as large.
    indirect case refused(Refused)
    /// An order from outside was applied; nil reason: the app runs again, whatever had stopped it.
    case capped(app: String, reason: String?, order: Int64)
    /// The app was stopped at once, its open calls included.
    indirect case isolated(app: String, Isolation)
    /// Calls that ended before are charged anew.
    indirect case repriced(Repricing)
    /// Answered, while its work goes on at the provider: its reservation stays open until the job
    /// ends, restarts included.
    indirect case followed(CallID, FollowedJob)
    /// The windows that were long over at the event's time are forgotten.
    case forgotten
  }

  public var sequence: UInt64
  public var at: Timestamp
  public var kind: Kind

  public init(sequence: UInt64, at: Timestamp, kind: Kind) {
    self.sequence = sequence
    self.at = at
    self.kind = kind
  }
}
