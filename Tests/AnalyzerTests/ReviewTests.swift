// Persons check a classifier: what is drawn for them, and what their labels come to.

import Analyzer
import Drift
import Foundation
import Labels
import Metering
import Store
import TestSupport
import Testing

@Suite struct ReviewTests {
  private static let topic = ClassifierDeclaration.regex(name: "topic", pattern: #"\[(.*)\]"#)

  private func draw(_ fixture: NightFixture, count: Int64) throws -> ReviewDraw {
    try ReviewDraw(
      of: SampleSpan(app: "support"), by: makeClassifiers([Self.topic])[0], conditions: [],
      count: count, at: fixture.now, in: fixture.store)
  }

  private func drawn(_ draw: ReviewDraw) -> [String: Int] {
    Dictionary(grouping: draw.items, by: \.predicted).mapValues(\.count)
  }

  @Test func someOfEveryLabelAreDrawnAndNothingTwice() throws {
    let fixture = try NightFixture()
    try fixture.add(
      NightFixture.outputs([("billing", 300), ("other", 40), ("rare", 3)]), on: NightFixture.night)
    let first = try draw(fixture, count: 60)
    #expect(first.round.population == ["billing": 300, "other": 40, "rare": 3])
    #expect(first.items.count == 60)
    #expect(Set(first.items.map(\.sample)).count == 60)
    #expect(drawn(first)["rare"] == 3)
    #expect(drawn(first)["other", default: 0] >= 10)
    // The order tells nothing of the label.
    #expect(Set(first.items.prefix(12).map(\.predicted)).count > 1)
    #expect(try draw(fixture, count: 60) == first)
    #expect(try draw(fixture, count: 5_000).items.count == 343)
  }

  @Test func whereItWasWrongMoreAreDrawnTheNextTime() throws {
    let fixture = try NightFixture()
    try fixture.add(
      NightFixture.outputs([("billing", 300), ("other", 300)]), on: NightFixture.night)
    let first = try draw(fixture, count: 80)
    let round = try fixture.store.insertReview(first.round, items: first.items)
    // Persons find that "other" is a coin's toss and "billing" right.
    for (index, item) in first.items.enumerated() {
      let isWrong = item.predicted == "other" && index % 2 == 0
      try fixture.store.recordReview(
        round: round, sample: item.sample,
        answer: .label(isWrong ? "billing" : item.predicted), reviewer: "Ada", at: fixture.now)
    }
    let second = try draw(fixture, count: 80)
    #expect(second.items != first.items)
    #expect(drawn(second)["other", default: 0] > 2 * drawn(second)["billing", default: 0])
  }

  @Test func nothingToDrawFromIsSaid() throws {
    let fixture = try NightFixture()
    let fault = #expect(throws: AnalyzerFault.self) { try draw(fixture, count: 60) }
    #expect(fault?.code == .noSamples)
    #expect(throws: AnalyzerFault.self) {
      try reviewFindings(app: "support", classifier: "topic", in: fixture.store)
    }
  }

  /// A population of which the truth is known.
  struct Population: Sendable, CustomTestStringConvertible {
    var outputs: Int
    /// Outputs that the classifier calls refusals, and those of them that are.
    var predicted: Int
    var right: Int
    /// Refusals that it does not see.
    var missed: Int
    var count: Int64
    /// The part of what was drawn that somebody labels.
    var part = 1.0

    var testDescription: String {
      "\(right) of \(predicted) right and \(missed) missed of \(outputs), \(count) drawn, \(part)"
    }

    func isPredicted(_ index: Int) -> Bool { index < predicted }
    func isRefusal(_ index: Int) -> Bool {
      isPredicted(index) ? index < right : index < predicted + missed
    }

