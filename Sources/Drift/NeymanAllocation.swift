// Which outputs persons should check, where only so many can be: more where the classifier errs
// more, and some everywhere, for an error nobody looked for is not 0.
//
// Kind: allocation. Formula: a floor for each predicted class, the rest in proportion to
// N_k·√(p_k(1 − p_k)), p_k the share of wrong labels in the class so far, with half a wrong and
// half a right one added.
// Default threshold: a floor of 10.
// Source: J. Neyman, J. R. Stat. Soc. 97 (1934).

/// One predicted class as a stratum.
public struct CheckStratum: Hashable, Sendable {
  /// Outputs of the predicted class that may be checked.
  public var outputs: Int64
  /// Outputs of it that were checked before, and those of them whose label was wrong.
  public var checked: Int64
  public var wrong: Int64

  public init(outputs: Int64, checked: Int64, wrong: Int64) {
    self.outputs = outputs
    self.checked = checked
    self.wrong = wrong
  }
}

/// How many outputs of each class to check. The sum is `total`, or all outputs where they are
/// fewer; no class gets more than it has. Each output's π is its class's number over its outputs.
public func neymanAllocation(
  _ strata: [CheckStratum], total: Int64, floor: Int64 = 10
) -> [Int64] {
  let sizes = strata.map { max($0.outputs, 0) }
  let room = sizes.reduce(0, saturatingSum)
  var left = min(max(total, 0), room)
  // Where the floors alone are too many, the floor falls until they are not.
  var least = min(max(floor, 0), left)
  while sizes.reduce(0, { saturatingSum($0, min(least, $1)) }) > left { least -= 1 }
  var given = sizes.map { min(least, $0) }
  left -= given.reduce(0, +)
  let needs = strata.map { stratum in
    let wrong = Double(min(max(stratum.wrong, 0), max(stratum.checked, 0))) + 0.5
    let share = wrong / (Double(max(stratum.checked, 0)) + 1)
    return Double(max(stratum.outputs, 0)) * (share * (1 - share)).squareRoot()
  }
  while left > 0 {
    let open = sizes.indices.filter { given[$0] < sizes[$0] }
    let sum = open.reduce(0.0) { $0 + needs[$1] }
    let parts = open.map { (k: $0, part: Double(left) * needs[$0] / sum) }
    let before = left
    for (k, part) in parts {
      let more = min(Int64(part.rounded(.down)), sizes[k] - given[k])
      given[k] += more
      left -= more
    }
    guard left == before else { continue }
    // Less than one each: the largest parts first.
    for (k, _) in parts.sorted(by: { ($1.part, $0.k) < ($0.part, $1.k) }) where left > 0 {
      given[k] += 1
      left -= 1
    }
  }
  return given
}
