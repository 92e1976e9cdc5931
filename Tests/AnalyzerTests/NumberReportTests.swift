// Lengths and durations in a report: what moved, and nothing where too little is known.

import Drift
import Foundation
import Metering
import Store
import Testing

@testable import Analyzer

@Suite struct NumberReportTests {
  private let night = NightFixture.night

  private func add(
    _ count: Int, words: Int, milliseconds: Int64, status: Int = 200, to fixture: NightFixture,
    on date: CivilDate
  ) throws {
    let samples = (0..<count).map { number in
      SampleRecord(
        app: "support", origin: "gateway", model: "m",
        time: date.start(in: .gmt).adding(milliseconds: Int64(number) * 10_000), status: status,
        input: "",
        output: "[x]" + String(repeating: " ja", count: words + number % 3),
        latencyMilliseconds: milliseconds < 0 ? -1 : milliseconds + Int64(number % 50))
    }
    try fixture.store.insertSamples(samples, storedAt: fixture.now)
  }

  private func pinned(_ fixture: NightFixture) throws {
    for day in 1...8 {
      try add(100, words: 10, milliseconds: 200, to: fixture, on: night.adding(days: -day))
    }
    try fixture.baselines.save(
      try pinBaseline(
        name: "good", reason: "read by Ada", policy: NightFixture.policy(), conditions: [],
        until: night.start(in: .gmt), zone: .gmt, at: fixture.now, in: fixture.store))
  }

  private func report(_ fixture: NightFixture) throws -> DriftReport {
    try only(
      fixture.run().run(night, policies: [NightFixture.policy()], at: fixture.now))
  }

  @Test func aLongerAnswerIsSeenThoughTheLabelsStay() throws {
    let fixture = try NightFixture()
    try pinned(fixture)
    try add(200, words: 40, milliseconds: 200, to: fixture, on: night)
    // A failed call has no length that means anything.
    try add(90, words: 900, milliseconds: -1, status: 500, to: fixture, on: night)
    let report = try report(fixture)
    let length = try #require(report.numbers.first { $0.name == "Length" })
    #expect(length.comparison.periodCount == 200 && length.comparison.baselineCount == 800)
    #expect(length.comparison.quantiles[0].change == 90)
    #expect(abs(length.comparison.wasserstein - 90) < 0.5)
    #expect(length.comparison.andersonDarlingP <= 0.001)
    let duration = try #require(report.numbers.first { $0.name == "Duration" })
    #expect(duration.comparison.andersonDarlingP > 0.05)
    let page = try ReportPage.html(report)
    #expect(page.contains("Length, p50, characters") && page.contains("+90 (+90 to +90)"))
    #expect(ReportText.markdown(report).contains("| Length, p50, characters |"))
  }

  @Test func nothingIsSaidOfTooFewOrOfABaselineThatIsGone() throws {
    let fixture = try NightFixture()
    try pinned(fixture)
    try add(49, words: 40, milliseconds: 200, to: fixture, on: night)
    #expect(try report(fixture).numbers.isEmpty)

    // A part of the baseline is not it, nor are outputs that were sampled unequally.
    let partial = try NightFixture()
    try pinned(partial)
    try partial.store.pruneSamples(olderThan: partial.now, bytesMax: 150_000)
    try add(200, words: 40, milliseconds: 200, to: partial, on: night)
    #expect(try partial.store.sampleCount(of: SampleSpan(app: "support")) > 300)
    #expect(try report(partial).numbers.isEmpty)
    let unequal = try NightFixture()
    try pinned(unequal)
    try add(200, words: 40, milliseconds: 200, to: unequal, on: night)
    try unequal.add(["[x]"], on: night, probability: 0.5)
    #expect(try report(unequal).numbers.isEmpty)

    let gone = try NightFixture()
    try pinned(gone)
    try gone.store.pruneSamples(olderThan: gone.now, bytesMax: 0)
    try add(200, words: 40, milliseconds: 200, to: gone, on: night)
    #expect(try report(gone).numbers.isEmpty)
  }

  @Test func ofManySamplesAFewAreReadEvenly() throws {
    let fixture = try NightFixture()
    try add(1_000, words: 1, milliseconds: 0, to: fixture, on: night)
    let span = SampleSpan(app: "support")
    let all = try fixture.store.numbers(.duration, of: span, limit: 5_000)
    let some = try fixture.store.numbers(.duration, of: span, limit: 90)
    #expect(all.count == 1_000 && (50...120).contains(some.count))
    #expect(try fixture.store.numbers(.length, of: span, limit: 5_000).max() == 12)
  }
}
