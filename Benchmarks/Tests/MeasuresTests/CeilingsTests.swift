// Ceilings compare round by round, by the median, and do not pass what was not measured.

import Measures
import Testing

@Suite struct CeilingsTests {
  /// nginx 10, 20, 40 µs; leeway 12, 22, 60 µs.
  private static let report = Report(
    machine: [:], notes: [], reference: "nginx",
    measurements: [(10.0, 12.0), (20, 22), (40, 60)].enumerated().flatMap { round, pair in
      [
        RoundFigures(scenario: "json", subject: "nginx", round: round, figures: [.cpu: pair.0]),
        RoundFigures(scenario: "json", subject: "leeway", round: round, figures: [.cpu: pair.1]),
      ]
    })

  @Test func aRatioIsTheMedianOfTheRoundsRatios() {
    // 1.2, 1.1, 1.5
    #expect(outcome(Ceiling(scenario: "json", figure: .cpu, ratio: 1.2)) == .kept)
    #expect(outcome(Ceiling(scenario: "json", figure: .cpu, ratio: 1.19)) == .short)
  }

  @Test func overIsTheMedianOfTheRoundsDifferences() {
    // 2, 2, 20
    #expect(outcome(Ceiling(scenario: "json", figure: .cpu, over: 2)) == .kept)
    #expect(outcome(Ceiling(scenario: "json", figure: .cpu, over: 1.9)) == .short)
  }

  @Test func aLimitIsOnTheFigureItself() {
    #expect(outcome(Ceiling(scenario: "json", figure: .cpu, limit: 22)) == .kept)
    #expect(outcome(Ceiling(scenario: "json", figure: .cpu, limit: 21)) == .short)
  }

  @Test func whatWasNotMeasuredIsNotKept() {
    #expect(outcome(Ceiling(scenario: "tls", figure: .cpu, ratio: 9)) == .missing)
    #expect(outcome(Ceiling(scenario: "json", figure: .cpu, to: "none", ratio: 9)) == .missing)
  }

  @Test func theFileSetsOneLimitEach() throws {
    let good = try Ceilings(yaml: "ceilings:\n- { scenario: json, figure: cpu, ratio: 1.3 }\n")
    #expect(good.ceilings.first?.ratio == 1.3)
    #expect(throws: CeilingsFault.self) {
      try Ceilings(yaml: "ceilings:\n- { scenario: json, figure: cpu }\n")
    }
    #expect(throws: (any Error).self) {
      try Ceilings(yaml: "ceilings:\n- { scenario: json, figure: cups, ratio: 1 }\n")
    }
  }

  private func outcome(_ ceiling: Ceiling) -> Ceiling.Finding.Outcome {
    ceiling.judge(Self.report).outcome
  }
}
