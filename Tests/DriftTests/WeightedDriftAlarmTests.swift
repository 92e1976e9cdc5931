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
      baseline: try kept(60_000, refusals: 0.02, &generator), probabilityFloor: 0.05,
      averageRunLength: 10_000, tickOutputs: 2)
  }

  /// Every bet written out, output by output, against the tick's sums.
  @Test func theEvidenceIsTheMeanOfAllBets() throws {
    var baseline = Tally(["a": 300, "b": 100])
    try baseline.add("a", count: 50, probability: 0.25)
    var alarm = try WeightedDriftAlarm(
      baseline: baseline, probabilityFloor: 0.2, monitors: 5, averageRunLength: 1_000,
      tickOutputs: 4)
    // 95 % over the classes of five monitors.
    let z = Interval.jointZ(confidence: 0.99, classes: 3)
    let side = Side(baseline, labels: ["a", "b", "__other__"])
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
      let reading = try alarm.update(tally)
      for (index, stake) in [0.9, 0.3, 0.1, 0.033, 0.011].enumerated() {
        for k in 0..<3 {
          let (low, high) = (bounds[k].low, bounds[k].high)
          var (up, down) = (1.0, 1.0)
          for output in tick {
            let hit = output.k == k ? 1.0 : 0
            up *= 1 + stake * 0.2 / high / output.probability * (hit - high)
            down *= 1 + stake * 0.2 / (1 - low) / output.probability * (low - hit)
          }
          let start = Double(tick.count) / 4
          wealth[index * 6 + k * 2] = (wealth[index * 6 + k * 2] + start) * up
          // No share is below 0: of what the baseline did not have nothing is staked downwards.
          guard low > 0 else { continue }
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
    for _ in 0..<200 { _ = try alarm.update(try kept(25, refusals: 0.02, &generator)) }
    #expect(alarm.latched == nil)
    for _ in 0..<40 { _ = try alarm.update(try kept(25, refusals: 0.12, &generator)) }
    let found = try #require(alarm.latched)
    let shift = try #require(found.shifts.first)
    #expect(shift.label == "refusal" && shift.direction == .up)
    #expect(abs(shift.baselineShare - 0.02) < 0.005 && shift.share > 0.04, "\(shift)")
    // 200 ticks, less those in which nothing was kept.
    #expect((160...205).contains(found.onset.ticksBefore), "\(found.onset)")
    alarm.acknowledge()
    #expect(alarm.latched == nil)
    let after = try alarm.update(try kept(25, refusals: 0.02, &generator))
    #expect(try #require(after).evidence < found.evidence)
  }

  @Test func aRestartGoesOnToTheBit() throws {
    var generator = Xoshiro256(seed: 4)
    var alarm = try alarm(&generator)
    for count in 0..<300 {
      _ = try alarm.update(try kept(25, refusals: count < 250 ? 0.02 : 0.2, &generator))
    }
    #expect(alarm.latched != nil)
    var restarted = try JSONDecoder().decode(
      WeightedDriftAlarm.self, from: JSONEncoder().encode(alarm))
    #expect(restarted == alarm)
    for _ in 0..<20 {
      let tick = try kept(25, refusals: 0.05, &generator)
      let pair = (try alarm.update(tick), try restarted.update(tick))
      #expect(pair.0 == pair.1)
    }
  }

  /// What the average run length rests on: whatever decides over keeping, each bet of each class
  /// gains nothing on average over one more call whose share is at its bound, and loses within.
  @Test func noBetGainsOnAverageWithinTheBounds() throws {
    let classes = AlarmClasses(labels: ["answer", "format", "refusal", "__other__"])
    // Refusals are always kept, answers at the least probability that there is.
    let kept = [0.05, 0.2, 1, 0.05]
    func mean(_ k: Int, share: Double, _ factor: (CountedStratum) -> Double?) throws -> Double {
      var mean = 0.0
      for (index, probability) in kept.enumerated() {
        var tick = Tally()
        try tick.add(classes.labels[index], probability: probability)
        let stratum = try #require(CountedStratum.all(of: tick, classes: classes).first)
        let rest = (1 - share) / 3
        let gain = exponential(try #require(factor(stratum)))
        mean += (index == k ? share : rest) * (probability * gain + 1 - probability)
      }
      return mean
    }
    for k in classes.labels.indices {
      for stake in ClassBets.stakes.indices {
        for bound in [0.001, 0.02, 0.4, 0.99] {
          let up = { ClassBets.growth(k, of: [$0], stake, 0.05, above: bound) }
          let down = { ClassBets.growth(k, of: [$0], stake, 0.05, below: bound) }
          #expect(isClose(try mean(k, share: bound, up), 1, 1e-12))
          #expect(isClose(try mean(k, share: bound, down), 1, 1e-12))
          #expect(try mean(k, share: bound * 0.9, up) < 1 && mean(k, share: bound * 0.9, down) > 1)
          #expect(try mean(k, share: min(bound * 1.01, 1), down) < 1)
        }
      }
    }
  }

  /// A probability below the floor would make a factor negative; one that depends on labels and was
  /// not in the baseline is fair, since the stakes do not look at it.
  @Test func theFloorHoldsWhateverIsKept() throws {
    var alarm = try WeightedDriftAlarm(
      baseline: Tally(["a": 300, "b": 100]), probabilityFloor: 0.1, averageRunLength: 1_000)
    var low = Tally()
    try low.add("a", count: 3, probability: 0.05)
    let before = alarm
    #expect(throws: AlarmFault.self) { try alarm.update(low) }
    #expect(alarm == before)
    for floor in [0, -1, 1.1, .nan] {
      #expect(throws: AlarmFault.self) {
        try WeightedDriftAlarm(
          baseline: Tally(["a": 300]), probabilityFloor: floor, averageRunLength: 1_000)
      }
    }
    // Kept at 1 or at the floor: the same stakes.
    var atFloor = Tally()
    try atFloor.add("b", count: 4, probability: 0.1)
    let reading = try #require(try alarm.update(atFloor))
    #expect(reading.evidence.isFinite)
  }

  /// From 25 to 29 % with a limit of 10 points is watched; then 60 % is drift.
  @Test func aSmallShiftDoesNotHideALargeOne() throws {
    var alarm = try WeightedDriftAlarm(
      baseline: Tally(["a": 75_000, "b": 25_000]), probabilityFloor: 0.5,
      averageRunLength: 10_000, tickOutputs: 100)
    alarm.thresholds.shiftMin = 0.1
    func take(_ hits: Int64) throws -> AlarmReading {
      var tick = Tally(["a": 100 - hits, "b": hits / 2])
      try tick.add("b", count: hits - hits / 2, probability: 1)
      let reading = try alarm.update(tick)
      return try #require(reading)
    }
    #expect(try (0..<200).compactMap { _ in try take(29).raised } == [.watch])
    #expect(try (0..<5).compactMap { _ in try take(60).raised } == [.drifted])
    #expect(alarm.latched?.raised == .drifted)
  }

  @Test func aBrokenStateIsRefused() throws {
    var generator = Xoshiro256(seed: 9)
    var alarm = try alarm(&generator)
    for _ in 0..<20 { _ = try alarm.update(try kept(25, refusals: 0.02, &generator)) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let text = String(decoding: try encoder.encode(alarm), as: UTF8.self)
    _ = try JSONDecoder().decode(WeightedDriftAlarm.self, from: Data(text.utf8))
    for (part, broken) in [
      (#""probabilityFloor":0.05"#, #""probabilityFloor":0"#),
      (#""ticks":"#, #""ticks":-"#), (#""outputs":"#, #""outputs":-"#),
      (#","__other__"]"#, "]"), (#""labels":["answer""#, #""labels":["format""#),
      (#""share":0."#, #""share":1."#), (#""wealth":"#, #""wealth":-"#),
      (#""hits":"#, #""hits":9"#), (#""low":0."#, #""low":2."#),
      (#""upBeyond":["#, #""upBeyond":[0,"#), (#""tickOutputs":2"#, #""tickOutputs":0"#),
      (#""wobbleFactor":1"#, #""wobbleFactor":0.5"#),
      (#""ticksBefore":"#, #""ticksBefore":9"#),
    ] {
      #expect(text.contains(part), "\(part)")
      let changed = text.replacingOccurrences(of: part, with: broken)
      #expect(throws: (any Error).self, "\(broken)") {
        try JSONDecoder().decode(WeightedDriftAlarm.self, from: Data(changed.utf8))
      }
    }
  }

  @Test func everyReadingIsANumber() throws {
    try checkProperty(
      "weighted readings are numbers", over: 0...1_000_000_000, runs: 60, countMax: 30,
      check: { numbers in
        var baseline = Tally(tally([5] + numbers.prefix(3)))
        try baseline.add("c10000", count: 2, probability: 0.3)
        var alarm = try WeightedDriftAlarm(
          baseline: baseline, wobbleFactor: 1.5, probabilityFloor: 1e-9, averageRunLength: 1e4,
          tickOutputs: 5)
        for (index, number) in numbers.enumerated() {
          var tick = Tally()
          try tick.add("c1000\(index % 5)", count: number, probability: [1, 0.5, 1e-9][index % 3])
          guard let reading = try alarm.update(tick) else { continue }
          try require(reading.evidence.isFinite, "\(reading)")
          try require(reading.shifts.allSatisfy { $0.evidence.isFinite }, "\(reading)")
          _ = try JSONEncoder().encode(alarm)
        }
      })
    #expect(throws: AlarmFault.self) {
      try WeightedDriftAlarm(
        baseline: Tally(), probabilityFloor: 1, averageRunLength: 1e4)
    }
  }
}
