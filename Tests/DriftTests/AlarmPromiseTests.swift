// What the continuous alarm promises and what its promise rests on: fair evidence whatever came
// before, open label sets, limits, and refusals of what it cannot take.

import Foundation
import TestSupport
import Testing

@testable import Drift

@Suite("Continuous alarm, its promise")
struct AlarmPromiseTests {
  private let baseline = Tally(["answer": 4_500, "refusal": 100, "format": 250, "other": 150])

  /// Every stream of a few outputs, each with the probability that the baseline and the outputs
  /// before it give: M is one larger on average for every full tick.
  @Test func theEvidenceIsFairOnAverageOverAllStreams() throws {
    let alarm = try DriftAlarm(
      baseline: Tally(["a": 7, "b": 5]), averageRunLength: 1e5, tickOutputs: 2)
    let sizes: [Int64] = [2, 1, 2, 3]
    var (mean, mass) = (0.0, 0.0)
    try eachStream(alarm, sizes, known: [7, 5, 0]) { _, reading, probability in
      mean += probability * exponential(reading.evidence)
      mass += probability
    }
    #expect(isClose(mass, 1, 1e-12))
    #expect(isClose(mean, 4, 1e-10), "\(mean) after eight outputs in ticks of two")
  }

  /// The same for what follows an acknowledged alarm, over the streams that had one: the bound
  /// holds for the second run as for the first.
  @Test func aRunAfterAnAcknowledgedAlarmIsFairToo() throws {
    let alarm = try DriftAlarm(
      baseline: Tally(["a": 7, "b": 5]), averageRunLength: 4, tickOutputs: 2)
    var (mean, mass) = (0.0, 0.0)
    try eachStream(alarm, [2, 2], known: [7, 5, 0]) { before, _, probability in
      guard before.latched != nil else { return }
      mass += probability
      var acknowledged = before
      acknowledged.acknowledge()
      let known = zip([7, 5, 0], before.counted).map { $0 + $1 }
      try eachStream(acknowledged, [1, 3], known: known) { _, reading, next in
        mean += probability * next * exponential(reading.evidence)
      }
    }
    #expect(mass > 0.01 && mass < 0.99, "\(mass) of the streams had an alarm")
    #expect(isClose(mean / mass, 2, 1e-10), "\(mean / mass) after four outputs")
  }

  /// A third of the labels of this stream were never seen before, or hardly: an alarm that took the
  /// baseline's labels for all that there are would be certain.
  @Test func anOpenSetOfLabelsIsNoAlarm() throws {
    var alarms = 0
    for seed in 0..<12 as Range<UInt64> {
      var generator = Xoshiro256(seed: seed)
      func tally(_ outputs: Int) -> Tally {
        var tally = Tally()
        // As Zipf has them: the share of the k-th label is proportional to ln(1 + 1/k).
        for _ in 0..<outputs { tally.add("topic \(Int(exponential(11 * generator.uniform())))") }
        return tally
      }
      var alarm = try DriftAlarm(
        baseline: tally(2_000), averageRunLength: 10_000, tickOutputs: 100)
      #expect(alarm.labels.count <= AlarmClasses.classesMax && alarm.labels.count > 5)
      for _ in 0..<30 where alarm.latched == nil { _ = try alarm.update(tally(100)) }
      if alarm.latched != nil { alarms += 1 }
    }
    // The bound is 3,000/10,000 of them on average.
    #expect(alarms <= 6, "\(alarms) of 12")
  }

