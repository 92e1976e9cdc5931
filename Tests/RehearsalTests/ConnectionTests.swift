// Connections of the rehearsal upstream: kept, pipelined, split, and steered by a script.

import Foundation
import Logging
import ServiceLifecycle
import TestSupport
import Testing

@testable import Rehearsal

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

@Suite(.serialized) struct ConnectionTests {
  @Test func oneConnectionServesManyRequests() async throws {
    try await withUpstream { server, port in
      try await RawConnection.with(port: port) { writer, receiver in
        for number in 0..<20 {
          try await writer.send(chat("m", number % 2 == 0 ? "" : ",\"stream\":true"))
          #expect(try await receiver.answer()?.isComplete == true)
        }
      }
      #expect(server.connectionCount == 1)
      #expect(server.requestCount == 20)
    }
  }

  @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
    try await withUpstream({ $0.latencyMilliseconds = 2 }) { server, port in
      try await RawConnection.with(port: port) { writer, receiver in
        try await writer.send((0..<30).map { chat("m-\($0)") }.joined())
        for number in 0..<30 {
          let answer = try #require(try await receiver.answer())
          #expect(try object(answer.text)["model"] as? String == "m-\(number)")
        }
      }
      #expect(server.requests.map(\.number) == Array(0..<30))
    }
  }

  @Test func requestsMayComeByteByByteAndChunked() async throws {
    try await withUpstream { server, port in
      try await RawConnection.with(port: port) { writer, receiver in
        for byte in chat("slow").unicodeScalars { try await writer.send(String(byte)) }
        let answer = try #require(try await receiver.answer())
        #expect(try object(answer.text)["model"] as? String == "slow")
        try await writer.send(
          "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "a\r\n{\"model\": \r\n8\r\n\"split\"}\r\n0\r\n\r\n")
        let other = try #require(try await receiver.answer())
        #expect(try object(other.text)["model"] as? String == "split")
      }
      #expect(server.requests.last?.body == Array("{\"model\": \"split\"}".utf8))
    }
  }

  @Test func closeAndContinueAreObeyed() async throws {
    try await withUpstream { _, port in
      try await RawConnection.with(port: port) { writer, receiver in
        let body = "{\"model\":\"m\"}"
        try await writer.send(
          "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
            + "Connection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n")
        #expect(try await receiver.answer(withInterim: true)?.status == 100)
        try await writer.send(body)
        #expect(try await receiver.answer()?.status == 200)
        #expect(await receiver.isAtEnd())
      }
    }
  }

  @Test func aBodyOverTheBoundIsRefused() async throws {
    try await withUpstream({ $0.bodyBytesMax = 10 }) { _, port in
      let answer = try await exchange(port, chat())
      #expect(answer.status == 413)
    }
  }

  @Test func manyConnectionsAtOnce() async throws {
    try await withUpstream({ $0.threads = 2 }) { server, port in
      try await withThrowingTaskGroup(of: Int.self) { group in
        for number in 0..<50 {
          group.addTask { try await exchange(port, chat("m-\(number)")).status }
        }
        for try await status in group { #expect(status == 200) }
      }
      #expect(server.connectionCount == 50)
    }
  }

  @Test func urlSessionUnderstandsIt() async throws {
    try await withUpstream({ $0.selection = .named("refusal") }) { _, port in
      let url = try #require(URL(string: "http://127.0.0.1:\(port)/v1/chat/completions"))
      var request = URLRequest(url: url)
      request.httpMethod = "POST"
      request.httpBody = Data("{\"model\":\"m\",\"stream\":true}".utf8)
      let (data, response) = try await URLSession.shared.data(for: request)
      #expect((response as? HTTPURLResponse)?.statusCode == 200)
      #expect(String(decoding: data, as: UTF8.self).hasSuffix("data: [DONE]\n\n"))
    }
  }
}

@Suite(.serialized) struct ScriptTests {
  @Test func aScriptDecidesByRequest() async throws {
    let script: Script = { request in
      request.number == 0
        ? .answer(status: 503, body: Array("later".utf8)) : .recorded("structured")
    }
    try await withUpstream(script: script) { _, port in
      let first = try await exchange(port, chat())
      #expect(first.status == 503)
      #expect(first.text == "later")
      #expect(try await exchange(port, chat()).text.contains("refund_duplicate"))
    }
  }

  @Test func framingsGiveTheSameBody() async throws {
    let body = Array("hello, world".utf8)
    let replies: [Reply] = [
      .answer(body: body), .answer(body: body, framing: .chunks([1, 3])),
      .answer(body: body, framing: .untilClose), .answer(body: body, interim: [100, 103]),
      .answer(body: body, framing: .chunks([5]), waitMilliseconds: 5),
    ]
    for reply in replies {
      try await withUpstream(script: { _ in reply }) { _, port in
        let answer = try await exchange(port, chat())
        #expect(answer.body == body)
        #expect(answer.isComplete)
      }
    }
  }

  @Test func interimAnswersComeFirst() async throws {
    try await withUpstream(script: { _ in .answer(body: [], interim: [103]) }) { _, port in
      try await RawConnection.with(port: port) { writer, receiver in
        try await writer.send(chat())
        #expect(try await receiver.answer(withInterim: true)?.status == 103)
        #expect(try await receiver.answer(withInterim: true)?.status == 200)
      }
    }
  }

  @Test func answersBreakWhereTheyAreTold() async throws {
    let reply = Reply.answer(body: Array("0123456789".utf8), breakAfter: 4)
    try await withUpstream(script: { _ in reply }) { _, port in
      let answer = try await exchange(port, chat())
      #expect(answer.text == "0123")
      #expect(!answer.isComplete)
    }
    try await withUpstream(script: { _ in .steps([.reset]) }) { _, port in
      try await RawConnection.with(port: port) { writer, receiver in
        try await writer.send(chat())
        #expect(try await receiver.answer() == nil)
      }
    }
  }

  @Test func silenceStaysSilent() async throws {
    try await withUpstream(script: { _ in .silence }) { server, port in
      try await RawConnection.with(port: port) { writer, _ in
        try await writer.send(chat())
        for _ in 0..<6_000 where server.requestCount == 0 {
          try await Task.sleep(for: .milliseconds(10))
        }
        #expect(server.requestCount == 1)
        try await Task.sleep(for: .milliseconds(60))
        #expect(server.openConnectionCount == 1)
      }
    }
  }

  @Test func gzipIsRealGzip() async throws {
    let text = String(repeating: "{\"usage\":1}", count: 9000)
    try await withUpstream(script: { _ in .gzip(body: Array(text.utf8)) }) { _, port in
      let url = try #require(URL(string: "http://127.0.0.1:\(port)/v1/chat/completions"))
      let (data, _) = try await URLSession.shared.data(from: url)
      #expect(String(decoding: data, as: UTF8.self) == text)
    }
    // RFC 1952: the check value of the standard test text.
    #expect(
      StoredGzip.encode(Array("123456789".utf8)).suffix(8).prefix(4) == [0x26, 0x39, 0xF4, 0xCB])
  }
}

