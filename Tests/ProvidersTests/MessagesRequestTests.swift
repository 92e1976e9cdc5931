// Peeking a Messages request: what admission reads of it, and what it refuses to guess.

import Metering
import Foundation
import TestSupport
import Testing

@testable import Providers

@Suite struct MessagesRequestTests {
  private func peek(_ text: String) throws -> PeekedRequest {
    try Providers.Operation.messages.peek(Array(text.utf8))
  }

  private func content(_ blocks: String) throws -> PeekedRequest {
    try peek(#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[\#(blocks)]}]}"#)
  }

  @Test func readsWhatAdmissionNeeds() throws {
    let request = try peek(
      #"{"messages":[{"role":"user","content":"hi \"max_tokens\":1"}],"stream":true,"#
        + #""system":"be brief","max_tokens":64,"service_tier":"standard_only","#
        + #""thinking":{"type":"enabled","budget_tokens":32},"mod\u0065l":"claude-x"}"#)
    #expect(request.model == "claude-x")
    #expect(request.isStream)
    #expect(request.outputTokensMax == 64)
    #expect(request.serviceTier == "standard_only")
    #expect(request.unboundablePart == nil)
    #expect(!request.hidesUsage)
    #expect(request.usageSplice == nil)
  }

  @Test(arguments: [
    (#"{"model":"a","model":"b"}"#, "'model' is said twice"),
    (#"{"max_tokens":1,"Max_Tokens":9}"#, "differs from 'max_tokens'"),
    (#"{"max_tokens":"5"}"#, "'max_tokens' must be a whole number"),
    (#"{"max_tokens":-1}"#, "'max_tokens' must be a whole number"),
    (#"{"max_tokens":[5]}"#, "'max_tokens' must be a whole number"),
    (#"{"stream":"true"}"#, "'stream' must be true or false"),
    (#"{"model":7}"#, "'model' must be a string"), (#"{"messages":{}}"#, "must be an array"),
    (#"{"tools":"x"}"#, "'tools' must be an array"), (#"{"system":{}}"#, "a string or an array"),
    (#"{"thinking":true}"#, "'thinking' must be an object"),
  ])
  func refuses(body: String, reason: String) {
    #expect {
      _ = try peek(body)
    } throws: { error in
      (error as? PeekFault)?.message.contains(reason) == true
    }
  }

  @Test(arguments: [
    (#""mcp_servers":[{"url":"u"}]"#, "'mcp_servers'"), (#""container":"c1""#, "'container'"),
    (#""context_management":{"edits":[]}"#, "'context_management'"),
    (#""fallbacks":[{"model":"x"}]"#, "'fallbacks'"), (#""speed":"fast""#, "'speed'"),
    (#""thread":{"type":"continue","previous_message_id":"m1"}"#, "'thread'"),
    (#""compaction":{"enabled":true}"#, "'compaction'"),
    (#""tools":[{"type":"web_search_20250305","name":"web_search"}]"#, "web_search_20250305"),
    (#""tools":[{"name":"x"},{"type":"code_execution_20250825"}]"#, "code_execution_20250825"),
    (#""tools":[{"type":"advisor_20260301","model":"claude-pilot-5"}]"#, "advisor_20260301"),
    (#""tools":[{"type":"mcp_toolset"}]"#, "mcp_toolset"),
  ])
  func namesWhatRunsAtTheProvider(member: String, part: String) throws {
    let request = try peek(#"{"model":"m","max_tokens":9,\#(member)}"#)
    #expect(request.unboundablePart?.contains(part) == true, "\(request.unboundablePart ?? "nil")")
  }

  /// A picture of few bytes costs more than they do as text: which of two types counts, only the
  /// server knows.
  @Test(arguments: [
    #"{"type":"image","source":{"type":"base64","data":"QUJD"},"type":"text"}"#,
    #"{"type":"text","text":"x","type":"image","source":{"type":"base64","data":"QUJD"}}"#,
    #"{"type":"document","source":{"type":"base64","type":"text","data":"QUJD"}}"#,
    #"{"type":"document","source":{"type":"text","data":"QUJD"},"source":{"type":"url"}}"#,
  ])
  func aBlockThatSaysTwiceWhatItIsHasNoBound(block: String) throws {
    let request = try peek(
      #"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[\#(block)]}]}"#)
    #expect(request.unboundablePart?.contains("says twice what it is") == true)
  }

  /// A region has a bound where the book prices it; what is not said is bounded by the dearest.
  @Test func aRegionIsBoundedByItsPrice() throws {
    func price(_ regions: [String: Int64]) -> ModelPrice {
      ModelPrice(
        effectiveFrom: Timestamp(milliseconds: 0),
        base: Rates(input: 1_000_000_000, output: 1_000_000_000), regions: regions)
    }
    let asked = try peek(#"{"model":"m","max_tokens":9,"inference_geo":"us"}"#)
    #expect(asked.region == "us")
    #expect(asked.priced(at: price(["us": 1_100])).unboundablePart == nil)
    #expect(asked.priced(at: price([:])).unboundablePart == "'inference_geo'")
    #expect(asked.priced(at: nil).unboundablePart == "'inference_geo'")
    let global = try peek(#"{"model":"m","max_tokens":9,"inference_geo":"global"}"#)
    #expect(global.priced(at: price([:])).unboundablePart == nil)
    func most(_ region: String?) -> Int64? {
      price(["us": 1_100]).worstCase(inputTokens: 10, outputTokens: 0, region: region)?.nanodollars
    }
    #expect(most("us") == 11_000 && most(nil) == 11_000 && most("global") == 10_000)
  }

  @Test(arguments: [
    #""mcp_servers":[]"#, #""container":null"#, #""speed":"standard""#,
    #""inference_geo":"global""#, #""tools":[{"name":"t","input_schema":{"type":"object"}}]"#,
    #""tools":[{"type":"custom","name":"t","input_schema":{"type":{"type":"x"}}}]"#,
    #""tools":[{"type":"bash_20250124","name":"bash"}]"#,
    #""tool_choice":{"type":"auto"},"metadata":{"user_id":"u"},"stop_sequences":["x"]"#,
  ])
  func takesWhatTheBytesBound(member: String) throws {
    #expect(try peek(#"{"model":"m","max_tokens":9,\#(member)}"#).unboundablePart == nil)
  }

  @Test(arguments: [
    #"{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"QQ=="}}"#,
    #"{"type":"document","source":{"type":"url","url":"https://x.example/a.pdf"}}"#,
    #"{"source":{"file_id":"f","type":"file"},"type":"document"}"#,
    #"{"type":"container_upload","file_id":"f"}"#, #"{"type":"hologram"}"#, #"{"text":"x"}"#,
    #"{"type":{"type":"text"}}"#, #""just a string",{"type":"container_upload"}"#,
    #"{"type":"image","source":{"type":"s3","key":"k"}}"#, #"{"type":"image"}"#,
    #"{"type":"tool_result","content":[{"type":"document","source":{"type":"file"}}]}"#,
  ])
  func namesContentWithoutABound(block: String) throws {
    #expect(try content(block).unboundablePart != nil)
  }

  /// A picture is billed by its size, and no size passes the provider's own.
  @Test func picturesAreBoundedWhateverTheirBytes() throws {
    let data = String(repeating: "A", count: 400_000)
    let picture =
      #"{"source":{"data":"\#(data)","type":"base64","media_type":"image/png"},"type":"image"}"#
    let one = try content(picture)
    #expect(one.unboundablePart == nil)
    #expect(one.inputTokensMax < 6_000)
    let nested = try content(
      #"{"type":"tool_result","tool_use_id":"t","content":[\#(picture),\#(picture)]}"#)
    #expect(nested.unboundablePart == nil)
    #expect((9_568..<10_500).contains(nested.inputTokensMax))
    let url = try content(#"{"type":"image","source":{"type":"url","url":"https://x.example/a"}}"#)
    #expect(url.unboundablePart == nil)
    // What only says that it is one, beside text that is shown, is text.
    let fake = try content(#"{"type":"text","text":"\#(data)","source":{"type":"base64"}}"#)
    #expect(fake.unboundablePart != nil || fake.inputTokensMax > 400_000)
  }

  @Test func escapesAreCountedAsTheModelSeesThem() throws {
    let escaped = String(repeating: #"\u00e9"#, count: 1_000)
    #expect(try content(#"{"type":"text","text":"\#(escaped)"}"#).inputTokensMax < 2_600)
    // A tool's input is shown as JSON, perhaps escaped anew.
    let call = #"{"type":"tool_use","id":"t","name":"n","input":{"x":"\#(escaped)"}}"#
    #expect(try content(call).inputTokensMax > 6_000)
  }

  /// No text can be in the body that the bound does not count.
  @Test func theBoundHoldsTheText() throws {
    try checkProperty("bound", over: 0...25, runs: 300, countMax: 200) { numbers in
      let text = String(decoding: numbers.map { UInt8($0) + 97 }, as: UTF8.self)
      for body in [
        #"{"system":"\#(text)","messages":[]}"#,
        #"{"system":[{"type":"text","text":"\#(text)"}],"messages":[]}"#,
        #"{"messages":[{"role":"user","content":"\#(text)"}]}"#,
        #"{"messages":[{"role":"user","content":[{"type":"tool_result","content":"\#(text)"}]}]}"#,
        #"{"messages":[],"tools":[{"name":"x","description":"\#(text)"}]}"#,
        #"{"messages":[],"output_config":{"format":{"schema":{"title":"\#(text)"}}}}"#,
      ] {
        let bound = try Providers.Operation.messages.peek(Array(body.utf8)).inputTokensMax
        try require(bound >= text.utf8.count + 256, body)
      }
    }
  }

  @Test(arguments: [
    (#"{"model":"m"}"#, #"{"max_tokens":7,"model":"m"}"#), ("{}", #"{"max_tokens":7}"#),
    (#"{"max_tokens": null,"model":"m"}"#, #"{"max_tokens": 7,"model":"m"}"#),
    (#"{"metadata":{"max_tokens":null}}"#, #"{"max_tokens":7,"metadata":{"max_tokens":null}}"#),
  ])
  func aBoundIsPutIn(body: String, wanted: String) throws {
    let bytes = Array(body.utf8)
    let result = try Providers.Operation.messages.peek(bytes).splices(outputBound: 7)
      .applied(to: bytes)
    #expect(String(decoding: result, as: UTF8.self) == wanted)
    #expect(try Providers.Operation.messages.peek(result).outputTokensMax == 7)
  }

  @Test func sampleTextIsWhatWasAskedAndSaid() {
    let asked = Providers.Operation.messages.inputText(
      of: Array(
        #"""
        {"system":[{"type":"text","text":"Be brief."}],"messages":[
        {"role":"user","content":"Tide?"},{"role":"assistant","content":[
        {"type":"tool_use","id":"t","name":"tide","input":{"port":"E"}}]},
        {"role":"user","content":[{"type":"tool_result","content":[
        {"type":"text","text":"14:20"},{"type":"image","source":{}}]}]}]}
        """#.utf8))
    #expect(
      asked == """
        system: Be brief.

        user: Tide?

        assistant: [{"name":"tide","arguments":{"port":"E"}}]

        user: 14:20
        [image]
        """)
  }

  @Test func aStreamsTextIsPutTogether() throws {
    func text(_ name: String) throws -> OutputText {
      let file = MeteredAnswer.folder.appending(path: "anthropic/\(name)")
      return Providers.Operation.messages.outputText(
        of: [UInt8](try Data(contentsOf: file)), isStream: name.hasSuffix(".sse"))
    }
    let call = try text("messages-cumulative.sse")
    #expect(call.toolCalls == #"[{"name":"tide_table","arguments":{"port":"Emden"}}]"#)
    #expect(call.finishReason == "tool_use")
    #expect(try text("messages-cache-1h.sse").text == #"The "North" quay is open."#)
    #expect(try text("messages-error.sse").errorMessage == "Overloaded")
    #expect(try text("messages-web-search.json").text == "High water is at 14:20.")
  }
}
