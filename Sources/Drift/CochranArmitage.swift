// Cochran–Armitage trend test: did the labels of an ordered scale, as a judge's 1 to 5, move up or
// down? It spends its one degree of freedom on that, where chi-square spreads K − 1 over every way
// to differ.
//
// Kind: two-sample test of ordered classes. Formula: z = Σ s_k(c_k − m·r_k/N) / √(n·m/N² ·
// (Σ s_k²r_k − (Σ s_k·r_k)²/N)), r the column sums; z² against χ² with one degree of freedom.
// Default threshold: none of its own.
// Source: W. G. Cochran, Biometrics 10 (1954); P. Armitage, Biometrics 11 (1955).

/// A trend over ordered classes.
public struct OrdinalTrend: Hashable, Sendable, Codable {
  /// Above 0 where the period has more of the higher classes.
  public var z: Double
  /// Two-sided p, in [0, 1].
  public var p: Double
  /// The mean score of the period less that of the baseline.
  public var change: Double
}

/// Tests a scale for a trend. Without a side, or with one class only, nothing moved: z 0 and p 1.
///
/// - Parameters:
///   - baseline: counts per class, from the lowest class to the highest.
///   - period: counts of the same classes.
///   - scores: what each class stands for; 1, 2, 3 … where it is left out.
public func cochranArmitage(
  baseline: [Int64], period: [Int64], scores: [Double]? = nil
) -> OrdinalTrend {
  let count = min(baseline.count, period.count, scores?.count ?? .max)
  var rows: [(a: Double, c: Double, score: Double)] = []
  for k in 0..<count {
    let score = scores?[k] ?? Double(k + 1)
    rows.append((Double(max(baseline[k], 0)), Double(max(period[k], 0)), score))
  }
  let n = rows.reduce(0.0) { $0 + $1.a }
  let m = rows.reduce(0.0) { $0 + $1.c }
  guard n > 0, m > 0 else { return OrdinalTrend(z: 0, p: 1, change: 0) }
  let total = n + m
  let centre = rows.reduce(0.0) { $0 + $1.score * ($1.a + $1.c) } / total
  var sum = 0.0
  var spread = 0.0
  for row in rows {
    let distance = row.score - centre
    sum += distance * (row.c * n - row.a * m) / total
    spread += distance * distance * (row.a + row.c)
  }
  let variance = n / total * (m / total) * spread
  let z = variance > 0 ? sum / variance.squareRoot() : 0
  return OrdinalTrend(
    z: z, p: chiSquareSurvival(z * z, degreesOfFreedom: 1).value, change: sum * total / (n * m))
}
