// Days, their edges under changes of clocks, and when a night is due.

import Analyzer
import Foundation
import Logging
import Metering
import Synchronization
import Testing

@Suite struct NightScheduleTests {
  // In every time zone database.
  // swift-format-ignore: NeverForceUnwrap
  private let berlin = TimeZone(identifier: "Europe/Berlin")!

  @Test(arguments: [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-22", 24)])
  func aDayIsAsLongAsItsPlaceHasIt(_ text: String, _ hours: Int64) throws {
    let date = try #require(CivilDate(text))
    let bounds = date.bounds(in: berlin)
    let length = bounds.upperBound.milliseconds - bounds.lowerBound.milliseconds
    #expect(length == hours * 3_600_000)
    #expect(CivilDate(bounds.lowerBound, in: berlin) == date)
    #expect(CivilDate(bounds.upperBound.adding(milliseconds: -1), in: berlin) == date)
    #expect(CivilDate(bounds.upperBound, in: berlin) == date.adding(days: 1))
  }

  @Test func nightIsDueOnceItsTimeHasCome() throws {
    let schedule = try NightSchedule(hour: 3, minute: 30, zone: berlin)
    let today = try #require(CivilDate("2026-11-23"))
    let before = today.at(hour: 3, minute: 29, in: berlin)
    let after = today.at(hour: 3, minute: 30, in: berlin)
    let yesterday = today.adding(days: -1)
    #expect(schedule.due(at: before, last: today.adding(days: -2)).isEmpty)
    #expect(schedule.due(at: after, last: today.adding(days: -2)) == [yesterday])
    #expect(schedule.due(at: after, last: yesterday).isEmpty)
    #expect(schedule.due(at: after, last: nil) == [yesterday])
    #expect(schedule.next(after: before) == after)
    #expect(
      schedule.next(after: after) == today.adding(days: 1).at(hour: 3, minute: 30, in: berlin))
  }

  @Test func missedNightsAreCaughtUpOldestFirstAndWithinABound() throws {
    let schedule = try NightSchedule(hour: 3, minute: 0, zone: .gmt)
    let today = try #require(CivilDate("2026-11-23"))
    let now = today.at(hour: 12, minute: 0, in: .gmt)
    let due = schedule.due(at: now, last: today.adding(days: -4))
    #expect(due == [-3, -2, -1].map { today.adding(days: $0) })
    #expect(schedule.due(at: now, last: today.adding(days: -90)).count == 7)
  }

  @Test func everyDayOfAYearIsDueExactlyOnce() throws {
    // A time that one day skips and another has twice.
    let schedule = try NightSchedule(hour: 2, minute: 30, zone: berlin)
    let first = try #require(CivilDate("2026-01-01"))
    var now = first.at(hour: 2, minute: 30, in: berlin)
    var last: CivilDate? = first.adding(days: -2)
    var judged: [CivilDate] = []
    for _ in 0..<365 {
      let due = schedule.due(at: now, last: last)
      judged += due
      last = due.last ?? last
      now = schedule.next(after: now)
    }
    #expect(judged == (0..<365).map { first.adding(days: $0 - 1) })
  }

  @Test func aTimeThatIsNoneIsRefused() {
    #expect(throws: AnalyzerFault.self) { try NightSchedule(hour: 24, minute: 0, zone: .gmt) }
    #expect(throws: AnalyzerFault.self) { try NightSchedule(hour: 0, minute: -1, zone: .gmt) }
  }

  /// A clock that moves only when somebody sleeps, and is cancelled at an end.
  private final class FakeClock: Sendable {
    let time: Mutex<Timestamp>
    let end: Timestamp
    init(start: Timestamp, end: Timestamp) {
      time = Mutex(start)
      self.end = end
    }
    var clock: AnalyzerService.Clock {
      AnalyzerService.Clock(
        now: { self.time.withLock { $0 } },
        sleep: { milliseconds in
          let now = self.time.withLock { time in
            time = time.adding(milliseconds: milliseconds)
            return time
          }
          if now >= self.end { throw CancellationError() }
        })
    }
  }

  @Test func serviceCatchesUpAMissedNightThenKeepsTheSchedule() async throws {
    let fixture = try NightFixture()
    let policy = NightFixture.policy()
    try fixture.pinUsual(policy)
    for day in 0...2 {
      try fixture.add(
        NightFixture.outputs([("billing", 90), ("other", 10)]),
        on: NightFixture.night.adding(days: day))
    }
    let night = NightFixture.night
    // A night was judged before; then the process was away for the night's own time.
    try fixture.run().run(night.adding(days: -1), policies: [policy], at: fixture.now)
    let clock = FakeClock(
      start: night.adding(days: 1).at(hour: 15, minute: 0, in: .gmt),
      end: night.adding(days: 3).at(hour: 15, minute: 0, in: .gmt))
    let reads = Mutex(0)
    let service = AnalyzerService(
      run: fixture.run(), schedule: try NightSchedule(hour: 3, minute: 0, zone: .gmt),
      reports: fixture.reports, clock: clock.clock, logger: Logger(label: "test")
    ) {
      reads.withLock { $0 += 1 }
      return [policy]
    }
    try await service.run()
    for day in 0...2 { #expect(fixture.reports.isComplete(night.adding(days: day)), "\(day)") }
    #expect(!fixture.reports.isComplete(night.adding(days: 3)))
    #expect(reads.withLock { $0 } == 3)
  }

  @Test func aFailedNightIsTriedAgain() async throws {
    let fixture = try NightFixture()
    let night = NightFixture.night
    let clock = FakeClock(
      start: night.adding(days: 1).at(hour: 3, minute: 0, in: .gmt),
      end: night.adding(days: 1).at(hour: 4, minute: 0, in: .gmt))
    let failuresLeft = Mutex(2)
    struct Unreadable: Error {}
    let service = AnalyzerService(
      run: fixture.run(), schedule: try NightSchedule(hour: 3, minute: 0, zone: .gmt),
      reports: fixture.reports, clock: clock.clock, logger: Logger(label: "test")
    ) {
      let fails = failuresLeft.withLock { left in
        left -= 1
        return left >= 0
      }
      if fails { throw Unreadable() }
      return []
    }
    try await service.run()
    #expect(fixture.reports.isComplete(night))
    #expect(failuresLeft.withLock { $0 } == -1)
  }
}
