// Peeking InvokeModel requests: the model in the path says which form the body has.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Providers

@Suite struct InvokeRequestTests {
  private static let claude = "eu.anthropic.claude-sonnet-x-v1%3A0"

  private func peek(_ body: String, _ model: String, isStream: Bool = false) throws -> PeekedRequest
  {
    let operation: Providers.Operation = isStream ? .invokeModelStream : .invokeModel
    let verb = isStream ? "invoke-with-response-stream" : "invoke"
    return try operation.peek(Array(body.utf8), path: "/model/\(model)/\(verb)")
  }

  @Test func aClaudeBodyIsAMessageOfThePathsModel() throws {
    let body =
      #"{"anthropic_version":"bedrock-2023-05-31","max_tokens":64,"stream":false,"model":"x","#
      + #""messages":[{"role":"user","content":"hi"}]}"#
    let request = try peek(body, Self.claude)
    #expect(request.model == "eu.anthropic.claude-sonnet-x-v1:0" && !request.isStream)
    #expect(request.outputTokensMax == 64 && request.unboundablePart == nil)
    #expect(request.inputTokensMax >= 256)
    #expect(try peek(body, Self.claude, isStream: true).isStream)
    let tool = #"{"max_tokens":1,"tools":[{"type":"web_search_20250305","name":"web_search"}]}"#
    #expect(try peek(tool, Self.claude).unboundablePart?.contains("web_search") == true)
  }

