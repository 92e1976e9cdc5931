// The continuous alarm over outputs that were kept with different probabilities.

import Foundation
import TestSupport
import Testing

@testable import Drift

@Suite("Continuous alarm, weighted")
struct WeightedDriftAlarmTests {
  /// What of each label is kept.
  private let probabilities = ["answer": 0.05, "refusal": 1, "format": 0.2]

  private func kept(
    _ calls: Int, refusals: Double, _ generator: inout Xoshiro256
  ) throws -> Tally {
    var tally = Tally()
    for _ in 0..<calls {
      let u = generator.uniform()
      let label = u < refusals ? "refusal" : u < refusals + 0.05 ? "format" : "answer"
      let probability = try #require(probabilities[label])
      let isKept = generator.uniform() < probability
      if isKept { try tally.add(label, probability: probability) }
    }
    return tally
  }

  private func alarm(_ generator: inout Xoshiro256) throws -> WeightedDriftAlarm {
    try WeightedDriftAlarm(
      baseline: try kept(60_000, refusals: 0.02, &generator), averageRunLength: 10_000,
      tickOutputs: 2)
  }

  /// Every bet written out, output by output, against the tick's sums.
  @Test func theEvidenceIsTheMeanOfAllBets() throws {
    var baseline = Tally(["a": 300, "b": 100])
    try baseline.add("a", count: 50, probability: 0.25)
    var alarm = try WeightedDriftAlarm(
      baseline: baseline, averageRunLength: 1_000, tickOutputs: 4)
    let z = Interval.jointZ(confidence: 0.95, classes: 3)
    let side = Side(baseline, labels: ["a", "b", "__unseen__"])
    let bounds = (0..<3).map {
      Interval.wilson(share: side.shares[$0], size: side.effectiveSize(of: $0), z: z)
    }
    let ticks: [[(k: Int, probability: Double)]] = [
      [(1, 1), (1, 1), (0, 0.25)], [(1, 0.25)], [(2, 1), (1, 1), (0, 1), (1, 0.25), (0, 0.25)],
    ]
    var wealth = [Double](repeating: 0, count: 30)
    for tick in ticks {
      var tally = Tally()
      for output in tick {
        try tally.add(["a", "b", "new"][output.k], probability: output.probability)
      }
      let reading = alarm.update(tally)
      for (index, stake) in [0.9, 0.3, 0.1, 0.033, 0.011].enumerated() {
        for k in 0..<3 {
          let (low, high) = (bounds[k].low, bounds[k].high)
          var (up, down) = (1.0, 1.0)
          for output in tick {
            let hit = output.k == k ? 1.0 : 0
            up *= 1 + stake * 0.25 / high / output.probability * (hit - high)
            down *= 1 + stake * 0.25 / (1 - low) / output.probability * (low - hit)
          }
          let start = Double(tick.count) / 4
          wealth[index * 6 + k * 2] = (wealth[index * 6 + k * 2] + start) * up
          wealth[index * 6 + k * 2 + 1] = (wealth[index * 6 + k * 2 + 1] + start) * down
        }
      }
      let evidence = try #require(reading).evidence
      #expect(isCloseLog(evidence, ln(wealth.reduce(0, +) / 30), 1e-12))
    }
  }

  @Test func aChangeIsFoundAndNamed() throws {
    var generator = Xoshiro256(seed: 2)
    var alarm = try alarm(&generator)
    for _ in 0..<200 { _ = alarm.update(try kept(25, refusals: 0.02, &generator)) }
    #expect(alarm.latched == nil)
    for _ in 0..<40 { _ = alarm.update(try kept(25, refusals: 0.12, &generator)) }
    let found = try #require(alarm.latched)
    let shift = try #require(found.shifts.first)
    #expect(shift.label == "refusal" && shift.direction == .up)
    #expect(abs(shift.baselineShare - 0.02) < 0.005 && shift.share > 0.04, "\(shift)")
    // 200 ticks, less those in which nothing was kept.
    #expect((160...205).contains(found.onset.ticksBefore), "\(found.onset)")
    alarm.acknowledge()
    #expect(alarm.latched == nil)
    let after = alarm.update(try kept(25, refusals: 0.02, &generator))
    #expect(try #require(after).evidence < found.evidence)
  }

  @Test func aRestartGoesOnToTheBit() throws {
    var generator = Xoshiro256(seed: 4)
    var alarm = try alarm(&generator)
    for count in 0..<300 {
      _ = alarm.update(try kept(25, refusals: count < 250 ? 0.02 : 0.2, &generator))
    }
    #expect(alarm.latched != nil)
    var restarted = try JSONDecoder().decode(
      WeightedDriftAlarm.self, from: JSONEncoder().encode(alarm))
    #expect(restarted == alarm)
    for _ in 0..<20 {
      let tick = try kept(25, refusals: 0.05, &generator)
      let pair = (alarm.update(tick), restarted.update(tick))
      #expect(pair.0 == pair.1)
    }
  }

  /// What the average run length rests on: for shares within the bounds the bets on one more output
  /// lose on average, over its label and over whether it is kept.
  @Test func noBetGainsOnAverageWithinTheBounds() throws {
    var generator = Xoshiro256(seed: 6)
    let fresh = try alarm(&generator)
    for refusal in [0.019, 0.02, 0.021] {
      let shares = ["answer": 0.95 - refusal, "refusal": refusal, "format": 0.05]
      var mean = 0.0
      for (label, share) in shares {
        let probability = try #require(probabilities[label])
        var alarm = fresh
        var tick = Tally()
        try tick.add(label, count: 1, probability: probability)
        let reading = alarm.update(tick)
        // A start in a tick of one output weighs a half.
        let factor = 2 * exponential(try #require(reading).evidence)
        mean += share * (probability * factor + 1 - probability)
      }
      #expect(mean <= 1 && mean > 0.9, "\(mean)")
    }
  }

  @Test func everyReadingIsANumber() throws {
    try checkProperty(
      "weighted readings are numbers", over: 0...1_000_000_000, runs: 60, countMax: 30,
      check: { numbers in
        var baseline = Tally(tally([3] + numbers.prefix(3)))
        try baseline.add("c10000", count: 2, probability: 0.3)
        var alarm = try WeightedDriftAlarm(
          baseline: baseline, wobbleFactor: 1.5, averageRunLength: 1e4, tickOutputs: 5)
        for (index, number) in numbers.enumerated() {
          var tick = Tally()
          try tick.add("c1000\(index % 5)", count: number, probability: [1, 0.5, 1e-9][index % 3])
          guard let reading = alarm.update(tick) else { continue }
          try require(reading.evidence.isFinite, "\(reading)")
          try require(reading.shifts.allSatisfy { $0.evidence.isFinite }, "\(reading)")
          _ = try JSONEncoder().encode(alarm)
        }
      })
    #expect(throws: AlarmFault.self) {
      try WeightedDriftAlarm(baseline: Tally(), averageRunLength: 1e4)
    }
  }
}
