// Requests for pictures, speech and transcriptions: what they can cost at most.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Providers

@Suite struct MediaRequestTests {
  private typealias Operation = Providers.Operation

  private static let start = Timestamp(milliseconds: 0)

  private static func price(_ rates: [UsageBucket: Int64]) -> ModelPrice {
    var base = Rates()
    for (bucket, rate) in rates { base[bucket] = rate }
    return ModelPrice(effectiveFrom: start, base: base)
  }

  private static let byTokens = price([.inputUncached: 5, .outputImage: 40, .outputAudio: 12])

  private func form(
    _ parts: [(name: String, file: String?, content: [UInt8])], boundary: String = "xyzzy"
  ) -> [UInt8] {
    var body: [UInt8] = []
    for part in parts {
      let file = part.file.map { "; filename=\"\($0)\"\r\nContent-Type: application/octet-stream" }
      body += Array(
        ("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(part.name)\"\(file ?? "")"
          + "\r\n\r\n").utf8)
      body += part.content + [0x0D, 0x0A]
    }
    return body + Array("--\(boundary)--\r\n".utf8)
  }

  private func fields(
    _ fields: [(String, String)]
  ) -> [(name: String, file: String?, content: [UInt8])] {
    fields.map { (name: $0.0, file: nil, content: Array($0.1.utf8)) }
  }

  private func peek(
    _ operation: Operation, _ body: [UInt8], boundary: String = "xyzzy", path: String = "/v1/x"
  ) throws -> PeekedRequest {
    try operation.peek(body, path: path, form: .multipart(boundary: Array(boundary.utf8)))
  }

  // MARK: Pictures

