// The continuous alarm as a story: quiet, a change, the alarm, its acknowledgement, a restart.

import Foundation
import TestSupport
import Testing

@testable import Drift

@Suite("Continuous alarm")
struct DriftAlarmTests {
  private let baseline = Tally(["answer": 4_500, "refusal": 100, "format": 250, "other": 150])
  private let quiet = [("answer", 0.9), ("refusal", 0.02), ("format", 0.05), ("other", 0.03)]
  private let refusing = [("answer", 0.82), ("refusal", 0.1), ("format", 0.05), ("other", 0.03)]

  private func alarm(runLength: Double = 1e5, tick: Int64 = 25) throws -> DriftAlarm {
    try DriftAlarm(baseline: baseline, averageRunLength: runLength, tickOutputs: tick)
  }

  private func tick(
    _ shares: [(String, Double)], outputs: Int = 25, _ generator: inout Xoshiro256
  ) -> Tally {
    var tally = Tally()
    for _ in 0..<outputs {
      var left = generator.uniform()
      let label = shares.first { _, share in
        left -= share
        return left < 0
      }
      tally.add(label?.0 ?? shares[0].0)
    }
    return tally
  }

  private func take(_ tick: Tally, _ alarm: inout DriftAlarm) throws -> AlarmReading {
    let reading = try alarm.update(tick)
    return try #require(reading)
  }

  @Test func oneWindowAgreesWithItsOracle() throws {
    for row in try Oracle.rows("windowEvidence") {
      let baseline = try counts(row[0])
      let evidence = WindowEvidence(
        baseline: baseline, wobbleFactor: try number(row[1]), strengths: try numbers(row[4]),
        jointWeight: try number(row[5]))
      var window = CountWindow(classCount: baseline.count)
      window.add(try counts(row[2]), wobbleFactor: evidence.wobbleFactor)
      var scratch = WindowEvidence.Scratch(classCount: baseline.count)
      let value = evidence.logE(of: window, after: try counts(row[3]), scratch: &scratch)
      #expect(isCloseLog(value, try number(row[6]), 1e-9), "\(row) gave \(value)")
    }
  }

  /// Against every start there ever was, as long as none of them has had to go.
  @Test func theEvidenceIsTheSumOverAllStarts() throws {
    var generator = Xoshiro256(seed: 3)
    var alarm = try alarm()
    let evidence = WindowEvidence(baseline: [4_500, 250, 150, 100, 0], wobbleFactor: 1)
    let order = ["answer", "format", "other", "refusal"]
    var scratch = WindowEvidence.Scratch(classCount: 5)
    var ticks: [Tally] = []
    for count in 1...31 {
      ticks.append(tick(count < 20 ? quiet : refusing, outputs: 20 + count % 11, &generator))
      let reading = try take(ticks[count - 1], &alarm)
      var sum = 0.0
      for start in ticks.indices {
        var window = CountWindow(classCount: 5)
        for tick in ticks[start...] { window.add(order.map { tick[$0] } + [0], wobbleFactor: 1) }
        let past = ticks[..<start].reduce(into: Tally()) { $0.merge($1) }
        let logE = evidence.logE(
          of: window, after: order.map { past[$0] } + [0], scratch: &scratch)
        sum += Double(ticks[start].total) / 25 * exponential(logE)
      }
      #expect(isCloseLog(reading.evidence, ln(sum), 1e-12))
    }
  }

  @Test func aChangeIsFoundAndNamed() throws {
    var generator = Xoshiro256(seed: 1)
    var alarm = try alarm()
    for _ in 0..<200 {
      let reading = try take(tick(quiet, &generator), &alarm)
      #expect(reading.raised == nil)
      #expect(isClose(reading.threshold, ln(1e5 / 25), 1e-15))
    }
    #expect(alarm.latched == nil)
    var raised: [AlarmReading] = []
    for _ in 0..<40 {
      let reading = try take(tick(refusing, &generator), &alarm)
      if reading.raised != nil { raised.append(reading) }
    }
    let found = try #require(raised.last)
    #expect(Set(raised.map(\.raised)).count == raised.count, "each level once")
    #expect(found.raised == .drifted && alarm.latched == found)
    #expect(found.outputs > 5_000 && found.outputs <= 5_500)
    #expect(abs(found.onset.outputsBefore - 5_000) <= 150, "\(found.onset)")
    #expect(found.onset.outputsBefore == found.onset.ticksBefore * 25)
    #expect(found.shifts.first?.label == "refusal")
    #expect(found.shifts.first?.direction == .up)
    let shift = try #require(found.shifts.first)
    #expect(abs(shift.baselineShare - 0.02) < 0.001 && abs(shift.share - 0.1) < 0.06, "\(shift)")

    alarm.acknowledge()
    #expect(alarm.latched == nil)
    let stays = (0..<40).map { _ in tick(refusing, &generator) }
    let again = try stays.compactMap { try alarm.update($0) }
    #expect(again.contains { $0.raised != nil }, "the shift is still there")
    #expect(try #require(again.first).onset.outputsBefore == 6_000, "and is looked for anew")
    // What was seen before is known: an alarm that forgot it would find the shift with more
    // evidence.
    var forgetful = try self.alarm()
    let fresh = try stays.compactMap { try forgetful.update($0) }
    #expect(try #require(again.last).evidence < #require(fresh.last).evidence)
  }

