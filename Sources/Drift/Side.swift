// One side of a comparison: its shares with what is known about their precision.
//
// Source: Hájek estimator and its linearised variance, Särndal, Swensson and Wretman, Model
// Assisted Survey Sampling (1992), section 5.7.

/// Shares of one tally over a list of classes, and their covariance.
struct Side {
  /// Whole counts, where all outputs were sampled alike.
  var wholeCounts: [Int64]?
  /// p̂_k = Σw·1{k} / Σw.
  var shares: [Double]
  /// Kish's effective size (Σw)²/Σw²; the count where outputs were sampled alike.
  var effectiveSize: Double
  /// Σw² per class, in units of (Σw)².
  private var squares: [Double]

  init(_ tally: Tally, labels: [String]) {
    let counts = labels.map { tally[$0] }
    guard tally.isWeighted else {
      let total = counts.reduce(0.0) { $0 + Double($1) }
      wholeCounts = counts
      shares = counts.map { total > 0 ? Double($0) / total : 0 }
      effectiveSize = total
      squares = counts.map { total > 0 ? Double($0) / (total * total) : 0 }
      return
    }
    let weights = tally.weights(of: labels)
    let sum = weights.reduce(0, +)
    let squaredWeights = tally.squaredWeights(of: labels)
    wholeCounts = nil
    shares = weights.map { $0 / sum }
    squares = squaredWeights.map { $0 / (sum * sum) }
    effectiveSize = sum * sum / squaredWeights.reduce(0, +)
  }

  /// A side with half an output of average weight added to every class, for a covariance that is
  /// not zero where a class is empty.
  func smoothed() -> Side {
    guard effectiveSize > 0 else { return self }
    let added = 0.5 / effectiveSize
    let scale = 1 + added * Double(shares.count)
    var copy = self
    copy.wholeCounts = nil
    copy.shares = shares.map { ($0 + added) / scale }
    copy.squares = squares.map { ($0 + added / effectiveSize) / (scale * scale) }
    return copy
  }

  /// Cov(p̂_j, p̂_k) = Σ w²(1{j} − p̂_j)(1{k} − p̂_k) / (Σw)².
  func covariance(_ j: Int, _ k: Int) -> Double {
    let total = squares.reduce(0, +)
    return covariance(j, k, squaresTotal: total)
  }

  /// The covariance matrix of the classes in the list, row by row.
  func covarianceMatrix(of classes: [Int]) -> [[Double]] {
    let total = squares.reduce(0, +)
    return classes.map { j in classes.map { k in covariance(j, k, squaresTotal: total) } }
  }

  private func covariance(_ j: Int, _ k: Int, squaresTotal: Double) -> Double {
    let cross = shares[j] * shares[k] * squaresTotal
    let mixed = squares[j] * shares[k] + squares[k] * shares[j]
    return (j == k ? squares[j] : 0) - mixed + cross
  }

  /// The size of the plain random sample in which a class's share would be as precise as here.
  func effectiveSize(of index: Int) -> Double {
    guard wholeCounts == nil else { return effectiveSize }
    let share = shares[index]
    let variance = covariance(index, index)
    guard share > 0, share < 1, variance > 0 else { return effectiveSize }
    return share * (1 - share) / variance
  }
}
