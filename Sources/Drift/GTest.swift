// G-test (likelihood ratio) of homogeneity, and what each class adds to it.
//
// Kind: two-sample test. Formula: 2·Σ O·ln(O/E), K − 1 degrees of freedom. G/(2N) is the mutual
// information of label and side in nats; being a sum over classes it says which class moved.
// Default threshold: none of its own.
// Source: S. S. Wilks (1938); B. Woolf, Ann. Hum. Genet. 21 (1957).

extension CountTable {
  /// G, the sum of the contributions; 0 where a side is empty.
  public var gStatistic: Double { gContributions.reduce(0, +) }

  /// g_k = 2·[a_k·ln(a_k/E) + c_k·ln(c_k/E)], each at least 0.
  public var gContributions: [Double] {
    guard isComparable else { return shareChanges.map { _ in 0 } }
    let n = baselineTotal
    let m = periodTotal
    return shareChanges.indices.map { k in
      let column = baseline[k] + period[k]
      // O·ln(O/E) − (O − E) sums to the same over a column and never cancels.
      let a = n / (n + m) * entropyExcess(-shareChanges[k] * m / column)
      let c = m / (n + m) * entropyExcess(shareChanges[k] * n / column)
      return 2 * column * (a + c)
    }
  }
}
