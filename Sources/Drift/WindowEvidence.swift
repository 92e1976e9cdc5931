// The e-value of one stretch of outputs: how many times more probable its labels are if their
// shares have changed than if they are still the baseline's.
//
// Kind: e-value; its mean over the baseline's uncertainty is at most 1 without drift.
// Formula: half of it lies on a change of all shares, half on a change of one class k alone:
//   e = ½·mean_s DM(S; s·p̂)/DM(S; a/φ + ½)
//     + ½·mean_{k,s} BB_k(S; s·p̂)/BB_k(S; a/φ + ½),
// DM the Dirichlet–multinomial, BB_k its marginal of class k, p̂_k = (a_k + ½)/(n + K/2), and s in
// {30, 300}: how firmly the new shares are expected near the old ones. The null is what the
// baseline predicts, not its bare shares: with those 54 % of quiet streams alarm (n = 5,000).
// Source: M. Lindon and A. Malek, NeurIPS 2022 (arXiv 2011.03567) for the numerator; H. Jeffreys,
// Theory of Probability (1961) for the ratio of two predictions.

/// What a stretch of outputs says against the baseline.
struct WindowEvidence: Sendable {
  private static let strengths = [30.0, 300.0]

  let wobbleFactor: Double
  private let null: PolyaPrior
  private let changed: [PolyaPrior]
  /// ln of p̂ over the null's mean share, own and rest; 0 where φ = 1.
  private let corrections: [(own: Double, rest: Double)]

  var classCount: Int { null.shapes.count }

  /// - Parameters:
  ///   - baseline: counts of at least two classes, none below 0.
  ///   - wobbleFactor: φ, at least 1.
  init(baseline: [Int64], wobbleFactor: Double) {
    let known = PolyaPrior(shapes: baseline.map { Double($0) + 0.5 })
    let null = PolyaPrior(shapes: baseline.map { Double($0) / wobbleFactor + 0.5 })
    self.wobbleFactor = wobbleFactor
    self.null = null
    changed = Self.strengths.map { strength in
      PolyaPrior(shapes: known.shapes.map { strength * ($0 / known.total) })
    }
    corrections = baseline.indices.map { k in
      let (own, rest) = known.logShares(k)
      let (nullOwn, nullRest) = null.logShares(k)
      return (own - nullOwn, rest - nullRest)
    }
  }

  /// Room for intermediate results, so that many evaluations need no allocation.
  struct Scratch {
    fileprivate var null: [Double]
    fileprivate var changed: [Double]
    /// ln of the e-value of a change of class k alone.
    fileprivate(set) var single: [Double]

    init(classCount: Int) {
      null = Array(repeating: 0, count: classCount)
      changed = null
      single = null
    }
  }

  /// ln e of the window; the evidence against each class alone is left in `scratch.single`.
  func logE(of window: CountWindow, scratch: inout Scratch) -> Double {
    let nullLog = null.logRatios(of: window, single: &scratch.null)
    let shift = corrections.indices.reduce(0.0) { $0 + window.counts[$1] * corrections[$1].own }
    var joint = LogSum()
    for (index, prior) in changed.enumerated() {
      joint.add(prior.logRatios(of: window, single: &scratch.changed) - nullLog + shift)
      for k in scratch.single.indices {
        let correction =
          window.counts[k] * corrections[k].own + window.rests[k] * corrections[k].rest
        let term = scratch.changed[k] - scratch.null[k] + correction
        scratch.single[k] = index == 0 ? term : logAdd(scratch.single[k], term)
      }
    }
    var single = LogSum()
    let strengthsLog = ln(Double(changed.count))
    for k in scratch.single.indices {
      scratch.single[k] -= strengthsLog
      single.add(scratch.single[k])
    }
    let half = ln(0.5)
    return logAdd(
      half + joint.value - strengthsLog, half + single.value - ln(Double(classCount)))
  }

  /// The side to which a class's share moved: above 0 for more than the baseline's.
  func excess(of k: Int, in window: CountWindow) -> Double {
    window.counts[k] * null.restShapes[k] - window.rests[k] * null.shapes[k]
  }
}

/// ln Σ e^x, without overflow.
struct LogSum {
  private var largest = -Double.infinity
  private var scaled = 0.0

  var value: Double { largest + ln(scaled) }

  mutating func add(_ x: Double) {
    if x <= largest {
      scaled += exponential(x - largest)
    } else {
      scaled = scaled * exponential(largest - x) + 1
      largest = x
    }
  }
}

/// ln(e^x + e^y), without overflow.
func logAdd(_ x: Double, _ y: Double) -> Double {
  let larger = max(x, y)
  guard larger > -.infinity else { return larger }
  return larger + ln1p(exponential(min(x, y) - larger))
}
