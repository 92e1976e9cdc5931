// The hypergeometric distribution: how many marked balls are among those drawn from an urn.
//
// Source of the density: C. Loader (2000). Source of the sampler: E. Stadlober, The ratio of
// uniforms approach for generating discrete random variates, J. Comput. Appl. Math. 31 (1990),
// algorithm HRUA; small cases draw ball by ball.

/// An urn with `marked` and `unmarked` balls, of which `drawn` are taken without replacement.
struct Hypergeometric {
  var marked: Int64
  var unmarked: Int64
  var drawn: Int64

  /// The fewest and the most marked balls that can be drawn.
  var support: ClosedRange<Int64> { max(0, drawn - unmarked)...min(marked, drawn) }

  /// ln P(x marked balls) for x in the support.
  func logDensity(_ x: Int64) -> Double {
    guard support.lowerBound < support.upperBound else { return 0 }
    let total = Double(marked) + Double(unmarked)
    let p = Double(drawn) / total
    let q = (total - Double(drawn)) / total
    return logBinomial(Double(x), of: Double(marked), p: p, q: q)
      + logBinomial(Double(drawn - x), of: Double(unmarked), p: p, q: q)
      - logBinomial(Double(drawn), of: total, p: p, q: q)
  }

  /// P(x + 1)/P(x).
  func ratioUp(_ x: Int64) -> Double {
    Double(marked - x) / Double(x + 1) * (Double(drawn - x) / Double(unmarked - drawn + x + 1))
  }

  /// A random number of marked balls.
  func sample(_ generator: inout Xoshiro256) -> Int64 {
    let range = support
    if range.lowerBound == range.upperBound { return range.lowerBound }
    let rest = marked + unmarked - drawn
    // The distribution is the same with marked and drawn exchanged, and mirrored with the
    // complement of either, so the smallest of the four decides how many balls must be looked at.
    let few: Int64 = 12
    if drawn <= few { return draw(drawn, from: marked, &generator) }
    if marked <= few { return draw(marked, from: drawn, &generator) }
    if rest <= few { return marked - draw(rest, from: marked, &generator) }
    if unmarked <= few { return drawn - draw(unmarked, from: drawn, &generator) }
    return sampleByRatio(&generator)
  }

  private func draw(_ count: Int64, from special: Int64, _ generator: inout Xoshiro256) -> Int64 {
    var specialLeft = special
    var left = Double(marked) + Double(unmarked)
    for _ in 0..<count {
      if generator.uniform() * left < Double(specialLeft) { specialLeft -= 1 }
      left -= 1
    }
    return special - specialLeft
  }

  private func sampleByRatio(_ generator: inout Xoshiro256) -> Int64 {
    let total = Double(marked + unmarked)
    let fewer = Double(min(marked, unmarked))
    let more = Double(max(marked, unmarked))
    let taken = Double(min(drawn, marked + unmarked - drawn))
    let share = fewer / total
    let centre = taken * share + 0.5
    let variance = (total - taken) * taken * share * (1 - share) / (total - 1)
    let deviation = (variance + 0.5).squareRoot()
    let width = 1.715_527_769_921_413_5 * deviation + 0.898_916_162_058_898_8
    let mode = ((taken + 1) * (fewer + 1) / (total + 2)).rounded(.down)
    func logWeight(_ x: Double) -> Double {
      logGamma(x + 1) + logGamma(fewer - x + 1) + logGamma(taken - x + 1)
        + logGamma(more - taken + x + 1)
    }
    let modeWeight = logWeight(mode)
    let bound = min(min(taken, fewer) + 1, (centre + 16 * deviation).rounded(.down))
    while true {
      let u = generator.uniform()
      let candidate = centre + width * (generator.uniform() - 0.5) / u
      guard candidate >= 0, candidate < bound else { continue }
      let x = candidate.rounded(.down)
      let gain = modeWeight - logWeight(x)
      let isSurelyIn = u * (4 - u) - 3 <= gain
      guard isSurelyIn || (u * (u - gain) < 1 && 2 * ln(u) <= gain) else { continue }
      var result = Int64(x)
      if marked > unmarked { result = Int64(taken) - result }
      return drawn > Int64(taken) ? marked - result : result
    }
  }
}