  /// Where the name hides the maker, the body tells Anthropic's.
  @Test func aProfileOfOnesOwnIsReadByItsBody() throws {
    let profile = "arn%3Aaws%3Abedrock%3Aeu-1%3A1%3Aapplication-inference-profile%2Fabc"
    let known = try peek(
      #"{"anthropic_version":"bedrock-2023-05-31","max_tokens":5,"messages":[]}"#, profile)
    #expect(known.model == "arn:aws:bedrock:eu-1:1:application-inference-profile/abc")
    #expect(known.outputTokensMax == 5 && known.unboundablePart == nil)
    let unknown = try peek(#"{"prompt":"hi","max_gen_len":5}"#, profile)
    #expect(unknown.unboundablePart?.contains("maker") == true)
    #expect(unknown.outputBoundPlace == nil)
  }

  @Test(arguments: [
    ("meta.llama3-x-v1:0", #"{"prompt":"p","max_gen_len":7}"#),
    ("us.meta.llama4-x-v1:0", #"{"prompt":"p","max_gen_len":7,"temperature":0.5,"top_p":1}"#),
    ("mistral.mistral-x", #"{"prompt":"p","max_tokens":7,"stop":["x"],"top_k":5}"#),
    (
      "eu.mistral.pixtral-x",
      #"{"messages":[{"role":"user","content":[{"type":"text","text":"p"}]}],"max_tokens":7}"#
    ),
    ("us.deepseek.r1-v1:0", #"{"prompt":"p","max_tokens":7}"#),
    ("deepseek.v3-v1:0", #"{"messages":[{"role":"user","content":"p"}],"max_tokens":7}"#),
    ("cohere.command-text-v14", #"{"prompt":"p","max_tokens":7,"p":0.1,"k":2}"#),
    (
      "cohere.command-r-v1:0",
      #"{"message":"m","chat_history":[{"role":"USER","message":"p"}],"max_tokens":7,"#
        + #""documents":[{"title":"t","snippet":"s"}]}"#
    ),
    ("ai21.jamba-x", #"{"messages":[],"max_tokens":7}"#),
    (
      "openai.gpt-oss-20b-1:0",
      #"{"model":"openai.gpt-oss-20b-1:0","messages":[],"max_completion_tokens":7}"#
    ),
    ("qwen.qwen3-x", #"{"messages":[],"tools":[{"type":"function"}],"max_tokens":7}"#),
    (
      "amazon.nova-lite-v1:0",
      #"{"schemaVersion":"messages-v1","messages":[{"role":"user","content":[{"text":"p"}]}],"#
        + #""inferenceConfig":{"maxTokens":7}}"#
    ),
    ("apac.amazon.nova-micro-v1:0", #"{"inferenceConfig":{"max_new_tokens":7}}"#),
    ("amazon.nova-pro-v1:0", #"{"inferenceConfig":{"max_new_tokens":7,"maxTokens":3}}"#),
  ])
  func theOutputIsBounded(model: String, body: String) throws {
    let request = try peek(body, model.replacing(":", with: "%3A"))
    #expect(request.model == model)
    #expect(request.outputTokensMax == 7)
    #expect(request.unboundablePart == nil)
    #expect(request.usageSplice == nil && !request.hidesUsage)
    #expect((256..<4_096).contains(request.inputTokensMax))
  }

  @Test(arguments: [
    ("meta.llama3-x", #"{"prompt":"p"}"#, #"{"max_gen_len":9,"prompt":"p"}"#),
    ("meta.llama3-x", "{}", #"{"max_gen_len":9}"#),
    ("mistral.x", #"{"max_tokens":null,"prompt":"p"}"#, #"{"max_tokens":9,"prompt":"p"}"#),
    ("openai.gpt-oss-x", #"{"messages":[]}"#, #"{"max_completion_tokens":9,"messages":[]}"#),
    (
      "amazon.nova-lite", #"{"messages":[]}"#, #"{"inferenceConfig":{"maxTokens":9},"messages":[]}"#
    ),
    ("anthropic.claude-x", #"{"messages":[]}"#, #"{"max_tokens":9,"messages":[]}"#),
  ])
  func aBoundIsPutIn(model: String, body: String, wanted: String) throws {
    let request = try peek(body, model)
    #expect(request.outputTokensMax == nil)
    let bytes = request.splices(outputBound: 9).applied(to: Array(body.utf8))
    #expect(String(decoding: bytes, as: UTF8.self) == wanted)
    #expect(try peek(wanted, model).outputTokensMax == 9)
  }

  /// A second name of the bound that a model may obey raises it, and is none by itself.
  @Test func aSecondNameOfTheBoundIsNoBound() throws {
    let alone = try peek(#"{"messages":[],"max_tokens":50}"#, "openai.gpt-oss-x")
    #expect(alone.outputTokensMax == nil && alone.outputTokensMax(withBound: 9) == 50)
    let both = #"{"messages":[],"max_tokens":50,"max_completion_tokens":9}"#
    #expect(try peek(both, "openai.gpt-oss-x").outputTokensMax == 50)
  }

  @Test func severalAnswersCountEach() throws {
    let chat = try peek(#"{"messages":[],"max_tokens":5,"n":3}"#, "ai21.jamba-x")
    #expect(chat.outputTokensMax == 15)
    let text = try peek(#"{"prompt":"","max_tokens":5,"num_generations":4}"#, "cohere.command-x")
    #expect(text.outputTokensMax == 20)
  }

  @Test(arguments: [
    ("amazon.titan-embed-text-v2:0", #"{"inputText":"p","dimensions":256,"embeddingTypes":[]}"#),
    ("us.cohere.embed-v4:0", #"{"texts":["p","q"],"input_type":"search_query","max_tokens":99}"#),
  ])
  func embeddingsHaveNoOutput(model: String, body: String) throws {
    let request = try peek(body, model)
    #expect(request.outputTokensMax == 0 && request.unboundablePart == nil)
    #expect(request.inputTokensMax > 256)
  }

  @Test(arguments: [
    ("meta.llama3-x", #"{"prompt":"p","images":["QQ"]}"#, "'images'"),
    ("meta.llama3-x", #"{"prompt":"p","max_tokens":7}"#, "'max_tokens' beside"),
    (
      "mistral.pixtral-x",
      #"{"messages":[{"content":[{"type":"image_url","image_url":{"url":"u"}}]}]}"#, "image_url"
    ),
    ("qwen.x", #"{"messages":[{"content":[{"type":"input_audio","input_audio":{}}]}]}"#, "input_"),
    ("openai.x", #"{"model":"openai.y","messages":[]}"#, "a model beside"),
    ("cohere.embed-v4", #"{"images":["QQ"]}"#, "'images'"),
    ("amazon.titan-embed-text-v2", #"{"inputImage":"QQ"}"#, "'inputImage'"),
    (
      "amazon.nova-lite", #"{"messages":[{"content":[{"image":{"source":{"bytes":"QQ"}}}]}]}"#,
      "image"
    ),
    ("amazon.nova-lite", #"{"toolConfig":{"tools":[{"systemTool":{}}]}}"#, "systemTool"),
    ("amazon.nova-canvas-v1:0", #"{"taskType":"TEXT_IMAGE"}"#, "nova-canvas"),
    ("amazon.titan-image-generator-v2:0", "{}", "titan-image"),
    ("cohere.rerank-v3-5:0", #"{"query":"q"}"#, "cohere.rerank"),
    ("anthropic.claude-v2:1", #"{"prompt":"p","max_tokens_to_sample":5}"#, "claude-v2"),
    ("stability.sd3", "{}", "stability.sd3"), ("imported", "{}", "maker"),
    ("us.eu.meta.llama3", "{}", "maker"), ("meta", "{}", "maker"),
  ])
  func whatHasNoBoundIsNamed(model: String, body: String, words: String) throws {
    let request = try peek(body, model.replacing(":", with: "%3A"))
    #expect(request.unboundablePart?.contains(words) == true, "\(request.unboundablePart ?? "nil")")
  }

  @Test(arguments: [
    ("meta.llama3-x", #"{"max_gen_len":1,"max_gen_len":9}"#, "said twice"),
    ("meta.llama3-x", #"{"Max_gen_len":9}"#, "only by the case"),
    ("meta.llama3-x", #"{"max_gen_len":"9"}"#, "whole number"),
    ("meta.llama3-x", #"{"max_gen_len":[9]}"#, "whole number"),
    ("mistral.x", #"{"max_tokens":-1}"#, "at least 0"), ("ai21.jamba", #"{"n":0}"#, "at least 1"),
    ("openai.x", #"{"service_tier":1}"#, "a string"), ("openai.x", #"{"model":{}}"#, "a string"),
    ("anthropic.claude-x", #"{"max_tokens":1,"max_tokens":2}"#, "said twice"),
    (
      "amazon.nova-x", #"{"inferenceConfig":{"max_new_tokens":1,"max_new_tokens":2}}"#, "said twice"
    ),
    ("imported", "[]", "not an object"), ("meta.llama3-x", #"{"prompt":"x"} "# + "x", "follows"),
  ])
  func refuses(model: String, body: String, reason: String) {
    #expect {
      _ = try peek(body, model)
    } throws: { error in
      (error as? PeekFault)?.message.contains(reason) == true
    }
  }

  @Test func theBoundHoldsTheText() throws {
    let bodies: [(String, (String) -> String)] = [
      ("meta.llama3-x", { #"{"prompt":"\#($0)"}"# }),
      ("cohere.command-r-x", { #"{"message":"","chat_history":[{"message":"\#($0)"}]}"# }),
      ("qwen.x", { #"{"messages":[{"role":"user","content":"\#($0)"}]}"# }),
      ("qwen.x", { #"{"messages":[],"tools":[{"function":{"description":"\#($0)"}}]}"# }),
      ("cohere.embed-x", { #"{"texts":["\#($0)"]}"# }),
      ("anthropic.claude-x", { #"{"messages":[{"role":"user","content":"\#($0)"}]}"# }),
    ]
    try checkProperty("bound", over: 0...25, runs: 100, countMax: 200) { numbers in
      let text = String(decoding: numbers.map { UInt8($0) + 97 }, as: UTF8.self)
      for (model, body) in bodies {
        let bound = try self.peek(body(text), model).inputTokensMax
        try require(bound >= text.utf8.count + 256, body(text))
      }
    }
  }

  // MARK: - Headers

  private func field(_ name: String, _ value: String, to request: inout PeekedRequest) {
    Array(name.utf8).withUnsafeBytes { name in
      Array(value.utf8).withUnsafeBytes { request.takeInvokeField(name: name, value: $0) }
    }
  }

  @Test func headersAddToTheCost() throws {
    let plain = try peek(#"{"prompt":"p"}"#, "meta.llama3-x")
    var request = plain
    field("X-Amzn-Bedrock-Trace", "ENABLED", to: &request)
    field("X-Amzn-Bedrock-PerformanceConfig-Latency", "standard", to: &request)
    #expect(request == plain)
    field("X-Amzn-Bedrock-Service-Tier", "priority", to: &request)
    #expect(request.serviceTier == "priority" && request.unboundablePart == nil)
    field("x-amzn-bedrock-service-tier", "flex", to: &request)
    #expect(request.unboundablePart == "two service tiers")
    for (name, value, part) in [
      ("X-Amzn-Bedrock-GuardrailIdentifier", "g", "a guardrail"),
      ("X-Amzn-Bedrock-PerformanceConfig-Latency", "optimized", "optimized latency"),
    ] {
      var request = plain
      field(name, value, to: &request)
      #expect(request.unboundablePart == part)
    }
  }
}
