// What the gateway noticed reaches the app's owner, once.

import Alerting
import Logging
import Metering
import Store
import Testing

@testable import App

@Suite struct AlertDeskTests {
  @Test func anUnreadableCodingIsToldOncePerAppCodingAndDay() throws {
    let store = try StoreDatabase.inMemory()
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let noon = Timestamp(milliseconds: 1_795_435_200_000)
    // Two desks, as after a restart.
    for _ in 0..<2 {
      let desk = AlertDesk(
        store: store, recipients: ["shop": [.webhook("https://hooks.example/a")]], adminURL: nil,
        logger: logger, wake: {})
      desk.raiseUnreadable(coding: "br", app: "shop", at: noon)
      desk.raiseUnreadable(coding: "br", app: "shop", at: noon.adding(milliseconds: 3_600_000))
      desk.raiseUnreadable(coding: "gzip", app: "shop", at: noon)
      desk.raiseUnreadable(coding: "br", app: "shop", at: noon.adding(milliseconds: 86_400_000))
    }
    let alerts = try store.alerts()
    #expect(
      alerts.map(\.key).sorted() == [
        "system/unreadable-coding/shop/br 2026-11-23",
        "system/unreadable-coding/shop/br 2026-11-24",
        "system/unreadable-coding/shop/gzip 2026-11-23",
      ])
    let first = try #require(alerts.first)
    #expect(first.severity == "warning")
    #expect(first.body.contains("accept-encoding: identity"))
    let deliveries = try store.deliveries(alertKey: first.key)
    #expect(deliveries.map(\.address) == ["https://hooks.example/a"])
  }
}
