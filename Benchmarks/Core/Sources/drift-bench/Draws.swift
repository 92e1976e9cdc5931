// Random numbers of the distributions that the simulations need, from the product's own generator.

import Drift
import Foundation

extension Xoshiro256 {
  /// A class, by its share; shares sum to 1.
  mutating func category(_ shares: [Double]) -> Int {
    var left = uniform()
    for (k, share) in shares.enumerated() {
      left -= share
      if left < 0 { return k }
    }
    return shares.count - 1
  }

  /// Standard normal: Box and Muller, one of the pair.
  mutating func normal() -> Double {
    (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform())
  }

  /// Gamma with this shape and scale 1: G. Marsaglia and W. W. Tsang (2000).
  mutating func gamma(_ shape: Double) -> Double {
    if shape < 1 { return gamma(shape + 1) * pow(uniform(), 1 / shape) }
    let d = shape - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal()
      let v = pow(1 + c * x, 3)
      if v > 0, log(uniform()) < x * x / 2 + d - d * v + d * log(v) { return d * v }
    }
  }

  mutating func dirichlet(_ shapes: [Double]) -> [Double] {
    let draws = shapes.map { gamma($0) }
    let sum = draws.reduce(0, +)
    return draws.map { $0 / sum }
  }

  /// Binomial, exactly: halved by an order statistic, which is beta, until few trials are left
  /// (D. A. Relles, JASA 67 (1972)).
  mutating func binomial(_ trials: Int64, _ share: Double) -> Int64 {
    guard trials > 0, share > 0 else { return 0 }
    guard share < 1 else { return trials }
    if trials < 24 { return (0..<trials).reduce(0) { sum, _ in sum + (uniform() < share ? 1 : 0) } }
    let middle = trials / 2 + 1
    let lower = gamma(Double(middle))
    let upper = gamma(Double(trials + 1 - middle))
    let place = lower / (lower + upper)
    return place <= share
      ? middle + binomial(trials - middle, (share - place) / (1 - place))
      : binomial(middle - 1, share / place)
  }

  mutating func multinomial(_ trials: Int64, _ shares: [Double]) -> [Int64] {
    var left = trials
    var rest = 1.0
    return shares.indices.map { k in
      let isLast = k == shares.count - 1
      let count = isLast ? left : binomial(left, min(max(shares[k] / rest, 0), 1))
      left -= count
      rest -= shares[k]
      return count
    }
  }
}
