// The rehearsal upstream over real sockets: what it answers, when, and how it misbehaves on demand.

import Foundation
import Logging
import NIOCore
import TestSupport
import Testing

@testable import Rehearsal

/// The recordings of the repository, found from this file.
let recordings = URL(filePath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  .appending(path: "samples/recorded").path

/// Starts an upstream, runs the body, stops it.
func withUpstream<Result>(
  _ change: (inout RehearsalConfiguration) -> Void = { _ in }, script: Script? = nil,
  isolation: isolated (any Actor)? = #isolation,
  _ body: (RehearsalServer, Int) async throws -> Result
) async throws -> Result {
  var configuration = RehearsalConfiguration(directory: recordings)
  configuration.recordedRequestsMax = 100
  change(&configuration)
  var logger = Logger(label: "test.rehearsal")
  logger.logLevel = .error
  let server = try RehearsalServer(configuration: configuration, script: script, logger: logger)
  let port = try await server.start()
  do {
    let result = try await body(server, port)
    await server.stop()
    return result
  } catch {
    await server.stop()
    throw error
  }
}

func post(_ target: String, _ body: String, fields: String = "") -> String {
  "POST \(target) HTTP/1.1\r\nHost: a\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
}

func chat(_ model: String = "m-1", _ more: String = "", question: String = "hi") -> String {
  post(
    "/v1/chat/completions",
    "{\"messages\":[{\"role\":\"user\",\"content\":\"\(question)\"}],"
      + "\"model\": \"\(model)\"\(more)}"
  )
}

/// Sends one request on a connection of its own.
func exchange(_ port: Int, _ request: String) async throws -> ReceivedAnswer {
  try await RawConnection.with(port: port) { writer, receiver in
    try await writer.send(request)
    return try #require(try await receiver.answer())
  }
}

func object(_ text: some StringProtocol) throws -> [String: Any] {
  try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
}

/// The data of each event but `[DONE]`.
func events(_ text: String) throws -> [[String: Any]] {
  try text.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("data: {") }
    .map { try object($0.dropFirst(6)) }
}

@Suite(.serialized) struct DialectTests {
  @Test func openAIAnswersJSONWithTheModelAsked() async throws {
    try await withUpstream({ $0.selection = .named("arithmetic") }) { server, port in
      let answer = try await exchange(port, chat("gpt-x.1"))
      #expect(answer.status == 200)
      let body = try object(answer.text)
      #expect(body["model"] as? String == "gpt-x.1")
      let usage = try #require(body["usage"] as? [String: Any])
      #expect(usage["prompt_tokens"] as? Int == 1254)
      #expect(usage["completion_tokens"] as? Int == 96)
      #expect(usage["total_tokens"] as? Int == 1350)
      #expect(answer.text.contains("[Yes]"))
      let seen = try #require(server.requests.first)
      #expect(seen.method == "POST")
      #expect(seen.target == "/v1/chat/completions")
      #expect(seen.field("HOST") == "a")
      #expect(String(decoding: seen.body, as: UTF8.self).contains("gpt-x.1"))
    }
  }

  @Test func openAIStreamsUsageOnlyWhenAsked() async throws {
    try await withUpstream({ $0.selection = .named("harbour") }) { _, port in
      let plain = try await exchange(port, chat("m", ",\"stream\":true"))
      #expect(plain.head.contains("text/event-stream"))
      #expect(!plain.text.contains("usage"))
      #expect(plain.text.hasSuffix("data: [DONE]\n\n"))
      let asked = try await exchange(
        port, chat("m", ",\"stream\": true,\"stream_options\":{\"include_usage\": true}"))
      let chunks = try events(asked.text)
      #expect(try events(plain.text).count == chunks.count - 1)
      let last = try #require(chunks.last)
      #expect((last["choices"] as? [Any])?.isEmpty == true)
      #expect((last["usage"] as? [String: Any])?["completion_tokens"] as? Int == 37)
      #expect(chunks.dropLast().allSatisfy { $0["usage"] is NSNull })
      #expect(chunks.allSatisfy { $0["model"] as? String == "m" })
      func text(_ chunks: [[String: Any]]) -> String {
        chunks.compactMap { chunk in
          let choice = (chunk["choices"] as? [[String: Any]])?.first
          return (choice?["delta"] as? [String: Any])?["content"] as? String
        }.joined()
      }
      #expect(text(chunks).hasPrefix("A tide table lists"))
      #expect(try text(events(plain.text)) == text(chunks))
    }
  }

