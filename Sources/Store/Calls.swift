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
  public var charge: Money = .zero
  public var usage: Usage = .unknown
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

extension CallRow {
  /// The row that a call's first event makes; nil for any other event.
  init?(first event: LedgerEvent) {
    switch event.kind {
    case .reserved(let reserved):
      self.init(
        call: reserved.call, state: .reserved, app: reserved.app, key: reserved.key,
        upstream: reserved.upstream, model: reserved.model, at: event.at)
      isStream = reserved.isStream
      estimate = reserved.amount
    case .refused(let refused):
      self.init(
        call: refused.call, state: .refused, app: refused.app, key: refused.key,
        upstream: refused.upstream, model: refused.model, at: event.at)
      endedAt = event.at
      status = Int(refused.status)
      refusalCode = refused.code
      refusalMessage = refused.message
      refusalBudget = refused.budget
      estimate = refused.budget?.estimate ?? .zero
    case .settled, .released, .expired, .capped:
      return nil
    }
  }

  /// Applies a call's last event.
  mutating func end(_ end: CallEnd) {
    state = end.state
    endedAt = end.at
    charge = end.charge
    guard let outcome = end.outcome else {
      // Charged at its estimate: what was used will never be known.
      usage = .unknown
      return
    }
    usage = outcome.usage
    responseModel = outcome.responseModel
    status = Int(outcome.status)
    ending = outcome.ending
    durationMilliseconds = outcome.durationMilliseconds
    firstByteMilliseconds = outcome.firstByteMilliseconds
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
    case .reserved, .refused, .capped:
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
    try Row.fetchAll(
      db,
      sql: """
        SELECT \(callColumns.joined(separator: ", ")) FROM calls
        WHERE \(condition) ORDER BY at DESC, call DESC LIMIT \(limit)
        """,
      arguments: arguments
    ).map(CallRow.init(row:))
  }

  /// Inserts and updates the rows of a fold's events.
  ///
  /// A call that begins and ends in one batch, as most do, is one insert with its final values.
  static func writeCalls(_ db: Database, events: [LedgerEvent]) throws {
    var begun: [CallID: CallRow] = [:]
    var order: [CallID] = []
    var ends: [CallEnd] = []
    for event in events {
      if let row = CallRow(first: event) {
        if begun.updateValue(row, forKey: row.call) == nil { order.append(row.call) }
      } else if let end = CallEnd(event) {
        if begun[end.call]?.state == .reserved {
          begun[end.call]?.end(end)
        } else if begun[end.call] == nil {
          ends.append(end)
        }
      }
    }
    let insertion = try db.cachedStatement(sql: insertCallSQL)
    for call in order {
      if let row = begun[call] { try insertion.execute(arguments: row.arguments) }
    }
    let select = try db.cachedStatement(
      sql: """
        SELECT \(callColumns.joined(separator: ", ")) FROM calls
        WHERE call = ? AND state = 'reserved'
        """)
    for end in ends {
      let found = try Row.fetchOne(select, arguments: [Int64(end.call.number)])
      guard var row = found.map(CallRow.init(row:)) else { continue }
      row.end(end)
      try insertion.execute(arguments: row.arguments)
    }
  }
}
