// Which p-value a comparison reports, and why that one.
//
// No single test holds its size everywhere: the chi-square approximation fails for small counts,
// every test of independent outputs fails where days differ among themselves, and both fail for
// unequal sampling. The method is chosen by what is known of the data, never by the result.

/// How a p-value was obtained.
public enum PMethod: String, Hashable, Sendable, Codable, CaseIterable {
  /// Chi-square approximation; every expected count is at least 5.
  case asymptotic
  /// Simulation with fixed margins; an expected count is below 5 and there are 3 classes or more.
  case monteCarlo = "monte-carlo"
  /// Exact mid-p of a table of two classes.
  case fisher
  /// F test with the day-to-day wobble of the baseline in the null.
  case raoScott = "rao-scott"
  /// Wald test of shares weighted by 1/π.
  case wald
}

/// The p-value of a comparison.
public struct PValue: Hashable, Sendable, Codable {
  /// In [0, 1]: the chi-square approximation, for comparison with other tools.
  public var asymptotic: Double
  /// Its natural logarithm, finite also where the value is below the smallest number.
  public var asymptoticLog: Double
  /// In [0, 1]: the one that decides.
  public var value: Double
  public var valueLog: Double
  public var method: PMethod
  /// Tables simulated; 0 where none were.
  public var draws: Int
  /// Seed of the simulation; 0 where there was none.
  public var seed: UInt64

  static let one = PValue(
    asymptotic: 1, asymptoticLog: 0, value: 1, valueLog: 0, method: .asymptotic, draws: 0, seed: 0)
}

/// How p-values are simulated and corrected.
struct PChoice {
  var seed: UInt64
  var drawsMax: Int
  var wobble: Wobble?
  /// φ̂ for the size of the period; 1 where the wobble is unknown.
  var factor: Double

  func choose(_ table: CountTable) -> PValue {
    let degreesOfFreedom = table.degreesOfFreedom
    guard degreesOfFreedom > 0 else { return .one }
    let statistic = table.chiSquare
    let plain = chiSquareSurvival(statistic, degreesOfFreedom: degreesOfFreedom)
    var result = PValue.one
    result.asymptotic = plain.value
    result.asymptoticLog = plain.log
    result.value = plain.value
    result.valueLog = plain.log
    applySmallCounts(table, &result)
    guard let wobble else { return result }
    let wobbled = CountTable.wobbleP(
      statistic: statistic, degreesOfFreedom: degreesOfFreedom, factor: factor, wobble: wobble)
    // The wobble replaces the tests of independent outputs; only where counts are small as well
    // does the more cautious of the two stand, since each then covers what the other does not.
    if table.expectedMin >= 5 || wobbled.log >= result.valueLog {
      result.value = wobbled.value
      result.valueLog = wobbled.log
      result.method = .raoScott
      result.draws = 0
      result.seed = 0
    }
    return result
  }

  private func applySmallCounts(_ table: CountTable, _ result: inout PValue) {
    if let exact = table.exactMidP {
      result.value = exact.value
      result.valueLog = exact.log
      result.method = .fisher
      return
    }
    // With the wobble known and all counts large, the simulation would be thrown away.
    guard table.expectedMin < 5,
      let simulated = table.simulatedP(seed: seed, drawsMax: drawsMax)
    else { return }
    result.value = simulated.value
    result.valueLog = ln(simulated.value)
    result.method = .monteCarlo
    result.draws = simulated.draws
    result.seed = seed
  }

  func choose(weighted baseline: Side, _ period: Side) -> (statistic: Double, p: PValue) {
    let degreesOfFreedom = max(baseline.shares.count - 1, 0)
    let statistic = weightedWald(baseline, period)
    guard degreesOfFreedom > 0, baseline.effectiveSize > 0, period.effectiveSize > 0 else {
      return (0, .one)
    }
    let plain = chiSquareSurvival(statistic, degreesOfFreedom: degreesOfFreedom)
    var decisive = plain
    if let wobble {
      decisive = CountTable.wobbleP(
        statistic: statistic, degreesOfFreedom: degreesOfFreedom, factor: factor, wobble: wobble)
    }
    let p = PValue(
      asymptotic: plain.value, asymptoticLog: plain.log, value: decisive.value,
      valueLog: decisive.log, method: .wald, draws: 0, seed: 0)
    return (statistic, p)
  }
}
