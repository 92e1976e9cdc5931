// Baselines: pinned by a person, read back exactly, and refused where they were tampered with.

import Analyzer
import Drift
import Foundation
import Metering
import TestSupport
import Testing

@Suite struct BaselineFileTests {
  @Test func pinnedBaselineReadsBackAsItWas() throws {
    let fixture = try NightFixture()
    try fixture.add(
      NightFixture.outputs([("billing", 3)]), on: NightFixture.night, probability: 0.25)
    try fixture.pinUsual()
    let baseline = try fixture.baselines.load(app: "support", name: "good")
    #expect(baseline.sampleCount == 1_000)
    #expect(baseline.members.map(\.classifier) == ["topic"])
    #expect(baseline.members[0].total["billing"] == 900)
    #expect(baseline.members[0].total["other"] == 100)
    #expect(baseline.members[0].days.count == 10)
    #expect(baseline.reason == "the first weeks, read by Ada")
    let again = try Baseline(decoding: baseline.encoded(), path: "x")
    #expect(again == baseline)
    #expect(try again.encoded() == baseline.encoded())
    #expect(try again.id == baseline.id)
    #expect(fixture.baselines.names(app: "support") == ["good"])
    #expect(try fixture.baselines.list() == [baseline])
  }

  @Test func samplingProbabilitiesSurviveTheFile() throws {
    let fixture = try NightFixture()
    try fixture.add(["[a]", "[b]"], on: NightFixture.night, probability: 0.25)
    try fixture.add(["[a]"], on: NightFixture.night, probability: 1)
    let baseline = try pinBaseline(
      name: "mixed", reason: "a test", policy: NightFixture.policy(), conditions: [],
      zone: .gmt, at: fixture.now, in: fixture.store)
    let again = try Baseline(decoding: baseline.encoded(), path: "x")
    #expect(again.members[0].total.strata.map(\.probability) == [1, 0.25])
    #expect(again.members[0].total.isWeighted)
  }

  @Test func aPinnedBaselineIsNotOverwritten() throws {
    let fixture = try NightFixture()
    try fixture.pinUsual()
    let baseline = try fixture.baselines.load(app: "support", name: "good")
    let fault = #expect(throws: AnalyzerFault.self) { try fixture.baselines.save(baseline) }
    #expect(fault?.code == .baselineExists)
    try fixture.baselines.save(baseline, replaces: true)
  }

  @Test func pinningNothingOrWithoutAReasonIsRefused() throws {
    let fixture = try NightFixture()
    func pin(_ reason: String, _ conditions: [String]) throws -> Baseline {
      try pinBaseline(
        name: "b", reason: reason, policy: NightFixture.policy(), conditions: conditions,
        zone: .gmt, at: fixture.now, in: fixture.store)
    }
    #expect(throws: AnalyzerFault.self) { try pin(" ", []) }
    let empty = #expect(throws: AnalyzerFault.self) { try pin("why", ["model=x"]) }
    #expect(empty?.code == .noSamples)
    #expect(empty?.message.contains("model=x") == true)
    #expect(#expect(throws: AnalyzerFault.self) { try pin("why", ["colour=x"]) }?.code == .filter)
  }

  @Test(arguments: [
    "..", "../x", "a/b", "", ".hidden", "-x", "a b", String(repeating: "x", count: 65),
  ])
  func namesThatAreNoFileNamesAreRefused(_ name: String) throws {
    let fixture = try NightFixture()
    let fault = #expect(throws: AnalyzerFault.self) {
      try fixture.baselines.load(app: "support", name: name)
    }
    #expect(fault?.code == .name)
  }

  @Test func errorsSayWhatIsWrongAndWhatThereIs() throws {
    let fixture = try NightFixture()
    try fixture.pinUsual()
    let missing = #expect(throws: AnalyzerFault.self) {
      try fixture.baselines.load(app: "support", name: "nope")
    }
    #expect(missing?.code == .baselineMissing)
    #expect(missing?.hint.contains("good") == true)
    let path = fixture.baselines.file(app: "support", name: "good")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    for (old, new, reason) in [
      ("\"billing\" : 900", "\"billing\" : 901", "sum of its days"),
      ("\"format\" : 1", "\"format\" : 2", "format"),
      ("\"reason\"", "\"raison\"", "reason is missing"),
      ("2026-11-21\" :", "2026-13-21\" :", "no date"),
      ("\"app\" : \"support\"", "\"app\" : \"other\"", "says it is"), ("{", "", "not JSON"),
      ("\"sampleCount\" : 1000", "\"sampleCount\" : \"x\"", "sampleCount is not of the right type"),
    ] {
      #expect(text.contains(old))
      try text.replacing(old, with: new).write(toFile: path, atomically: true, encoding: .utf8)
      let fault = #expect(throws: AnalyzerFault.self) {
        try fixture.baselines.load(app: "support", name: "good")
      }
      #expect(fault?.description.contains(reason) == true, "\(fault?.description ?? "nothing")")
      #expect(fault?.code == .baselineUnreadable)
    }
  }
}
