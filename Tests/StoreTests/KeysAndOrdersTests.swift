// Keys and orders: issued, revoked, numbered, never reused.

import Metering
import TestSupport
import Testing

@testable import Store

@Suite struct KeysAndOrdersTests {
  private let now = Timestamp(milliseconds: 1_700_000_000_000)

  @Test func aKeyIsIssuedListedAndRevokedOnce() throws {
    let database = try StoreDatabase.inMemory()
    let first = try database.issueKey(
      app: "chat", hashHex: "aa", hint: "…1234", label: "büro", at: now)
    let second = try database.issueKey(
      app: "other", hashHex: "bb", hint: "…5678", label: "", actor: "alice", at: now)
    #expect(try database.keys() == [first, second])
    #expect(try database.keys(app: "chat") == [first])
    let later = now.adding(milliseconds: 5)
    #expect(try database.revokeKey(id: first.id, at: later))
    #expect(try database.revokeKey(id: first.id, at: later.adding(milliseconds: 5)) == false)
    #expect(try database.revokeKey(id: 99, at: later) == false)
    #expect(try database.keys(app: "chat").map(\.revokedAt) == [later])
    #expect(try database.keys(app: "other")[0].isRevoked == false)
    // Each change told the gateway to read the keys again, and only changes did.
    let orders = try database.orders(after: 0)
    #expect(orders.map(\.action) == [.keysChanged, .keysChanged, .keysChanged])
    #expect(orders.map(\.actor) == ["cli", "alice", "cli"])
  }

  @Test func aHashIsThereOnce() throws {
    let database = try StoreDatabase.inMemory()
    try database.issueKey(app: "a", hashHex: "aa", hint: "", label: "", at: now)
    #expect(throws: StoreFault.self) {
      try database.issueKey(app: "b", hashHex: "aa", hint: "", label: "", at: now)
    }
    #expect(try database.orders(after: 0).count == 1, "the order went with the key")
  }

  @Test func ordersAscendAndAreReadFromWhereOneStands() throws {
    let database = try StoreDatabase.inMemory()
    let cap = try database.placeOrder(
      action: .cap("chat"), actor: "analyzer", reason: "drifted", at: now)
    let restore = try database.placeOrder(
      action: .restore("chat"), actor: "bob", reason: "fixed; see ticket '7'", at: now)
    #expect(restore == cap + 1)
    #expect(
      try database.orders(after: cap) == [
        OrderRecord(
          sequence: restore, at: now, actor: "bob", action: .restore("chat"),
          reason: "fixed; see ticket '7'")
      ])
    #expect(try database.orders(after: 0, limit: 1).map(\.sequence) == [cap])
    #expect(try database.orders(after: restore).isEmpty)
    try database.write("test") { db in try db.execute(sql: "DELETE FROM orders") }
    let next = try database.placeOrder(action: .keysChanged, actor: "x", reason: "", at: now)
    #expect(next == restore + 1, "a sequence never comes back")
  }

  @Test func theRecordOfOneAppIsItsLatestOrders() throws {
    let database = try StoreDatabase.inMemory()
    for (action, reason) in [
      (OrderRecord.Action.cap("chat"), "drifted"), (.isolate("shop"), "other"),
      (.isolate("chat"), "leaked"), (.keysChanged, ""), (.restore("chat"), "mended"),
    ] {
      try database.placeOrder(action: action, actor: "mara", reason: reason, at: now)
    }
    let latest = try database.latestOrders(app: "chat", limit: 2)
    #expect(latest.map(\.action) == [.isolate("chat"), .restore("chat")])
    #expect(latest.map(\.reason) == ["leaked", "mended"] && latest[0].actor == "mara")
    #expect(try database.latestOrders(app: nil, limit: 9).map(\.sequence) == [1, 2, 3, 4, 5])
  }

  /// The table is made anew so that it takes another word; its rows and numbers stay.
  @Test func ordersOfAnOlderStoreKeepTheirNumbers() throws {
    let database = try StoreDatabase.inMemory(upTo: "secrets-1")
    let cap = try database.placeOrder(
      action: .cap("chat"), actor: "analyzer", reason: "drifted", at: now)
    let last = try database.placeOrder(action: .keysChanged, actor: "x", reason: "", at: now)
    try database.write("test") { db in
      try db.execute(sql: "DELETE FROM orders WHERE sequence = ?", arguments: [last])
    }
    try database.migrate()
    #expect(try database.orders(after: 0).map(\.sequence) == [cap])
    let next = try database.placeOrder(
      action: .isolate("chat"), actor: "x", reason: "", at: now)
    #expect(next == last + 1)
  }
}
