// Whether the classifier can still be believed: its agreement with persons on checked outputs. It
// is watched like the app itself, since a judge that drifts looks like a model that does.
//
// Kind: agreement with intervals. Formula: κ = (p_o − p_e)/(1 − p_e) with the large-sample standard
// error; sensitivity and specificity of each class with Wilson's interval.
// Default threshold: 95 %.
// Source: J. Cohen, Educ. Psychol. Meas. 20 (1960); J. L. Fleiss, J. Cohen and B. S. Everitt,
// Psychol. Bull. 72 (1969), equation 13.

/// The agreement of a classifier with persons.
public struct ClassifierHealth: Hashable, Sendable, Codable {
  /// A share of checked outputs with its interval; nil where there was none to check.
  public struct Rate: Hashable, Sendable, Codable {
    public var share: Double
    public var interval: Interval
  }

  /// One class.
  public struct ClassRates: Hashable, Sendable, Codable {
    /// Of the outputs of the class, those that were labelled so.
    public var sensitivity: Rate?
    /// Of the others, those that were not.
    public var specificity: Rate?
  }

  /// Checked outputs; of unequally picked ones how many equally picked would be as precise.
  public var count: Int64
  /// Share of equal labels.
  public var agreement: Double
  /// κ in [−1, 1]; 1 where both only ever gave the same one label.
  public var kappa: Double
  public var kappaInterval: Interval
  public var classes: [ClassRates]

  /// - Parameters:
  ///   - confusion: `confusion[j][i]`, checked outputs of true class j labelled i; square.
  ///   - confidence: of each interval, in (0, 1).
  /// - Returns: nil where nothing was checked or the matrix is not square.
  public init?(confusion: [[Int64]], confidence: Double = 0.95) {
    let cells = confusion.map { row in row.map { Double(max($0, 0)) } }
    self.init(weighted: cells, size: nil, confidence)
  }

  /// From outputs that were picked for checking with unequal probabilities.
  ///
  /// - Parameters:
  ///   - confusion: `confusion[j][i]`, the sum of 1/π over checked outputs of true class j labelled
  ///     i; square, none below 0.
  ///   - size: how many equally picked outputs would be as precise: (Σ 1/π)²/Σ 1/π² (L. Kish,
  ///     Survey Sampling, 1965). The intervals are those of so many, which is an approximation.
  public init?(weights confusion: [[Double]], size: Double, confidence: Double = 0.95) {
    self.init(weighted: confusion, size: size, confidence)
  }

  private init?(weighted confusion: [[Double]], size: Double?, _ confidence: Double) {
    let weight = confusion.reduce(0.0) { $0 + $1.reduce(0, +) }
    let total = size ?? weight
    guard weight > 0, total > 0, confusion.allSatisfy({ $0.count == confusion.count }) else {
      return nil
    }
    let cells = confusion.map { row in row.map { $0 / weight * total } }
    let z = Interval.jointZ(confidence: confidence, classes: 1)
    let truth = cells.map { $0.reduce(0, +) / total }
    let given = cells.indices.map { i in cells.reduce(0) { $0 + $1[i] } / total }
    let agreement = cells.indices.reduce(0) { $0 + cells[$1][$1] } / total
    let chance = zip(truth, given).reduce(0) { $0 + $1.0 * $1.1 }
    count = Int64(min(total, 9e18))
    self.agreement = agreement
    classes = cells.indices.map { k in
      let (own, other) = (truth[k] * total, total - truth[k] * total)
      let wrong = given[k] * total - cells[k][k]
      return ClassRates(
        sensitivity: Self.rate(cells[k][k], of: own, z: z),
        specificity: Self.rate(other - wrong, of: other, z: z))
    }
    guard chance < 1 else {
      kappa = 1
      kappaInterval = Interval(low: -1, high: 1)
      return
    }
    let kappa = (agreement - chance) / (1 - chance)
    var sum = 0.0
    for j in cells.indices {
      for i in cells.indices {
        // On the diagonal 1 − (p_j. + p_.j)(1 − κ), beside it (p_.j + p_i.)(1 − κ).
        let margin =
          (j == i ? 1 : 0) - (1 - kappa) * (j == i ? truth[j] + given[j] : given[j] + truth[i])
        sum += cells[j][i] / total * margin * margin
      }
    }
    let bias = kappa - chance * (1 - kappa)
    let error = (max(sum - bias * bias, 0) / total).squareRoot() / (1 - chance)
    self.kappa = kappa
    kappaInterval = Interval(low: max(kappa - z * error, -1), high: min(kappa + z * error, 1))
  }

  private static func rate(_ part: Double, of whole: Double, z: Double) -> Rate? {
    guard whole > 0 else { return nil }
    let share = min(max(part / whole, 0), 1)
    return Rate(share: share, interval: .wilson(share: share, size: whole, z: z))
  }
}
