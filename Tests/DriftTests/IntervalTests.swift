// Intervals, detectable shifts and the procedure over a family.

import Testing

@testable import Drift

@Suite("Intervals and families")
struct IntervalTests {
  @Test func wilsonAgrees() throws {
    for row in try Oracle.rows("wilson") {
      let values = try row.map(number)
      let z = Interval.jointZ(confidence: values[2], classes: 1)
      let interval = Interval.wilson(share: values[0] / values[1], size: values[1], z: z)
      #expect(abs(interval.low - values[3]) < 1e-12, "\(row) gave \(interval)")
      #expect(abs(interval.high - values[4]) < 1e-12, "\(row) gave \(interval)")
    }
  }

  /// Newcombe (1998), table II, case (a): 56/70 − 48/80, method 10.
  @Test func newcombeAgreesWithItsPaper() {
    let z = Interval.jointZ(confidence: 0.95, classes: 1)
    let interval = Interval.difference(from: 48.0 / 80, size: 80, to: 56.0 / 70, size: 70, z: z)
    #expect(abs(interval.low - 0.0524) < 5e-5)
    #expect(abs(interval.high - 0.3339) < 5e-5)
    // Case (g): 10/10 − 0/10.
    let extreme = Interval.difference(from: 0, size: 10, to: 1, size: 10, z: z)
    #expect(abs(extreme.low - 0.6075) < 5e-5)
    #expect(extreme.high == 1)
  }

  @Test func withoutOutputsAnythingIsPossible() {
    #expect(Interval.wilson(share: 0, size: 0, z: 2) == Interval(low: 0, high: 1))
    #expect(
      Interval.difference(from: 0.5, size: 0, to: 0, size: 9, z: 2) == Interval(low: -1, high: 1))
  }

  @Test func jointIntervalsGrowWithTheClasses() {
    #expect(isClose(Interval.jointZ(confidence: 0.95, classes: 1), 1.959963984540054, 1e-14))
    #expect(isClose(Interval.jointZ(confidence: 0.95, classes: 4), 2.4977054744123724, 1e-13))
  }

  @Test func wobbleWidensTheInterval() throws {
    let blocks = (0..<10).map { Tally(["a": 900, "b": $0 % 2 == 0 ? 60 : 140]) }
    let baseline = blocks.reduce(into: Tally()) { $0.merge($1) }
    let period = Tally(["a": 900, "b": 100])
    let found = compare(baseline: baseline, blocks: blocks, period: period, seed: 1)
    let wide = try #require(found["b"])
    let narrow = try #require(compare(baseline: baseline, period: period, seed: 1)["b"])
    #expect(wide.interval.low < narrow.interval.low)
    #expect(wide.interval.high > narrow.interval.high)
    let wideShift = try #require(wide.detectableShift)
    let narrowShift = try #require(narrow.detectableShift)
    #expect(wideShift > narrowShift)
  }

  @Test func detectableShifts() throws {
    func least(_ share: Double, _ n: Double, _ m: Double, factor: Double = 1) -> Double? {
      detectableShift(
        share: share, baselineSize: n, periodSize: m, factor: factor,
        jointZ: 1.959963984540054, power: 0.8)
    }
    func found(_ share: Double, _ n: Double, _ m: Double, factor: Double = 1) throws -> Double {
      try #require(least(share, n, m, factor: factor))
    }
    // 10 % against 15 %: 686 outputs a side (Fleiss 1981, without continuity correction).
    let fleiss = try found(0.1, 686, 686)
    #expect(abs(fleiss - 0.05) < 2e-4)
    let large = try found(0.5, 1e9, 1e9)
    #expect(large < 1e-4)
    let (upper, lower) = (try found(0.9, 500, 400), try found(0.1, 500, 400))
    #expect(isClose(upper, lower, 1e-9))
    let (wobbling, steady) = (try found(0.02, 500, 500, factor: 4), try found(0.02, 500, 500))
    #expect(wobbling > steady)
    let unseen = try found(0, 100, 100)
    #expect(unseen > 0)
    #expect(least(0.5, 1, 1) == nil)
    #expect(least(0.5, 0, 10) == nil)
  }

  @Test func benjaminiHochbergAgrees() throws {
    for row in try Oracle.rows("bh") {
      let p = try numbers(row[0])
      for (column, anyDependence) in [(1, false), (2, true)] {
        let found = benjaminiHochberg(p, anyDependence: anyDependence)
        for (index, reference) in try numbers(row[column]).enumerated() {
          #expect(isClose(found[index].pAdjusted, reference, 1e-12))
          #expect(found[index].isSignificant == (reference <= 0.05 + 1e-12))
        }
      }
    }
  }

  @Test func familiesAtTheEdge() {
    #expect(benjaminiHochberg([]).isEmpty)
    #expect(benjaminiHochberg([.nan])[0] == Discovery(pAdjusted: 1, isSignificant: false))
    #expect(benjaminiHochberg([0, 1])[0] == Discovery(pAdjusted: 0, isSignificant: true))
    // A step up: the second makes the third count.
    let found = benjaminiHochberg([0.04, 0.05, 0.049])
    #expect(found.allSatisfy { $0.isSignificant })
  }
}