  @Test func anthropicAnswersBothWays() async throws {
    try await withUpstream({ $0.selection = .named("arithmetic") }) { _, port in
      let call = "{\"model\":\"claude-y\",\"max_tokens\":9,\"messages\":[]"
      let answer = try await exchange(port, post("/anthropic/v1/messages", call + "}"))
      let body = try object(answer.text)
      #expect(body["model"] as? String == "claude-y")
      #expect((body["usage"] as? [String: Any])?["cache_read_input_tokens"] as? Int == 1024)
      let stream = try await exchange(port, post("/v1/messages", call + ",\"stream\":true}"))
      let chunks = try events(stream.text)
      #expect(chunks.first?["type"] as? String == "message_start")
      #expect((chunks.first?["message"] as? [String: Any])?["model"] as? String == "claude-y")
      let delta = try #require(chunks.first { $0["type"] as? String == "message_delta" })
      #expect((delta["usage"] as? [String: Any])?["output_tokens"] as? Int == 96)
      #expect(chunks.last?["type"] as? String == "message_stop")
    }
  }

  @Test func geminiAnswersThreeWays() async throws {
    try await withUpstream({ $0.selection = .named("arithmetic") }) { _, port in
      let base = "/v1beta/models/gemini-z:"
      let answer = try await exchange(port, post(base + "generateContent?key=k", "{}"))
      let body = try object(answer.text)
      #expect(body["modelVersion"] as? String == "gemini-z")
      let usage = body["usageMetadata"] as? [String: Any]
      #expect(usage?["totalTokenCount"] as? Int == 1254 + 32 + 64)
      let stream = try await exchange(port, post(base + "streamGenerateContent?alt=sse", "{}"))
      let chunks = try events(stream.text)
      #expect(chunks.count >= 4)
      let last = chunks.last?["usageMetadata"] as? [String: Any]
      #expect(last?["candidatesTokenCount"] as? Int == 32)
      #expect(stream.text.hasSuffix("\r\n\r\n"))
      let array = try await exchange(port, post(base + "streamGenerateContent", "{}"))
      let elements = try JSONSerialization.jsonObject(with: Data(array.body)) as? [[String: Any]]
      #expect(elements?.count == chunks.count)
    }
  }

  @Test func everyRecordingTellsTheSameTwice() async throws {
    for name in ["harbour", "arithmetic", "refusal", "structured"] {
      try await withUpstream({ $0.selection = .named(name) }) { _, port in
        let body = try object(try await exchange(port, chat()).text)
        let chunks = try events(
          try await exchange(
            port, chat("m", ",\"stream\":true,\"stream_options\":{\"include_usage\":true}")
          ).text)
        let usage = try #require(body["usage"] as? [String: Any])
        let streamed = try #require(chunks.last?["usage"] as? [String: Any])
        #expect(usage as NSDictionary == streamed as NSDictionary, "\(name)")
        let message = (body["choices"] as? [[String: Any]])?.first?["message"] as? [String: Any]
        let text = chunks.compactMap { chunk in
          let choice = (chunk["choices"] as? [[String: Any]])?.first
          return (choice?["delta"] as? [String: Any])?["content"] as? String
        }.joined()
        #expect(message?["content"] as? String == text, "\(name)")
      }
    }
  }

  @Test func theAnswerDependsOnTheRequestAlone() async throws {
    var seen: Set<String> = []
    try await withUpstream { _, port in
      for number in 0..<40 {
        let first = try await exchange(port, chat(question: "\(number)"))
        let second = try await exchange(port, chat(question: "\(number)"))
        #expect(first == second)
        seen.insert(first.text)
      }
    }
    #expect(seen.count == 4)
  }

  @Test func inTurnGoesThroughAllAnswers() async throws {
    try await withUpstream({ $0.selection = .inTurn }) { _, port in
      var seen: [String] = []
      for _ in 0..<8 { seen.append(try await exchange(port, chat()).text) }
      #expect(Set(seen[0..<4]).count == 4)
      #expect(seen[0..<4] == seen[4..<8])
    }
  }

