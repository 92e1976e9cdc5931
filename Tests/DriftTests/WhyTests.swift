// Why a share moved, and whether the classifier that says so can be believed.

import TestSupport
import Testing

@testable import Drift

@Suite("Why it moved")
struct WhyTests {
  @Test func mixAndWithinAddUpExactly() throws {
    try checkProperty(
      "mix + within is the change", over: 0...100_000, runs: 150, countMax: 36,
      check: { numbers in
        let cohorts = stride(from: 0, to: numbers.count, by: 6).map { start in
          let part = Array(numbers[start..<min(start + 6, numbers.count)])
          return CohortTallies(
            name: "s\(start)", baseline: Tally(tally(Array(part.prefix(3)))),
            period: Tally(tally(Array(part.dropFirst(3)))))
        }
        let before = cohorts.reduce(into: Tally()) { $0.merge($1.baseline) }
        let after = cohorts.reduce(into: Tally()) { $0.merge($1.period) }
        guard let found = decomposeChange(cohorts) else {
          try require(before.isEmpty || after.isEmpty, "nil with outputs on both sides")
          return
        }
        for part in found.parts {
          let p = Double(before[part.label]) / Double(before.total)
          let q = Double(after[part.label]) / Double(after.total)
          try require(abs(part.change - (q - p)) < 1e-12, "\(part) \(p) \(q)")
          let mix = found.cohorts.reduce(0) { sum, cohort in
            sum + (cohort.parts.first { $0.label == part.label }?.mix ?? 0)
          }
          try require(abs(mix - part.mix) < 1e-12, "\(part)")
        }
        // Exchanged sides turn every part's sign.
        let turned = try #require(
          decomposeChange(
            cohorts.map {
              CohortTallies(name: $0.name, baseline: $0.period, period: $0.baseline)
            }))
        for (one, other) in zip(found.parts, turned.parts) {
          try require(abs(one.mix + other.mix) < 1e-12, "\(one) \(other)")
          try require(abs(one.within + other.within) < 1e-12, "\(one) \(other)")
        }
      })
  }

  /// Each language is refused less, and yet refusals rise: more calls come in the language that is
  /// refused more.
  @Test func moreOfAnotherMixIsNotDrift() throws {
    let found = try #require(
      decomposeChange([
        CohortTallies(
          name: "de", baseline: Tally(["ok": 80, "refused": 20]),
          period: Tally(["ok": 820, "refused": 180])),
        CohortTallies(
          name: "en", baseline: Tally(["ok": 882, "refused": 18]),
          period: Tally(["ok": 99, "refused": 1])),
      ]))
    let refused = try #require(found.parts.first { $0.label == "refused" })
    #expect(refused.within < 0 && refused.mix > 0 && refused.change > 0)
    #expect(refused.isReversed)
    #expect(found.cohorts.map(\.name) == ["de", "en"])
    #expect(isClose(found.cohorts[0].baselineShare, 0.1, 1e-12))
  }

  @Test func aCohortOfOneSideIsMix() throws {
    let found = try #require(
      decomposeChange([
        CohortTallies(name: "old", baseline: Tally(["a": 50, "b": 50]), period: Tally()),
        CohortTallies(name: "new", baseline: Tally(), period: Tally(["a": 10, "b": 90])),
        CohortTallies(name: "none", baseline: Tally(), period: Tally()),
      ]))
    #expect(found.parts.allSatisfy { $0.within == 0 && !$0.isReversed })
    #expect(isClose(found.parts[0].mix, -0.4, 1e-12))
    #expect(decomposeChange([]) == nil)
  }

  private func checked(_ cells: [Int64], probability: Double = 1) -> [CheckedOutput] {
    zip(cells, [(true, true), (true, false), (false, true), (false, false)]).flatMap {
      count, kind in
      Array(
        repeating: CheckedOutput(
          isOfClass: kind.0, isPredicted: kind.1, probability: probability), count: Int(count))
    }
  }

  @Test func predictionPoweredSharesAgree() throws {
    for row in try Oracle.rows("predictionPowered") {
      let found = try #require(
        checkedShare(
          predicted: try counts(row[0])[0], of: try counts(row[1])[0],
          checked: checked(try counts(row[2]))))
      #expect(found.method == .predictionPowered)
      #expect(isClose(found.share, try number(row[3]), 1e-9), "\(row) gave \(found)")
      #expect(isClose(found.interval.low, try number(row[4]), 1e-9), "\(row) gave \(found)")
      #expect(isClose(found.interval.high, try number(row[5]), 1e-9), "\(row) gave \(found)")
    }
  }

  @Test func fewPositivesAreJudgedByThePersonsAlone() throws {
    let found = try #require(
      checkedShare(predicted: 500, of: 1_000, checked: checked([5, 4, 0, 91])))
    #expect(found.method == .wilson && found.trust == 0)
    #expect(isClose(found.share, 0.09, 1e-12))
    let z = Interval.jointZ(confidence: 0.95, classes: 1)
    let wilson = Interval.wilson(share: 0.09, size: 100, z: z)
    #expect(abs(found.interval.low - wilson.low) < 1e-12)
    #expect(abs(found.interval.high - wilson.high) < 1e-12)
    #expect(checkedShare(predicted: 5, of: 10, checked: []) == nil)
    let broken = CheckedOutput(isOfClass: true, isPredicted: true, probability: 0)
    #expect(checkedShare(predicted: 5, of: 10, checked: [broken]) == nil)
  }

  /// Suspicious outputs are picked five times as often: weighted, the share stays right.
  @Test func unequalPicksStayRight() throws {
    var generator = Xoshiro256(seed: 21)
    var covered = 0
    var sum = 0.0
    for _ in 0..<300 {
      var (predicted, unchecked): (Int64, Int64) = (0, 0)
      var picked: [CheckedOutput] = []
      for _ in 0..<2_000 {
        let isOfClass = generator.uniform() < 0.2
        let isPredicted = generator.uniform() < (isOfClass ? 0.8 : 0.1)
        let probability = isPredicted ? 0.25 : 0.05
        if generator.uniform() < probability {
          picked.append(
            CheckedOutput(
              isOfClass: isOfClass, isPredicted: isPredicted, probability: probability))
        }
        // The classifier's labels are tallied for all outputs.
        unchecked += 1
        if isPredicted { predicted += 1 }
      }
      let found = try #require(
        checkedShare(predicted: predicted, of: unchecked, checked: picked))
      sum += found.share
      if found.interval.low <= 0.2, 0.2 <= found.interval.high { covered += 1 }
    }
    #expect(abs(sum / 300 - 0.2) < 0.006, "\(sum / 300)")
    #expect(covered >= 267, "\(covered) of 300, about 285 expected")
  }

  /// Where to check, what was found there, and the share that follows: the numbers of the one are
  /// the probabilities of the other.
  @Test func allocatedChecksGiveTheShare() throws {
    var generator = Xoshiro256(seed: 23)
    var sum = 0.0
    var covered = 0
    for _ in 0..<200 {
      // 5,000 outputs by predicted class, true or not.
      var outputs: [Bool: [Bool]] = [true: [], false: []]
      for _ in 0..<5_000 {
        let isOfClass = generator.uniform() < 0.1
        outputs[generator.uniform() < (isOfClass ? 0.9 : 0.08), default: []].append(isOfClass)
      }
      let classes = [true, false]
      let sizes = classes.map { Int64(outputs[$0]?.count ?? 0) }
      let picks = neymanAllocation(
        [
          CheckStratum(outputs: sizes[0], checked: 50, wrong: 22),
          CheckStratum(outputs: sizes[1], checked: 50, wrong: 1),
        ], total: 300)
      #expect(picks.reduce(0, +) == 300 && picks[0] * sizes[1] > picks[1] * sizes[0])
      var checked: [CheckedOutput] = []
      for (k, isPredicted) in classes.enumerated() {
        var left = try #require(outputs[isPredicted])
        for _ in 0..<picks[k] {
          let place = Int(generator.uniform() * Double(left.count))
          checked.append(
            CheckedOutput(
              isOfClass: left.remove(at: place), isPredicted: isPredicted,
              probability: Double(picks[k]) / Double(sizes[k])))
        }
      }
      let found = try #require(checkedShare(predicted: sizes[0], of: 5_000, checked: checked))
      sum += found.share
      if found.interval.low <= 0.1, 0.1 <= found.interval.high { covered += 1 }
    }
    #expect(abs(sum / 200 - 0.1) < 0.004, "\(sum / 200)")
    #expect(covered >= 190, "\(covered) of 200")
  }

  @Test func whatIfTheErrorsWereThoseOfCalibration() throws {
    let calibration = CheckedCounts(ofClass: 200, found: 180, others: 300, leftAlone: 285)
    // θ = (0.3 + 0.95 − 1)/(0.9 + 0.95 − 1).
    let found = try #require(whatIfShare(predicted: 300, of: 1_000, calibration: calibration))
    #expect(isClose(found.share, 0.25 / 0.85, 1e-12))
    #expect(found.interval.low < found.share && found.share < found.interval.high)
    let coin = CheckedCounts(ofClass: 10, found: 5, others: 10, leftAlone: 5)
    #expect(whatIfShare(predicted: 3, of: 10, calibration: coin) == nil)
    #expect(whatIfShare(predicted: 0, of: 0, calibration: calibration) == nil)
    // The same by the matrix of K = 2.
    let shares = try #require(
      whatIfShares(predicted: [0.3, 0.7], confusion: [[180, 20], [15, 285]]))
    #expect(isClose(shares[0], 0.25 / 0.85, 1e-12))
    #expect(whatIfShares(predicted: [0.3, 0.7], confusion: [[1, 1], [1, 1]]) == nil)
    #expect(whatIfShares(predicted: [0.3, 0.7], confusion: [[1, 1], [0, 0]]) == nil)
    #expect(whatIfShares(predicted: [1], confusion: [[1, 1]]) == nil)
  }

  @Test func theWhatIfIntervalCountsTheCalibrationsError() throws {
    var generator = Xoshiro256(seed: 22)
    func hits(_ count: Int, _ share: Double) -> Int64 {
      Int64((0..<count).filter { _ in generator.uniform() < share }.count)
    }
    var covered = 0
    for _ in 0..<400 {
      let found = try #require(
        whatIfShare(
          predicted: hits(500, 0.1 * 0.9 + 0.9 * 0.05), of: 500,
          calibration: CheckedCounts(
            ofClass: 80, found: hits(80, 0.9), others: 120, leftAlone: hits(120, 0.95))))
      if found.interval.low <= 0.1, 0.1 <= found.interval.high { covered += 1 }
    }
    #expect(covered >= 360, "\(covered) of 400, about 380 expected")
  }

  @Test func projectionGivesShares() throws {
    #expect(projectedToShares([0.3, 0.7]) == [0.3, 0.7])
    #expect(projectedToShares([1.5, -0.5]) == [1, 0])
    try checkProperty(
      "the projection sums to 1", over: -1_000...1_000, runs: 100, countMax: 12,
      check: { numbers in
        guard !numbers.isEmpty else { return }
        let shares = projectedToShares(numbers.map { Double($0) / 500 })
        try require(shares.allSatisfy { $0 >= 0 }, "\(shares)")
        try require(abs(shares.reduce(0, +) - 1) < 1e-12, "\(shares)")
      })
  }

  @Test func agreementAgrees() throws {
    for row in try Oracle.rows("kappa") {
      let table = try row[0].split(separator: ";").map { try counts(String($0)) }
      let found = try #require(ClassifierHealth(confusion: table))
      #expect(isClose(found.kappa, try number(row[1]), 1e-9), "\(row) gave \(found)")
      #expect(isClose(found.kappaInterval.low, max(try number(row[2]), -1), 1e-9), "\(row)")
      #expect(isClose(found.kappaInterval.high, min(try number(row[3]), 1), 1e-9), "\(row)")
    }
    let found = try #require(ClassifierHealth(confusion: [[40, 5], [3, 52]]))
    #expect(isClose(try #require(found.classes[0].sensitivity).share, 40.0 / 45, 1e-12))
    #expect(isClose(try #require(found.classes[0].specificity).share, 52.0 / 55, 1e-12))
    let one = try #require(ClassifierHealth(confusion: [[7, 0], [0, 0]]))
    #expect(one.kappa == 1 && one.classes[1].sensitivity == nil)
    #expect(ClassifierHealth(confusion: [[0, 0], [0, 0]]) == nil)
    #expect(ClassifierHealth(confusion: [[1, 2]]) == nil)
  }

  @Test func checksGoWhereTheErrorsAre() throws {
    let strata = [
      CheckStratum(outputs: 9_000, checked: 200, wrong: 2),
      CheckStratum(outputs: 900, checked: 100, wrong: 40),
      CheckStratum(outputs: 5, checked: 0, wrong: 0),
    ]
    let given = neymanAllocation(strata, total: 120)
    #expect(given.reduce(0, +) == 120)
    #expect(given[2] == 5, "all that there are")
    // 9,000·√(p(1 − p)) at 2.5/201 to 900·√(p(1 − p)) at 40.5/101, over 95 beyond the floors.
    #expect(abs(given[0] - (10 + 66)) <= 1 && abs(given[1] - (10 + 29)) <= 1, "\(given)")
    try checkProperty(
      "every check is given once", over: 0...5_000, runs: 150, countMax: 30,
      check: { numbers in
        let total = numbers.first ?? 0
        let strata = stride(from: 1, to: numbers.count, by: 3).map { start in
          CheckStratum(
            outputs: numbers[start], checked: start + 1 < numbers.count ? numbers[start + 1] : 0,
            wrong: start + 2 < numbers.count ? numbers[start + 2] : 0)
        }
        let given = neymanAllocation(strata, total: total)
        let all = strata.reduce(0) { $0 + $1.outputs }
        try require(given.reduce(0, +) == min(total, all), "\(given)")
        try require(zip(given, strata).allSatisfy { $0 >= 0 && $0 <= $1.outputs }, "\(given)")
      })
  }

  @Test func bandsAgree() throws {
    for row in try Oracle.rows("anytime") {
      let found = Interval.anytime(
        count: try counts(row[0])[0], of: try counts(row[1])[0],
        confidence: 1 - (try number(row[2])))
      #expect(isClose(found.low, try number(row[3]), 1e-9), "\(row) gave \(found)")
      #expect(isClose(found.high, try number(row[4]), 1e-9), "\(row) gave \(found)")
    }
    #expect(Interval.anytime(count: 0, of: 0) == Interval(low: 0, high: 1))
  }

  /// Looked at after each of 2,000 outputs, the band is left by few; Wilson's interval by most.
  @Test func bandsHoldAtEveryMoment() {
    var generator = Xoshiro256(seed: 23)
    let z = Interval.jointZ(confidence: 0.95, classes: 1)
    var left = (anytime: 0, wilson: 0)
    for _ in 0..<60 {
      var count: Int64 = 0
      var isLeft = (anytime: false, wilson: false)
      for total: Int64 in 1...2_000 {
        if generator.uniform() < 0.3 { count += 1 }
        guard total % 10 == 0 else { continue }
        let band = Interval.anytime(count: count, of: total)
        let plain = Interval.wilson(
          share: Double(count) / Double(total), size: Double(total), z: z)
        if !(band.low...band.high ~= 0.3) { isLeft.anytime = true }
        if !(plain.low...plain.high ~= 0.3) { isLeft.wilson = true }
      }
      if isLeft.anytime { left.anytime += 1 }
      if isLeft.wilson { left.wilson += 1 }
    }
    #expect(left.anytime <= 8, "\(left) of 60, at most about 3 expected")
    #expect(left.wilson >= 15, "\(left) of 60")
  }
}
