// Real shifts of real models: how the labels of GPT-4 and GPT-3.5 answers to the same prompts moved
// between March and June 2023.
//
// Counts: L. Chen, M. Zaharia and J. Zou, How is ChatGPT's behavior changing over time?, arXiv
// 2307.09009, github.com/lchen001/LLMDrift (Apache-2.0). Statistics: scipy 1.17.

import Foundation
import TestSupport
import Testing

@testable import Drift

struct PublishedShift: Sendable, CustomTestStringConvertible {
  var task: String
  var from: String
  var to: String
  var labels: [String]
  var baseline: [Int64]
  var period: [Int64]
  var psi: Double
  var jsDistance: Double
  var totalVariation: Double
  var hellinger: Double
  var chiSquare: Double
  var degreesOfFreedom: Int
  var p: Double
  var g: Double
  var gP: Double
  var cramersV: Double
  var method: PMethod
  var verdict: Verdict

  var testDescription: String { "\(task), \(from) to \(to)" }

  func compared(seed: UInt64 = 7) -> Comparison {
    compare(
      baseline: Tally(Dictionary(uniqueKeysWithValues: zip(labels, baseline))),
      period: Tally(Dictionary(uniqueKeysWithValues: zip(labels, period))), seed: seed)
  }
}

let publishedShifts = [
  PublishedShift(
    task: "prime", from: "gpt-4-0314", to: "gpt-4-0613",
    labels: ["no", "undetermined", "yes"],
    baseline: [361, 4, 635],
    period: [987, 0, 13],
    psi: 3.0290930437093913, jsDistance: 0.5192962010268783,
    totalVariation: 0.626, hellinger: 0.5587740175604184,
    chiSquare: 891.7524086895996, degreesOfFreedom: 2, p: 2.2825738687339934e-194,
    g: 1078.674177603792, gP: 5.8732494619384055e-235, cramersV: 0.6677396231651974,
    method: .monteCarlo, verdict: .drifted),
  PublishedShift(
    task: "prime", from: "gpt-3.5-turbo-0301", to: "gpt-3.5-turbo-0613",
    labels: ["no", "undetermined", "yes"],
    baseline: [848, 0, 152],
    period: [369, 46, 585],
    psi: 1.1874359758011561, jsDistance: 0.36367102854935196,
    totalVariation: 0.479, hellinger: 0.37738581802492227,
    chiSquare: 488.9248357450813, degreesOfFreedom: 2, p: 6.781423785873232e-107,
    g: 529.0264680245748, gP: 1.3285015886347243e-115, cramersV: 0.49443140866306284,
    method: .asymptotic, verdict: .drifted),
  PublishedShift(
    task: "happy numbers", from: "gpt-4-0314", to: "gpt-4-0613",
    labels: ["0", "1", "2", "3", "4", "7", "undetermined"],
    baseline: [145, 162, 102, 30, 13, 1, 47],
    period: [112, 364, 24, 0, 0, 0, 0],
    psi: 1.3199791024356933, jsDistance: 0.3619227373525353,
    totalVariation: 0.40399999999999997, hellinger: 0.4006324943831177,
    chiSquare: 221.0972128580094, degreesOfFreedom: 6, p: 6.071324550284114e-45,
    g: 261.9761356255045, gP: 1.1289357587048607e-53, cramersV: 0.4702097541076848,
    method: .monteCarlo, verdict: .drifted),
  PublishedShift(
    task: "happy numbers", from: "gpt-3.5-turbo-0301", to: "gpt-3.5-turbo-0613",
    labels: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "undetermined"],
    baseline: [118, 226, 98, 18, 8, 6, 3, 1, 1, 1, 20],
    period: [87, 100, 140, 24, 14, 10, 18, 14, 10, 1, 82],
    psi: 0.577290553337423, jsDistance: 0.26457059877566275,
    totalVariation: 0.314, hellinger: 0.2696310884306662,
    chiSquare: 131.3233258348978, degreesOfFreedom: 10, p: 2.5083801412929107e-23,
    g: 139.9952034730254, gP: 4.2239404325569095e-25, cramersV: 0.3623856037909036,
    method: .monteCarlo, verdict: .drifted),
  PublishedShift(
    task: "sensitive questions", from: "gpt-4-0314", to: "gpt-4-0613",
    labels: ["answered", "refused"],
    baseline: [21, 79],
    period: [5, 95],
    psi: 0.2450176742529252, jsDistance: 0.17363971120413293,
    totalVariation: 0.15999999999999995, hellinger: 0.17668180867837605,
    chiSquare: 11.317418213969937, degreesOfFreedom: 1, p: 0.0007678339881627533,
    g: 12.060299722821902, gP: 0.0005150701020917883, cramersV: 0.23788041338002103,
    method: .fisher, verdict: .drifted),
  PublishedShift(
    task: "sensitive questions", from: "gpt-3.5-turbo-0301", to: "gpt-3.5-turbo-0613",
    labels: ["answered", "refused"],
    baseline: [2, 98],
    period: [8, 92],
    psi: 0.07643306942267997, jsDistance: 0.10055347244980113,
    totalVariation: 0.05999999999999997, hellinger: 0.10234159644280728,
    chiSquare: 3.7894736842105265, degreesOfFreedom: 1, p: 0.05157586362087707,
    g: 4.044400328685167, gP: 0.0443181216183012, cramersV: 0.13764944032233706,
    method: .fisher, verdict: .noPower),
]

