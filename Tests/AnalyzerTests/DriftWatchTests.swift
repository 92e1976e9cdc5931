// The continuous watch on a store: what comes in is taken once, whatever dies in between; what has
// moved is told once, and ended by a person.

import Alerting
import Analyzer
import Drift
import Foundation
import Labels
import Metering
import TestSupport
import Testing

@testable import Store

@Suite struct DriftWatchTests {
  let night = NightFixture.night

  /// Outputs of the night after the one at whose end the baseline was pinned.
  func quiet(_ count: Int = 100) -> [String] {
    (0..<count).map { "Answer: [\($0 % 10 == 9 ? "other" : "billing")]" }
  }

  func moved(_ count: Int = 100) -> [String] {
    (0..<count).map { "Answer: [\($0 % 2 == 0 ? "other" : "billing")]" }
  }

  func pinned(_ policy: AppDriftPolicy = NightFixture.policy()) throws -> NightFixture {
    let fixture = try NightFixture()
    try fixture.pinUsual(policy)
    return fixture
  }

  func pass(
    _ fixture: NightFixture, _ policy: AppDriftPolicy = NightFixture.policy()
  ) throws -> DriftWatch.Summary {
    try fixture.watch.pass([policy], averageRunLength: 10_000, at: fixture.now)
  }

  func monitor(_ fixture: NightFixture) throws -> MonitorRow {
    let rows = try fixture.store.monitors()
    #expect(rows.count == 1)
    var row = try #require(rows.first)
    row.state = try fixture.store.monitorState(app: row.app, classifier: row.classifier)
    return row
  }

  @Test func aShiftIsToldOnceWithItsBeginning() throws {
    var policy = NightFixture.policy(onDrift: .cap)
    policy.recipients = [.log, .webhook("https://hooks.example/x")]
    let fixture = try pinned(policy)
    try fixture.add(quiet(200), on: night.adding(days: 1))
    let before = try pass(fixture, policy)
    #expect(before.outputs == 200 && before.alertsRaised.isEmpty && before.faults.isEmpty)
    #expect(try monitor(fixture).level.isEmpty)

    try fixture.add(moved(200), on: night.adding(days: 2))
    let found = try pass(fixture, policy)
    let alert = try #require(try fixture.store.alerts().first)
    #expect(found.alertsRaised == [alert.key] && found.capped == ["support"])
    #expect(alert.severity == "critical" && alert.kind == "drift")
    #expect(alert.body.contains("drifted since about 2026-11-24 01:0"), "\(alert.body)")
    #expect(alert.body.contains("“other”: 10.0\u{A0}% -> "), "\(alert.body)")
    #expect(alert.body.contains("leeway drift acknowledge support topic"))
    #expect(alert.payloadJSON.contains(#""since":"2026-11-24"#))
    #expect(
      try fixture.store.deliveries(alertKey: alert.key).map(\.channel) == ["log", "webhook"])
    let verdict = try #require(try fixture.store.verdicts(app: "support").first)
    #expect(verdict.verdict == "drifted" && verdict.detailJSON.contains(#""kind":"alarm""#))
    #expect(verdict.periodStart >= night.adding(days: 2).start(in: .gmt))
    let order = try #require(try fixture.store.orders(after: 0).first)
    #expect(order.action == .cap("support") && order.actor == "analyzer")
    #expect(order.reason.contains("topic") && !order.reason.contains("other"))
    #expect(try monitor(fixture).level == "drifted")

