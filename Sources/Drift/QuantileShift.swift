// How far a quantile moved, in the unit of the values, with its interval.
//
// Kind: effect with a percentile bootstrap interval. Formula: quantiles interpolate between order
// statistics at 1 + (n − 1)p (type 7). The r-th order statistic of a resample is the value at rank
// ⌈n·B⌉ with B from Beta(r, n + 1 − r), so a resample costs two draws whatever its size.
// Default threshold: 95 %.
// Source: R. J. Hyndman and Y. Fan, Am. Stat. 50 (1996); B. Efron, Ann. Stat. 7 (1979).

/// One quantile on both sides, in the unit of the values.
public struct QuantileShift: Hashable, Sendable, Codable {
  /// In (0, 1); 0.9 for the 90th percentile.
  public var probability: Double
  public var baseline: Double
  public var period: Double
  /// Of period − baseline.
  public var interval: Interval

  public var change: Double { period - baseline }
}

/// A sample in order.
struct SortedSample {
  let values: [Double]

  /// - Parameter values: at least one, all finite.
  init(_ values: [Double]) { self.values = values.sorted() }

  func quantile(_ probability: Double) -> Double {
    let place = Double(values.count - 1) * probability
    let rank = Int(place)
    return between(values[rank], values[min(rank + 1, values.count - 1)], place - Double(rank))
  }

  /// The quantile of a random resample.
  func resampledQuantile(_ probability: Double, _ generator: inout Xoshiro256) -> Double {
    let count = Double(values.count)
    let place = (count - 1) * probability
    let rank = place.rounded(.down) + 1
    let low = generator.beta(rank, count + 1 - rank)
    guard rank < count, place + 1 > rank else { return value(at: low) }
    let high = low + (1 - low) * generator.beta(1, count - rank)
    return between(value(at: low), value(at: high), place + 1 - rank)
  }

  private func value(at share: Double) -> Double {
    values[min(Int(share * Double(values.count)), values.count - 1)]
  }

  private func between(_ low: Double, _ high: Double, _ part: Double) -> Double {
    low == high ? low : low * (1 - part) + high * part
  }
}

func quantileShift(
  _ probability: Double, baseline: SortedSample, period: SortedSample, confidence: Double,
  resamples: Int, _ generator: inout Xoshiro256
) -> QuantileShift {
  let changes = (0..<max(resamples, 1)).map { _ in
    period.resampledQuantile(probability, &generator)
      - baseline.resampledQuantile(probability, &generator)
  }
  let ordered = SortedSample(changes)
  let tail = (1 - confidence) / 2
  return QuantileShift(
    probability: probability, baseline: baseline.quantile(probability),
    period: period.quantile(probability),
    interval: Interval(low: ordered.quantile(tail), high: ordered.quantile(1 - tail)))
}

extension Xoshiro256 {
  /// Uniform in 0 ..< bound, without favouring small numbers (D. Lemire, 2019).
  mutating func next(upTo bound: UInt64) -> UInt64 {
    var product = next().multipliedFullWidth(by: bound)
    if product.low < bound {
      let least = (0 &- bound) % bound
      while product.low < least { product = next().multipliedFullWidth(by: bound) }
    }
    return product.high
  }

  /// Beta with both shapes at least 1.
  mutating func beta(_ a: Double, _ b: Double) -> Double {
    let x = gamma(a)
    return x / (x + gamma(b))
  }

  /// Gamma with shape at least 1 and scale 1: G. Marsaglia and W. W. Tsang, ACM TOMS 26 (2000).
  private mutating func gamma(_ shape: Double) -> Double {
    let d = shape - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normalQuantile(uniform())
      let root = 1 + c * x
      guard root > 0 else { continue }
      let v = root * root * root
      if ln(uniform()) < x * x / 2 + d - d * v + d * ln(v) { return d * v }
    }
  }
}
