// Alerts through real servers: what arrives is what was raised, once, across a death in between.

import Curl
import Foundation
import Logging
import Metering
import Store
import TestSupport
import Testing

@testable import Notify

@Suite(.enabled(if: Command.peersPython != nil, "\(Command.peersAbsence)"))
struct RealReceiversTests {
  private let clock = TestClock()
  private let body = "Spent $8.01 of $10.00 – für heute.\n.A line that begins with a dot.\n.\nEnd"

  private func alert(_ key: String, title: String, payload: String = "{}") -> AlertRow {
    AlertRow(
      key: key, app: "shop", kind: "budget", severity: "warning", title: title, body: body,
      payloadJSON: payload, at: clock.now)
  }

  private func notifiers(mail: Receiver, client: CurlClient) -> [Channel: any Notifier] {
    let clock = clock
    return [
      .email: MailNotifier(
        client: client,
        settings: .init(url: "smtp://127.0.0.1:\(mail.port)", from: "leeway@gw.example"),
        now: { clock.now }),
      .webhook: WebhookNotifier(client: client, timeoutSeconds: 5),
      .log: LogNotifier(logger: .quiet),
    ]
  }

  private func outbox(_ store: StoreDatabase, mail: Receiver) -> Outbox {
    let clock = clock
    return Outbox(
      store: store, notifiers: notifiers(mail: mail, client: CurlClient()), now: { clock.now },
      logger: .quiet)
  }

  @Test func theAlertArrivesOnceAcrossADeathBetweenRaisingAndSending() async throws {
    let (mail, web) = (try await Receiver.mail(), try await Receiver.web())
    let directory = try TemporaryDirectory()
    let path = directory.path("store.sqlite")
    let key = "budget/shop/day/2026-11-23/80"
    let payload =
      #"{"key":"\#(key)","link":"https://gw.example/reports/","details":{"percent":80}}"#
    do {
      // Raised, then the process is gone: neither outbox nor store is ever told to stop.
      let store = try StoreDatabase.open(path: path)
      try store.enqueueAlert(
        alert(key, title: "Shop: 80 % des Budgets – Café", payload: payload),
        deliveries: [
          ("log", ""), ("email", "mara@shop.example"),
          ("webhook", "http://127.0.0.1:\(web.port)/T0/secret"),
        ])
      _ = outbox(store, mail: mail)
    }
    for _ in 0..<3 {
      let store = try StoreDatabase.open(path: path)
      try store.enqueueAlert(
        alert(key, title: "again"), deliveries: [("email", "mara@shop.example")])
      await outbox(store, mail: mail).deliverDue()
      clock.advance(seconds: 600)
    }
    let mails = try mail.taken()
    #expect(mails.count == 1)
    let sent = try #require(mails.first)
    #expect(sent["rcpt"] == "mara@shop.example")
    #expect(sent["from"] == "leeway@gw.example")
    #expect(sent["subject"] == "Shop: 80 % des Budgets – Café")
    #expect(sent["message_id"] == "<budget_2Fshop_2Fday_2F2026-11-23_2F80@gw.example>")
    #expect(sent["date"] == "Mon, 23 Nov 2026 08:05:09 +0000")
    let text = try #require(sent["body"]).replacingOccurrences(of: "\r\n", with: "\n")
    #expect(text.contains("\n\n\(body)\n\n"))
    #expect(sent["body"]?.contains("More: https://gw.example/reports/") == true)
    #expect(sent["bare_lf"] == "False")
    #expect(sent["defects"] == "[]")
    #expect((Int(sent["longest_line"] ?? "") ?? 1000) <= 78)
    let hooks = try web.taken()
    #expect(hooks.count == 1)
    #expect(hooks.first?["key"] == key)
    #expect(hooks.first?["type"] == "application/json")
    #expect(hooks.first?["body"] == payload)
  }

