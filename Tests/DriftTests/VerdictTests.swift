// The verdict rule, its precedence, and the words that go with it.

import Testing

@testable import Drift

@Suite("Verdict")
struct VerdictTests {
  private func finding(
    _ baseline: [String: Int64], _ period: [String: Int64], coverage: Double = 1,
    hasInstrumentChanged: Bool = false, thresholds: DriftThresholds = DriftThresholds()
  ) throws -> Finding {
    let member = FamilyMember(
      comparison: compare(
        baseline: Tally(baseline), period: Tally(period), thresholds: thresholds, seed: 1),
      circumstances: Circumstances(
        coverage: coverage, hasInstrumentChanged: hasInstrumentChanged),
      thresholds: thresholds)
    return try #require(judge([member]).first)
  }

  private let steady: [String: Int64] = ["answered": 9_800, "refused": 200]
  private let worse: [String: Int64] = ["answered": 9_000, "refused": 1_000]

  @Test func nothingMoved() throws {
    #expect(try finding(steady, ["answered": 9_790, "refused": 210]).verdict == .ok)
  }

  @Test func aLargeShiftIsDrift() throws {
    let found = try finding(steady, worse)
    #expect(found.verdict == .drifted)
    #expect(found.reason.hasPrefix("'answered' moved -8.0 pp"), "\(found.reason)")
    #expect(found.reason.hasSuffix("beyond its limit of 5.0 pp."), "\(found.reason)")
  }

  /// Half a million outputs: half a point is real, but tolerated.
  @Test func aRealButSmallShiftIsWatched() throws {
    let found = try finding(
      ["answered": 490_000, "refused": 10_000], ["answered": 488_500, "refused": 11_500])
    #expect(found.verdict == .watch)
    #expect(found.comparison.p.value < 1e-9)
  }

  /// The point estimate lies beyond the limit of 1 pp, its interval does not.
  @Test func aShiftThatIsNotSurelyTooLargeIsWatched() throws {
    let found = try finding(["answered": 980, "refused": 20], ["answered": 955, "refused": 45])
    #expect(found.discovery.isSignificant)
    let row = try #require(found.comparison["refused"])
    #expect(row.change > row.shiftLimit)
    #expect(found.verdict == .watch)
  }

  @Test func tooFewOutputsHaveNoPower() throws {
    let found = try finding(["answered": 45, "refused": 5], ["answered": 27, "refused": 3])
    #expect(found.verdict == .noPower)
    #expect(found.reason.contains("with 30 outputs"))
    let tiny = try finding(["answered": 1], ["answered": 1])
    #expect(tiny.verdict == .noPower)
    #expect(tiny.reason.hasSuffix("no shift at all would be found."))
  }

  @Test func powerIsAskedForInCriticalClassesOnly() throws {
    let baseline: [String: Int64] = ["a": 500, "b": 490, "rare": 10]
    let period: [String: Int64] = ["a": 505, "b": 485, "rare": 10]
    var thresholds = DriftThresholds()
    thresholds.shiftByLabel = ["a": 0.2]
    #expect(try finding(baseline, period, thresholds: thresholds).verdict == .ok)
    thresholds.criticalLabels = ["rare"]
    #expect(try finding(baseline, period, thresholds: thresholds).verdict == .noPower)
    // A class that was never seen can be critical; it is shown, and counted in nothing.
    thresholds.criticalLabels = ["leak"]
    let found = try finding(baseline, period, thresholds: thresholds)
    let leak = try #require(found.comparison["leak"])
    #expect(!leak.isCounted)
    #expect(found.comparison.classCount == 3)
    thresholds.shiftByLabel["leak"] = 0.05
    #expect(try finding(baseline, period, thresholds: thresholds).verdict == .ok)
    thresholds.shiftByLabel["leak"] = 0.001
    #expect(try finding(baseline, period, thresholds: thresholds).verdict == .noPower)
  }

  @Test func missingLabelsAreUnreadable() throws {
    #expect(try finding(steady, worse, coverage: 0.9499).verdict == .unreadable)
    #expect(try finding(steady, worse, coverage: 0.95).verdict == .drifted)
    #expect(try finding(steady, worse, coverage: .nan).verdict == .unreadable)
    #expect(try finding(steady, [:]).verdict == .unreadable)
    #expect(try finding([:], worse).verdict == .unreadable)
    #expect(try finding(steady, ["answered": 0]).verdict == .unreadable)
  }

