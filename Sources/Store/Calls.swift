// Calls: one row per call, refused ones included, folded from the journal.
//
// This is what people ask questions of ("why was that call refused?"), so a refusal's row carries
// the numbers that it was decided on.

internal import GRDB
public import Metering

/// One call, as far as the journal has been folded.
public struct CallRow: Hashable, Sendable {
  public enum State: String, Hashable, Sendable, Codable, CaseIterable {
    case reserved, settled, released, expired, refused
  }

  public var call: CallID
  public var state: State
  public var app: String
  /// The virtual key's id; 0 where none was known.
  public var key: Int64
  public var upstream: String
  /// The model that the request named.
  public var model: String
  /// The model that the provider says it ran; empty where it did not say.
  public var responseModel: String = ""
  public var isStream: Bool = false
  /// When it was reserved or refused.
  public var at: Timestamp
  /// When it ended; nil while open.
  public var endedAt: Timestamp?
  /// Reserved at admission.
  public var estimate: Money = .zero
  /// The most that it could cost: what was reserved, or more where its app's holds are calibrated.
  public var most: Money = .zero
  public var charge: Money = .zero
  /// What it was charged when it ended, where it was charged anew since.
  public var firstCharge: Money?
  /// Whether it is known to which accounts it was charged; it is not of calls of older versions.
  public var hasKnownAccounts = false
  /// Of the model that answered.
  public var usage: Usage = .unknown
  /// The service tier that the provider says it used.
  public var serviceTier: String?
  /// What models beside the answering one used within the call.
  public var otherModels: [ModelUsage] = []
  /// The status that the caller saw; 0 where it saw none.
  public var status: Int = 0
  public var ending: CallEnding?
  public var durationMilliseconds: Int64 = 0
  /// -1 where no byte of an answer came.
  public var firstByteMilliseconds: Int64 = -1
  public var refusalCode: String?
  public var refusalMessage: String?
  /// The budget it did not fit into, where that was the reason.
  public var refusalBudget: BudgetRefusal?

  public init(
    call: CallID, state: State, app: String, key: Int64, upstream: String, model: String,
    at: Timestamp
  ) {
    self.call = call
    self.state = state
    self.app = app
    self.key = key
    self.upstream = upstream
    self.model = model
    self.at = at
  }
}

extension LedgerEvent {
  /// The call that this event ends; nil where it ends none.
  var endedCall: CallID? {
    switch kind {
    case .settled(let settled): settled.call
    case .released(let call, _), .expired(let call, _): call
    case .reserved, .refused, .capped, .isolated, .repriced, .followed, .forgotten: nil
    }
  }
}

/// A call's last event.
struct CallEnd {
  var call: CallID
  var state: CallRow.State
  var at: Timestamp
  var charge: Money
  var outcome: CallOutcome?

  init?(_ event: LedgerEvent) {
    at = event.at
    charge = .zero
    switch event.kind {
    case .settled(let settled):
      (call, state, charge, outcome) = (settled.call, .settled, settled.charge, settled.outcome)
    case .released(let call, let outcome):
      (self.call, state, self.outcome) = (call, .released, outcome)
    case .expired(let call, let charge):
      (self.call, state, self.charge) = (call, .expired, charge)
    case .reserved, .refused, .capped, .isolated, .repriced, .followed, .forgotten:
      return nil
    }
  }
}

extension StoreDatabase {
  /// One call; nil where it is unknown or has aged out.
  public func call(_ id: CallID) throws(StoreFault) -> CallRow? {
    try read("reading a call") { db in
      try Self.calls(db, condition: "call = ?", arguments: [Int64(id.number)], limit: 1).first
    }
  }

  /// The latest calls, newest first.
  /// - Parameters:
  ///   - app: only this app's.
  ///   - state: only those in this state.
  public func calls(
    app: String? = nil, state: CallRow.State? = nil, since: Timestamp? = nil,
    until: Timestamp? = nil, limit: Int = 1000
  ) throws(StoreFault) -> [CallRow] {
    try read("reading calls") { db in
      try Self.calls(
        db,
        condition: """
          (?1 IS NULL OR app = ?1) AND (?2 IS NULL OR state = ?2)
          AND at >= ?3 AND at < ?4
          """,
        arguments: [
          app, state?.rawValue, since?.milliseconds ?? .min, until?.milliseconds ?? .max,
        ],
        limit: limit)
    }
  }

  private static func calls(
    _ db: Database, condition: String, arguments: StatementArguments, limit: Int
  ) throws -> [CallRow] {
    var calls = try Row.fetchAll(
      db,
      sql: """
        SELECT \(callColumnsRead) FROM calls
        WHERE \(condition) ORDER BY at DESC, call DESC LIMIT \(limit)
        """,
      arguments: arguments
    ).map(CallRow.init(row:))
    try readUnits(of: &calls, db)
    return calls
  }
}
