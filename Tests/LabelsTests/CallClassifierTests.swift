// Labels of how a call went: tools, ending, length, duration.

import Drift
import Labels
import Testing

@Suite struct CallClassifierTests {
  private func label(_ kind: ClassifierDeclaration.Kind, _ sample: SampleView) throws -> String {
    try makeClassifiers([ClassifierDeclaration(name: "c", kind: kind)])[0].label(sample)
  }

  private func bands(_ edges: Int64...) throws -> Bands { try #require(Bands(edges)) }

  @Test func theFirstToolOrAllOfThemNameTheLabel() throws {
    let first = ClassifierDeclaration.Kind.tool(isEvery: false, none: "none")
    let every = ClassifierDeclaration.Kind.tool(isEvery: true, none: "none")
    let called = SampleView(output: "", tools: ["tide", "search", "tide"], finishReason: "STOP")
    #expect(try label(first, called) == "tide")
    #expect(try label(every, called) == "search + tide")
    #expect(try label(first, SampleView(output: "High water is at six.")) == "none")
    #expect(try label(first, SampleView(output: "")) == "__error__")
    #expect(try label(first, SampleView(output: "x", tools: ["tide"], status: 500)) == "__error__")
    #expect(try label(first, SampleView(output: "", tools: ["__error__"])) == "\"__error__\"")
  }

  @Test(arguments: [
    ("stop", "stop"), ("end_turn", "stop"), ("STOP", "stop"), ("completed", "stop"),
    ("length", "length"), ("max_tokens", "length"), ("MAX_TOKENS", "length"),
    ("incomplete", "length"), ("tool_calls", "tool"), ("tool_use", "tool"),
    ("content_filter", "filter"), ("SAFETY", "filter"), ("refusal", "filter"),
    ("pause_turn", "pause_turn"), ("", "__missing__"),
  ])
  func providersWordsForAnEndBecomeOne(_ reason: String, _ expected: String) throws {
    #expect(try label(.finish, SampleView(output: "x", finishReason: reason)) == expected)
    #expect(
      try label(.finish, SampleView(output: "x", status: 429, finishReason: reason)) == "__error__")
  }

  @Test(arguments: [
    ("Done.", "stop", "complete"), ("Done", "length", "truncated"), ("", "length", "empty"),
    (" \n", "stop", "empty"), ("Done.", "", "complete"), ("{\"a\": [1, 2", "", "truncated"),
    ("{\"a\": \"}", "", "truncated"), (#"{"a": "\"}"}"#, "", "complete"),
    ("See:\n```swift\nlet x = 1", "", "truncated"), ("See:\n```\nx\n```\n", "", "complete"),
    ("[Note] The 5\" pipe fits.", "", "complete"), ("See:\r\n```\r\nx\r\n```", "", "complete"),
    // Who said that it ended is believed.
    ("{\"a\": [1, 2", "stop", "complete"), ("[sic] is Latin", "", "complete"),
  ])
  func completenessIsToldByTheReasonOrByWhatIsOpen(
    _ output: String, _ reason: String, _ expected: String
  ) throws {
    let sample = SampleView(output: output, finishReason: reason)
    #expect(try label(.completeness, sample) == expected)
  }

  @Test func aCallOfAToolEndsWithOneWhateverTheProviderSays() throws {
    let called = SampleView(output: "", tools: ["tide"], finishReason: "completed")
    #expect(try label(.finish, called) == "tool")
    #expect(
      try label(.finish, SampleView(output: "x", finishReason: "max_output_tokens")) == "length")
  }

  @Test func aCallOfAToolIsNotEmpty() throws {
    let called = SampleView(output: "", tools: ["tide"], finishReason: "STOP")
    #expect(try label(.completeness, called) == "complete")
  }

  @Test func bandsMeetWithoutAGap() throws {
    let bands = try bands(10, 100)
    #expect(
      [0, 9, 10, 99, 100, Int64.max].map { bands.label(of: $0) } == [
        "under 10", "under 10", "10 to 99", "10 to 99", "100 and over", "100 and over",
      ])
    #expect(Bands([]) == nil)
    #expect(Bands([0, 1]) == nil)
    #expect(Bands([5, 5]) == nil)
    #expect(Bands([5, 4]) == nil)
  }

  @Test func lengthCountsCharactersOrWords() throws {
    let text = SampleView(output: "Fünf Wörter sind’s: 你好")
    #expect(try label(.length(unit: .words, bands: bands(5, 6)), text) == "5 to 5")
    #expect(try label(.length(unit: .characters, bands: bands(22, 23)), text) == "22 to 22")
    #expect(
      try label(.length(unit: .words, bands: bands(5)), SampleView(output: "")) == "__error__")
  }

  @Test func durationIsMissingWhereNobodyMeasuredIt() throws {
    let kind = try ClassifierDeclaration.Kind.latency(bands: bands(1_000))
    #expect(try label(kind, SampleView(output: "x")) == "__missing__")
    #expect(try label(kind, SampleView(output: "x", latencyMilliseconds: 0)) == "under 1000")
    #expect(try label(kind, SampleView(output: "", latencyMilliseconds: 1_000)) == "1000 and over")
  }
}
