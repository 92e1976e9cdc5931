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
    ("GET", "/v1beta/models/m", .free), ("GET", "/v1/publishers/google/models/m", .free),
    ("POST", "/v1/projects/p/locations/l/endpoints/7:countTokens", .free),
    // A header of Google's turns one method into another: a verb is never merely read.
    ("GET", "/v1beta/models/m:generateContent", .unmetered),
    ("HEAD", "/v1beta/models/m:streamGenerateContent", .unmetered),
    // Only models count tokens for nothing.
    ("POST", "/v1beta/corpora/c:countTokens", .unmetered),
    ("POST", "/v1beta/models/m/x:countTokens", .unmetered),
    ("POST", "/v1beta/models/m:asyncBatchEmbedContent", .unmetered),
    ("POST", "/v1beta/cachedContents", .unmetered), ("POST", "/v1beta/interactions", .unmetered),
    ("POST", "/upload/v1beta/files", .unmetered), ("GET", "/v1beta/files/f", .unmetered),
    ("POST", "/v1beta//models/m:countTokens", .unmetered),
    ("POST", "/v1beta/models/../models/m:countTokens", .unmetered),
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
    (#"{"generationConfig":{"candidateCount":1,"candidate_count":8}}"#, "is said twice"),
    (#"{"generationConfig":{"maxOutputTokens":1e2}}"#, "must be a whole number"),
    (#"{"generationConfig":{"maxOutputTokens":"1e2"}}"#, "must be a whole number"),
    (#"{"generationConfig":{"maxOutputTokens":true}}"#, "must be a whole number"),
    (#"{"generationConfig":{"max_Output_Tokens":9}}"#, "differs from 'maxOutputTokens'"),
    (#"{"contents":[],"contents":[]}"#, "'contents' is said twice"),
    (#"{"serviceTier":3}"#, "'serviceTier' must be a string"),
    (#"{"serviceTier":"flex","service_tier":"priority"}"#, "'serviceTier' is said twice"),
    (#"{"model":"models/gemini-y"}"#, "'model' must be the model that the path names"),
    (#"{"model":"tunedModels/gemini-x"}"#, "'model' must be the model that the path names"),
    (#"{"model":7}"#, "'model' must be a string"), (#"{"model":[]}"#, "'model' must be a string"),
    (#"{"Model":"models/gemini-x"}"#, "differs from 'model'"),
    (#"{"requests":[{"model":"models/gemini-y"}]}"#, "the model that the path names"),
    (
      #"{"requests":[{"model":"models/gemini-x"},{"model":"models/gemini-y"}]}"#,
      "'model' must be the same everywhere"
    ),
    (
      #"{"requests":[{"model":"models/gemini-x","model":"models/gemini-y"}]}"#,
      "'model' must be the same everywhere"
    ),
    (#"{"requests":[{"model":{}}]}"#, "'model' must be a string"),
    (#"{"requests":[{"model":0}]}"#, "'model' must be a string"),
    (#"{"requests":[{"MODEL":"models/gemini-x"}]}"#, "differs from 'model'"),
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
    (#""continuationToken":"QQ""#, "'continuationToken'"),
    (#""continuation_token":7"#, "'continuationToken'"),
    // Behind the path's back, another model.
    (
      #""generationConfig":{"routingConfig":{"manualMode":{"modelName":"dear"}}}"#,
      "chooses the model"
    ),
    (#""generation_config":{"routing_config":{"auto_mode":{}}}"#, "chooses the model"),
    (#""generationConfig":{"modelConfig":{}}"#, "chooses the model"),
    // An enumeration said by its number, alone or in a list.
    (#""generationConfig":{"responseModalities":[1,2]}"#, "modality"),
    (#""generationConfig":{"responseModalities":3}"#, "modality"),
    (#""generationConfig":{"responseModalities":"AUDIO"}"#, "modality"),
    (#""generationConfig":{"responseFormat":[{"text":{}},{"image":{}}]}"#, "other than text"),
    (#""generationConfig":{"response_format":{"audio":{}}}"#, "other than text"),
    (#""generationConfig":{"translationConfig":{}}"#, "other than text"),
    // Media within what a function answers.
    (
      #""contents":[{"parts":[{"functionResponse":{"parts":[{"fileData":{"fileUri":"u"}}]}}]}]"#,
      "fileData"
    ),
    (
      #""contents":[{"parts":[{"function_response":{"parts":[{"inlineData":{"mimeType":"#
        + #""application/pdf","data":"QQ"}}]}}]}]"#, "picture"
    ),
    (#""contents":[{"parts":[{"functionResponse":[{}]}]}]"#, "answer"),
    (#""contents":[{"parts":[{"inlineData":[{"mimeType":"image/png"}]}]}]"#, "inline data"),
    (
      #""contents":[{"parts":[{"inlineData":{"mimeType":"audio/wav","mime_type":"image/png","#
        + #""data":"QQ"}}]}]"#, "picture"
    ),
    (
      #""contents":[{"parts":[{"inlineData":{"mimeType":"image/png","mimeType":"audio/wav","#
        + #""data":"QQ"}}]}]"#, "picture"
    ),
    (#""contents":[{"parts":[{"toolCall":{}}]}]"#, "toolCall"),
    (#""tools":[{"mcpServers":[]}]"#, "mcpServers"),
    (#""requests":[{"content":{"parts":[{"fileData":{"fileUri":"u"}}]}}]"#, "fileData"),
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

  @Test(arguments: [
    #"{"generationConfig":{"responseModalities":["TEXT"]}}"#,
    #"{"generationConfig":{"responseModalities":[1]}}"#,
    #"{"generationConfig":{"responseModalities":[]}}"#,
    #"{"generationConfig":{"responseFormat":{"text":{"schema":{"properties":{"image":{}}}}}}}"#,
    #"{"generationConfig":{"routingConfig":null,"speechConfig":null}}"#,
    #"{"cachedContent":null,"continuationToken":""}"#,
    #"{"contents":[{"parts":[{"text":"a","thought":true,"thoughtSignature":"QQ"}]}]}"#,
    #"{"contents":[{"parts":[{"functionCall":{"name":"f","args":{"fileData":{}}}}]}]}"#,
    #"{"contents":[{"parts":[{"functionResponse":{"response":{"fileData":{},"parts":[{}]}}}]}]}"#,
    #"{"contents":[{"parts":[{"executableCode":{"code":"1"}},{"codeExecutionResult":{}}]}]}"#,
    #"{"tools":[{"functionDeclarations":[{"name":"googleSearch"}]}],"toolConfig":{}}"#,
    #"{"model":"models/gemini-x","requests":[{"model":"models/gemini-x","content":{}}]}"#,
    #"{"model":"gemini-x","labels":{"team":"x"},"safetySettings":[],"store":false}"#,
    #"{"model":"projects/p/locations/l/publishers/google/models/gemini-x"}"#,
  ])
  func plainRequestsHaveABound(body: String) throws {
    #expect(try peek(body).unboundablePart == nil)
  }

  /// Google's servers leave out of an answer what a mask in the query does not name: the figures,
  /// or only the dear ones.
  @Test(arguments: [
    ("?fields=candidates", true), ("?alt=sse&fields=usageMetadata.promptTokenCount", true),
    ("?%66ields=candidates", true), ("?$fields=candidates", true), ("?%24fields=x", true),
    ("?fields", true), ("?alt=sse", false), ("?$alt=json;enum-encoding=int", false),
    ("?field=x&xfields=y&alt=fields", false), ("", false), ("?", false), ("?%", false),
  ])
  func aFieldMaskLeavesNoBound(query: String, isNamed: Bool) throws {
    for operation in [Providers.Operation.generateContent, .streamGenerateContent, .embedContent] {
      let part = try peek("{}", operation, path: Self.path + query).unboundablePart
      #expect((part?.contains("field mask") == true) == isNamed)
    }
  }

  @Test func picturesThatAFunctionAnswersAreBounded() throws {
    let data = String(repeating: "A", count: 200_000)
    let request = try parts(
      #"{"functionResponse":{"name":"f","response":{},"parts":[{"inlineData":"#
        + #"{"mimeType":"image/png","data":"\#(data)"}},{"inline_data":"#
        + #"{"mime_type":"image/png","data":"QQ"}}]}}"#)
    #expect(request.unboundablePart == nil)
    #expect((15_480..<17_000).contains(request.inputTokensMax))
  }

  @Test func everyDeclarationHasItsConstant() throws {
    let one = #"{"name":"f"}"#
    func bound(_ count: Int) throws -> Int64 {
      let list = Array(repeating: one, count: count).joined(separator: ",")
      return try peek(#"{"tools":[{"function_declarations":[\#(list)]}]}"#).inputTokensMax
    }
    #expect(try bound(101) - bound(1) == 100 * (Int64(one.utf8.count) + 1 + 64))
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
    // The API's format does not tell a zero from nothing.
    (
      #"{"generationConfig":{"maxOutputTokens":0,"topK":1}}"#,
      #"{"generationConfig":{"maxOutputTokens":7,"topK":1}}"#
    ),
    (
      #"{"generationConfig":{"maxOutputTokens":"0"}}"#,
      #"{"generationConfig":{"maxOutputTokens":7}}"#
    ),
    (
      #"{"generationConfig":{"thinkingConfig":{"maxOutputTokens":9}}}"#,
      #"{"generationConfig":{"maxOutputTokens":7,"thinkingConfig":{"maxOutputTokens":9}}}"#
    ),
    (
      #"{"generationConfig" : { } , "contents":[]}"#,
      #"{"generationConfig" : {"maxOutputTokens":7 } , "contents":[]}"#
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

  /// Samples name why an answer ended, however the provider said it.
  @Test func sampleTextNamesReasonsSaidByNumber() throws {
    let file = MeteredAnswer.folder.appending(path: "gemini/generate-numbers.json")
    let operation = Providers.Operation.generateContent
    let said = operation.outputText(of: [UInt8](try Data(contentsOf: file)), isStream: false)
    #expect(said.text == "The bell rings twice.")
    #expect(said.finishReason == "MAX_TOKENS")
    let blocked = Array(#"{"promptFeedback":{"blockReason":4}}"#.utf8)
    #expect(
      operation.outputText(of: blocked, isStream: false).finishReason == "PROHIBITED_CONTENT")
  }
}
