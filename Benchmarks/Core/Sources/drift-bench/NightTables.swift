// Nights without and with a shift: how often the nightly test says that something moved.

import Drift
import Foundation

struct NightTables {
  var simulation: Simulation
  var repetitions: Int

  private static let shares = [0.9, 0.02, 0.05, 0.03]
  private static let shifted = [0.88, 0.04, 0.05, 0.03]
  private static let kappas: [(name: String, value: Double)] = [
    ("steady", .infinity), ("kappa 20,000", 20_000), ("kappa 2,000", 2_000),
  ]

  /// Section "night": the size at nominal 5 %, and the power for 2 to 4 %.
  func nights() throws -> [Figure] {
    try [10, 30].flatMap { days in
      try [200, 1_000, 2_000, 10_000, 50_000].flatMap { outputs in
        try Self.kappas.flatMap { kappa in
          try night(days: days, outputs: Int64(outputs), kappa: kappa)
        }
      }
    }
  }

  private func night(
    days: Int, outputs: Int64, kappa: (name: String, value: Double)
  ) throws -> [Figure] {
    let scenario = "night of \(outputs), \(days) days, \(kappa.name)"
    let quiet = try runs(scenario, days, outputs, kappa.value, Self.shares)
    let moved = try runs(scenario, days, outputs, kappa.value, Self.shifted)
    return [
      Simulation.share(scenario, "Leeway", "false alarms", of: quiet.map { $0.p <= 0.05 }),
      Simulation.share(
        scenario, "chi-square", "false alarms", of: quiet.map { $0.asymptotic <= 0.05 }),
      Simulation.share(scenario, "Leeway", "found 2 to 4 %", of: moved.map { $0.p <= 0.05 }),
      Simulation.share(
        scenario, "chi-square", "found 2 to 4 %", of: moved.map { $0.asymptotic <= 0.05 }),
    ]
  }

  private func runs(
    _ name: String, _ days: Int, _ outputs: Int64, _ kappa: Double, _ shares: [Double]
  ) throws -> [(p: Double, asymptotic: Double)] {
    try simulation.runs(name, repetitions) { generator in
      func day(_ shares: [Double]) -> Tally {
        let drawn = kappa.isFinite ? generator.dirichlet(shares.map { $0 * kappa }) : shares
        return Tally(labelled(generator.multinomial(outputs, drawn)))
      }
      let blocks = (0..<days).map { _ in day(Self.shares) }
      let found = compare(
        baseline: blocks.reduce(into: Tally()) { $0.merge($1) }, blocks: blocks,
        period: day(shares), seed: generator.next())
      return (found.p.value, found.p.asymptotic)
    }
  }

  /// Section "weighted": outputs kept with 5, 100, 20 and 20 % by label.
  func weighted() throws -> [Figure] {
    let probabilities = [0.05, 1, 0.2, 0.2]
    @Sendable func kept(
      _ calls: Int64, _ shares: [Double], _ generator: inout Xoshiro256
    ) throws -> Tally {
      var tally = Tally()
      for (k, count) in generator.multinomial(calls, shares).enumerated() {
        let left = generator.binomial(count, probabilities[k])
        try tally.add(label(k), count: left, probability: probabilities[k])
      }
      return tally
    }
    let nights = try simulation.runs("weighted nights", repetitions) { generator in
      compare(
        baseline: try kept(100_000, Self.shares, &generator),
        period: try kept(10_000, Self.shares, &generator), seed: 1
      ).p.value
    }
    // A in outputs as kept: 8.1 % of 100,000 calls.
    let keptShare = zip(Self.shares, probabilities).reduce(0) { $0 + $1.0 * $1.1 }
    @Sendable func firstAlarm(
      _ after: [Double], _ generator: inout Xoshiro256
    ) throws -> Int? {
      var alarm = try WeightedDriftAlarm(
        baseline: try kept(60_000, Self.shares, &generator),
        probabilityFloor: 0.05, averageRunLength: 1e5 * keptShare, tickOutputs: 2)
      for seen in stride(from: 0, to: 20_000, by: 25) {
        let tick = try kept(25, seen < 5_000 ? Self.shares : after, &generator)
        if try alarm.update(tick)?.raised != nil { return seen + 25 }
      }
      return nil
    }
    let count = min(repetitions, 2_000)
    let quiet = try simulation.runs("weighted alarm", count) { try firstAlarm(Self.shares, &$0) }
    let moved = try simulation.runs("weighted alarm", count) {
      try firstAlarm([0.87, 0.05, 0.05, 0.03], &$0)
    }
    let delays = moved.filter { ($0 ?? .max) > 5_000 }
      .map { $0.map { Double($0 - 5_000) } ?? .infinity }
    return [
      Simulation.share("weighted night", "Leeway", "false alarms", of: nights.map { $0 <= 0.05 }),
      Simulation.share(
        "weighted alarm", "Leeway", "false alarms in 20,000 calls", of: quiet.map { $0 != nil }),
      Simulation.median("weighted alarm", "Leeway", "delay 2 to 5 %, calls", of: delays),
    ]
  }
}
