// Repricings: charges to be made anew, asked for from outside and applied by the gateway alone.
//
// They wait in a queue of their own, not among the orders: an order to stop an app must not stand
// behind a month's calls.

internal import GRDB
public import Metering

/// What a repricing is about, for the record; it stays when its calls are done.
public struct RepricingRecord: Hashable, Sendable {
  /// Ascending and never reused.
  public var number: Int64
  public var at: Timestamp
  /// Who asked for it.
  public var actor: String
  public var reason: String
  public var calls: Int64
  /// By what all charges together move.
  public var difference: Money
}

extension StoreDatabase {
  /// More calls than this are asked for in several repricings: each is one event, applied under
  /// the lock that admits calls, and one record of the journal.
  public static let repricingCallsMax = 5_000

  /// Asks for calls to be charged anew.
  ///
  /// - Parameters:
  ///   - charges: by call, what it is to be charged from now on; at most `repricingCallsMax`.
  ///   - difference: what that moves together, for the record.
  /// - Returns: the repricing's number.
  @discardableResult
  public func placeRepricing(
    _ charges: [Repricing.Charge], difference: Money, actor: String, reason: String,
    at now: Timestamp
  ) throws(StoreFault) -> Int64 {
    try write("placing a repricing") { db in
      try db.execute(
        sql: """
          INSERT INTO repricings (at, actor, reason, calls, difference) VALUES (?, ?, ?, ?, ?)
          """,
        arguments: [now.milliseconds, actor, reason, charges.count, difference.nanodollars])
      let number = db.lastInsertedRowID
      let insertion = try db.cachedStatement(
        sql: "INSERT INTO repricing_calls (repricing, call, charge) VALUES (?, ?, ?)")
      for charge in charges {
        try insertion.execute(arguments: [
          number, Int64(charge.call.number), charge.charge.nanodollars,
        ])
      }
      return number
    }
  }

  /// The first repricing above a number, with what it moves as the calls stand now; nil where there
  /// is none.
  ///
  /// Calls that have aged out, that have not ended, or whose accounts are not known are left out.
  /// The fold must have reached the last repricing before this one: else its calls' charges are
  /// read as they were before it.
  public func nextRepricing(after number: Int64) throws(StoreFault) -> Repricing? {
    try read("reading a repricing") { db in
      let next = try Int64.fetchOne(
        db.cachedStatement(
          sql: "SELECT number FROM repricings WHERE number > ? ORDER BY number LIMIT 1"),
        arguments: [number])
      guard let next else { return nil }
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT call, repricing_calls.charge, calls.charge, account_set
          FROM repricing_calls JOIN calls USING (call)
          WHERE repricing = ? AND state = 'settled' AND account_set IS NOT NULL
          ORDER BY call
          """,
        arguments: [next])
      var repricing = Repricing(number: next, charges: [], differences: [])
      var moved: [Int64: Money] = [:]
      while let row = try rows.next() {
        let (charge, before) = (row[1] as Int64, row[2] as Int64)
        let change = charge.subtractingReportingOverflow(before)
        guard change.partialValue != 0, !change.overflow else { continue }
        repricing.charges.append(
          Repricing.Charge(
            call: CallID(UInt64(row[0] as Int64)), charge: Money(nanodollars: charge)))
        let amount = Money(nanodollars: change.partialValue)
        moved[row[3], default: .zero] = moved[row[3], default: .zero].addingClamped(amount)
      }
      repricing.differences = try Self.differences(db, moved)
      return repricing
    }
  }

  private static func differences(
    _ db: Database, _ moved: [Int64: Money]
  ) throws -> [Repricing.Difference] {
    var sums: [AccountID: Money] = [:]
    for (number, amount) in moved {
      for account in try AccountSets.accounts(db, number: number) ?? [] {
        sums[account] = sums[account, default: .zero].addingClamped(amount)
      }
    }
    return sums.filter { $0.value != .zero }
      .map { Repricing.Difference(account: $0.key, amount: $0.value) }
      .sorted {
        let (left, right) = ($0.account, $1.account)
        return (left.scope.text, left.budget, left.window)
          < (right.scope.text, right.budget, right.window)
      }
  }

  /// The highest number of a repricing that the fold has applied; 0 before the first.
  public func repricedThrough() throws(StoreFault) -> Int64 {
    try read("reading the ledger") { db in
      try Int64.fetchOne(db, sql: "SELECT last_repricing FROM ledger_state") ?? 0
    }
  }

  /// The latest repricings, newest first.
  public func repricings(limit: Int = 100) throws(StoreFault) -> [RepricingRecord] {
    try read("reading repricings") { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT number, at, actor, reason, calls, difference FROM repricings
          ORDER BY number DESC LIMIT ?
          """,
        arguments: [limit]
      ).map {
        RepricingRecord(
          number: $0[0], at: Timestamp(milliseconds: $0[1]), actor: $0[2], reason: $0[3],
          calls: $0[4], difference: Money(nanodollars: $0[5]))
      }
    }
  }

  static func createRepricings(_ db: Database) throws {
    // AUTOINCREMENT: a number must never come back.
    try db.execute(
      sql: """
        CREATE TABLE repricings (
          number INTEGER PRIMARY KEY AUTOINCREMENT,
          at INTEGER NOT NULL,
          actor TEXT NOT NULL,
          reason TEXT NOT NULL,
          calls INTEGER NOT NULL,
          difference INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE repricing_calls (
          repricing INTEGER NOT NULL REFERENCES repricings (number) ON DELETE CASCADE,
          call INTEGER NOT NULL,
          charge INTEGER NOT NULL,
          PRIMARY KEY (repricing, call)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE account_sets (
          number INTEGER PRIMARY KEY,
          accounts TEXT NOT NULL UNIQUE
        ) STRICT;
        ALTER TABLE calls ADD COLUMN account_set INTEGER;
        ALTER TABLE calls ADD COLUMN first_charge INTEGER;
        ALTER TABLE ledger_state ADD COLUMN last_repricing INTEGER NOT NULL DEFAULT 0;
        """)
  }
}
