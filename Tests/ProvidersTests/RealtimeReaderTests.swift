// What a socket's messages mean for the meter, whatever stands between them.

import Metering
import TestSupport
import Testing

@testable import Providers

@Suite struct RealtimeReaderTests {
  /// Feeds messages, each cut in pieces of a size.
  private static func events(_ messages: [String], piece: Int = .max) -> [RealtimeEvent] {
    let reader = RealtimeReader()
    return messages.compactMap { message in
      var rest = Array(message.utf8)[...]
      while !rest.isEmpty {
        Array(rest.prefix(piece)).withUnsafeBytes { reader.feed($0) }
        rest = rest.dropFirst(piece)
      }
      return reader.endMessage()
    }
  }

  private static let session = [
    #"{"type":"session.created","event_id":"e1","session":{"type":"realtime","model":"gpt-voice","#
      + #""audio":{"input":{"transcription":{"model":"scribe-1","language":"en"},"format":{"#
      + #""type":"audio/pcm","model":"no"}},"output":{"voice":"alloy"}},"tools":[{"model":"x"}]}}"#,
    #"{"type":"response.created","response":{"id":"r1","status":"in_progress","usage":null}}"#,
    #"{"type":"response.output_audio.delta","delta":"AAAA","usage":{"input_tokens":9}}"#,
    #"{"type":"response.done","event_id":"e9","response":{"object":"realtime.response","id":"r1","#
      + #""status":"completed","output":[{"usage":{"input_tokens":1},"type":"message"}],"usage":{"#
      + #""total_tokens":530,"input_tokens":400,"output_tokens":130,"input_token_details":{"#
      + #""text_tokens":150,"audio_tokens":250,"image_tokens":0,"cached_tokens":220,"#
      + #""cached_tokens_details":{"text_tokens":100,"audio_tokens":120}},"#
      + #""output_token_details":{"text_tokens":30,"audio_tokens":100}},"metadata":null}}"#,
    #"{"type":"conversation.item.input_audio_transcription.completed","item_id":"i","#
      + #""transcript":"the tide","usage":{"type":"tokens","total_tokens":22,"input_tokens":13,"#
      + #""input_token_details":{"text_tokens":0,"audio_tokens":13},"output_tokens":9}}"#,
  ]

  private static func wanted() -> [RealtimeEvent] {
    var done = CallReading()
    done.isComplete = true
    done.responseModel = "gpt-voice"
    done.finishReason = "completed"
    var usage = Usage(source: .reported)
    usage.inputUncached = 50
    usage.cacheRead = 100
    usage[.cacheReadAudio] = 120
    usage.inputAudio = 130
    usage.outputText = 30
    usage.outputAudio = 100
    done.usage = usage
    var scribe = CallReading()
    scribe.isComplete = true
    scribe.responseModel = "scribe-1"
    var heard = Usage(source: .reported)
    heard.inputAudio = 13
    heard.outputText = 9
    scribe.usage = heard
    return [.responseBegan, .responseEnded(done), .transcribed(scribe)]
  }

