// Special functions against 60-digit arithmetic, far into the tails.

import Testing

@testable import Drift

@Suite("Special functions")
struct SpecialFunctionTests {
  @Test func logGammaAgrees() throws {
    for row in try Oracle.rows("logGamma") {
      let value = logGamma(try number(row[0]))
      #expect(try isClose(value, number(row[1]), 2e-13), "ln Γ(\(row[0])) = \(value)")
    }
    #expect(logGamma(1) == 0)
    #expect(logGamma(2) == 0)
    #expect(logGamma(0) == .infinity)
    #expect(logGamma(-1).isNaN)
  }

  @Test func chiSquareSurvivalAgrees() throws {
    for row in try Oracle.rows("chiSquare") {
      let degrees = try #require(Int(row[1]))
      let tail = chiSquareSurvival(try number(row[0]), degreesOfFreedom: degrees)
      let reference = try number(row[2])
      let referenceLog = try number(row[3])
      if reference > 1e-300 {
        // e^−x cannot be better than x times the rounding of x.
        let attainable = max(2e-13, abs(referenceLog) * 2e-15)
        #expect(isClose(tail.value, reference, attainable), "\(row) gave \(tail.value)")
      }
      // Where p rounds to 1 its logarithm is 0 to every digit there is.
      let isOne = abs(referenceLog) < 1e-15 && abs(tail.log) < 1e-15
      #expect(
        isOne || isClose(tail.log, referenceLog, 1e-12), "\(row) gave log \(tail.log)")
    }
  }

  @Test func chiSquareEdges() {
    #expect(chiSquareSurvival(0, degreesOfFreedom: 3).value == 1)
    #expect(chiSquareSurvival(-1, degreesOfFreedom: 3).value == 1)
    #expect(chiSquareSurvival(5, degreesOfFreedom: 0).value == 1)
    #expect(chiSquareSurvival(.infinity, degreesOfFreedom: 2).value == 0)
    #expect(chiSquareSurvival(.nan, degreesOfFreedom: 2).value == 1)
  }

  @Test func chiSquareQuantileAgrees() throws {
    for row in try Oracle.rows("chiSquareQuantile") {
      let degrees = try #require(Int(row[1]))
      let value = chiSquareQuantile(upperTail: try number(row[0]), degreesOfFreedom: degrees)
      #expect(try isClose(value, number(row[2]), 1e-11), "\(row) gave \(value)")
    }
    #expect(chiSquareQuantile(upperTail: 0.05, degreesOfFreedom: 0) == 0)
  }

  @Test func fSurvivalAgrees() throws {
    for row in try Oracle.rows("f") {
      let d1 = try #require(Int(row[1]))
      let d2 = try #require(Int(row[2]))
      let tail = fSurvival(try number(row[0]), d1, d2)
      let reference = try number(row[3])
      if reference > 1e-300 {
        #expect(isClose(tail.value, reference, 2e-11), "\(row) gave \(tail.value)")
      }
      #expect(try isCloseLog(tail.log, number(row[4]), 2e-11), "\(row) gave log \(tail.log)")
    }
    #expect(fSurvival(0, 3, 9).value == 1)
    #expect(fSurvival(3, 0, 9).value == 1)
    #expect(fSurvival(.nan, 3, 9).value == 1)
    #expect(fSurvival(.infinity, 3, 9).value == 0)
  }

  @Test func normalQuantileAgrees() throws {
    for row in try Oracle.rows("normal") {
      let value = normalQuantile(try number(row[0]))
      let reference = try number(row[1])
      #expect(abs(value - reference) <= 1e-14 * max(abs(reference), 0.01), "\(row) gave \(value)")
    }
    #expect(normalQuantile(0) == -.infinity)
    #expect(normalQuantile(1) == .infinity)
  }

  @Test func entropyExcessKeepsItsDigits() {
    // The two branches meet without a step, and tiny arguments give e²/2.
    for e in [0.0999999999, -0.0999999999] {
      let direct = (1 + e) * ln1p(e) - e
      #expect(isClose(entropyExcess(e), direct, 1e-13))
    }
    #expect(isClose(entropyExcess(1e-9), 0.5e-18 * (1 - 1e-9 / 3), 1e-15))
    #expect(entropyExcess(0) == 0)
    #expect(entropyExcess(-1) == 1)
  }
}
