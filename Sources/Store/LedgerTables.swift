// The ledger as tables: a view folded from the journal, so that a start reads a checkpoint and a
// short tail instead of all that ever happened.
//
// The fold applies events with `Ledger.apply` itself, on the rows that they touch, and writes back
// what changed: the tables cannot follow other rules than the ledger in memory.

internal import GRDB
public import Metering

extension StoreDatabase {
  /// The ledger as of the last fold.
  public func checkpoint() throws(StoreFault) -> Ledger {
    try read("reading the ledger") { db in
      var ledger = try Self.ledgerHead(db)
      let accounts = try Row.fetchCursor(
        db, sql: "SELECT scope, budget, window, \(Self.amountColumns) FROM accounts")
      var balances: [AccountID: Ledger.Account] = [:]
      while let row = try accounts.next() {
        balances[Self.accountID(row)] = Self.account(row)
      }
      let calls = try Int64.fetchAll(db, sql: "SELECT call FROM open_reservations")
      let open = try Self.openReservations(db, calls: calls.map { CallID(UInt64($0)) })
      ledger = Ledger(
        accounts: balances, open: open, followed: try Self.followedJobs(db),
        capped: ledger.capped, isolated: ledger.isolated, lastOrder: ledger.lastOrder,
        lastRepricing: ledger.lastRepricing, lastSequence: ledger.lastSequence)
      return ledger
    }
  }

  /// The sequence of the last event folded; 0 before the first.
  public func foldedThrough() throws(StoreFault) -> UInt64 {
    try read("reading the ledger") { db in try Self.ledgerHead(db).lastSequence }
  }

  /// Applies events to accounts, open reservations, followed jobs, capped apps and calls, in one
  /// transaction.
  ///
  /// Events at or below the last folded sequence change nothing, so that a batch may be folded
  /// again after a failure of which it is not known whether it came before or after the commit.
  ///
  /// - Parameter events: ascending by sequence, without gaps.
  /// - Returns: how many were new.
  /// - Throws: `journalGap` where an event before the first new one is missing; `busy`, `readOnly`,
  ///   `full` and so on, with nothing changed.
  @discardableResult
  public func fold(_ events: [LedgerEvent]) throws(StoreFault) -> Int {
    guard !events.isEmpty else { return 0 }
    return try write("folding the journal") { db in
      let head = try Self.ledgerHead(db)
      let new = events.drop { $0.sequence <= head.lastSequence }
      guard !new.isEmpty else { return 0 }
      try Self.checkContiguous(new, after: head.lastSequence)
      let (before, touched) = try Self.touchedLedger(db, head: head, events: new)
      var after = before
      for event in new { after.apply(event) }
      try Self.writeAccounts(db, touched, before: before, after: after)
      try Self.writeOpen(db, before: before, after: after)
      try Self.writeFollowed(db, before: before, after: after)
      try Self.writeHead(db, before: before, after: after)
      var calls = try CallWriter(db)
      try calls.write(new)
      return new.count
    }
  }

  private static func checkContiguous(_ events: ArraySlice<LedgerEvent>, after last: UInt64) throws
  {
    var expected = last + 1
    for event in events {
      guard event.sequence == expected else {
        throw StoreFault(
          .journalGap, "Event \(expected) is missing: the fold was handed \(event.sequence)",
          hint: "The journal and the database do not belong together; restore both from one "
            + "backup.")
      }
      expected += 1
    }
  }

  /// Sequence, last order and stopped apps; no accounts.
  private static func ledgerHead(_ db: Database) throws -> Ledger {
    var capped: [String: String] = [:]
    for row in try Row.fetchAll(db.cachedStatement(sql: "SELECT app, reason FROM capped_apps")) {
      capped[row[0]] = row[1]
    }
    let state = try Row.fetchOne(
      db.cachedStatement(
        sql: "SELECT last_sequence, last_order, last_repricing FROM ledger_state"))
    let sequence: Int64 = state?[0] ?? 0
    return Ledger(
      capped: capped, isolated: try isolatedApps(db), lastOrder: state?[1] ?? 0,
      lastRepricing: state?[2] ?? 0,
      lastSequence: UInt64(sequence))
  }

