// Which texts of a request a tokenizer may count: those that the byte bound counts, once each.

import TestSupport
import Testing

@testable import Providers

@Suite struct CountableTextTests {
  private func texts(_ operation: Providers.Operation, _ body: String) -> [String] {
    var texts: [String] = []
    Array(body.utf8).withUnsafeBytes { bytes in
      operation.forEachText(in: bytes) { texts.append(String(decoding: $0, as: UTF8.self)) }
    }
    return texts
  }

  @Test func aChatsContentIsCounted() {
    let body = #"""
      {"model":"no","messages":[{"role":"no","content":"a\nb"},
       {"role":"no","name":"no","content":[{"type":"no","text":"c"},
        {"type":"no","image_url":{"url":"no","text":"no"}},{"text":["no"]},{"text":{"text":"no"}}]},
       {"content":null,"tool_calls":[{"function":{"arguments":"no","content":"no"}}]},
       {"role":"no","content":{"text":"no"}}],
       "tools":[{"content":"no","text":"no"}],"content":"no","input":"no"}
      """#
    #expect(texts(.chatCompletions, body) == ["a\nb", "c"])
  }

  @Test func aResponsesInputIsCounted() {
    #expect(texts(.responses, #"{"input":"a","instructions":"b","model":"no"}"#) == ["a", "b"])
    let body = #"""
      {"input":[{"role":"no","content":"c"},{"content":[{"type":"no","text":"d"}]},
       {"type":"no","output":"no","arguments":"no"}],"text":{"format":{"name":"no"}}}
      """#
    #expect(texts(.responses, body) == ["c", "d"])
  }

  @Test func embeddingsInputsAreCounted() {
    #expect(texts(.embeddings, #"{"model":"no","input":"a"}"#) == ["a"])
    #expect(texts(.embeddings, #"{"input":["a","b"],"user":"no"}"#) == ["a", "b"])
    #expect(texts(.embeddings, #"{"input":[["no"],{"text":"no"}]}"#).isEmpty)
    #expect(texts(.messages, #"{"messages":[{"content":"no"}]}"#).isEmpty)
  }

  /// Each text that is handed out is in the bound with all its bytes: to take it away leaves a
  /// bound that is still above what stands around the texts.
  @Test func everyTextIsPartOfTheBound() throws {
    try checkProperty("texts in the bound", over: 0...400, runs: 200, countMax: 6) { lengths in
      let messages = lengths.enumerated().map { index, length in
        let text = String(repeating: "é\\n", count: Int(length))
        return index % 2 == 0
          ? #"{"role":"user","content":"\#(text)"}"#
          : #"{"role":"user","content":[{"type":"text","text":"\#(text)"}]}"#
      }.joined(separator: ",")
      let input = lengths.map { "\"" + String(repeating: "é\\n", count: Int($0)) + "\"" }
      for (operation, body) in [
        (Providers.Operation.chatCompletions, #"{"model":"m","messages":[\#(messages)]}"#),
        (.responses, #"{"model":"m","input":[\#(messages)]}"#),
        (.embeddings, #"{"model":"m","input":[\#(input.joined(separator: ","))]}"#),
      ] {
        let bound = try operation.peek(Array(body.utf8)).inputTokensMax
        let bytes = texts(operation, body).reduce(0) { $0 + $1.utf8.count }
        try require(bytes == lengths.reduce(0) { $0 + 3 * Int($1) }, "\(bytes) bytes of text")
        let empty = lengths.isEmpty ? 0 : Int64(lengths.count) * 2
        try require(bound - Int64(bytes) >= empty, "\(bound) with \(bytes)")
      }
    }
  }
}
