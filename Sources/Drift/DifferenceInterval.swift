// Confidence interval for the change of one class's share.
//
// Kind: interval. Formula: Wilson's score interval of each share, joined by Newcombe's square-and-
// add method; z is Bonferroni's for all K classes together, and widened by √φ̂.
// Default threshold: 95 % jointly.
// Source: E. B. Wilson, JASA 22 (1927); R. G. Newcombe, Statist. Med. 17 (1998), method 10.

/// A closed interval of shares, or of changes of shares.
public struct Interval: Hashable, Sendable, Codable {
  public var low: Double
  public var high: Double

  public init(low: Double, high: Double) {
    self.low = low
    self.high = high
  }

  /// Wilson's interval of a share observed in `size` outputs; all of 0 … 1 without outputs.
  public static func wilson(share: Double, size: Double, z: Double) -> Interval {
    guard size > 0 else { return Interval(low: 0, high: 1) }
    let squared = z * z / size
    let centre = share + squared / 2
    let half = z * (share * (1 - share) / size + squared / (4 * size)).squareRoot()
    let low = share <= 0 ? 0 : (centre - half) / (1 + squared)
    let high = share >= 1 ? 1 : (centre + half) / (1 + squared)
    return Interval(low: max(0, low), high: min(1, high))
  }

  /// Newcombe's interval of q − p; all of −1 … 1 where a side is empty.
  public static func difference(
    from p: Double, size n: Double, to q: Double, size m: Double, z: Double
  ) -> Interval {
    guard n > 0, m > 0 else { return Interval(low: -1, high: 1) }
    let before = wilson(share: p, size: n, z: z)
    let after = wilson(share: q, size: m, z: z)
    func length(_ x: Double, _ y: Double) -> Double { (x * x + y * y).squareRoot() }
    return Interval(
      low: max(-1, q - p - length(q - after.low, before.high - p)),
      high: min(1, q - p + length(after.high - q, p - before.low)))
  }

  /// z for intervals of `classes` shares that hold together with this confidence, in (0, 1).
  public static func jointZ(confidence: Double, classes: Int) -> Double {
    -normalQuantile((1 - confidence) / 2 / Double(max(classes, 1)))
  }
}