  /// Cached sound is in two of the provider's counts and must be billed as one.
  @Test func aSessionIsReadInEverySplit() {
    #expect(Self.events(Self.session) == Self.wanted())
    for piece in 1...60 { #expect(Self.events(Self.session, piece: piece) == Self.wanted()) }
  }

  @Test func aResponseWithoutUsageIsNotFree() throws {
    let events = Self.events([
      #"{"type":"response.done","response":{"status":"cancelled","usage":null}}"#
    ])
    guard case .responseEnded(let reading)? = events.first else { throw CheckFailure() }
    #expect(reading.usage == nil)
    #expect(reading.finishReason == "cancelled")
  }

  @Test func explicitZerosStayZero() throws {
    let events = Self.events([
      #"{"type":"response.done","response":{"usage":{"input_tokens":0,"output_tokens":0}}}"#
    ])
    guard case .responseEnded(let reading)? = events.first else { throw CheckFailure() }
    #expect(reading.usage == Usage(source: .reported))
  }

  private struct CheckFailure: Error {}

  @Test func aDurationIsUsageToo() throws {
    let events = Self.events([
      #"{"type":"conversation.item.input_audio_transcription.completed","usage":{"#
        + #""type":"duration","seconds":12.3451}}"#
    ])
    guard case .transcribed(let reading)? = events.first else { throw CheckFailure() }
    #expect(reading.usage?[.audioInMilliseconds] == 12_346)
    #expect(reading.responseModel.isEmpty)
  }

  @Test(
    arguments: [
      ("9", 9_000), ("0.5", 500), ("1.", 1_000), ("0.0004", 1), ("-1", nil), ("1e3", nil),
      ("", nil),
      ("99999999999999999999", nil),
    ] as [(String, Int64?)])
  func secondsAreMilliseconds(text: String, wanted: Int64?) {
    #expect(Array(text.utf8).withUnsafeBytes { OpenAIUsageReader.milliseconds($0) } == wanted)
  }

  @Test func theResponsesSocketNamesItsModel() throws {
    let events = Self.events([
      #"{"type":"response.completed","response":{"model":"gpt-text-2026","service_tier":"flex","#
        + #""status":"completed","usage":{"input_tokens":10,"input_tokens_details":{"#
        + #""cached_tokens":4},"output_tokens":8,"output_tokens_details":{"reasoning_tokens":5},"#
        + #""total_tokens":18}}}"#
    ])
    guard case .responseEnded(let reading)? = events.first else { throw CheckFailure() }
    #expect(reading.responseModel == "gpt-text-2026")
    #expect(reading.serviceTier == "flex")
    #expect(reading.usage?.inputUncached == 6)
    #expect(reading.usage?.cacheRead == 4)
    #expect(reading.usage?.outputText == 3)
    #expect(reading.usage?.outputReasoning == 5)
  }

  /// More cached sound than there was sound is no reason for the cached rate.
  @Test func contradictionsAreNeverCheaper() throws {
    let events = Self.events([
      #"{"type":"response.done","response":{"usage":{"input_tokens":10,"output_tokens":1,"#
        + #""input_token_details":{"audio_tokens":4,"cached_tokens":8,"#
        + #""cached_tokens_details":{"audio_tokens":7}}}}}"#
    ])
    guard case .responseEnded(let reading)? = events.first else { throw CheckFailure() }
    #expect(reading.isUsageInconsistent)
    #expect(reading.usage?[.cacheReadAudio] == 0)
    #expect(reading.usage?.inputTotal == 10)
  }

  @Test func garbageIsNothing() throws {
    try checkProperty("messages", over: 0...255, runs: 1_000, countMax: 60) { numbers in
      let reader = RealtimeReader()
      numbers.map { UInt8($0) }.withUnsafeBytes { reader.feed($0) }
      try require(reader.endMessage() == nil, "an event of garbage")
    }
    #expect(Self.events(["[]", "{", #"{"type":"response.done""#, "x"]).isEmpty)
  }

  @Test(arguments: [
    ("/v1/realtime?model=gpt-voice", "gpt-voice"),
    ("/openai/realtime?api-version=1&deployment=d", "d"), ("/v1/realtime", ""),
    // Which of two counts is the upstream's affair.
    ("/v1/realtime?model=a&deployment=b", ""), ("/v1/realtime?model=a&model=b", ""),
    ("/v1/realtime?%6Dodel=b&model=a", ""), ("/v1/realtime?%6Dodel=b", ""),
    ("/v1/realtime?model=a%20b", ""), ("/v1/realtime?modell=x&model=", ""),
  ])
  func theModelStandsInTheQuery(path: String, model: String) throws {
    let request = try Operation.realtime.peek([], path: path)
    #expect(request.model == model)
    #expect(request.fillsContext)
  }
}
