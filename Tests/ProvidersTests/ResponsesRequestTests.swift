// Peeking the requests of OpenAI's other APIs: responses, legacy completions, embeddings.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Providers

@Suite struct ResponsesRequestTests {
  private func peek(_ text: String) throws -> PeekedRequest {
    try Providers.Operation.responses.peek(Array(text.utf8))
  }

  private func input(_ items: String) throws -> PeekedRequest {
    try peek(#"{"model":"m","max_output_tokens":9,"input":[\#(items)]}"#)
  }

  @Test func readsWhatAdmissionNeeds() throws {
    let request = try peek(
      #"{"input":"hi","instructions":"be brief","stream":true,"max_output_tokens":64,"#
        + #""service_tier":"flex","store":true,"reasoning":{"effort":"low"},"model":"gpt-x"}"#)
    #expect(request.model == "gpt-x")
    #expect(request.isStream)
    #expect(request.outputTokensMax == 64)
    #expect(request.serviceTier == "flex")
    #expect(request.unboundablePart == nil)
    #expect(request.usageSplice == nil)
  }

  @Test(arguments: [
    (#"{"model":"a","model":"b"}"#, "'model' is said twice"),
    (#"{"max_output_tokens":1,"Max_Output_Tokens":9}"#, "differs from 'max_output_tokens'"),
    (#"{"max_output_tokens":"5"}"#, "'max_output_tokens' must be a whole number"),
    (#"{"stream":1}"#, "'stream' must be true or false"),
    (#"{"input":{}}"#, "'input' must be a string or an array"), (#"{"input":5}"#, "'input' must"),
    (#"{"tools":{}}"#, "'tools' must be an array"),
  ])
  func refuses(body: String, reason: String) {
    #expect {
      _ = try peek(body)
    } throws: { error in
      (error as? PeekFault)?.message.contains(reason) == true
    }
  }

  /// What stands at the provider, or runs there, is no part of the body's bytes.
  @Test(arguments: [
    (#""previous_response_id":"resp_1""#, "'previous_response_id'"),
    (#""conversation":{"id":"c"}"#, "'conversation'"), (#""prompt":{"id":"p"}"#, "'prompt'"),
    (#""background":true,"store":false"#, "'background'"),
    (#""store":false,"background":true"#, "not stored"),
    (#""context_management":[{}]"#, "context_management"),
    (#""tools":[{"type":"web_search"}]"#, "web_search"),
    (#""tools":[{"type":"function","name":"f"},{"type":"mcp"}]"#, "mcp"),
    (#""tools":[{"type":"image_generation"}]"#, "image_generation"),
    (#""tools":[{"type":["function"]}]"#, "type"), (#""max_tokens":9000"#, "'max_tokens'"),
    (#""input":[{"type":"item_reference","id":"x"}]"#, "item_reference"),
    (#""input":[{"id":"x"}]"#, "without a type"),
    (#""input":[{"role":"user","content":[{"type":"input_file","file_id":"f"}]}]"#, "input_file"),
    (#""input":[{"role":"user","content":[{"text":"x"}]}]"#, "without a type"),
    (#""input":[{"role":"user","content":[{"type":"input_audio"}]}]"#, "input_audio"),
    (#""input":[["x"]]"#, "no object"),
    (#""input":[{"role":"user","content":{"type":"input_image"}}]"#, "neither a string nor"),
  ])
  func namesPartsWithoutABound(member: String, part: String) throws {
    let request = try peek(#"{"model":"m","max_output_tokens":9,\#(member)}"#)
    #expect(request.unboundablePart?.contains(part) == true, "\(request.unboundablePart ?? "nil")")
  }

  @Test(arguments: [
    #""background":false,"previous_response_id":null,"store":false"#,
    #""background":true"#, #""background":true,"store":null"#, #""store":true,"background":true"#,
    #""tools":[{"type":"function","name":"f","parameters":{"type":{"type":"x"}}}]"#,
    #""input":[{"type":"reasoning","summary":[],"encrypted_content":"QUJD"}]"#,
    #""input":[{"role":"user","content":[{"type":"input_text","text":"x"}]},"#
      + #"{"type":"function_call","name":"f","arguments":"{}","call_id":"c"},"#
      + #"{"type":"function_call_output","call_id":"c","output":"y"}]"#,
  ])
  func takesWhatTheBytesBound(member: String) throws {
    #expect(try peek(#"{"model":"m","max_output_tokens":9,\#(member)}"#).unboundablePart == nil)
  }

  @Test(arguments: [
    (#""background":true"#, true), (#""background":false"#, false), (#""background":null"#, false),
    (#""metadata":{"background":"true"}"#, false),
  ])
  func saysWhetherItsWorkGoesOn(member: String, goesOn: Bool) throws {
    let request = try peek(#"{"model":"m",\#(member)}"#)
    #expect(request.jobKind == (goesOn ? .backgroundResponse : nil))
  }

  @Test(arguments: ["[]", "{}", "1", #""true""#])
  func backgroundIsYesOrNo(value: String) {
    for member in ["background", "store"] {
      #expect(throws: PeekFault.self) { _ = try peek(#"{"model":"m","\#(member)":\#(value)}"#) }
    }
  }

  @Test func picturesAreBoundedWhateverTheirBytes() throws {
    let data = String(repeating: "A", count: 200_000)
    let picture = #"{"type":"input_image","image_url":"data:image/png;base64,\#(data)"}"#
    let request = try input(#"{"role":"user","content":[\#(picture)]}"#)
    #expect(request.unboundablePart == nil)
    #expect((48_169..<49_000).contains(request.inputTokensMax))
    let output = try input(
      #"{"type":"function_call_output","call_id":"c","output":[\#(picture),\#(picture)]}"#)
    #expect((96_338..<97_000).contains(output.inputTokensMax))
    let stored = try input(#"{"role":"user","content":[{"type":"input_image","file_id":"f"}]}"#)
    #expect(stored.unboundablePart == nil && stored.inputTokensMax > 48_169)
  }

  @Test func theBoundHoldsTheText() throws {
    try checkProperty("bound", over: 0...25, runs: 200, countMax: 200) { numbers in
      let text = String(decoding: numbers.map { UInt8($0) + 97 }, as: UTF8.self)
      for body in [
        #"{"input":"\#(text)"}"#, #"{"instructions":"\#(text)","input":[]}"#,
        #"{"input":[{"role":"user","content":"\#(text)"}]}"#,
        #"{"input":[{"role":"user","content":[{"type":"input_text","text":"\#(text)"}]}]}"#,
        #"{"input":[{"type":"function_call_output","output":"\#(text)"}]}"#,
        #"{"text":{"format":{"schema":{"title":"\#(text)"}}}}"#,
        #"{"tools":[{"type":"function","description":"\#(text)"}]}"#,
      ] {
        let bound = try Providers.Operation.responses.peek(Array(body.utf8)).inputTokensMax
        try require(bound >= text.utf8.count + 256, body)
      }
    }
  }

  @Test(arguments: [
    (Providers.Operation.responses, #"{"model":"m"}"#, #"{"max_output_tokens":7,"model":"m"}"#),
    (.responses, #"{"max_output_tokens":null}"#, #"{"max_output_tokens":7}"#),
    (.completions, #"{"model":"m"}"#, #"{"max_tokens":7,"model":"m"}"#),
    (.completions, #"{"max_tokens":null}"#, #"{"max_tokens":7}"#),
    (.completions, "{}", #"{"max_tokens":7}"#),
    (
      .completions, #"{"stream":true}"#,
      #"{"max_tokens":7,"stream_options":{"include_usage":true},"stream":true}"#
    ),
  ])
  func aBoundIsPutIn(operation: Providers.Operation, body: String, wanted: String) throws {
    let bytes = Array(body.utf8)
    let result = try operation.peek(bytes).splices(outputBound: 7).applied(to: bytes)
    #expect(String(decoding: result, as: UTF8.self) == wanted)
    #expect(try operation.peek(result).outputTokensMax == 7)
  }

  /// Each prompt of a list is answered `n` times.
  @Test(arguments: [
    (#"{"prompt":"x","max_tokens":10}"#, 10), (#"{"prompt":["x"],"max_tokens":10}"#, 10),
    (#"{"prompt":["x","y","z"],"max_tokens":10}"#, 30),
    (#"{"prompt":[[1,2],[3]],"max_tokens":10,"n":2}"#, 40),
    (#"{"prompt":[1,2,3],"max_tokens":10,"best_of":3}"#, 30),
  ])
  func everyPromptIsAnswered(body: String, output: Int64) throws {
    #expect(try Providers.Operation.completions.peek(Array(body.utf8)).outputTokensMax == output)
  }

  @Test(arguments: [
    (#"{"model":"m","input":"abcd"}"#, 26, 60), (#"{"model":"m","input":["ab","cd"]}"#, 26, 70),
    (#"{"model":"m","input":[1,22,333]}"#, 26, 60),
    (#"{"model":"m","input":[[1,2],[3]],"encoding_format":"base64"}"#, 40, 90),
  ])
  func embeddingsAreBoundedByTheirInput(body: String, least: Int64, most: Int64) throws {
    let request = try Providers.Operation.embeddings.peek(Array(body.utf8))
    #expect(request.model == "m")
    #expect(request.outputTokensMax == 0)
    #expect(request.unboundablePart == nil)
    #expect((least...most).contains(request.inputTokensMax), "\(request.inputTokensMax)")
  }

  @Test func embeddingsOfOtherThingsAreNamed() throws {
    let picture = #"{"model":"m","input":[{"image":"aGk="}]}"#
    #expect(try Providers.Operation.embeddings.peek(Array(picture.utf8)).unboundablePart != nil)
    for body in [#"{"model":1}"#, #"{"model":"m","MODEL":"n"}"#, #"{"input":"a","input":"b"}"#] {
      #expect(throws: PeekFault.self) {
        _ = try Providers.Operation.embeddings.peek(Array(body.utf8))
      }
    }
  }

  @Test func sampleTextIsWhatWasAskedAndSaid() throws {
    let asked = Providers.Operation.responses.inputText(
      of: Array(
        #"""
        {"instructions":"Be brief.","input":[{"role":"user","content":[
        {"type":"input_text","text":"Tide?"},{"type":"input_image","image_url":"x"}]},
        {"type":"function_call","name":"tide","arguments":"{\"port\":\"E\"}"},
        {"type":"function_call_output","output":"14:20"},{"type":"reasoning","summary":[]}]}
        """#.utf8))
    #expect(
      asked == """
        system: Be brief.

        user: Tide?
        [input_image]

        assistant: [{"name":"tide","arguments":{"port":"E"}}]

        tool: 14:20

        [reasoning]
        """)
    func text(_ name: String) throws -> OutputText {
      let file = MeteredAnswer.folder.appending(path: "openai/\(name)")
      return Providers.Operation.responses.outputText(
        of: [UInt8](try Data(contentsOf: file)), isStream: name.hasSuffix(".sse"))
    }
    #expect(try text("responses-cache-reasoning.json").text == #"High water is at "14:20"."#)
    #expect(
      try text("responses-tool-call.sse").toolCalls
        == #"[{"name":"tide","arguments":{"port":"Emden"}}]"#)
    #expect(try text("responses-failed.sse").errorMessage == "The model failed.")
    #expect(try text("responses-cut-off.sse").text == "High")
  }
}
