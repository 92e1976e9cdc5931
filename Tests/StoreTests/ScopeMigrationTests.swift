// Journals and stores from before there were other scopes and units than an app's money.

import Metering
import TestSupport
import Testing

@testable import Store

@Suite struct ScopeMigrationTests {
  private static let accounts = [
    AccountID(app: "shop", budget: "day", window: "2026-11-23"),
    AccountID(app: "shop", budget: "month", window: "2026-11"),
  ]

  private func decoded(_ kind: RecordKind, _ write: (inout ByteWriter) -> Void) throws
    -> LedgerEvent
  {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 512, alignment: 8)
    defer { memory.deallocate() }
    var writer = ByteWriter(memory)
    writer.signed(1_700_000_000_000)
    write(&writer)
    return try LedgerEvent(sequence: 7, kind: kind, payload: writer.written)
  }

  @Test func aReservationOfBeforeHoldsMoneyAlone() throws {
    let event = try decoded(.reserved) { writer in
      writer.unsigned(7)
      writer.text("shop")
      writer.signed(3)
      writer.text("openai")
      writer.text("gpt-4o")
      writer.byte(1)
      writer.signed(412_000)
      writer.unsigned(2)
      for account in Self.accounts {
        writer.text("shop")
        writer.text(account.budget)
        writer.text(account.window)
      }
    }
    #expect(
      event.kind
        == .reserved(
          .init(
            call: CallID(7), app: "shop", key: 3, upstream: "openai", model: "gpt-4o",
            isStream: true, amounts: Amounts(money: Money(nanodollars: 412_000)),
            accounts: Self.accounts)))
  }

  @Test func aRefusalOfBeforeIsOfTheAppsMoney() throws {
    let event = try decoded(.refused) { writer in
      writer.unsigned(7)
      for text in ["shop"] { writer.text(text) }
      writer.signed(3)
      writer.text("openai")
      writer.text("gpt-4o")
      writer.unsigned(429)
      writer.text("budget_exhausted")
      writer.text("No.")
      writer.byte(1)
      writer.text("day")
      writer.text("2026-11-23")
      for amount in [7, 5, 20, 9] as [Int64] { writer.signed(amount) }
      writer.signed(99)
      writer.text("soon")
    }
    guard case .refused(let refused) = event.kind else {
      Issue.record("no refusal")
      return
    }
    #expect(refused.budget?.scope == .app("shop"))
    #expect(refused.budget?.cap == .money(Money(nanodollars: 20)))
    #expect(refused.budget?.estimate == .money(Money(nanodollars: 9)))
  }

  @Test func unknownBitsOfAReservationAreANewersAndNotReadOver() {
    #expect(throws: (any Error).self) {
      try decoded(.reserved) { writer in
        writer.unsigned(7)
        writer.text("shop")
        writer.signed(3)
        writer.text("openai")
        writer.text("gpt-4o")
        writer.byte(8)
        writer.signed(412_000)
        writer.unsigned(0)
      }
    }
  }

  /// A call of a calibrated app holds less than it can cost, and its record says both.
  @Test func whatACallCanCostIsKeptWhereItHoldsLess() throws {
    var reserved = LedgerEvent.Reserved(
      call: CallID(1), app: "shop", key: 3, upstream: "openai", model: "gpt-4o", isStream: true,
      amounts: Amounts(money: Money(nanodollars: 412), tokens: 9, calls: 1),
      accounts: Self.accounts, most: Money(nanodollars: 5_000))
    let now = Timestamp(milliseconds: 5)
    let events = ([5_000, 412] as [Int64]).enumerated().map { index, most in
      reserved.call = CallID(UInt64(index + 1))
      reserved.most = Money(nanodollars: most)
      return LedgerEvent(sequence: UInt64(index + 1), at: now, kind: .reserved(reserved))
    }
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 512, alignment: 8)
    defer { memory.deallocate() }
    for event in events {
      var writer = ByteWriter(memory)
      event.encode(to: &writer)
      #expect(
        try LedgerEvent(
          sequence: event.sequence, kind: .reserved, payload: writer.written) == event)
    }
    let database = try StoreDatabase.inMemory()
    try database.fold(events)
    let calls = try database.calls()
    #expect(calls.map(\.most.nanodollars) == [412, 5_000])
    #expect(calls.map(\.estimate.nanodollars) == [412, 412])
  }

  @Test func aStoreOfBeforeKeepsItsBalancesAndOpenCalls() throws {
    let database = try StoreDatabase.inMemory(upTo: "followed-1")
    try database.write("as before") { db in
      try db.execute(
        sql: """
          INSERT INTO accounts VALUES ('shop', 'day', '2026-11-23', 500, 412);
          INSERT INTO open_reservations VALUES (7, 'shop', 412);
          INSERT INTO open_accounts VALUES (7, 0, 'shop', 'day', '2026-11-23');
          INSERT INTO account_sets VALUES
            (1, '[{"app":"shop","budget":"day","window":"2026-11-23"}]');
          INSERT INTO keys (app, hash, hint, label, created_at) VALUES ('shop', 'h', 'x', '', 5);
          UPDATE ledger_state SET last_sequence = 7;
          """)
    }
    try database.migrate()
    let day = Self.accounts[0]
    var expected = Ledger(
      accounts: [
        day: .init(
          settled: Amounts(money: Money(nanodollars: 500)),
          reserved: Amounts(money: Money(nanodollars: 412)))
      ],
      open: [
        CallID(7): .init(
          app: "shop", amounts: Amounts(money: Money(nanodollars: 412)), accounts: [day])
      ], lastSequence: 7)
    #expect(try database.checkpoint() == expected)
    #expect(try database.keys().map(\.environment) == [""])
    // The list of accounts that old calls point at is the one that new ones use.
    let number = try database.write("looking") { db in
      var sets = AccountSets(db)
      return try sets.number(of: [day])
    }
    #expect(number == 1)
    // A call of before that ends now counts as no call: it was not held as one.
    let usage = Usage(source: .unknown)
    let end = LedgerEvent(
      sequence: 8, at: Timestamp(milliseconds: 9),
      kind: .settled(
        .init(
          call: CallID(7), charge: Money(nanodollars: 40),
          outcome: CallOutcome(
            status: 200, ending: .completed, usage: usage, responseModel: "",
            durationMilliseconds: 1, firstByteMilliseconds: 1))))
    try database.fold([end])
    expected.apply(end)
    #expect(try database.checkpoint() == expected)
    #expect(expected.account(day).settled == Amounts(money: Money(nanodollars: 540)))
  }

  @Test func aSecretIsMadeOnceAndFoundAgain() throws {
    try withTemporaryDirectory { directory in
      let path = directory.path("leeway.sqlite")
      let first = try StoreDatabase.open(path: path)
      let secret = try first.secret("end users")
      #expect(secret.count == 32 && Set(secret).count > 8)
      #expect(try first.secret("other") != secret)
      try first.close()
      let second = try StoreDatabase.open(path: path)
      #expect(try second.secret("end users") == secret)
      try second.close()
    }
  }
}
