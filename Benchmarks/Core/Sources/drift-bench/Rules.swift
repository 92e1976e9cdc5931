// The rules that are compared: the product's alarms, ADWIN, and fixed cut-offs on a rolling window.

import Drift
import Foundation

/// One tick of a stream.
struct Tick {
  /// Class of each output in turn.
  var outputs: [Int]
  /// Counts per class, the last for classes that the baseline does not have.
  var counts: [Int64]

  init(outputs: [Int], classCount: Int) {
    self.outputs = outputs
    counts = Array(repeating: 0, count: classCount)
    for k in outputs { counts[k] += 1 }
  }

  var tally: Tally { Tally(labelled(counts)) }
}

func labelled(_ counts: [Int64]) -> [String: Int64] {
  Dictionary(uniqueKeysWithValues: counts.enumerated().map { (label($0.offset), $0.element) })
}

func label(_ k: Int) -> String { String(10_000 + k) }

/// What looks at a stream after every tick.
protocol Rule {
  /// - Returns: how far towards an alarm, which is where it reaches the rule's limit.
  mutating func score(_ tick: Tick) -> Double
}

/// A rule before it has seen its baseline.
struct RuleKind: Sendable {
  var name: String
  var limit: Double
  /// Over the classes and outputs of a baseline, in order.
  var start: @Sendable (_ baseline: [Int], _ classCount: Int) throws -> any Rule
}

struct ProductRule: Rule {
  var alarm: DriftAlarm

  mutating func score(_ tick: Tick) -> Double {
    // A tick of one sampling probability is never refused.
    (try? alarm.update(tick.tally)).flatMap { $0 }.map { $0.evidence - $0.threshold } ?? -.infinity
  }

  static func kind(runLength: Double, wobbleFactor: Double = 1, tick: Int64 = 25) -> RuleKind {
    RuleKind(name: "Leeway", limit: 0) { baseline, classCount in
      ProductRule(
        alarm: try DriftAlarm(
          baseline: Tick(outputs: baseline, classCount: classCount).tally,
          wobbleFactor: wobbleFactor, averageRunLength: runLength, tickOutputs: tick))
    }
  }
}

/// ADWIN on every class's indicator.
struct AdwinRule: Rule {
  var detectors: [Adwin]

  mutating func score(_ tick: Tick) -> Double {
    var most = -Double.infinity
    for output in tick.outputs {
      for k in detectors.indices {
        if let severity = detectors[k].take(output == k) { most = max(most, severity) }
      }
    }
    return most
  }

  /// - Parameters:
  ///   - limit: ln(1/δ).
  ///   - hasPast: whether the baseline is the past of its window, beside the quiet outputs before
  ///     a change; else it has only those, which are as many as Leeway's baseline.
  static func kind(limit: Double, hasPast: Bool) -> RuleKind {
    let name = hasPast ? "ADWIN after the baseline" : "ADWIN"
    return RuleKind(name: name, limit: limit) { baseline, classCount in
      var rule = AdwinRule(detectors: Array(repeating: Adwin(), count: classCount))
      if hasPast { _ = rule.score(Tick(outputs: baseline, classCount: classCount)) }
      return rule
    }
  }
}

/// A statistic of the last outputs against the baseline, looked at after every tick.
struct RollingRule: Rule {
  var baseline: [Int64]
  /// Outputs in the window; nil for all so far.
  var width: Int64?
  var statistic: @Sendable (CountTable) -> Double
  var window: [Tick] = []
  var counts: [Int64]

  mutating func score(_ tick: Tick) -> Double {
    window.append(tick)
    for k in counts.indices { counts[k] += tick.counts[k] }
    if let width {
      guard counts.reduce(0, +) >= width else { return -.infinity }
      while counts.reduce(0, +) > width {
        let oldest = window.removeFirst()
        for k in counts.indices { counts[k] -= oldest.counts[k] }
      }
    }
    return statistic(CountTable(baseline: baseline, period: counts))
  }

  static func kind(
    _ name: String, width: Int64?, limit: Double,
    _ statistic: @escaping @Sendable (CountTable) -> Double
  ) -> RuleKind {
    RuleKind(name: name, limit: limit) { baseline, classCount in
      let counts = Tick(outputs: baseline, classCount: classCount).counts
      return RollingRule(
        baseline: counts, width: width, statistic: statistic, counts: counts.map { _ in 0 })
    }
  }

  /// X² over its upper points at 3 degrees of freedom: four classes are compared.
  static let fixedCutOffs: [RuleKind] = [
    kind("rolling 500, PSI > 0.2", width: 500, limit: 0.2) { $0.populationStabilityIndex() },
    kind("rolling 500, PSI > 0.1", width: 500, limit: 0.1) { $0.populationStabilityIndex() },
    kind("rolling 2000, PSI > 0.2", width: 2_000, limit: 0.2) { $0.populationStabilityIndex() },
    kind("rolling 200, PSI > 0.1", width: 200, limit: 0.1) { $0.populationStabilityIndex() },
    kind("rolling 200, JS > 0.1", width: 200, limit: 0.1) { $0.jensenShannonDistance },
    kind("rolling 500, chi-square p < .05", width: 500, limit: 7.815) { $0.chiSquare },
    kind("rolling 500, chi-square p < .001", width: 500, limit: 16.266) { $0.chiSquare },
    kind("all so far, chi-square p < .05", width: nil, limit: 7.815) { $0.chiSquare },
  ]
}
