// Exports and price tables that something happened to: read or refused, and nothing else.

import Foundation
import Metering
import TestSupport
import Testing

@testable import App

@Suite struct GarbledFileTests {
  /// What the fuzzer begins with.
  private static let seeds = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "ParserFuzz/seeds")

  private static func seed(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: seeds.appending(path: name)))
  }

  /// Changes bytes, takes some out, and puts in what a parser may trip over.
  private static func garbled(_ bytes: [UInt8], _ numbers: [Int64]) -> [UInt8] {
    let foreign = ["\"", "\r", "\u{FEFF}", "-1", "1e999", "99999999999999999999", ",", "{", "\0"]
    var bytes = bytes
    for number in numbers where !bytes.isEmpty {
      let place = Int(number % Int64(bytes.count))
      switch number % 4 {
      case 0: bytes[place] = UInt8(truncatingIfNeeded: number >> 8)
      case 1: bytes.removeSubrange(place..<min(place + 5, bytes.count))
      default:
        let text = foreign[Int((number >> 16) % Int64(foreign.count))]
        bytes.insert(contentsOf: Array(text.utf8), at: place)
      }
    }
    return bytes
  }

  @Test(arguments: [
    "openai-usage.json", "openai-costs.json", "anthropic-cost.json", "anthropic-console.csv",
    "openai-console.csv",
  ])
  func anExportIsReadOrRefused(name: String) throws {
    let seed = try Self.seed(name)
    try withTemporaryDirectory { directory in
      let file = directory.url.appending(path: "export")
      func read(_ bytes: [UInt8]) throws -> ProviderExport? {
        try Data(bytes).write(to: file)
        do throws(ReconcileFault) { return try ExportFile.read([file.path]) } catch { return nil }
      }
      #expect(try read(seed)?.rows.isEmpty == false)
      for cut in seed.indices { _ = try read(Array(seed[..<cut])) }
      try checkProperty(name, over: 0...Int64.max, runs: 400, countMax: 6) { numbers in
        guard let export = try read(Self.garbled(seed, numbers)) else { return }
        try require(!export.span.isEmpty, "an export of no time")
      }
    }
  }

  @Test func aPriceTableIsReadOrRefused() throws {
    let seed = try Self.seed("prices.jsonl")
    func read(_ bytes: [UInt8]) -> PriceTable? {
      let day = CivilDate(daysSinceEpoch: 20_454)
      return try? PriceTable(bytes, path: "t.jsonl", sha256: "", from: day)
    }
    #expect(read(seed)?.rowCount == 2)
    try checkProperty("table", over: 0...Int64.max, runs: 1_000, countMax: 6) { numbers in
      let bytes = Self.garbled(seed, numbers)
      guard let table = read(bytes) else { return }
      // Read whole: each line that is not blank is a row, and no price is of another.
      let lines = bytes.split(separator: 0x0A).filter { line in
        line.contains { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }
      }
      try require(table.rowCount == lines.count, "\(table.rowCount) rows of \(lines.count)")
      let told = table.books.values.reduce(table.leftOut.count) { $0 + $1.count }
      try require(told <= lines.count, "\(told) models of \(lines.count) lines")
    }
  }
}
