// Which method a p-value comes by.

import Testing

@testable import Drift

@Suite("Choice of the p-value")
struct PChoiceTests {
  private func method(_ baseline: [String: Int64], _ period: [String: Int64]) -> PMethod {
    compare(baseline: Tally(baseline), period: Tally(period), seed: 1).p.method
  }

  @Test func byCounts() {
    #expect(method(["a": 90, "b": 50, "c": 60], ["a": 80, "b": 60, "c": 60]) == .asymptotic)
    #expect(method(["a": 90, "b": 50, "c": 1], ["a": 80, "b": 60, "c": 3]) == .monteCarlo)
    #expect(method(["a": 90, "b": 50], ["a": 80, "b": 60]) == .fisher)
    #expect(method(["a": 90, "b": 1], ["a": 80]) == .fisher)
    #expect(method(["a": 90], ["a": 80]) == .asymptotic)
  }

  @Test func onlyASimulationHasDrawsAndASeed() {
    let simulated = compare(
      baseline: Tally(["a": 90, "b": 50, "c": 1]), period: Tally(["a": 80, "b": 60, "c": 3]),
      seed: 99)
    #expect(simulated.p.seed == 99)
    #expect(simulated.p.draws > 0)
    let exact = compare(baseline: Tally(["a": 9, "b": 5]), period: Tally(["a": 8]), seed: 99)
    #expect(exact.p.seed == 0)
    #expect(exact.p.draws == 0)
  }

  @Test func oneClassHasPOne() {
    let found = compare(baseline: Tally(["a": 90]), period: Tally(["a": 80]), seed: 1)
    #expect(found.p.value == 1)
    #expect(found.p.asymptotic == 1)
    #expect(found.degreesOfFreedom == 0)
  }

  /// Small counts and wobble together: the more cautious of the two tests.
  @Test func smallCountsUnderWobble() throws {
    let blocks = (0..<10).map { Tally(["a": 100, "b": 40, "c": $0 == 3 ? 4 : 0]) }
    let baseline = blocks.reduce(into: Tally()) { $0.merge($1) }
    let period = Tally(["a": 95, "b": 42, "c": 7])
    let found = compare(baseline: baseline, blocks: blocks, period: period, seed: 5)
    let alone = compare(baseline: baseline, period: period, seed: 5)
    let wobble = try #require(found.wobble)
    let tail = CountTable.wobbleP(
      statistic: found.chiSquare, degreesOfFreedom: 2, factor: wobble.factor, wobble: wobble)
    #expect(alone.p.method == .monteCarlo)
    #expect(found.p.value == max(alone.p.value, tail.value))
  }

  @Test func theAsymptoticValueIsAlwaysThere() {
    let found = compare(
      baseline: Tally(["a": 635, "b": 361, "c": 4]), period: Tally(["a": 13, "b": 987]), seed: 1)
    #expect(isClose(found.p.asymptotic, 2.2825738687339934e-194, 1e-9))
    #expect(found.p.value == 1e-4)
  }

  @Test func belowTheSmallestNumberTheLogarithmRemains() {
    let found = compare(
      baseline: Tally(["a": 1_000_000, "b": 10, "c": 10]),
      period: Tally(["a": 10, "b": 1_000_000, "c": 10]), seed: 1)
    #expect(found.p.asymptotic == 0)
    #expect(found.p.asymptoticLog < -900_000)
    #expect(found.p.asymptoticLog.isFinite)
    #expect(found.p.valueLog.isFinite)
  }
}
