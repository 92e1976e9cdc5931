// What thresholds/drift-bench.yaml asks for, and whether the figures keep it.

import Foundation
import Yams

/// Limits on the figures whose scenario begins so.
struct DriftCeiling: Codable {
  /// The section that measures it.
  var section: String
  var scenario: String
  var rule: String?
  var figure: String
  /// The figure itself: a share, or a median in outputs.
  var atMost: Double?
  var atLeast: Double?
  /// The upper end of the figure's 99 % interval.
  var upperAtMost: Double?
  /// At most this much more than the same figure of another rule.
  var to: String?
  var over: Double?

  /// One line a figure; `isKept` false where a limit is broken, or there is no such figure.
  func judge(_ figures: [Figure]) -> [(isKept: Bool, text: String)] {
    let rule = self.rule ?? "Leeway"
    let chosen = figures.filter {
      matches($0.scenario) && $0.rule == rule && $0.name == figure
    }
    guard !chosen.isEmpty else { return [(false, "not measured: \(scenario): \(figure)")] }
    return chosen.flatMap { found in
      limits(found, figures).map { value, limit, isUpper, words in
        let isKept = isUpper ? value <= limit : value >= limit
        return (
          isKept,
          "\(isKept ? "ok   " : "SHORT") \(found.scenario): \(found.name), \(words) "
            + "\(number(limit)): \(number(value))"
        )
      }
    }
  }

  private func matches(_ name: String) -> Bool {
    scenario.hasSuffix("*") ? name.hasPrefix(scenario.dropLast()) : name == scenario
  }

  private func limits(
    _ found: Figure, _ figures: [Figure]
  ) -> [(Double, Double, Bool, String)] {
    var all: [(Double, Double, Bool, String)] = []
    if let atMost { all.append((found.value, atMost, true, "at most")) }
    if let atLeast { all.append((found.value, atLeast, false, "at least")) }
    if let upperAtMost { all.append((found.high, upperAtMost, true, "99 % bound at most")) }
    if let to, let over {
      let other = figures.first {
        $0.scenario == found.scenario && $0.rule == to && $0.name == found.name
      }
      all.append((found.value, (other?.value ?? -.infinity) + over, true, "against \(to)"))
    }
    return all
  }
}

func number(_ value: Double) -> String {
  guard value.isFinite else { return value > 0 ? "never" : "none" }
  return abs(value) < 10 ? String(format: "%.4f", value) : String(format: "%.0f", value)
}

struct DriftCeilings: Codable {
  var ceilings: [DriftCeiling]

  init(path: String) throws {
    self = try YAMLDecoder().decode(
      DriftCeilings.self, from: String(contentsOfFile: path, encoding: .utf8))
  }
}
