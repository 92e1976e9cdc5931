// A request made into one of another model: what changes, where, and what is left as it is.

import Metering
import Testing

@testable import Providers

@Suite struct SubstitutionTests {
  /// The body and path after a substitution; nil: there is none.
  private func substituted(
    _ operation: Providers.Operation, _ body: String, path: String = "/", model: String? = nil,
    most: Int64? = nil
  ) throws -> (body: String, path: String)? {
    let bytes = Array(body.utf8)
    let request = try operation.peek(bytes, path: path)
    var copy = path
    let found = copy.withUTF8 { path in
      operation.substitution(
        of: request, by: Substitute(model: model, outputTokensMax: most),
        path: UnsafeRawBufferPointer(path))
    }
    guard let found else { return nil }
    let changed = found.path.map { [$0].applied(to: Array(path.utf8)) } ?? Array(path.utf8)
    return (
      String(decoding: found.body.applied(to: bytes), as: UTF8.self),
      String(decoding: changed, as: UTF8.self)
    )
  }

  private static let converse = #"{"messages":[{"role":"user","content":[{"text":"hi"}]}]}"#

  @Test func namesInPathsAreEscapedAsClientsDoIt() throws {
    let changed = try substituted(
      .converse, Self.converse, path: "/model/eu.anthropic.claude-x-v1%3A0/converse",
      model: "us.amazon.nova-lite-v1:0")
    #expect(changed?.path == "/model/us.amazon.nova-lite-v1%3A0/converse")
    #expect(changed?.body == Self.converse)
    let query = try substituted(
      .streamGenerateContent, #"{"contents":[]}"#,
      path: "/v1beta/models/gemini-pro:streamGenerateContent?alt=sse", model: "gemini-flash")
    #expect(query?.path == "/v1beta/models/gemini-flash:streamGenerateContent?alt=sse")
  }

  @Test(arguments: ["a b", "a\"b", "a\\b", "ä?", "a\nb", ""]) func aNameThatBreaksOutIsNotTaken(
    name: String
  ) throws {
    let path = "/model/anthropic.claude-x/converse"
    #expect(try substituted(.converse, Self.converse, path: path, model: name) == nil)
    let body = #"{"model":"gpt","messages":[]}"#
    let changed = try substituted(.chatCompletions, body, model: name)
    // Within a text of JSON, more can stand than in a path.
    if let changed {
      #expect(try Providers.Operation.chatCompletions.peek(Array(changed.body.utf8)).model == name)
    }
  }

  /// The body of an InvokeModel call is in the form of its model's maker.
  @Test(arguments: [
    ("mistral.mixtral-x", "mistral.small-x", true),
    ("anthropic.claude-3-x", "eu.anthropic.claude-4-x", true),
    ("mistral.mixtral-x", "meta.llama3-x", false), ("mistral.mixtral-x", "own-profile", false),
  ])
  func aBodyGoesToModelsOfItsFormAlone(model: String, other: String, isTaken: Bool) throws {
    let body =
      model.hasPrefix("mistral")
      ? #"{"prompt":"hi","max_tokens":9}"#
      : #"{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[]}"#
    let changed = try substituted(.invokeModel, body, path: "/model/\(model)/invoke", model: other)
    #expect(changed?.path == (isTaken ? "/model/\(other)/invoke" : nil))
    // To another form, Converse's is the way.
    let converse = try substituted(
      .converse, Self.converse, path: "/model/\(model)/converse", model: other)
    #expect(converse?.path == "/model/\(other)/converse")
  }

  @Test func everyBoundThatIsLargerIsLowered() throws {
    let chat = try substituted(
      .chatCompletions,
      #"{"max_tokens":9,"max_output_tokens":7000,"model":"m","max_completion_tokens" : 800}"#,
      most: 50)
    #expect(
      chat?.body
        == #"{"max_tokens":9,"max_output_tokens":50,"model":"m","max_completion_tokens" : 50}"#)
    let gemini = try substituted(
      .generateContent, #"{"generationConfig":{"maxOutputTokens":"900","candidateCount":2}}"#,
      path: "/v1/models/m:generateContent", most: 50)
    #expect(gemini?.body == #"{"generationConfig":{"maxOutputTokens":50,"candidateCount":2}}"#)
    let nova = try substituted(
      .invokeModel, #"{"inferenceConfig":{"max_new_tokens":900,"maxTokens":60}}"#,
      path: "/model/amazon.nova-lite-v1%3A0/invoke", most: 50)
    #expect(nova?.body == #"{"inferenceConfig":{"max_new_tokens":50,"maxTokens":50}}"#)
  }

  @Test(arguments: [
    Providers.Operation.embeddings, .images, .speech, .responsesSocket, .realtime, .ollamaEmbed,
  ])
  func whatIsNoTextHasNoSubstitute(operation: Providers.Operation) {
    let found = operation.substitution(
      of: PeekedRequest(), by: Substitute(model: "m"),
      path: UnsafeRawBufferPointer(
        start: nil, count: 0))
    #expect(found == nil)
  }
}
