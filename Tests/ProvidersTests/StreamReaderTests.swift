// Streams: usage from events in any split, the extra event removed, all else byte for byte.

import Metering
import TestSupport
import Testing

@testable import Providers

/// A stream as events, to be written with any line ends.
struct Script {
  /// Each event's lines; a hidden one only reports usage.
  var events: [(lines: [String], isUsage: Bool)] = []

  mutating func data(_ text: String, isUsage: Bool = false) {
    events.append((["data: " + text], isUsage))
  }

  func bytes(lineEnd: String = "\n", hidesUsage: Bool = false) -> [UInt8] {
    Array(
      events.filter { !(hidesUsage && $0.isUsage) }
        .map { ($0.lines + [""]).map { $0 + lineEnd }.joined() }.joined().utf8)
  }

  /// As OpenAI streams with `include_usage`.
  static var openAI: Script {
    var script = Script()
    func chunk(_ delta: String, _ finish: String = "null") -> String {
      #"{"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-4o-mini-2024-07-18","#
        + #""service_tier":"default","choices":[{"index":0,"delta":\#(delta),"logprobs":null,"#
        + #""finish_reason":\#(finish)}],"usage":null,"obfuscation":"xxxx"}"#
    }
    script.data(chunk(#"{"role":"assistant","content":"","refusal":null}"#))
    script.data(chunk(#"{"content":"Hel"}"#))
    script.data(chunk(#"{"content":"lo é\n"}"#))
    script.events.append(([": ping"], false))
    script.data(chunk(#"{"content":" \ud83d\ude00 data: [DONE]"}"#))
    script.data(chunk("{}", #""stop""#))
    script.data(
      #"{"id":"c","model":"gpt-4o-mini-2024-07-18","choices":[],"#
        + #""usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"#
        + #""prompt_tokens_details":{"cached_tokens":4}}}"#, isUsage: true)
    script.data("[DONE]")
    return script
  }

  /// As Azure streams: filter results first, with empty choices.
  static var azure: Script {
    var script = Script()
    script.data(
      #"{"choices":[],"created":0,"model":"","#
        + #""prompt_filter_results":[{"prompt_index":0}],"usage":null}"#
    )
    script.data(#"{"choices":[{"delta":{"content":"Hi"}}],"model":"gpt-4o"}"#)
    script.data(
      #"{"choices":[{"finish_reason":"stop","content_filter_offsets":{"a":1}}],"model":"gpt-4o"}"#)
    script.data(
      #"{"choices":null,"usage":{"prompt_tokens":19,"completion_tokens":10}}"#, isUsage: true)
    script.data("[DONE]")
    return script
  }

  /// As vLLM and OpenRouter stream: cumulative usage on each chunk, the last with choices.
  static var continuous: Script {
    var script = Script()
    script.data(
      #"{"model":"m","choices":[{"delta":{"content":"a"}}],"#
        + #""usage":{"prompt_tokens":19,"completion_tokens":1}}"#
    )
    script.data(
      #"{"model":"m","choices":[{"delta":{"content":"b"}}],"#
        + #""usage":{"prompt_tokens":19,"completion_tokens":5}}"#
    )
    script.data(
      #"{"model":"m","choices":[{"delta":{},"finish_reason":"stop"}],"#
        + #""usage":{"prompt_tokens":null,"completion_tokens":10},"timings":{"prompt_n":1}}"#
    )
    return script
  }
}

@Suite struct StreamReaderTests {
  private func run(
    _ bytes: [UInt8], hidesUsage: Bool, pieces: [Int]
  ) -> (relayed: [UInt8], reading: CallReading) {
    let reader = StreamReader<ChatAnswerSink>(hidesUsage: hidesUsage)
    var relayed: [UInt8] = []
    var start = 0
    var turn = 0
    while start < bytes.count {
      let end = min(bytes.count, start + pieces[turn % pieces.count])
      Array(bytes[start..<end]).withUnsafeBytes { relayed += reader.feed($0).bytes(of: $0) }
      start = end
      turn += 1
    }
    relayed += reader.finish()
    return (relayed, reader.reading)
  }

  @Test(arguments: ["\n", "\r\n", "\r"]) func everySplitRelaysAndReadsTheSame(lineEnd: String) {
    for script in [Script.openAI, .azure, .continuous] {
      let bytes = script.bytes(lineEnd: lineEnd)
      let wanted = script.bytes(lineEnd: lineEnd, hidesUsage: true)
      let whole = run(bytes, hidesUsage: false, pieces: [bytes.count])
      #expect(whole.relayed == bytes)
      #expect(whole.reading.usage?.inputTotal == 19)
      #expect(whole.reading.usage?.outputTotal == 10)
      #expect(whole.reading.finishReason == "stop")
      for split in 1...bytes.count {
        let two = run(bytes, hidesUsage: true, pieces: [split, bytes.count])
        #expect(two.relayed == wanted, "split at \(split)")
        #expect(two.reading == whole.reading)
      }
      for piece in [1, 2, 3, 7] {
        let hidden = run(bytes, hidesUsage: true, pieces: [piece])
        #expect(hidden.relayed == wanted)
        #expect(hidden.reading == whole.reading)
        let shown = run(bytes, hidesUsage: false, pieces: [piece])
        #expect(shown.relayed == bytes)
        #expect(shown.reading == whole.reading)
      }
    }
  }

  @Test func readsWhatItSays() {
    let reading = run(Script.openAI.bytes(), hidesUsage: true, pieces: [10_000]).reading
    #expect(reading.isComplete)
    #expect(reading.responseModel == "gpt-4o-mini-2024-07-18")
    #expect(reading.serviceTier == "default")
    #expect(reading.usage?.cacheRead == 4)
    #expect(reading.outputTextBytes == Int64("Hello é\n 😀 data: [DONE]".utf8.count))
    #expect(!reading.sawError)
  }

  @Test func aWholeEventIsRelayedAtOnceAndWithoutACopy() {
    let reader = StreamReader<ChatAnswerSink>(hidesUsage: true)
    for event in Script.openAI.events {
      let bytes = Array((event.lines + ["", ""]).joined(separator: "\n").utf8)
      let relay = bytes.withUnsafeBytes { reader.feed($0) }
      #expect(relay == (event.isUsage ? .nothing : .everything))
    }
    #expect(reader.finish().isEmpty)
  }

  @Test func aCommentIsRelayedBeforeItsLineEnds() {
    let reader = StreamReader<ChatAnswerSink>(hidesUsage: true)
    for piece in [": pi", "ng\n", "\n", ": OPENROUTER PROCESSING\n\n", ":"] {
      let relay = Array(piece.utf8).withUnsafeBytes { reader.feed($0) }
      #expect(relay == .everything)
    }
  }

  @Test func usageOfAnInterruptedStreamIsUnknownAndTextIsCounted() {
    var script = Script.openAI
    script.events.removeLast(2)
    let reading = run(script.bytes(), hidesUsage: true, pieces: [50]).reading
    #expect(reading.usage == nil)
    #expect(!reading.isComplete)
    #expect(reading.outputTextBytes > 10)
  }

  @Test func aLastEventWithoutItsEmptyLineCounts() {
    for tail in ["", "\n"] {
      let text =
        "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n"
        + "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}" + tail
      let result = run(Array(text.utf8), hidesUsage: true, pieces: [9])
      #expect(result.reading.usage?.outputTotal == 2)
      #expect(!String(decoding: result.relayed, as: UTF8.self).contains("usage"))
    }
    let cut = Array("data: {\"choices\":[{\"del".utf8)
    #expect(run(cut, hidesUsage: true, pieces: [4]).relayed == cut)
  }

  @Test(arguments: [
    // Usage with choices, usage with an error, other APIs' events and what is no JSON all stay.
    "data: {\"choices\":[{\"delta\":{}}],\"usage\":{\"completion_tokens\":2}}\n\n",
    "data: {\"choices\":[],\"error\":{\"m\":1},\"usage\":{\"prompt_tokens\":1}}\n\n",
    "event: message_delta\ndata: {\"usage\":{\"output_tokens\":3}}\n\n",
    "data: {\"choices\":[],\"usage\":null}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}\n\n",
    "data: [DONE] \n\n", "data:\n\n", "data\n\n", "\n\n\n", "retry: 5\n\n", "garbage\u{0}\n\n",
    "{\"choices\":[],\"usage\":{}}\n\n", "\u{FEFF}data: [DONE]\n\n",
  ])
  func staysByteForByte(event: String) {
    for piece in [1, 3, 1_000] {
      let bytes = Array(event.utf8)
      #expect(run(bytes, hidesUsage: true, pieces: [piece]).relayed == bytes)
    }
  }

  @Test func dataOverSeveralLinesAndWithoutASpace() {
    let text =
      "\u{FEFF}data:{\"choices\":[],\ndata: \"usage\":{\"prompt_tokens\":3,\r\n"
      + "data:\"completion_tokens\":4}}\nid: 7\n\ndata:[DONE]\n\n"
    for piece in 1...12 {
      let result = run(Array(text.utf8), hidesUsage: true, pieces: [piece])
      #expect(result.reading.usage?.inputTotal == 3)
      #expect(result.reading.isComplete)
      #expect(result.relayed.suffix(14) == Array("data:[DONE]\n\n".utf8).suffix(14))
    }
  }

  @Test func errorsInTheStreamAreSeen() {
    let text = "data: {\"error\":{\"message\":\"overloaded\",\"code\":503}}\n\n"
    let result = run(Array(text.utf8), hidesUsage: true, pieces: [5])
    #expect(result.reading.sawError)
    #expect(result.relayed == Array(text.utf8))
  }

  @Test func anEventTooLongToHoldIsRelayedInPieces() {
    let long = String(repeating: "x", count: heldBytesMax * 2)
    let text = "data: {\"choices\":[{\"delta\":{\"content\":\"\(long)\"}}]}\n\ndata: [DONE]\n\n"
    let bytes = Array(text.utf8)
    let result = run(bytes, hidesUsage: true, pieces: [1_000])
    #expect(result.relayed == bytes)
    #expect(result.reading.outputTextBytes == Int64(long.utf8.count))
    // Too long to hold, it stays whole even where it turns out to report usage.
    let padded = Array(
      "data: {\"choices\":[],\"p\":\"\(long)\",\"usage\":{\"prompt_tokens\":1}}\n\n".utf8)
    #expect(run(padded, hidesUsage: true, pieces: [1_000]).relayed == padded)
  }

  @Test func randomStreamsLoseNothingButUsage() throws {
    let usage = #"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#
    try checkProperty("only usage is removed", runs: 400, countMax: 12) { generator in
      (generator.int(0...9), generator.pick(["\n", "\r\n", "\r"]), generator.int(1...40))
    } check: { parts in
      var sent: [UInt8] = []
      var wanted: [UInt8] = []
      var reported = false
      for (kind, end, _) in parts {
        let text: String
        switch kind {
        case 0: text = ": ping\(end)"
        case 1: text = ": ping\(end)\(end)"
        case 2: text = "event: x\(end)id: 4\(end)data: {\"choices\":[{\"delta\":{}}]}\(end)\(end)"
        case 3, 4:
          sent += Array("data: \(usage)\(end)\(end)".utf8)
          reported = true
          continue
        case 5: text = "data: not json {\(end)data: more\(end)\(end)"
        case 6: text = "\u{1}\u{7F}é:\(end)\(end)"
        default: text = "data: {\"choices\":[{\"delta\":{\"content\":\"é \(kind)\"}}]}\(end)\(end)"
        }
        sent += Array(text.utf8)
        wanted += Array(text.utf8)
      }
      let pieces = parts.isEmpty ? [1] : parts.map(\.2)
      let result = run(sent, hidesUsage: true, pieces: pieces)
      try require(
        result.relayed == wanted,
        "sent \(String(decoding: sent, as: UTF8.self).debugDescription), relayed "
          + String(decoding: result.relayed, as: UTF8.self).debugDescription)
      try require((result.reading.usage != nil) == reported, "usage \(result.reading)")
      try require(result.reading.usage?.outputTotal ?? 4 == 4, "summed")
    }
  }

  @Test func randomBytesAreRelayedOrUsage() {
    var generator = SeededGenerator(seed: 5)
    let seed = Script.openAI.bytes()
    for _ in 0..<300 {
      var bytes = seed
      for _ in 0..<generator.int(1...20) {
        bytes[generator.int(0...bytes.count - 1)] = generator.int(0...255)
      }
      let size = generator.int(1...200)
      #expect(run(bytes, hidesUsage: false, pieces: [size]).relayed == bytes)
      let hidden = run(bytes, hidesUsage: true, pieces: [size]).relayed
      #expect(hidden.count >= bytes.count - 400)
      #expect(hidden == run(bytes, hidesUsage: true, pieces: [bytes.count]).relayed)
    }
  }
}
