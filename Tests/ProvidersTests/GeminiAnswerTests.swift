// Reading Gemini's answers: what is said twice, by number, in part, or not at all.

import Metering
import TestSupport
import Testing

@testable import Providers

@Suite struct GeminiAnswerTests {
  private func read(
    _ body: String, _ operation: Providers.Operation = .generateContent, isStream: Bool = false
  ) -> CallReading {
    let reader =
      isStream ? operation.streamReader(hidesUsage: false) : operation.answerReader()
    Array(body.utf8).withUnsafeBytes { _ = reader.feed($0) }
    _ = reader.finish()
    return reader.reading
  }

  private func usage(_ figures: String) -> CallReading {
    read(#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{\#(figures)}}"#)
  }

  private func counts(_ reading: CallReading) -> [String: Int64]? {
    reading.usage.map { usage in
      var counts: [String: Int64] = [:]
      usage.forEachCount { counts[$0.name] = $1 }
      return counts
    }
  }

  // MARK: - Figures

  @Test(arguments: [
    // Cached sound stands in both lists, and is billed once.
    (
      #""promptTokenCount":100,"cachedContentTokenCount":60,"promptTokensDetails":["#
        + #"{"modality":"AUDIO","tokenCount":80},{"modality":"TEXT","tokenCount":20}],"#
        + #""cacheTokensDetails":[{"modality":"AUDIO","tokenCount":60}]"#,
      ["cache_read_audio": 60, "input_audio": 20, "input_uncached": 20] as [String: Int64]
    ),
    // The kind of what was cached is not said: it counts as text, and the rest as sound.
    (
      #""promptTokenCount":100,"cachedContentTokenCount":60,"promptTokensDetails":["#
        + #"{"modality":"AUDIO","tokenCount":80}]"#,
      ["cache_read": 60, "input_audio": 40]
    ),
    (
      #""promptTokenCount":100,"cachedContentTokenCount":60,"promptTokensDetails":["#
        + #"{"modality":"VIDEO","tokenCount":90}],"cacheTokensDetails":["#
        + #"{"modality":"VIDEO","tokenCount":60}]"#,
      ["cache_read": 60, "input_video": 30, "input_uncached": 10]
    ),
    // What tools put in stands beside the prompt, kinds and all.
    (
      #""promptTokenCount":10,"toolUsePromptTokenCount":50,"toolUsePromptTokensDetails":["#
        + #"{"modality":"AUDIO","tokenCount":30},{"modality":"IMAGE","tokenCount":15}]"#,
      ["input_uncached": 15, "input_audio": 30, "input_image": 15]
    ),
    // A kind in two entries is the sum of them.
    (
      #""promptTokenCount":10,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":3},"#
        + #"{"modality":"AUDIO","tokenCount":4}]"#,
      ["input_uncached": 3, "input_audio": 7]
    ),
    // The count before the kind; kinds by number, as some packages ask for them.
    (
      #""promptTokenCount":10,"promptTokensDetails":[{"tokenCount":3,"modality":4},"#
        + #"{"tokenCount":2,"modality":2},{"modality":1,"tokenCount":5}]"#,
      ["input_uncached": 5, "input_audio": 3, "input_image": 2]
    ),
    // Thoughts stand beside the candidates; what the total has beyond its parts is output.
    (
      #""promptTokenCount":10,"candidatesTokenCount":5,"thoughtsTokenCount":7,"#
        + #""totalTokenCount":30"#,
      ["input_uncached": 10, "output_text": 5, "output_reasoning": 15]
    ),
    (
      #""promptTokenCount":"10","totalTokenCount":"12""#,
      ["input_uncached": 10, "output_reasoning": 2]
    ),
    (#""promptTokenCount":10,"candidatesTokenCount":null"#, ["input_uncached": 10]),
    (#""promptTokenCount":0,"totalTokenCount":0"#, [:]),
    (
      #""promptTokenCount":8,"candidatesTokenCount":1300,"candidatesTokensDetails":["#
        + #"{"modality":"IMAGE","tokenCount":1290},{"modality":"AUDIO","tokenCount":4}]"#,
      ["input_uncached": 8, "output_image": 1290, "output_audio": 4, "output_text": 6]
    ),
    // Of a live session's figures.
    (
      #""promptTokenCount":4,"responseTokenCount":9,"responseTokensDetails":["#
        + #"{"modality":"AUDIO","tokenCount":9}]"#,
      ["input_uncached": 4, "output_audio": 9]
    ),
  ])
  func figures(figures: String, wanted: [String: Int64]) {
    let reading = usage(figures)
    #expect(counts(reading) == wanted)
    #expect(!reading.isUsageInconsistent)
  }

  /// None of these makes the call cheaper than its plain figures.
  @Test(arguments: [
    (
      #""promptTokenCount":10,"cachedContentTokenCount":11"#,
      ["input_uncached": 10] as [String: Int64]
    ),
    (#""promptTokenCount":10,"cachedContentTokenCount":-1"#, ["input_uncached": 10]),
    (#""promptTokenCount":10,"candidatesTokenCount":2.5"#, ["input_uncached": 10]),
    (#""promptTokenCount":10,"candidatesTokenCount":"x""#, ["input_uncached": 10]),
    (
      #""promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":12"#,
      ["input_uncached": 10, "output_text": 5]
    ),
    (
      #""promptTokenCount":10,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":11}]"#,
      ["input_audio": 10]
    ),
    (
      #""promptTokenCount":10,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":-3}]"#,
      ["input_uncached": 10]
    ),
    (
      #""promptTokenCount":10,"cachedContentTokenCount":4,"cacheTokensDetails":["#
        + #"{"modality":"AUDIO","tokenCount":6}]"#,
      ["input_uncached": 6, "cache_read_audio": 4]
    ),
  ])
  func contradictionsAreFlagged(figures: String, wanted: [String: Int64]) {
    let reading = usage(figures)
    #expect(counts(reading) == wanted)
    #expect(reading.isUsageInconsistent)
  }

  /// Whatever the figures: no token of a count is lost or billed twice, and a total above its parts
  /// is billed whole.
  @Test func everyTokenIsBilledOnce() throws {
    let kinds = ["TEXT", "AUDIO", "IMAGE", "VIDEO", "DOCUMENT", "NEW"]
    func list(_ name: String, _ numbers: ArraySlice<Int64>) -> String {
      let entries = zip(kinds, numbers).map { #"{"modality":"\#($0)","tokenCount":\#($1)}"# }
      return #""\#(name)":[\#(entries.joined(separator: ","))]"#
    }
    try checkProperty("figures", over: 0...500, runs: 400, countMax: 40) { numbers in
      let figure = { (index: Int) in index < numbers.count ? numbers[index] : 0 }
      let (prompt, cached, tools) = (figure(0), figure(1), figure(2))
      let (candidates, thoughts, total) = (figure(3), figure(4), figure(5) * 3)
      let body =
        #""promptTokenCount":\#(prompt),"cachedContentTokenCount":\#(cached),"#
        + #""toolUsePromptTokenCount":\#(tools),"candidatesTokenCount":\#(candidates),"#
        + #""thoughtsTokenCount":\#(thoughts),"totalTokenCount":\#(total),"#
        + [
          list("promptTokensDetails", numbers.dropFirst(6).prefix(6)),
          list("cacheTokensDetails", numbers.dropFirst(12).prefix(6)),
          list("toolUsePromptTokensDetails", numbers.dropFirst(18).prefix(6)),
          list("candidatesTokensDetails", numbers.dropFirst(24).prefix(6)),
        ].joined(separator: ",")
      let reading = self.usage(body)
      let usage = try #require(reading.usage)
      try require(usage.inputTotal == prompt + tools, body)
      let unnamed = max(0, total - prompt - tools - candidates - thoughts)
      try require(usage.outputTotal == candidates + thoughts + unnamed, body)
      let cacheRead = usage.cacheRead + usage[.cacheReadAudio] + usage[.cacheReadImage]
      try require(cacheRead == (cached > prompt ? 0 : cached), body)
      usage.forEachCount { #expect($1 > 0, "\($0): \(body)") }
    }
  }

  @Test(arguments: [
    "", #""trafficType":"ON_DEMAND""#, #""candidatesTokenCount":5"#, #""promptTokenCount":null"#,
    #""promptTokenCount":-1"#, #""promptTokenCount":9223372036854775807"#,
  ])
  func usageThatIsNotSaidIsNone(figures: String) {
    #expect(usage(figures).usage == nil)
  }

  /// A mask, or a model that forgets it, leaves the output's count out of an answer that has some.
  @Test func textWithoutAnOutputCountIsEstimated() {
    func answer(_ figures: String) -> CallReading {
      read(
        #"{"candidates":[{"content":{"parts":[{"text":"High water"}]},"finishReason":"STOP"}],"#
          + #""usageMetadata":{\#(figures)}}"#)
    }
    #expect(answer(#""promptTokenCount":5"#).usage == nil)
    #expect(answer(#""promptTokenCount":5,"totalTokenCount":5"#).usage == nil)
    #expect(answer(#""promptTokenCount":5,"totalTokenCount":7"#).usage?.outputTotal == 2)
    #expect(answer(#""promptTokenCount":5,"thoughtsTokenCount":1"#).usage?.outputTotal == 1)
    // A zero that is said stays one, and is doubted.
    let zero = answer(#""promptTokenCount":5,"candidatesTokenCount":0"#)
    #expect(zero.usage?.outputTotal == 0)
    #expect(zero.isUsageInconsistent)
  }

  @Test(arguments: [
    (#""trafficType":"ON_DEMAND""#, "standard"),
    (#""trafficType":"ON_DEMAND_PRIORITY""#, "priority"),
    (#""trafficType":"ON_DEMAND_FLEX""#, "flex"),
    (#""trafficType":"ON_DEMAND_OFFPEAK""#, "offpeak"),
    (#""trafficType":"PROVISIONED_THROUGHPUT""#, "provisioned"),
    (#""serviceTier":"priority""#, "priority"), (#""serviceTier":"FLEX""#, "flex"),
    (#""trafficType":1"#, "standard"), (#""trafficType":3"#, "priority"),
    (#""trafficType":4"#, "flex"), (#""trafficType":"TRAFFIC_TYPE_UNSPECIFIED""#, nil),
    (#""serviceTier":"unspecified""#, nil), (#""trafficType":0"#, nil),
    (#""trafficType":null"#, nil),
    (#""trafficType":"NEW_KIND""#, "new_kind"),
  ])
  func serviceTiers(figure: String, tier: String?) {
    #expect(usage(#""promptTokenCount":1,"# + figure).serviceTier == tier)
  }

  // MARK: - Units

  private func grounded(_ model: String, _ metadata: String) -> Usage? {
    read(
      #"{"candidates":[{"finishReason":"STOP","groundingMetadata":{\#(metadata)}}],"#
        + #""usageMetadata":{"promptTokenCount":1},"modelVersion":"\#(model)"}"#
    ).usage
  }

  @Test func searchesAreBilledByGeneration() {
    let queries = #""webSearchQueries":["","tide","","tide emden"],"imageSearchQueries":["ship"]"#
    // Empty queries are not billed; pictures are searched at the same price.
    #expect(grounded("gemini-3-flash", queries)?[.webSearches] == 3)
    #expect(grounded("gemini-4-argon", queries)?[.webSearches] == 3)
    #expect(grounded("gemini-2.5-flash", queries)?[.webSearches] == 1)
    #expect(grounded("", queries)?[.webSearches] == 3)
    #expect(grounded("gemini-3-flash", #""webSearchQueries":[""]"#)?[.webSearches] == 0)
    #expect(grounded("gemini-3-flash", #""groundingChunks":[{"web":{}}]"#)?[.webSearches] == 0)
  }

  /// The widget's token comes only to those who ask for a widget.
  @Test func mapsAreToldByWhatTheAnswerCites() {
    for model in ["gemini-3-flash", "gemini-2.5-flash"] {
      let chunks = #""groundingChunks":[{"maps":{"uri":"u","title":"t"}},{"maps":{"uri":"v"}}]"#
      #expect(grounded(model, chunks)?[.mapsQueries] == 1)
      #expect(grounded(model, #""groundingChunks":[{"web":{"maps":{}}}]"#)?[.mapsQueries] == 0)
    }
  }

  // MARK: - Text

  @Test(arguments: [
    (#"{"text":"abc"}"#, Int64(3)), (#"{"text":"abc","thought":true}"#, 3),
    (#"{"text":"abc","thoughtSignature":"QUJDREVG"}"#, 3),
    (#"{"inlineData":{"mimeType":"image/png","data":"QUJDREVG"}}"#, 0),
    (#"{"codeExecutionResult":{"output":"12345"}}"#, 0),
  ])
  func outputBytes(part: String, bytes: Int64) {
    let body = #"{"candidates":[{"content":{"role":"model","parts":[\#(part)]}}]}"#
    #expect(read(body).outputTextBytes == bytes)
  }

  /// All of a call's arguments were made by the model: keys, numbers and what is named `data` too.
  @Test(arguments: [
    #"{"data":"AAAAAAAAAA"}"#, #"{"role":"x","a":[1,2.5,true,null]}"#, #"{"a":{"b":{"c":{}}}}"#,
    "{}", #"{"text":"x"}"#,
  ])
  func argumentsCountWhole(arguments: String) {
    let call = #"{"functionCall":{"name":"f","args":\#(arguments)}}"#
    let body = #"{"candidates":[{"content":{"parts":[\#(call)]}}]}"#
    let count = Int64(arguments.utf8.count)
    #expect((count...count + 40).contains(read(body).outputTextBytes))
  }

  @Test func whatStandsBesideTheContentIsNoOutput() {
    let body = #"""
      {"candidates":[{"citationMetadata":{"citationSources":[{"uri":"https://a.example"}]},
      "logprobsResult":{"chosenCandidates":[{"token":"abc"}]},"finishMessage":"m",
      "groundingMetadata":{"groundingChunks":[{"web":{"uri":"u","title":"t"}}]}}]}
      """#
    #expect(read(body).outputTextBytes == 0)
  }

  // MARK: - Ends

  @Test(arguments: [
    (#"{"candidates":[{"finishReason":1}]}"#, "STOP", true),
    (#"{"candidates":[{"finishReason":2}]}"#, "MAX_TOKENS", true),
    (#"{"candidates":[{"finishReason":17}]}"#, "17", true),
    (#"{"candidates":[{"finishReason":0}]}"#, nil, false),
    (#"{"candidates":[{"finishReason":null}]}"#, nil, false),
    (#"{"candidates":[{"finishReason":"FINISH_REASON_UNSPECIFIED"}]}"#, nil, false),
    (#"{"promptFeedback":{"blockReason":1}}"#, "SAFETY", true),
    (#"{"promptFeedback":{"blockReason":"OTHER"}}"#, "OTHER", true),
    (#"{"promptFeedback":{}}"#, nil, false),
  ])
  func howAStreamEnds(document: String, reason: String?, isComplete: Bool) {
    let reading = read("data: \(document)\r\n\r\n", .streamGenerateContent, isStream: true)
    #expect(reading.finishReason == reason)
    // Whether its usage was said or not.
    #expect(reading.isComplete == isComplete)
    #expect(reading.usage == nil)
  }

  /// The first of two candidates ends: the figures are of a stream that goes on.
  @Test func aStreamIsNotOverWhileACandidateGoesOn() {
    func event(_ candidates: String, _ output: Int) -> String {
      #"data: {"candidates":[\#(candidates)],"usageMetadata":{"promptTokenCount":3,"#
        + #""candidatesTokenCount":\#(output)}}"# + "\n\n"
    }
    let first = event(#"{"index":0},{"index":1}"#, 2)
    let second = event(#"{"finishReason":"STOP"}"#, 4)
    let third = event(#"{"finishReason":"STOP","index":1}"#, 9)
    func reading(_ events: String...) -> CallReading {
      read(events.joined(), .streamGenerateContent, isStream: true)
    }
    #expect(reading(first, second).usage == nil)
    #expect(!reading(first, second).isComplete)
    #expect(reading(first, second, third).usage?.outputTotal == 9)
    #expect(reading(first, third, second).isComplete)
  }

  @Test func anErrorInAnArrayIsSeen() {
    let body = #"[{"candidates":[{"content":{}}]},"# + "\r\n" + #"{"error":{"code":503}}]"#
    let reading = read(body, .streamGenerateContent)
    #expect(reading.sawError)
    #expect(reading.usage == nil)
  }

  /// A figure of an earlier element stands until a later one says another.
  @Test func elementsOfAnArrayAreMergedByField() {
    let body = #"""
      [{"usageMetadata":{"promptTokenCount":30,"cachedContentTokenCount":10}},{},
      {"usageMetadata":{"candidatesTokenCount":2,"promptTokenCount":null}},
      {"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"candidatesTokenCount":5}}]
      """#
    let reading = read(body, .streamGenerateContent)
    #expect(counts(reading) == ["input_uncached": 20, "cache_read": 10, "output_text": 5])
  }

  @Test(arguments: [
    "", "[", "]", "[]", "[[", "[[]]", "[1]", "null", #"["a",{"error":1}]"#, "[{}]x",
  ])
  func oddArraysAreSafe(body: String) {
    for pieces in 1...2 {
      let reader = Providers.Operation.streamGenerateContent.answerReader()
      for start in stride(from: 0, to: body.utf8.count, by: pieces) {
        Array(body.utf8.dropFirst(start).prefix(pieces)).withUnsafeBytes { _ = reader.feed($0) }
      }
      _ = reader.finish()
      #expect(reader.reading.usage == nil)
    }
  }

  // MARK: - Embeddings

  @Test(arguments: [
    (#"{"embedding":{"values":[0.1]},"usageMetadata":{"promptTokenCount":7}}"#, Int64(7)),
    (#"{"embedding":{"values":[],"statistics":{"tokenCount":4}}}"#, 4),
    (
      #"{"embeddings":[{"values":[0.1],"statistics":{"tokenCount":4.0}},"#
        + #"{"statistics":{"truncated":false,"tokenCount":2}}]}"#, 6
    ),
    // One of two does not say.
    (#"{"embeddings":[{"statistics":{"tokenCount":4}},{"values":[0.1,3]}]}"#, nil),
    (#"{"embeddings":[{"values":[1,2,3]}]}"#, nil), (#"{"embedding":{"values":[0.1]}}"#, nil),
    (#"{"embedding":{"statistics":{"tokenCount":-4}}}"#, nil),
    (
      #"{"embeddings":[{"statistics":{"tokenCount":4}}],"usageMetadata":{"promptTokenCount":9}}"#, 9
    ),
  ])
  func embeddings(body: String, tokens: Int64?) {
    #expect(read(body, .embedContent).usage?.inputTotal == tokens)
  }

  @Test func embeddingsTellKindsInAListOfAnotherName() {
    let reading = read(
      #"{"embedding":{"values":[0.5]},"usageMetadata":{"promptTokenCount":300,"#
        + #""promptTokenDetails":[{"modality":"IMAGE","tokenCount":258}]}}"#, .embedContent)
    #expect(counts(reading) == ["input_image": 258, "input_uncached": 42])
  }
}