@Suite("Published shifts")
struct PublishedShiftTests {
  @Test(arguments: publishedShifts)
  func everyFigureComesOut(_ shift: PublishedShift) throws {
    let found = shift.compared()
    let pairs = [
      ("psi", found.psi, shift.psi), ("js", found.jsDistance, shift.jsDistance),
      ("tv", found.totalVariation, shift.totalVariation),
      ("hellinger", found.hellinger, shift.hellinger),
      ("chi-square", found.chiSquare, shift.chiSquare), ("p", found.p.asymptotic, shift.p),
      ("G", found.gStatistic, shift.g), ("p of G", found.gP, shift.gP),
      ("V", found.cramersV, shift.cramersV),
    ]
    for (name, value, reference) in pairs {
      #expect(isClose(value, reference, 1e-9), "\(name) is \(value), published \(reference)")
    }
    #expect(isCloseLog(found.p.asymptoticLog, ln(shift.p), 1e-12))
    #expect(found.degreesOfFreedom == shift.degreesOfFreedom)
    #expect(found.rows.map(\.label) == shift.labels)
    #expect(found.rows.map(\.baselineCount) == shift.baseline)
    #expect(found.rows.map(\.periodCount) == shift.period)
  }

  @Test(arguments: publishedShifts)
  func theVerdictIsTheOneToBeExpected(_ shift: PublishedShift) throws {
    let found = shift.compared()
    #expect(found.p.method == shift.method)
    let finding = try #require(judge([FamilyMember(comparison: found)]).first)
    #expect(finding.verdict == shift.verdict, "\(finding.reason)")
  }

  /// GPT-4 on primes went from 36 % to 99 % "no".
  @Test func theReportNamesTheLabelThatMoved() throws {
    let found = publishedShifts[0].compared()
    #expect(found.flowText == "+62.6 pp no, of which 62.2 pp from yes")
    #expect(found.gainers.map(\.label) == ["no"])
    #expect(found.losers.map(\.label) == ["yes", "undetermined"])
    let no = try #require(found["no"])
    #expect(no.isBeyondLimit)
    #expect(no.interval.low > 0.58 && no.interval.high < 0.67)
  }

  /// The file that the figures above were copied from, where it is at hand.
  @Test(.enabled(if: ReferenceData.isPresent, Comment(rawValue: ReferenceData.skipReason)))
  func theCopyIsTrue() throws {
    struct Expected: Decodable {
      var p: Double
      var psi_sm05: Double
      var counts: [String: [Int64]]
    }
    let file = try #require(ReferenceData.file("llmdrift/expected_label_drift.json"))
    let expected = try JSONDecoder().decode([String: Expected].self, from: Data(contentsOf: file))
    #expect(expected.count == publishedShifts.count)
    for shift in publishedShifts {
      let row = try #require(
        expected.first {
          $0.key.hasSuffix("|\(shift.from)->\(shift.to)") && $0.value.psi_sm05 == shift.psi
        }?.value)
      #expect(row.p == shift.p)
      let counts = zip(shift.labels, zip(shift.baseline, shift.period))
      for (label, pair) in counts { #expect(row.counts[label] == [pair.0, pair.1]) }
    }
  }
}
