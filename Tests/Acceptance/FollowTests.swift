// kill -9 between a background response's making and its end: it is followed all the same, and
// settled once.

import Foundation
import Metering
import Store
import Synchronization
import TestSupport
import Testing

/// A provider that makes responses in the background and ends them when it is told to.
final class BackgroundProvider: Sendable {
  private let server: HTTPServer
  var port: Int { server.port }
  private let isDone = Atomic<Bool>(false)
  private let made = Atomic<Int>(0)

  init() throws {
    server = try HTTPServer()
    server.start { [self] head, socket in try answer(head, socket) }
  }

  /// Every response is complete from now on.
  func complete() { isDone.store(true, ordering: .relaxed) }

  func stop() { server.stop() }

  private func answer(_ head: String, _ socket: RawSocket) throws {
    var id = made.load(ordering: .relaxed)
    if head.hasPrefix("POST") {
      id = made.add(1, ordering: .relaxed).newValue
    } else if let number = head.firstMatch(of: /resp_([0-9]+)/)?.1 {
      id = Int(number) ?? 0
    }
    let ends = isDone.load(ordering: .relaxed) && head.hasPrefix("GET")
    let usage =
      ends
      ? #"{"input_tokens":1000,"output_tokens":\#(id),"total_tokens":\#(1000 + id)}"# : "null"
    try HTTPServer.answer(
      #"{"id":"resp_\#(id)","object":"response","model":"gpt-4o-mini","output":[],"#
        + #""status":"\#(ends ? "completed" : "in_progress")","usage":\#(usage)}"#, socket)
  }
}

@Suite struct FollowTests {
  private static let count = 24

  @Test(.timeLimit(.minutes(5))) func aKillLosesNoJobAndChargesNoneTwice() async throws {
    let provider = try BackgroundProvider()
    defer { provider.stop() }
    let installation = try TestInstallation(
      upstreams: "  rehearsal: { dialect: openai, url: \"http://127.0.0.1:\(provider.port)\" }",
      apps: ["shop": "budgets: { day: \"5.00\" }"])
    let key = try await installation.key(for: "shop")
    var gateway = try await installation.startGateway("gateway")
    for _ in 0..<Self.count {
      let answer = try await gateway.request(
        gateway.gatewayURL + "/v1/responses", method: "POST", key: key,
        body: #"{"model":"gpt-4o-mini","background":true,"max_output_tokens":64,"input":"Tide?"}"#)
      #expect(answer.status == 200)
    }
    // The last one has its answer, and perhaps nothing is in the tables yet.
    try await gateway.process.kill9()
    gateway = try await installation.startGateway("gateway")
    let store = try installation.openStore()
    // The journal has them all; the tables follow.
    try await eventually("all are in the tables") {
      try store.checkpoint().followed.count == Self.count
    }
    let held = try balance(store)
    #expect(held.settled == .zero && held.reserved > .zero)

    // The app reads what it made: that costs nothing.
    let read = try await gateway.request(gateway.gatewayURL + "/v1/responses/resp_1", key: key)
    #expect(read.status == 200 && read.body.contains("in_progress"))
    // Killed again and again while they end.
    provider.complete()
    for share in [1, Self.count / 2] {
      try await eventually("\(share) are settled", seconds: 60) {
        try store.checkpoint().followed.count <= Self.count - share
      }
      try await gateway.process.kill9()
      gateway = try await installation.startGateway("gateway")
    }
    try await eventually("all are settled", seconds: 60) {
      try store.checkpoint().open.isEmpty
    }
    try await gateway.process.terminate()

    let events = try installation.journalEvents()
    var ledger = Ledger()
    events.forEach { ledger.apply($0) }
    #expect(try store.checkpoint() == ledger)
    var settled: [CallID: Int] = [:]
    var followed: Set<CallID> = []
    for event in events {
      switch event.kind {
      case .followed(let call, _): followed.insert(call)
      case .settled(let end) where end.outcome.usage.source == .reported:
        settled[end.call, default: 0] += 1
      case .settled(let end): #expect(end.charge == .zero, "an estimate was charged")
      case .expired(let call, _): #expect(!followed.contains(call), "a followed call expired")
      default: break
      }
    }
    #expect(followed.count == Self.count && Set(settled.keys) == followed)
    #expect(settled.values.allSatisfy { $0 == 1 }, "a job was charged twice")
    // 1,000 tokens in for each at 150 nanodollars, and 1, 2, 3 … out at 600.
    let output = Self.count * (Self.count + 1) / 2
    let sum = Int64(Self.count * 1_000 * 150 + output * 600)
    #expect(try balance(store) == (Money(nanodollars: sum), .zero))
    let calls = try store.calls().filter { $0.model == "gpt-4o-mini" }
    #expect(calls.count == Self.count && calls.allSatisfy { $0.state == .settled })
  }

  /// Of the only account.
  private func balance(_ store: StoreDatabase) throws -> (settled: Money, reserved: Money) {
    let accounts = try store.checkpoint().accounts
    try #require(accounts.count == 1)
    let account = accounts.values.first ?? .init()
    return (account.settled.money, account.reserved.money)
  }
}
