// The outbox: raised once, claimed by one, ended once.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Store

@Suite struct OutboxTests {
  private let now = Timestamp(milliseconds: 1_700_000_000_000)

  private func alert(_ key: String) -> AlertRow {
    AlertRow(
      key: key, app: "chat", kind: "budget", severity: "warning", title: "80 %", body: "…",
      payloadJSON: #"{"percent":80}"#, at: now)
  }

  @Test func anAlertIsRaisedOnceWithItsDeliveries() throws {
    let database = try StoreDatabase.inMemory()
    let receivers = [("email", "owner@example.com"), ("webhook", "https://example.com/x")]
    #expect(try database.enqueueAlert(alert("a"), deliveries: receivers))
    #expect(try database.enqueueAlert(alert("a"), deliveries: receivers + [("log", "")]) == false)
    #expect(try database.alerts() == [alert("a")])
    let rows = try database.deliveries(alertKey: "a")
    #expect(rows.map(\.channel) == ["email", "webhook"])
    #expect(rows.allSatisfy { $0.state == .pending && $0.attempts == 0 && $0.nextAttemptAt == now })
    #expect(try database.alerts(app: "other").isEmpty)
  }

  @Test func aDeliveryIsClaimedUntilItsLeaseEnds() throws {
    let database = try StoreDatabase.inMemory()
    try database.enqueueAlert(alert("a"), deliveries: [("log", "")])
    #expect(try database.nextDeliveryAt() == now)
    let early = now.adding(milliseconds: -1)
    #expect(try database.claimDeliveries(now: early, leaseSeconds: 30, limit: 9).isEmpty)
    let first = try #require(
      try database.claimDeliveries(now: now, leaseSeconds: 30, limit: 9).first)
    #expect(first.alert == alert("a") && first.delivery.attempts == 1)
    #expect(try database.nextDeliveryAt() == now.adding(milliseconds: 30_000))
    let before = now.adding(milliseconds: 29_999)
    #expect(try database.claimDeliveries(now: before, leaseSeconds: 30, limit: 9).isEmpty)
    // Its claimer died: another takes over, and the first's word no longer counts.
    let after = now.adding(milliseconds: 30_000)
    let second = try #require(
      try database.claimDeliveries(now: after, leaseSeconds: 30, limit: 9).first)
    #expect(second.delivery.id == first.delivery.id && second.delivery.attempts == 2)
    let id = first.delivery.id
    #expect(try database.finishDelivery(id: id, attempt: 1, outcome: .delivered) == false)
    #expect(try database.finishDelivery(id: id, attempt: 2, outcome: .delivered))
    #expect(try database.finishDelivery(id: id, attempt: 2, outcome: .delivered) == false)
    let late = now.adding(milliseconds: 1_000_000)
    #expect(try database.claimDeliveries(now: late, leaseSeconds: 30, limit: 9).isEmpty)
    #expect(try database.nextDeliveryAt() == nil)
    #expect(try database.deliveries(alertKey: "a")[0].state == .delivered)
  }

  @Test func aFailedAttemptComesBackWhenItIsDueAndEndsWhenAbandoned() throws {
    let database = try StoreDatabase.inMemory()
    try database.enqueueAlert(alert("a"), deliveries: [("log", "")])
    let id = try database.claimDeliveries(now: now, leaseSeconds: 30, limit: 1)[0].delivery.id
    let due = now.adding(milliseconds: 5000)
    #expect(
      try database.finishDelivery(id: id, attempt: 1, outcome: .retry(at: due, error: "refused")))
    #expect(try database.nextDeliveryAt() == due)
    let again = try database.claimDeliveries(now: due, leaseSeconds: 30, limit: 1)
    #expect(again.map(\.delivery.lastError) == ["refused"])
    #expect(
      try database.finishDelivery(id: id, attempt: 2, outcome: .abandoned(error: "gone for good")))
    let row = try database.deliveries(alertKey: "a")[0]
    #expect(row.state == .abandoned && row.lastError == "gone for good" && row.attempts == 2)
  }

  @Test func ofManyClaimersEachDeliveryGoesToOne() throws {
    try withTemporaryDirectory { directory in
      let path = directory.path("leeway.sqlite")
      let databases = try (0..<4).map { _ in try StoreDatabase.open(path: path) }
      for number in 0..<60 {
        try databases[0].enqueueAlert(
          alert("\(number)"), deliveries: [("log", ""), ("email", "x")])
      }
      let claimed = Results<Int64>()
      let failures = Results<StoreFault>()
      DispatchQueue.concurrentPerform(iterations: 4) { index in
        do throws(StoreFault) {
          while true {
            let batch = try databases[index].claimDeliveries(
              now: now, leaseSeconds: 30, limit: 7)
            if batch.isEmpty { return }
            for one in batch { claimed.add(one.delivery.id) }
          }
        } catch {
          failures.add(error)
        }
      }
      #expect(failures.all == [])
      #expect(claimed.all.count == 120 && Set(claimed.all).count == 120)
      for database in databases { try database.close() }
    }
  }

  @Test func ofManyRaisersOneRaises() throws {
    try withTemporaryDirectory { directory in
      let path = directory.path("leeway.sqlite")
      let databases = try (0..<4).map { _ in try StoreDatabase.open(path: path) }
      let raised = Results<Bool>()
      DispatchQueue.concurrentPerform(iterations: 4) { index in
        for number in 0..<20 {
          let isNew = try? databases[index].enqueueAlert(
            alert("\(number)"), deliveries: [("log", "")])
          if let isNew { raised.add(isNew) }
        }
      }
      #expect(raised.all.count == 80 && raised.all.count { $0 } == 20)
      #expect(
        try databases[0].claimDeliveries(now: now, leaseSeconds: 1, limit: 100).count == 20)
      for database in databases { try database.close() }
    }
  }

  @Test func pruningLeavesWhatIsStillToBeDelivered() throws {
    let database = try StoreDatabase.inMemory()
    try database.enqueueAlert(alert("open"), deliveries: [("log", "")])
    try database.enqueueAlert(alert("done"), deliveries: [])
    #expect(try database.pruneAlerts(olderThan: now) == 0)
    #expect(try database.pruneAlerts(olderThan: now.adding(milliseconds: 1)) == 1)
    #expect(try database.alerts().map(\.key) == ["open"])
  }
}
