// The text that samples keep of answers and requests.

import Testing

@testable import Providers

@Suite struct SampleTextTests {
  private func output(_ text: String, isStream: Bool = false) -> OutputText {
    Operation.chatCompletions.outputText(of: Array(text.utf8), isStream: isStream)
  }

  @Test func textOfAnAnswer() {
    let read = output(
      #"{"choices":[{"index":1,"message":{"content":"two"},"finish_reason":"length"},"#
        + #"{"index":0,"message":{"content":"one\né"},"finish_reason":"stop"}]}"#
    )
    #expect(read.text == "one\né\ntwo")
    #expect(read.finishReason == "stop")
    #expect(read.toolCalls.isEmpty)
    #expect(read.combined == read.text)
  }

  @Test func toolCallsAreJSON() {
    let read = output(
      #"{"choices":[{"message":{"content":null,"tool_calls":[{"id":"1","type":"function","#
        + #""function":{"name":"w","arguments":"{\"c\": \"Köln\", \"n\":[1, 2]}"}},"#
        + #"{"function":{"name":"v","arguments":"oops"}}]},"finish_reason":"tool_calls"}]}"#
    )
    #expect(
      read.toolCalls
        == #"[{"name":"w","arguments":{"c":"Köln","n":[1,2]}},{"name":"v","arguments":"oops"}]"#)
    #expect(read.combined == read.toolCalls)
  }

  @Test func refusalsAndErrorsAreText() {
    #expect(
      output(#"{"choices":[{"message":{"content":null,"refusal":"I can't."}}]}"#).text == "I can't."
    )
    let error = output(#"{"error":{"message":"no such model","code":404}}"#)
    #expect(error.errorMessage == "no such model")
    #expect(error.text.isEmpty)
    #expect(output("<html>").text.isEmpty)
  }

  @Test(arguments: ["\n", "\r\n", "\r"]) func streamsArePutTogether(lineEnd: String) {
    var script = Script.openAI
    script.events.removeLast()
    script.data(
      #"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"#
        + #""function":{"name":"w","arguments":"{\"a\":"}}]}}]}"#
    )
    script.data(
      #"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"#
        + #""function":{"arguments":"1}"}}]}}]}"#
    )
    script.data(#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":999999999}]}}]}"#)
    let bytes = script.bytes(lineEnd: lineEnd)
    let read = Operation.chatCompletions.outputText(of: bytes, isStream: true)
    #expect(read.text == "Hello é\n 😀 data: [DONE]")
    #expect(read.finishReason == "stop")
    #expect(read.toolCalls.hasPrefix(#"[{"name":"w","arguments":{"a":1}}"#))
  }

  @Test func bodiesThatWereCutOffGiveWhatCame() {
    #expect(output(#"{"choices":[{"message":{"content":"Hello, wor"#).text == "Hello, wor")
    #expect(output(#"{"choices":[{"message":{"content":"Hello\"#).text.hasPrefix("Hello"))
    #expect(
      output("data: {\"choices\":[{\"delta\":{\"content\":\"He", isStream: true).text == "He")
    let whole = Array(AnswerReaderTests.answer.utf8)
    for end in 0...whole.count {
      _ = Operation.chatCompletions.outputText(of: Array(whole[..<end]), isStream: false)
      _ = Operation.chatCompletions.inputText(of: Array(whole[..<end]))
    }
  }

  @Test func textOfARequest() {
    let body =
      #"{"model":"m","messages":[{"role":"system","content":"Be brief."},"#
      + #"{"role":"user","content":[{"type":"text","text":"What is this?"},"#
      + #"{"type":"image_url","image_url":{"url":"data:"}}]},{"role":"assistant","content":null,"#
      + #""tool_calls":[{"function":{"name":"w","arguments":"{}"}}]}]}"#
    #expect(
      Operation.chatCompletions.inputText(of: Array(body.utf8)) == """
        system: Be brief.

        user: What is this?
        [image_url]

        assistant: [{"name":"w","arguments":{}}]
        """)
    #expect(Operation.chatCompletions.inputText(of: Array("x".utf8)).isEmpty)
  }
}