  @Test func titlesCannotAddHeadersOrRecipientsAtARealServer() async throws {
    let mail = try await Receiver.mail()
    let store = try StoreDatabase.inMemory()
    try store.enqueueAlert(
      alert("k", title: "x\r\nBcc: evil@x.example\r\n\r\nforged"),
      deliveries: [("email", "mara@shop.example"), ("email", "a@b>\r\nRCPT TO:<evil@x.example")])
    await outbox(store, mail: mail).deliverDue()
    let mails = try mail.taken()
    #expect(mails.count == 1)
    #expect(mails.first?["rcpt"] == "mara@shop.example")
    #expect(mails.first?["header_names"]?.contains("Bcc") == false)
    let states = try store.deliveries(alertKey: "k").map(\.state)
    #expect(states == [.delivered, .abandoned])
  }

  @Test func aServersAnswerDecidesOnTryingAgain() async throws {
    let (mail, web) = (try await Receiver.mail(), try await Receiver.web())
    let store = try StoreDatabase.inMemory()
    let base = "http://127.0.0.1:\(web.port)"
    let expected: [(String, String, DeliveryRow.State)] = [
      ("email", "a@refused.example", .abandoned), ("email", "a@busy.example", .pending),
      ("webhook", "\(base)/status/400", .abandoned), ("webhook", "\(base)/status/404", .abandoned),
      ("webhook", "\(base)/status/302", .abandoned), ("webhook", "\(base)/status/408", .pending),
      ("webhook", "\(base)/status/429", .pending), ("webhook", "\(base)/status/500", .pending),
      ("webhook", "\(base)/status/201", .delivered), ("webhook", "\(base)/busy-once", .pending),
      ("webhook", "http://127.0.0.1:1/", .pending), ("webhook", "file:///etc/passwd", .abandoned),
    ]
    try store.enqueueAlert(
      alert("k", title: "t"), deliveries: expected.map { ($0.0, $0.1) })
    let outbox = outbox(store, mail: mail)
    while await outbox.deliverDue() > 0 {}
    let rows = try store.deliveries(alertKey: "k")
    for (row, expected) in zip(rows, expected) {
      #expect(row.address == expected.1)
      #expect(row.state == expected.2, "\(expected.1): \(row.lastError)")
    }
    let asked = try #require(rows.first { $0.address.hasSuffix("/429") })
    #expect(asked.nextAttemptAt >= clock.now.adding(milliseconds: 7000))
    clock.advance(seconds: 5)
    while await outbox.deliverDue() > 0 {}
    let again = try store.deliveries(alertKey: "k").first { $0.address.hasSuffix("/busy-once") }
    #expect(again?.state == .delivered)
    #expect(try web.taken().filter { $0["path"] == "/busy-once" }.map { $0["key"] } == ["k", "k"])
  }

  @Test func noSecretOfAnAddressReachesTheLog() async throws {
    let mail = try await Receiver.mail()
    let store = try StoreDatabase.inMemory()
    let lines = LogLines()
    let clock = clock
    let outbox = Outbox(
      store: store, notifiers: notifiers(mail: mail, client: CurlClient()), now: { clock.now },
      logger: Logger(label: "t") { _ in lines })
    for address in [
      "http://user:hunter2@127.0.0.1:1/T0/hunter2?token=hunter2", "hunter2", "https://hunter2 x/",
    ] {
      try store.enqueueAlert(
        alert("k/\(address.utf8.count)", title: "t"), deliveries: [("webhook", address)])
    }
    while await outbox.deliverDue() > 0 {}
    #expect(lines.text.contains("http://127.0.0.1:1/…"))
    #expect(!lines.text.contains("hunter2"))
    for key in try store.alerts().map(\.key) {
      let errors = try store.deliveries(alertKey: key).map(\.lastError)
      #expect(errors.allSatisfy { !$0.isEmpty && !$0.contains("hunter2") })
    }
  }
}