  @Test func aClassThatTheBaselineNeverHadIsAColumn() throws {
    var alarm = try alarm()
    #expect(alarm.labels == ["answer", "format", "other", "refusal", "__other__"])
    let strange = Tally(["answer": 20, "apology": 3, "__error__": 2])
    let readings = try (0..<4).compactMap { _ in try alarm.update(strange) }
    let found = try #require(readings.first { $0.raised != nil })
    #expect(found.shifts.first?.label == "__other__")
    #expect(found.onset.outputsBefore == 0)
  }

  @Test func aVanishedClassIsADownwardShift() throws {
    var alarm = try alarm()
    var last: AlarmReading?
    for _ in 0..<400 { last = try alarm.update(Tally(["answer": 21, "refusal": 2, "other": 2])) }
    let format = try #require(last?.shifts.first { $0.label == "format" })
    #expect(format.direction == .down)
  }

  @Test func aTickWithoutOutputChangesNothing() throws {
    var generator = Xoshiro256(seed: 5)
    var plain = try alarm()
    var interrupted = try alarm()
    for _ in 0..<50 {
      let tick = tick(quiet, &generator)
      let nothing = [try interrupted.update(Tally()), try interrupted.update(Tally(["answer": 0]))]
      #expect(nothing == [nil, nil])
      let pair = (try take(tick, &plain), try take(tick, &interrupted))
      #expect(pair.0 == pair.1)
    }
  }

  /// Outputs are what counts: a start weighs what its tick held, so 50 outputs in one tick of 50
  /// and A in outputs make the same threshold as in ticks of 25.
  @Test func ticksMayDiffer() throws {
    var small = try alarm(tick: 25)
    var large = try alarm(tick: 50)
    let tick = Tally(["answer": 45, "refusal": 1, "format": 3, "other": 1])
    let one = try take(tick, &small)
    let two = try take(tick, &large)
    #expect(isClose(one.evidence - one.threshold, two.evidence - two.threshold, 1e-12))
  }

  @Test func aRestartGoesOnToTheBit() throws {
    var generator = Xoshiro256(seed: 8)
    var alarm = try DriftAlarm(baseline: baseline, wobbleFactor: 1.37, averageRunLength: 1e5)
    for count in 0..<700 {
      let tick = tick(count < 620 ? quiet : refusing, outputs: 1 + count % 40, &generator)
      _ = try alarm.update(tick)
      guard count % 50 == 49 else { continue }
      var restarted = try JSONDecoder().decode(DriftAlarm.self, from: JSONEncoder().encode(alarm))
      #expect(restarted.latched == alarm.latched)
      var unbroken = alarm
      for _ in 0..<5 {
        let next = self.tick(refusing, &generator)
        let pair = (try take(next, &restarted), try take(next, &unbroken))
        #expect(pair.0 == pair.1)
      }
    }
    #expect(alarm.latched != nil)
  }

