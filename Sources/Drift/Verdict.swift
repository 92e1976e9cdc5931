// The verdict on a comparison. A small p-value alone is no drift: with enough outputs everything is
// significant. Drift is what is significant within the night's family *and* surely larger than the
// app tolerates.

/// What is to be thought of a period.
public enum Verdict: String, Hashable, Sendable, Codable, CaseIterable {
  case ok
  /// Something moved, but not surely by more than the app tolerates.
  case watch
  /// Something moved by more than the app tolerates.
  case drifted
  /// Nothing was found, and a shift that matters might have been missed.
  case noPower = "no-power"
  /// Too few outputs have a usable label to say anything.
  case unreadable
  /// The classifier changed, so the two sides were not measured alike.
  case instrumentChanged = "instrument-changed"
}

/// What besides the counts decides a verdict.
public struct Circumstances: Hashable, Sendable, Codable {
  /// Samples of the period that were labelled, whatever the label, over all of them; in [0, 1].
  public var coverage: Double
  /// Whether the classifier's version differs between baseline and period.
  public var hasInstrumentChanged: Bool

  public init(coverage: Double = 1, hasInstrumentChanged: Bool = false) {
    self.coverage = coverage
    self.hasInstrumentChanged = hasInstrumentChanged
  }
}

/// A comparison with its verdict.
public struct Finding: Hashable, Sendable, Codable {
  public var comparison: Comparison
  public var circumstances: Circumstances
  /// The p-value adjusted for the family.
  public var discovery: Discovery
  /// How many comparisons were tested together.
  public var familySize: Int
  public var verdict: Verdict
  /// One sentence for a person.
  public var reason: String
}

/// One comparison of a family, with the limits by which it is judged.
public struct FamilyMember: Hashable, Sendable {
  public var comparison: Comparison
  public var circumstances: Circumstances
  public var thresholds: DriftThresholds

  public init(
    comparison: Comparison, circumstances: Circumstances = Circumstances(),
    thresholds: DriftThresholds = DriftThresholds()
  ) {
    self.comparison = comparison
    self.circumstances = circumstances
    self.thresholds = thresholds
  }
}

/// Judges comparisons that belong together, such as all of a night, in the order given.
///
/// Members that say nothing of the app (too little labelled, another classifier) stay outside the
/// family: their small p-values would make the procedure more lenient towards the rest.
public func judge(_ family: [FamilyMember], falseDiscoveryRate: Double = 0.05) -> [Finding] {
  let tested = family.indices.filter { isTestable(family[$0]) }
  let discoveries = benjaminiHochberg(
    tested.map { family[$0].comparison.p.value }, falseDiscoveryRate: falseDiscoveryRate)
  let discovered = Dictionary(uniqueKeysWithValues: zip(tested, discoveries))
  return family.enumerated().map { index, member in
    let p = member.comparison.p.value
    let alone = Discovery(pAdjusted: p, isSignificant: p <= falseDiscoveryRate)
    let discovery = discovered[index] ?? alone
    let (verdict, reason) = decide(
      member.comparison, isSignificant: discovery.isSignificant,
      circumstances: member.circumstances, thresholds: member.thresholds)
    return Finding(
      comparison: member.comparison, circumstances: member.circumstances, discovery: discovery,
      familySize: tested.count, verdict: verdict, reason: reason)
  }
}

private func isTestable(_ member: FamilyMember) -> Bool {
  member.comparison.isComparable && !member.circumstances.hasInstrumentChanged
    && member.circumstances.coverage >= member.thresholds.coverageMin
}

/// The verdict and one sentence why. The first that applies stands: unreadable,
/// instrument-changed, drifted, watch, no-power, ok.
public func decide(
  _ comparison: Comparison, isSignificant: Bool, circumstances: Circumstances,
  thresholds: DriftThresholds
) -> (verdict: Verdict, reason: String) {
  if let reason = unreadableReason(comparison, isSignificant, circumstances, thresholds) {
    return (.unreadable, reason)
  }
  if circumstances.hasInstrumentChanged {
    return (
      .instrumentChanged,
      "The classifier changed since the baseline; label the baseline anew before comparing."
    )
  }
  let beyond = comparison.rows.filter(\.isBeyondLimit)
    .max { abs($0.change) < abs($1.change) }
  if isSignificant, let row = beyond { return (.drifted, driftReason(row)) }
  if isSignificant {
    return (.watch, "The labels moved, but no label surely by more than its limit.")
  }
  if let reason = noPowerReason(comparison, thresholds) { return (.noPower, reason) }
  return (.ok, "No shift was found.")
}

private func unreadableReason(
  _ comparison: Comparison, _ isSignificant: Bool, _ circumstances: Circumstances,
  _ thresholds: DriftThresholds
) -> String? {
  if comparison.baselineTotal <= 0 { return "The baseline holds no labelled output." }
  if comparison.periodTotal <= 0 { return "The period holds no labelled output." }
  // Written so that a coverage that is not a number is unreadable too.
  guard circumstances.coverage >= thresholds.coverageMin else {
    return "Only \(percent(circumstances.coverage)) of the period's samples have a label; "
      + "\(percent(thresholds.coverageMin)) are needed."
  }
  if isSignificant, let invalid = comparison[SpecialLabel.invalid.rawValue],
    invalid.isCounted, invalid.interval.low > invalid.shiftLimit
  {
    return "The share of outputs that could not be classified rose by \(points(invalid.change))."
  }
  return nil
}

private func driftReason(_ row: Comparison.ClassRow) -> String {
  "'\(row.label)' moved \(signedPoints(row.change)) (interval \(signedPoints(row.interval.low)) to "
    + "\(signedPoints(row.interval.high))), beyond its limit of \(points(row.shiftLimit))."
}

private func noPowerReason(_ comparison: Comparison, _ thresholds: DriftThresholds) -> String? {
  let critical = Set(thresholds.criticalLabels)
  let watched = comparison.rows.filter {
    critical.isEmpty ? $0.isCounted : critical.contains($0.label)
  }
  let isBlind = watched.allSatisfy { ($0.detectableShift ?? .infinity) > $0.shiftLimit }
  guard isBlind, !watched.isEmpty else { return nil }
  let least = watched.compactMap(\.detectableShift).min()
  let found = least.map { "the least shift that would be found is \(points($0))" }
  return "No shift was found, but with \(comparison.periodTotal) outputs "
    + (found ?? "no shift at all would be found") + "."
}

private func percent(_ share: Double) -> String {
  guard share.isFinite else { return "an unknown part" }
  let tenths = Int64((min(max(share, 0), 1) * 1_000).rounded(.down))
  return "\(tenths / 10).\(tenths % 10) %"
}
