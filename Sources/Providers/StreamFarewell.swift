// The last event of a stream that the gateway itself ends: an error in the stream's own form, so
// that the caller's SDK raises it and does not take what came for a whole answer.

import Metering

extension Refusal {
  /// Renders a denial as an event of a stream.
  ///
  /// It stands behind a whole event; see `PayloadReader.isBetweenEvents`.
  ///
  /// - Parameter requestID: as for `render`.
  public static func lastEvent(
    _ denial: Denial, of operation: Operation, requestID: String
  ) -> [UInt8] {
    let error = error(denial)
    func body(_ dialect: DialectID) -> [UInt8] {
      error.response(dialect: dialect, requestID: requestID).body
    }
    return switch operation {
    case .messages, .messageBatches: named(body(.anthropic))
    case .responses, .responsesSocket: named(responsesEvent(error))
    case .generateContent, .streamGenerateContent, .embedContent: data(body(.gemini))
    case .converse, .converseStream, .invokeModel, .invokeModelStream, .invokeEmbed:
      EventStreamFrame.exception(error.bedrockType.lowercasedFirst, payload: body(.bedrock))
    case .ollamaChat, .ollamaGenerate, .ollamaEmbed: body(.ollama) + [0x0A]
    case .chatCompletions, .completions, .embeddings, .images, .speech, .transcriptions,
      .realtime, .batches:
      data(body(.openai))
    }
  }

  private static func data(_ body: [UInt8]) -> [UInt8] {
    Array("data: ".utf8) + body + Array("\n\n".utf8)
  }

  private static func named(_ body: [UInt8]) -> [UInt8] {
    Array("event: error\n".utf8) + data(body)
  }

  /// The event has its words at the top; the official packages raise what stands under `error`.
  private static func responsesEvent(_ error: DialectError) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.member("type", "error")
      json.member("code", error.openAICode)
      json.member("message", error.message)
      json.member("param", error.openAIParameter)
      json.member("error") { json in
        json.object { json in
          json.member("type", error.openAIType)
          json.member("code", error.openAICode)
          json.member("message", error.message)
          json.member("param", error.openAIParameter)
        }
      }
    }
    return json.bytes
  }
}

/// A frame of AWS's event-stream framing, as `EventStreamReader` describes it.
enum EventStreamFrame {
  static func exception(_ type: String, payload: [UInt8]) -> [UInt8] {
    var headers: [UInt8] = []
    for (name, value) in [
      (":message-type", "exception"), (":exception-type", type),
      (":content-type", "application/json"),
    ] {
      headers.append(UInt8(name.utf8.count))
      headers += Array(name.utf8) + [7]
      headers += [UInt8(value.utf8.count >> 8), UInt8(value.utf8.count & 0xFF)] + Array(value.utf8)
    }
    var frame = bytes(UInt32(headers.count + payload.count + 16)) + bytes(UInt32(headers.count))
    frame += checksum(frame)
    frame += headers + payload
    return frame + checksum(frame)
  }

  private static func bytes(_ number: UInt32) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian) { Array($0) }
  }

  private static func checksum(_ bytes: [UInt8]) -> [UInt8] {
    var checksum = CRC32()
    bytes.withUnsafeBytes { checksum.add($0) }
    return self.bytes(checksum.value)
  }
}

extension String {
  fileprivate var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
