// Whole nights on a store in memory: what is found, told, ordered and written, and that doing it
// again changes nothing.

import Alerting
import Analyzer
import Drift
import Foundation
import Labels
import Metering
import Store
import Testing

@Suite struct NightRunTests {
  private let night = NightFixture.night

  private func usual(_ count: Int = 100) -> [String] {
    NightFixture.outputs([("billing", count * 9 / 10), ("other", count / 10)])
  }

  @Test func driftIsFoundToldOnceAndCapsTheApp() throws {
    let fixture = try NightFixture()
    let policy = NightFixture.policy(onDrift: .cap)
    try fixture.pinUsual(policy)
    try fixture.add(NightFixture.outputs([("billing", 50), ("other", 50)]), on: night)

    let summary = try fixture.run().run(night, policies: [policy], at: fixture.now)
    let report = try #require(summary.reports.first)
    #expect(report.verdict == "drifted")
    #expect(report.headline.contains("went from"))
    #expect(report.classifiers[0].shifts.map(\.isBeyondLimit) == [true, true])
    #expect(summary.alertsRaised == ["drift/support/2026-11-22/drifted"])
    #expect(summary.capped == ["support"])

    let alert = try #require(try fixture.store.alerts().first)
    #expect(alert.kind == "drift")
    #expect(alert.severity == "critical")
    #expect(alert.body.contains("https://leeway.example/reports/2026-11-22/support.html"))
    #expect(try fixture.store.deliveries(alertKey: alert.key).map(\.channel) == ["log"])
    let order = try #require(try fixture.store.orders(after: 0).first)
    #expect(order.action == .cap("support"))
    #expect(order.actor == "analyzer")
    // Callers are told, so no label stands in it: that may be text of an output.
    #expect(order.reason.hasPrefix("Drift on 2026-11-22: '\(report.classifiers[0].name)' against"))
    #expect(!order.reason.contains("other") && !order.reason.contains("billing"))
    let verdict = try #require(try fixture.store.latestVerdicts().first)
    #expect(verdict.verdict == "drifted")
    #expect(verdict.report == "2026-11-22/support.html")
    #expect(verdict.periodStart == night.start(in: .gmt))
    #expect(!verdict.detailJSON.contains("Answer 0"))
  }

  @Test func rerunGivesTheSameBytesAndNoSecondAlertOrOrder() throws {
    let fixture = try NightFixture()
    let policy = NightFixture.policy(onDrift: .cap)
    try fixture.pinUsual(policy)
    try fixture.add(NightFixture.outputs([("billing", 50), ("other", 50)]), on: night)
    try fixture.run().run(night, policies: [policy], at: fixture.now)
    let files = try fixture.files()
    #expect(Set(files.keys) == ["index.html", "support.html", "support.json", "support.md"])

    // A person let the app run again; a rerun of the same night must not stop it once more.
    try fixture.store.placeOrder(
      action: .restore("support"), actor: "Ada", reason: "wanted", at: fixture.now)
    let later = fixture.now.adding(milliseconds: 86_400_000)
    let again = try fixture.run().run(night, policies: [policy], at: later)
    #expect(try fixture.files() == files)
    #expect(again.alertsRaised.isEmpty)
    #expect(again.capped.isEmpty)
    #expect(try fixture.store.orders(after: 0).count == 2)
    #expect(try fixture.store.alerts().count == 1)
    #expect(try fixture.store.verdicts(app: "support").count == 1)

    // A later night, then this one once more: it is no news.
    try fixture.add(usual(), on: night.adding(days: 1))
    try fixture.run().run(night.adding(days: 1), policies: [policy], at: later)
    try fixture.run().run(night, policies: [policy], at: later)
    #expect(try fixture.store.verdicts(app: "support").count == 2)
    #expect(
      try fixture.store.latestVerdicts()[0].periodStart == night.adding(days: 1).start(in: .gmt))

