// What holds for any two tallies: bounds, symmetry, no value that is not a number, no trap.

import Foundation
import TestSupport
import Testing

@testable import Drift

@Suite("Any comparison")
struct ComparisonPropertyTests {
  /// Both sides from one list: even entries are the baseline, odd ones the period.
  private func sides(_ numbers: [Int64]) -> (baseline: [Int64], period: [Int64]) {
    let even = stride(from: 0, to: numbers.count, by: 2).map { numbers[$0] }
    let odd = stride(from: 1, to: numbers.count, by: 2).map { numbers[$0] }
    return (even, odd)
  }

  private func table(_ numbers: [Int64]) -> CountTable {
    let (even, odd) = sides(numbers)
    return CountTable(baseline: even, period: odd)
  }

  @Test func distancesAreBounded() throws {
    try checkProperty(
      "bounds", over: 0...1_000_000_000,
      check: { numbers in
        let table = table(numbers)
        let rootLn2 = 0.832_554_611_157_697_7
        try require(0...1 ~= table.totalVariation, "TV \(table.totalVariation)")
        try require(0...rootLn2 ~= table.jensenShannonDistance, "JS \(table)")
        try require(0...1 ~= table.hellingerDistance, "H \(table.hellingerDistance)")
        try require(0...1 ~= table.largestShift, "L \(table.largestShift)")
        try require(table.largestShift <= table.totalVariation + 1e-12, "L above TV")
        try require(table.populationStabilityIndex() >= 0, "PSI")
        try require(table.kullbackLeiblerDivergence() >= 0, "KL")
        try require(0...1 ~= table.cramersV, "V \(table.cramersV)")
        let total = table.baselineTotal + table.periodTotal
        try require(table.chiSquare <= total * (1 + 1e-12), "X² above N")
        try require(table.gStatistic >= 0, "G")
        // Hellinger and total variation bound each other.
        let h = table.hellingerDistance
        try require(h * h <= table.totalVariation + 1e-12, "H² above TV")
        try require(table.totalVariation <= h * 2.0.squareRoot() + 1e-12, "TV above √2·H")
      })
  }

  @Test func distancesAreSymmetric() throws {
    try checkProperty(
      "symmetry", over: 0...100_000,
      check: { numbers in
        let (even, odd) = sides(numbers)
        let there = CountTable(baseline: even, period: odd)
        let back = CountTable(baseline: odd, period: even)
        for (name, value) in [
          ("PSI", { (table: CountTable) in table.populationStabilityIndex() }),
          ("JS", { $0.jensenShannonDistance }), ("TV", { $0.totalVariation }),
          ("H", { $0.hellingerDistance }), ("X²", { $0.chiSquare }), ("G", { $0.gStatistic }),
        ] {
          let pair = (value(there), value(back))
          try require(
            abs(pair.0 - pair.1) <= 1e-11 * max(1e-12, abs(pair.0)), "\(name) \(pair)")
        }
      })
  }

  @Test func namesDoNotMatter() throws {
    try checkProperty(
      "permutation", over: 0...3_000, runs: 60, countMax: 24,
      check: { numbers in
        let (even, odd) = sides(numbers)
        let size = max(even.count, odd.count)
        func tallies(_ rename: (Int) -> String) -> (Tally, Tally) {
          var before = Tally()
          var after = Tally()
          for index in 0..<size {
            if index < even.count { before.add(rename(index), count: even[index]) }
            if index < odd.count { after.add(rename(index), count: odd[index]) }
          }
          return (before, after)
        }
        let plain = tallies(name)
        let turned = tallies { name(size - $0) }
        let one = compare(baseline: plain.0, period: plain.1, seed: 3)
        let two = compare(baseline: turned.0, period: turned.1, seed: 3)
        try require(isClose(one.psi, two.psi, 1e-12), "PSI \(one.psi) \(two.psi)")
        try require(isClose(one.chiSquare, two.chiSquare, 1e-12), "X²")
        try require(one.p.method == two.p.method, "\(one.p) \(two.p)")
        try require(isCloseLog(one.p.valueLog, two.p.valueLog, 1e-10), "\(one.p) \(two.p)")
      })
  }

