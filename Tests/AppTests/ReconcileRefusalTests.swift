// What is refused, whole: a comparison with a part of an export would say that calls are missing.

import Foundation
import Metering
import TestSupport
import Testing

@testable import App

@Suite struct ReconcileRefusalTests {
  private typealias Fixture = ReconcileFixture

  private static func page(day: Int64 = 0, days: Int64 = 1, hasMore: Bool = false) -> String {
    Fixture.openAIPage(
      [
        Fixture.openAIBucket(
          day: day, days: days,
          [Fixture.completions(1, input: 10, output: 1, model: "m", key: "key_1")])
      ], hasMore: hasMore)
  }

  @Test func everyPrefixOfAPageIsRefused() throws {
    let text = Self.page()
    _ = try Fixture.read(text)
    for end in text.indices {
      #expect(throws: ReconcileFault.self, "\(text[..<end])") {
        try Fixture.read(String(text[..<end]))
      }
    }
  }

  @Test func everyPrefixOfPagesIsRefused() throws {
    let pages = [Self.page(hasMore: true), Self.page(day: 1)]
    for text in [pages.joined(separator: "\n"), "[" + pages.joined(separator: ",") + "]"] {
      #expect(try Fixture.read(text).rows.count == 2)
      for end in text.indices {
        #expect(throws: ReconcileFault.self, "\(text[..<end])") {
          try Fixture.read(String(text[..<end]))
        }
      }
    }
  }

  @Test func damagedBytesNeverCrash() throws {
    let text = Array((Self.page(hasMore: true) + Self.page(day: 1)).utf8)
    var generator = SeededGenerator(seed: 7)
    try withTemporaryDirectory { directory in
      let file = directory.path("export")
      for _ in 0..<400 {
        var bytes = text
        for _ in 0...generator.int(0...2) {
          bytes[generator.int(0...bytes.count - 1)] = UInt8(generator.int(0...255))
        }
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        // Read as a table too, where the first byte says so.
        _ = try? ExportFile.read([file])
      }
    }
  }

  @Test func aBucketHasResultsOfOneKind() throws {
    let embeddings = """
      {"object": "organization.usage.embeddings.result", "input_tokens": 7,
       "num_model_requests": 2}
      """
    let bucket = Fixture.openAIBucket(
      day: 0, [Fixture.completions(1, input: 1, output: 1), embeddings])
    let fault = try Fixture.fault(Fixture.openAIPage([bucket]))
    #expect(fault.message == "results of two kinds stand in one bucket")
    #expect(fault.place.pointer == "/data/0/results/1")
  }

  @Test func aMissingPageIsNamed() throws {
    let last = try Fixture.fault(Self.page(hasMore: true))
    #expect(last.message.contains("has_more"))
    let gap = try Fixture.fault(Self.page(), Self.page(day: 2))
    #expect(gap.message == "no bucket from 2026-11-02T00:00:00Z to 2026-11-03T00:00:00Z")
    #expect(gap.place.pointer == "/data/0")
  }

  @Test func aPageTwiceIsRefusedWithBothPlaces() throws {
    let fault = try Fixture.fault(Self.page() + "\n" + Self.page())
    #expect(fault.message.hasPrefix("the same bucket a second time"))
    #expect(fault.message.contains("line 1, /data/0"))
    #expect(fault.place.line == 7, "\(fault.place)")
    let buckets = [
      Fixture.openAIBucket(day: 0, [Fixture.completions(1, input: 1, output: 1)]),
      Fixture.openAIBucket(day: 0, [Fixture.completions(1, input: 1, output: 1)])
        .replacing(
          "\"start_time\": \(Fixture.seconds(0))",
          with: "\"start_time\": \(Fixture.seconds(0) + 3_600)"),
    ]
    #expect(try Fixture.fault(Fixture.openAIPage(buckets)).message.hasPrefix("overlapping"))
    // The same day and model in other words.
    for again in ["2026-11-01,m ,6", "2026-11-01T00:00:00Z,m,6", "1793491200, m,6"] {
      let fault = try Fixture.fault("date,model,requests\n2026-11-01,m,5\n\(again)\n")
      #expect(fault.message.hasPrefix("a second row of the same day"), "\(again)")
    }
    let table = "date,model,requests\n2026-11-01,m,5\n2026-11-01,n,5\n2026-11-01,m,6\n"
    let row = try Fixture.fault(table)
    #expect(row.place.line == 4)
    #expect(row.message.contains("line 2"))
    #expect(
      try Fixture.fault(
        table.replacing("m,6", with: "o,6"),
        "date,model,requests\n2026-11-01,n,5\n"
      ).place.line == 2)
  }

  /// A day elsewhere is none of UTC's; hours with an end can be told.
  @Test func aDayOfAnotherTimeZoneIsRefused() throws {
    for offset in ["-05:00", "+0530", "+05:30"] {
      let fault = try Fixture.fault("date,model,requests\n2026-11-01T00:00:00\(offset),m,5\n")
      #expect(fault.message.contains("another time zone"))
    }
    for same in ["Z", "+00:00", "-0000", ""] {
      _ = try Fixture.read("date,model,requests\n2026-11-01T00:00:00\(same),m,5\n")
    }
    let hour =
      "start_time,end_time,requests\n2026-11-01T00:00:00-05:00,2026-11-01T01:00:00-05:00,5\n"
    #expect(try Fixture.read(hour).rows.count == 1)
  }

  @Test func widerBucketsAndBucketsAcrossMidnight() throws {
    let wide = try Fixture.fault(Self.page(days: 2))
    #expect(wide.message.contains("wider than a UTC day"))
    #expect(wide.hint.contains("bucket_width=1d"))
    let across = Self.page().replacing("\(Fixture.seconds(0))", with: "\(Fixture.seconds(0) - 60)")
    #expect(try Fixture.fault(across).message.contains("wider than a UTC day"))
    let table = "start_time,end_time,requests\n2026-11-01,2026-11-08,5\n"
    #expect(try Fixture.fault(table).place.line == 2)
  }

  @Test(
    arguments: [
      ("", "the file is empty", nil), ("  \n", "the file is empty", nil),
      ("{}", "this is no page of an export", ""),
      (#"{"error": {"message": "no"}}"#, "this is the provider's refusal", ""),
      (#"{"object": "page", "data": {}}"#, "this is no list", "/data"),
      (#"{"object": "page", "data": [3]}"#, "this is no object", "/data/0"),
      (#"{"object": "page", "data": []}"#, "there is no day in it", nil),
      (#"{"object": "page", "data": [], "data": []}"#, "'data' stands twice", ""),
      (#"{"object": "page", "data": []} x"#, "something other than a page", ""),
      ("[]x", "something other than a page", ""), ("[{},]", "this is no page", ""),
      ("{\"object\": \"page\", \"data\": [1,]}", "the document that starts here is no JSON", ""),
    ] as [(String, String, String?)])
  func whatIsNoExport(_ text: String, _ message: String, _ pointer: String?) throws {
    let fault = try Fixture.fault(text)
    #expect(fault.message.hasPrefix(message), "\(fault)")
    if let pointer { #expect(fault.place.pointer == pointer) }
    #expect(fault.description.contains("nothing was compared"))
  }

  @Test(arguments: [
    ("\"input_tokens\": 10,", "", "'input_tokens' is missing"),
    ("\"input_tokens\": 10,", "\"input_tokens\": -10,", "this is no whole number of 0 or more"),
    ("\"input_tokens\": 10,", "\"input_tokens\": 1.5,", "this is no whole number of 0 or more"),
    ("\"input_tokens\": 10,", "\"input_tokens\": 1e99,", "this is no whole number of 0 or more"),
    ("\"input_tokens\": 10,", "\"input_tokens\": \"10\",", "this is no whole number of 0 or more"),
    ("\"input_tokens\": 10,", "\"input_tokens\": 1, \"input_tokens\": 2,", "'input_tokens' stands"),
    ("\"input_cached_tokens\": 0", "\"input_cached_tokens\": 11", "more input tokens are cached"),
    ("usage.completions", "usage.dreams", "results of this kind are not known"),
    ("\"end_time\"", "\"ending\"", "'end_time' is missing"),
    ("\"end_time\": ", "\"end_time\": 9", "this is no moment"),
    ("\"start_time\": 1", "\"start_time\": -1", "this is no moment"),
    ("\"model\": \"m\"", "\"model\": 4", "this is no text"),
  ])
  func faultsOfAPage(_ old: String, _ new: String, _ message: String) throws {
    let text = Self.page().replacing(old, with: new)
    #expect(text != Self.page())
    let fault = try Fixture.fault(text)
    #expect(fault.message.hasPrefix(message), "\(fault)")
    #expect(fault.place.pointer.hasPrefix("/data/0"))
  }

  @Test func twoKindsOrProvidersAreNotOne() throws {
    let cost = """
      {"object": "organization.costs.result", "amount": {"value": 1, "currency": "usd"}}
      """
    let costs = Fixture.openAIPage([Fixture.openAIBucket(day: 0, [cost])])
    #expect(
      try Fixture.fault(Self.page(), costs).message.hasPrefix("exports that count different"))
    let anthropic = """
      {"data": [{"starting_at": "2026-11-01T00:00:00Z", "ending_at": "2026-11-02T00:00:00Z",
        "results": [{"amount": "1", "currency": "USD"}]}], "has_more": false}
      """
    #expect(try Fixture.fault(costs, anthropic).message.hasPrefix("exports of two providers"))
    #expect(
      try Fixture.fault(costs.replacing("usd", with: "eur")).message == "the amount is in eur")
    #expect(
      try Fixture.fault(anthropic.replacing("\"1\"", with: "\"1,5\"")).message
        == "this is no amount of money")
  }

  @Test(
    arguments: [
      ("model,requests\nm,1\n", "no column holds a date", 1),
      ("date,model,price\n2026-11-01,m,1\n", "no column counts anything that is compared", 1),
      ("date,cost_usd,cost\n2026-11-01,1,1\n", "'cost_usd' and 'cost' both say", 1),
      ("date,date,cost\n2026-11-01,1,1\n", "a column stands twice", 1),
      ("date,requests\n2026-11-01\n", "the row has 1 fields, its head 2", 2),
      ("date,requests\nNovember,1\n", "'date' is no date", 2),
      ("date,requests\n2026-11,1\n", "'date' is no date", 2),
      ("date,requests\n2026-11-01,\"1,000\"\n", "'requests' is no whole number", 2),
      ("date,cost\n2026-11-01,\"1,50\"\n", "'cost' is no amount of dollars", 2),
      ("date,cost,currency\n2026-11-01,1,EUR\n", "the amount is in EUR", 2),
      ("date,input_tokens,input_cached_tokens\n2026-11-01,1,2\n", "more input tokens are", 2),
      ("date,requests\n2026-11-01,\"1\n", "the row that starts in line 2 opens a quote", nil),
      ("date,requests\n", "there is no day in it", nil),
    ] as [(String, String, Int?)])
  func faultsOfATable(_ text: String, _ message: String, _ line: Int?) throws {
    let fault = try Fixture.fault(text)
    #expect(fault.message.hasPrefix(message), "\(fault)")
    #expect(fault.place.line == line)
  }

  @Test func theHeadIsNamedWhereItIsNotUnderstood() throws {
    let fault = try Fixture.fault("Tag,Summe\n2026-11-01,1\n")
    #expect(fault.hint.hasPrefix("Its columns: 'Tag', 'Summe'."))
  }

  @Test func aTableThatMayBeCutOffSaysSo() throws {
    let export = try Fixture.read("date,requests\n2026-11-01,1")
    #expect(export.notes.contains { $0.contains("line feed") })
  }

  @Test func whatIsNoFile() throws {
    try withTemporaryDirectory { directory in
      for path in [directory.path, directory.path("none")] {
        let fault = #expect(throws: ReconcileFault.self) { try ExportFile.read([path]) }
        #expect(fault?.message == "the file cannot be read")
      }
    }
  }
}
