// Numbers instead of labels: distances and tests against scipy, p-values against every assignment.

import Foundation
import TestSupport
import Testing

@testable import Drift

@Suite("Numbers")
struct NumericTests {
  @Test func everyStatisticAgrees() throws {
    for row in try Oracle.rows("numeric") {
      let found = compareNumbers(
        baseline: try numbers(row[0]), period: try numbers(row[1]), drawsMax: 99, resamples: 99,
        seed: 1)
      #expect(isClose(found.wasserstein, try number(row[2]), 1e-9), "\(row)")
      #expect(isClose(found.ksDistance, try number(row[3]), 1e-12), "\(row)")
      #expect(isCloseLog(found.andersonDarling, try number(row[4]), 1e-9), "\(row)")
      let quantiles = try numbers(row[5])
      let range = quantiles[1] - SortedSample(try numbers(row[0])).quantile(0.25)
      #expect(range >= 0)
      for (index, shift) in found.quantiles.enumerated() {
        #expect(isClose(shift.baseline, quantiles[1 + index], 1e-12), "\(row)")
        #expect(isClose(shift.period, quantiles[5 + index], 1e-12), "\(row)")
      }
    }
  }

  @Test func severalSamplesAgree() throws {
    for row in try Oracle.rows("andersonDarling") {
      let samples = try row[0].split(separator: ";").map { try numbers(String($0)) }
      let statistic = PooledSamples(samples).andersonDarling
      #expect(isClose(statistic, try number(row[1]), 1e-9), "\(row) gave \(statistic)")
    }
  }

  /// Small enough to count every assignment; the bands are four standard deviations.
  @Test func permutationPAgreesWithEveryAssignment() throws {
    let draws = 20_000
    for row in try Oracle.rows("permuted") {
      let pooled = PooledSamples([try numbers(row[0]), try numbers(row[1])])
      let p = pooled.permutationP(
        seed: 5, drawsMax: draws, exceedancesMax: .max,
        of: [\.kolmogorovSmirnov, \.andersonDarlingRaw])
      for (index, found) in p.enumerated() {
        let exact = try number(row[2 + index])
        let deviation = (exact * (1 - exact) / Double(draws)).squareRoot()
        #expect(abs(found.value - exact) < 4 * deviation + 1e-4, "\(row): \(found)")
      }
    }
  }

  @Test func trendsAgree() throws {
    for row in try Oracle.rows("trend") {
      let found = cochranArmitage(
        baseline: try counts(row[0]), period: try counts(row[1]), scores: try numbers(row[2]))
      #expect(isClose(found.z, try number(row[3]), 1e-9), "\(row) gave \(found)")
      #expect(isClose(found.p, try number(row[4]), 1e-9), "\(row) gave \(found)")
    }
    let up = cochranArmitage(baseline: [10, 10], period: [5, 15])
    #expect(isClose(up.change, 0.25, 1e-12) && up.z > 0)
    for nothing in [
      cochranArmitage(baseline: [], period: []),
      cochranArmitage(baseline: [3, 4], period: [0, 0]),
      cochranArmitage(baseline: [0, 7], period: [0, 2]),
    ] {
      #expect(nothing == OrdinalTrend(z: 0, p: 1, change: 0))
    }
  }

  /// A resampled quantile through two beta draws against resampling every value.
  @Test func resampledQuantilesAreThoseOfResamples() {
    var generator = Xoshiro256(seed: 9)
    let sample = SortedSample((0..<41).map { Double($0 * $0) })
    for probability in [0.5, 0.9, 0.99] {
      let short = SortedSample(
        (0..<4_000).map { _ in sample.resampledQuantile(probability, &generator) })
      let long = SortedSample(
        (0..<4_000).map { _ in
          SortedSample(sample.values.map { _ in sample.values[Int(generator.next(upTo: 41))] })
            .quantile(probability)
        })
      let pooled = PooledSamples([short.values, long.values])
      // The 99.99 % point of D for two samples of 4,000.
      #expect(pooled.kolmogorovSmirnov < 0.05, "\(probability): \(pooled.kolmogorovSmirnov)")
    }
  }

  @Test func intervalsHoldTheShift() {
    var generator = Xoshiro256(seed: 11)
    var covered = 0
    for night in 0..<200 {
      func sample(_ count: Int, _ shift: Double) -> [Double] {
        (0..<count).map { _ in normalQuantile(generator.uniform()) + shift }
      }
      let found = compareNumbers(
        baseline: sample(300, 0), period: sample(150, 0.4), drawsMax: 1, resamples: 300,
        seed: UInt64(night))
      let median = found.quantiles[0]
      if median.interval.low <= 0.4, 0.4 <= median.interval.high { covered += 1 }
    }
    #expect((178...199).contains(covered), "\(covered) of 200, about 190 expected")
  }

  @Test func permutationPKeepsItsSize() {
    var generator = Xoshiro256(seed: 12)
    var alarms = (ks: 0, ad: 0)
    for night in 0..<300 {
      // Whole scores, so that most values are tied.
      func sample(_ count: Int) -> [Double] {
        (0..<count).map { _ in Double(1 + generator.next(upTo: 5)) }
      }
      let found = compareNumbers(
        baseline: sample(80), period: sample(40), drawsMax: 199, resamples: 1, seed: UInt64(night))
      if found.ksP <= 0.05 { alarms.ks += 1 }
      if found.andersonDarlingP <= 0.05 { alarms.ad += 1 }
    }
    #expect(alarms.ks <= 31 && alarms.ad <= 31, "\(alarms) of 300, at most about 15 expected")
    #expect(alarms.ks >= 2 && alarms.ad >= 2, "\(alarms) of 300")
  }

  @Test func anyNumbersGiveNumbers() throws {
    try checkProperty(
      "numbers", over: -1_000_000_000...1_000_000_000, runs: 100, countMax: 40,
      check: { numbers in
        let values = numbers.map(Double.init)
        let split = values.count / 3
        let before = Array(values.prefix(split))
        let after = Array(values.dropFirst(split)) + [.nan, .infinity]
        let found = compareNumbers(
          baseline: before, period: after, drawsMax: 19, resamples: 19, seed: 3)
        _ = try JSONEncoder().encode(found)
        try require(found.leftOut == 2, "\(found.leftOut)")
        try require(0...1 ~= found.ksDistance && 0...1 ~= found.ksP, "\(found)")
        try require(0...1 ~= found.andersonDarlingP, "\(found)")
        // By how much all moved, at most: the distance of the farthest values.
        let reach = (values.max() ?? 0) - (values.min() ?? 0)
        try require(found.wasserstein >= 0 && found.wasserstein <= reach + 1e-6, "\(found)")
        // Moved as a whole by 7, everything is 7 further.
        guard !before.isEmpty else { return }
        let moved = compareNumbers(
          baseline: before, period: before.map { $0 + 7 }, drawsMax: 1, resamples: 9, seed: 3)
        try require(isClose(moved.wasserstein, 7, 1e-6), "\(moved.wasserstein)")
        try require(moved.quantiles.allSatisfy { abs($0.change - 7) < 1e-5 }, "\(moved)")
      })
  }
}
