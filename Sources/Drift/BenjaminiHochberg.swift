// Which of many comparisons of one night count as found.
//
// Kind: control of the false discovery rate. Formula: the largest i with p_(i) ≤ i·q/m, and all
// before it; adjusted p_(i) = min over j ≥ i of m·p_(j)/j.
// Default threshold: q = 0.05.
// Source: Y. Benjamini and Y. Hochberg, J. R. Stat. Soc. B 57 (1995); D. Yekutieli, Ann. Stat. 29
// (2001) for any dependence.

/// The outcome for one member of a family of tests.
public struct Discovery: Hashable, Sendable, Codable {
  /// The p-value adjusted for the family, in [0, 1].
  public var pAdjusted: Double
  public var isSignificant: Bool

  public init(pAdjusted: Double, isSignificant: Bool) {
    self.pAdjusted = pAdjusted
    self.isSignificant = isSignificant
  }
}

/// The procedure over all p-values of a family, in the order in which they are given.
///
/// - Parameters:
///   - p: values in [0, 1]; a value that is not a number counts as 1.
///   - falseDiscoveryRate: q, in (0, 1).
///   - anyDependence: whether to divide q by Σ1/i, which holds however the tests depend on another.
public func benjaminiHochberg(
  _ p: [Double], falseDiscoveryRate: Double = 0.05, anyDependence: Bool = false
) -> [Discovery] {
  let count = Double(p.count)
  let values = p.map { $0.isNaN ? 1 : $0 }
  let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
  let penalty =
    anyDependence ? p.indices.reduce(0.0) { $0 + 1 / Double($1 + 1) } : 1
  var result = p.map { _ in Discovery(pAdjusted: 1, isSignificant: false) }
  var least = 1.0
  var isFound = false
  for (offset, index) in order.enumerated().reversed() {
    let rank = Double(offset + 1)
    least = min(least, values[index] * count * penalty / rank)
    isFound = isFound || values[index] <= rank * falseDiscoveryRate / (count * penalty)
    result[index] = Discovery(pAdjusted: least, isSignificant: isFound)
  }
  return result
}
