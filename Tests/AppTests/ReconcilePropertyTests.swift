// Any ledger beside the export that its provider would give is equal; with one figure changed,
// exactly that row is not.

import Metering
import Store
import TestSupport
import Testing

@testable import App

@Suite struct ReconcilePropertyTests {
  private typealias Fixture = ReconcileFixture
  private static let models = ["gpt-4o-2024-08-06", "gpt-4o-mini", "o3-2025-04-16"]
  private static let keys = ["key_eu": "eu", "key_us": "us"]

  private struct Cell: Hashable {
    var day: Int64
    var model: String
    var key: String
  }

  private static func random(_ generator: inout SeededGenerator) -> CallRow {
    let (key, at) = (generator.pick(keys.keys.sorted()), generator.int(0...(5 * Fixture.day - 1)))
    // Over before midnight, so that nothing is in doubt.
    var call = Fixture.call(
      generator.pick(models), at: at, input: generator.int(0...5_000),
      cached: generator.int(0...500), output: generator.int(0...900),
      upstream: keys[key] ?? "")
    call.endedAt = call.at
    call.usage.outputReasoning = generator.int(0...100)
    call.usage.inputAudio = generator.int(0...10)
    return call
  }

  private static func cell(_ call: CallRow) -> Cell {
    Cell(
      day: (call.at.milliseconds - Fixture.start.milliseconds) / Fixture.day, model: call.model,
      key: keys.first { $0.value == call.upstream }?.key ?? "")
  }

  /// What OpenAI would say of the calls.
  private static func export(_ calls: [CallRow]) -> String {
    let cells = Dictionary(grouping: calls, by: cell)
    return Fixture.openAIPage(
      (Int64(0)..<5).map { day in
        let results = cells.filter { $0.key.day == day }.map { cell, calls in
          func sum(_ count: (Usage) -> Int64) -> Int64 { calls.reduce(0) { $0 + count($1.usage) } }
          return Fixture.completions(
            Int64(calls.count), input: sum(\.inputTotal), cached: sum(\.cacheRead),
            output: sum(\.outputTotal), model: cell.model, key: cell.key)
        }
        return Fixture.openAIBucket(day: day, results)
      })
  }

  @Test func anExportOfTheLedgerIsEqualToIt() throws {
    try checkProperty("equal", runs: 60, generate: Self.random) { calls in
      let export = try Fixture.read(Self.export(calls))
      for keys in [Self.keys, [:]] {
        let result = Fixture.compared(export, calls, upstreams: ["eu", "us"], keys: keys)
        try require(result.isEqual, "\(result.rows.map(\.said))")
        let requests = result.rows.reduce(0) { $0 + $1.ledger[.requests] }
        try require(requests == calls.count, "\(requests) of \(calls.count) calls")
      }
    }
  }

  @Test func oneCallLeftOutIsTheOneRowThatDiffers() throws {
    try checkProperty("one call left out", runs: 60, generate: Self.random) { calls in
      guard let left = calls.indices.last else { return }
      let lost = Self.cell(calls[left])
      let day = CivilDate(daysSinceEpoch: Fixture.start.day.daysSinceEpoch + Int(lost.day))
      let isAlone = calls.count { Self.cell($0) == lost } == 1
      var fewer = calls
      fewer.remove(at: left)
      // The gateway did not see it, or the provider does not say it.
      for (exported, ledger, state) in [
        (calls, fewer, Reconciliation.State.onlyProvider), (fewer, calls, .onlyLedger),
      ] {
        let result = Fixture.compared(
          try Fixture.read(Self.export(exported)), ledger, upstreams: ["eu", "us"],
          // The keys of the lost call too, where no other call had it.
          keys: Self.keys)
        guard result.hasKeys else { continue }
        let unequal = result.rows.filter { $0.state != .equal }
        try require(unequal.count == 1, "\(result.rows.map(\.said))")
        let row = unequal[0]
        try require(
          row.day == day && row.model == lost.model && row.place == Self.keys[lost.key],
          row.said)
        try require(row.state == (isAlone ? state : .differs), row.said)
        try require(row.differing.contains(.requests), row.said)
      }
    }
  }

  @Test func oneTokenMoreIsTheOneMeasureThatDiffers() throws {
    try checkProperty("one token more", runs: 60, generate: Self.random) { calls in
      guard let last = calls.last else { return }
      let export = try Fixture.read(Self.export(calls))
      for measure in [UsageMeasure.input, .cacheRead, .output] {
        var changed = last
        switch measure {
        case .input: changed.usage.inputUncached += 1
        case .cacheRead: changed.usage.cacheRead += 1
        default: changed.usage.outputReasoning += 1
        }
        let result = Fixture.compared(
          export, calls.dropLast() + [changed], upstreams: ["eu", "us"], keys: Self.keys)
        let unequal = result.rows.filter { $0.state != .equal }
        try require(unequal.count == 1, "\(result.rows.map(\.said))")
        try require(
          unequal[0].differing == [measure] && unequal[0].model == last.model, unequal[0].said)
      }
    }
  }
}
