// The last event of a stream that the gateway ends, read back by the stream's own reader.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Providers

@Suite struct StreamFarewellTests {
  private static let denial = Denial.appIsolated(order: 7)

  private static func event(_ operation: Providers.Operation) -> [UInt8] {
    Refusal.lastEvent(denial, of: operation, requestID: "req_1")
  }

  private static func json(_ text: some StringProtocol) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test(
    arguments: [
      .chatCompletions, .completions, .responses, .messages, .streamGenerateContent,
      .converseStream, .ollamaChat, .ollamaGenerate,
    ] as [Providers.Operation])
  func itsOwnReaderTakesItForAnError(operation: Providers.Operation) {
    let reader = operation.streamReader(hidesUsage: false)
    #expect(reader.isBetweenEvents, "nothing has come")
    Self.event(operation).withUnsafeBytes { _ = reader.feed($0) }
    #expect(reader.isBetweenEvents)
    #expect(reader.reading.sawError)
  }

  @Test func eachHasTheFormOfItsDialect() throws {
    let chat = String(decoding: Self.event(.chatCompletions), as: UTF8.self)
    let error = try #require(
      try Self.json(chat.dropFirst("data: ".count))["error"] as? [String: Any])
    #expect(chat.hasPrefix("data: {") && chat.hasSuffix("}\n\n"))
    #expect(error["message"] as? String == Self.denial.message)
    #expect(error["code"] as? String == "app_isolated")

    let messages = String(decoding: Self.event(.messages), as: UTF8.self)
    #expect(messages.hasPrefix("event: error\ndata: {\"type\":\"error\",\"error\":{"))
    #expect(messages.contains("permission_error"))

    let responses = String(decoding: Self.event(.responses), as: UTF8.self)
    let event = try Self.json(responses.dropFirst("event: error\ndata: ".count))
    #expect(event["type"] as? String == "error")
    #expect(event["message"] as? String == Self.denial.message)
    #expect((event["error"] as? [String: Any])?["message"] as? String == Self.denial.message)

    let gemini = String(decoding: Self.event(.streamGenerateContent), as: UTF8.self)
    #expect(gemini.contains("PERMISSION_DENIED"))

    let ollama = String(decoding: Self.event(.ollamaChat), as: UTF8.self)
    #expect(ollama.hasSuffix("\"}\n"))
    #expect(try Self.json(ollama)["error"] as? String == Self.denial.message)
  }

  @Test func aFrameNamesItsException() {
    let frame = Self.event(.converseStream)
    let reader = Operation.converseStream.streamReader(hidesUsage: false)
    frame.withUnsafeBytes { _ = reader.feed($0) }
    #expect(reader.reading.finishReason == "accessDeniedException")
  }

  /// In every split, an event of ours may follow exactly where a whole event has been given out.
  @Test(arguments: [true, false]) func betweenEventsIsBehindAWholeOne(hidesUsage: Bool) {
    let stream =
      ": ping\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\r\n\r\n"
      + "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}\n\n"
      + "data: [DONE]\n\n"
    let bytes = Array(stream.utf8)
    for end in 0...bytes.count {
      let reader = Operation.chatCompletions.streamReader(hidesUsage: hidesUsage)
      var given: [UInt8] = []
      for byte in bytes[..<end] {
        withUnsafeBytes(of: byte) { piece in given += reader.feed(piece).bytes(of: piece) }
      }
      let text = String(decoding: given, as: UTF8.self)
      let isWhole =
        text.isEmpty || text.hasSuffix("\n\n") || text.hasSuffix("\r\n\r\n")
        || text.hasSuffix("\r\n\r") || text == ": ping\n"
      #expect(reader.isBetweenEvents == isWhole, "behind \(text.debugDescription)")
    }
  }
}
