// What commands refuse before they touch anything.

import Analyzer
import Foundation
import Metering
import TestSupport
import Testing

@testable import App

@Suite struct CommandTests {
  @Test func aNightThatHasNotBegunIsNotJudged() throws {
    let today = try #require(CivilDate("2026-11-23"))
    #expect(try AnalyzeCommand.night(nil, today: today).description == "2026-11-22")
    #expect(try AnalyzeCommand.night("2026-11-23", today: today) == today)
    #expect(throws: (any Error).self) {
      try AnalyzeCommand.night("2026-11-24", today: today)
    }
    #expect(throws: (any Error).self) { try AnalyzeCommand.night("24.11.", today: today) }
  }

  @Test func checkReadsThePinnedBaselines() throws {
    try withTemporaryDirectory { directory in
      let folder = BaselineFolder(path: directory.path("baselines"))
      let moment = Timestamp(milliseconds: 1_764_000_000_000)
      try folder.save(
        Baseline(
          app: "a", name: "good", reason: "r", pinnedAt: moment, filter: [], since: moment,
          until: moment.adding(milliseconds: 1), timeZone: "GMT", sampleCount: 0, members: []))
      #expect(CheckCommand.faults(in: folder, of: ["a", "b"]) == [])
      try directory.write("{}", to: "baselines/a/bad.json")
      let faults = CheckCommand.faults(in: folder, of: ["a", "b"])
      #expect(faults.map(\.file) == [folder.file(app: "a", name: "bad")])
      #expect(faults.first?.what.contains("format is missing") == true)
    }
  }
}
