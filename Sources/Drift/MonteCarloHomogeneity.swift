// Simulated p-value of the chi-square statistic, for tables with small expected counts.
//
// Kind: two-sample test. Formula: with both margins fixed the period's counts are multivariate
// hypergeometric; p = h/l where the h-th simulated statistic at least as large as the observed came
// at draw l (h = 50), else (1 + exceedances)/(R + 1). Never 0.
// Default threshold: used where an expected count is below 5.
// Source: J. Besag and P. Clifford, Sequential Monte Carlo p-values, Biometrika 78 (1991).

/// A simulated p-value.
struct SimulatedP {
  var value: Double
  /// How many tables were simulated.
  var draws: Int
}

/// Besag and Clifford's count: it need not go on once enough draws have reached what was observed.
struct ExceedanceCount {
  private let most: Int
  private var exceedances = 0
  private(set) var draws = 0

  /// - Parameter most: at least 1.
  init(most: Int) { self.most = most }

  var isDone: Bool { exceedances == most }

  /// Counts a draw.
  mutating func take(_ reaches: Bool) {
    draws += 1
    if reaches { exceedances += 1 }
  }

  var p: SimulatedP {
    let value =
      isDone ? Double(most) / Double(draws) : Double(1 + exceedances) / Double(draws + 1)
    return SimulatedP(value: value, draws: draws)
  }
}

extension CountTable {
  /// The fewest simulations, R, with which a change of one among `familySize` members can pass the
  /// Benjamini–Hochberg procedure at `falseDiscoveryRate`, at least 9,999.
  static func drawsMax(familySize: Int, falseDiscoveryRate: Double) -> Int {
    let needed = 20 * Double(max(familySize, 1)) / min(max(falseDiscoveryRate, 1e-6), 1)
    return max(9_999, Int(min(needed, 1e9).rounded(.up)))
  }

  /// P(X² of a random table with the same margins ≥ X² of this one); nil unless the counts are
  /// whole.
  func simulatedP(seed: UInt64, drawsMax: Int, exceedancesMax: Int = 50) -> SimulatedP? {
    guard isComparable, classCount > 1, let cells = wholeCells else { return nil }
    let simulation = MarginsFixed(cells.baseline, cells.period)
    // Rounding must not make a table that equals the observed one look smaller.
    let bound = simulation.observed * (1 - 1e-10)
    var generator = Xoshiro256(seed: seed)
    var count = ExceedanceCount(most: exceedancesMax)
    while !count.isDone, count.draws < max(drawsMax, 1) {
      count.take(simulation.drawReaches(bound, &generator))
    }
    return count.p
  }
}

/// Random 2 × K tables with the margins of a given one.
private struct MarginsFixed {
  private let columns: [Int64]
  private let expected: [Double]
  private let drawn: Int64
  /// Σ(x − E)²/column of the given table, which orders tables as X² does.
  let observed: Double

  init(_ baseline: [Int64], _ period: [Int64]) {
    // Only the smaller side is drawn, and the largest classes first: the names and the order of
    // classes then have no influence on the result.
    let n = baseline.reduce(0, +)
    let m = period.reduce(0, +)
    let small = n < m ? baseline : period
    let large = n < m ? period : baseline
    let cells = zip(small, large).map { (count: $0, column: $0 + $1) }
      .sorted { ($0.column, $0.count) > ($1.column, $1.count) }
    let drawn = min(n, m)
    let expected = cells.map { Double($0.column) * Double(drawn) / Double(n + m) }
    columns = cells.map(\.column)
    self.drawn = drawn
    self.expected = expected
    observed = zip(cells, expected).reduce(0) { sum, cell in
      let difference = Double(cell.0.count) - cell.1
      return sum + difference * difference / Double(cell.0.column)
    }
  }

  /// Draws a table; whether its statistic reaches the bound. It stops as soon as that is certain.
  func drawReaches(_ bound: Double, _ generator: inout Xoshiro256) -> Bool {
    var left = drawn
    var rest = columns.reduce(0, +)
    var statistic = 0.0
    for k in columns.indices {
      rest -= columns[k]
      let urn = Hypergeometric(marked: columns[k], unmarked: rest, drawn: left)
      let count = urn.sample(&generator)
      left -= count
      let difference = Double(count) - expected[k]
      statistic += difference * difference / Double(columns[k])
      if statistic >= bound { return true }
    }
    return false
  }
}
