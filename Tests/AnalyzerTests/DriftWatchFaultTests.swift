// The continuous watch where something is amiss: late outputs, other sampling, a broken state.

import Analyzer
import Drift
import Foundation
import Metering
import Testing

@testable import Store

extension DriftWatchTests {
  /// A log that is imported late, a restart after a quiet week: nothing was called lately, and much
  /// is taken all the same.
  @Test func whatWaitsCountsWheneverItWasCalled() throws {
    let fixture = try pinned()
    try fixture.add(quiet(2_000), on: night.adding(days: 1))
    let later = night.adding(days: 20).start(in: .gmt)
    let policy = NightFixture.policy()
    // Still within the day after the pin, as stores go by when it was stored.
    #expect(try fixture.watch.averageRunLength(of: [policy], at: fixture.now) >= 90 * 2_000)
    _ = try pass(fixture)
    #expect(try fixture.watch.averageRunLength(of: [policy], at: later) == 90 * 100)
  }

  /// Outputs that an open alarm cannot weigh wait until somebody has looked, and are taken then.
  @Test func whatAnOpenAlarmCannotTakeWaits() throws {
    var policy = NightFixture.policy()
    policy.sampleRate = 0.5
    let fixture = try pinned(policy)
    try fixture.add(moved(500), on: night.adding(days: 1), probability: 0.5)
    _ = try pass(fixture, policy)
    let open = try monitor(fixture)
    #expect(open.level == "drifted")
    try fixture.add(moved(100), on: night.adding(days: 2), probability: 0.1)
    let fault = try #require(try pass(fixture, policy).faults.first?.fault)
    #expect(fault.message.contains("they wait"), "\(fault)")
    #expect(try monitor(fixture).position == open.position)
    _ = try DriftWatch.acknowledge(
      app: "support", reason: "seen", actor: "Ada", at: fixture.now, in: fixture.store)
    #expect(try pass(fixture, policy).outputs == 100)
  }

  @Test func aStateThatCannotBeReadBeginsAnewWithNothingOpen() throws {
    let fixture = try pinned()
    try fixture.add(moved(200), on: night.adding(days: 1))
    _ = try pass(fixture)
    var row = try monitor(fixture)
    #expect(row.level == "drifted")
    row.state = "{}"
    #expect(try fixture.store.saveMonitor(row))
    #expect(
      try DriftWatch.acknowledge(
        app: "support", reason: "seen", actor: "Ada", at: fixture.now, in: fixture.store
      ).count == 1)
    try fixture.add(quiet(50), on: night.adding(days: 2))
    _ = try pass(fixture)
    #expect(try monitor(fixture).level == "")
    #expect(try monitor(fixture).outputs == 50)
  }

  @Test func otherConditionsAreAnotherPopulation() throws {
    let fixture = try pinned()
    try fixture.add(quiet(100), on: night.adding(days: 1))
    _ = try pass(fixture)
    var policy = NightFixture.policy()
    policy.filter = ["model=m-1"]
    #expect(
      try policy.alarmOrigins(baselines: fixture.baselines)["topic"]
        != NightFixture.policy().alarmOrigins(baselines: fixture.baselines)["topic"])
    try fixture.add(quiet(50), on: night.adding(days: 2))
    _ = try pass(fixture, policy)
    #expect(try monitor(fixture).outputs == 50)
  }
}
