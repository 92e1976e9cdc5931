// Numbers instead of labels: lengths, latencies, tokens, scores of a period against a baseline.

/// What became of a number.
public struct NumericComparison: Hashable, Sendable, Codable {
  /// Outputs with a finite value.
  public var baselineCount: Int
  public var periodCount: Int
  /// Values that are not finite: in no statistic.
  public var leftOut: Int
  /// W₁, in the unit of the values.
  public var wasserstein: Double
  /// W₁ over the baseline's interquartile range; nil where that is 0.
  public var wassersteinRelative: Double?
  /// sup|F − G| with its permutation p.
  public var ksDistance: Double
  public var ksP: Double
  /// The normalised Anderson–Darling statistic with its permutation p.
  public var andersonDarling: Double
  public var andersonDarlingP: Double
  /// Assignments that were drawn for the p-value that took more, and their seed.
  public var draws: Int
  public var seed: UInt64
  /// The 50th, 90th and 99th percentile; none where a side is empty.
  public var quantiles: [QuantileShift]
}

/// Compares the numbers of a period with those of a baseline, in any order and unit.
///
/// - Parameters:
///   - confidence: of each quantile's interval, in (0, 1).
///   - drawsMax: the most assignments to draw for a p-value; its least value is one in so many.
///   - resamples: for the quantiles' intervals.
///   - seed: the same seed gives the same result.
public func compareNumbers(
  baseline: [Double], period: [Double], confidence: Double = 0.95, drawsMax: Int = 9_999,
  resamples: Int = 4_000, seed: UInt64
) -> NumericComparison {
  let before = baseline.filter(\.isFinite)
  let after = period.filter(\.isFinite)
  let pooled = PooledSamples([before, after])
  let p = pooled.permutationP(
    seed: seed, drawsMax: drawsMax, of: [\.kolmogorovSmirnov, \.andersonDarlingRaw])
  var result = NumericComparison(
    baselineCount: before.count, periodCount: after.count,
    leftOut: baseline.count - before.count + period.count - after.count,
    wasserstein: pooled.wasserstein, wassersteinRelative: nil,
    ksDistance: pooled.kolmogorovSmirnov, ksP: p[0].value,
    andersonDarling: pooled.andersonDarling, andersonDarlingP: p[1].value,
    draws: max(p[0].draws, p[1].draws), seed: seed, quantiles: [])
  guard pooled.isComparable else { return result }
  let (first, second) = (SortedSample(before), SortedSample(after))
  let range = first.quantile(0.75) - first.quantile(0.25)
  if range > 0 { result.wassersteinRelative = result.wasserstein / range }
  var generator = Xoshiro256(seed: seed)
  result.quantiles = [0.5, 0.9, 0.99].map {
    quantileShift(
      $0, baseline: first, period: second, confidence: confidence, resamples: resamples, &generator)
  }
  return result
}
