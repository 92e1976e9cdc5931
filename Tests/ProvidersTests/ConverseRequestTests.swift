// Peeking Converse requests, and the paths that name their models.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Providers

@Suite struct ConverseRequestTests {
  private static let path = "/model/us.anthropic.claude-x-v1%3A0/converse"

  private func peek(_ text: String, path: String = path) throws -> PeekedRequest {
    try Providers.Operation.converse.peek(Array(text.utf8), path: path)
  }

  private func content(_ blocks: String, path: String = path) throws -> PeekedRequest {
    try peek(#"{"messages":[{"role":"user","content":[\#(blocks)]}]}"#, path: path)
  }

  @Test func readsWhatAdmissionNeeds() throws {
    let request = try peek(
      #"{"messages":[{"role":"user","content":[{"text":"hi"}]}],"system":[{"text":"s"}],"#
        + #""inferenceConfig":{"temperature":0.5,"maxTokens":64},"serviceTier":{"type":"flex"}}"#)
    #expect(request.model == "us.anthropic.claude-x-v1:0")
    #expect(!request.isStream)
    #expect(request.outputTokensMax == 64)
    #expect(request.serviceTier == "flex")
    #expect(request.unboundablePart == nil)
    #expect(try Providers.Operation.converseStream.peek([0x7B, 0x7D], path: Self.path).isStream)
  }

  @Test(arguments: [
    ("/model/m/converse", Endpoint.metered(.converse)),
    ("/model/m/converse-stream", .metered(.converseStream)),
    ("/model/us.amazon.nova-lite-v1%3a0/converse", .metered(.converse)),
    ("/model/arn%3Aaws%3Abedrock%3Aeu-1%3A1%3Ainference-profile%2Fx/converse", .metered(.converse)),
    ("/model/m/invoke", .metered(.invokeModel)), ("/model/m/converse/", .unmetered),
    ("/model/m/invoke-with-response-stream", .metered(.invokeModelStream)),
    ("/model/amazon.titan-embed-text-v2%3A0/invoke", .metered(.invokeEmbed)),
    ("/model/us.cohere.embed-v4%3A0/invoke", .metered(.invokeEmbed)),
    ("/model/m/count-tokens", .free), ("/model/m/invoke/", .unmetered),
    ("/model/m/Invoke", .unmetered), ("/model/m/async-invoke", .unmetered),
    ("/model/m/invoke-with-bidirectional-stream", .unmetered), ("/invoke", .unmetered),
    ("/model//converse", .unmetered), ("/model/../converse", .unmetered),
    ("/model/a%2E%2E/converse", .unmetered), ("/model/a/b/converse", .unmetered),
    ("/x/model/m/converse", .unmetered), ("/model/m%3/converse", .unmetered),
    ("/converse", .unmetered),
  ])
  func endpoints(path: String, wanted: Endpoint) {
    #expect(Endpoint.classify(dialect: .bedrock, method: "POST", path: path) == wanted)
    #expect(Endpoint.classify(dialect: .bedrock, method: "GET", path: path) == .unmetered)
  }

  /// A model, and the regions that it may run in, have the names under which they are priced.
  @Test(arguments: [
    ("%3A1%3Aprofile%2fx", "arn:aws:bedrock:eu-1:1:profile/x"),
    ("%3A%3Afoundation-model%2Fmeta.llama-v1%3A0", "meta.llama-v1:0"),
    (":1:inference-profile%2Fus.meta.llama-v1%3A0", "us.meta.llama-v1:0"),
    (
      "%3A1%3Aapplication-inference-profile%2Fabc",
      "arn:aws:bedrock:eu-1:1:application-inference-profile/abc"
    ),
    ("%3A1%3Ainference-profile%2F", "arn:aws:bedrock:eu-1:1:inference-profile/"),
  ])
  func aResourcesNameIsTheModel(rest: String, model: String) throws {
    let path = "/model/arn%3Aaws%3Abedrock%3Aeu-1\(rest)/converse?y=1"
    #expect(try peek("{}", path: path).model == model)
  }

  @Test func aStoredPromptHasNoBound() throws {
    let path = "/model/arn%3Aaws%3Abedrock%3Aeu-1%3A1%3Aprompt%2Fx/converse"
    #expect(try peek("{}", path: path).unboundablePart?.contains("prompt") == true)
  }

  @Test(arguments: [
    (#"{"messages":[],"messages":[]}"#, "'messages' is said twice"),
    (#"{"inferenceconfig":{"maxTokens":9}}"#, "differs from 'inferenceConfig'"),
    (#"{"inferenceConfig":{"maxTokens":1,"maxTokens":9}}"#, "maxTokens' is said twice"),
    (#"{"inferenceConfig":{"MaxTokens":9}}"#, "differs from 'maxTokens'"),
    (#"{"inferenceConfig":{"maxTokens":"9"}}"#, "must be a whole number"),
    (#"{"inferenceConfig":{"maxTokens":[9]}}"#, "must be a whole number"),
    (#"{"inferenceConfig":[]}"#, "must be an object"), (#"{"inferenceConfig":7}"#, "an object"),
  ])
  func refuses(body: String, reason: String) {
    #expect {
      _ = try peek(body)
    } throws: { error in
      (error as? PeekFault)?.message.contains(reason) == true
    }
  }

  @Test(arguments: [
    (#""guardrailConfig":{"guardrailIdentifier":"g"}"#, "'guardrailConfig'"),
    (#""additionalModelRequestFields":{"max_tokens":9000}"#, "additionalModelRequestFields"),
    (#""promptVariables":{"x":{"text":"y"}}"#, "'promptVariables'"),
    (#""performanceConfig":{"latency":"optimized"}"#, "'performanceConfig'"),
    (#""toolConfig":{"tools":[{"systemTool":{"name":"nova_grounding"}}]}"#, "systemTool"),
    (
      #""messages":[{"role":"user","content":[{"document":{"source":{"bytes":"QQ"}}}]}]"#,
      "document"
    ),
    (#""messages":[{"role":"user","content":[{"video":{}}]}]"#, "video"),
    (#""messages":[{"role":"user","content":[{"guardContent":{}}]}]"#, "guardContent"),
    (
      #""messages":[{"role":"user","content":[{"image":{"source":{"s3Location":{}}}}]}]"#,
      "elsewhere"
    ),
    (
      #""messages":[{"role":"user","content":[{"toolResult":{"content":[{"document":{}}]}}]}]"#,
      "document"
    ),
  ])
  func namesPartsWithoutABound(member: String, part: String) throws {
    let request = try peek("{\(member)}")
    #expect(request.unboundablePart?.contains(part) == true, "\(request.unboundablePart ?? "nil")")
  }

  @Test func picturesAreBoundedWhereTheirModelIsKnown() throws {
    let data = String(repeating: "A", count: 200_000)
    let picture = #"{"image":{"format":"png","source":{"bytes":"\#(data)"}}}"#
    let request = try content(picture)
    #expect(request.unboundablePart == nil)
    #expect((4_784..<6_000).contains(request.inputTokensMax))
    let nested = try content(#"{"toolResult":{"toolUseId":"t","content":[\#(picture)]}}"#)
    #expect(nested.unboundablePart == nil && nested.inputTokensMax < 6_000)
    #expect(try content(picture, path: "/model/meta.llama/converse").unboundablePart != nil)
    // Bytes elsewhere are text.
    #expect(
      try content(#"{"toolUse":{"name":"n","input":{"source":{"bytes":"\#(data)"}}}}"#)
        .inputTokensMax > 200_000)
  }

  @Test func theBoundHoldsTheText() throws {
    try checkProperty("bound", over: 0...25, runs: 200, countMax: 200) { numbers in
      let text = String(decoding: numbers.map { UInt8($0) + 97 }, as: UTF8.self)
      for body in [
        #"{"messages":[{"role":"user","content":[{"text":"\#(text)"}]}]}"#,
        #"{"system":[{"text":"\#(text)"}]}"#,
        #"{"messages":[{"content":[{"toolResult":{"content":[{"text":"\#(text)"}]}}]}]}"#,
        #"{"messages":[{"content":[{"toolResult":{"content":[{"json":{"x":"\#(text)"}}]}}]}]}"#,
        #"{"toolConfig":{"tools":[{"toolSpec":{"description":"\#(text)"}}]}}"#,
      ] {
        let bound = try self.peek(body).inputTokensMax
        try require(bound >= text.utf8.count + 256, body)
      }
    }
  }

  @Test(arguments: [
    ("{}", #"{"inferenceConfig":{"maxTokens":7}}"#),
    (#"{"messages":[]}"#, #"{"inferenceConfig":{"maxTokens":7},"messages":[]}"#),
    (#"{"inferenceConfig":{}}"#, #"{"inferenceConfig":{"maxTokens":7}}"#),
    (#"{"inferenceConfig":{"topP":1}}"#, #"{"inferenceConfig":{"maxTokens":7,"topP":1}}"#),
    (#"{"inferenceConfig":null}"#, #"{"inferenceConfig":{"maxTokens":7}}"#),
    (#"{"inferenceConfig":{"maxTokens":null}}"#, #"{"inferenceConfig":{"maxTokens":7}}"#),
  ])
  func aBoundIsPutIn(body: String, wanted: String) throws {
    let bytes = Array(body.utf8)
    let result = try Providers.Operation.converse.peek(bytes, path: Self.path)
      .splices(outputBound: 7).applied(to: bytes)
    #expect(String(decoding: result, as: UTF8.self) == wanted)
    #expect(try peek(wanted).outputTokensMax == 7)
  }

  @Test func aStreamsTextIsPutTogether() throws {
    let file = MeteredAnswer.folder.appending(path: "bedrock/converse-stream.bin")
    let said = Providers.Operation.converseStream.outputText(
      of: [UInt8](try Data(contentsOf: file)), isStream: true)
    #expect(said.text == #"High water at "14:20"."#)
    #expect(said.toolCalls == #"[{"name":"tide","arguments":{"port":"Emden"}}]"#)
    #expect(said.finishReason == "tool_use")
  }

  /// Check value of the CRC catalogue, CRC-32/ISO-HDLC.
  @Test func theChecksumIsTheCataloguesOwn() {
    var checksum = CRC32()
    Array("123456789".utf8).withUnsafeBytes { checksum.add($0) }
    #expect(checksum.value == 0xCBF4_3926)
  }
}