    // Latched: the shift goes on, and nobody hears of it again.
    try fixture.add(moved(300), on: night.adding(days: 3))
    let later = try pass(fixture, policy)
    #expect(later.outputs == 300 && later.alertsRaised.isEmpty && later.capped.isEmpty)
    #expect(try fixture.store.alerts().count == 1)
  }

  /// A shift of ten points where thirty are tolerated is no alert; a large one after it is.
  @Test func aShiftThatIsToleratedIsAVerdictAndNoAlert() throws {
    var policy = NightFixture.policy(onDrift: .cap)
    policy.thresholds.shiftMin = 0.3
    let fixture = try pinned(policy)
    let outputs = (0..<3_000).map { "Answer: [\($0 % 5 == 0 ? "other" : "billing")]" }
    try fixture.add(outputs, on: night.adding(days: 1))
    let small = try pass(fixture, policy)
    #expect(small.alertsRaised.isEmpty && small.capped.isEmpty)
    #expect(try monitor(fixture).level == "watch")
    #expect(try fixture.store.verdicts(app: "support").map(\.verdict) == ["watch"])
    try fixture.add((0..<200).map { _ in "Answer: [other]" }, on: night.adding(days: 2))
    let large = try pass(fixture, policy)
    #expect(large.alertsRaised.count == 1 && large.capped == ["support"])
    #expect(try monitor(fixture).level == "drifted")
    #expect(try fixture.store.verdicts(app: "support").map(\.verdict) == ["drifted", "watch"])
  }

  /// The night's report has the picture, up to the night's end and the same on every run.
  @Test func theReportShowsTheEvidence() throws {
    let fixture = try pinned()
    try fixture.add(quiet(100), on: night)
    let bare = try only(
      try fixture.run().run(night, policies: [NightFixture.policy()], at: fixture.now))
    #expect(bare.classifiers[0].evidence == nil)
    let next = night.adding(days: 1)
    try fixture.add(quiet(100) + moved(100), on: next)
    try fixture.add(moved(100), on: next.adding(days: 1))
    _ = try pass(fixture)
    let found = try fixture.run().run(next, policies: [NightFixture.policy()], at: fixture.now)
    let evidence = try #require(try only(found).classifiers[0].evidence)
    #expect(evidence.count > 1 && evidence.contains { $0.evidence >= $0.threshold })
    let end = next.adding(days: 1).start(in: .gmt)
    #expect(evidence.allSatisfy { $0.at < end && isClose($0.threshold, 5.99, 0.01) })
    func file(_ ending: String) throws -> String {
      try String(
        contentsOfFile: fixture.directory.path("reports/\(next)/support.\(ending)"), encoding: .utf8
      )
    }
    let html = try file("html")
    #expect(html.contains("<polyline") && html.contains("alarm at 5.99"))
    #expect(html.contains("passed its threshold in the hour of 2026-11-23"))
    #expect(try file("md").contains("passed its threshold"))
    #expect(try file("json").contains("\"evidence\" : ["))
    try fixture.run().run(next, policies: [NightFixture.policy()], at: fixture.now)
    #expect(try file("html") == html)
  }

  private func isClose(_ left: Double, _ right: Double, _ tolerance: Double) -> Bool {
    abs(left - right) <= tolerance
  }

  @Test func anAcknowledgedAlarmLooksOn() throws {
    let fixture = try pinned()
    try fixture.add(moved(100), on: night.adding(days: 1))
    _ = try pass(fixture)
    #expect(throws: AnalyzerFault.self) {
      try DriftWatch.acknowledge(
        app: "support", reason: " ", actor: "Ada", at: fixture.now, in: fixture.store)
    }
    func acknowledge() throws -> [AcknowledgementRow] {
      try DriftWatch.acknowledge(
        app: "support", classifier: "topic", reason: "prompt rolled back", actor: "Ada",
        at: fixture.now, in: fixture.store)
    }
    let done = try acknowledge()
    #expect(done.map(\.level) == ["drifted"] && done.map(\.actor) == ["Ada"])
    #expect(try fixture.store.acknowledgements(app: "support") == done)
    #expect(try acknowledge().isEmpty, "none is open")
    #expect(try monitor(fixture).level.isEmpty)
    try fixture.add(quiet(200), on: night.adding(days: 2))
    #expect(try pass(fixture).alertsRaised.isEmpty)
    try fixture.add(moved(300), on: night.adding(days: 3))
    #expect(try pass(fixture).alertsRaised.count == 1, "a new shift is a new alarm")
    #expect(try fixture.store.alerts().count == 2)
  }

  @Test func aBaselinePinnedAnewAndAChangedClassifierBeginAnew() throws {
    let fixture = try pinned()
    try fixture.add(moved(100), on: night.adding(days: 1))
    _ = try pass(fixture)
    #expect(try monitor(fixture).level == "drifted")
    let baseline = try pinBaseline(
      name: "good", reason: "as it is now", policy: NightFixture.policy(), conditions: [],
      zone: .gmt, at: fixture.now.adding(milliseconds: 5), in: fixture.store)
    try fixture.baselines.save(baseline, replaces: true)
    _ = try pass(fixture)
    let anew = try monitor(fixture)
    #expect(anew.level.isEmpty && anew.outputs == 0)

    let changed = NightFixture.policy(pattern: #"\[(\w*)\]"#)
    #expect(try pass(fixture, changed).faults.isEmpty)
    #expect(try monitor(fixture).state != anew.state, "the baseline was labelled again")
    // Without the baseline's outputs it cannot be, and that is said.
    _ = try fixture.store.pruneSamples(
      olderThan: fixture.now.adding(milliseconds: 1), bytesMax: .max)
    let third = NightFixture.policy(pattern: #"\[(.+)\]"#)
    let faults = try pass(fixture, third).faults
    #expect(faults.map(\.app) == ["support"])
    #expect(faults.first?.fault.message.contains("changed after the baseline") == true)
  }

  /// The same samples in one process, and with a process that dies after every write: the same
  /// state, evidence, verdicts and alerts.
  @Test func nothingIsLostOrDoubledByADeathBetweenAnyTwoWrites() throws {
    func outcome(_ fixture: NightFixture) throws -> (MonitorRow, [EvidencePoint], [String]) {
      var row = try monitor(fixture)
      row.revision = 0
      return (
        row,
        try fixture.store.evidence(
          app: "support", classifier: "topic", since: Timestamp(milliseconds: 0),
          until: Timestamp(milliseconds: .max)),
        try fixture.store.alerts().map(\.key)
          + fixture.store.verdicts(app: "support").map(\.verdict)
      )
    }
    let days = [quiet(130), quiet(60), moved(190), moved(55)]
    let whole = try pinned()
    for (index, outputs) in days.enumerated() {
      try whole.add(outputs, on: night.adding(days: index + 1))
    }
    _ = try pass(whole)
    let wanted = try outcome(whole)
    #expect(wanted.2 == ["drift/support/topic/alarm/\(whole.raisedAt())/drifted", "drifted"])

    for failing in 1... {
      let fixture = try pinned()
      for (index, outputs) in days.enumerated() {
        try fixture.add(outputs, on: night.adding(days: index + 1))
      }
      try fixture.store.dieAtWrite(failing)
      let hasDied = (try? pass(fixture))?.faults.isEmpty != true
      try fixture.store.dieNoMore()
      _ = try pass(fixture)
      let seen = try outcome(fixture)
      #expect(seen == wanted, "write \(failing)")
      guard hasDied else {
        #expect(failing > 20, "\(failing - 1) writes failed in turn")
        break
      }
    }
  }

  @Test func twoWatchesTakeEachSampleOnce() throws {
    let fixture = try pinned()
    try fixture.add(quiet(100), on: night.adding(days: 1))
    _ = try pass(fixture)
    let old = try monitor(fixture)
    try fixture.add(quiet(100), on: night.adding(days: 2))
    _ = try pass(fixture)
    // Another process that had read the monitor before.
    #expect(try !fixture.store.saveMonitor(old))
    #expect(try monitor(fixture).outputs == 200)
  }

  /// Ticks are closed by count: what is left waits, and nothing is classified again.
  @Test func ticksAreClosedByCount() throws {
    let fixture = try pinned()
    var taken: [Int64] = []
    for part in [10, 14, 1, 60, 15] {
      try fixture.add(quiet(part), on: night.adding(days: 1))
      taken.append(try pass(fixture).outputs)
    }
    #expect(taken == [0, 0, 25, 50, 25])
  }

  /// Errors are always kept, others at half: the weighted form, and no alarm by that alone.
  @Test func unequalSamplingIsWatchedWithItsWeights() throws {
    var policy = NightFixture.policy()
    policy.sampleRate = 0.5
    let fixture = try pinned(policy)
    try fixture.add(quiet(500), on: night.adding(days: 1), probability: 0.5)
    #expect(try pass(fixture, policy).faults.isEmpty)
    let row = try monitor(fixture)
    #expect(row.state?.contains("weighted") == true && row.outputs == 500 && row.level.isEmpty)
    // A rate that fell since: the stakes must shrink, so the alarm begins anew.
    try fixture.add(quiet(50), on: night.adding(days: 2), probability: 0.1)
    #expect(try pass(fixture, policy).faults.isEmpty)
    #expect(try monitor(fixture).outputs == 50)
  }

  @Test func theRunLengthIsThatOfTheWholeInstallation() throws {
    let fixture = try NightFixture()
    let policies = ["a", "b"].map { NightFixture.policy(app: $0) }
    var two = policies
    two[1].classifiers.append(.regex(name: "second", pattern: "x"))
    // 700 in the last week, of them 140 in the last day: 140 a day for each of three alarms.
    for app in ["a", "b"] {
      try fixture.add(quiet(560), app: app, on: night.adding(days: -3))
      try fixture.add(quiet(140), app: app, on: night)
    }
    let end = night.adding(days: 1).start(in: .gmt)
    #expect(try fixture.watch.averageRunLength(of: two, at: end) == 90 * 3 * 140)
    // As good as none: taken for a hundred a day.
    #expect(try fixture.watch.averageRunLength(of: [], at: end) == 90 * 100)
  }

  @Test func whatTheBaselineHoldsIsNotTakenAgain() throws {
    let fixture = try pinned()
    #expect(try pass(fixture).outputs == 0)
    // Old calls that are imported later.
    try fixture.add(moved(200), on: night.adding(days: -4))
    #expect(try pass(fixture).outputs == 0)
  }
}

extension StoreDatabase {
  private static let tables = ["monitors", "evidence", "verdicts", "alerts", "deliveries"]

  /// From now on the transaction with the so-manieth row ends as if the process had died in it. Of
  /// the labels, which are many, only some rows count.
  fileprivate func dieAtWrite(_ number: Int) throws {
    try write("test") { db in
      try db.execute(
        sql: "CREATE TABLE deaths (written INTEGER); INSERT INTO deaths VALUES (0);")
      let steps = """
        BEGIN
          UPDATE deaths SET written = written + 1;
          SELECT raise(ABORT, 'died') FROM deaths WHERE written = \(number);
        END;
        """
      for table in Self.tables {
        for event in ["INSERT", "UPDATE"] {
          try db.execute(
            sql: "CREATE TRIGGER death_\(table)_\(event) BEFORE \(event) ON \(table) \(steps)")
        }
      }
      try db.execute(
        sql: """
          CREATE TRIGGER death_labels BEFORE INSERT ON labels WHEN new.sample % 60 = 0 \(steps)
          """)
    }
  }

  fileprivate func dieNoMore() throws {
    try write("test") { db in
      for table in Self.tables {
        for event in ["INSERT", "UPDATE"] {
          try db.execute(sql: "DROP TRIGGER death_\(table)_\(event)")
        }
      }
      try db.execute(sql: "DROP TRIGGER death_labels; DROP TABLE deaths;")
    }
  }
}

extension NightFixture {
  var watch: DriftWatch {
    DriftWatch(store: store, baselines: baselines, settings: DriftWatch.Settings())
  }

  /// The sample at which the first alarm was raised, from its key.
  func raisedAt() -> String {
    let key = (try? store.alerts().last?.key) ?? ""
    return String(key.split(separator: "/").dropLast().last ?? "")
  }
}
