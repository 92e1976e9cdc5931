// Which calls become samples, and what is stored of them.

import Foundation
import Metering
import Store
import Testing

@testable import Gateway

@Suite struct SampleTests {
  private func samples(_ fixture: GatewayFixture) throws -> [SampleRecord] {
    try fixture.database.samples(of: SampleSpan(app: "team"))
  }

  @Test func aChosenCallIsStoredRedacted() async throws {
    let secret = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH"
    let upstream = try ScriptedUpstream { _ in [.send(Script.json(Script.completion()))] }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port, sampleRate: 1)
    let body = GatewayFixture.body.replacingOccurrences(of: "hi", with: "my key is \(secret)")
    _ = try await fixture.call(GatewayFixture.request(body))
    try await fixture.stop()
    let sample = try #require(try samples(fixture).first)
    #expect(sample.output == "hello")
    #expect(sample.model == "gpt-test")
    #expect(sample.finishReason == "stop")
    #expect(sample.probability == 1)
    #expect(sample.call == CallID(1))
    #expect(sample.input.contains("my key is"))
    #expect(!sample.input.contains(secret))
  }

  @Test func aStreamIsStoredAsItsText() async throws {
    let upstream = try ScriptedUpstream { _ in
      [
        .send(Script.streamHead), .send(Script.chunk(Script.event("one "))),
        .send(Script.chunk(Script.event("two") + Script.usageEvent + Script.done)),
        .send(Script.lastChunk),
      ]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port, sampleRate: 1)
    _ = try await fixture.call(GatewayFixture.request(GatewayFixture.streamBody))
    try await fixture.stop()
    #expect(try samples(fixture).map(\.output) == ["one two"])
  }

  @Test func calledToolsAreStoredByName() async throws {
    let answer = """
      {"id":"c","object":"chat.completion","model":"gpt-test","choices":[{"index":0,\
      "finish_reason":"tool_calls","message":{"role":"assistant","content":null,"tool_calls":[\
      {"id":"1","type":"function","function":{"name":"tide","arguments":"{}"}},\
      {"id":"2","type":"function","function":{"name":"a,b","arguments":"{}"}}]}}],\
      "usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6}}
      """
    let upstream = try ScriptedUpstream { _ in [.send(Script.json(answer))] }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port, sampleRate: 1)
    _ = try await fixture.call(GatewayFixture.request(GatewayFixture.body))
    try await fixture.stop()
    #expect(try samples(fixture).map(\.tools) == [["tide", "a b"]])
  }

  @Test func errorsAreStoredWhateverTheRate() async throws {
    let upstream = try ScriptedUpstream { request in
      request.text.contains("bad")
        ? [.send(Script.json(#"{"error":{"message":"too long"}}"#, status: "400 Bad Request"))]
        : [.send(Script.json(Script.completion()))]
    }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port, sampleRate: 0)
    for text in ["good", "bad", "good"] {
      let body = GatewayFixture.body.replacingOccurrences(of: "hi", with: text)
      _ = try await fixture.call(GatewayFixture.request(body))
    }
    try await fixture.stop()
    let stored = try samples(fixture)
    #expect(stored.map(\.status) == [400])
    #expect(stored.first?.output.contains("too long") == true)
    #expect(stored.first?.probability == 1)
  }

  @Test func anAnswerOverTheBoundIsDroppedAndCounted() async throws {
    let long =
      #"{"choices":[{"message":{"content":""# + String(repeating: "x", count: 5_000)
      + #""}}]}"#
    let upstream = try ScriptedUpstream { _ in [.send(Script.json(long))] }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port, sampleRate: 1) {
      $0.sampleBytesMax = 1_000
    }
    #expect(try await fixture.call(GatewayFixture.request(GatewayFixture.body)).text == long)
    try await fixture.stop()
    #expect(try samples(fixture).isEmpty)
    #expect(fixture.metrics.count(of: .samplesDropped) == 1)
  }

  @Test func theChoiceIsDeterministicAndAsOftenAsTheRateSays() {
    for rate in [0.01, 0.1, 0.5] {
      let chosen = (1...100_000).filter { SampleQueue.chooses(CallID(UInt64($0)), rate: rate) }
      let again = (1...100_000).filter { SampleQueue.chooses(CallID(UInt64($0)), rate: rate) }
      #expect(chosen == again)
      // Six standard deviations of a fair choice.
      let deviation = (100_000 * rate * (1 - rate)).squareRoot()
      #expect(abs(Double(chosen.count) - 100_000 * rate) < 6 * deviation)
    }
    #expect(!SampleQueue.chooses(CallID(7), rate: 0))
    #expect(SampleQueue.chooses(CallID(7), rate: 1))
  }
}