  @Test func aJumpOfInvalidLabelsIsUnreadable() throws {
    let broken: [String: Int64] = ["answered": 8_800, "refused": 200, "__invalid__": 1_000]
    #expect(try finding(steady, broken).verdict == .unreadable)
    // Fewer of them than before is no fault of the instrument.
    #expect(try finding(broken, steady).verdict == .drifted)
    // Outputs that ceased to hold what is looked for are drift of the app itself.
    let missing: [String: Int64] = ["answered": 8_800, "refused": 200, "__missing__": 1_000]
    #expect(try finding(steady, missing).verdict == .drifted)
  }

  @Test func precedence() throws {
    #expect(
      try finding(steady, worse, coverage: 0.5, hasInstrumentChanged: true).verdict == .unreadable)
    #expect(try finding(steady, worse, hasInstrumentChanged: true).verdict == .instrumentChanged)
    #expect(try finding(steady, steady, hasInstrumentChanged: true).verdict == .instrumentChanged)
  }

  @Test func defaultLimits() {
    let thresholds = DriftThresholds()
    #expect(thresholds.shift(of: "a", baselineShare: 0) == 0.01)
    #expect(thresholds.shift(of: "a", baselineShare: 0.04) == 0.02)
    #expect(thresholds.shift(of: "a", baselineShare: 0.9) == 0.05)
  }

  @Test func wordsAreStable() {
    #expect(
      Verdict.allCases.map(\.rawValue)
        == ["ok", "watch", "drifted", "no-power", "unreadable", "instrument-changed"])
    #expect(
      PMethod.allCases.map(\.rawValue)
        == ["asymptotic", "monte-carlo", "fisher", "rao-scott", "wald"])
  }

  /// One member with p just below 5 % is found alone, and not among twenty that found nothing.
  @Test func aFamilySharesItsErrors() throws {
    let odd = compare(
      baseline: Tally(["answered": 980, "refused": 20]),
      period: Tally(["answered": 966, "refused": 34]), seed: 1)
    #expect(odd.p.value > 0.0025 && odd.p.value < 0.06)
    let calm = compare(baseline: Tally(steady), period: Tally(steady), seed: 1)
    let alone = judge([FamilyMember(comparison: odd)])
    #expect(alone[0].discovery.isSignificant == (odd.p.value <= 0.05))
    let night = judge(
      [FamilyMember(comparison: odd)] + (0..<19).map { _ in FamilyMember(comparison: calm) })
    #expect(!night[0].discovery.isSignificant)
    #expect(night[0].familySize == 20)
    // What cannot be read is no member, however small its p-value.
    let drifted = compare(baseline: Tally(steady), period: Tally(worse), seed: 1)
    let unreadable = FamilyMember(
      comparison: drifted, circumstances: Circumstances(coverage: 0.1))
    let mixed = judge([unreadable, FamilyMember(comparison: odd)])
    #expect(mixed[1].familySize == 1)
    #expect(mixed[1].discovery == alone[0].discovery)
    #expect(mixed[0].verdict == .unreadable)
  }

  @Test func flowsAddUpToTheShift() {
    let found = compare(
      baseline: Tally(["answer": 900, "refusal": 20, "other": 80]),
      period: Tally(["answer": 849, "refusal": 80, "other": 71]), seed: 1)
    #expect(found.flowText == "+6.0 pp refusal, of which 5.1 pp from answer")
    #expect(found.flows.map(\.from) == ["answer", "other"])
    #expect(isClose(found.flows.reduce(0) { $0 + $1.share }, found.totalVariation, 1e-12))
    #expect(compare(baseline: Tally(steady), period: Tally(steady), seed: 1).flowText == nil)
    let two = compare(baseline: Tally(steady), period: Tally(worse), seed: 1)
    #expect(two.flowText == "+8.0 pp refused, from answered")
  }

  @Test func pointsOfShare() {
    #expect(points(0.0604) == "6.0 pp")
    #expect(points(-0.0006) == "-0.1 pp")
    #expect(points(0) == "0.0 pp")
    #expect(points(1) == "100.0 pp")
    #expect(points(.nan) == "? pp")
    #expect(signedPoints(0.05) == "+5.0 pp")
    #expect(signedPoints(-0.05) == "-5.0 pp")
  }
}