  @Test func everyValueIsANumber() throws {
    try checkProperty(
      "no NaN", over: 0...1_000_000_000, runs: 80, countMax: 16,
      check: { numbers in
        let (even, odd) = sides(numbers)
        try requireNumbers(
          compare(baseline: Tally(tally(even)), period: Tally(tally(odd)), seed: 1))
      })
  }

  /// JSON has no NaN and no infinity: the encoder throws where one slipped through.
  private func requireNumbers(_ comparison: Comparison) throws {
    let finding = judge([FamilyMember(comparison: comparison)])
    _ = try JSONEncoder().encode(finding)
    try require(0...1 ~= comparison.p.value, "p \(comparison.p)")
    try require(0...1 ~= comparison.p.asymptotic, "p \(comparison.p)")
    for row in comparison.rows {
      try require(row.interval.low <= row.change + 1e-12, "\(row)")
      try require(row.interval.high >= row.change - 1e-12, "\(row)")
      try require(row.interval.low >= -1 && row.interval.high <= 1, "\(row)")
    }
  }

  @Test(arguments: [1, 2, 3, 10, 100, 1_000])
  func anyNumberOfClasses(_ classes: Int) throws {
    var thresholds = DriftThresholds()
    thresholds.classesMax = .max
    for size: Int64 in [1, 40, 1_000_000_000 / 1_000] {
      let baseline = (0..<classes).map { Int64($0 % 3) * size + size }
      let period = (0..<classes).map { Int64($0 % 2) * size }
      let found = compare(
        baseline: Tally(tally(baseline)), period: Tally(tally(period)), thresholds: thresholds,
        seed: 1)
      #expect(found.classCount == classes)
      #expect(found.rows.count == classes)
      try requireNumbers(found)
      let same = compare(
        baseline: Tally(tally(baseline)), period: Tally(tally(baseline)), thresholds: thresholds,
        seed: 1)
      #expect(same.totalVariation == 0)
      #expect(same.psi == 0)
      #expect(same.jsDistance == 0)
      #expect(same.p.asymptotic == 1)
      try requireNumbers(same)
    }
  }

  @Test func extremesDoNotTrap() throws {
    let sides: [[String: Int64]] = [
      [:], ["a": 0], ["a": 1], ["b": 1], ["a": 1_000_000_000], ["a": .max],
      ["a": .max, "b": .max], ["a": 1, "b": .max], ["a": 1, "b": 1, "c": 1],
      ["a": 1_000_000_000, "b": 1, "c": 1], ["__missing__": 4], ["": 3],
    ]
    for before in sides {
      for after in sides {
        let blocks = Array(repeating: Tally(before), count: 9)
        try requireNumbers(compare(baseline: Tally(before), period: Tally(after), seed: 1))
        try requireNumbers(
          compare(baseline: Tally(before), blocks: blocks, period: Tally(after), seed: 1))
      }
    }
  }

  @Test func weightedExtremesDoNotTrap() throws {
    for probability in [1e-9, 1e-3, 0.5] {
      for labels in [["a"], ["a", "b"], ["b", "c"]] {
        var before = Tally(["a": 5, "b": 1])
        try before.add("a", count: 3, probability: probability)
        var after = Tally(["a": 1])
        for label in labels { try after.add(label, count: 2, probability: probability) }
        let blocks = Array(repeating: before, count: 9)
        try requireNumbers(compare(baseline: before, period: after, seed: 1))
        try requireNumbers(compare(baseline: before, blocks: blocks, period: after, seed: 1))
      }
    }
  }

  @Test func sameInputSameBytes() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    func bytes() throws -> Data {
      let found = compare(
        baseline: Tally(["a": 90, "b": 50, "c": 1]), period: Tally(["a": 80, "b": 60, "c": 3]),
        seed: 99)
      return try encoder.encode(judge([FamilyMember(comparison: found)]))
    }
    #expect(try bytes() == bytes())
  }
}