    // From nothing but the same samples, elsewhere: the same bytes too.
    let other = try NightFixture()
    try other.pinUsual(policy)
    try other.add(NightFixture.outputs([("billing", 50), ("other", 50)]), on: night)
    try other.run().run(night, policies: [policy], at: other.now)
    #expect(try other.files() == files)
  }

  @Test func aQuietNightIsOkAndTellsNobody() throws {
    let fixture = try NightFixture()
    try fixture.pinUsual()
    try fixture.add(usual(5_000), on: night)
    var policy = NightFixture.policy()
    policy.thresholds.shiftMin = 0.05
    let summary = try fixture.run().run(night, policies: [policy], at: fixture.now)
    #expect(summary.reports.map(\.verdict) == ["ok"])
    #expect(summary.alertsRaised.isEmpty)
    #expect(try fixture.store.orders(after: 0).isEmpty)
  }

  @Test func tooFewOutputsHaveNoPowerAndSaySo() throws {
    let fixture = try NightFixture()
    try fixture.pinUsual()
    try fixture.add(usual(10), on: night)
    let summary = try fixture.run().run(
      night, policies: [NightFixture.policy(onDrift: .cap)], at: fixture.now)
    #expect(try only(summary).verdict == "no-power")
    #expect(try only(summary).headline.contains("too few"))
    #expect(summary.alertsRaised.isEmpty)
    #expect(summary.capped.isEmpty)
  }

  @Test func aNightWithoutCallsHasNoPower() throws {
    let fixture = try NightFixture()
    try fixture.pinUsual()
    let summary = try fixture.run().run(
      night, policies: [NightFixture.policy()], at: fixture.now)
    #expect(try only(summary).verdict == "no-power")
    #expect(try only(summary).classifiers[0].explanation.contains("no calls"))
    #expect(summary.alertsRaised.isEmpty)
  }

  @Test func unclassifiableOutputsAreUnreadableAndTold() throws {
    let fixture = try NightFixture()
    var policy = NightFixture.policy()
    policy.classifiers = [.pointer(name: "topic", path: "/topic")]
    for day in 1...10 {
      let outputs = (0..<100).map { #"{"topic":"\#($0 < 90 ? "billing" : "other")"}"# }
      try fixture.add(outputs, on: night.adding(days: -day))
    }
    let baseline = try pinBaseline(
      name: "good", reason: "a test", policy: policy, conditions: [], zone: .gmt,
      at: fixture.now, in: fixture.store)
    try fixture.baselines.save(baseline)
    try fixture.add((0..<100).map { "Here is the JSON: {\"n\":\($0)}" }, on: night)
    let summary = try fixture.run().run(night, policies: [policy], at: fixture.now)
    #expect(try only(summary).verdict == "unreadable")
    #expect(summary.alertsRaised == ["drift/support/2026-11-22/unreadable"])
    #expect(try fixture.store.alerts().first?.severity == "warning")
  }

  @Test func aChangedClassifierLabelsTheBaselineAgainWhileItCan() throws {
    let fixture = try NightFixture()
    try fixture.pinUsual()
    try fixture.add(usual(1_000), on: night)
    let changed = NightFixture.policy(pattern: #"\[(\w+)\]"#)
    let summary = try fixture.run().run(night, policies: [changed], at: fixture.now)
    let part = try only(summary).classifiers[0]
    #expect(part.verdict != "instrument-changed")
    #expect(part.explanation.contains("labelled again"))
    #expect(part.counts["billing"]?.baseline == 900)
  }

  @Test func aChangedClassifierWithoutTheBaselinesOutputsIsNotCompared() throws {
    let fixture = try NightFixture()
    try fixture.pinUsual()
    // The outputs age away; the baseline's counts stay.
    let kept = fixture.now.adding(milliseconds: 1)
    _ = try fixture.store.pruneSamples(olderThan: kept, bytesMax: .max)
    let late = try NightFixture()
    let baseline = try fixture.baselines.load(app: "support", name: "good")
    try late.baselines.save(baseline)
    try late.add(usual(1_000), on: night)
    let changed = NightFixture.policy(onDrift: .cap, pattern: #"\[(\w+)\]"#)
    let summary = try late.run().run(night, policies: [changed], at: late.now)
    #expect(try only(summary).verdict == "instrument-changed")
    #expect(summary.alertsRaised == ["drift/support/2026-11-22/instrument-changed"])
    #expect(summary.capped.isEmpty)

    // The unchanged classifier is compared by the counts alone.
    let same = try late.run().run(night, policies: [NightFixture.policy()], at: late.now)
    #expect(try only(same).classifiers[0].counts["billing"]?.baseline == 900)
    #expect(try only(same).verdict != "instrument-changed")
  }

  @Test func allAppsOfANightAreOneFamily() throws {
    let fixture = try NightFixture()
    let policies = ["a", "b", "c"].map { NightFixture.policy(app: $0) }
    for policy in policies {
      try fixture.pinUsual(policy)
      try fixture.add(usual(), app: policy.app, on: night)
    }
    let idle = NightFixture.policy(app: "idle", baseline: nil)
    let summary = try fixture.run().run(
      night, policies: policies.reversed() + [idle], at: fixture.now)
    #expect(summary.reports.map(\.app) == ["a", "b", "c"])
    #expect(summary.reports.map(\.familySize) == [3, 3, 3])
  }

  @Test func anAppThatCannotBeJudgedDoesNotStopTheOthers() throws {
    let fixture = try NightFixture()
    try fixture.pinUsual()
    try fixture.add(usual(), on: night)
    let broken = NightFixture.policy(app: "broken", baseline: "nope")
    let summary = try fixture.run().run(
      night, policies: [broken, NightFixture.policy()], at: fixture.now)
    #expect(summary.reports.map(\.app) == ["support"])
    #expect(summary.faults.map(\.app) == ["broken"])
    #expect(summary.alertsRaised == ["system/drift/broken/2026-11-22"])
    let index = try #require(try fixture.files()["index.html"])
    #expect(String(decoding: index, as: UTF8.self).contains("There is no baseline"))
    let again = try fixture.run().run(
      night, policies: [broken, NightFixture.policy()], at: fixture.now)
    #expect(again.alertsRaised.isEmpty)
  }

  @Test func aNightIsCompleteOnlyOnceEverythingIsStored() throws {
    let fixture = try NightFixture()
    try fixture.pinUsual()
    try fixture.add(NightFixture.outputs([("other", 100)]), on: night)
    struct Full: Error {}
    let failing = fixture.run { _, _ in throw Full() }
    #expect(throws: AnalyzerFault.self) {
      try failing.run(night, policies: [NightFixture.policy()], at: fixture.now)
    }
    #expect(!fixture.reports.isComplete(night))
    let summary = try fixture.run().run(
      night, policies: [NightFixture.policy()], at: fixture.now)
    #expect(summary.alertsRaised == ["drift/support/2026-11-22/drifted"])
    #expect(fixture.reports.isComplete(night))
    #expect(try fixture.store.verdicts(app: "support").count == 1)
  }

  @Test func labelsAreReadNotGivenAgain() throws {
    let fixture = try NightFixture()
    try fixture.add(usual(), on: night)
    let counting = CountingClassifier()
    let span = SampleSpan(app: "support")
    let first = try Labelling(of: span, by: [counting], in: fixture.store)
    #expect(counting.count == 100)
    let second = try Labelling(of: span, by: [counting], in: fixture.store)
    #expect(counting.count == 100)
    #expect(first.tally(of: counting) == second.tally(of: counting))
    try fixture.add(usual(10), on: night.adding(days: 1))
    _ = try Labelling(of: span, by: [counting], in: fixture.store)
    #expect(counting.count == 110)
  }
}
