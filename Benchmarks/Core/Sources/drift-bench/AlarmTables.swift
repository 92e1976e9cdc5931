// Streams of outputs with and without a change: how often each rule alarms falsely, and how late it
// is where there is something to find.

import Drift
import Foundation

/// A stream before and after its change.
struct Stream: Sendable {
  var before: [Double]
  var after: [Double]
  /// Outputs before the change; nil for none.
  var changeAt: Int?
  /// Outputs in all.
  var length: Int
  var baselineOutputs = 5_000
  /// Shares wobble from block to block: Dirichlet(κ·shares).
  var wobble: (kappa: Double, blockOutputs: Int)?
  /// Outputs in a tick.
  var tick = 25

  /// One class more than the shares: what the baseline never had.
  var classCount: Int { before.count + 1 }
}

struct AlarmTables {
  var simulation: Simulation
  var repetitions: Int

  private static let shares = [0.9, 0.02, 0.05, 0.03]
  private static let runLength = 1e5
  private static let shifts: [(name: String, after: [Double])] = [
    ("2 to 5 %", [0.87, 0.05, 0.05, 0.03]), ("2 to 10 %", [0.82, 0.1, 0.05, 0.03]),
    ("5 to 8 %", [0.87, 0.02, 0.08, 0.03]), ("90 to 70 %", [0.7, 0.22, 0.05, 0.03]),
  ]

  /// Section "alarm": four classes, every tick looked at; ADWIN with as many false alarms.
  func fourClasses() throws -> [Figure] {
    let quiet = Stream(before: Self.shares, after: Self.shares, changeAt: nil, length: 20_000)
    let leeway = ProductRule.kind(runLength: Self.runLength)
    var figures = try falseAlarms("alarm", quiet, [leeway] + RollingRule.fixedCutOffs)
    let adwins = try [false, true].map { try matched(quiet, hasPast: $0, to: figures[0].value) }
    figures += try falseAlarms("alarm", quiet, adwins)
    for (name, after) in Self.shifts {
      let stream = Stream(before: Self.shares, after: after, changeAt: 5_000, length: 20_000)
      figures += try delays(
        "alarm", "delay \(name)", stream, [leeway] + adwins + RollingRule.fixedCutOffs)
    }
    let fresh = Stream(
      before: Self.shares + [0], after: [0.89, 0.02, 0.05, 0.03, 0.01], changeAt: 5_000,
      length: 20_000)
    return figures + (try delays("alarm", "delay new class at 1 %", fresh, [leeway]))
  }

  /// Section "baseline": what a small baseline costs.
  func baselineSizes() throws -> [Figure] {
    try [200, 1_000, 5_000, 50_000].flatMap { size in
      let scenario = "baseline \(size)"
      let leeway = ProductRule.kind(runLength: Self.runLength)
      var quiet = Stream(before: Self.shares, after: Self.shares, changeAt: nil, length: 40_000)
      quiet.baselineOutputs = size
      var shifted = Stream(
        before: Self.shares, after: Self.shifts[0].after, changeAt: 5_000, length: 20_000)
      shifted.baselineOutputs = size
      return try falseAlarms(scenario, quiet, [leeway], name: "false alarms in 40,000")
        + delays(scenario, "delay 2 to 5 %", shifted, [leeway])
    }
  }

  /// Section "classes": twenty, Zipf's shares.
  func manyClasses() throws -> [Figure] {
    let weights = (1...20).map { 1 / Double($0) }
    let shares = weights.map { $0 / weights.reduce(0, +) }
    // The eleventh class, at 2.5 %, gains 3 points; or every class a quarter, up and down in turn.
    let one = shares.enumerated().map {
      $0.offset == 10 ? $0.element + 0.03 : $0.element * (1 - 0.03 / (1 - shares[10]))
    }
    let raised = shares.enumerated().map { $0.element * ($0.offset % 2 == 0 ? 1.25 : 0.75) }
    let all = raised.map { $0 / raised.reduce(0, +) }
    let leeway = ProductRule.kind(runLength: Self.runLength)
    let quiet = Stream(before: shares, after: shares, changeAt: nil, length: 20_000)
    return try falseAlarms("20 classes", quiet, [leeway])
      + delays(
        "20 classes", "delay of one class, 2.5 to 5.5 %",
        Stream(before: shares, after: one, changeAt: 5_000, length: 20_000), [leeway])
      + delays(
        "20 classes", "delay of all classes, a quarter",
        Stream(before: shares, after: all, changeAt: 5_000, length: 20_000), [leeway])
  }

  /// Section "open": labels without end, the share of the k-th proportional to ln(1 + 1/k).
  func openLabels() throws -> [Figure] {
    try [500, 5_000].map { size in
      let name = "false alarms in 20,000"
      let alarms = try simulation.runs("open labels, \(name)", repetitions) { generator in
        func tally(_ outputs: Int) -> Tally {
          var tally = Tally()
          for _ in 0..<outputs { tally.add(label(Int(exp(11 * generator.uniform())))) }
          return tally
        }
        var alarm = try DriftAlarm(baseline: tally(size), averageRunLength: Self.runLength)
        for _ in stride(from: 0, to: 20_000, by: 25) where alarm.latched == nil {
          _ = try alarm.update(tally(25))
        }
        return alarm.latched != nil
      }
      return Simulation.share("open labels, baseline \(size)", "Leeway", name, of: alarms)
    }
  }

