// The p-values beside the chi-square approximation: exact, simulated, with wobble, weighted.

import TestSupport
import Testing

@testable import Drift

@Suite("P-values")
struct PValueTests {
  @Test func midPAgrees() throws {
    for row in try Oracle.rows("midP") {
      let cells = try row[0...3].map { try #require(Int64($0)) }
      let table = CountTable(baseline: [cells[0], cells[1]], period: [cells[2], cells[3]])
      let p = try #require(table.exactMidP)
      #expect(try isCloseLog(p.log, number(row[5]), 1e-10), "\(row) gave ln p \(p.log)")
      // The same whichever side is called the baseline and whichever class comes first.
      let turned = CountTable(baseline: [cells[3], cells[2]], period: [cells[1], cells[0]])
      let other = try #require(turned.exactMidP)
      #expect(isCloseLog(other.log, p.log, 1e-10))
    }
  }

  @Test func midPIsForTwoClassesOnly() {
    #expect(CountTable(baseline: [1, 2, 3], period: [1, 2, 3]).exactMidP == nil)
    #expect(CountTable(baseline: [1], period: [2]).exactMidP == nil)
    #expect(CountTable(baseline: [1, 2], period: [0, 0]).exactMidP == nil)
  }

  @Test func simulationAgreesWithEnumeration() throws {
    for row in try Oracle.rows("simulated") {
      let table = CountTable(baseline: try counts(row[0]), period: try counts(row[1]))
      let exact = try number(row[2])
      let simulated = try #require(
        table.simulatedP(seed: 11, drawsMax: 9_999, exceedancesMax: .max))
      let deviation = (exact * (1 - exact) / 9_999).squareRoot()
      #expect(
        abs(simulated.value - exact) < 4 * deviation + 2e-4, "\(row) gave \(simulated.value)")
      #expect(simulated.draws == 9_999)
    }
  }

  @Test func simulationStopsEarlyAndRepeats() throws {
    let table = CountTable(baseline: [20, 15, 3, 1], period: [10, 12, 5, 3])
    let first = try #require(table.simulatedP(seed: 3, drawsMax: 9_999))
    let again = try #require(table.simulatedP(seed: 3, drawsMax: 9_999))
    #expect(first.value == again.value)
    #expect(first.draws == again.draws)
    #expect(first.draws < 9_999)
    #expect(isClose(first.value, 50 / Double(first.draws), 1e-15))
    let other = try #require(table.simulatedP(seed: 4, drawsMax: 9_999))
    #expect(other.value != first.value)
  }

  @Test func simulationDoesNotSeeNamesOrOrder() throws {
    let table = CountTable(baseline: [20, 3, 15, 1], period: [10, 5, 12, 3])
    let turned = CountTable(baseline: [1, 15, 3, 20], period: [3, 12, 5, 10])
    #expect(
      table.simulatedP(seed: 5, drawsMax: 999)?.value
        == turned.simulatedP(seed: 5, drawsMax: 999)?.value)
  }

  @Test func noSimulatedPIsZero() throws {
    let table = CountTable(baseline: [400, 3, 0], period: [0, 1, 400])
    let p = try #require(table.simulatedP(seed: 1, drawsMax: 9_999))
    #expect(p.value == 1e-4)
  }

  @Test func drawsGrowWithTheFamily() {
    #expect(CountTable.drawsMax(familySize: 1, falseDiscoveryRate: 0.05) == 9_999)
    #expect(CountTable.drawsMax(familySize: 1_000, falseDiscoveryRate: 0.05) == 400_000)
    #expect(CountTable.drawsMax(familySize: .max, falseDiscoveryRate: 0) == 1_000_000_000)
  }

  @Test func wobbleAgrees() throws {
    for row in try Oracle.rows("wobble") {
      let blocks = try row[0].split(separator: ";").map { Tally(tally(try counts(String($0)))) }
      let period = Tally(tally(try counts(row[1])))
      let baseline = blocks.reduce(into: Tally()) { $0.merge($1) }
      let wobble = try #require(Wobble.measured(in: blocks))
      #expect(try isClose(wobble.factor, number(row[2]), 1e-12))
      let found = compare(baseline: baseline, blocks: blocks, period: period, seed: 1)
      #expect(found.p.method == .raoScott)
      #expect(try isClose(found.p.value, number(row[3]), 1e-9), "\(row) gave \(found.p.value)")
    }
  }

  @Test func wobbleOfAnotherLength() {
    let wobble = Wobble(factor: 5, blocks: 20, degreesOfFreedom: 57, outputsPerBlock: 2_001)
    #expect(isClose(wobble.factor(forOutputs: 2_001), 5, 1e-12))
    #expect(isClose(wobble.factor(forOutputs: 1_001), 3, 1e-12))
    #expect(wobble.factor(forOutputs: 1) == 1)
    #expect(wobble.factor(forOutputs: 0) == 1)
  }

  @Test func wobbleNeedsEnoughBlocksAndTwoClasses() {
    let block = Tally(["a": 10, "b": 2])
    #expect(Wobble.measured(in: Array(repeating: block, count: 7)) == nil)
    #expect(Wobble.measured(in: Array(repeating: block, count: 8))?.factor == 1)
    // Empty days are no blocks.
    let withEmpty = Array(repeating: block, count: 7) + [Tally(), Tally(["a": 0])]
    #expect(Wobble.measured(in: withEmpty) == nil)
    #expect(Wobble.measured(in: Array(repeating: Tally(["a": 5]), count: 20)) == nil)
  }

  @Test func weightedTestAgrees() throws {
    for row in try Oracle.rows("wald") {
      let sides = try row[0...1].map { try weighted($0) }
      let found = compare(baseline: sides[0], period: sides[1], seed: 1)
      #expect(found.isWeighted)
      #expect(found.p.method == .wald)
      #expect(try isClose(found.chiSquare, number(row[4]), 1e-9), "gave \(found.chiSquare)")
      #expect(try isClose(found.p.value, number(row[5]), 1e-9), "gave \(found.p.value)")
      let side = Side(sides[0], labels: sides[0].labels)
      for (k, share) in try numbers(row[2]).enumerated() {
        #expect(isClose(side.shares[k], share, 1e-12))
        #expect(isClose(found.rows[k].baselineShare, share, 1e-12))
      }
      for (k, variance) in try numbers(row[3]).enumerated() {
        #expect(isClose(side.covariance(k, k), variance, 1e-10))
      }
    }
  }

  @Test func oneProbabilityForAllNeedsNoWeights() throws {
    var sampled = Tally()
    try sampled.add("a", count: 90, probability: 0.1)
    try sampled.add("b", count: 10, probability: 0.1)
    let whole = Tally(["a": 850, "b": 150])
    let found = compare(baseline: whole, period: sampled, seed: 1)
    let plain = compare(baseline: whole, period: Tally(["a": 90, "b": 10]), seed: 1)
    #expect(found == plain)
    #expect(!found.isWeighted)
  }

  /// With equal weights the weighted wobble is the plain one.
  @Test func weightedWobbleGeneralisesThePlainOne() throws {
    let plain = (0..<10).map { Tally(["a": 60 + 9 * Int64($0), "b": 100 - 9 * Int64($0), "c": 5]) }
    let base = try #require(Wobble.measured(in: plain))
    var almost = plain
    // Another probability so close to 1 that the weights do not differ, yet the tally is weighted.
    try almost[0].add("a", count: 1, probability: 1 - 1e-13)
    var reference = plain
    reference[0].add("a", count: 1)
    let weighted = try #require(Wobble.measured(in: almost))
    let expected = try #require(Wobble.measured(in: reference))
    #expect(isClose(weighted.factor, expected.factor, 1e-9))
    #expect(base.factor > 1)
  }

  @Test func completeChangeOfAWeightedSampleIsFound() throws {
    var before = Tally(["ok": 50])
    try before.add("ok", count: 20, probability: 0.5)
    var after = Tally(["refused": 50])
    try after.add("refused", count: 20, probability: 0.5)
    let found = compare(baseline: before, period: after, seed: 1)
    #expect(found.p.value < 1e-6, "p \(found.p.value)")
  }
}

/// "label:probability:count;…"
private func weighted(_ text: String) throws -> Tally {
  var tally = Tally()
  for cell in text.split(separator: ";") {
    let parts = cell.split(separator: ":").map(String.init)
    let count = try #require(Int64(parts[2]))
    try tally.add(name(Int(parts[0]) ?? 0), count: count, probability: try number(parts[1]))
  }
  return tally
}
