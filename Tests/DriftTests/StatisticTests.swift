// Every statistic over tables from two outputs to 10⁹, against 60-digit arithmetic that was itself
// checked against scipy's chi2_contingency and jensenshannon.

import Testing

@testable import Drift

@Suite("Statistics of a table")
struct StatisticTests {
  @Test func everyStatisticAgrees() throws {
    for row in try Oracle.rows("tables") {
      let table = CountTable(baseline: try counts(row[0]), period: try counts(row[1]))
      let reference = try row[2...].map(number)
      let values = [
        table.populationStabilityIndex(), table.jensenShannonDistance, table.totalVariation,
        table.totalVariationExpected, table.hellingerDistance, table.largestShift,
        table.kullbackLeiblerDivergence(), table.chiSquare,
        chiSquareSurvival(table.chiSquare, degreesOfFreedom: table.degreesOfFreedom).log,
        table.gStatistic, table.cramersV,
      ]
      for (index, value) in values.enumerated() {
        #expect(
          isClose(value, reference[index], 1e-11),
          "column \(index + 2) of \(row) gave \(value)")
      }
    }
  }

  @Test func contributionsSumToG() throws {
    for row in try Oracle.rows("tables") {
      let table = CountTable(baseline: try counts(row[0]), period: try counts(row[1]))
      #expect(table.gContributions.allSatisfy { $0 >= 0 })
      #expect(isClose(table.gContributions.reduce(0, +), table.gStatistic, 1e-12))
    }
  }

  /// In a table of two classes the squared residual of either is X².
  @Test func residualsOfTwoClassesAreTheRootOfChiSquare() {
    let table = CountTable(baseline: [21, 79], period: [5, 95])
    #expect(isClose(table.chiSquare, 11.317418213969937, 1e-14))
    for residual in table.adjustedResiduals {
      #expect(isClose(residual * residual, table.chiSquare, 1e-13))
    }
    #expect(table.adjustedResiduals[0] < 0)
    #expect(table.adjustedResiduals[1] > 0)
  }

  @Test func whatChanceGives() {
    // K = 10, n = m = 1000: mean and 95 % point as measured by simulation, .0180 and .0337.
    let even = CountTable(
      baseline: Array(repeating: 100, count: 10), period: Array(repeating: 100, count: 10))
    #expect(isClose(even.populationStabilityIndexExpected, 0.018, 1e-12))
    #expect(isClose(even.populationStabilityIndexQuantile(), 0.033837955, 1e-6))
    #expect(isClose(even.jensenShannonDivergenceExpected, 0.018 / 8, 1e-12))
  }

  @Test func oneClassOrAnEmptySideIsNoDistance() {
    let tables = [
      CountTable(baseline: [5], period: [9]), CountTable(baseline: [], period: []),
      CountTable(baseline: [3, 4], period: [0, 0]), CountTable(baseline: [0], period: [7]),
      CountTable(baseline: [-4, 0], period: [7]),
    ]
    for table in tables {
      let values = [
        table.populationStabilityIndex(), table.jensenShannonDistance, table.totalVariation,
        table.hellingerDistance, table.largestShift, table.kullbackLeiblerDivergence(),
        table.chiSquare, table.gStatistic, table.cramersV,
      ]
      #expect(values.allSatisfy { $0 == 0 }, "\(values)")
      #expect(table.degreesOfFreedom == 0)
    }
  }

  @Test func aClassWithoutOutputIsNotCounted() {
    let with = CountTable(baseline: [5, 0, 7], period: [6, 0, 1])
    let without = CountTable(baseline: [5, 7], period: [6, 1])
    #expect(with == without)
    #expect(with.classCount == 2)
  }
}