  @Test func otherPathsAreErrorsInShape() async throws {
    try await withUpstream { _, port in
      let answer = try await exchange(port, post("/v1/unknown", "{}"))
      #expect(answer.status == 404)
      #expect((try object(answer.text)["error"] as? [String: Any])?["message"] is String)
      let read = try await exchange(
        port, "GET /v1/chat/completions HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(read.status == 405)
      let bad = try await exchange(port, "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n")
      #expect(bad.status == 400)
    }
  }
}

@Suite(.serialized) struct MisbehaviourTests {
  @Test func errorsHaveTheDialectsShape() async throws {
    try await withUpstream({ $0.errorRate = 1 }) { _, port in
      var statuses: Set<Int> = []
      for _ in 0..<12 {
        let answer = try await exchange(port, chat())
        statuses.insert(answer.status)
        let error = try #require(try object(answer.text)["error"] as? [String: Any])
        #expect(error["message"] is String)
        #expect(answer.head.contains("retry-after: 2") == (answer.status == 429))
      }
      #expect(statuses == [429, 500])
      let other = try await exchange(port, post("/v1/messages", "{\"model\":\"m\"}"))
      #expect(try object(other.text)["type"] as? String == "error")
      let gemini = try await exchange(port, post("/v1beta/models/m:generateContent", "{}"))
      #expect((try object(gemini.text)["error"] as? [String: Any])?["status"] is String)
    }
  }

  @Test func ratesAreMetAndRepeatable() async throws {
    func statuses(_ seed: UInt64) async throws -> [Int] {
      try await withUpstream({
        $0.errorRate = 0.3
        $0.seed = seed
      }) { _, port in
        try await RawConnection.with(port: port) { writer, receiver in
          var statuses: [Int] = []
          for _ in 0..<200 {
            try await writer.send(chat())
            statuses.append(try #require(try await receiver.answer()).status)
          }
          return statuses
        }
      }
    }
    let first = try await statuses(1)
    let again = try await statuses(1)
    let other = try await statuses(2)
    #expect(first == again)
    #expect(first != other)
    #expect((35...85).contains(first.count { $0 != 200 }))
  }

  @Test(arguments: ["", ",\"stream\":true"])
  func cutOffsBreakTheAnswer(_ more: String) async throws {
    try await withUpstream({ $0.cutOffRate = 1 }) { server, port in
      try await RawConnection.with(port: port) { writer, receiver in
        try await writer.send(chat("m", more))
        let answer = try #require(try await receiver.answer())
        #expect(!answer.isComplete)
        #expect(!answer.body.isEmpty)
        #expect(await receiver.isAtEnd())
      }
    }
  }

  @Test func latencyAndPaceTakeTheirTime() async throws {
    try await withUpstream({
      $0.selection = .named("structured")
      $0.latencyMilliseconds = 80
      $0.paceMilliseconds = 5
    }) { _, port in
      try await RawConnection.with(port: port) { writer, receiver in
        let start = ContinuousClock.now
        try await writer.send(chat("m", ",\"stream\":true"))
        let answer = try #require(try await receiver.answer())
        #expect(answer.isComplete)
        let first = try #require(receiver.arrivals.first)
        let last = try #require(receiver.arrivals.last)
        #expect(first - start >= .milliseconds(75))
        // 23 events 5 ms apart.
        #expect(last - first >= .milliseconds(100))
        #expect(receiver.arrivals.count >= 10)
      }
    }
  }

  @Test func aPeerThatLeavesIsCounted() async throws {
    try await withUpstream({ $0.paceMilliseconds = 50 }) { server, port in
      try await RawConnection.with(port: port) { writer, receiver in
        try await writer.send(chat("m", ",\"stream\":true"))
      }
      let deadline = ContinuousClock.now + .seconds(5)
      while server.abandonedCount == 0, .now < deadline {
        try await Task.sleep(for: .milliseconds(5))
      }
      #expect(server.abandonedCount == 1)
      #expect(server.openConnectionCount == 0)
    }
  }
}
