// Wald test for outputs that were sampled with different probabilities.
//
// Kind: two-sample test. Formula: (p̂ − q̂)ᵀ(V̂p + V̂q)⁻¹(p̂ − q̂) with Hájek shares and their
// linearised covariances, one class left out, against χ² with K − 1 degrees of freedom.
// Default threshold: none of its own.
// Source: J. N. K. Rao and A. J. Scott, JASA 76 (1981); R package survey, svychisq, "Wald".

/// The statistic; 0 where a side is empty or there is one class only.
func weightedWald(_ baseline: Side, _ period: Side) -> Double {
  let classes = Array(baseline.shares.indices.dropLast())
  guard !classes.isEmpty, baseline.effectiveSize > 0, period.effectiveSize > 0 else { return 0 }
  let difference = classes.map { period.shares[$0] - baseline.shares[$0] }
  let hasEmptyClass = baseline.shares.contains(0) || period.shares.contains(0)
  // A class that one side never had gives that side no variance, and the test false certainty.
  let sides = hasEmptyClass ? [baseline.smoothed(), period.smoothed()] : [baseline, period]
  var covariance = sides[0].covarianceMatrix(of: classes)
  let other = sides[1].covarianceMatrix(of: classes)
  for j in covariance.indices {
    for k in covariance.indices { covariance[j][k] += other[j][k] }
  }
  return CholeskyFactor(covariance)?.quadraticForm(difference) ?? 0
}

/// The lower triangular factor of a symmetric positive definite matrix.
struct CholeskyFactor {
  private var rows: [[Double]]

  /// nil where the matrix is not positive definite.
  init?(_ matrix: [[Double]]) {
    rows = []
    for j in matrix.indices {
      var row: [Double] = []
      for k in 0...j {
        var sum = matrix[j][k]
        for i in 0..<k { sum -= row[i] * (k == j ? row[i] : rows[k][i]) }
        if k < j {
          row.append(sum / rows[k][k])
        } else {
          guard sum > 0, sum.isFinite else { return nil }
          row.append(sum.squareRoot())
        }
      }
      rows.append(row)
    }
  }

  /// xᵀA⁻¹x.
  func quadraticForm(_ x: [Double]) -> Double {
    var solved: [Double] = []
    for j in rows.indices {
      var sum = x[j]
      for i in 0..<j { sum -= rows[j][i] * solved[i] }
      solved.append(sum / rows[j][j])
    }
    return solved.reduce(0) { $0 + $1 * $1 }
  }
}