  /// Section "wobble": shares that differ from block to block, with and without φ.
  func wobbling() throws -> [Figure] {
    let cases: [(kappa: Double, block: Int, factor: Double)] = [(500, 250, 1.5), (500, 2_000, 5)]
    return try cases.flatMap { kappa, block, factor in
      try [1, factor].flatMap { factor in
        let scenario = "blocks of \(block), kappa \(Int(kappa)), phi \(factor)"
        var quiet = Stream(before: Self.shares, after: Self.shares, changeAt: nil, length: 20_000)
        quiet.wobble = (kappa, block)
        var shifted = Stream(
          before: Self.shares, after: Self.shifts[0].after, changeAt: 5_000, length: 20_000)
        shifted.wobble = (kappa, block)
        let leeway = ProductRule.kind(runLength: Self.runLength, wobbleFactor: factor)
        return try falseAlarms(scenario, quiet, [leeway])
          + delays(scenario, "delay 2 to 5 %", shifted, [leeway])
      }
    }
  }

  // MARK: -

  private func falseAlarms(
    _ scenario: String, _ stream: Stream, _ rules: [RuleKind],
    name: String = "false alarms in 20,000"
  ) throws -> [Figure] {
    let runs = try simulation.runs("\(scenario), \(name)", repetitions) {
      try stream.firstAlarms(rules, &$0)
    }
    return rules.enumerated().map { index, rule in
      Simulation.share(scenario, rule.name, name, of: runs.map { $0[index] != nil })
    }
  }

  /// Median delay from the change on, over the runs that had not alarmed before it.
  private func delays(
    _ scenario: String, _ name: String, _ stream: Stream, _ rules: [RuleKind]
  ) throws -> [Figure] {
    let changeAt = stream.changeAt ?? 0
    let runs = try simulation.runs("\(scenario), \(name)", repetitions) {
      try stream.firstAlarms(rules, &$0)
    }
    return rules.enumerated().flatMap { index, rule in
      let found = runs.map { $0[index] }
      let delays = found.filter { ($0 ?? .max) > changeAt }
        .map { $0.map { Double($0 - changeAt) } ?? .infinity }
      return [
        Simulation.median(scenario, rule.name, name, of: delays),
        Simulation.share(scenario, rule.name, "\(name): found", of: delays.map(\.isFinite)),
      ]
    }
  }

  /// ADWIN with the δ at which so many quiet streams alarm.
  private func matched(_ stream: Stream, hasPast: Bool, to share: Double) throws -> RuleKind {
    let open = AdwinRule.kind(limit: .infinity, hasPast: hasPast)
    let peaks = try simulation.runs("ADWIN's limit", repetitions) {
      try stream.peak(open, &$0)
    }.sorted(by: >)
    let place = Int((share * Double(peaks.count)).rounded())
    let limit = place == 0 ? peaks[0] + 1 : peaks[min(place, peaks.count) - 1]
    return AdwinRule.kind(limit: limit, hasPast: hasPast)
  }
}

extension Stream {
  /// The outputs until each rule's first alarm; nil where there was none.
  func firstAlarms(_ kinds: [RuleKind], _ generator: inout Xoshiro256) throws -> [Int?] {
    var rules = try start(kinds, &generator)
    var found: [Int?] = kinds.map { _ in nil }
    each(&generator) { tick, seen in
      for index in rules.indices where found[index] == nil {
        if rules[index].score(tick) >= kinds[index].limit { found[index] = seen }
      }
      return found.contains { $0 == nil }
    }
    return found
  }

  /// The highest score of a rule.
  func peak(_ kind: RuleKind, _ generator: inout Xoshiro256) throws -> Double {
    var rules = try start([kind], &generator)
    var most = -Double.infinity
    each(&generator) { tick, _ in
      most = max(most, rules[0].score(tick))
      return true
    }
    return most
  }

  private func start(
    _ kinds: [RuleKind], _ generator: inout Xoshiro256
  ) throws -> [any Rule] {
    var shares = before
    let outputs = (0..<baselineOutputs).map { index in
      if let wobble, index % wobble.blockOutputs == 0 {
        shares = generator.dirichlet(before.map { $0 * wobble.kappa })
      }
      return generator.category(shares)
    }
    return try kinds.map { try $0.start(outputs, classCount) }
  }

  /// Every tick with the outputs seen after it, until `body` wants no more.
  private func each(
    _ generator: inout Xoshiro256, _ body: (Tick, Int) -> Bool
  ) {
    var drawn = before
    for seen in stride(from: 0, to: length, by: tick) {
      let shares = seen >= changeAt ?? .max ? after : before
      if let wobble {
        if seen % wobble.blockOutputs == 0 || seen == changeAt {
          drawn = generator.dirichlet(shares.map { $0 * wobble.kappa })
        }
      } else {
        drawn = shares
      }
      let outputs = (0..<tick).map { _ in generator.category(drawn) }
      guard body(Tick(outputs: outputs, classCount: classCount), seen + tick) else { return }
    }
  }
}