  @Test(arguments: [
    (#""quality":"low""#, 408), (#""quality":"medium","n":3"#, 3 * 1_584), (#""n":null"#, 6_240),
    (#""quality":"auto","n":10"#, 62_400), (#""quality":"low","partial_images":3"#, 708),
  ])
  func aPictureHasSoManyTokens(fields: String, tokens: Int64) throws {
    for model in ["gpt-image-1", "gpt-image-1-mini", "gpt-image-1-2025-04-23"] {
      let body = #"{"model":"\#(model)","prompt":"A harbour",\#(fields)}"#
      let request = try Operation.images.peek(Array(body.utf8))
      #expect(request.outputTokensMax == tokens, "\(body)")
      #expect(request.unboundablePart == nil)
      // Tokens bill this model, whatever else is known of the request.
      #expect(request.billed(at: Self.byTokens) == request)
    }
  }

  /// OpenAI's own calculator says so of these.
  @Test(arguments: [
    ("1024x1024", "high", 7_024), ("1536x1024", "high", 5_488), ("1024x1536", "high", 5_488),
    ("1792x1024", "high", 5_063), ("3584x2048", "high", 12_329), ("1024x1024", "low", 196),
  ])
  func aPictureOfAnySizeHasSoManyTokens(size: String, quality: String, tokens: Int64) throws {
    let body = #"{"model":"gpt-image-2","prompt":"p","size":"\#(size)","quality":"\#(quality)"}"#
    #expect(try Operation.images.peek(Array(body.utf8)).outputTokensMax == tokens)
  }

  @Test func whatIsNotSaidIsTheDearest() throws {
    func most(_ fields: String) throws -> Int64? {
      let body = #"{"model":"gpt-image-2","prompt":"p"\#(fields)}"#
      return try Operation.images.peek(Array(body.utf8)).outputTokensMax
    }
    let open = try #require(try most(""))
    for side in stride(from: Int64(256), through: 3_840, by: 64) {
      for other in stride(from: Int64(256), through: 3_840, by: 128) where side * other <= 8_294_400
      {
        let tokens = try #require(try most(#","size":"\#(side)x\#(other)""#))
        #expect(tokens <= open)
      }
    }
    #expect(try most(#","size":"auto""#) == open)
    // No plain size, and none that the model makes: too long, too small, too large.
    for size in [
      "1024x1024x1", "+16x+16", "-1024x1024", "01024x1024", " 1024x1024", "16x16", "2048x512",
      "512x1600", "800x800", "3000x3000", "4000x2000",
    ] {
      #expect(try most(#","size":"\#(size)""#) == open, "\(size)")
    }
    #expect(try #require(try most(#","size":"816x816""#)) < open)
    #expect(try most(#","quality":"ultra""#) == nil)
    let unknown = #"{"model":"gpt-image-9","prompt":"p","quality":"low"}"#
    #expect(try Operation.images.peek(Array(unknown.utf8)).outputTokensMax == nil)
  }

  /// Each picture is billed as if it had been asked for alone.
  @Test func thePromptCountsForEachPicture() throws {
    let one = try Operation.images.peek(Array(#"{"model":"m","prompt":"A quay"}"#.utf8))
    let four = try Operation.images.peek(Array(#"{"model":"m","prompt":"A quay","n":4}"#.utf8))
    #expect(one.inputTokensMax == 6 + ImageRequest.tokensPerRequest)
    #expect(four.inputTokensMax == 4 * one.inputTokensMax)
  }

  @Test func picturesAreBilledByThePictureOrThePixel() throws {
    let body = #"{"model":"m","prompt":"p","n":2,"size":"512x256"}"#
    let request = try Operation.images.peek(Array(body.utf8))
    let each = request.billed(at: Self.price([.imagesOut: 7]))
    #expect(each.units == [UsageCount(.imagesOut, 2)])
    #expect(each.inputTokensMax == 0 && each.outputTokensMax == 0)
    let pixels = request.billed(at: Self.price([.pixelsOut: 7, .outputText: 0]))
    #expect(pixels.units == [UsageCount(.pixelsOut, 2 * 512 * 256)])
    // Nothing that can be counted has a price: no bound.
    let none = request.billed(at: Self.price([.queries: 7]))
    #expect(
      Self.price([.queries: 7]).worstCase(inputTokens: 0, outputTokens: 0, units: none.units) == nil
    )
  }

  @Test func tokensAndPicturesThatCostAreBothHeld() throws {
    let body = #"{"model":"m","prompt":"A quay","n":2,"size":"512x256"}"#
    let request = try Operation.images.peek(Array(body.utf8))
    let free = request.billed(at: Self.price([.inputUncached: 0, .outputText: 0, .imagesOut: 7]))
    #expect(free.units == [UsageCount(.imagesOut, 2)] && free.outputTokensMax == 0)
    let input = request.billed(at: Self.price([.inputUncached: 5, .imagesOut: 7]))
    #expect(input.units == free.units && input.inputTokensMax == request.inputTokensMax)
    #expect(input.outputTokensMax == 0)
    let all = request.billed(at: Self.price([.inputUncached: 5, .outputImage: 9, .pixelsOut: 7]))
    #expect(all.units.map(\.bucket) == [.pixelsOut] && all.inputTokensMax > 0)
    #expect(all.outputTokensMax == request.outputTokensMax)
    // Free altogether.
    let none = request.billed(at: Self.price([.inputUncached: 0, .outputText: 0]))
    #expect(none == request)
    let unsized = try Operation.images.peek(Array(#"{"model":"m","prompt":"p"}"#.utf8))
    for rates: [UsageBucket: Int64] in [
      [.pixelsOut: 7], [.pixelsOut: 7, .outputText: 0, .inputUncached: 0],
    ] {
      #expect(unsized.billed(at: Self.price(rates)).unboundablePart?.contains("'size'") == true)
    }
  }

  /// Whatever the price says and whatever an answer within the request reports.
  @Test func heldIsNeverLessThanCharged() throws {
    let buckets: [UsageBucket] = [
      .inputUncached, .inputAudio, .inputImage, .outputText, .outputImage, .outputAudio,
      .imagesOut, .imagesIn, .pixelsOut, .charactersIn, .audioInMilliseconds,
    ]
    let requests = [
      try Operation.images.peek(
        Array(#"{"model":"gpt-image-1","prompt":"A quay","n":3,"size":"64x32"}"#.utf8)),
      try Operation.images.peek(Array(#"{"model":"gpt-image-2","prompt":"A quay"}"#.utf8)),
      try Operation.speech.peek(Array(#"{"model":"tts","input":"Ebb and flow"}"#.utf8)),
      try transcription(SoundLengthTests.wave(milliseconds: 12_345)),
    ]
    try checkProperty("held ≥ charged", over: 0...Int64.max, runs: 2_000, countMax: 3) { seeds in
      var generator = SeededGenerator(seed: UInt64(bitPattern: seeds.reduce(0, &+)))
      var base = Rates()
      for bucket in buckets where generator.int(0...2) == 0 {
        base[bucket] = [0, 1_000_000, 3_000_000_000][generator.int(0...2)]
      }
      let price = ModelPrice(
        effectiveFrom: Self.start, base: base, outputTokensMax: 2_000, inputTokensMax: 16_000)
      let request = requests[generator.int(0...3)]
      let billed = request.billed(at: price)
      let held =
        billed.unboundablePart == nil
        ? price.worstCase(
          inputTokens: billed.fillsContext ? 16_000 : billed.inputTokensMax,
          outputTokens: billed.outputTokensMax ?? 2_000, units: billed.units) : nil
      guard let held else { return }
      let input = request.fillsContext ? 16_000 : request.inputTokensMax
      let output = request.outputTokensMax ?? 2_000
      var usage = Usage(source: .reported)
      let inputs: [UsageBucket] = [.inputUncached, .inputAudio, .inputImage]
      let outputs: [UsageBucket] = [.outputText, .outputImage, .outputAudio]
      usage[inputs[generator.int(0...2)]] = generator.int(0...input)
      usage[outputs[generator.int(0...2)]] = generator.int(0...output)
      for unit in billed.units { usage[unit.bucket] = generator.int(0...unit.count) }
      var prices = PriceBook()
      prices.add(price, model: "m")
      let cost = prices.cost(
        of: usage, otherModels: [], model: "m", asked: price, responseModel: "m",
        serviceTier: nil, at: Self.start)
      let charged = try #require(cost).charge(held: held)
      try require(charged <= held, "\(charged) of \(held) at \(base.statedBuckets)")
    }
  }

  @Test func anEditCountsItsPictures() throws {
    let picture = [UInt8](repeating: 0x2D, count: 3_000)
    var parts = fields([("model", "gpt-image-1"), ("prompt", "Add a gull"), ("n", "2")])
    for name in ["image[]", "image[]", "mask"] { parts.append((name, "p.png", picture)) }
    let request = try peek(.images, form(parts))
    #expect(request.model == "gpt-image-1" && request.choices == 2)
    let each = 10 + ImageRequest.tokensPerRequest + 3 * OpenAIMedia.tokensPerImage
    #expect(request.inputTokensMax == 2 * each)
    parts.append(("image[1]", "p.png", picture))
    #expect(
      try peek(.images, form(parts)).inputTokensMax == 2 * (each + OpenAIMedia.tokensPerImage))
    let units = request.billed(at: Self.price([.imagesOut: 7, .imagesIn: 1])).units
    #expect(units == [UsageCount(.imagesOut, 2), UsageCount(.imagesIn, 3)])
    let json = #"""
      {"model":"gpt-image-1","prompt":"Add a gull","n":2,"images":[
       {"image_url":"data:image/png;base64,AAAA"},{"file_id":"file-1"}],"mask":{"file_id":"file-2"}}
      """#
    #expect(try Operation.images.peek(Array(json.utf8)).inputTokensMax == 2 * each)
  }

  @Test(arguments: [
    #"{"model":"a","Model":"b"}"#, #"{"model":"a","model":"b"}"#, #"{"model":"a","n":"3"}"#,
    #"{"model":"a","n":0}"#, #"{"model":"a","n":1.5}"#, #"{"model":"a","N":2}"#,
    #"{"model":"a","size":[1]}"#, #"{"model":"a","stream":"yes"}"#, #"{"model":["a"]}"#,
    #"{"model":"a","quality":{"x":1}}"#, #"{"model":"a","partial_images":-1}"#,
  ])
  func whatServersCouldReadOtherwiseIsRefused(body: String) {
    #expect(throws: PeekFault.self) { try Operation.images.peek(Array(body.utf8)) }
  }

  /// A picture has far more tokens than its name has bytes.
  @Test(arguments: [
    #""reference_images":["file-1"]"#, #""image_url":"https://x""#, #""input_image":{"id":"f"}"#,
    #""images":[["file-1","file-2"]]"#, #""image":{"urls":["a","b"]}"#, #""init_img":"x""#,
  ])
  func picturesUnderOtherNamesHaveNoBound(field: String) throws {
    let body = #"{"model":"gpt-image-1","prompt":"p",\#(field)}"#
    #expect(
      try Operation.images.peek(Array(body.utf8)).unboundablePart?.contains("picture") == true)
    let name = String(field.dropFirst().prefix { $0 != "\"" })
    if name.hasSuffix("s") || name == "image" { return }
    let inForm = form(fields([("model", "gpt-image-1"), (name, "x")]))
    #expect(try peek(.images, inForm).unboundablePart?.contains("picture") == true)
  }

  @Test func otherServersWaysToAskForMoreHaveNoBound() throws {
    for field in ["num_images", "num_outputs", "batch_size", "resolution"] {
      let body = #"{"model":"gpt-image-1","prompt":"p","\#(field)":50}"#
      #expect(try Operation.images.peek(Array(body.utf8)).unboundablePart == "'\(field)'")
      let inForm = form(fields([("model", "gpt-image-1"), (field, "50")]))
      #expect(try peek(.images, inForm).unboundablePart == "'\(field)'")
    }
    let stream = #"{"model":"gpt-image-1","prompt":"p","n":2,"stream":true}"#
    #expect(try Operation.images.peek(Array(stream.utf8)).unboundablePart != nil)
  }

  // MARK: Speech

  @Test(arguments: [
    (#"Ebb"#, 3), (#""#, 0), (#"Flut: Ebbe"#, 10), ("Hafen größer", 12),
    ("潮汐", 2), ("⚓️🚢", 4),
    (#"a\nb\"c"#, 5), (#"\u00e9\ud83d\udea2"#, 3),
  ])
  func theCharactersAreCounted(text: String, count: Int64) throws {
    for long in [1, 400] {
      let input = String(repeating: text, count: long)
      let body = #"{"model":"tts-1","voice":"alloy","input":"\#(input)"}"#
      let request = try Operation.speech.peek(Array(body.utf8))
      let units = request.billed(at: Self.price([.charactersIn: 15])).units
      #expect(units == [UsageCount(.charactersIn, Int64(long) * count)])
    }
  }

  /// Servers of the same API speak what stands under other names.
  @Test(arguments: [
    (#""input":"Ebb","voice":"a long voice","response_format":"mp3","stream_format":"sse""#, 3),
    (#""input":"Ebb","voice":{"id":"voice_123"}"#, 3), (#""input":"Ebb","text":"Flut""#, 7),
    (#""input":"Ebb","instructions":"Slow""#, 7), (#""texts":["Ebb",{"text":"Flut"}]"#, 7),
    (#""input":"Ebb","stream_format":"Flut""#, 7),
  ])
  func theCharactersOfAllTextsAreCounted(fields: String, count: Int64) throws {
    let body = #"{"model":"tts-1",\#(fields)}"#
    let request = try Operation.speech.peek(Array(body.utf8))
    let units = request.billed(at: Self.price([.charactersIn: 15])).units
    #expect(units == [UsageCount(.charactersIn, count)], "\(body)")
  }

  @Test func aModelThatIsBilledByTokensIsBoundByItsBook() throws {
    let body =
      #"{"model":"m","input":"Ebb","instructions":"Slowly.","voice":"x","stream_format":"sse"}"#
    let request = try Operation.speech.peek(Array(body.utf8)).billed(at: Self.byTokens)
    #expect(request.isStream)
    #expect(request.outputTokensMax == nil && request.units.isEmpty)
    // Every text that a server may read aloud.
    #expect(request.inputTokensMax == 3 + 7 + 1 + 1 + 3 + SpeechRequestSink.tokensPerRequest)
  }

  @Test(arguments: [
    #"{"model":"a","input":["x"]}"#, #"{"model":"a","input":"x","Input":"yy"}"#,
    #"{"model":"a","input":"x","input":"yy"}"#, #"{"model":"a","input":7}"#,
  ])
  func aTextThatServersCouldReadOtherwiseIsRefused(body: String) {
    #expect(throws: PeekFault.self) { try Operation.speech.peek(Array(body.utf8)) }
  }

  // MARK: Transcriptions

  private func transcription(
    _ file: [UInt8], _ more: [(String, String)] = [("model", "whisper-1")], name: String = "a.wav"
  ) throws -> PeekedRequest {
    try peek(.transcriptions, form(fields(more) + [("file", name, file)]))
  }

  private static let bySeconds = price([.audioInMilliseconds: 100])

  @Test func aSoundIsBoundByItsFile() throws {
    let wave = SoundLengthTests.wave(milliseconds: 12_345)
    let units = try transcription(wave).billed(at: Self.bySeconds).units
    #expect(units == [UsageCount(.audioInMilliseconds, 13_000)])
    // Some bill no less than ten seconds.
    let short = try transcription(SoundLengthTests.wave(milliseconds: 20))
    #expect(short.billed(at: Self.bySeconds).units == [UsageCount(.audioInMilliseconds, 10_000)])
  }

  @Test func aSoundOfUnknownLengthIsBoundByTheContextWindow() throws {
    let request = try transcription(Array("OggS, or anything".utf8))
    #expect(request.billed(at: Self.bySeconds).unboundablePart?.contains("WAV") == true)
    let tokens = request.billed(at: Self.price([.inputUncached: 3, .outputText: 5]))
    #expect(tokens.fillsContext && tokens.unboundablePart == nil && tokens.units.isEmpty)
    // Seconds beside tokens of both sides are what these come to; else they are billed as well.
    let said: [UsageBucket: Int64] = [.inputUncached: 3, .outputText: 5, .audioInMilliseconds: 2]
    #expect(request.billed(at: Self.price(said)).unboundablePart == nil)
    let free: [UsageBucket: Int64] = [.inputUncached: 0, .outputText: 0, .audioInMilliseconds: 2]
    #expect(request.billed(at: Self.price(free)).unboundablePart?.contains("WAV") == true)
    let both = try transcription(SoundLengthTests.wave(milliseconds: 20)).billed(
      at: Self.price(said))
    #expect(both.fillsContext && both.units == [UsageCount(.audioInMilliseconds, 10_000)])
  }

  @Test(arguments: [
    "chunking_strategy", "chunking_strategy[type]", "url", "file_url", "file_id", "audio_url",
  ])
  func aSoundInPiecesHasNoBound(field: String) throws {
    let request = try transcription([1], [("model", "m"), (field, "auto")])
    #expect(request.unboundablePart != nil)
  }

  @Test func aSecondFileHasNoBound() throws {
    let body = form([("file", "a.wav", [1]), ("file[]", "b.wav", [1])])
    #expect(try peek(.transcriptions, body).unboundablePart == "a second file")
  }

  @Test func aTranscriptionIsAForm() {
    let body = Array(#"{"model":"whisper-1","file":"x"}"#.utf8)
    for form in [RequestForm.json, .unknown] {
      #expect(throws: PeekFault.self) { try Operation.transcriptions.peek(body, form: form) }
    }
    #expect(throws: PeekFault.self) { try Operation.speech.peek(body, form: .unknown) }
    #expect(throws: PeekFault.self) { try Operation.images.peek(body, form: .unknown) }
  }

  @Test(arguments: [
    [("model", "a"), ("model", "b")], [("model", "a"), ("Model", "b")], [("stream", "maybe")],
    [("model", "a"), ("file", "no file")],
  ])
  func fieldsThatServersCouldReadOtherwiseAreRefused(said: [(String, String)]) {
    #expect(throws: PeekFault.self) { try peek(.transcriptions, form(fields(said))) }
  }

  @Test func theDeploymentOfThePathDecides() throws {
    let path = "/openai/deployments/harbour/audio/transcriptions"
    let body = form(fields([("model", "cheap")]))
    #expect(try peek(.transcriptions, body, path: path).model == "harbour")
    let json = Array(#"{"model":"cheap","prompt":"p","input":"p"}"#.utf8)
    for operation in [Operation.images, .speech] {
      #expect(
        try operation.peek(json, path: "/openai/deployments/gpt-image-1/images/generations").model
          == "gpt-image-1")
    }
  }
}
