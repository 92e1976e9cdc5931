// The 2 × K table of a baseline and a period: what every statistic in this module reads.
//
// Differences of shares are formed from whole counts before anything is rounded: at 10⁹ outputs a
// difference of two rounded shares would have lost most of its digits.

/// Counts of K classes on two sides; classes with no output on either side are left out.
public struct CountTable: Hashable, Sendable {
  /// a: counts of the baseline; whole numbers unless the tally was weighted.
  public let baseline: [Double]
  /// c: counts of the period.
  public let period: [Double]
  /// n = Σa.
  public let baselineTotal: Double
  /// m = Σc.
  public let periodTotal: Double
  /// q − p per class, the change of the shares.
  public let shareChanges: [Double]

  /// A table of whole counts. Both lists have one entry a class; negative counts are taken as 0,
  /// a missing entry too.
  public init(baseline: [Int64], period: [Int64]) {
    let rows = (0..<max(baseline.count, period.count)).map { index in
      (
        a: index < baseline.count ? max(baseline[index], 0) : 0,
        c: index < period.count ? max(period[index], 0) : 0
      )
    }.filter { $0.a > 0 || $0.c > 0 }
    let n = rows.reduce(Int128(0)) { $0 + Int128($1.a) }
    let m = rows.reduce(Int128(0)) { $0 + Int128($1.c) }
    let isComparable = n > 0 && m > 0
    self.baseline = rows.map { Double($0.a) }
    self.period = rows.map { Double($0.c) }
    baselineTotal = Double(n)
    periodTotal = Double(m)
    shareChanges = rows.map { row in
      guard isComparable else { return 0 }
      let (high, hasOverflowed) = Int128(row.c).multipliedReportingOverflow(by: n)
      let (low, alsoOverflowed) = Int128(row.a).multipliedReportingOverflow(by: m)
      guard !hasOverflowed, !alsoOverflowed else {
        return Double(row.c) / Double(m) - Double(row.a) / Double(n)
      }
      return Double(high - low) / (Double(n) * Double(m))
    }
  }

  /// A table of two tallies over the same classes. A weighted side counts as the sample of equal
  /// worth: its estimated shares times its effective size.
  init(_ baseline: Side, _ period: Side) {
    if let a = baseline.wholeCounts, let c = period.wholeCounts {
      self.init(baseline: a, period: c)
      return
    }
    let isComparable = baseline.effectiveSize > 0 && period.effectiveSize > 0
    self.init(
      baseline: baseline.shares.map { $0 * baseline.effectiveSize },
      period: period.shares.map { $0 * period.effectiveSize },
      baselineTotal: baseline.effectiveSize, periodTotal: period.effectiveSize,
      shareChanges: zip(baseline.shares, period.shares).map { isComparable ? $1 - $0 : 0 })
  }

  private init(
    baseline: [Double], period: [Double], baselineTotal: Double, periodTotal: Double,
    shareChanges: [Double]
  ) {
    self.baseline = baseline
    self.period = period
    self.baselineTotal = baselineTotal
    self.periodTotal = periodTotal
    self.shareChanges = shareChanges
  }

  /// K: classes with an output on at least one side.
  public var classCount: Int { baseline.count }

  /// Whether both sides have an output. Without, every distance is 0 and every p-value 1.
  public var isComparable: Bool { baselineTotal > 0 && periodTotal > 0 }

  /// p: shares of the baseline.
  var baselineShares: [Double] { baseline.map { baselineTotal > 0 ? $0 / baselineTotal : 0 } }

  /// q: shares of the period.
  var periodShares: [Double] { period.map { periodTotal > 0 ? $0 / periodTotal : 0 } }

  /// 1/n + 1/m: the scale of what chance alone does to every distance.
  var noiseScale: Double { isComparable ? 1 / baselineTotal + 1 / periodTotal : 0 }

  /// The least expected count of a cell if nothing had changed.
  var expectedMin: Double {
    let total = baselineTotal + periodTotal
    let share = min(baselineTotal, periodTotal) / max(total, 1)
    return zip(baseline, period).map { ($0 + $1) * share }.min() ?? 0
  }
}
