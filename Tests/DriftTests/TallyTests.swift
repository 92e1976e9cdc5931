// Counting and merging.

import Foundation
import TestSupport
import Testing

@testable import Drift

@Suite("Tally")
struct TallyTests {
  @Test func countsInAFixedOrder() {
    var tally = Tally()
    for label in ["yes", "no", "__missing__", "yes", "Unsure", "__error__", "__invalid__"] {
      tally.add(label)
    }
    #expect(
      tally.labels == ["Unsure", "no", "yes", "__missing__", "__invalid__", "__error__"])
    #expect(tally["yes"] == 2)
    #expect(tally["never"] == 0)
    #expect(tally.total == 7)
  }

  @Test func aKnownClassNeedsNoOutput() {
    let tally = Tally(["yes": 3, "no": 0, "odd": -5])
    #expect(tally.labels == ["no", "odd", "yes"])
    #expect(tally.total == 3)
    #expect(Tally(["no": 0]).isEmpty)
  }

  @Test func mergingIsAddition() throws {
    try checkProperty(
      "merge of any split is the tally of all", over: 0...400,
      check: { numbers in
        var whole = Tally()
        var parts = [Tally(), Tally(), Tally()]
        for (index, number) in numbers.enumerated() {
          let probability = number % 3 == 0 ? 1 : 0.25
          try whole.add("c\(number % 7)", count: number, probability: probability)
          try parts[index % 3].add("c\(number % 7)", count: number, probability: probability)
        }
        let forwards = parts[0].merging(parts[1]).merging(parts[2])
        let backwards = parts[2].merging(parts[0].merging(parts[1]))
        try require(forwards == whole, "\(forwards) is not \(whole)")
        try require(backwards == whole, "\(backwards) is not \(whole)")
      })
  }

  @Test func probabilitiesAreChecked() {
    var tally = Tally()
    for probability in [0, -0.5, 1e-10, 1.0001, .nan, .infinity] {
      #expect(throws: TallyFault.self) { try tally.add("a", probability: probability) }
    }
    #expect(tally == Tally())
  }

  @Test func weightsAreOneOverTheProbability() throws {
    var tally = Tally()
    try tally.add("refused", count: 20, probability: 1)
    try tally.add("answered", count: 49, probability: 0.05)
    #expect(tally.isWeighted)
    let weights = tally.weights(of: ["answered", "refused"])
    #expect(isClose(weights[0], 980, 1e-12))
    #expect(weights[1] == 20)
    let side = Side(tally, labels: ["answered", "refused"])
    #expect(isClose(side.shares[1], 0.02, 1e-12))
  }

  @Test func storedAndRead() throws {
    var tally = Tally(["yes": 5, "no": 0])
    try tally.add("yes", count: 2, probability: 0.1)
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let data = try encoder.encode(tally)
    #expect(
      String(decoding: data, as: UTF8.self)
        == #"[{"counts":{"no":0,"yes":5},"probability":1},{"counts":{"yes":2},"probability":0.1}]"#)
    #expect(try JSONDecoder().decode(Tally.self, from: data) == tally)
    for broken in [
      #"[{"counts":{"no":-1},"probability":1}]"#, #"[{"counts":{"no":1},"probability":0}]"#,
      #"{"no":1}"#,
    ] {
      #expect(throws: (any Error).self) {
        try JSONDecoder().decode(Tally.self, from: Data(broken.utf8))
      }
    }
  }

  @Test func sumsSaturate() {
    var tally = Tally(["a": .max])
    tally.add("a", count: 5)
    tally.add("b", count: .max)
    #expect(tally["a"] == .max)
    #expect(tally.total == .max)
  }

  @Test func unseenClassesComeAfterTheBaselinesOwn() {
    let found = compare(
      baseline: Tally(["no": 40, "yes": 50, "__error__": 1]),
      period: Tally(["maybe": 10, "yes": 70, "__missing__": 3]), seed: 1)
    #expect(found.rows.map(\.label) == ["no", "yes", "maybe", "__missing__", "__error__"])
    #expect(found["maybe"]?.isNew == true)
    #expect(found["no"]?.hasVanished == true)
    #expect(found.classCount == 5)
  }

  @Test func onlyVeryRareClassesAreMergedAndOnlyWhenThereAreTooMany() {
    var thresholds = DriftThresholds()
    thresholds.classesMax = 3
    thresholds.criticalLabels = ["r4"]
    let baseline = Tally(["a": 9_000, "b": 900, "r1": 2, "r2": 1, "r4": 1, "often": 40])
    let period = Tally(["a": 900, "b": 90, "r1": 1, "r3": 2, "often": 4, "__missing__": 1])
    let found = compare(baseline: baseline, period: period, thresholds: thresholds, seed: 1)
    #expect(found.mergedLabels == ["r1", "r2", "r3"])
    #expect(found.rows.map(\.label) == ["a", "b", "often", "r4", "__missing__", "__rare__"])
    #expect(found["__rare__"]?.baselineCount == 3)
    #expect(found["__rare__"]?.periodCount == 3)
    let all = compare(baseline: baseline, period: period, seed: 1)
    #expect(all.mergedLabels.isEmpty)
    #expect(all.classCount == 8)
  }
}
