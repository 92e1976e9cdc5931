// What the shares would be if the classifier erred as it once did: a what-if, never a headline. The
// errors are not stable across the very shifts that are looked for; a confusion matrix of one model
// version gave 11 % for a true 44 % on the next, and −46 % for a true 11 %.
//
// Kind: what-if estimate. Formula: for two classes (Rogan–Gladen) θ = (π̂ + spec − 1)/(sens + spec −
// 1) with Lang and Reiczigel's interval, which counts the calibration sample's own error; for K
// classes (adjusted count) C·w = μ̂ with C_ij = P(predicted i | true j), projected to shares.
// Source: W. J. Rogan and B. Gladen, Am. J. Epidemiol. 107 (1978); Z. Lang and J. Reiczigel, Prev.
// Vet. Med. 113 (2014); J. Duchi et al., ICML 2008, for the projection.

/// A classifier's right and wrong labels of one class among checked outputs.
public struct CheckedCounts: Hashable, Sendable, Codable {
  /// Outputs of the class, and those of them that the classifier gave it.
  public var ofClass: Int64
  public var found: Int64
  /// Outputs not of the class, and those of them that the classifier did not give it.
  public var others: Int64
  public var leftAlone: Int64

  public init(ofClass: Int64, found: Int64, others: Int64, leftAlone: Int64) {
    self.ofClass = ofClass
    self.found = found
    self.others = others
    self.leftAlone = leftAlone
  }
}

/// An estimate that holds only if the classifier errs as it did in calibration.
public struct WhatIfShare: Hashable, Sendable, Codable {
  /// In [0, 1].
  public var share: Double
  public var interval: Interval
}

/// Rogan and Gladen's estimate.
///
/// - Parameters:
///   - predicted: outputs to which the classifier gave the class, of `total`.
///   - calibration: the checked outputs, of the class and not.
/// - Returns: nil where a side of the calibration is empty, or the classifier is no better than a
///   coin: then its labels say nothing.
public func whatIfShare(
  predicted: Int64, of total: Int64, calibration: CheckedCounts, confidence: Double = 0.95
) -> WhatIfShare? {
  guard total > 0, calibration.ofClass > 0, calibration.others > 0 else { return nil }
  func share(_ part: Int64, _ whole: Int64) -> Double {
    Double(min(max(part, 0), whole)) / Double(whole)
  }
  let sensitivity = share(calibration.found, calibration.ofClass)
  let specificity = share(calibration.leftAlone, calibration.others)
  let better = sensitivity + specificity - 1
  guard better > 0 else { return nil }
  let estimate = (share(predicted, total) + specificity - 1) / better

  let z = Interval.jointZ(confidence: confidence, classes: 1)
  let n = Double(total) + z * z
  let p = (Double(min(max(predicted, 0), total)) + z * z / 2) / n
  let (a, b) = (Double(calibration.ofClass) + 2, Double(calibration.others) + 2)
  let sens = (sensitivity * (a - 2) + 1) / a
  let spec = (specificity * (b - 2) + 1) / b
  let gain = sens + spec - 1
  guard gain > 0 else {
    return WhatIfShare(share: min(max(estimate, 0), 1), interval: Interval(low: 0, high: 1))
  }
  let centre = (p + spec - 1) / gain
  let sensVariance = sens * (1 - sens) / a
  let specVariance = spec * (1 - spec) / b
  let shift = 2 * z * z * (centre * sensVariance - (1 - centre) * specVariance)
  let variance =
    p * (1 - p) / n + centre * centre * sensVariance
    + (1 - centre) * (1 - centre) * specVariance
  let half = z * variance.squareRoot() / gain
  return WhatIfShare(
    share: min(max(estimate, 0), 1),
    interval: Interval(
      low: min(max(centre + shift - half, 0), 1), high: min(max(centre + shift + half, 0), 1)))
}

/// The adjusted count of K classes.
///
/// - Parameters:
///   - predicted: the classifier's shares per class.
///   - confusion: `confusion[j][i]`, checked outputs of true class j that were labelled i.
/// - Returns: shares per class that sum to 1; nil where a class was never checked, or the matrix
///   has no inverse.
public func whatIfShares(predicted: [Double], confusion: [[Int64]]) -> [Double]? {
  let count = predicted.count
  guard count > 0, confusion.count == count, confusion.allSatisfy({ $0.count == count }) else {
    return nil
  }
  var rows: [[Double]] = []
  for i in 0..<count {
    var row: [Double] = []
    for j in 0..<count {
      let total = confusion[j].reduce(0) { $0 + Double(max($1, 0)) }
      guard total > 0 else { return nil }
      row.append(Double(max(confusion[j][i], 0)) / total)
    }
    rows.append(row + [predicted[i]])
  }
  return solution(of: rows).map(projectedToShares)
}

/// Gauss's elimination with the largest pivot; the last entry of each row is the right side.
private func solution(of equations: [[Double]]) -> [Double]? {
  var rows = equations
  let count = rows.count
  for column in 0..<count {
    guard
      let pivot = (column..<count).max(by: { abs(rows[$0][column]) < abs(rows[$1][column]) }),
      abs(rows[pivot][column]) > 1e-9
    else { return nil }
    rows.swapAt(column, pivot)
    for row in 0..<count where row != column {
      let factor = rows[row][column] / rows[column][column]
      for k in column...count { rows[row][k] -= factor * rows[column][k] }
    }
  }
  return (0..<count).map { rows[$0][count] / rows[$0][$0] }
}

/// The nearest point whose entries are not negative and sum to 1.
func projectedToShares(_ point: [Double]) -> [Double] {
  var sum = 0.0
  var offset = 0.0
  for (index, value) in point.sorted(by: >).enumerated() {
    sum += value
    let candidate = (sum - 1) / Double(index + 1)
    if value > candidate { offset = candidate }
  }
  return point.map { max($0 - offset, 0) }
}
