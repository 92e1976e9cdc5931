// Peeking Ollama's own requests, which stream unless they say otherwise.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Providers

@Suite struct OllamaRequestTests {
  private func peek(
    _ text: String, _ operation: Providers.Operation = .ollamaChat
  ) throws -> PeekedRequest {
    try operation.peek(Array(text.utf8))
  }

  @Test func readsWhatAdmissionNeeds() throws {
    let request = try peek(
      #"{"messages":[{"role":"user","content":"hi"}],"options":{"num_predict":64,"seed":1},"#
        + #""model":"quay:4b"}"#)
    #expect(request.model == "quay:4b")
    #expect(request.isStream)
    #expect(request.outputTokensMax == 64)
    #expect(request.unboundablePart == nil)
    #expect(try !peek(#"{"model":"m","stream":false}"#).isStream)
    #expect(try peek(#"{"model":"m","stream":null}"#).isStream)
    #expect(try peek(#"{"options":{"num_predict":-1}}"#).outputTokensMax == nil)
    #expect(try !peek(#"{"model":"m","input":"x"}"#, .ollamaEmbed).isStream)
    #expect(try peek(#"{"model":"m","input":"x"}"#, .ollamaEmbed).outputTokensMax == 0)
  }

  @Test(arguments: [
    (#"{"model":"a","model":"b"}"#, "'model' is said twice"),
    (#"{"options":{"num_predict":1,"num_predict":9}}"#, "'options.num_predict' is said twice"),
    (#"{"options":{"num_predict":1,"NUM_PREDICT":9}}"#, "differs from 'num_predict'"),
    (#"{"options":{"num_predict":"9"}}"#, "must be a whole number"),
    (#"{"options":{"num_predict":1.5}}"#, "must be a whole number"),
    (#"{"options":{"num_predict":[9]}}"#, "must be a whole number"),
    (#"{"options":[]}"#, "'options' must be an object"), (#"{"stream":"no"}"#, "true or false"),
    (#"{"Stream":false}"#, "differs from 'stream'"),
  ])
  func refuses(body: String, reason: String) {
    #expect {
      _ = try peek(body)
    } throws: { error in
      (error as? PeekFault)?.message.contains(reason) == true
    }
  }

  @Test func picturesAreNamed() throws {
    for body in [
      #"{"messages":[{"role":"user","content":"x","images":["aGk="]}]}"#,
      #"{"prompt":"x","images":["aGk="]}"#,
      #"{"messages":[{"role":"user","content":"x","IMAGES":["aGk="]}]}"#,
      #"{"messages":[{"role":"user","content":"x","image\u017f":["aGk="]}]}"#,
    ] { #expect(try peek(body).unboundablePart == "'images'") }
    #expect(try peek(#"{"prompt":"x","images":[]}"#).unboundablePart == nil)
  }

  /// It may show the prompt to the model any number of times.
  @Test func aTemplateIsNamed() throws {
    let body = #"{"model":"m","prompt":"x","template":"{{.Prompt}}{{.Prompt}}"}"#
    #expect(try peek(body, .ollamaGenerate).unboundablePart == "'template'")
    #expect(try peek(#"{"prompt":"x","template":""}"#, .ollamaGenerate).unboundablePart == nil)
  }

  @Test func theServerEnforcesNoMaximumOfTheModels() throws {
    #expect(try !peek(#"{"model":"m"}"#).isModelOutputEnforced)
    #expect(try Providers.Operation.chatCompletions.peek([0x7B, 0x7D]).isModelOutputEnforced)
  }

  @Test(arguments: [
    ("{}", #"{"options":{"num_predict":7}}"#),
    (#"{"model":"m"}"#, #"{"options":{"num_predict":7},"model":"m"}"#),
    (#"{"options":{}}"#, #"{"options":{"num_predict":7}}"#),
    (#"{"options":{"seed":1}}"#, #"{"options":{"num_predict":7,"seed":1}}"#),
    (#"{"options":null}"#, #"{"options":{"num_predict":7}}"#),
    (#"{"options":{"num_predict":-2}}"#, #"{"options":{"num_predict":7}}"#),
    (#"{"options":{"num_predict":null}}"#, #"{"options":{"num_predict":7}}"#),
  ])
  func aBoundIsPutIn(body: String, wanted: String) throws {
    let bytes = Array(body.utf8)
    let result = try Providers.Operation.ollamaChat.peek(bytes).splices(outputBound: 7)
      .applied(to: bytes)
    #expect(String(decoding: result, as: UTF8.self) == wanted)
    #expect(try Providers.Operation.ollamaChat.peek(result).outputTokensMax == 7)
  }

  @Test(arguments: [
    ("POST", "/api/chat", Endpoint.metered(.ollamaChat)),
    ("POST", "/api/generate", .metered(.ollamaGenerate)),
    ("POST", "/api/embed", .metered(.ollamaEmbed)),
    ("POST", "/api/embeddings", .metered(.ollamaEmbed)),
    ("POST", "/v1/chat/completions", .metered(.chatCompletions)), ("GET", "/api/tags", .free),
    ("POST", "/api/show", .free), ("POST", "/api/pull", .unmetered),
    ("GET", "/api/chat", .unmetered),
    ("DELETE", "/api/delete", .unmetered),
  ])
  func endpoints(method: String, path: String, wanted: Endpoint) {
    #expect(Endpoint.classify(dialect: .ollama, method: method, path: path) == wanted)
    if case .metered(let operation) = wanted, "\(operation)".hasPrefix("ollama") {
      #expect(DialectID.guess(path: path, fallback: .openai) == .ollama)
    }
  }

  @Test func sampleTextIsWhatWasAskedAndSaid() throws {
    let file = MeteredAnswer.folder.appending(path: "ollama/chat-stream.ndjson")
    let said = Providers.Operation.ollamaChat.outputText(
      of: [UInt8](try Data(contentsOf: file)), isStream: true)
    #expect(said.text == "At \"14:20\"\n")
    #expect(said.toolCalls == #"[{"name":"tide","arguments":{"port":"Emden","eval_count":99}}]"#)
    let asked = Providers.Operation.ollamaGenerate.inputText(
      of: Array(#"{"system":"Be brief.","prompt":"Tide?"}"#.utf8))
    #expect(asked == "system: Be brief.\n\nuser: Tide?")
  }
}