    func round(_ random: inout Xoshiro256) -> (ReviewRound, [ReviewItem]) {
      func label(_ isRefusal: Bool) -> String { isRefusal ? "refusal" : "answer" }
      let groups = Dictionary(grouping: 0..<outputs, by: { label(isPredicted($0)) })
      let names = groups.keys.sorted()
      let sizes = names.map { Int64(groups[$0]?.count ?? 0) }
      let counts = neymanAllocation(
        sizes.map { CheckStratum(outputs: $0, checked: 0, wrong: 0) }, total: count)
      var items: [ReviewItem] = []
      for (name, count) in zip(names, counts) {
        for index in (groups[name] ?? []).shuffled(using: &random).prefix(Int(count)) {
          items.append(
            ReviewItem(
              sample: Int64(index), predicted: name, answer: .label(label(isRefusal(index))),
              reviewer: "Ada"))
        }
      }
      items.shuffle(using: &random)
      for index in items.indices.dropFirst(Int(Double(items.count) * part)) {
        items[index].answer = nil
      }
      let now = Timestamp(milliseconds: 0)
      let round = ReviewRound(
        app: "a", classifier: "c", version: "v", drawnAt: now, filter: [], since: now, until: now,
        population: Dictionary(uniqueKeysWithValues: zip(names, sizes)))
      return (round, items)
    }
  }

  /// The interval holds the true share, and the estimate is right on average, although rare labels
  /// are checked far more often: also where what the classifier misses is so rare that few or none
  /// of it are drawn, and where only a part is labelled.
  @Test(arguments: [
    Population(outputs: 2_000, predicted: 100, right: 100, missed: 20, count: 60),
    Population(outputs: 2_000, predicted: 100, right: 98, missed: 40, count: 60),
    Population(outputs: 5_000, predicted: 100, right: 95, missed: 30, count: 120),
    Population(outputs: 10_000, predicted: 300, right: 290, missed: 200, count: 200),
    Population(outputs: 2_000, predicted: 175, right: 120, missed: 40, count: 300),
    Population(outputs: 2_000, predicted: 175, right: 120, missed: 40, count: 300, part: 0.6),
    Population(outputs: 2_000, predicted: 600, right: 500, missed: 200, count: 400),
  ])
  func sharesAreTrueOnAverageAndInTheirIntervals(_ population: Population) throws {
    var random = Xoshiro256(seed: 11)
    let truth = Double(population.right + population.missed) / Double(population.outputs)
    let wrong = population.missed + population.predicted - population.right
    var covered = 0
    var sum = 0.0
    var agreements = 0.0
    let runs = 300
    for _ in 0..<runs {
      let (round, items) = population.round(&random)
      let findings = ReviewFindings(round, items: items)
      let share = try #require(findings.labels.first { $0.label == "refusal" }?.share)
      if share.interval.low <= truth, truth <= share.interval.high { covered += 1 }
      sum += share.share
      agreements += try #require(findings.health).agreement
    }
    #expect(Double(covered) / Double(runs) >= 0.94, "\(covered) of \(runs)")
    #expect(abs(sum / Double(runs) - truth) < 0.006)
    let agreement = 1 - Double(wrong) / Double(population.outputs)
    #expect(abs(agreements / Double(runs) - agreement) < 0.01)
  }

  @Test func whatNobodyLabelledCountsForNothing() throws {
    let now = Timestamp(milliseconds: 0)
    let round = ReviewRound(
      id: 3, app: "a", classifier: "c", version: "v", drawnAt: now, filter: [], since: now,
      until: now, population: ["yes": 90, "no": 10])
    var items = [
      ReviewItem(sample: 1, predicted: "yes"), ReviewItem(sample: 2, predicted: "yes"),
      ReviewItem(sample: 3, predicted: "no"),
    ]
    #expect(ReviewFindings(round, items: items).health == nil)
    items[0].answer = .label("maybe")
    items[1].answer = .skipped
    let findings = ReviewFindings(round, items: items)
    #expect(findings.labelled == 1)
    #expect(findings.skipped == 1)
    #expect(findings.unchecked == ["no"])
    #expect(findings.health?.agreement == 0)
    #expect(findings.labels.map(\.label) == ["maybe", "no", "yes"])
    #expect(findings.labels.last?.right == 0)
  }
}