@Suite(.serialized) struct LifecycleTests {
  @Test func missingRecordingsAreNamed() throws {
    func fault(_ directory: String) -> RehearsalFault? {
      do {
        _ = try RehearsalServer(configuration: RehearsalConfiguration(directory: directory))
        return nil
      } catch {
        return error
      }
    }
    let absent = fault("/nonexistent/recorded")
    #expect(absent?.code == .recordingMissing)
    #expect(absent?.description.contains("/nonexistent/recorded/openai") == true)
    try withTemporaryDirectory { directory in
      let copy = directory.path("recorded")
      try FileManager.default.copyItem(atPath: recordings, toPath: copy)
      #expect(fault(copy) == nil)
      try FileManager.default.removeItem(atPath: copy + "/gemini/refusal.sse")
      #expect(fault(copy)?.message.contains("gemini/refusal.sse is missing") == true)
      try Data("[1".utf8).write(to: URL(filePath: copy + "/anthropic/harbour.json"))
      #expect(fault(copy)?.code == .recordingUnreadable)
      try Data([0xFF, 0xFE, 0x80]).write(to: URL(filePath: copy + "/openai/harbour.json"))
      #expect(fault(copy)?.message.contains("openai/harbour.json cannot be read") == true)
    }
  }

  @Test func settingsOutOfRangeAreNamed() {
    var configuration = RehearsalConfiguration(directory: recordings)
    configuration.errorRate = 1.5
    #expect(throws: RehearsalFault.self) { try RehearsalServer(configuration: configuration) }
    configuration.errorRate = 0
    configuration.selection = .named("absent")
    #expect(throws: RehearsalFault.self) { try RehearsalServer(configuration: configuration) }
  }

  @Test func aTakenPortIsAFaultThatSaysSo() async throws {
    try await withUpstream { _, port in
      var configuration = RehearsalConfiguration(directory: recordings)
      configuration.port = port
      let second = try RehearsalServer(configuration: configuration)
      do throws(RehearsalFault) {
        try await second.start()
        Issue.record("two upstreams listen on one port")
      } catch {
        #expect(error.code == .listenFailed)
        #expect(error.description.contains("127.0.0.1:\(port)"))
      }
      await second.stop()
    }
  }

  @Test func itRunsAsAServiceUntilShutdown() async throws {
    let configuration = RehearsalConfiguration(directory: recordings)
    var logger = Logger(label: "test.rehearsal")
    logger.logLevel = .error
    let server = try RehearsalServer(configuration: configuration, logger: logger)
    let port = try await server.start()
    let group = ServiceGroup(services: [server], logger: logger)
    async let running: Void = group.run()
    #expect(try await exchange(port, chat()).status == 200)
    await group.triggerGracefulShutdown()
    try await running
    #expect(server.port == nil)
    let late = try? await exchange(port, chat())
    #expect(late == nil)
  }
}
