// Why a shift is there: the same calls answered otherwise, or other calls; by model and by tag.

import Drift
import Foundation
import Labels
import Metering
import Store
import Testing

@testable import Analyzer

@Suite struct DriftCauseTests {
  private let night = NightFixture.night

  /// Outputs of one model and tag on a day, `refused` of them refused.
  private struct Part {
    var model: String
    var prompt: String?
    var outputs: Int
    var refused: Int
  }

  private func add(_ parts: [Part], to fixture: NightFixture, on date: CivilDate) throws {
    let start = date.start(in: .gmt)
    var samples: [SampleRecord] = []
    for (place, part) in parts.enumerated() {
      for number in 0..<part.outputs {
        var sample = SampleRecord(
          app: "support", origin: "import", model: part.model,
          time: start.adding(milliseconds: Int64(place * 10_000_000 + number * 1_000)), input: "",
          output: number < part.refused ? "[refused]" : "[answered]")
        if let prompt = part.prompt {
          sample.tags = ["prompt": prompt, "request": "\(date) \(place) \(number)"]
        }
        samples.append(sample)
      }
    }
    try fixture.store.insertSamples(samples, storedAt: fixture.now)
  }

  private func report(
    before: [Part], after: [Part], forgets: Bool = false
  ) throws -> DriftReport {
    let fixture = try NightFixture()
    for day in 1...8 { try add(before, to: fixture, on: night.adding(days: -day)) }
    let policy = NightFixture.policy()
    try fixture.baselines.save(
      try pinBaseline(
        name: "good", reason: "read by Ada", policy: policy, conditions: [],
        until: night.start(in: .gmt), zone: .gmt, at: fixture.now, in: fixture.store))
    if forgets { try fixture.store.pruneSamples(olderThan: fixture.now, bytesMax: 0) }
    try add(after, to: fixture, on: night)
    return try only(fixture.run().run(night, policies: [policy], at: fixture.now))
  }

  private func cause(_ report: DriftReport, _ trait: String) throws -> DriftCause {
    try #require(report.classifiers[0].causes.first { $0.trait == trait })
  }

