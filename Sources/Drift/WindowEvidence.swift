// The e-value of one stretch of outputs: how many times more probable its labels are if their
// shares have changed at its start than if they are still what they were.
//
// Kind: e-value; its mean is 1 without drift. Formula: a tenth, w, of it lies on a change of all
// shares, the rest on a change of one class k alone:
//   e = w·mean_s DM(S; s·p̂)/DM(S; (a + b)/φ + ½)
//     + (1 − w)·mean_{k,s} BB_k(S; s·p̂)/BB_k(S; (a + b)/φ + ½),
// DM the Dirichlet–multinomial, BB_k its marginal of class k, a the baseline's counts, b those of
// the outputs between baseline and start, p̂_k = (a_k + ½)/(n + K/2), and s in {40, 150}: how firmly
// the new shares are expected near the old ones. The null is what has been seen predicts, not its
// bare shares: with those 54 % of quiet streams alarm (n = 5,000).
// Source: M. Lindon and A. Malek, NeurIPS 2022 (arXiv 2011.03567) for the numerator; H. Jeffreys,
// Theory of Probability (1961) for the ratio of two predictions.

/// What a stretch of outputs says against the baseline.
struct WindowEvidence: Sendable {
  let wobbleFactor: Double
  private let baseline: [Int64]
  /// w.
  private let jointWeight: Double
  /// p̂, own and rest.
  private let shares: [(own: Double, rest: Double)]
  private let changed: [PolyaPrior]

  var classCount: Int { baseline.count }

  /// - Parameters:
  ///   - baseline: a, the counts of at least two classes, none below 0.
  ///   - wobbleFactor: φ, at least 1.
  ///   - strengths: s. `jointWeight`: w, in (0, 1).
  init(
    baseline: [Int64], wobbleFactor: Double, strengths: [Double] = [40, 150],
    jointWeight: Double = 0.1
  ) {
    let known = PolyaPrior(shapes: baseline.map { Double($0) + 0.5 })
    self.wobbleFactor = wobbleFactor
    self.baseline = baseline
    shares = baseline.indices.map { known.shares($0) }
    self.jointWeight = jointWeight
    changed = strengths.map { strength in
      PolyaPrior(shapes: known.shapes.map { strength * ($0 / known.total) })
    }
  }

  /// Room for intermediate results, so that many evaluations need no allocation.
  struct Scratch {
    fileprivate var null: PolyaPrior
    fileprivate var nullSingle: [Double]
    fileprivate var changedSingle: [Double]
    /// ln of p̂ over the null's mean share, own and rest.
    fileprivate var corrections: [(own: Double, rest: Double)]
    /// ln of the e-value of a change of class k alone.
    fileprivate(set) var single: [Double]

    init(classCount: Int) {
      single = Array(repeating: 0, count: classCount)
      null = PolyaPrior(shapes: single.map { _ in 1 })
      nullSingle = single
      changedSingle = single
      corrections = single.map { ($0, $0) }
    }
  }

  /// ln e of the window; the evidence against each class alone is left in `scratch.single`.
  /// - Parameter past: b, the counts between baseline and window.
  func logE(of window: CountWindow, after past: [Int64], scratch: inout Scratch) -> Double {
    scratch.null.setShapes { k in
      Double(saturatingSum(baseline[k], past[k])) / wobbleFactor + 0.5
    }
    let nullLog = scratch.null.logRatios(of: window, single: &scratch.nullSingle)
    var shift = 0.0
    for k in shares.indices {
      let mean = scratch.null.shares(k)
      scratch.corrections[k] = (ln(shares[k].own / mean.own), ln(shares[k].rest / mean.rest))
      shift += window.counts[k] * scratch.corrections[k].own
    }
    var joint = LogSum()
    for (index, prior) in changed.enumerated() {
      joint.add(prior.logRatios(of: window, single: &scratch.changedSingle) - nullLog + shift)
      for k in scratch.single.indices {
        let correction =
          window.counts[k] * scratch.corrections[k].own
          + window.rests[k] * scratch.corrections[k].rest
        let term = scratch.changedSingle[k] - scratch.nullSingle[k] + correction
        scratch.single[k] = index == 0 ? term : logAdd(scratch.single[k], term)
      }
    }
    var single = LogSum()
    let strengthsLog = ln(Double(changed.count))
    for k in scratch.single.indices {
      scratch.single[k] -= strengthsLog
      single.add(scratch.single[k])
    }
    return logAdd(
      ln(jointWeight) + joint.value - strengthsLog,
      ln(1 - jointWeight) + single.value - ln(Double(classCount)))
  }

  /// The baseline's share of a class, p̂_k, in (0, 1).
  func share(_ k: Int) -> Double { shares[k].own }
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
