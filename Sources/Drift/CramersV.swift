// Cramér's V of the 2 × K table.
//
// Kind: effect size, 0 … 1. Formula: √(X²/N), N = n + m (the lesser side of the table is 2).
// Default threshold: none.
// Source: H. Cramér, Mathematical Methods of Statistics (1946).

extension CountTable {
  /// Cramér's V; 0 where a side is empty.
  public var cramersV: Double {
    let total = baselineTotal + periodTotal
    return total > 0 ? min((chiSquare / total).squareRoot(), 1) : 0
  }
}
