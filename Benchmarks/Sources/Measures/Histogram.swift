// A histogram of durations with a bounded relative error, in the manner of HdrHistogram: linear
// within each power of two.

/// Counts of values in nanoseconds, each kept to within 1/128 (0.8 %).
public struct Histogram: Sendable {
  /// Steps to a power of two, as a power of two itself.
  private static let stepBits = 7
  private static let steps = 1 << stepBits

  private var counts = [UInt64](repeating: 0, count: (64 - stepBits + 1) * steps)
  public private(set) var count: UInt64 = 0
  public private(set) var max: UInt64 = 0

  public init() {}

  public mutating func record(_ value: UInt64) {
    counts[Self.slot(of: value)] += 1
    count += 1
    if value > max { max = value }
  }

  /// The least value that `share` of all values do not exceed, to within a step; 0 where nothing
  /// was recorded.
  ///
  /// - Parameter share: 0…1, as 0.99 for the 99th percentile.
  public func quantile(_ share: Double) -> UInt64 {
    guard count > 0 else { return 0 }
    let rank = UInt64((share * Double(count)).rounded(.up))
    let wanted = Swift.max(1, Swift.min(rank, count))
    var seen: UInt64 = 0
    for (slot, number) in counts.enumerated() where number > 0 {
      seen += number
      if seen >= wanted { return Swift.min(Self.upperBound(of: slot), max) }
    }
    return max
  }

  private static func slot(of value: UInt64) -> Int {
    guard value >= UInt64(steps) else { return Int(value) }
    let shift = 63 - value.leadingZeroBitCount - stepBits
    return (shift + 1) * steps + Int(value >> UInt64(shift)) - steps
  }

  private static func upperBound(of slot: Int) -> UInt64 {
    guard slot >= steps else { return UInt64(slot) }
    let shift = UInt64(slot / steps - 1)
    // The last step ends at 2^64, which wraps to 0.
    return ((UInt64(slot % steps + steps) + 1) << shift) &- 1
  }
}

/// What is reported of a histogram, in microseconds.
public struct Quantiles: Codable, Sendable {
  public var count: UInt64
  public var p50: Double
  public var p90: Double
  public var p99: Double
  public var p999: Double
  public var max: Double

  public init(_ histogram: Histogram) {
    func microseconds(_ nanoseconds: UInt64) -> Double { Double(nanoseconds) / 1_000 }
    count = histogram.count
    p50 = microseconds(histogram.quantile(0.5))
    p90 = microseconds(histogram.quantile(0.9))
    p99 = microseconds(histogram.quantile(0.99))
    p999 = microseconds(histogram.quantile(0.999))
    max = microseconds(histogram.max)
  }
}
