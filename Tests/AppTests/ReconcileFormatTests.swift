// Every format of an export, read to disjoint figures.

import Metering
import Testing

@testable import App

@Suite struct ReconcileFormatTests {
  private typealias Fixture = ReconcileFixture

  /// A row as `day model key requests/input/read/write/output/nanodollars`.
  private func said(_ export: ProviderExport) -> [String] {
    export.rows.map { row in
      let figures = UsageMeasure.allCases.filter { !$0.isUnit }.map { String(row.figures[$0]) }
      let units = UsageMeasure.allCases.filter { $0.isUnit && row.figures[$0] != 0 }
        .map { " \(row.figures[$0]) \($0.name)" }
      return "\(row.day) \(row.model ?? "-") \(row.key ?? "-") \(figures.joined(separator: "/"))"
        + units.joined()
    }
  }

  @Test func openAICompletionsCountCachedTokensAmongTheInput() throws {
    let export = try Fixture.read(
      Fixture.openAIPage([
        Fixture.openAIBucket(
          day: 0,
          [Fixture.completions(5, input: 1_000, cached: 800, output: 500, model: "gpt-4o")]),
        Fixture.openAIBucket(day: 1, []),
      ]))
    #expect(said(export) == ["2026-11-01 gpt-4o - 5/200/800/0/500/0"])
    #expect(export.dialect == .openai)
    #expect(export.measures == [.requests, .input, .cacheRead, .output])
    // An empty bucket is a day on which nothing was used.
    #expect(export.span.upperBound == Fixture.start.adding(milliseconds: 2 * Fixture.day))
    #expect(export.notes == [])
  }

  @Test func openAICacheWritesAndEmbeddings() throws {
    let writes = Fixture.completions(1, input: 100, cached: 10, output: 1, model: "m")
      .replacing("\"batch\"", with: "\"input_cache_write_tokens\": 20, \"batch\"")
    let embeddings = """
      {"object": "organization.usage.embeddings.result", "input_tokens": 7,
       "num_model_requests": 2, "model": "e"}
      """
    let stores = """
      {"object": "organization.usage.vector_stores.result", "usage_bytes": 7}
      """
    let export = try Fixture.read(
      Fixture.openAIPage([Fixture.openAIBucket(day: 0, [writes])]),
      Fixture.openAIPage([Fixture.openAIBucket(day: 0, [embeddings])])
        + Fixture.openAIPage([Fixture.openAIBucket(day: 0, [stores])]))
    #expect(said(export) == ["2026-11-01 m - 1/70/10/20/1/0", "2026-11-01 e - 2/7/0/0/0/0"])
    #expect(export.notes.count == 1 && export.notes[0].contains("1 of vector stores"))
  }