  @Test func rareLabelsAreOneClass() throws {
    let alarm = try DriftAlarm(
      baseline: Tally(["answer": 500, "refusal": 40, "odd": 4, "odder": 1, "__other__": 2]),
      averageRunLength: 1e4)
    #expect(alarm.labels == ["answer", "refusal", "__other__"])
    #expect(alarm.name(of: "odd") == "__other__" && alarm.name(of: "new") == "__other__")
    #expect(alarm.name(of: "refusal") == "refusal")
    let text = String(decoding: try JSONEncoder().encode(alarm), as: UTF8.self)
    #expect(text.contains(#""baseline":[500,40,7]"#), "none is lost")
    #expect(throws: AlarmFault.self) {
      try DriftAlarm(baseline: Tally(["a": 4, "b": 4, "c": 4]), averageRunLength: 1e4)
    }
  }

  /// From 2 to 2.5 % is real and does not matter; from there to 8 % does, and is not hidden.
  @Test func aSmallShiftDoesNotHideALargeOne() throws {
    let large = Tally(["answer": 450_000, "refusal": 10_000, "format": 25_000, "other": 15_000])
    var alarm = try DriftAlarm(baseline: large, averageRunLength: 1e5, tickOutputs: 1_000)
    func take(_ refusals: Int64) throws -> AlarmReading {
      let tick = Tally(["answer": 920 - refusals, "refusal": refusals, "format": 50, "other": 30])
      let reading = try alarm.update(tick, startedAt: 7)
      return try #require(reading)
    }
    let small = try (0..<300).map { _ in try take(25) }
    #expect(small.compactMap(\.raised) == [.watch])
    let shift = try #require(alarm.latched?.shifts.first)
    #expect(shift.label == "refusal" && !shift.isBeyondLimit && shift.limit == 0.01)
    #expect(shift.interval.low > 0 && shift.interval.high < 0.01, "\(shift)")

    let later = try (0..<4).map { _ in try take(80) }
    let drifted = try #require(later.first { $0.raised == .drifted })
    #expect(alarm.latched == drifted && later.compactMap(\.raised) == [.drifted])
    #expect(drifted.onset.ticksBefore >= 298, "\(drifted.onset)")
    #expect(drifted.onset.startedAt == 7)
    let moved = try #require(drifted.shifts.first)
    #expect(moved.label == "refusal" && moved.isBeyondLimit && moved.interval.low > 0.01)
    // What the app tolerates may be changed while it runs.
    alarm.acknowledge()
    alarm.thresholds.shiftMin = 0.2
    #expect(try (0..<20).compactMap { _ in try take(80).raised } == [.watch])
  }

  @Test func outputsSampledOtherwiseAreRefused() throws {
    var alarm = try DriftAlarm(baseline: baseline, averageRunLength: 1e5)
    _ = try alarm.update(Tally(["answer": 25]))
    let before = try JSONEncoder().encode(alarm)
    var half = Tally()
    try half.add("answer", count: 25, probability: 0.5)
    var mixed = half
    mixed.add("refusal", count: 1)
    for tick in [half, mixed] {
      #expect(throws: AlarmFault.self) { try alarm.update(tick) }
    }
    // Coded keys may come in any order, so what is compared is read again.
    #expect(
      try alarm.candidatesCoded
        == JSONDecoder().decode(DriftAlarm.self, from: before)
        .candidatesCoded)
    var thinned = try DriftAlarm(baseline: baseline, probability: 0.5, averageRunLength: 1e5)
    #expect(try thinned.update(half) != nil)
    #expect(throws: AlarmFault.self) { try thinned.update(Tally(["answer": 25])) }
  }

  @Test func anotherRunLengthMovesTheThresholdAlone() throws {
    var alarm = try DriftAlarm(baseline: baseline, averageRunLength: 1e5)
    let first = try #require(try alarm.update(Tally(["answer": 25])))
    try alarm.setAverageRunLength(2e5)
    #expect(throws: AlarmFault.self) { try alarm.setAverageRunLength(24) }
    let second = try #require(try alarm.update(Tally(["answer": 25])))
    #expect(isClose(second.threshold - first.threshold, ln(2), 1e-12))
    var other = try DriftAlarm(baseline: baseline, averageRunLength: 2e5)
    _ = try other.update(Tally(["answer": 25]))
    #expect(try other.update(Tally(["answer": 25]))?.evidence == second.evidence)
  }

  @Test func aMonitorKnowsWhatItIsAbout() throws {
    let origin = DriftMonitor.Origin(baseline: "b1", version: "v1")
    let thresholds = DriftThresholds()
    let monitors = [
      DriftMonitor(
        origin: origin, plain: try DriftAlarm(baseline: baseline, averageRunLength: 100)),
      DriftMonitor(
        origin: origin,
        weighted: try WeightedDriftAlarm(
          baseline: baseline, probabilityFloor: 0.5, averageRunLength: 100)),
    ]
    for var monitor in monitors {
      for _ in 0..<20 { _ = try monitor.update(Tally(["refusal": 25]), startedAt: 3) }
      #expect(monitor.latched?.raised == .drifted && monitor.outputs == 500)
      var again = try JSONDecoder().decode(
        DriftMonitor.self, from: try JSONEncoder().encode(monitor))
      #expect(again.origin == origin && again.latched == monitor.latched)
      #expect(again.isWeighted == monitor.isWeighted && again.name(of: "new") == "__other__")
      try again.set(averageRunLength: 1_000, thresholds: thresholds)
      again.acknowledge()
      #expect(again.latched == nil)
      let reading = try #require(try again.update(Tally(["refusal": 25]), startedAt: 4))
      #expect(isClose(reading.threshold, ln(40), 1e-12))
    }
  }

  /// Every list of ticks of these sizes, by counts, with its probability given what is known.
  private func eachStream(
    _ alarm: DriftAlarm, _ sizes: [Int64], known: [Int64],
    _ body: (DriftAlarm, AlarmReading, Double) throws -> Void
  ) throws {
    func go(
      _ alarm: DriftAlarm, _ left: ArraySlice<Int64>, _ known: [Int64], _ probability: Double,
      _ reading: AlarmReading?
    ) throws {
      guard let size = left.first else {
        return try body(alarm, try #require(reading), probability)
      }
      for a in 0...size {
        for b in 0...(size - a) {
          let counts = [a, b, size - a - b]
          var next = alarm
          let reading = try next.update(Tally(["a": a, "b": b, "new": size - a - b]))
          try go(
            next, left.dropFirst(), zip(known, counts).map { $0 + $1 },
            probability * predicted(counts, known), reading)
        }
      }
    }
    try go(alarm, sizes[...], known, 1, nil)
  }

  /// The Dirichlet–multinomial probability, output by output.
  private func predicted(_ counts: [Int64], _ known: [Int64]) -> Double {
    var (probability, seen) = (1.0, 0.0)
    let total = known.reduce(0.0) { $0 + Double($1) + 0.5 }
    for (count, known) in zip(counts, known) {
      for index in 0..<count {
        // Of all orders of these counts, so many are alike.
        probability *= (Double(known + index) + 0.5) / (total + seen) * (seen + 1)
        probability /= Double(index + 1)
        seen += 1
      }
    }
    return probability
  }
}

extension DriftAlarm {
  private struct Coded: Decodable { var candidates: [Int64] }

  /// Ticks, outputs, starts, with their counts.
  var candidatesCoded: [Int64] {
    get throws {
      try JSONDecoder().decode(Coded.self, from: try JSONEncoder().encode(self)).candidates
    }
  }

  /// Counts of all outputs so far, of three classes.
  var counted: [Int64] {
    let numbers = (try? candidatesCoded) ?? []
    return (0..<3).map { k in
      stride(from: k + 3, to: numbers.count, by: 6).reduce(0) { $0 + numbers[$1] }
    }
  }
}
