// Monitors: a step is stored whole, once, or not at all.

import Metering
import TestSupport
import Testing

@testable import Store

@Suite struct MonitorTests {
  private let now = Timestamp(milliseconds: 3_600_000 * 1_000)

  private func row(_ revision: Int64 = 0, position: Int64 = 25) -> MonitorRow {
    MonitorRow(
      app: "chat", classifier: "topic", baseline: "good", position: position, origin: "b v",
      state: "{\(position)}",
      evidence: 1.5, threshold: 8, outputs: position, updatedAt: now, revision: revision)
  }

  private var alarm: MonitorAlarm {
    MonitorAlarm(
      verdict: VerdictRow(
        at: now, app: "chat", classifier: "topic", baseline: "good", periodStart: now,
        periodEnd: now, verdict: "drifted"),
      alert: AlertRow(
        key: "drift/chat/topic/alarm/25/drifted", app: "chat", kind: "drift",
        severity: "critical", title: "t", body: "b", at: now),
      deliveries: [("log", ""), ("webhook", "https://h")], capReason: "Drift.")
  }

  @Test func aStepIsStoredWithAllThatItSetOff() throws {
    let database = try StoreDatabase.inMemory()
    var first = row()
    first.level = "drifted"
    first.since = now.adding(milliseconds: -5)
    first.raisedAt = now
    #expect(try database.saveMonitor(first, alarm: alarm))
    var stored = first
    stored.revision = 1
    stored.state = nil
    #expect(try database.monitors() == [stored])
    #expect(try database.monitors(app: "chat") == [stored])
    #expect(try database.monitors(app: "other").isEmpty)
    #expect(try database.verdicts(app: "chat").map(\.verdict) == ["drifted"])
    #expect(try database.deliveries(alertKey: alarm.alert?.key ?? "").count == 2)
    let orders = try database.orders(after: 0)
    #expect(orders.map(\.action) == [.cap("chat")] && orders.map(\.actor) == ["analyzer"])
  }

  /// One of two that read the same revision wins; of the other nothing is kept.
  @Test func aStepFromAnOldRevisionChangesNothing() throws {
    let database = try StoreDatabase.inMemory()
    let point = EvidencePoint(hour: now, evidence: 9, threshold: 8)
    #expect(try database.saveMonitor(row()))
    for late in [row(), row(2), row(7)] {
      #expect(try !database.saveMonitor(late, points: [point], alarm: alarm))
    }
    #expect(try database.saveMonitor(row(1, position: 50)))
    #expect(try database.monitors().map(\.position) == [50])
    #expect(try database.monitors().map(\.revision) == [2])
    // Without a state in hand what is stored stays.
    var moved = row(2, position: 60)
    moved.state = nil
    #expect(try database.saveMonitor(moved))
    #expect(try database.monitorState(app: "chat", classifier: "topic") == "{50}")
    #expect(try database.monitorState(app: "chat", classifier: "other") == nil)
    #expect(try database.verdicts(app: "chat").isEmpty && database.alerts().isEmpty)
    #expect(try database.orders(after: 0).isEmpty)
    #expect(try evidence(database).isEmpty)
  }

  private func evidence(_ database: StoreDatabase) throws -> [EvidencePoint] {
    try database.evidence(
      app: "chat", classifier: "topic", since: Timestamp(milliseconds: 0),
      until: now.adding(milliseconds: 1))
  }

  @Test func anHourKeepsItsMostAndOldHoursGo() throws {
    let database = try StoreDatabase.inMemory()
    let old = now.adding(milliseconds: -91 * 86_400_000)
    let points = [
      EvidencePoint(hour: old, evidence: 1, threshold: 8),
      EvidencePoint(hour: now, evidence: 4, threshold: 8),
      EvidencePoint(hour: now, evidence: 3, threshold: 9),
    ]
    #expect(try database.saveMonitor(row(), points: points))
    #expect(try evidence(database) == [EvidencePoint(hour: now, evidence: 4, threshold: 9)])
  }

  @Test func whoAcknowledgedIsKept() throws {
    let database = try StoreDatabase.inMemory()
    let seen = AcknowledgementRow(
      at: now, actor: "Ada", app: "chat", classifier: "topic", level: "drifted", reason: "known")
    #expect(try database.saveMonitor(row(), acknowledgement: seen))
    #expect(try !database.saveMonitor(row(), acknowledgement: seen))
    #expect(try database.acknowledgements() == [seen])
    #expect(try database.acknowledgements(app: "other").isEmpty)
  }

  @Test func samplesComeInTheOrderInWhichTheyWereStored() throws {
    // A store of before, with samples in it.
    let database = try StoreDatabase.inMemory(upTo: "secrets-1")
    func addBefore(_ app: String, _ time: Int64, at stored: Int64) throws -> Int64 {
      try database.write("filling") { db in
        try db.execute(
          sql: """
            INSERT INTO samples (app, origin, model, time, status, input, output, fields, tags,
              finish_reason, latency_ms, probability, stored_at, bytes)
            VALUES (?, 'import', 'm', ?, 200, '', '', '{}', '{}', '', -1, 1, ?, 0)
            """,
          arguments: [app, time, stored])
        return db.lastInsertedRowID
      }
    }
    func add(_ app: String, _ time: Int64, model: String = "m", at stored: Int64) throws -> Int64 {
      let sample = SampleRecord(
        app: app, origin: "import", model: model, time: Timestamp(milliseconds: time), input: "",
        output: "\(time)")
      let ids = try database.insertSamples([sample], storedAt: Timestamp(milliseconds: stored))
      return try #require(ids.first)
    }
    let first = try addBefore("chat", 900, at: 10)
    let second = try addBefore("other", 800, at: 10)
    try database.migrate()
    let third = try add("chat", 700, at: 20)
    let fourth = try add("chat", 600, model: "n", at: 30)
    _ = try add("chat", 100, at: 40)
    func after(_ id: Int64, _ filter: SampleFilter = .all, limit: Int = 9) throws -> [Int64?] {
      try database.samples(
        of: SampleSpan(app: "chat", filter: filter, since: Timestamp(milliseconds: 500)),
        storedAfter: id, limit: limit
      ).map(\.id)
    }
    #expect(try after(0) == [first, third, fourth])
    #expect(try after(first) == [third, fourth] && after(fourth).isEmpty)
    #expect(try after(0, limit: 2) == [first, third])
    #expect(try after(0, SampleFilter(parsing: ["model=n"])) == [fourth])
    func last(_ before: Int64) throws -> Int64 {
      try database.lastSample(storedBefore: Timestamp(milliseconds: before))
    }
    #expect(try last(10) == 0 && last(11) == second && last(30) == third)
    #expect(try last(.max) == fourth + 1)
  }
}