  @Test(arguments: [
    ("images", #""images":7,"num_model_requests":2"#, "2/0/0/0/0/0 7 images"),
    ("audio_speeches", #""characters":70,"num_model_requests":1"#, "1/0/0/0/0/0 70 characters"),
    ("audio_transcriptions", #""seconds":12,"num_model_requests":1"#, "1/0/0/0/0/0 12 seconds"),
    ("web_searches", #""num_requests":3,"num_model_requests":2"#, "0/0/0/0/0/0 3 webSearches"),
    ("file_searches", #""num_requests":3"#, "0/0/0/0/0/0 3 fileSearches"),
    ("code_interpreter_sessions", #""num_sessions":4"#, "0/0/0/0/0/0 4 codeSessions"),
  ])
  func openAIUnits(name: String, fields: String, figures: String) throws {
    let result = #"{"object":"organization.usage.\#(name).result",\#(fields),"model":"m"}"#
    let page = Fixture.openAIPage([Fixture.openAIBucket(day: 0, [result])])
    let export = try Fixture.read(page)
    #expect(said(export) == ["2026-11-01 m - \(figures)"] && export.notes.isEmpty)
    let lacking = page.replacing(fields, with: #""num_model_requests":1"#)
    #expect(try !Fixture.fault(lacking).message.isEmpty)
  }

  @Test func openAICostsAreExactDollars() throws {
    func cost(_ amount: String, _ item: String) -> String {
      """
      {"object": "organization.costs.result", "amount": {"value": \(amount), "currency": "usd"},
       "line_item": \(item), "project_id": null}
      """
    }
    let export = try Fixture.read(
      Fixture.openAIPage([
        Fixture.openAIBucket(
          day: 0,
          [
            cost("0.06", "\"gpt-4o-2024-08-06, cached input\""),
            cost("1.5e-05", "\"gpt-image-1 image, output\""),
            cost("\"-2.25\"", "\"Web search tool calls\""), cost("0.1", "null"),
          ])
      ]))
    #expect(
      said(export) == [
        "2026-11-01 gpt-4o-2024-08-06 - 0/0/0/0/0/60000000",
        "2026-11-01 gpt-image-1 - 0/0/0/0/0/15000", "2026-11-01 - - 0/0/0/0/0/-2250000000",
        "2026-11-01 - - 0/0/0/0/0/100000000",
      ])
    #expect(export.measures == [.cost])
    // The finest amount has six decimals: each may be half of the sixth away.
    #expect(Set(export.rows.map(\.costSlack)) == [500])
  }

  @Test func anthropicUsage() throws {
    let export = try Fixture.read(
      """
      {"data": [{"starting_at": "2026-11-01T00:00:00Z", "ending_at": "2026-11-02T00:00:00Z",
        "results": [{"uncached_input_tokens": 1500, "cache_creation":
          {"ephemeral_1h_input_tokens": 1000, "ephemeral_5m_input_tokens": 500},
          "cache_read_input_tokens": 200, "output_tokens": 500,
          "server_tool_use": {"web_search_requests": 10}, "api_key_id": "apikey_01Rj",
          "workspace_id": "wrkspc_01", "model": "claude-sonnet-4-20250514",
          "service_tier": "standard", "context_window": "0-200k"}]}],
       "has_more": false, "next_page": null}
      """)
    #expect(
      said(export) == [
        "2026-11-01 claude-sonnet-4-20250514 apikey_01Rj 0/1500/200/1500/500/0 10 webSearches"
      ])
    #expect(export.dialect == .anthropic)
    #expect(export.measures == [.input, .cacheRead, .cacheWrite, .output, .webSearches])
  }

  @Test func anthropicCostsAreCentsInText() throws {
    let export = try Fixture.read(
      """
      {"data": [{"starting_at": "2026-11-01T00:00:00Z", "ending_at": "2026-11-02T00:00:00Z",
        "results": [{"currency": "USD", "amount": "123.78912", "workspace_id": null,
          "description": "Claude Sonnet 4 Usage - Input Tokens", "cost_type": "tokens",
          "context_window": "0-200k", "model": "claude-sonnet-4-20250514",
          "service_tier": "standard", "token_type": "uncached_input_tokens"}]}],
       "has_more": false, "next_page": null}
      """)
    // $1.2378912.
    #expect(said(export) == ["2026-11-01 claude-sonnet-4-20250514 - 0/0/0/0/0/1237891200"])
    #expect(export.rows.map(\.costSlack) == [50])
  }

  @Test(arguments: [",", "\n", " ", ""])
  func severalPagesInOneFile(_ between: String) throws {
    let pages = (0..<3).map { day in
      Fixture.openAIPage(
        [
          Fixture.openAIBucket(
            day: day, [Fixture.completions(day + 1, input: 10, output: 1, model: "m{\\\"")])
        ], hasMore: day < 2)
    }
    let text = pages.joined(separator: between)
    let export = try Fixture.read(between == "," ? " [\(text)]\n" : text)
    #expect(export.rows.map { $0.figures[.requests] } == [1, 2, 3])
    #expect(export.rows.map(\.model) == ["m{\"", "m{\"", "m{\""])
  }

  @Test func bucketsOfHoursAreDaysAddedUp() throws {
    let start = Fixture.seconds(0)
    let buckets = (0..<48).map { hour in
      """
      {"start_time": \(start + Int64(hour) * 3_600), "end_time": \(start + Int64(hour + 1) * 3_600),
       "results": [\(Fixture.completions(1, input: 10, output: 1))]}
      """
    }
    let result = Fixture.compared(
      try Fixture.read(Fixture.openAIPage(buckets)),
      (0..<48).map { Fixture.call("m", at: $0 * Fixture.hour, input: 10, output: 1) })
    #expect(result.rows.map(\.said) == ["2026-11-01 equal", "2026-11-02 equal"])
    #expect(result.rows.map { $0.provider[.requests] } == [24, 24])
  }

  // MARK: - Tables

  @Test func anthropicConsoleUsage() throws {
    let export = try Fixture.read(
      """
      usage_date_utc,model_version,api_key,workspace,usage_type,context_window,\
      usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,\
      usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,\
      web_search_count
      2026-11-01,claude-sonnet-4-20250514,support,Default,standard,≤ 200k,100,1,2,4,50,0
      2026-11-03 13:00,claude-sonnet-4-20250514,sk-ant-api03-secretsecretAbCd,Default,"a,b",,7,,,,3,
      """ + "\n")
    #expect(
      said(export) == [
        "2026-11-01 claude-sonnet-4-20250514 support 0/100/4/3/50/0",
        "2026-11-03 claude-sonnet-4-20250514 …AbCd 0/7/0/0/3/0",
      ])
    #expect(export.dialect == .anthropic)
    #expect(export.span.upperBound == Fixture.start.adding(milliseconds: 3 * Fixture.day))
  }

  @Test func anthropicConsoleCost() throws {
    let export = try Fixture.read(
      """
      usage_date_utc,model,workspace,api_key,token_type,cost_usd,list_price_usd,api_key_id
      2026-11-01,Claude Haiku 4.5,Default,demo,input_no_cache,0.05,0.05,apikey_01A
      2026-11-01,Claude Haiku 4.5,Default,demo,output,0.02,0.02,apikey_01A

      """)
    #expect(
      said(export) == [
        "2026-11-01 Claude Haiku 4.5 apikey_01A 0/0/0/0/0/50000000",
        "2026-11-01 Claude Haiku 4.5 apikey_01A 0/0/0/0/0/20000000",
      ])
    #expect(export.keyNames == ["apikey_01A": ["demo"]])
    #expect(export.rows.map(\.costSlack) == [5_000_000, 5_000_000])
    #expect(export.dialect == .anthropic)
  }

  @Test(arguments: ["\n", "\r\n"], ["", "\u{FEFF}"])
  func openAITables(_ end: String, _ mark: String) throws {
    let usage = [
      "start_time,end_time,num_model_requests,project_id,model,input_tokens,"
        + "input_cached_tokens,output_tokens",
      "\(Fixture.seconds(0)),\(Fixture.seconds(1)),3,p,gpt-4o,100,40,9", "",
    ]
    let export = try Fixture.read(mark + usage.joined(separator: end))
    #expect(said(export) == ["2026-11-01 gpt-4o - 3/60/40/0/9/0"])
    #expect(export.dialect == .openai)
    let costs = [
      "start_time,start_time_iso,amount_value,amount_currency,line_item",
      "1,2026-11-01T00:00:00+00:00,0.1234,usd,x", "",
    ]
    #expect(
      said(try Fixture.read(mark + costs.joined(separator: end)))
        == ["2026-11-01 - - 0/0/0/0/0/123400000"])
  }

  @Test func namesOfColumnsInWords() throws {
    let export = try Fixture.read("Date,Model,Requests,Cost (USD)\n2026-11-01,m,2,$1.50\n")
    #expect(said(export) == ["2026-11-01 m - 2/0/0/0/0/1500000000"])
    #expect(export.dialect == nil)
    // Anthropic's own name for what stands beside the input.
    let beside = try Fixture.read(
      "date,input_tokens,cache_read_input_tokens\n2026-11-01,5,40\n")
    #expect(said(beside) == ["2026-11-01 - - 0/5/40/0/0/0"])
  }

  @Test func aWholeKeyIsNeverShown() {
    #expect(ShownKey.text("sk-proj-0123456789abcdef") == "…cdef")
    #expect(ShownKey.text(String(repeating: "k", count: 50)) == "…kkkk")
    for id in ["key_0123456789abcdef", "apikey_01Rj2N8SVvo6BePZj99NhmiT", "web frontend"] {
      #expect(ShownKey.text(id) == id)
    }
  }
}
