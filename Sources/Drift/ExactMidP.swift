// Exact test of a 2 × 2 table with the mid-p correction.
//
// Kind: two-sample test, two-sided. Formula: with both margins fixed the first cell is
// hypergeometric; p = P(tables less probable than the observed) + ½·P(tables as probable). The half
// makes the size right on average, where Fisher's own p is too large.
// Default threshold: none of its own.
// Source: R. A. Fisher (1935); H. O. Lancaster, JASA 56 (1961); tables count as equally probable
// within a relative 1e-7, as R's fisher.test and scipy.stats.fisher_exact do.

extension CountTable {
  /// The mid-p value of two classes of whole counts; nil for any other table.
  var exactMidP: LogProbability? {
    guard classCount == 2, isComparable, let cells = wholeCells else { return nil }
    let urn = Hypergeometric(
      marked: cells.baseline[0] + cells.period[0],
      unmarked: cells.baseline[1] + cells.period[1],
      drawn: cells.baseline[0] + cells.baseline[1])
    return midP(urn, observed: cells.baseline[0])
  }

  /// The counts as integers, where each is one.
  var wholeCells: (baseline: [Int64], period: [Int64])? {
    let a = baseline.compactMap { Int64(exactly: $0) }
    let c = period.compactMap { Int64(exactly: $0) }
    let bound = Double(Int64.max / 4)
    guard a.count == classCount, c.count == classCount, baselineTotal < bound, periodTotal < bound
    else { return nil }
    return (a, c)
  }
}

private func midP(_ urn: Hypergeometric, observed: Int64) -> LogProbability {
  guard urn.support.lowerBound < urn.support.upperBound else { return .one }
  let logObserved = urn.logDensity(observed)
  let mode = modeOf(urn)
  // The tables at most as probable as the observed one are the two ends of the support; where they
  // meet at the mode, the mode belongs to the lower end alone.
  let lastLow = lastLowTable(urn, mode: mode, logAtMost: logObserved + tieTolerance)
  var firstHigh = firstHighTable(urn, mode: mode, logAtMost: logObserved + tieTolerance)
  if let low = lastLow, let high = firstHigh, high <= low {
    firstHigh = low < urn.support.upperBound ? low + 1 : nil
  }
  var parts: [Double] = []
  for (edge, isLow) in [(lastLow, true), (firstHigh, false)] {
    guard let edge else { continue }
    let logEdge = urn.logDensity(edge)
    let sum = tailSum(urn, from: edge, isLow: isLow, edgeToObserved: logEdge - logObserved)
    parts.append(logEdge + ln(sum))
  }
  guard let largest = parts.max(), largest > -.infinity else { return .zero }
  return LogProbability(log: largest + ln(parts.reduce(0) { $0 + exponential($1 - largest) }))
}

/// Two tables whose logarithms of density differ by less are equally probable.
private let tieTolerance = 1e-7

private func modeOf(_ urn: Hypergeometric) -> Int64 {
  let total = Double(urn.marked) + Double(urn.unmarked)
  let mode = (Double(urn.drawn) + 1) / (total + 2) * (Double(urn.marked) + 1)
  return min(max(Int64(mode), urn.support.lowerBound), urn.support.upperBound)
}

/// The largest table not above the mode whose density is at most the bound.
private func lastLowTable(
  _ urn: Hypergeometric, mode: Int64, logAtMost bound: Double
) -> Int64? {
  var low = urn.support.lowerBound
  guard urn.logDensity(low) <= bound else { return nil }
  var high = mode
  while low < high {
    let middle = low + (high - low + 1) / 2
    if urn.logDensity(middle) <= bound { low = middle } else { high = middle - 1 }
  }
  return low
}

/// The smallest table not below the mode whose density is at most the bound.
private func firstHighTable(
  _ urn: Hypergeometric, mode: Int64, logAtMost bound: Double
) -> Int64? {
  var high = urn.support.upperBound
  guard urn.logDensity(high) <= bound else { return nil }
  var low = mode
  while low < high {
    let middle = low + (high - low) / 2
    if urn.logDensity(middle) <= bound { high = middle } else { low = middle + 1 }
  }
  return high
}

/// Sum of densities from the edge outwards, in units of the edge's own; ties with the observed
/// table count half.
private func tailSum(
  _ urn: Hypergeometric, from edge: Int64, isLow: Bool, edgeToObserved: Double
) -> Double {
  let tiedFrom = exponential(-edgeToObserved - tieTolerance)
  var term = 1.0
  var sum = term >= tiedFrom ? 0.5 : 1
  var x = edge
  while isLow ? x > urn.support.lowerBound : x < urn.support.upperBound {
    term *= isLow ? 1 / urn.ratioUp(x - 1) : urn.ratioUp(x)
    x += isLow ? -1 : 1
    sum += term >= tiedFrom ? term / 2 : term
    if term < sum * 1e-18 { break }
  }
  return sum
}
