// Peeking Gemini's requests: two spellings of every key, and what the bytes do not bound.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Providers

@Suite struct GeminiRequestTests {
  private static let path = "/v1beta/models/gemini-x:generateContent"

  private func peek(
    _ text: String, _ operation: Providers.Operation = .generateContent,
    path: String = path
  ) throws -> PeekedRequest {
    try operation.peek(Array(text.utf8), path: path)
  }

  private func parts(_ parts: String) throws -> PeekedRequest {
    try peek(#"{"contents":[{"role":"user","parts":[\#(parts)]}]}"#)
  }

  @Test func readsWhatAdmissionNeeds() throws {
    for body in [
      #"{"contents":[{"parts":[{"text":"hi"}]}],"generationConfig":{"maxOutputTokens":64,"#
        + #""candidateCount":2},"serviceTier":"FLEX"}"#,
      #"{"service_tier":"flex","generation_config":{"candidate_count":"2","#
        + #""max_output_tokens":"64"},"contents":[{"parts":[{"text":"hi"}]}]}"#,
    ] {
      let request = try peek(body)
      #expect(request.model == "gemini-x")
      #expect(!request.isStream)
      #expect(request.outputTokensMax == 128)
      #expect(request.serviceTier == "flex")
      #expect(request.unboundablePart == nil)
    }
  }

  @Test(arguments: [
    ("/v1beta/models/m:streamGenerateContent?alt=sse", "m"),
    ("/v1/projects/p/locations/l/publishers/google/models/m-1:streamGenerateContent", "m-1"),
    ("/v1beta/tunedModels/mine-7:streamGenerateContent", "mine-7"),
  ])
  func theModelStandsInThePath(path: String, model: String) throws {
    #expect(
      Endpoint.classify(dialect: .gemini, method: "POST", path: path)
        == .metered(.streamGenerateContent))
    let request = try peek("{}", .streamGenerateContent, path: path)
    #expect(request.model == model)
    #expect(request.isStream)
  }

  @Test(arguments: [
    ("POST", "/v1beta/models/m:embedContent", Endpoint.metered(.embedContent)),
    ("POST", "/v1beta/models/m:batchEmbedContents", .metered(.embedContent)),
    ("POST", "/v1beta/models/m:countTokens", .free), ("GET", "/v1beta/models", .free),
    ("POST", "/v1beta/models/:generateContent", .unmetered),
    ("POST", "/v1beta/models/m:predict", .unmetered),
    ("POST", "/v1beta/models/m:batchGenerateContent", .unmetered),
    ("POST", "/v1beta/models/m%3AgenerateContent", .unmetered),
    ("GET", "/v1beta/models/m:generateContent", .free),
  ])
  func endpoints(method: String, path: String, wanted: Endpoint) {
    #expect(Endpoint.classify(dialect: .gemini, method: method, path: path) == wanted)
  }

