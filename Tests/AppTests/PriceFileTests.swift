// Price files: every key, written and read back, exact to the last decimal.

import Foundation
import Metering
import TestSupport
import Testing

@testable import App

@Suite struct PriceFileTests {
  static func read(_ text: String) -> (PriceFile, [String]) {
    let log = FaultLog()
    let root = SettingsFile.parse(text, shown: "p.yaml", log: log)
    let file = root.map { PriceFile($0) } ?? PriceFile(file: "p.yaml")
    return (file, log.faults.sorted().map(\.description))
  }

  /// A random price, of any buckets, tiers and limits.
  static func entry(_ generator: inout SeededGenerator) -> PriceEntry {
    func rates(_ generator: inout SeededGenerator) -> Rates {
      var rates = Rates(
        input: Int64(generator.int(0...9_999_999_999)),
        output: Int64(generator.int(0...9_999_999_999)))
      for bucket in UsageBucket.allCases where generator.int(0...4) == 0 {
        rates[bucket] = Int64(generator.int(0...Int(Int64.max / 2)))
      }
      return rates
    }
    func tiers(_ generator: inout SeededGenerator) -> [ModelPrice.Tier] {
      (1..<(1 + generator.int(0...2))).map { step in
        ModelPrice.Tier(aboveInputTokens: Int64(step) * 100_000, rates: rates(&generator))
      }
    }
    let day = CivilDate(daysSinceEpoch: generator.int(0...40_000))
    var entry = PriceEntry(from: day, base: rates(&generator), tiers: tiers(&generator))
    for service in ["flex", "batch", "odd tier: \"x\""] where generator.int(0...1) == 0 {
      entry.serviceTiers[service] = rates(&generator)
      let contexts = tiers(&generator)
      if !contexts.isEmpty { entry.serviceContexts[service] = contexts }
    }
    if generator.int(0...1) == 0 { entry.outputTokensMax = Int64(generator.int(1...10_000_000)) }
    if generator.int(0...1) == 0 { entry.inputTokensMax = Int64(generator.int(1...10_000_000)) }
    if generator.int(0...3) == 0 {
      entry.ownSearches = generator.int(0...1) == 0 ? .perCall : .perSearch
      entry.base[.webSearches] = 8
    }
    if generator.int(0...3) == 0 {
      entry.regions = ["us": Int64(generator.int(1...100_000)), "a: b": 1_100]
    }
    if generator.int(0...1) == 0 { entry.retires = day.adding(days: generator.int(0...999)) }
    return entry
  }

  @Test func everyBucketHasOneKey() {
    #expect(Set(RateKey.all.map(\.bucket)) == Set(UsageBucket.allCases))
    #expect(RateKey.all.count == UsageBucket.allCases.count)
    #expect(Set(RateKey.all.map(\.name)).count == RateKey.all.count)
  }

  @Test func aWrittenPriceReadsBackTheSame() throws {
    let names = ["gpt-4o", "a/b:c@1", "say \"so\" \\ now", "ünïcode", "1e3", "null", "- x", "# y"]
    try checkProperty("written and read", runs: 60, countMax: 8, generate: Self.entry) { entries in
      var text = ""
      for (name, entry) in zip(names, entries) {
        text += PriceFileText.key(name) + ":\n" + PriceFileText.line(entry)
      }
      let (file, faults) = Self.read(text)
      try require(faults.isEmpty, "\(faults)")
      try require(file.models.map(\.name) == Array(names.prefix(entries.count)), "\(file.models)")
      try require(file.models.flatMap { $0.entries.map(\.entry) } == entries, text)
    }
  }

  /// An amount is for the unit that its key names; 1,000 of it cost what a person would say.
  @Test(arguments: [
    ("inputPerMillion: \"2.50\"", UsageBucket.inputUncached, 1_000_000, 2_500_000_000),
    ("webSearchesPerThousand: \"10.00\"", .webSearches, 1_000, 10_000_000_000),
    ("codeSessionEach: 0.03", .codeSessions, 2, 60_000_000),
    ("audioInPerSecond: \"0.000283333333\"", .audioInMilliseconds, 60_000, 17_000_000),
    ("outputPerSecond: \"0.5\"", .outputMilliseconds, 1_500, 750_000_000),
    ("pixelsOutPerMillion: \"0.0839233\"", .pixelsOut, 1_048_576, 87_999_959),
    ("charactersInPerMillion: \"15\"", .charactersIn, 1_000, 15_000_000),
    ("imageOutEach: \"0.000000000000001\"", .imagesOut, 1, 1),
    ("pagesPerThousand: \"1.5\"", .pages, 3, 4_500_000),
  ])
  func anAmountIsForItsUnit(line: String, bucket: UsageBucket, count: Int64, cost: Int64) throws {
    let (file, faults) = Self.read(
      "m: { from: 2026-01-01, \(line), outputPerMillion: 1, requestsPerThousand: 0 }")
    #expect(faults == [])
    let price = try #require(file.models.first?.entries.first?.entry.price)
    var usage = Usage(source: .reported)
    usage[bucket] = count
    #expect(price.cost(of: usage)?.nanodollars == cost)
  }

