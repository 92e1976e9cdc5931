// InvokeModel's answers beside the recordings: heads, figures that contradict, texts for samples.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Providers

@Suite struct InvokeAnswerTests {
  private func read(
    _ body: String, _ operation: Providers.Operation = .invokeModel
  ) -> CallReading {
    let reader = operation.answerReader()
    Array(body.utf8).withUnsafeBytes { _ = reader.feed($0) }
    return reader.reading
  }

  private func head(
    _ fields: [(String, String)], _ operation: Providers.Operation = .invokeModel
  ) -> InvokeHead {
    var head = InvokeHead(operation)
    for (name, value) in fields {
      Array(name.utf8).withUnsafeBytes { name in
        Array(value.utf8).withUnsafeBytes { head.take(name: name, value: $0) }
      }
    }
    return head
  }

  private static let counts = [
    ("X-Amzn-Bedrock-Input-Token-Count", "12"), ("x-amzn-bedrock-output-token-count", "5"),
    ("X-Amzn-Bedrock-Cache-Read-Input-Token-Count", "100"), ("content-type", "application/json"),
  ]

  @Test func theHeadHasTheUsageThatTheBodyHasNot() {
    let body = read(#"{"text":"ab","finish_reason":"COMPLETE"}"#)
    #expect(body.usage == nil && body.outputTextBytes == 2)
    let reading = head(Self.counts).completing(body)
    #expect(reading.usage?.inputUncached == 12 && reading.usage?.outputText == 5)
    #expect(reading.usage?.cacheRead == 100 && reading.usage?.source == .reported)
    #expect(!reading.isUsageInconsistent && reading.finishReason == "COMPLETE")
    // Half of it is nothing, but for an embedding.
    #expect(head([Self.counts[0]]).completing(body).usage == nil)
    let vectors = head([Self.counts[0]], .invokeEmbed)
      .completing(read(#"{"embeddings":[[1]],"texts":["a"]}"#, .invokeEmbed))
    #expect(vectors.usage?.inputUncached == 12 && vectors.usage?.outputText == 0)
    #expect(head([], .invokeEmbed).completing(CallReading()).usage == nil)
  }

  @Test func theBodysFiguresStandBeforeTheHeads() {
    let body = read(#"{"generation":"x","prompt_token_count":1,"generation_token_count":2}"#)
    let reading = head(Self.counts).completing(body)
    #expect(reading.usage?.inputUncached == 1 && reading.usage?.outputText == 2)
    #expect(reading.usage?.cacheRead == 0)
  }

  @Test(arguments: ["-1", "1.5", "", "9999999999999999", " 1", "1e3"])
  func aHeadsCountThatIsNoneIsNone(value: String) {
    let fields = [(Self.counts[0].0, value), Self.counts[1]]
    let reading = head(fields).completing(CallReading())
    #expect(reading.usage == nil && reading.isUsageInconsistent)
  }

  @Test func theTierThatServedStandsInTheHead() {
    let body = read(#"{"type":"message","usage":{"service_tier":"standard"}}"#)
    #expect(head([]).completing(body).serviceTier == "standard")
    #expect(head([("X-Amzn-Bedrock-Service-Tier", "flex")]).completing(body).serviceTier == "flex")
    let fast = head([("X-Amzn-Bedrock-PerformanceConfig-Latency", "optimized")])
    #expect(fast.completing(body).serviceTier == "optimized")
  }

  @Test(arguments: [
    #"{"usage":{"inputTokens":-5,"outputTokens":5}}"#, #"{"usage":{"inputTokens":5}}"#,
    #"{"usage":{"inputTokens":"5","outputTokens":5}}"#,
    #"{"prompt_token_count":5.5,"generation_token_count":5}"#,
    #"{"results":[{"tokenCount":3,"outputText":"x"}]}"#,
    #"{"output":{"usage":{"x":{"inputTokens":5,"outputTokens":5}}}}"#,
    #"{"generation":"{\"prompt_token_count\":5}","generation_token_count":5}"#,
    #"{"content":[{"input":{"inputTokens":5,"outputTokens":5}}]}"#,
  ])
  func whatIsNotSaidIsNoUsage(body: String) { #expect(read(body).usage == nil) }

  @Test func titansResultHasItsCount() {
    let reading = read(
      #"{"inputTextTokenCount":4,"results":[{"tokenCount":6,"outputText":"abc","#
        + #""completionReason":"FINISH"}]}"#)
    #expect(reading.usage?.inputUncached == 4 && reading.usage?.outputText == 6)
    #expect(reading.finishReason == "FINISH" && reading.outputTextBytes == 3)
  }

  @Test func errorsAreSeen() {
    #expect(read(#"{"error":{"message":"no"}}"#).sawError)
    #expect(read(#"{"message":"no"}"#).usage == nil)
  }

  /// The maker's name of its model is priced by the maker, and perhaps not as here.
  @Test func theAnswersModelIsLeftOut() {
    let reading = read(
      #"{"type":"message","model":"claude-x","usage":{"input_tokens":1,"output_tokens":2}}"#)
    #expect(reading.responseModel.isEmpty && reading.usage?.outputText == 2)
  }

  // MARK: - Chunks

  /// Pairs of RFC 4648, section 10, and texts that are none.
  @Test(arguments: [
    ("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"),
    ("Zm9vYmE=", "fooba"), ("Zm9vYmFy", "foobar"), ("Zg", nil), ("Zg=a", nil), ("====", nil),
    ("Zg=\n", nil), ("Zm-_", nil), ("=Zg=", nil),
  ])
  func baseSixtyFour(text: String, wanted: String?) {
    let bytes = Array(text.utf8).withUnsafeBytes { Base64.decoded($0) }
    #expect(bytes.map { String(decoding: $0, as: UTF8.self) } == wanted)
  }

  @Test func everyByteIsDecoded() throws {
    try checkProperty("base64", over: 0...255, runs: 200, countMax: 100) { numbers in
      let bytes = numbers.map { UInt8($0) }
      let text = Array(Data(bytes).base64EncodedString().utf8)
      try require(text.withUnsafeBytes { Base64.decoded($0) } == bytes, "\(bytes)")
    }
  }

  @Test(arguments: [
    ("invoke-claude-stream.bin", "Low water at \u{201C}08:05\u{201D}.", "end_turn"),
    ("invoke-nova-stream.bin", "The ferry waits.", "end_turn"),
    ("invoke-llama-stream.bin", "Fog over the mole", "stop"),
    ("invoke-mistral-stream.bin", "Ebb.", "length"),
    ("invoke-cohere.json", "Two berths are free.", "COMPLETE"),
    ("invoke-nova.json", "Spring tide on Thursday.", "max_tokens"),
    ("invoke-llama.json", "\n\nThe pilot boards at six.", "stop"),
    ("invoke-chat.json", "<reasoning>Short.</reasoning>Aye.", "stop"),
  ])
  func textsArePutTogether(file: String, text: String, reason: String) throws {
    let body = [UInt8](
      try Data(contentsOf: MeteredAnswer.folder.appending(path: "bedrock/\(file)")))
    let isStream = file.hasSuffix(".bin")
    let operation: Providers.Operation = isStream ? .invokeModelStream : .invokeModel
    let said = operation.outputText(of: body, isStream: isStream)
    #expect(said.text == text && said.finishReason == reason && said.errorMessage == nil)
  }

  @Test func toolsAndErrorsOfSamples() throws {
    func said(_ file: String, isStream: Bool) throws -> OutputText {
      let url = MeteredAnswer.folder.appending(path: "bedrock/\(file)")
      let operation: Providers.Operation = isStream ? .invokeModelStream : .invokeModel
      return operation.outputText(of: [UInt8](try Data(contentsOf: url)), isStream: isStream)
    }
    #expect(try said("invoke-claude.json", isStream: false).toolCalls.contains("\"tide\""))
    #expect(
      try said("invoke-exception.bin", isStream: true).errorMessage == "The model's stream broke.")
  }

  @Test(arguments: [
    (#"{"prompt":"p"}"#, "p"), (#"{"inputText":"t"}"#, "t"), (#"{"message":"m"}"#, "m"),
    (
      #"{"anthropic_version":"b","system":"s","messages":[{"role":"user","content":"c"}]}"#,
      "system: s\n\nuser: c"
    ),
    (
      #"{"system":[{"text":"s"}],"messages":[{"role":"user","content":[{"text":"c"}]}]}"#,
      "system: s\n\nuser: c"
    ),
    (#"{"messages":[{"role":"user","content":"c"}]}"#, "user: c"), ("[", ""),
  ])
  func whatWasAsked(body: String, wanted: String) {
    #expect(Providers.Operation.invokeModel.inputText(of: Array(body.utf8)) == wanted)
  }
}