  @Test func aModelThatAnswersOtherwiseIsToldFromANewOne() throws {
    let before = [Part(model: "m-1", outputs: 200, refused: 10)]
    let changed = try report(
      before: before, after: [Part(model: "m-1", outputs: 400, refused: 120)])
    #expect(changed.verdict == "drifted")
    // One model on both sides tells no calls apart.
    #expect(changed.classifiers[0].causes.isEmpty)

    let replaced = try report(
      before: before,
      after: [
        Part(model: "m-1", outputs: 200, refused: 10),
        Part(model: "m-2", outputs: 200, refused: 100),
      ])
    let byModel = try cause(replaced, "model")
    #expect(abs(byModel.mix - byModel.shift) < 1e-12 && abs(byModel.within) < 1e-12)
    let new = try #require(byModel.cohorts.first { $0.name == "m-2" })
    #expect(new.firstSeen == "2026-11-22T02:46:40.000Z")
    #expect(new.labelBaselineShare == nil && new.labelPeriodShare == 0.5)
    #expect(
      byModel.sentences == [
        "By model: another mix of models: −22.5 of −22.5 points of “answered”; within the same "
          + "model it stayed.",
        "New: m-2, 50.0\u{A0}% of the outputs since 2026-11-22 02:46 UTC.",
      ])
  }

  @Test func aModelThatTookTheOthersPlaceIsSaidToBringTheShift() throws {
    let report = try report(
      before: [Part(model: "m-1", outputs: 200, refused: 10)],
      after: [Part(model: "m-2", outputs: 400, refused: 120)])
    let byModel = try cause(report, "model")
    #expect(byModel.isReplaced)
    #expect(
      byModel.sentences == [
        "By model: no model is on both sides; the whole of −25.0 points of “answered” came with "
          + "the new.",
        "New: m-2, 100.0\u{A0}% of the outputs since 2026-11-22 00:00 UTC.",
        "Gone: m-1, 100.0\u{A0}% of the baseline's outputs.",
      ])
  }

  @Test func simpsonsParadoxIsSaid() throws {
    // Each prompt refuses less than before, and many more calls come to the one that refuses much.
    let report = try report(
      before: [
        Part(model: "m", prompt: "plain", outputs: 180, refused: 9),
        Part(model: "m", prompt: "legal", outputs: 20, refused: 10),
      ],
      after: [
        Part(model: "m", prompt: "plain", outputs: 100, refused: 4),
        Part(model: "m", prompt: "legal", outputs: 300, refused: 144),
      ])
    let byPrompt = try cause(report, "tag.prompt")
    #expect(byPrompt.isReversed)
    #expect(byPrompt.sentences[0].contains("Simpson's paradox"))
    #expect(abs(byPrompt.mix + byPrompt.within - byPrompt.shift) < 1e-12)
    // The model is one, and a tag with a value for each call tells no kinds of calls apart.
    #expect(report.classifiers[0].causes.map(\.trait) == ["tag.prompt"])
    let page = try ReportPage.html(report)
    #expect(page.contains("Where it comes from") && page.contains("legal"))
    #expect(ReportText.markdown(report).contains("Simpson"))
    #expect(ReportText.table(report).contains("Simpson"))
  }

  @Test func theBaselinesCohortsOutliveItsSamples() throws {
    let before = [
      Part(model: "m-1", prompt: "a", outputs: 100, refused: 5),
      Part(model: "m-2", prompt: "a", outputs: 100, refused: 5),
    ]
    let after = [
      Part(model: "m-1", prompt: "a", outputs: 200, refused: 10),
      Part(model: "m-2", prompt: "a", outputs: 200, refused: 110),
    ]
    let kept = try report(before: before, after: after)
    let forgotten = try report(before: before, after: after, forgets: true)
    #expect(kept.classifiers[0].causes == forgotten.classifiers[0].causes)
    let byModel = try cause(forgotten, "model")
    #expect(abs(byModel.within - byModel.shift) < 1e-12)
    #expect(byModel.cohorts.first?.name == "m-2")
    #expect(byModel.cohorts.allSatisfy { $0.firstSeen == nil })
    #expect(
      byModel.sentences == [
        "By model: the same models are answered otherwise: −25.0 of −25.0 points of “answered”, "
          + "whatever the mix."
      ])
  }

  @Test func aBaselineWhoseCohortsAreNotItsDaysIsRefused() throws {
    let member = Baseline.Member(
      classifier: "c", version: "1", days: ["2026-11-01": Tally(["x": 3, "y": 2])])
    var baseline = Baseline(
      app: "support", name: "good", reason: "r", pinnedAt: Timestamp(milliseconds: 0), filter: [],
      since: Timestamp(milliseconds: 0), until: Timestamp(milliseconds: 1), timeZone: "GMT",
      sampleCount: 5, members: [member])
    let plain = try baseline.encoded()
    #expect(!String(decoding: plain, as: UTF8.self).contains("cohorts"))
    baseline.members[0].cohorts = [
      .model: ["m-1": Tally(["x": 3]), "m-2": Tally(["y": 2])],
      .tag("prompt"): ["": Tally(["x": 3, "y": 2])],
    ]
    let data = try baseline.encoded()
    #expect(try Baseline(decoding: data, path: "f") == baseline)
    let edited = Data(
      String(decoding: data, as: UTF8.self).replacing("\"tag.prompt\"", with: "\"mood\"").utf8)
    #expect(throws: AnalyzerFault.self) { try Baseline(decoding: edited, path: "f") }
    baseline.members[0].cohorts[.model]?["m-1"] = Tally(["x": 4])
    let wrong = try baseline.encoded()
    let fault = #expect(throws: AnalyzerFault.self) { try Baseline(decoding: wrong, path: "f") }
    #expect(fault?.description.contains("counts by model") == true)
  }
}
