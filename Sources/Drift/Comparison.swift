// What a comparison of a period with a baseline found: everything a report shows, nothing to be
// computed again.

/// A period against a baseline, for one classifier.
public struct Comparison: Hashable, Sendable, Codable {
  /// One class. Shares are in [0, 1]; changes, intervals and limits in the same unit.
  public struct ClassRow: Hashable, Sendable, Codable {
    public var label: String
    /// Outputs as sampled, unweighted.
    public var baselineCount: Int64
    public var periodCount: Int64
    /// Shares, weighted by 1/π where sampling was unequal.
    public var baselineShare: Double
    public var periodShare: Double
    /// `periodShare − baselineShare`.
    public var change: Double
    /// Confidence interval of the change, jointly with all other classes.
    public var interval: Interval
    /// δ: from where a change of this class counts as drift.
    public var shiftLimit: Double
    /// The least change that this much data would find; nil where there is none.
    public var detectableShift: Double?
    /// What the class adds to the G statistic.
    public var gContribution: Double
    /// Adjusted standardised residual.
    public var residual: Double
    /// The class's part of all share gained (above 0) or lost (below 0), in [−1, 1].
    public var flowShare: Double
    /// False for a class with no output on either side: shown, but in no statistic.
    public var isCounted: Bool

    /// Whether only the period has the class.
    public var isNew: Bool { baselineCount == 0 && periodCount > 0 }
    /// Whether only the baseline has it.
    public var hasVanished: Bool { baselineCount > 0 && periodCount == 0 }
    /// Whether the whole interval lies beyond the limit, up or down.
    public var isBeyondLimit: Bool {
      isCounted && (interval.low > shiftLimit || interval.high < -shiftLimit)
    }
  }

  /// Every class in fixed order: the baseline's sorted, new ones, special ones.
  public var rows: [ClassRow]
  /// Outputs as sampled.
  public var baselineTotal: Int64
  public var periodTotal: Int64
  /// Sizes of plain random samples worth the same; the totals where sampling was equal.
  public var baselineEffective: Double
  public var periodEffective: Double
  /// Whether shares are weighted by 1/π.
  public var isWeighted: Bool
  /// K: classes with an output on either side.
  public var classCount: Int

  /// PSI with what chance gives: its mean, the value less that mean (at least 0), its 95 % point.
  public var psi: Double
  public var psiExpected: Double
  public var psiAdjusted: Double
  public var psiUpperPoint: Double
  /// η that was added to each count for PSI and KL.
  public var smoothing: Double
  /// Jensen–Shannon distance, natural logarithm.
  public var jsDistance: Double
  /// Total variation with what chance gives: its mean, and the value less that mean.
  public var totalVariation: Double
  public var totalVariationExpected: Double
  public var totalVariationAdjusted: Double
  public var hellinger: Double
  public var largestShift: Double
  public var klDivergence: Double
  /// X² of homogeneity; the Wald statistic where weighted.
  public var chiSquare: Double
  public var degreesOfFreedom: Int
  public var gStatistic: Double
  /// P(χ² ≥ G).
  public var gP: Double
  public var cramersV: Double
  public var p: PValue
  /// Day-to-day overdispersion of the baseline; nil is "wobble: unknown".
  public var wobble: Wobble?
  /// φ that was applied: 1 where the wobble is unknown.
  public var wobbleFactor: Double
  /// Classes that were merged into `__rare__`.
  public var mergedLabels: [String]

  /// A class's row; nil where it is not shown.
  public subscript(label: String) -> ClassRow? { rows.first { $0.label == label } }

  /// Whether both sides have an output.
  public var isComparable: Bool { baselineTotal > 0 && periodTotal > 0 }

  /// Classes whose share grew, the largest growth first.
  public var gainers: [ClassRow] { rows.filter { $0.change > 0 }.stableSorted { $0.change } }

  /// Classes whose share shrank, the largest loss first.
  public var losers: [ClassRow] { rows.filter { $0.change < 0 }.stableSorted { -$0.change } }
}

extension [Comparison.ClassRow] {
  /// Largest first; rows of one size keep their order.
  fileprivate func stableSorted(by size: (Comparison.ClassRow) -> Double) -> Self {
    enumerated().sorted { left, right in
      let (l, r) = (size(left.element), size(right.element))
      return l == r ? left.offset < right.offset : l > r
    }.map(\.element)
  }
}
