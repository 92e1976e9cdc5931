// Why a share moved: because other calls came (the mix of cohorts), or because the same calls are
// answered otherwise (within cohorts). Only the second is drift of the model.
//
// Kind: decomposition, exact and symmetric. Formula, u and v the cohorts' shares of all outputs
// before and after, p and q the class's shares in the cohort:
//   q − p = Σ_s (v_s − u_s)(p_s + q_s)/2 + Σ_s (u_s + v_s)/2·(q_s − p_s).
// Default threshold: none.
// Source: E. M. Kitagawa, JASA 50 (1955); with two factors it is the Shapley value.

/// The parts of every class's change.
public struct MixDecomposition: Hashable, Sendable, Codable {
  /// One class, in all or in one cohort. `mix + within` is its change.
  public struct Part: Hashable, Sendable, Codable {
    public var label: String
    public var mix: Double
    public var within: Double

    public var change: Double { mix + within }
    /// Whether the class went one way overall and the other way within cohorts: Simpson's paradox.
    public var isReversed: Bool { within * change < 0 }
  }

  /// One cohort's contribution.
  public struct Cohort: Hashable, Sendable, Codable {
    public var name: String
    /// Its share of all outputs, in [0, 1].
    public var baselineShare: Double
    public var periodShare: Double
    public var parts: [Part]
  }

  /// Sorted by name.
  public var cohorts: [Cohort]
  /// The sums over the cohorts, in the fixed order of classes.
  public var parts: [Part]
}

/// One cohort's labels on both sides: of a model version, a prompt version, a route, a language.
public struct CohortTallies: Hashable, Sendable {
  public var name: String
  public var baseline: Tally
  public var period: Tally

  public init(name: String, baseline: Tally, period: Tally) {
    self.name = name
    self.baseline = baseline
    self.period = period
  }
}

/// Takes every class's change apart; nil where a side has no output in any cohort. Outputs weigh
/// 1/π.
///
/// A cohort that only one side has cannot have changed within: all of its part is mix.
public func decomposeChange(_ cohorts: [CohortTallies]) -> MixDecomposition? {
  let labels = Tally.ordered(
    Set(cohorts.flatMap { $0.baseline.labels + $0.period.labels }))
  let rows = cohorts.sorted { $0.name < $1.name }.map { cohort in
    (
      name: cohort.name, before: cohort.baseline.weights(of: labels),
      after: cohort.period.weights(of: labels)
    )
  }
  let n = rows.reduce(0.0) { $0 + $1.before.reduce(0, +) }
  let m = rows.reduce(0.0) { $0 + $1.after.reduce(0, +) }
  guard n > 0, m > 0 else { return nil }
  let parts = rows.map { row in
    let size = row.before.reduce(0, +)
    let sizeAfter = row.after.reduce(0, +)
    let (u, v) = (size / n, sizeAfter / m)
    return MixDecomposition.Cohort(
      name: row.name, baselineShare: u, periodShare: v,
      parts: labels.indices.map { k in
        let own = size > 0 ? row.before[k] / size : nil
        let ownAfter = sizeAfter > 0 ? row.after[k] / sizeAfter : nil
        let p = own ?? ownAfter ?? 0
        let q = ownAfter ?? p
        return MixDecomposition.Part(
          label: labels[k], mix: (v - u) * (p + q) / 2, within: (u + v) / 2 * (q - p))
      })
  }
  return MixDecomposition(
    cohorts: parts,
    parts: labels.indices.map { k in
      MixDecomposition.Part(
        label: labels[k], mix: parts.reduce(0) { $0 + $1.parts[k].mix },
        within: parts.reduce(0) { $0 + $1.parts[k].within })
    })
}
