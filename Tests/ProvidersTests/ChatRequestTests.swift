// Peeking: what admission reads of a request, and what it refuses to guess.

import Foundation
import TestSupport
import Testing

@testable import Metering
@testable import Providers

@Suite struct ChatRequestTests {
  private func peek(_ text: String) throws -> PeekedRequest {
    try Operation.chatCompletions.peek(Array(text.utf8))
  }

  @Test func readsTopLevelFieldsWhereverTheyStand() throws {
    let request = try peek(
      #"""
      {"messages":[{"role":"user","content":"model \"x\"","model":"inner","stream":true}],
       "max_completion_tokens":100,"n":3,"stream":true,"service_tier":"flex",
       "stream_options":{"include_usage":true},"temperature":0.7,"mod\u0065l":"gpt-4o"}
      """#)
    #expect(request.model == "gpt-4o")
    #expect(request.isStream)
    #expect(!request.hidesUsage)
    #expect(request.outputTokensPerChoice == 100)
    #expect(request.outputTokensMax == 300)
    #expect(request.serviceTier == "flex")
    #expect(request.unboundablePart == nil)
    #expect(request.usageSplice == nil)
  }

  @Test func defaultsAndNulls() throws {
    let request = try peek(
      #"{"model":"m","stream":null,"n":null,"max_tokens":null,"service_tier":null,"tools":null}"#)
    #expect(!request.isStream)
    #expect(request.choices == 1)
    #expect(request.outputTokensMax == nil)
    #expect(request.serviceTier == nil)
  }

  @Test func theLargerBoundCounts() throws {
    #expect(try peek(#"{"max_tokens":10,"max_completion_tokens":5}"#).outputTokensMax == 10)
    #expect(try peek(#"{"max_tokens":10,"n":2,"best_of":4}"#).outputTokensMax == 40)
    #expect(try peek(#"{"max_output_tokens":10}"#).outputTokensMax == nil)
    #expect(try peek(#"{"max_tokens":5,"max_output_tokens":10}"#).outputTokensMax == 10)
    let most = try peek(#"{"max_tokens":9223372036854775807,"n":2}"#)
    #expect(most.outputTokensMax == .max)
  }

  @Test(arguments: [
    (#"{"model":"a","model":"b"}"#, "'model' is said twice"),
    (#"{"model":"a","\u006dodel":"b"}"#, "'model' is said twice"),
    (#"{"max_tokens":1,"MAX_TOKENS":9}"#, "differs from 'max_tokens'"),
    (#"{"meſſages":[]}"#, "differs from 'messages'"),
    (#"{"max_toKens":9}"#, "differs from 'max_tokens'"),
    (#"{"stream_options":{"include_usage":true,"include_usage":false}}"#, "said twice"),
    (#"{"stream_options":{"Include_Usage":true}}"#, "differs from 'include_usage'"),
    (#"{"stream_options":{"include_usage":1}}"#, "must be true or false"),
    (#"{"stream_options":{"include_usage":{}}}"#, "must be true or false"),
    (#"{"stream_options":[]}"#, "'stream_options' must be an object"),
    (#"{"stream":"true"}"#, "'stream' must be true or false"),
    (#"{"stream":1}"#, "'stream' must be true or false"),
    (#"{"model":7}"#, "'model' must be a string"),
    (#"{"model":["a"]}"#, "'model' must be a string"),
    (#"{"max_tokens":"5"}"#, "'max_tokens' must be a whole number"),
    (#"{"max_tokens":-1}"#, "'max_tokens' must be a whole number"),
    (#"{"max_tokens":1.5}"#, "'max_tokens' must be a whole number"),
    (#"{"n":{}}"#, "'n' must be a whole number"),
    (#"{"messages":{}}"#, "'messages' must be an array"),
    (#"{"messages":"hi"}"#, "'messages' must be an array"),
    (#"{"tools":"x"}"#, "'tools' must be an array"),
    (#"[{"model":"a"}]"#, "is not an object"),
    (#"{"model":"a"}{"model":"b"}"#, "something follows"),
    (#"{"model":"a""#, "ends too early"),
  ])
  func refuses(body: String, reason: String) {
    #expect {
      _ = try peek(body)
    } throws: { error in
      guard let fault = error as? PeekFault else { return false }
      return fault.message.contains(reason) && fault.message.contains("at byte \(fault.offset)")
    }
  }

  @Test func faultsDoNotEchoTheBody() {
    #expect {
      _ = try peek(#"{"messages":[{"content":"my secret"}],"model":my-secret}"#)
    } throws: { !"\($0)".contains("secret") }
  }

  @Test(arguments: [
    (
      #"{"messages":[{"content":[{"type":"input_audio","input_audio":{"data":"x"}}]}]}"#,
      "input_audio"
    ),
    (#"{"messages":[{"content":[{"type":"file","file":{"file_id":"x"}}]}]}"#, "file"),
    (#"{"messages":[{"content":[{"type":"hologram"}]}]}"#, "hologram"),
    (#"{"messages":[{"content":[{"type":["image_url"]}]}]}"#, "type"),
    (#"{"messages":[{"role":"assistant","audio":{"id":"a"}}]}"#, "audio"),
    (#"{"messages":[{"role":"user","content":"x","images":["aGk="]}]}"#, "images"),
    (#"{"tools":[{"type":"web_search"}]}"#, "web_search"),
    (#"{"tools":[{"google_search":{}}]}"#, "google_search"),
    (#"{"prediction":{"type":"content","content":"x"}}"#, "prediction"),
    (#"{"modalities":["text","audio"]}"#, "modality"),
    (#"{"models":["gpt-4o","gpt-5"]}"#, "models"),
    (#"{"plugins":[{"id":"web"}]}"#, "plugins"),
    (#"{"chat_template":"{{ x }}"}"#, "chat_template"),
    (#"{"prompt_token_ids":[1]}"#, "prompt_token_ids"),
    (#"{"max_tokens":5,"n_predict":9000}"#, "n_predict"),
    (#"{"max_new_tokens":9000}"#, "max_new_tokens"),
    (#"{"num_predict":9000}"#, "num_predict"),
  ])
  func namesPartsWithoutABound(body: String, part: String) throws {
    #expect(try peek(body).unboundablePart?.contains(part) == true)
  }

  private static func price(_ ownSearches: OwnSearches?) -> ModelPrice {
    var rates = Rates(input: 1, output: 1)
    (rates[.webSearchesLow], rates[.webSearches], rates[.webSearchesHigh]) = (5, 8, 12)
    return ModelPrice(
      effectiveFrom: Timestamp(milliseconds: 0), base: rates, ownSearches: ownSearches)
  }

  /// What a model that searches by itself is asked is one fee, of the size that is asked for.
  @Test(arguments: [
    (#"{}"#, UsageBucket.webSearchesHigh), (#"{"web_search_options":null}"#, .webSearchesHigh),
    (#"{"web_search_options":{}}"#, .webSearchesHigh),
    (#"{"web_search_options":{"search_context_size":"low"}}"#, .webSearchesLow),
    (#"{"web_search_options":{"search_context_size":"medium"}}"#, .webSearches),
    (
      #"{"web_search_options":{"user_location":{"approximate":{"search_context_size":"x"}}}}"#,
      .webSearchesHigh
    ),
  ])
  func searchesOfItsOwnAreOneFee(body: String, bucket: UsageBucket) throws {
    let request = try peek(body).searching(at: Self.price(.perCall))
    #expect(request.units == [UsageCount(bucket, 1)])
    #expect(request.unboundablePart == nil)
    let unbounded = try peek(body).searching(at: Self.price(.perSearch)).unboundablePart
    #expect(unbounded == "the searches that its model makes")
  }

  @Test(arguments: [
    #"{"web_search_options":{"search_type":"pro"}}"#,
    #"{"web_search_options":{"search_context_size":"vast"}}"#,
    #"{"web_search_options":{"search_context_size":3}}"#,
    #"{"web_search_options":{"search_context_size":["low"]}}"#,
    #"{"web_search_options":{"search_context_size":{"low":1}}}"#,
    #"{"web_search_options":{"search_context_size":"low","search_context_size":"high"}}"#,
    #"{"web_search_options":{"Search_Context_Size":"low"}}"#,
  ])
  func otherSearchOptionsHaveNoBound(body: String) throws {
    let request = try peek(body).searching(at: Self.price(.perCall))
    #expect(request.unboundablePart == "'web_search_options'")
  }

  /// A model that does not search by itself might be made to.
  @Test func askingAnotherModelToSearchHasNoBound() throws {
    let asked = try peek(#"{"web_search_options":{}}"#)
    #expect(asked.searching(at: Self.price(nil)).unboundablePart == "'web_search_options'")
    let plain = try peek("{}").searching(at: Self.price(nil))
    #expect(plain.unboundablePart == nil && plain.units.isEmpty)
  }

  @Test(arguments: [
    #"{"messages":[{"role":"user","content":[{"type":"text","text":"t"}]}],"modalities":["text"]}"#,
    #"{"messages":[{"content":[{"text":"","type":"text","cache_control":{"type":"ephemeral"}}]}]}"#,
    #"{"tools":[{"type":"function","function":{"name":"image_url","parameters":{"type":"x"}}}]}"#,
    #"{"prediction":null,"audio":null,"plugins":[],"web_search_options":null,"models":null}"#,
    #"{"messages":[{"role":"tool","tool_call_id":"1","content":"{\"type\":\"image_url\"}"}]}"#,
    #"{"metadata":{"audio":"x","type":"image_url"},"top_k":5,"min_p":0.1}"#,
  ])
  func boundableRequestsStayBoundable(body: String) throws {
    #expect(try peek(body).unboundablePart == nil)
  }

  /// A token is at least a byte of text: no tokenizer can make more of a request than this.
  /// A picture is billed as one, whatever its address or its bytes; text beside it is text.
  @Test func picturesAreBoundedWhateverTheirBytes() throws {
    let data = String(repeating: "A", count: 300_000)
    let long = "data:image/png;base64,\(data)"
    func bound(_ parts: String) throws -> Int64 {
      let request = try peek(
        #"{"model":"m","messages":[{"role":"user","content":[\#(parts)]}]}"#)
      #expect(request.unboundablePart == nil)
      return request.inputTokensMax
    }
    let picture = #"{"image_url":{"detail":"high","url":"\#(long)"},"type":"image_url"}"#
    #expect((48_169..<49_000).contains(try bound(picture)))
    #expect((96_338..<97_000).contains(try bound("\(picture),\(picture)")))
    #expect((48_169..<49_000).contains(try bound(#"{"type":"image_url","image_url":"\#(long)"}"#)))
    let text = #"{"type":"text","text":"\#(data)"}"#
    #expect(try bound("\(picture),\(text)") > 348_000)
    #expect(try bound("\(text),\(picture)") > 348_000)
    // An address elsewhere than in a part is no picture.
    #expect(
      try peek(#"{"messages":[{"role":"user","content":"\#(data)","image_url":"x"}]}"#)
        .unboundablePart != nil)
  }

  @Test func boundIsAtLeastTheTextAndNotFarAbove() throws {
    let text = String(repeating: "\u{1D11E}é~", count: 100)
    let escaped = text.utf16.map { "\\u" + String(0x10000 + Int($0), radix: 16).suffix(4) }.joined()
    for content in [text, escaped] {
      let body = #"{"messages":[{"role":"user","content":"\#(content)"}]}"#
      let bound = try peek(body).inputTokensMax
      #expect(bound >= Int64(text.utf8.count))
      #expect(bound <= Int64(text.utf8.count) + 400)
    }
  }

  @Test func everyPartOfARequestRaisesTheBound() throws {
    func bound(_ inner: String) throws -> Int64 { try peek("{\(inner)}").inputTokensMax }
    let word = String(repeating: "x", count: 500)
    let empty = try bound("")
    for inner in [
      #""messages":[{"role":"\#(word)"}]"#, #""messages":[{"name":"\#(word)"}]"#,
      #""messages":[{"\#(word)":"a"}]"#, #""messages":[{"content":[{"text":"\#(word)"}]}]"#,
      #""messages":[{"tool_calls":[{"function":{"arguments":"\#(word)"}}]}]"#,
      #""messages":["\#(word)"]"#, #""tools":[{"function":{"description":"\#(word)"}}]"#,
      #""functions":[{"name":"\#(word)"}]"#, #""response_format":{"json_schema":{"\#(word)":1}}"#,
      #""documents":["\#(word)"]"#,
    ] {
      #expect(try bound(inner) >= empty + 500, "\(inner.prefix(40))")
    }
    // Many empty messages, parts and values are not free: templates put marks between them.
    let many = (0..<100).map { _ in "{}" }.joined(separator: ",")
    #expect(try bound(#""messages":[\#(many)]"#) >= empty + 1_600)
    #expect(try bound(#""messages":[{"content":[\#(many)]}]"#) >= empty + 300)
  }

  @Test func randomBytesNeverCrash() {
    let seed = Array(
      (#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"é\n"}]}],"#
        + #""n":1,"stream_options":{"include_usage":null}}"#).utf8)
    var generator = SeededGenerator(seed: 11)
    var refused = 0
    for _ in 0..<4_000 {
      var bytes = seed
      for _ in 0..<generator.int(1...4) {
        bytes[generator.int(0...bytes.count - 1)] = generator.int(0...255)
      }
      if (try? Operation.chatCompletions.peek(bytes)) == nil { refused += 1 }
    }
    #expect(refused > 2_000)
  }

  @Test(.enabled(if: ReferenceData.isPresent, "LEEWAY_REFERENCE_DATA names no reference data"))
  func takesWhatTheOfficialClientsSend() throws {
    let file = try #require(ReferenceData.file("sdk/sdk_calls.jsonl"))
    var read = 0
    for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
      let call = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      guard let path = call?["path"] as? String, let body = call?["body"] as? [String: Any],
        Endpoint.classify(dialect: .openai, method: "POST", path: path)
          == .metered(.chatCompletions)
      else { continue }
      let bytes = Array(try JSONSerialization.data(withJSONObject: body))
      let request = try Operation.chatCompletions.peek(bytes)
      #expect(request.model == body["model"] as? String)
      #expect(request.isStream == (body["stream"] as? Bool ?? false))
      #expect(request.unboundablePart == nil)
      read += 1
    }
    #expect(read > 20)
  }
}

@Suite struct UsageSpliceTests {
  @Test(arguments: [
    (#"{"stream":true}"#, #"{"stream_options":{"include_usage":true},"stream":true}"#),
    (#" { "stream":true}"#, #" {"stream_options":{"include_usage":true}, "stream":true}"#),
    (
      #"{"stream":true,"stream_options":null}"#,
      #"{"stream":true,"stream_options":{"include_usage":true}}"#
    ),
    (
      #"{"stream_options": { },"stream":true}"#,
      #"{"stream_options": {"include_usage":true },"stream":true}"#
    ),
    (
      #"{"stream_options":{"x":[1]},"stream":true}"#,
      #"{"stream_options":{"include_usage":true,"x":[1]},"stream":true}"#
    ),
    (
      #"{"stream_options":{"x":1,"include_usage":false },"stream":true}"#,
      #"{"stream_options":{"x":1,"include_usage":true },"stream":true}"#
    ),
    (
      #"{"stream_options":{"include_usage":null},"stream":true}"#,
      #"{"stream_options":{"include_usage":true},"stream":true}"#
    ),
  ])
  func asksForUsageAndTouchesNothingElse(body: String, wanted: String) throws {
    let bytes = Array(body.utf8)
    let request = try Operation.chatCompletions.peek(bytes)
    #expect(request.hidesUsage)
    let splice = try #require(request.usageSplice)
    let result = [splice].applied(to: bytes)
    #expect(String(decoding: result, as: UTF8.self) == wanted)
    #expect(result.count == bytes.count + splice.growth)
    let again = try Operation.chatCompletions.peek(result)
    #expect(!again.hidesUsage)
    #expect(again.usageSplice == nil)
  }

  @Test func leavesWhatIsNoStreamOrAsksAlready() throws {
    for body in [
      #"{"model":"m"}"#, #"{"stream":false,"stream_options":{}}"#,
      #"{"stream":true,"stream_options":{"include_usage":true}}"#,
    ] {
      let request = try Operation.chatCompletions.peek(Array(body.utf8))
      #expect(request.usageSplice == nil)
      #expect(!request.hidesUsage)
    }
  }

  @Test func spliceOfRandomRequestsKeepsEveryOtherMember() throws {
    for seed in UInt64(1)...300 {
      var maker = JSONMaker(generator: SeededGenerator(seed: seed))
      let inner = maker.document()
      let body = Array(#"{"metadata":\#(inner),"stream":true,"z":\#(inner)}"#.utf8)
      let result = try Operation.chatCompletions.peek(body).splices(outputBound: nil).applied(
        to: body)
      guard case .object(var members)? = tree(result), case .object(let before)? = tree(body) else {
        Issue.record("not JSON any more")
        return
      }
      #expect(members.first?.name == "stream_options")
      members.removeFirst()
      #expect(members == before)
    }
  }
}