  /// The part of the ledger that these events can change, and its accounts.
  private static func touchedLedger(
    _ db: Database, head: Ledger, events: ArraySlice<LedgerEvent>
  ) throws -> (ledger: Ledger, touched: Set<AccountID>) {
    // Calls that were open before: a call's number is the sequence of its first event.
    let first = events.first?.sequence ?? 0
    var earlier: [CallID] = []
    var ids: Set<AccountID> = []
    // Calls of one app name the same accounts for as long as a window lasts.
    var latest: [AccountID] = []
    for event in events {
      switch event.kind {
      case .reserved(let reserved):
        if reserved.accounts != latest {
          ids.formUnion(reserved.accounts)
          latest = reserved.accounts
        }
      case .settled, .released, .expired:
        if let call = event.endedCall, call.number < first { earlier.append(call) }
      case .followed(let call, _): if call.number < first { earlier.append(call) }
      case .repriced(let repricing): ids.formUnion(repricing.differences.map(\.account))
      case .forgotten:
        ids.formUnion(try accountIDs(db).filter(LongOver(at: event.at).contains))
      case .refused, .capped, .isolated: break
      }
    }
    let open = try openReservations(db, calls: earlier)
    for reservation in open.values { ids.formUnion(reservation.accounts) }
    var accounts: [AccountID: Ledger.Account] = [:]
    let statement = try db.cachedStatement(
      sql: """
        SELECT scope, budget, window, \(amountColumns) FROM accounts
        WHERE scope = ? AND budget = ? AND window = ?
        """)
    for id in ids {
      let row = try Row.fetchOne(statement, arguments: [id.scope.text, id.budget, id.window])
      if let row { accounts[id] = account(row) }
    }
    let ledger = Ledger(
      accounts: accounts, open: open, capped: head.capped, isolated: head.isolated,
      lastOrder: head.lastOrder, lastRepricing: head.lastRepricing, lastSequence: head.lastSequence)
    return (ledger, ids)
  }

  /// All there are: what is forgotten is told by its name.
  private static func accountIDs(_ db: Database) throws -> [AccountID] {
    try Row.fetchAll(db, sql: "SELECT scope, budget, window FROM accounts").map(accountID)
  }

  private static func account(_ row: Row) -> Ledger.Account {
    Ledger.Account(
      settled: Amounts(money: Money(nanodollars: row[3]), tokens: row[5], calls: row[7]),
      reserved: Amounts(money: Money(nanodollars: row[4]), tokens: row[6], calls: row[8]))
  }

  /// In the order of `account`, behind the three of `accountID`.
  private static let amountColumns = """
    settled, reserved, settled_tokens, reserved_tokens, settled_calls, reserved_calls
    """

  private static func accountID(_ row: Row) -> AccountID {
    AccountID(scope: BudgetScope(text: row[0]), budget: row[1], window: row[2])
  }

  private static func openReservations(
    _ db: Database, calls: [CallID]
  ) throws -> [CallID: Ledger.OpenReservation] {
    guard !calls.isEmpty else { return [:] }
    let reservation = try db.cachedStatement(
      sql: "SELECT app, amount, tokens, calls FROM open_reservations WHERE call = ?")
    let accounts = try db.cachedStatement(
      sql: """
        SELECT scope, budget, window FROM open_accounts WHERE call = ? ORDER BY position
        """)
    var open: [CallID: Ledger.OpenReservation] = [:]
    for call in calls {
      let number = Int64(call.number)
      guard let row = try Row.fetchOne(reservation, arguments: [number]) else { continue }
      let ids = try Row.fetchAll(accounts, arguments: [number]).map(accountID)
      open[call] = Ledger.OpenReservation(
        app: row[0],
        amounts: Amounts(money: Money(nanodollars: row[1]), tokens: row[2], calls: row[3]),
        accounts: ids)
    }
    return open
  }

  private static func writeAccounts(
    _ db: Database, _ touched: Set<AccountID>, before: Ledger, after: Ledger
  ) throws {
    let statement = try db.cachedStatement(
      sql: """
        INSERT INTO accounts (scope, budget, window, \(amountColumns))
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (scope, budget, window)
        DO UPDATE SET settled = excluded.settled, reserved = excluded.reserved,
          settled_tokens = excluded.settled_tokens, reserved_tokens = excluded.reserved_tokens,
          settled_calls = excluded.settled_calls, reserved_calls = excluded.reserved_calls
        """)
    let deletion = try db.cachedStatement(
      sql: "DELETE FROM accounts WHERE scope = ? AND budget = ? AND window = ?")
    for id in touched where before.account(id) != after.account(id) {
      let account = after.account(id)
      guard account != Ledger.Account() else {
        try deletion.execute(arguments: [id.scope.text, id.budget, id.window])
        continue
      }
      try statement.execute(arguments: [
        id.scope.text, id.budget, id.window,
        account.settled.money.nanodollars, account.reserved.money.nanodollars,
        account.settled.tokens, account.reserved.tokens,
        account.settled.calls, account.reserved.calls,
      ])
    }
  }