  @Test func aBrokenStateIsRefused() throws {
    var alarm = try alarm()
    _ = try alarm.update(Tally(["answer": 24, "refusal": 1]))
    let text = String(decoding: try JSONEncoder().encode(alarm), as: UTF8.self)
    for (part, broken) in [
      (#""candidates":[1,25,0,"#, #""candidates":[1,-25,0,"#),
      (#""candidates":[1,25,0,"#, #""candidates":[0,25,0,"#),
      (#""candidates":[1,25,0,"#, #""candidates":[1,25,3,"#),
      (#""candidates":[1,25,0,"#, #""candidates":[1,25,0,3,"#),
      (#""labels":["answer""#, #""labels":["format""#),
      (#""probability":1"#, #""probability":0"#),
      (#""wobbleFactor":1"#, #""wobbleFactor":0.5"#), (#""tickOutputs":25"#, #""tickOutputs":0"#),
      (#","__other__"]"#, "]"),
    ] {
      #expect(text.contains(part))
      let changed = text.replacingOccurrences(of: part, with: broken)
      #expect(throws: (any Error).self) {
        try JSONDecoder().decode(DriftAlarm.self, from: Data(changed.utf8))
      }
    }
  }

  /// Months of ticks: as many starts as promised, and never a gap above a 32nd of its age.
  @Test func startsStayFewAndNear() {
    var candidates = OnsetCandidates(classCount: 2)
    for count in 0..<40_000 {
      candidates.append([1, 2])
      guard count % 997 == 0 else { continue }
      let starts = candidates.starts
      #expect(starts.count <= 449)
      for (older, newer) in zip(starts, starts.dropFirst()) {
        let age = candidates.ticks - older.tick
        #expect((newer.tick - older.tick) * 32 <= max(age, 32))
      }
      let held = starts.reduce(candidates.forgotten[1]) { $0 + $1.counts[1] }
      #expect(held == 2 * candidates.ticks, "every label is in one block")
    }
  }

  @Test func numbersOutOfRangeAreRefused() throws {
    for (runLength, tick): (Double, Int64) in [
      (.nan, 25), (.infinity, 25), (24, 25), (-1, 25), (1e5, 0), (1e5, -3),
    ] {
      #expect(throws: AlarmFault.self) { try alarm(runLength: runLength, tick: tick) }
    }
    for factor in [0.99, .nan, .infinity, -1] {
      #expect(throws: AlarmFault.self) {
        try DriftAlarm(baseline: baseline, wobbleFactor: factor, averageRunLength: 1e5)
      }
    }
    #expect(throws: AlarmFault.self) {
      try DriftAlarm(baseline: Tally(["a": 0]), averageRunLength: 1e5)
    }
    var weighted = baseline
    try weighted.add("answer", count: 50, probability: 0.1)
    #expect(throws: AlarmFault.self) { try DriftAlarm(baseline: weighted, averageRunLength: 1e5) }
  }

  @Test(arguments: [1, 2, 10, 100, 1_000])
  func anyNumberOfClassesAndOutputs(_ classes: Int) throws {
    for size: Int64 in [1, 1_000_000_000, .max] {
      for factor in [1.0, 7.3] {
        var alarm = try DriftAlarm(
          baseline: Tally(tally((0..<classes).map { Int64($0 % 3) * (size / 4) + 40 })),
          wobbleFactor: factor, averageRunLength: 1e5)
        for turn in 0..<3 {
          let counts = (0..<classes).map { $0 % 2 == turn % 2 ? size : 0 }
          guard let reading = try alarm.update(Tally(tally(counts))) else { continue }
          #expect(reading.evidence.isFinite, "\(size) \(factor) \(reading)")
        }
        _ = try alarm.update(Tally(["never seen": size]))
        _ = try JSONEncoder().encode(alarm)
      }
    }
  }

  @Test func everyReadingIsANumber() throws {
    try checkProperty(
      "readings are numbers", over: 0...1_000_000_000, runs: 60, countMax: 40,
      check: { numbers in
        var alarm = try DriftAlarm(
          baseline: Tally(tally([5] + numbers.prefix(4))), averageRunLength: 1e4, tickOutputs: 5)
        for start in stride(from: 0, to: numbers.count, by: 3) {
          let counts = Array(numbers[start..<min(start + 3, numbers.count)])
          guard let reading = try alarm.update(Tally(tally(counts))) else { continue }
          try require(reading.evidence.isFinite, "\(reading)")
          try require(reading.shifts.allSatisfy { $0.evidence.isFinite }, "\(reading)")
          try require(reading.onset.outputsBefore >= 0, "\(reading)")
          try require(reading.onset.outputsBefore <= reading.outputs, "\(reading)")
        }
      })
  }

  @Test func oneSettingForAllMonitors() {
    // One false alarm in 30 days over three monitors with 4,000 outputs a day together.
    #expect(averageRunLength(days: 30, outputsPerDay: [1_000, 500, 2_500]) == 120_000)
    #expect(averageRunLength(days: 30, outputsPerDay: []) == 0)
  }
}
