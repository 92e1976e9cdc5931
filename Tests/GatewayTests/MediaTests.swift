// Pictures, speech and transcriptions through the gateway.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Gateway

@Suite struct MediaTests {
  private static func answer(_ body: [UInt8], type: String) -> [UInt8] {
    Array(
      "HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nContent-Length: \(body.count)\r\n\r\n".utf8)
      + body
  }

  private func fixture(
    _ answer: [UInt8]
  ) async throws -> (GatewayFixture, ScriptedUpstream) {
    let upstream = try ScriptedUpstream { _ in [.bytes(answer)] }
    return (try await GatewayFixture(upstreamPort: upstream.port), upstream)
  }

  private static func sample(_ name: String) throws -> [UInt8] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "samples/metered/openai")
    return [UInt8](try Data(contentsOf: folder.appending(path: name)))
  }

  /// A request whose body is a form; the file is WAV of so many bytes of silence at one a
  /// millisecond.
  private static func form(
    model: String = "whisper-1", waveBytes: Int? = 12_000, key: String = GatewayFixture.key,
    more: String = ""
  ) -> String {
    // All bytes are below 0x80, so that a string can hold them.
    let head =
      "RIFF\0\0\0\0WAVEfmt \u{10}\0\0\0\u{1}\0\u{1}\0\u{68}\u{7}\0\0\u{68}\u{7}\0\0"
      + "\u{1}\0\u{8}\0data\0\0\0\0"
    let file = waveBytes.map { head + String(repeating: "\0", count: $0) } ?? "OggS"
    let body =
      "--edge\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n\(model)\r\n"
      + "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n"
      + "Content-Type: audio/wav\r\n\r\n\(file)\r\n--edge--\r\n"
    return "POST /v1/audio/transcriptions HTTP/1.1\r\nHost: gateway\r\n"
      + "Authorization: Bearer \(key)\r\nContent-Type: multipart/form-data; boundary=edge\r\n"
      + "\(more)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  @Test func aPictureIsChargedByItsTokens() async throws {
    let (fixture, _) = try await fixture(
      Self.answer(try Self.sample("images.json"), type: "application/json"))
    let seen = try await fixture.call(
      GatewayFixture.request(
        #"{"model":"gpt-image-1","prompt":"A harbour","quality":"low"}"#,
        path: "/v1/images/generations"))
    #expect(seen.status == 200)
    try await fixture.stop()
    let settled = try #require(try fixture.settlement())
    #expect(settled.outcome.usage[.outputImage] == 272)
    #expect(settled.charge.nanodollars == 58 * 1_000 + 272 * TestPrice.pictureToken)
    let reserved = try fixture.events().compactMap { event -> Money? in
      if case .reserved(let reserved) = event.kind { reserved.amounts.money } else { nil }
    }
    // The dearest rate of each side: 9 bytes of text and what every request may have beside them.
    #expect(reserved.map(\.nanodollars) == [(9 + 64) * 1_000 + 408 * TestPrice.pictureToken])
  }

  /// A model without a price of its own has those of the sizes and qualities that it makes.
  @Test(arguments: [
    (#""size":"1024x512","quality":"hd""#, "hd/1024-x-512/gpt-sized", 1_024 * 512),
    (#""size":"512x512""#, "512-x-512/gpt-sized", 512 * 512),
    (#""size":"512x512","quality":"hd""#, nil, 0), (#""quality":"hd""#, nil, 0),
    (#""size":"512x512","quality":"hd/1024-x-512""#, nil, 0),
  ])
  func aPictureHasThePriceOfItsSize(said: String, name: String?, pixels: Int64) async throws {
    let (fixture, _) = try await fixture(
      Self.answer(Array(#"{"created":1,"data":[{"url":"x"}]}"#.utf8), type: "application/json"))
    let seen = try await fixture.call(
      GatewayFixture.request(
        #"{"model":"gpt-sized","prompt":"A harbour",\#(said)}"#, path: "/v1/images/generations"))
    #expect(seen.header("x-leeway-denial") == (name == nil ? "model_unpriced" : nil))
    try await fixture.stop()
    let settled = try fixture.settlement()
    #expect(settled?.outcome.responseModel == name)
    #expect(settled?.charge.nanodollars == (name == nil ? nil : pixels * TestPrice.pixel))
    #expect(settled?.outcome.usage.source == (name == nil ? nil : .reported))
    #expect(settled?.outcome.usage[.pixelsOut] ?? 0 == pixels)
  }

  /// A model's own price by the pixel holds for every size, which tells how many there were.
  @Test(arguments: [
    ("1024x512", "1024-x-512/gpt-pixels", UsageSource.reported), ("8x9", "", .reported),
  ])
  func picturesByThePixelAreRecordedUnderTheirSize(
    size: String, name: String, source: UsageSource
  ) async throws {
    let (fixture, _) = try await fixture(
      Self.answer(Array(#"{"data":[{"url":"x"}]}"#.utf8), type: "application/json"))
    _ = try await fixture.call(
      GatewayFixture.request(
        #"{"model":"gpt-pixels","prompt":"A harbour","size":"\#(size)"}"#,
        path: "/v1/images/generations"))
    try await fixture.stop()
    let settled = try #require(try fixture.settlement())
    #expect(settled.outcome.responseModel == name)
    #expect(settled.outcome.usage.source == source)
    let pixels = settled.outcome.usage[.pixelsOut]
    #expect(pixels > 0 && settled.charge.nanodollars == pixels * TestPrice.pixel)
  }

  /// The provider chooses the quality that is not named: the dearest is held and charged, and what
  /// it was is not known. A deployment is priced as its model.
  @Test(arguments: [
    (#""model":"gpt-sized""#, UsageSource.estimated, "hd"),
    (#""model":"gpt-sized","quality":"auto""#, .estimated, "hd"),
    (#""model":"my-sized""#, .estimated, "hd"),
    (#""model":"my-sized","quality":"standard""#, .reported, "standard"),
  ])
  func aPictureOfTheProvidersChoiceCostsItsDearest(
    said: String, source: UsageSource, quality: String
  ) async throws {
    let (fixture, _) = try await fixture(
      Self.answer(Array(#"{"created":1,"data":[{"url":"x"}]}"#.utf8), type: "application/json"))
    let seen = try await fixture.call(
      GatewayFixture.request(
        #"{"prompt":"A harbour","size":"1024x512",\#(said)}"#, path: "/v1/images/generations"))
    #expect(seen.status == 200, "\(seen.text)")
    try await fixture.stop()
    let settled = try #require(try fixture.settlement())
    #expect(settled.outcome.responseModel == "\(quality)/1024-x-512/gpt-sized")
    let rate = quality == "hd" ? TestPrice.pixel : TestPrice.pixel / 2
    #expect(settled.charge.nanodollars == 1_024 * 512 * rate)
    #expect(settled.outcome.usage.source == source)
  }

  /// Fewer pictures may cost less: what was held is charged, and not taken for the truth.
  @Test(arguments: [
    (#"[{"url":"x"},{"url":"y"}]"#, UsageSource.reported), (#"[{"url":"x"}]"#, .estimated),
    (#"[]"#, .estimated), (#"[{"url":"x"},{"url":"y"}"#, .estimated),
  ])
  func picturesAreReportedWhereAllCame(data: String, source: UsageSource) async throws {
    let (fixture, _) = try await fixture(
      Self.answer(Array(#"{"data":\#(data)}"#.utf8), type: "application/json"))
    _ = try await fixture.call(
      GatewayFixture.request(
        #"{"model":"gpt-canvas","prompt":"A harbour","n":2}"#, path: "/v1/images/generations"))
    try await fixture.stop()
    let settled = try #require(try fixture.settlement())
    #expect(settled.charge.nanodollars == 2 * TestPrice.picture)
    #expect(settled.outcome.usage.source == source)
    #expect(settled.outcome.usage[.imagesOut] == 2)
  }

  /// The advice is in the unit that the call is counted in.
  @Test(arguments: [
    (
      "/v1/images/generations", #""model":"new","prompt":"x","size":"8x9","quality":"hd""#,
      #""hd/8-x-9/new": { from: YYYY-MM-DD, imageOutEach: "0.00" }"#
    ),
    ("/v1/images/generations", #""model":"new","prompt":"x""#, #""new": { from: YYYY-MM-DD, imag"#),
    (
      "/v1/images/generations", #""model":"gpt-image-1-mini","prompt":"x","size":"8x9""#,
      #""gpt-image-1-mini": { from: YYYY-MM-DD, inputPerMillion: "0.00", out"#
    ),
    ("/v1/audio/speech", #""model":"new","input":"x""#, #"charactersInPerMillion: "0.00""#),
  ])
  func whatHasNoPriceIsToldInItsUnit(path: String, body: String, line: String) async throws {
    let (fixture, _) = try await fixture([])
    let refused = try await fixture.call(GatewayFixture.request("{\(body)}", path: path))
    #expect(refused.header("x-leeway-denial") == "model_unpriced")
    #expect(refused.text.replacing(#"\""#, with: "\"").contains(line), "\(refused.text)")
    try await fixture.stop()
  }

  /// How many characters a sign beyond the first plane is, no provider says.
  @Test(arguments: [
    (#""input":"Größe\n""#, 6, UsageSource.reported), (#""input":"\ud7ff\u0041""#, 2, .reported),
    (#""input":"🌊""#, 2, .estimated), (#""input":"\uD83c\uDF0A""#, 2, .estimated),
    (#""input":"Ebb","instructions":"low""#, 6, .estimated),
    (#""input":"Ebb","stream_format":"audio","speed":1.5"#, 3, .reported),
  ])
  func charactersAreReportedWhereNothingIsOpen(
    said: String, characters: Int64, source: UsageSource
  ) async throws {
    let (fixture, _) = try await fixture(Self.answer(Array("sound".utf8), type: "audio/mpeg"))
    _ = try await fixture.call(
      GatewayFixture.request(
        #"{"model":"tts-1","voice":"alloy",\#(said)}"#, path: "/v1/audio/speech"))
    try await fixture.stop()
    let settled = try #require(try fixture.settlement())
    #expect(settled.charge.nanodollars == characters * TestPrice.character)
    #expect(settled.outcome.usage.source == source)
    #expect(settled.outcome.usage[.charactersIn] == characters)
  }

  @Test func speechIsChargedByTheCharacter() async throws {
    let sound = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let (fixture, _) = try await fixture(Self.answer(sound, type: "audio/mpeg"))
    let seen = try await fixture.call(
      GatewayFixture.request(
        #"{"model":"tts-1","voice":"alloy","input":"Größe\n"}"#, path: "/v1/audio/speech"))
    #expect(seen.body == sound)
    try await fixture.stop()
    let settled = try #require(try fixture.settlement())
    #expect(settled.charge.nanodollars == 6 * TestPrice.character)
    #expect(settled.outcome.usage.source == .reported)
    #expect(settled.outcome.usage[.charactersIn] == 6)
  }

  @Test func speechWithoutABoundIsRefused() async throws {
    let (fixture, upstream) = try await fixture([])
    let refused = try await fixture.call(
      GatewayFixture.request(#"{"model":"gpt-talk","input":"Ebb"}"#, path: "/v1/audio/speech"))
    #expect(refused.status == 400 && refused.header("x-leeway-denial") == "cost_unbounded")
    #expect(refused.text.contains("outputTokensMax"))
    #expect(upstream.requests.isEmpty)
    try await fixture.stop()
  }

  @Test func aTranscriptionIsHeldByItsFileAndChargedBySeconds() async throws {
    let (fixture, upstream) = try await fixture(
      Self.answer(try Self.sample("transcription-seconds.json"), type: "application/json"))
    let request = Self.form(waveBytes: 1_896 * 61)
    let seen = try await fixture.call(request)
    #expect(seen.status == 200, "\(seen.text)")
    try await fixture.stop()
    // The form goes on to the byte.
    let body = try #require(request.firstRange(of: "--edge\r\n"))
    #expect(upstream.requests.first?.text == String(request[body.lowerBound...]))
    let reserved = try fixture.events().compactMap { event -> Money? in
      if case .reserved(let reserved) = event.kind { reserved.amounts.money } else { nil }
    }
    #expect(reserved.map(\.nanodollars) == [62 * TestPrice.second])
    #expect(try fixture.settlement()?.charge.nanodollars == 9 * TestPrice.second)
  }

  /// A text has no usage in it: what was held is charged.
  @Test func aTranscriptionWithoutUsageIsCharged() async throws {
    let (fixture, _) = try await fixture(Self.answer(Array("1\n".utf8), type: "text/plain"))
    #expect(try await fixture.call(Self.form(waveBytes: 0)).status == 200)
    try await fixture.stop()
    #expect(try fixture.settlement()?.charge.nanodollars == 10 * TestPrice.second)
  }

  @Test func aSoundOfUnknownLengthIsForAppsWithoutABudget() async throws {
    let (fixture, upstream) = try await fixture(
      Self.answer(try Self.sample("transcription-seconds.json"), type: "application/json"))
    let refused = try await fixture.call(Self.form(waveBytes: nil))
    #expect(refused.header("x-leeway-denial") == "cost_unbounded")
    #expect(refused.text.contains("MP3"))
    #expect(upstream.requests.isEmpty)
    let taken = try await fixture.call(Self.form(waveBytes: nil, key: GatewayFixture.freeKey))
    #expect(taken.status == 200)
    try await fixture.stop()
    #expect(try fixture.settlement()?.charge.nanodollars == 9 * TestPrice.second)
  }

  /// What is read here as UTF-8 says something else in UTF-7.
  @Test func aBodyInAnotherCharsetIsRefused() async throws {
    let (fixture, upstream) = try await fixture([])
    for type in ["application/json; charset=utf-7", "text/plain; Charset=\"utf-16\""] {
      for (path, body) in [
        ("/v1/chat/completions", #"{"model":"gpt-4o-mini","max_completion_tokens":1}"#),
        ("/v1/audio/speech", #"{"model":"tts-1","input":"Ebb"}"#),
      ] {
        let request = GatewayFixture.request(body, path: path)
          .replacingOccurrences(of: "application/json", with: type)
        let refused = try await fixture.call(request)
        #expect(refused.header("x-leeway-denial") == "request_invalid", "\(refused.text)")
        #expect(refused.text.contains("utf-8"))
      }
    }
    #expect(upstream.requests.isEmpty)
    try await fixture.stop()
  }

  /// Servers disagree about which of two types holds.
  @Test func aFormWhoseTypeIsNotPlainIsRefused() async throws {
    let (fixture, upstream) = try await fixture([])
    for more in ["Content-Type: application/json\r\n", "content-type: multipart/form-data\r\n"] {
      let refused = try await fixture.call(Self.form(more: more))
      #expect(refused.header("x-leeway-denial") == "request_invalid", "\(refused.text)")
    }
    let urlEncoded = GatewayFixture.request(
      #"{"model":"tts-1","input":"x&model=gpt-talk&"}"#, path: "/v1/audio/speech"
    ).replacingOccurrences(of: "application/json", with: "application/x-www-form-urlencoded")
    #expect(try await fixture.call(urlEncoded).status == 400)
    #expect(upstream.requests.isEmpty)
    try await fixture.stop()
  }
}