  private static func writeOpen(_ db: Database, before: Ledger, after: Ledger) throws {
    let (before, after) = (before.open, after.open)
    let deletion = try db.cachedStatement(sql: "DELETE FROM open_reservations WHERE call = ?")
    for call in before.keys where after[call] == nil {
      try deletion.execute(arguments: [Int64(call.number)])
    }
    let reservation = try db.cachedStatement(
      sql: """
        INSERT INTO open_reservations (call, app, amount, tokens, calls) VALUES (?, ?, ?, ?, ?)
        """)
    let account = try db.cachedStatement(
      sql: """
        INSERT INTO open_accounts (call, position, scope, budget, window) VALUES (?, ?, ?, ?, ?)
        """)
    for (call, open) in after where before[call] == nil {
      let number = Int64(call.number)
      let amounts = open.amounts
      try reservation.execute(arguments: [
        number, open.app, amounts.money.nanodollars, amounts.tokens, amounts.calls,
      ])
      for (position, id) in open.accounts.enumerated() {
        try account.execute(arguments: [number, position, id.scope.text, id.budget, id.window])
      }
    }
  }

  private static func writeHead(_ db: Database, before: Ledger, after: Ledger) throws {
    for app in before.capped.keys where after.capped[app] == nil {
      try db.execute(sql: "DELETE FROM capped_apps WHERE app = ?", arguments: [app])
    }
    for (app, reason) in after.capped where before.capped[app] != reason {
      try db.execute(
        sql: """
          INSERT INTO capped_apps (app, reason) VALUES (?, ?)
          ON CONFLICT (app) DO UPDATE SET reason = excluded.reason
          """,
        arguments: [app, reason])
    }
    try writeIsolated(db, before: before, after: after)
    let state = try db.cachedStatement(
      sql: "UPDATE ledger_state SET last_sequence = ?, last_order = ?, last_repricing = ?")
    try state.execute(arguments: [
      Int64(after.lastSequence), after.lastOrder, after.lastRepricing,
    ])
  }

  static func createLedger(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE accounts (
          app TEXT NOT NULL,
          budget TEXT NOT NULL,
          window TEXT NOT NULL,
          settled INTEGER NOT NULL,
          reserved INTEGER NOT NULL,
          PRIMARY KEY (app, budget, window)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE open_reservations (
          call INTEGER PRIMARY KEY,
          app TEXT NOT NULL,
          amount INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE open_accounts (
          call INTEGER NOT NULL REFERENCES open_reservations (call) ON DELETE CASCADE,
          position INTEGER NOT NULL,
          app TEXT NOT NULL,
          budget TEXT NOT NULL,
          window TEXT NOT NULL,
          PRIMARY KEY (call, position)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE capped_apps (
          app TEXT PRIMARY KEY,
          reason TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE ledger_state (
          only INTEGER PRIMARY KEY CHECK (only = 1),
          last_sequence INTEGER NOT NULL,
          last_order INTEGER NOT NULL
        ) STRICT;
        INSERT INTO ledger_state (only, last_sequence, last_order) VALUES (1, 0, 0);
        """)
  }

  /// What an app's budgets had counted stays theirs: an app's scope is its name. Tokens and calls
  /// of before were not counted.
  static func addScopes(_ db: Database) throws {
    try db.execute(
      sql: """
        ALTER TABLE accounts RENAME COLUMN app TO scope;
        ALTER TABLE accounts ADD COLUMN settled_tokens INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE accounts ADD COLUMN reserved_tokens INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE accounts ADD COLUMN settled_calls INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE accounts ADD COLUMN reserved_calls INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE open_accounts RENAME COLUMN app TO scope;
        ALTER TABLE open_reservations ADD COLUMN tokens INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE open_reservations ADD COLUMN calls INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE calls ADD COLUMN refusal_scope TEXT;
        ALTER TABLE calls ADD COLUMN refusal_unit INTEGER;
        ALTER TABLE keys ADD COLUMN environment TEXT NOT NULL DEFAULT '';
        """)
  }
}
