// Answers: usage, model and finish reason from JSON in any split, and usage in disjoint buckets.

import Metering
import TestSupport
import Testing

@testable import Providers

@Suite struct AnswerReaderTests {
  static let answer = #"""
    {"id":"chatcmpl-1","object":"chat.completion","created":1795441416,"model":"gpt-4o-2024-08-06",
     "choices":[{"index":0,"message":{"role":"assistant","content":"Grüße \"usage\": {\"x\":1}\n",
     "refusal":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"w",
     "arguments":"{\"c\":\"x\"}"}}]},"logprobs":{"content":[{"token":"Gr","logprob":-Infinity}]},
     "finish_reason":"tool_calls"}],
     "usage":{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,
     "prompt_tokens_details":{"cached_tokens":40,"audio_tokens":5,"cache_write_tokens":10},
     "completion_tokens_details":{"reasoning_tokens":20,"audio_tokens":3,
     "accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},
     "service_tier":"priority","system_fingerprint":"fp_1"}
    """#

  private func read(_ text: String, piece: Int = .max) -> CallReading {
    let reader = AnswerReader<ChatAnswerSink>()
    feed(Array(text.utf8), piece: piece) { reader.feed($0) }
    return reader.reading
  }

  private func usage(_ object: String) -> Usage? { read(#"{"usage":\#(object)}"#).usage }

  @Test func everySplitReadsTheSame() throws {
    let whole = read(Self.answer)
    #expect(whole.isComplete)
    #expect(!whole.sawError)
    #expect(whole.responseModel == "gpt-4o-2024-08-06")
    #expect(whole.serviceTier == "priority")
    #expect(whole.finishReason == "tool_calls")
    // Content, and the call's id, type, name and arguments; not the role, not the log
    // probabilities.
    let text = "Grüße \"usage\": {\"x\":1}\n" + "c1" + "function" + "w" + "{\"c\":\"x\"}"
    #expect(whole.outputTextBytes == Int64(text.utf8.count))
    let usage = try #require(whole.usage)
    #expect(usage.inputUncached == 45)
    #expect(usage.cacheRead == 40)
    #expect(usage.cacheWrite5m == 10)
    #expect(usage.inputAudio == 5)
    #expect(usage.outputText == 27)
    #expect(usage.outputReasoning == 20)
    #expect(usage.outputAudio == 3)
    #expect(usage.inputTotal == 100)
    #expect(usage.outputTotal == 50)
    #expect(usage.source == .reported)
    let bytes = Array(Self.answer.utf8)
    for split in 0...bytes.count {
      let reader = AnswerReader<ChatAnswerSink>()
      Array(bytes[..<split]).withUnsafeBytes { _ = reader.feed($0) }
      Array(bytes[split...]).withUnsafeBytes { _ = reader.feed($0) }
      #expect(reader.reading == whole, "split at \(split)")
    }
    #expect(read(Self.answer, piece: 1) == whole)
  }

  @Test func everyTruncationIsIncompleteAndNeverZero() {
    let bytes = Array(Self.answer.utf8)
    for end in 0..<bytes.count {
      let reader = AnswerReader<ChatAnswerSink>()
      Array(bytes[..<end]).withUnsafeBytes { _ = reader.feed($0) }
      #expect(!reader.reading.isComplete)
      if let usage = reader.reading.usage {
        #expect(usage.inputTotal == 100 && usage.outputTotal == 50)
      }
    }
  }

  @Test func threeStatesStayApart() {
    #expect(usage("null") == nil)
    #expect(usage("{}") == nil)
    #expect(read(#"{"id":"x"}"#).usage == nil)
    #expect(usage(#"{"prompt_tokens":null,"completion_tokens":null}"#) == nil)
    #expect(usage(#"{"prompt_tokens":7}"#) == nil)
    let zero = usage(#"{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}"#)
    #expect(zero == Usage(source: .reported))
  }

  @Test func totalsAboveTheSumAreBilledAsReasoning() {
    let hidden = usage(#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":40}"#)
    #expect(hidden?.outputText == 5)
    #expect(hidden?.outputReasoning == 25)
    let outside = read(
      #"{"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":215,"#
        + #""completion_tokens_details":{"reasoning_tokens":200}}}"#
    )
    #expect(outside.usage?.outputTotal == 205)
    #expect(!outside.isUsageInconsistent)
    #expect(usage(#"{"prompt_tokens":10,"total_tokens":14}"#)?.outputTotal == 4)
    #expect(usage(#"{"completion_tokens":10,"total_tokens":14}"#)?.inputTotal == 4)
  }

  @Test func contradictionsAreClampedAndFlagged() {
    let cached = read(
      #"{"usage":{"prompt_tokens":10,"completion_tokens":1,"#
        + #""prompt_tokens_details":{"cached_tokens":99}}}"#
    )
    #expect(cached.isUsageInconsistent)
    #expect(cached.usage?.inputTotal == 10)
    // More cached than there was input: no reason for the cached rate.
    #expect(cached.usage?.cacheRead == 0)
    #expect(cached.usage?.inputUncached == 10)
    let negative = read(#"{"usage":{"prompt_tokens":-5,"completion_tokens":1}}"#)
    #expect(negative.isUsageInconsistent)
    // Believed, a negative count would be a free call.
    #expect(negative.usage == nil)
    let huge = read(#"{"usage":{"prompt_tokens":9223372036854775807,"completion_tokens":1}}"#)
    #expect(huge.isUsageInconsistent)
    #expect(huge.usage == nil)
    let text = read(#"{"usage":{"prompt_tokens":"5","completion_tokens":1}}"#)
    #expect(text.usage == nil)
  }

  @Test func bucketsAlwaysSumToWhatWasReported() throws {
    try checkProperty("buckets are disjoint", over: 0...60, runs: 500, countMax: 9) { numbers in
      let figures = numbers + Array(repeating: 0, count: max(0, 9 - numbers.count))
      let text =
        #"{"usage":{"prompt_tokens":\#(figures[0]),"completion_tokens":\#(figures[1]),"#
        + #""total_tokens":\#(figures[2]),"prompt_tokens_details":{"cached_tokens":\#(figures[3]),"#
        + #""audio_tokens":\#(figures[4]),"image_tokens":\#(figures[5]),"#
        + #""cache_write_tokens":\#(figures[6])},"completion_tokens_details":"#
        + #"{"reasoning_tokens":\#(figures[7]),"audio_tokens":\#(figures[8])}}}"#
      guard let usage = read(text).usage else { throw Falsified("no usage") }
      try require(usage.inputTotal == figures[0], "input \(usage)")
      let output = max(figures[1], figures[2] - figures[0])
      try require(usage.outputTotal == output, "output \(usage)")
    }
  }

  @Test func onlyTopLevelUsageCounts() {
    let text =
      #"{"choices":[{"usage":{"prompt_tokens":1,"completion_tokens":1}}],"#
      + #""x":{"usage":{"prompt_tokens":2,"completion_tokens":2}}}"#
    #expect(read(text).usage == nil)
  }

  @Test func errorsAreSeen() {
    #expect(read(#"{"error":{"message":"no","code":400}}"#).sawError)
    #expect(read(#"{"error":"no"}"#).sawError)
    #expect(!read(#"{"error":null}"#).sawError)
    let html = read("<html>Bad Gateway</html>")
    #expect(!html.isComplete && html.usage == nil)
  }
}
