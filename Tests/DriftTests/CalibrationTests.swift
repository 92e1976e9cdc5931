// Sizes of the tests by simulation with fixed seeds: what is promised at 5 % happens about 5 % of
// the time. The bands are four standard deviations wide.

import TestSupport
import Testing

@testable import Drift

@Suite("Calibration")
struct CalibrationTests {
  /// A binomial count, as the draw from an urn so large that it does not notice.
  private func binomial(
    _ count: Int64, _ share: Double, _ generator: inout Xoshiro256
  ) -> Int64 {
    let marked = Int64(share * 1e9)
    return Hypergeometric(marked: marked, unmarked: 1_000_000_000 - marked, drawn: count)
      .sample(&generator)
  }

  private func multinomial(
    _ count: Int64, _ shares: [Double], _ generator: inout Xoshiro256
  ) -> [Int64] {
    var left = count
    var rest = 1.0
    return shares.enumerated().map { index, share in
      let drawn =
        index == shares.count - 1 ? left : binomial(left, min(share / rest, 1), &generator)
      left -= drawn
      rest -= share
      return drawn
    }
  }

  /// Small urns, mirrored urns, and urns large enough for the ratio-of-uniforms sampler.
  @Test(arguments: [
    [5, 9, 4], [40, 3, 20], [30, 50, 25], [50, 30, 60], [300, 200, 450], [1_000, 90_000, 4_000],
    [60_000, 4_000, 30_000],
  ])
  func samplerFollowsTheDensity(_ urn: [Int64]) {
    let urn = Hypergeometric(marked: urn[0], unmarked: urn[1], drawn: urn[2])
    var generator = Xoshiro256(seed: 17)
    let draws = 8_000
    var seen: [Int64: Double] = [:]
    for _ in 0..<draws { seen[urn.sample(&generator), default: 0] += 1 }
    #expect(seen.keys.allSatisfy { urn.support.contains($0) })
    // Classes with an expectation of at least 5; the rest together.
    var statistic = 0.0
    var classes = -1
    var rest = (seen: Double(draws), expected: Double(draws))
    for x in seen.keys.sorted() {
      let expected = Double(draws) * exponential(urn.logDensity(x))
      guard expected >= 5, let count = seen[x] else { continue }
      statistic += (count - expected) * (count - expected) / expected
      rest = (rest.seen - count, rest.expected - expected)
      classes += 1
    }
    if rest.expected > 1 {
      statistic += (rest.seen - rest.expected) * (rest.seen - rest.expected) / rest.expected
      classes += 1
    }
    let p = chiSquareSurvival(statistic, degreesOfFreedom: classes).value
    #expect(p > 1e-4, "p \(p) with \(classes) degrees of freedom")
  }

  @Test func densitySumsToOne() {
    for urn in [
      Hypergeometric(marked: 7, unmarked: 5, drawn: 6),
      Hypergeometric(marked: 400, unmarked: 100, drawn: 333),
    ] {
      let sum = urn.support.reduce(0.0) { $0 + exponential(urn.logDensity($1)) }
      #expect(isClose(sum, 1, 1e-12))
    }
  }

  /// Few expected outputs in two of four classes: the simulated p keeps its size.
  @Test func simulatedPKeepsItsSize() {
    var generator = Xoshiro256(seed: 2)
    let shares = [0.9, 0.07, 0.02, 0.01]
    let nights = 300
    var alarms = 0
    for night in 0..<nights {
      let table = CountTable(
        baseline: multinomial(300, shares, &generator),
        period: multinomial(60, shares, &generator))
      let p = table.simulatedP(seed: UInt64(night), drawsMax: 399)?.value ?? 1
      if p <= 0.05 { alarms += 1 }
    }
    #expect(alarms >= 3 && alarms <= 30, "\(alarms) of \(nights), about 15 expected")
  }

  /// The mid-p of two classes: on average of size 5 %, never far above.
  @Test func midPKeepsItsSize() {
    var generator = Xoshiro256(seed: 3)
    let nights = 2_000
    var alarms = 0
    for _ in 0..<nights {
      let before = binomial(500, 0.02, &generator)
      let after = binomial(300, 0.02, &generator)
      let table = CountTable(baseline: [before, 500 - before], period: [after, 300 - after])
      if (table.exactMidP?.value ?? 1) <= 0.05 { alarms += 1 }
    }
    #expect(alarms >= 50 && alarms <= 140, "\(alarms) of \(nights), about 100 expected")
  }

  /// Days that differ among themselves: the plain test alarms on most nights, the F test does not.
  @Test func wobbleKeepsTheSizeWhereThePlainTestDoesNot() {
    var generator = Xoshiro256(seed: 4)
    let nights = 200
    var plainAlarms = 0
    var alarms = 0
    for _ in 0..<nights {
      func day() -> Tally {
        // A share of 2 % that is 0.3 points higher or lower for the whole day.
        let share = generator.uniform() < 0.5 ? 0.017 : 0.023
        let count = binomial(50_000, share, &generator)
        return Tally(["refused": count, "answered": 50_000 - count])
      }
      let blocks = (0..<30).map { _ in day() }
      let baseline = blocks.reduce(into: Tally()) { $0.merge($1) }
      let found = compare(baseline: baseline, blocks: blocks, period: day(), seed: 1)
      if found.p.asymptotic <= 0.05 { plainAlarms += 1 }
      if found.p.value <= 0.05 { alarms += 1 }
    }
    #expect(plainAlarms > 180, "\(plainAlarms) of \(nights)")
    #expect(alarms <= 22, "\(alarms) of \(nights), at most about 10 expected")
  }

  /// The joint intervals of all classes hold together.
  @Test func jointIntervalsCover() {
    var generator = Xoshiro256(seed: 5)
    let before = [0.9, 0.02, 0.05, 0.03]
    let after = [0.86, 0.05, 0.05, 0.04]
    let nights = 300
    var covered = 0
    for _ in 0..<nights {
      let found = compare(
        baseline: Tally(tally(multinomial(5_000, before, &generator))),
        period: Tally(tally(multinomial(500, after, &generator))), seed: 1)
      let holds = found.rows.enumerated().allSatisfy { k, row in
        let truth = after[k] - before[k]
        return row.interval.low <= truth && truth <= row.interval.high
      }
      if holds { covered += 1 }
    }
    #expect(covered >= 270, "\(covered) of \(nights), about 285 expected")
  }

  /// A shift of the size that is called detectable is found about four times in five.
  @Test func detectableShiftIsDetected() throws {
    var generator = Xoshiro256(seed: 6)
    let z = Interval.jointZ(confidence: 0.95, classes: 1)
    let shift = try #require(
      detectableShift(
        share: 0.1, baselineSize: 2_000, periodSize: 2_000, factor: 1, jointZ: z, power: 0.8))
    let nights = 400
    var found = 0
    for _ in 0..<nights {
      let a = binomial(2_000, 0.1, &generator)
      let c = binomial(2_000, 0.1 + shift, &generator)
      let table = CountTable(baseline: [a, 2_000 - a], period: [c, 2_000 - c])
      if chiSquareSurvival(table.chiSquare, degreesOfFreedom: 1).value <= 0.05 { found += 1 }
    }
    #expect(found >= 288 && found <= 352, "\(found) of \(nights), about 320 expected")
  }
}
