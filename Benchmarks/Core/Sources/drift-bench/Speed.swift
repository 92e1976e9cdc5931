// What a tick costs the alarm, on one core.

import Drift
import Foundation

enum Speed {
  static func figures() throws -> [Figure] {
    try [4, 50].map { classes in
      let shares = [0.9] + Array(repeating: 0.1 / Double(classes - 1), count: classes - 1)
      var generator = Xoshiro256(seed: 1)
      let baseline = generator.multinomial(50_000, shares)
      var alarm = try DriftAlarm(
        baseline: Tally(labelled(baseline)), averageRunLength: 1e5)
      // Until the starts are as many as they get in months: thinned, they grow with the logarithm.
      let (warm, measured) = (20_000, 2_000)
      let ticks = (0..<(warm + measured)).map { _ in
        Tally(labelled(generator.multinomial(25, shares)))
      }
      for tick in ticks.prefix(warm) { _ = try alarm.update(tick) }
      let costs = try ticks.suffix(measured).map { tick in
        let start = now()
        _ = try alarm.update(tick)
        return (now() - start) * 1e6
      }
      return Simulation.median("speed", "Leeway", "µs a tick, K = \(classes)", of: costs)
    }
  }

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
