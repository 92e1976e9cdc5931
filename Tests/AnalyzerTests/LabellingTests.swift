// Labelling: whatever was stored, labelled and deleted in whatever order, a span's counts are those
// of its outputs, and none is labelled twice.

import Analyzer
import Drift
import Foundation
import Labels
import Metering
import Store
import TestSupport
import Testing

@Suite struct LabellingTests {
  private enum Event: CustomStringConvertible {
    case store(minute: Int64, label: Int, isOther: Bool, halved: Bool)
    case label(fromQuarter: Int64?, quarters: Int64, shiftMinutes: Int64, other: Bool)

    var description: String {
      switch self {
      case .store(let minute, let label, let isOther, let halved):
        "store \(label) at minute \(minute), other model: \(isOther), π ½: \(halved)"
      case .label(let from, let quarters, let shift, let other):
        "label \(quarters) quarters from \(from ?? -1) (-1: no edges), \(shift) minutes later, "
          + "other model: \(other)"
      }
    }
  }

  private struct Stored {
    var time: Timestamp
    var label: String
    var model: String
    var probability: Double
  }

  @Test func aSpansCountsAreThoseOfItsOutputs() throws {
    try checkProperty(
      "labelling counts what is there", runs: 60, countMax: 60,
      generate: { random in
        if random.int(0...3) > 0 {
          return Event.store(
            minute: Int64(random.int(0...180)), label: random.int(0...2),
            isOther: random.int(0...3) == 0, halved: random.int(0...2) == 0)
        }
        return .label(
          fromQuarter: random.int(0...3) == 0 ? nil : Int64(random.int(0...10)),
          quarters: Int64(random.int(1...8)),
          shiftMinutes: random.int(0...2) == 0 ? Int64(random.int(1...14)) : 0,
          other: random.int(0...3) == 0)
      },
      check: { try Self.replay($0) })
  }

  private static func replay(_ events: [Event]) throws {
    let store = try StoreDatabase.inMemory()
    let classifiers: [CountingClassifier] = [
      CountingClassifier(name: "a"), CountingClassifier(name: "b"),
    ]
    var stored: [Stored] = []
    for event in events {
      switch event {
      case .store(let minute, let label, let isOther, let halved):
        let sample = Stored(
          time: Timestamp(milliseconds: minute * 60_000), label: label == 0 ? "billing" : "other",
          model: isOther ? "m-2" : "m-1", probability: halved ? 0.5 : 1)
        stored.append(sample)
        try store.insertSamples(
          [
            SampleRecord(
              app: "support", origin: "import", model: sample.model, time: sample.time, input: "",
              output: sample.label, probability: sample.probability)
          ], storedAt: sample.time)
      case .label(let from, let quarters, let shift, let other):
        let start = from.map {
          Timestamp(milliseconds: $0 * SampleBlock.milliseconds + shift * 60_000)
        }
        let end = start.map {
          $0.adding(milliseconds: quarters * SampleBlock.milliseconds)
        }
        let span = SampleSpan(
          app: "support", filter: other ? try SampleFilter(parsing: ["model=m-2"]) : .all,
          since: start, until: end)
        let wanted = stored.filter { sample in
          (start.map { sample.time >= $0 } ?? true) && (end.map { sample.time < $0 } ?? true)
            && (!other || sample.model == "m-2")
        }
        try compare(
          try Labelling(of: span, by: classifiers, in: store), wanted, classifiers)
      }
    }
    for classifier in classifiers {
      try require(
        classifier.count <= stored.count,
        "\(stored.count) outputs were labelled \(classifier.count) times")
    }
  }

  private static func compare(
    _ labelling: Labelling, _ wanted: [Stored], _ classifiers: [CountingClassifier]
  ) throws {
    try require(
      labelling.outputs == Int64(wanted.count),
      "\(labelling.outputs) outputs instead of \(wanted.count)")
    var tally = Tally()
    for sample in wanted { try tally.add(sample.label, probability: sample.probability) }
    for classifier in classifiers {
      let counted = labelling.tally(of: classifier)
      try require(counted.total == tally, "\(counted.total) instead of \(tally)")
      let byDay = counted.days(in: .gmt).reduce(into: Tally()) { $0.merge($1.tally) }
      try require(byDay == tally, "the days are \(byDay) instead of \(tally)")
      try require(labelling.coverage(of: classifier) == 1, "not all are covered")
    }
  }

  @Test func whatWasDeletedAfterItWasCountedStaysCounted() throws {
    let fixture = try NightFixture()
    let night = NightFixture.night
    try fixture.add(NightFixture.outputs([("billing", 60), ("other", 40)]), on: night)
    let classifier = CountingClassifier(name: "a")
    let bounds = night.bounds(in: .gmt)
    let span = SampleSpan(
      app: "support", since: bounds.lowerBound, until: bounds.upperBound)
    let before = try Labelling(of: span, by: [classifier], in: fixture.store)
    try fixture.store.pruneSamples(olderThan: fixture.now, bytesMax: 20_000)
    let after = try Labelling(of: span, by: [classifier], in: fixture.store)
    #expect(after.outputs == 100 && after.coverage(of: classifier) == 1)
    #expect(after.tally(of: classifier) == before.tally(of: classifier))
    // What was deleted before anybody labelled it is missed.
    let late = CountingClassifier(name: "b")
    let rest = try Labelling(of: span, by: [late], in: fixture.store)
    #expect(rest.outputs == 100)
    #expect(rest.coverage(of: late) == Double(late.count) / 100 && late.count < 100)
  }
}
