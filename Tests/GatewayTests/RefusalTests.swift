// Calls that must not pass: each refused in the caller's own format, recorded, and without a leak.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Gateway

@Suite struct RefusalTests {
  /// A gateway whose upstream must never be called.
  static func guarded(
    capNanodollars: Int64 = 1_000_000_000, models: [String]? = nil,
    configure: (inout GatewayConfiguration) -> Void = { _ in }
  ) async throws -> (GatewayFixture, ScriptedUpstream) {
    let upstream = try ScriptedUpstream { _ in [.send(Script.json(Script.completion()))] }
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, capNanodollars: capNanodollars, models: models,
      configure: configure)
    return (fixture, upstream)
  }

  private func error(_ answer: RawAnswer) throws -> [String: Any] {
    let json = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
    return try #require(json?["error"] as? [String: Any])
  }

  @Test func keysThatAreMissingUnknownOrRevoked() async throws {
    let (fixture, upstream) = try await Self.guarded()
    let cases = [
      ("lw_wrong_key_value", "key_unknown"), (GatewayFixture.revokedKey, "key_revoked"),
      ("", "key_missing"),
    ]
    for (key, code) in cases {
      let answer = try await fixture.call(
        GatewayFixture.request(GatewayFixture.body, key: key))
      #expect(answer.status == 401)
      #expect(answer.header("x-leeway-denial") == code)
      #expect(try error(answer)["type"] as? String == "authentication_error")
      if !key.isEmpty { #expect(!answer.text.contains(key)) }
    }
    #expect(upstream.requests.isEmpty)
    try await fixture.stop()
  }

  @Test func twoKeysThatDifferConflict() async throws {
    let (fixture, upstream) = try await Self.guarded()
    let answer = try await fixture.call(
      GatewayFixture.request(
        GatewayFixture.body, headers: "x-api-key: \(GatewayFixture.freeKey)\r\n"))
    #expect(answer.status == 400)
    #expect(answer.header("x-leeway-denial") == "keys_conflict")
    #expect(!answer.text.contains("lw_"))
    #expect(upstream.requests.isEmpty)
    try await fixture.stop()
  }

  @Test func aBudgetThatIsUsedUpSaysWhatToDo() async throws {
    let (fixture, upstream) = try await Self.guarded(capNanodollars: 1_000)
    let answer = try await fixture.call(GatewayFixture.request(GatewayFixture.body))
    #expect(answer.status == 429)
    #expect(answer.header("x-should-retry") == "false")
    #expect(answer.header("retry-after") == nil)
    let fault = try error(answer)
    #expect(fault["type"] as? String == "insufficient_quota")
    #expect(fault["code"] as? String == "insufficient_quota")
    let message = try #require(fault["message"] as? String)
    #expect(message.contains("day") && message.contains("the end of time"))
    #expect(upstream.requests.isEmpty)
    try await fixture.stop()
    guard case .refused(let refused) = try #require(try fixture.events().first).kind else {
      Issue.record("the refusal was not recorded")
      return
    }
    let budget = try #require(refused.budget)
    #expect(budget.scope == .app("team") && budget.cap.unit == .money)
    let wanted = budget.settled.count + budget.reserved.count + budget.estimate.count
    #expect(wanted > budget.cap.count)
  }

  @Test func modelsThatAreForbiddenUnpricedOrUnbounded() async throws {
    let (fixture, upstream) = try await Self.guarded(models: ["gpt-*"])
    let cases: [(String, String, Int)] = [
      (#"{"model":"other","messages":[]}"#, "model_forbidden", 403),
      (#"{"model":"gpt-unpriced","messages":[]}"#, "model_unpriced", 403),
      (#"{"model":"gpt-open","messages":[]}"#, "output_unbounded", 400),
      (#"{"messages":[]}"#, "request_invalid", 400),
    ]
    for (body, code, status) in cases {
      let answer = try await fixture.call(GatewayFixture.request(body))
      #expect(answer.status == status)
      #expect(answer.header("x-leeway-denial") == code)
    }
    #expect(upstream.requests.isEmpty)
    try await fixture.stop()
    #expect(try fixture.events().count == cases.count)
  }

  @Test(arguments: [
    "not json", "[1,2]", #"{"model":"gpt-test"} {}"#, #"{"model":"gpt-test","model":"gpt-test"}"#,
    #"{"model":"gpt-test","mod\u0065l":"free"}"#, #"{"model":"gpt-test","#, "",
    "\u{1F}\u{8B}gzip", #"{"model":1}"#,
  ])
  func bodiesThatTwoParsersCouldReadDifferently(body: String) async throws {
    let (fixture, upstream) = try await Self.guarded()
    let answer = try await fixture.call(GatewayFixture.request(body))
    #expect(answer.status == 400)
    #expect(answer.header("x-leeway-denial") == "request_invalid")
    #expect(try error(answer)["message"] is String)
    #expect(upstream.requests.isEmpty)
    try await fixture.stop()
    #expect(fixture.account == .init())
  }

  @Test func aBodyOverTheBoundIsRefusedBeforeItIsSent() async throws {
    let (fixture, upstream) = try await Self.guarded { $0.bodyBytesMax = 1_000 }
    let port = fixture.port
    let announced = try await onThread {
      let socket = try RawSocket(port: port)
      try socket.send(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\nContent-Length: 2000000\r\n"
          + "Authorization: Bearer \(GatewayFixture.key)\r\n\r\n")
      return try socket.answer()
    }
    #expect(announced.status == 413)
    #expect(announced.header("connection") == "close")
    let chunked = try await onThread {
      let socket = try RawSocket(port: port)
      try socket.send(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n"
          + "Authorization: Bearer \(GatewayFixture.key)\r\n\r\n")
      for _ in 0..<20 { try socket.send(Script.chunk(String(repeating: "x", count: 100))) }
      return try socket.answer()
    }
    #expect(chunked.status == 413)
    #expect(upstream.requests.isEmpty)
    try await fixture.stop()
  }

  @Test func aHeaderFloodIsCutOff() async throws {
    let (fixture, upstream) = try await Self.guarded()
    let port = fixture.port
    let answer = try await onThread {
      let socket = try RawSocket(port: port)
      try socket.send("GET /v1/models HTTP/1.1\r\nHost: g\r\n")
      for index in 0..<400 {
        try? socket.send("X-Flood-\(index): \(String(repeating: "f", count: 200))\r\n")
      }
      return try socket.answer()
    }
    #expect(answer.status == 431)
    #expect(answer.header("connection") == "close")
    #expect(upstream.requests.isEmpty)
    try await fixture.stop()
  }

  @Test(arguments: [
    "GET /v1/models HTTP/1.1\r\nHost: g\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "GET /v1/models HTTP/1.1\r\nHost: g\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    "GET /v1/models HTTP/1.1\nHost: g\n\n", "GET /v1/models HTTP/1.1\r\n\r\n",
    "\u{16}\u{3}\u{1}\r\n\r\n",
  ])
  func requestsThatAreNotStrictHTTP(request: String) async throws {
    let (fixture, _) = try await Self.guarded()
    let answer = try await fixture.call(request)
    #expect(answer.status == 400)
    #expect(answer.header("connection") == "close")
    try await fixture.stop()
  }

  @Test func unmeteredPathsAreRefusedForABudgetAndRelayedWithoutOne() async throws {
    let (fixture, upstream) = try await Self.guarded()
    for path in [
      "/v1/fine_tuning/jobs", "/v1//chat/completions", "/v1/chat/completions/",
      "/v1/chat%2Fcompletions",
    ] {
      let answer = try await fixture.call(
        GatewayFixture.request(GatewayFixture.body, path: path))
      #expect(answer.status == 403)
      #expect(answer.header("x-leeway-denial") == "path_unmetered")
    }
    #expect(upstream.requests.isEmpty)
    let relayed = try await fixture.call(
      GatewayFixture.request("{}", key: GatewayFixture.freeKey, path: "/v1/fine_tuning/jobs"))
    #expect(relayed.status == 200)
    try await fixture.stop()
    let settled = try #require(try fixture.settlement())
    #expect(settled.outcome.usage.source == .unknown)
  }

  @Test func unknownUpstreamsAreNamed() async throws {
    let (fixture, _) = try await Self.guarded()
    let answer = try await fixture.call(
      GatewayFixture.request(GatewayFixture.body, path: "/nowhere/v1/chat/completions"))
    #expect(answer.status == 404)
    #expect(answer.text.contains("nowhere"))
    try await fixture.stop()
  }

  @Test func refusalsSpeakTheCallersDialect() async throws {
    let (fixture, _) = try await Self.guarded()
    let anthropic = try await fixture.call(
      GatewayFixture.request("{}", key: "lw_nobody", path: "/v1/messages"))
    #expect(anthropic.text.contains(#""type":"error""#))
    let gemini = try await fixture.call(
      GatewayFixture.request("{}", key: "lw_nobody", path: "/v1/models/m:generateContent"))
    #expect(gemini.text.contains("UNAUTHENTICATED"))
    try await fixture.stop()
  }

  @Test func anAppThatIsCappedIsStoppedAndRestored() async throws {
    let (fixture, _) = try await Self.guarded()
    try fixture.database.placeOrder(
      action: .cap("team"), actor: "analyzer", reason: "It drifted.", at: GatewayFixture.now)
    for order in try fixture.database.orders(after: 0) { try fixture.gateway.apply(order) }
    let answer = try await fixture.call(GatewayFixture.request(GatewayFixture.body))
    #expect(answer.status == 429)
    #expect(answer.header("x-leeway-denial") == "app_capped")
    #expect(answer.text.contains("It drifted."))
    #expect(fixture.gateway.snapshot().apps[0].cappedReason == "It drifted.")
    try fixture.database.placeOrder(
      action: .restore("team"), actor: "a person", reason: "", at: GatewayFixture.now)
    for order in try fixture.database.orders(after: fixture.gateway.lastOrder) {
      try fixture.gateway.apply(order)
    }
    #expect(
      try await fixture.call(GatewayFixture.request(GatewayFixture.body)).status == 200)
    try await fixture.stop()
  }

  @Test func aKeyThatIsRevokedStopsWorkingAtOnce() async throws {
    let (fixture, _) = try await Self.guarded()
    #expect(try await fixture.call(GatewayFixture.request(GatewayFixture.body)).status == 200)
    let record = try #require(
      try fixture.database.keys().first { $0.app == "team" && !$0.isRevoked })
    try fixture.database.revokeKey(id: record.id, at: GatewayFixture.now)
    let order = try #require(try fixture.database.orders(after: 0).last)
    try fixture.gateway.apply(order)
    let answer = try await fixture.call(GatewayFixture.request(GatewayFixture.body))
    #expect(answer.header("x-leeway-denial") == "key_revoked")
    try await fixture.stop()
  }
}
