// Anderson–Darling test of k samples, for values that may be tied.
//
// Kind: k-sample test, most sensitive in the tails. Formula: A²akN with midranks, less its mean
// k − 1 and over its standard deviation; its p by permutation (tables end at 0.001 and 0.25).
// Default threshold: none.
// Source: F. W. Scholz and M. A. Stephens, K-sample Anderson–Darling tests, JASA 82 (1987),
// equations 4 and 7.

extension PooledSamples {
  /// A²akN, which orders assignments as the normalised statistic does.
  var andersonDarlingRaw: Double {
    guard isComparable else { return 0 }
    let total = sizes.reduce(0, +)
    var below = sizes.map { _ in 0.0 }
    var allBelow = 0.0
    var sum = 0.0
    for j in values.indices {
      let tied = counts.reduce(0) { $0 + $1[j] }
      let rank = allBelow + tied / 2
      let spread = rank * (total - rank) - total * tied / 4
      for i in sizes.indices {
        let difference = total * (below[i] + counts[i][j] / 2) - sizes[i] * rank
        if spread > 0 { sum += tied / total * difference * difference / spread / sizes[i] }
        below[i] += counts[i][j]
      }
      allBelow += tied
    }
    return sum * (total - 1) / total
  }

  /// The normalised statistic: mean 0 and variance 1 without a shift. 0 below four outputs in all.
  var andersonDarling: Double {
    let total = sizes.reduce(0, +)
    guard isComparable, total > 3, values.count > 1 else { return 0 }
    let k = Double(sizes.count)
    let inverse = sizes.reduce(0) { $0 + 1 / $1 }
    var h = 0.0
    var g = 0.0
    for step in 1...(Int(total) - 2) {
      h += 1 / (total - Double(step))
      g += h / Double(step + 1)
    }
    h += 1
    let a = (4 * g - 6) * (k - 1) + (10 - 6 * g) * inverse
    let b =
      (2 * g - 4) * k * k + 8 * h * k + (2 * g - 14 * h - 4) * inverse - 8 * h + 4 * g - 6
    let c = (6 * h + 2 * g - 2) * k * k + (4 * h - 4 * g + 6) * k + (2 * h - 6) * inverse + 4 * h
    let d = (2 * h + 6) * k * k - 4 * h * k
    let variance =
      (((a * total + b) * total + c) * total + d)
      / ((total - 1) * (total - 2) * (total - 3))
    return variance > 0 ? (andersonDarlingRaw - (k - 1)) / variance.squareRoot() : 0
  }
}