  @Test func whatCannotBeCountedIsRefusedWithTheReason() {
    let (file, faults) = Self.read(
      """
      a: { from: 2026-01-01, imageOutEach: "0.0000000000000001" }
      b: { from: 2026-01-01, audioInPerSecond: "0.0000000000001" }
      c: { from: 2026-01-01, imageOutEach: "9999999" }
      d: { from: 2026-01-01, outputPerMillion: "1" }
      e: { from: 2026-01-01, imagesOutEach: "1" }
      f: { from: 2026-01-01, pagesPerThousand: 1e3 }
      g: { from: 2026-01-01, pagesPerThousand: }
      h: { from: 2026-01-01, pagesPerThousand: "1", retires: soon, inputTokensMax: 0 }
      i: { from: 2026-01-01, pagesPerThousand: "1", ownSearches: per-call }
      j: { from: 2026-01-01, webSearchesPerThousand: "1", ownSearches: percall }
      k: { from: 2026-01-01, pagesPerThousand: "1", regions: { us: "1.1000001", eu: 0 } }
      """)
    let says = [
      "p.yaml:1: 'a.imageOutEach' is '0.0000000000000001', finer than Leeway counts — "
        + "write at most 15 decimals, rounded up",
      "p.yaml:2: 'b.audioInPerSecond' is '0.0000000000001', finer than Leeway counts",
      "p.yaml:3: 'c.imageOutEach' is '9999999', too large",
      "p.yaml:4: 'd.inputPerMillion' is missing", "p.yaml:5: 'e.inputPerMillion' is missing",
      "p.yaml:5: 'e.outputPerMillion' is missing",
      "p.yaml:5: unknown key 'e.imagesOutEach' — did you mean 'imageOutEach'?",
      "p.yaml:6: 'f.pagesPerThousand' is '1e3', not an amount of money",
      "p.yaml:7: 'g.pagesPerThousand' has no value", "p.yaml:8: 'h.retires' is 'soon', not a day",
      "p.yaml:8: 'h.inputTokensMax' is 0, out of range",
      "p.yaml:9: 'i' searches by itself at no price — state webSearchesPerThousand",
      "p.yaml:11: 'k.regions.us' is '1.1000001', not a factor",
      "p.yaml:11: 'k.regions.eu' is '0', not a factor",
      "p.yaml:10: 'j.ownSearches' is 'percall' — did you mean 'per-call'?",
    ]
    for text in says { #expect(faults.contains { $0.hasPrefix(text) }, "\(text) in \(faults)") }
    #expect(file.models.map(\.name) == ["h", "i", "j", "k"])
  }

  @Test func whatATierDoesNotStateIsInherited() throws {
    let (file, faults) = Self.read(
      """
      m:
        from: 2026-01-01
        inputPerMillion: 1
        outputPerMillion: 2
        serviceTiers:
          flex: { inputPerMillion: 0.5, tiers: [{ aboveInputTokens: 9, outputPerMillion: 3 }] }
      """)
    #expect(faults == [])
    let price = try #require(file.models.first?.entries.first?.entry.price)
    let flex = price.rates(inputTokens: 10, serviceTier: "flex")
    #expect(flex.rate(of: .inputUncached) == 500_000_000)
    #expect(flex.rate(of: .outputText) == 3_000_000_000)
    #expect(price.rates(inputTokens: 9, serviceTier: "flex").rate(of: .outputText) == 2_000_000_000)
  }

  @Test func anOddBookIsWarnedAbout() {
    var text = ""
    for index in 1...6 {
      text += "n\(index): { from: 2026-01-01, inputPerMillion: 2, outputPerMillion: 8 }\n"
    }
    text += """
      thousandfold: { from: 2026-01-01, inputPerMillion: 2500, outputPerMillion: 10 }
      cached: { from: 2026-01-01, inputPerMillion: 1, cacheReadPerMillion: 2, outputPerMillion: 4 }
      free: { from: 2026-01-01, inputPerMillion: 0, outputPerMillion: 0 }
      tiered: { from: 2026-01-01, inputPerMillion: 3, outputPerMillion: 8, retires: 2026-05-01,
                tiers: [{ aboveInputTokens: 200000, inputPerMillion: 2 }] }
      """
    let (file, faults) = Self.read(text)
    #expect(faults == [])
    let check = PriceCheck(file, today: CivilDate(daysSinceEpoch: 20_600))
    #expect(
      check.warnings.map { "\($0.line) \($0.text)" } == [
        "7 'thousandfold': output costs less than a hundredth of input",
        "7 'thousandfold': inputPerMillion is $2500.00, and $2.00 is usual here; "
          + "is the unit right?",
        "8 'cached': a cached token costs more than a fresh one", "9 'free': costs nothing",
        "10 'tiered': above 200000 input tokens: input_uncached is cheaper than below it",
      ])
    #expect(check.retired == ["tiered"])
    #expect(check.modelCount == 10 && check.priceCount == 10)
  }

  /// A call names a model and a size; the price is the model's.
  @Test func aPictureThatIsNotTheDearestIsWarnedAbout() {
    let (file, faults) = Self.read(
      """
      hd/1024-x-1792/painter: { from: 2026-01-01, imageOutEach: "0.12" }
      painter: { from: 2026-01-01, imageOutEach: "0.08" }
      low/other: { from: 2026-01-01, imageOutEach: "0.01" }
      other: { from: 2026-01-01, imageOutEach: "0.04" }
      """)
    #expect(faults == [])
    let check = PriceCheck(file, today: CivilDate(daysSinceEpoch: 20_600))
    #expect(
      check.warnings.map { "\($0.line) \($0.text)" } == [
        "2 'painter': 'hd/1024-x-1792/painter' costs more, and is not looked up; "
          + "is this the dearest size?"
      ])
  }
}
