// kill -9 between a batch's making and its end, and again while its results are read: it is
// followed all the same, and settled once.

import Foundation
import Metering
import Store
import Synchronization
import TestSupport
import Testing

/// A provider of both kinds of batch, which ends them when it is told to and breaks off in the
/// middle of their results until it is told not to.
private final class BatchProvider: Sendable {
  private let server: HTTPServer
  var port: Int { server.port }
  private let isDone = Atomic<Bool>(false)
  private let givesAll = Atomic<Bool>(false)
  private let answersCreation: Bool
  private let asked = Atomic<Int>(0)
  private let halfRead = Mutex<Set<String>>([])

  init(answersCreation: Bool = true) throws {
    self.answersCreation = answersCreation
    server = try HTTPServer()
    server.start { [self] head, socket in try answer(head, socket) }
  }

  /// Batches that were asked for.
  var creations: Int { asked.load(ordering: .relaxed) }

  /// Every batch has ended from now on.
  func complete() { isDone.store(true, ordering: .relaxed) }

  /// Results are handed out whole from now on.
  func giveAll() { givesAll.store(true, ordering: .relaxed) }

  /// Of which batches the first half of the results was handed out.
  var halves: Set<String> { halfRead.withLock { $0 } }

  func stop() { server.stop() }

  private func answer(_ head: String, _ socket: RawSocket) throws {
    let ends = isDone.load(ordering: .relaxed) && head.hasPrefix("GET")
    let isMessages = head.contains("/messages/")
    if head.hasPrefix("POST") {
      asked.add(1, ordering: .relaxed)
      if !answersCreation {
        _ = try socket.receiveAll()
        return
      }
    }
    if head.contains("/file-in/content") {
      let line = #"{"custom_id":"x","method":"POST","url":"/v1/chat/completions","body":"#
      let body = #"{"model":"gpt-4o-mini","max_completion_tokens":64,"messages":[]}}"# + "\n"
      try HTTPServer.answer(line + body + line + body, socket)
    } else if head.contains("/results") || head.contains("/file-out/content") {
      try results(isMessages ? Self.message + Self.message : Self.chat + Self.chat, head, socket)
    } else if isMessages {
      let state = ends ? "ended" : "in_progress"
      let counts = #""request_counts":{"processing":0,"succeeded":2}"#
      try HTTPServer.answer(
        #"{"id":"msgbatch_1","processing_status":"\#(state)",\#(counts)}"#, socket)
    } else {
      let state = ends ? "completed" : "in_progress"
      try HTTPServer.answer(
        #"{"id":"batch_1","endpoint":"/v1/chat/completions","status":"\#(state)","#
          + #""output_file_id":"file-out","request_counts":{"total":2,"completed":2}}"#, socket)
    }
  }

  private func results(_ text: String, _ head: String, _ socket: RawSocket) throws {
    if givesAll.load(ordering: .relaxed) { return try HTTPServer.answer(text, socket) }
    try socket.send(
      "HTTP/1.1 200 OK\r\nContent-Length: \(text.utf8.count)\r\n\r\n"
        + text.prefix(text.count / 2 + 20))
    let path = String(head.prefix { !$0.isNewline })
    halfRead.withLock { _ = $0.insert(path) }
    _ = try socket.receiveAll()
  }

  private static let message =
    #"{"custom_id":"x","result":{"type":"succeeded","message":{"model":"claude-quay","#
    + #""usage":{"input_tokens":1000,"output_tokens":7}}}}"# + "\n"
  private static let chat =
    #"{"custom_id":"x","response":{"status_code":200,"body":{"model":"gpt-4o-mini","#
    + #""usage":{"prompt_tokens":1000,"completion_tokens":5}}},"error":null}"# + "\n"
}

@Suite struct BatchKillTests {
  @Test(.timeLimit(.minutes(5))) func aKillLosesNoBatchAndChargesNoneTwice() async throws {
    let provider = try BatchProvider()
    defer { provider.stop() }
    let url = "http://127.0.0.1:\(provider.port)"
    let installation = try TestInstallation(
      upstreams: """
          rehearsal: { dialect: openai, url: "\(url)" }
          claude: { dialect: anthropic, url: "\(url)" }
        """,
      apps: ["shop": "budgets: { day: \"5.00\" }"])
    try installation.write(
      "thresholds/prices/anthropic.yaml",
      "claude-quay: { from: 2024-01-01, inputPerMillion: \"1\", outputPerMillion: \"2\" }")
    let key = try await installation.key(for: "shop")
    var gateway = try await installation.startGateway("gateway")
    let params = #"{"model":"claude-quay","max_tokens":64,"messages":[]}"#
    for (path, body) in [
      (
        "/v1/batches",
        #"{"input_file_id":"file-in","endpoint":"/v1/chat/completions","completion_window":"24h"}"#
      ),
      (
        "/claude/v1/messages/batches",
        #"{"requests":[{"custom_id":"1","params":\#(params)},{"params":\#(params)}]}"#
      ),
    ] {
      let answer = try await gateway.request(
        gateway.gatewayURL + path, method: "POST", key: key, body: body)
      #expect(answer.status == 200, "\(answer.body)")
    }
    try await gateway.process.kill9()
    gateway = try await installation.startGateway("gateway")
    let store = try installation.openStore()
    try await eventually("both are in the tables") { try store.checkpoint().followed.count == 2 }
    let held = try balance(store)
    #expect(held.settled.money == .zero && held.reserved.money > .zero)

    // Both are asked after within half a minute; the gateway dies in the middle of their results.
    provider.complete()
    try await eventually("results are read", seconds: 90) { provider.halves.count == 2 }
    try await gateway.process.kill9()
    #expect(try balance(store) == held, "half of the results was charged")
    provider.giveAll()
    gateway = try await installation.startGateway("gateway")
    try await eventually("both are settled", seconds: 90) {
      try store.checkpoint().open.isEmpty
    }
    try await gateway.process.terminate()

    let events = try installation.journalEvents()
    var settled: [CallID: Int] = [:]
    var followed: Set<CallID> = []
    for event in events {
      switch event.kind {
      case .followed(let call, _): followed.insert(call)
      case .settled(let end) where end.outcome.usage.source == .reported:
        settled[end.call, default: 0] += 1
      case .settled(let end): Issue.record("\(end) was charged otherwise")
      case .expired(let call, _): Issue.record("\(call) expired")
      default: break
      }
    }
    #expect(followed.count == 2 && Set(settled.keys) == followed)
    #expect(settled.values.allSatisfy { $0 == 1 }, "a batch was charged twice")
    // Two answers each: 1,000 in and 5 out at 150 and 600 nanodollars; 1,000 and 7 at 1,000 and
    // 2,000.
    let sum: Int64 = 2 * (1_000 * 150 + 5 * 600) + 2 * (1_000 * 1_000 + 7 * 2_000)
    let spent = try balance(store)
    #expect(spent.settled.money == Money(nanodollars: sum) && spent.reserved == .zero)
  }

  /// Nobody knows whether the batch was made, nor its name.
  @Test(.timeLimit(.minutes(5))) func aKillBeforeTheAnswerChargesTheEstimateOnce() async throws {
    let provider = try BatchProvider(answersCreation: false)
    defer { provider.stop() }
    let installation = try TestInstallation(
      upstreams: #"  rehearsal: { dialect: openai, url: "http://127.0.0.1:\#(provider.port)" }"#,
      apps: ["shop": "budgets: { day: \"5.00\" }"])
    let key = try await installation.key(for: "shop")
    var gateway = try await installation.startGateway("gateway")
    let url = gateway.gatewayURL + "/v1/batches"
    let port = gateway
    async let lost = port.request(
      url, method: "POST", key: key,
      body: #"{"input_file_id":"file-in","endpoint":"/v1/chat/completions"}"#)
    try await eventually("the batch is asked for") { provider.creations == 1 }
    try await gateway.process.kill9()
    _ = try? await lost
    for _ in 1...2 {
      gateway = try await installation.startGateway("gateway")
      try await gateway.process.terminate()
    }
    let ends = try installation.journalEvents().compactMap { event -> Money? in
      if case .expired(_, let charge) = event.kind { charge } else { nil }
    }
    let spent = try balance(try installation.openStore())
    #expect(ends.count == 1 && ends.first == spent.settled.money)
    #expect(spent.settled.money > .zero && spent.reserved == .zero && provider.creations == 1)
  }

  /// Of the only account.
  private func balance(_ store: StoreDatabase) throws -> Ledger.Account {
    let accounts = try store.checkpoint().accounts
    try #require(accounts.count == 1)
    return accounts.values.first ?? .init()
  }
}
