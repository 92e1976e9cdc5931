// What a comparison says: by day, model and key, and why it may be.

import Metering
import Store
import Testing

@testable import App

@Suite struct ReconcileTests {
  private typealias Fixture = ReconcileFixture

  /// One day of completions.
  private func export(_ results: [String], days: Int64 = 1) throws -> ProviderExport {
    try Fixture.read(
      Fixture.openAIPage(
        (0..<days).map { Fixture.openAIBucket(day: $0, $0 == 0 ? results : []) }))
  }

  @Test func theFourStates() throws {
    let export = try export(
      [
        Fixture.completions(2, input: 30, cached: 10, output: 7, model: "same"),
        Fixture.completions(1, input: 9, output: 5, model: "other"),
        Fixture.completions(4, input: 40, output: 4, model: "round"),
        Fixture.completions(0, input: 0, output: 0, model: "zero"),
      ], days: 2)
    let result = Fixture.compared(
      export,
      [
        Fixture.call("same", at: 0, input: 15, cached: 4, output: 3),
        Fixture.call("same", at: Fixture.day - 2_000, input: 5, cached: 6, output: 4),
        Fixture.call("other", at: 5, input: 10, output: 5),
        Fixture.call("same", at: Fixture.day, input: 1),
        // Outside of the span, or of another provider.
        Fixture.call("same", at: -1_001, input: 99), Fixture.call("same", at: 2 * Fixture.day),
        Fixture.call("same", at: 1, upstream: "azure"),
      ])
    #expect(
      result.rows.map(\.said) == [
        "2026-11-01 other differs inputTokens",
        "2026-11-01 round onlyProvider requests,inputTokens,outputTokens",
        "2026-11-01 same equal", "2026-11-02 same onlyLedger requests,inputTokens",
      ])
    #expect(!result.isEqual)
    let total = result.total
    #expect(total.provider[.requests] == 7 && total.ledger[.requests] == 4)
    #expect(total.provider[.input] == 69 && total.ledger[.input] == 31)
  }

  /// Pictures that were billed by their pixels are counted by their size, whatever name stands
  /// before it; of a batch its answers were counted.
  @Test func sizedPicturesAndBatchesAreCounted() throws {
    let line = #"{"object": "organization.usage.images.result", "images": 3,"#
    func page(_ result: String) -> String {
      Fixture.openAIPage([Fixture.openAIBucket(day: 0, [result])])
    }
    let export = try Fixture.read(
      page(line + #""num_model_requests": 2, "model": "canvas", "size": "8x9"}"#),
      page(Fixture.completions(5, input: 30, output: 7, model: "m")))
    func picture(_ name: String, pixels: Int64) -> CallRow {
      var call = Fixture.call("canvas", at: 1, answeredBy: name)
      call.usage[.pixelsOut] = pixels
      return call
    }
    var batch = Fixture.call("m", at: 2, input: 30, output: 7)
    batch.usage[.requests] = 5
    let result = Fixture.compared(
      export,
      [
        picture("hd/8-x-9/canvas", pixels: 144), picture("8-x-8/canvas", pixels: 64), batch,
      ])
    #expect(result.rows.map(\.said) == ["2026-11-01 canvas equal", "2026-11-01 m equal"])
  }

  /// Each kind of line is compared by what it counts.
  @Test func unitsAreComparedWhereCallsAreBilledByThem() throws {
    func result(_ kind: String, _ model: String, _ fields: String) -> String {
      #"{"object":"organization.usage.\#(kind).result","model":"\#(model)",\#(fields)}"#
    }
    func call(_ model: String, _ bucket: UsageBucket, _ count: Int64, input: Int64 = 0) -> CallRow {
      var call = Fixture.call(model, at: 0, input: input)
      call.usage[bucket] = count
      return call
    }
    let calls = [
      call("dall-e-3", .imagesOut, 2), call("gpt-image-1", .outputImage, 272, input: 9),
      call("tts-1", .charactersIn, 70), call("whisper-1", .audioInMilliseconds, 11_000),
      call("gpt-4o", .webSearchesHigh, 3, input: 50),
    ]
    let pictures = Fixture.openAIPage([
      Fixture.openAIBucket(
        day: 0,
        [
          result("images", "dall-e-3", #""images":2,"num_model_requests":1"#),
          result("images", "gpt-image-1", #""images":1,"num_model_requests":1"#),
        ])
    ])
    // Calls that made no picture are none of its business.
    #expect(
      Fixture.compared(try Fixture.read(pictures), calls).rows.map(\.said) == [
        "2026-11-01 dall-e-3 equal", "2026-11-01 gpt-image-1 equal",
      ])
    let all = try Fixture.read(
      pictures,
      Fixture.openAIPage([
        Fixture.openAIBucket(
          day: 0, [result("audio_speeches", "tts-1", #""characters":71,"num_model_requests":1"#)])
      ]),
      Fixture.openAIPage([
        Fixture.openAIBucket(
          day: 0,
          [result("audio_transcriptions", "whisper-1", #""seconds":11,"num_model_requests":1"#)])
      ]),
      Fixture.openAIPage([
        Fixture.openAIBucket(day: 0, [result("web_searches", "gpt-4o", #""num_requests":3"#)])
      ]),
      Fixture.openAIPage([
        Fixture.openAIBucket(
          day: 0, [Fixture.completions(1, input: 50, output: 0, model: "gpt-4o")])
      ]))
    #expect(
      Fixture.compared(all, calls).rows.map(\.said) == [
        "2026-11-01 dall-e-3 equal", "2026-11-01 gpt-4o equal", "2026-11-01 gpt-image-1 equal",
        "2026-11-01 tts-1 differs characters", "2026-11-01 whisper-1 equal",
      ])
  }

  @Test func whatTheExportDoesNotTellApartIsAddedUp() throws {
    // Neither models nor keys, nor which input was cached.
    let export = try export([Fixture.completions(2, input: 30, cached: nil, output: 7)])
    #expect(export.measures == [.requests, .input, .output])
    let result = Fixture.compared(
      export,
      [
        Fixture.call("a", at: 0, input: 5, cached: 15, output: 3),
        Fixture.call("b", at: 1, input: 10, output: 4, charge: 77),
      ])
    #expect(result.rows.map(\.said) == ["2026-11-01 equal"])
    #expect(!result.hasModels && !result.hasKeys)
    // Not compared, and known.
    #expect(result.rows[0].ledger[.cost] == 77)
  }

  @Test func unsettledCallsExplainAndAreNotCounted() throws {
    let export = try export([Fixture.completions(3, input: 30, output: 3, model: "m")], days: 2)
    var open = Fixture.call("m", at: 3, input: 10, output: 1)
    open.state = .reserved
    open.endedAt = nil
    var expired = Fixture.call("m", at: 4, charge: 9)
    expired.state = .expired
    var refused = Fixture.call("m", at: 5)
    refused.state = .refused
    var night = Fixture.call("m", at: Fixture.day - 1, input: 10, output: 1, charge: 5)
    night.endedAt = night.at.adding(milliseconds: 2)
    var before = Fixture.call("m", at: -1, input: 10, output: 1, charge: 5)
    before.endedAt = Fixture.start
    before.otherModels = [ModelUsage(model: "adviser", usage: before.usage)]
    let result = Fixture.compared(
      export,
      [
        open, expired, refused, night, before,
        Fixture.call("m", at: 6, input: 5, output: 1, source: .estimated),
        Fixture.call("", at: 7, source: .unknown),
      ])
    #expect(
      result.rows.map(\.said) == [
        "2026-11-01 (none) onlyLedger requests",
        "2026-11-01 m differs requests,inputTokens,outputTokens",
      ])
    #expect(result.rows[0].doubts.unknown == 1)
    let row = result.rows[1]
    #expect(row.ledger[.requests] == 2 && row.ledger[.input] == 15)
    var doubts = LedgerDoubts()
    (doubts.open, doubts.expired, doubts.atMidnight) = (1, 1, 2)
    (doubts.estimated, doubts.unpriced) = (1, 1)
    #expect(row.doubts == doubts)
  }

  @Test func aCallAtTheEndOfTheSpanMayBeTheNextDays() throws {
    let export = try export([Fixture.completions(1, input: 10, output: 1, model: "m")])
    var late = Fixture.call("m", at: Fixture.day - 1, input: 10, output: 1, charge: 5)
    late.endedAt = late.at.adding(milliseconds: 2)
    let row = try #require(Fixture.compared(export, [late]).rows.first)
    #expect(row.state == .equal && row.doubts.atMidnight == 1)
    // Of a morning's export it is not.
    let noon = Fixture.seconds(0) + 43_200
    let morning = try Fixture.read(
      Fixture.openAIPage([
        Fixture.openAIBucket(
          day: 0, [Fixture.completions(1, input: 10, output: 1, model: "m")]
        ).replacing("\(Fixture.seconds(1))", with: "\(noon)")
      ]))
    let early = Fixture.call("m", at: 0, input: 10, output: 1, charge: 5)
    let half = try #require(Fixture.compared(morning, [early, late]).rows.first)
    #expect(half.state == .equal && half.doubts.isEmpty)
  }

  @Test func whatOtherModelsUsedIsTheirs() throws {
    let export = try export([
      Fixture.completions(1, input: 10, output: 1, model: "m"),
      Fixture.completions(0, input: 3, output: 2, model: "adviser"),
    ])
    var call = Fixture.call("m", at: 0, input: 10, output: 1, charge: 1)
    var usage = Usage(source: .reported)
    (usage.inputUncached, usage.outputText) = (3, 2)
    call.otherModels = [ModelUsage(model: "adviser", usage: usage)]
    let result = Fixture.compared(export, [call])
    #expect(result.rows.map(\.said) == ["2026-11-01 adviser equal", "2026-11-01 m equal"])
    #expect(result.rows[1].doubts.withOtherModels == 1)
  }

  // MARK: - Models

  @Test(
    arguments: [
      (["gpt-4o-2024-08-06"], ["gpt-4o"], ["gpt-4o-2024-08-06": "gpt-4o"]),
      (["gpt-4o"], ["gpt-4o-2024-08-06"], ["gpt-4o": "gpt-4o-2024-08-06"]),
      (["gpt-4o-2024-08-06"], ["gpt-4o-2024-05-13"], ["gpt-4o-2024-08-06": "gpt-4o-2024-05-13"]),
      (
        ["Claude Haiku 4.5"], ["claude-haiku-4-5-20251001"],
        ["Claude Haiku 4.5": "claude-haiku-4-5-20251001"]
      ),
      (["long-name-001"], ["short"], ["long-name-001": "short"]),
      // More than one could be meant; one that is exact is meant by nobody else.
      (["gpt-4o-2024-08-06", "gpt-4o-2024-05-13"], ["gpt-4o"], [:]),
      (["gpt-4o-2024-08-06"], ["gpt-4o", "gpt-4o-2024-05-13"], [:]),
      (
        ["gpt-4o-2024-08-06", "gpt-4o-2024-05-13"], ["gpt-4o", "gpt-4o-2024-05-13"],
        ["gpt-4o-2024-08-06": "gpt-4o"]
      ),
      (["gpt-4o"], ["gpt-4o-mini"], [:]), (["m"], ["m"], [:]),
    ] as [([String], [String], [String: String])])
  func modelsOfOneFamilyArePairedWhereNoOtherCouldBeMeant(
    _ provider: [String], _ ledger: [String], _ wanted: [String: String]
  ) {
    let pairs = ModelPairs { $0 == "short" ? "long-name" : $0 }
    #expect(pairs.pairs(provider: Set(provider), ledger: Set(ledger)) == wanted)
  }

  @Test func aPairIsSaidInItsRow() throws {
    let export = try export([
      Fixture.completions(1, input: 10, output: 1, model: "gpt-4o-2024-08-06")
    ])
    let result = Fixture.compared(export, [Fixture.call("gpt-4o", at: 0, input: 10, output: 1)])
    #expect(result.rows.map(\.said) == ["2026-11-01 gpt-4o-2024-08-06 equal"])
    #expect(result.rows[0].ledgerModel == "gpt-4o")
    let told = Fixture.compared(
      export,
      [Fixture.call("gpt-4o", at: 0, input: 10, output: 1, answeredBy: "gpt-4o-2024-08-06")])
    #expect(told.isEqual && told.rows[0].ledgerModel == nil)
  }

  // MARK: - Keys

  @Test func keysAreTheCredentialsOfUpstreams() throws {
    let export = try export([
      Fixture.completions(1, input: 10, output: 1, model: "m", key: "key_eu"),
      Fixture.completions(1, input: 10, output: 1, model: "m", key: "key_us"),
      Fixture.completions(9, input: 90, output: 9, model: "m", key: "key_laptop"),
    ])
    let calls = [
      Fixture.call("m", at: 0, input: 10, output: 1, upstream: "eu"),
      Fixture.call("m", at: 1, input: 10, output: 1, upstream: "us"),
    ]
    let result = Fixture.compared(
      export, calls, upstreams: ["eu", "us"], keys: ["key_eu": "eu", "key_us": "us"])
    #expect(
      result.rows.map(\.said) == [
        "2026-11-01 eu m equal",
        "2026-11-01 key_laptop m onlyProvider requests,inputTokens,outputTokens",
        "2026-11-01 us m equal",
      ])
    // Where no upstream is said for any of them they are one.
    let sums = Fixture.compared(export, calls, upstreams: ["eu", "us"])
    #expect(
      sums.rows.map(\.said) == ["2026-11-01 m differs requests,inputTokens,outputTokens"])
    #expect(sums.rows[0].provider[.requests] == 11)
  }

  @Test func choicesOfKeys() throws {
    var export = try export([Fixture.completions(1, input: 1, output: 1, key: "key_1")])
    export.keyNames = ["key_1": ["web=1"]]
    let choices = try KeyChoices(["web=1=eu", "key_1=eu"], export, upstreams: ["eu", "us"])
    #expect(choices.upstreams == ["key_1": "eu"] && choices.unmapped == [])
    #expect(try KeyChoices([], export, upstreams: ["eu"]).unmapped == ["key_1"])
    for wrong in [["key_2=eu"], ["key_1"], ["key_1=xx"], ["key_1=eu", "key_1=us"]] {
      #expect(throws: (any Error).self, "\(wrong)") {
        try KeyChoices(wrong, export, upstreams: ["eu", "us"])
      }
    }
  }

  // MARK: - Money

  @Test func moneyIsEqualWithinTheExportsOwnRounding() throws {
    func compared(_ cents: String, _ charges: [Int64], _ tolerance: String = "0%") throws -> Bool {
      let export = try Fixture.read(
        """
        {"data": [{"starting_at": "2026-11-01T00:00:00Z", "ending_at": "2026-11-02T00:00:00Z",
          "results": [{"amount": "\(cents)", "currency": "USD", "model": "c"}]}],
         "has_more": false}
        """)
      let result = Fixture.compared(
        export, charges.map { Fixture.call("c", at: 0, input: 1, charge: $0) },
        tolerance: try #require(ReconcileTolerance(tolerance)))
      #expect(result.rows.allSatisfy { $0.differing.allSatisfy { $0 == .cost } })
      return result.isEqual
    }
    // 1.23 cents are 12,300,000 nanodollars; half of the last digit is 50,000, and a call's charge
    // is rounded to one.
    #expect(try compared("1.23", [12_300_000]))
    #expect(try compared("1.23", [12_350_001]))
    #expect(try !compared("1.23", [12_350_002]))
    #expect(try compared("1.23", [12_350_001, 1]))
    #expect(try !compared("1.23", [12_249_998]))
    #expect(try compared("1.23", [12_180_000], "1%"))
    #expect(try !compared("1.23", [12_170_000], "1%"))
    #expect(try !compared("1.23", []))
    #expect(try compared("0", []))
  }

  @Test func tolerance() throws {
    let half = try #require(ReconcileTolerance("0.5%"))
    #expect(half.takes(1_000, 995) && half.takes(995, 1_000) && !half.takes(1_000, 994))
    #expect(half.takes(.max, .max - 1) && !half.takes(.max, .min))
    #expect(ReconcileTolerance.none.takes(7, 7) && !ReconcileTolerance.none.takes(7, 8))
    #expect(ReconcileTolerance("0%") == ReconcileTolerance.none)
    for wrong in ["0.5", "", "%", "-1%", "100%", "0.0000001%", "1e-1%"] {
      #expect(ReconcileTolerance(wrong) == nil, "\(wrong)")
    }
  }

  @Test func anAbsurdExportDoesNotTrap() throws {
    let most = "1000000000000000"
    let results = (0..<3).map { _ in
      Fixture.completions(1, input: 0, output: 0, model: "m")
        .replacing("\"output_tokens\": 0", with: "\"output_tokens\": \(most)")
    }
    #expect(Fixture.compared(try export(results), []).rows[0].provider[.output] == 3 * Int64(most)!)
    let cost = """
      {"object": "organization.costs.result", "amount": {"value": 9223372036, "currency": "usd"}}
      """
    let costs = try Fixture.read(
      Fixture.openAIPage([Fixture.openAIBucket(day: 0, [cost, cost, cost])]))
    #expect(Fixture.compared(costs, []).rows[0].provider[.cost] == .max)
  }
}
