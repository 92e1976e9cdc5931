// How probable counts are if their shares were drawn from a Dirichlet distribution first: the
// Dirichlet–multinomial, or Pólya, distribution, and its two-class case, the beta-binomial.
//
// Kind: density, over that of the multinomial with the prior's mean shares. Formula: with shapes α,
// A = Σα, x_k = α_k + S_k, X = A + n, p_k = α_k/A, d_k = S_k − n·p_k, l_k = ln(x_k/(X·p_k)) and
// δ the remainder of Stirling's formula,
//   Σ_k [(x_k − ½)·l_k − d_k + δ(x_k) − δ(α_k)] − ½(K − 1)·ln(X/A) − δ(X) + δ(A).
// Written so, nothing cancels: the textbook's difference of ln Γ has lost nine digits where the
// baseline holds 10⁹ outputs.
// Source: C. Loader, Fast and Accurate Computation of Binomial Probabilities (2000), applied to
// NIST Digital Library of Mathematical Functions 5.11.1.

/// A Dirichlet distribution over shares of at least two classes.
struct PolyaPrior {
  /// α_k > 0.
  private(set) var shapes: [Double]
  /// A − α_k, summed without subtraction.
  private(set) var restShapes: [Double]
  /// A = Σα.
  private(set) var total = 0.0
  private var shapeErrors: [Double]
  private var restErrors: [Double]
  private var totalError = 0.0

  init(shapes: [Double]) {
    self.shapes = shapes
    restShapes = shapes
    shapeErrors = shapes
    restErrors = shapes
    setShapes { shapes[$0] }
  }

  /// Takes other shapes for the same classes, without allocation.
  mutating func setShapes(_ shape: (Int) -> Double) {
    var below = 0.0
    for k in shapes.indices {
      shapes[k] = shape(k)
      restShapes[k] = below
      below += shapes[k]
    }
    var above = 0.0
    for k in shapes.indices.reversed() {
      restShapes[k] += above
      above += shapes[k]
      shapeErrors[k] = quickStirlingError(shapes[k])
      restErrors[k] = quickStirlingError(restShapes[k])
    }
    total = below
    totalError = quickStirlingError(total)
  }

  /// The mean share of a class, and of the rest.
  func shares(_ k: Int) -> (own: Double, rest: Double) {
    (shapes[k] / total, restShapes[k] / total)
  }

  /// Fills in, class by class, the logarithm of the class's own beta-binomial density, and returns
  /// that of all classes together; each over the multinomial with the mean shares.
  func logRatios(of window: CountWindow, single: inout [Double]) -> Double {
    let n = window.total
    let size = total + n
    let growth = ln1p(n / total)
    let common = totalError - quickStirlingError(size)
    var sum = 0.0
    for k in shapes.indices {
      let own: Double
      let mean = shares(k)
      let excess = window.counts[k] * mean.rest - window.rests[k] * mean.own
      if window.counts[k] == 0 {
        own = -(shapes[k] - 0.5) * growth - excess
      } else {
        let x = shapes[k] + window.counts[k]
        own =
          (x - 0.5) * logRatio(x, to: size * mean.own, excess: excess) - excess
          + quickStirlingError(x) - shapeErrors[k]
      }
      let rest: Double
      if window.rests[k] == 0 {
        rest = -(restShapes[k] - 0.5) * growth + excess
      } else {
        let y = restShapes[k] + window.rests[k]
        rest =
          (y - 0.5) * logRatio(y, to: size * mean.rest, excess: -excess) + excess
          + quickStirlingError(y) - restErrors[k]
      }
      sum += own
      single[k] = own + rest - 0.5 * growth + common
    }
    return sum - 0.5 * Double(shapes.count - 1) * growth + common
  }

  /// ln(x/mean) where x − mean is known better than by subtraction.
  private func logRatio(_ x: Double, to mean: Double, excess: Double) -> Double {
    let relative = excess / mean
    return relative > -0.5 ? ln1p(relative) : ln(x / mean)
  }
}

/// Counts of a stretch of outputs, divided by the wobble.
struct CountWindow {
  /// S_k/φ.
  private(set) var counts: [Double]
  /// (n − S_k)/φ.
  private(set) var rests: [Double]
  /// n/φ.
  private(set) var total: Double
  /// n.
  private(set) var outputs: Int64 = 0
  /// S_k.
  private(set) var sums: [Int64]

  init(classCount: Int) {
    sums = Array(repeating: 0, count: classCount)
    counts = Array(repeating: 0, count: classCount)
    rests = counts
    total = 0
  }

  /// Adds outputs, whose counts must not be negative; sums end at `Int64.max`.
  mutating func add(_ more: [Int64], wobbleFactor: Double) {
    outputs = 0
    for k in sums.indices {
      sums[k] = saturatingSum(sums[k], more[k])
      outputs = saturatingSum(outputs, sums[k])
    }
    total = Double(outputs) / wobbleFactor
    for k in sums.indices {
      counts[k] = Double(sums[k]) / wobbleFactor
      rests[k] = Double(outputs - sums[k]) / wobbleFactor
    }
  }
}

/// `stirlingError` to 1e-13 absolute: two logarithms where the other, whose relative accuracy
/// nobody needs here, takes sixteen.
private func quickStirlingError(_ x: Double) -> Double {
  guard x < 8 else { return stirlingSeries(x) }
  let y = x + 8
  let product =
    x * (x + 1) * ((x + 2) * (x + 3)) * ((x + 4) * (x + 5)) * ((x + 6) * (x + 7))
  return stirlingSeries(y) + (y - 0.5) * ln(y) - 8 - ln(product) - (x - 0.5) * ln(x)
}