  @Test(arguments: [
    (#"{"generationConfig":{},"generation_config":{}}"#, "'generationConfig' is said twice"),
    (#"{"generationConfig":{"maxOutputTokens":1,"max_output_tokens":9}}"#, "is said twice"),
    (#"{"generationconfig":{"maxOutputTokens":9}}"#, "differs from 'generationConfig'"),
    (#"{"generationConfig":{"maxoutputtokens":9}}"#, "differs from 'maxOutputTokens'"),
    (#"{"generationConfig":[]}"#, "'generationConfig' must be an object"),
    (#"{"generationConfig":5}"#, "'generationConfig' must be an object"),
    (#"{"generationConfig":{"maxOutputTokens":"many"}}"#, "must be a whole number"),
    (#"{"generationConfig":{"maxOutputTokens":1.5}}"#, "must be a whole number"),
    (#"{"generationConfig":{"maxOutputTokens":-1}}"#, "must be a whole number"),
    (#"{"generationConfig":{"candidateCount":{}}}"#, "must be a whole number"),
  ])
  func refuses(body: String, reason: String) {
    #expect {
      _ = try peek(body)
    } throws: { error in
      (error as? PeekFault)?.message.contains(reason) == true
    }
  }

  @Test(arguments: [
    (#""cachedContent":"cachedContents/c""#, "'cachedContent'"),
    (#""cached_content":"c""#, "'cachedContent'"),
    (#""tools":[{"googleSearch":{}}]"#, "googleSearch"),
    (#""tools":[{"functionDeclarations":[]},{"code_execution":{}}]"#, "code_execution"),
    (#""tools":{"urlContext":{}}"#, "urlContext"),
    (#""generationConfig":{"responseModalities":["TEXT","IMAGE"]}"#, "modality"),
    (#""generationConfig":{"speechConfig":{}}"#, "other than text"),
    (#""contents":[{"parts":[{"fileData":{"fileUri":"u"}}]}]"#, "fileData"),
    (#""contents":[{"parts":[{"inlineData":{"mimeType":"audio/wav","data":"QQ"}}]}]"#, "picture"),
    (#""contents":[{"parts":[{"inline_data":{"data":"QQ"}}]}]"#, "picture"),
    (#""contents":[{"parts":[{"hologram":1}]}]"#, "hologram"),
    (#""contents":[["x"]]"#, "no object"),
    (#""contents":[{"pieces":[{"fileData":{}}]}]"#, "unknown field"),
  ])
  func namesPartsWithoutABound(member: String, part: String) throws {
    let request = try peek("{\(member)}")
    #expect(request.unboundablePart?.contains(part) == true, "\(request.unboundablePart ?? "nil")")
  }

  @Test func picturesAreBoundedWhateverTheirBytes() throws {
    let data = String(repeating: "A", count: 200_000)
    let request = try parts(#"{"inlineData":{"data":"\#(data)","mimeType":"image/png"}}"#)
    #expect(request.unboundablePart == nil)
    #expect((7_740..<8_500).contains(request.inputTokensMax))
    #expect(try parts(#"{"text":"\#(data)"}"#).inputTokensMax > 200_000)
    // What a function answers is shown as it stands.
    #expect(
      try parts(#"{"functionResponse":{"name":"f","response":{"data":"\#(data)"}}}"#)
        .inputTokensMax > 200_000)
  }

  @Test func theBoundHoldsTheText() throws {
    try checkProperty("bound", over: 0...25, runs: 200, countMax: 200) { numbers in
      let text = String(decoding: numbers.map { UInt8($0) + 97 }, as: UTF8.self)
      for body in [
        #"{"contents":[{"parts":[{"text":"\#(text)"}]}]}"#,
        #"{"contents":{"parts":{"text":"\#(text)"}}}"#, #"{"contents":["\#(text)"]}"#,
        #"{"systemInstruction":{"parts":[{"text":"\#(text)"}]}}"#,
        #"{"content":{"parts":[{"text":"\#(text)"}]}}"#,
        #"{"requests":[{"content":{"parts":[{"text":"\#(text)"}]}}]}"#,
        #"{"tools":[{"functionDeclarations":[{"description":"\#(text)"}]}]}"#,
        #"{"generationConfig":{"responseSchema":{"title":"\#(text)"}}}"#,
      ] {
        let bound = try self.peek(body).inputTokensMax
        try require(bound >= text.utf8.count + 256, body)
      }
    }
  }

  @Test(arguments: [
    ("{}", #"{"generationConfig":{"maxOutputTokens":7}}"#),
    (#"{"contents":[]}"#, #"{"generationConfig":{"maxOutputTokens":7},"contents":[]}"#),
    (#"{"generationConfig":{}}"#, #"{"generationConfig":{"maxOutputTokens":7}}"#),
    (
      #"{"generation_config":{"topK":1}}"#, #"{"generation_config":{"maxOutputTokens":7,"topK":1}}"#
    ),
    (#"{"generationConfig":null}"#, #"{"generationConfig":{"maxOutputTokens":7}}"#),
    (
      #"{"generationConfig":{"max_output_tokens": null}}"#,
      #"{"generationConfig":{"max_output_tokens": 7}}"#
    ),
  ])
  func aBoundIsPutIn(body: String, wanted: String) throws {
    let bytes = Array(body.utf8)
    let result = try Providers.Operation.generateContent.peek(bytes, path: Self.path)
      .splices(outputBound: 7).applied(to: bytes)
    #expect(String(decoding: result, as: UTF8.self) == wanted)
    let again = try Providers.Operation.generateContent.peek(result, path: Self.path)
    #expect(again.outputTokensMax == 7)
  }

  @Test func embeddingsHaveNoOutput() throws {
    let request = try peek(
      #"{"content":{"parts":[{"text":"abcd"}]}}"#, .embedContent,
      path: "/v1beta/models/e-1:embedContent")
    #expect(request.model == "e-1")
    #expect(request.outputTokensMax == 0)
    #expect(request.outputBoundPlace == nil)
  }

  @Test func sampleTextIsWhatWasAskedAndSaid() throws {
    let asked = Providers.Operation.generateContent.inputText(
      of: Array(
        #"""
        {"system_instruction":{"parts":[{"text":"Be brief."}]},"contents":[
        {"role":"user","parts":[{"text":"Tide?"},{"inlineData":{"data":"QQ"}}]},
        {"role":"model","parts":[{"functionCall":{"name":"tide","args":{"port":"E"}}}]},
        {"role":"user","parts":[{"functionResponse":{"response":{"at":"14:20"}}}]}]}
        """#.utf8))
    #expect(
      asked == """
        system: Be brief.

        user: Tide?
        [inlineData]

        model: [{"name":"tide","arguments":{"port":"E"}}]

        user: {"at":"14:20"}
        """)
    for name in ["stream-cumulative.sse", "stream-array.json"] {
      let file = MeteredAnswer.folder.appending(path: "gemini/\(name)")
      let said = Providers.Operation.streamGenerateContent.outputText(
        of: [UInt8](try Data(contentsOf: file)), isStream: name.hasSuffix(".sse"))
      #expect(said.text == "High water")
      #expect(said.toolCalls == #"[{"name":"tide","arguments":{"port":"Emden"}}]"#)
      #expect(said.finishReason == "STOP")
    }
  }
}
