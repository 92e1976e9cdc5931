// From two tallies to a comparison: align the classes, form the table, ask every statistic.

/// Compares a period with a baseline. Never traps and never gives a value that is not a number,
/// whatever the counts.
///
/// - Parameters:
///   - baseline: the labels of the frozen baseline.
///   - blocks: the same baseline apart by block, each as long as the period (days for a night);
///     fewer than `thresholds.blocksMin` leave the day-to-day wobble unknown.
///   - period: the labels of the tested period.
///   - thresholds: the app's limits.
///   - periodBlockOutputs: outputs of the period by which φ is rescaled, where blocks and period
///     differ in length; nil where they do not.
///   - familySize: how many comparisons are judged together; sets how finely p is simulated.
///   - seed: of the simulation; the same seed gives the same result.
public func compare(
  baseline: Tally, blocks: [Tally] = [], period: Tally,
  thresholds: DriftThresholds = DriftThresholds(), periodBlockOutputs: Double? = nil,
  familySize: Int = 1, seed: UInt64
) -> Comparison {
  let aligned = Alignment(
    baseline: baseline, period: period, known: thresholds.criticalLabels,
    classesMax: thresholds.classesMax)
  let before = Side(aligned.baseline, labels: aligned.counted)
  let after = Side(aligned.period, labels: aligned.counted)
  let isWeighted = before.wholeCounts == nil || after.wholeCounts == nil
  let table = CountTable(before, after)

  let merged = Set(aligned.merged)
  let wobble = Wobble.measured(
    in: blocks.map { $0.renaming(merged, to: SpecialLabel.rare.rawValue) },
    blocksMin: thresholds.blocksMin)
  let factor = periodBlockOutputs.flatMap { wobble?.factor(forOutputs: $0) } ?? wobble?.factor ?? 1
  let choice = PChoice(
    seed: seed,
    drawsMax: CountTable.drawsMax(
      familySize: familySize, falseDiscoveryRate: thresholds.falseDiscoveryRate),
    wobble: wobble, factor: factor)
  let (statistic, p) =
    isWeighted
    ? choice.choose(weighted: before, after) : (table.chiSquare, choice.choose(table))

  let rows = ClassRows(
    aligned: aligned, before: before, after: after, table: table, thresholds: thresholds,
    factor: factor)
  return comparison(
    rows: rows.all, aligned: aligned, table: table, thresholds: thresholds,
    test: Test(statistic: statistic, p: p, wobble: wobble, factor: factor, isWeighted: isWeighted))
}

/// The test part of a comparison.
private struct Test {
  var statistic: Double
  var p: PValue
  var wobble: Wobble?
  var factor: Double
  var isWeighted: Bool
}

private func comparison(
  rows: [Comparison.ClassRow], aligned: Alignment, table: CountTable,
  thresholds: DriftThresholds, test: Test
) -> Comparison {
  let psi = table.populationStabilityIndex(smoothing: thresholds.smoothing)
  // What chance gives grows with the wobble: squared distances by φ, distances by √φ.
  let psiExpected = table.populationStabilityIndexExpected * test.factor
  let totalVariation = table.totalVariation
  let variationExpected = table.totalVariationExpected * test.factor.squareRoot()
  let g = table.gStatistic
  return Comparison(
    rows: rows, baselineTotal: aligned.baseline.total, periodTotal: aligned.period.total,
    baselineEffective: table.baselineTotal, periodEffective: table.periodTotal,
    isWeighted: test.isWeighted, classCount: table.classCount, psi: psi, psiExpected: psiExpected,
    psiAdjusted: max(0, psi - psiExpected),
    psiUpperPoint: table.populationStabilityIndexQuantile() * test.factor,
    smoothing: thresholds.smoothing, jsDistance: table.jensenShannonDistance,
    totalVariation: totalVariation, totalVariationExpected: variationExpected,
    totalVariationAdjusted: max(0, totalVariation - variationExpected),
    hellinger: table.hellingerDistance, largestShift: table.largestShift,
    klDivergence: table.kullbackLeiblerDivergence(smoothing: thresholds.smoothing),
    chiSquare: test.statistic, degreesOfFreedom: table.degreesOfFreedom, gStatistic: g,
    gP: chiSquareSurvival(g, degreesOfFreedom: table.degreesOfFreedom).value,
    cramersV: table.cramersV, p: test.p, wobble: test.wobble, wobbleFactor: test.factor,
    mergedLabels: aligned.merged)
}

/// The rows of a comparison, counted and shown.
private struct ClassRows {
  var all: [Comparison.ClassRow] = []

  init(
    aligned: Alignment, before: Side, after: Side, table: CountTable,
    thresholds: DriftThresholds, factor: Double
  ) {
    let jointZ = Interval.jointZ(
      confidence: thresholds.confidence, classes: max(aligned.counted.count, 1))
    let wideZ = jointZ * factor.squareRoot()
    let contributions = table.gContributions
    let residuals = table.adjustedResiduals
    let moved = table.totalVariation
    let places = Dictionary(
      uniqueKeysWithValues: aligned.counted.enumerated().map { ($0.element, $0.offset) })
    for label in aligned.shown {
      let k = places[label]
      let p = k.map { before.shares[$0] } ?? 0
      let q = k.map { after.shares[$0] } ?? 0
      let n = k.map { before.effectiveSize(of: $0) } ?? table.baselineTotal
      let m = k.map { after.effectiveSize(of: $0) } ?? table.periodTotal
      let change = k.map { table.shareChanges[$0] } ?? 0
      all.append(
        Comparison.ClassRow(
          label: label, baselineCount: aligned.baseline[label],
          periodCount: aligned.period[label], baselineShare: p, periodShare: q, change: change,
          interval: .difference(from: p, size: n, to: q, size: m, z: wideZ),
          shiftLimit: thresholds.shift(of: label, baselineShare: p),
          detectableShift: detectableShift(
            share: p, baselineSize: n, periodSize: m, factor: factor, jointZ: jointZ,
            power: thresholds.power),
          gContribution: k.map { contributions[$0] } ?? 0,
          residual: k.map { residuals[$0] } ?? 0, flowShare: moved > 0 ? change / moved : 0,
          isCounted: k != nil))
    }
  }
}
