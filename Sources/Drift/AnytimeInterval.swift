// A band for a share on a chart that is drawn anew every minute: with probability 1 − α the true
// share is inside at every moment, however often one looks. An ordinary 95 % interval is left
// sooner or later by every share.
//
// Kind: confidence sequence. Formula: {θ : B(½ + s, ½ + f)/B(½, ½) < θ^s·(1 − θ)^f/α} after s
// outputs of the class and f others.
// Default threshold: 95 %.
// Source: H. Robbins, Ann. Math. Stat. 41 (1970); J. Ville (1939) for the bound.

extension Interval {
  /// The band after `count` of `total` outputs, of independent outputs with one true share.
  /// - Parameter confidence: at all moments together, in (0, 1).
  public static func anytime(
    count: Int64, of total: Int64, confidence: Double = 0.95
  ) -> Interval {
    let n = Double(max(total, 0))
    let s = min(max(Double(count), 0), n)
    let f = n - s
    guard n > 0 else { return Interval(low: 0, high: 1) }
    // ln of the mixture over the likelihood's maximum: ln B(s + ½, f + ½) − ln π − s·ln(s/n) −
    // f·ln(f/n), with what cancels left out.
    let mixture =
      excess(s) + excess(f) - n * ln1p(1 / n) - 0.5 * ln(n + 1) + halfLnTwoPi - ln(Double.pi)
      - stirlingError(n + 1)
    let bound = -ln(1 - confidence) - mixture
    func isInside(_ share: Double) -> Bool {
      deviance(s, mean: n * share) + deviance(f, mean: n * (1 - share)) < bound
    }
    return Interval(
      low: s == 0 ? 0 : edge(from: s / n, to: 0, isInside),
      high: f == 0 ? 1 : edge(from: s / n, to: 1, isInside))
  }

  /// s·ln(1 + ½/s) + δ(s + ½).
  private static func excess(_ s: Double) -> Double {
    (s > 0 ? s * ln1p(0.5 / s) : 0) + stirlingError(s + 0.5)
  }

  private static func edge(
    from inside: Double, to outside: Double, _ isInside: (Double) -> Bool
  ) -> Double {
    var (inside, outside) = (inside, outside)
    for _ in 0..<100 {
      let middle = (inside + outside) / 2
      if middle == inside || middle == outside { break }
      if isInside(middle) { inside = middle } else { outside = middle }
    }
    return outside
  }
}
