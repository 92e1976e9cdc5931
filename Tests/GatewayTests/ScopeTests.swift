// Budgets that a call's head picks: end users, tags, environments; and units beside money.

import Crypto
import Foundation
import Metering
import Store
import TestSupport
import Testing
import Wire

@testable import Gateway

@Suite struct ScopeTests {
  private static let always = BudgetWindows.purse(
    WindowEdges(
      start: Timestamp(milliseconds: 0), end: Timestamp(milliseconds: .max), id: "purse",
      endText: ""))

  private static func calls(_ holder: BudgetHolder, _ count: Int64) -> Budget {
    Budget(holder, id: "purse", caps: BudgetCaps(calls: count), windows: always)
  }

  private static func fixture(
    database: StoreDatabase? = nil, secret: [UInt8] = [1, 2, 3],
    policy: (inout AppPolicy) -> Void
  ) async throws -> (GatewayFixture, ScriptedUpstream) {
    let upstream = try ScriptedUpstream { _ in [.send(Script.json(Script.completion()))] }
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, database: database,
      configure: { $0.userHashKey = secret }, policy: policy)
    return (fixture, upstream)
  }

  private func status(_ fixture: GatewayFixture, _ headers: String) async throws -> Int {
    try await fixture.call(
      GatewayFixture.request(GatewayFixture.body, headers: headers)
    ).status
  }

  @Test func eachEndUserHasAPurseAndTheProviderDoesNotLearnWhoItIs() async throws {
    let (fixture, upstream) = try await Self.fixture {
      $0.budgets.append(Self.calls(.eachUser, 1))
    }
    let ada = "X-Leeway-User: ada@example.com\r\n"
    #expect(try await status(fixture, ada) == 200)
    let refused = try await fixture.call(
      GatewayFixture.request(GatewayFixture.body, headers: ada))
    #expect(refused.status == 429)
    #expect(refused.header("x-leeway-denial") == "budget_exhausted")
    #expect(refused.text.contains("Budget 'purse' of this user"))
    #expect(try await status(fixture, "x-leeway-user: bob\r\n") == 200)
    // The same in two headers is one.
    #expect(try await status(fixture, "x-leeway-user: c\r\nx-leeway-user: c\r\n") == 200)
    try await fixture.stop()
    #expect(upstream.requests.count == 3)
    #expect(upstream.requests.allSatisfy { !$0.text.lowercased().contains("x-leeway") })
    // Nor is the name anywhere that outlives the call.
    let accounts = fixture.gateway.ledger.accounts.keys.filter { $0.scope.kind == .user }
    #expect(accounts.count == 3)
    #expect(accounts.allSatisfy { $0.scope.name.utf8.count == 32 })
    #expect(!"\(try fixture.events())".contains("ada"))
    #expect(!refused.text.contains("ada"))
  }

  /// A purse that nobody has drawn on yet is one for all who come at once.
  @Test func theFirstCallsOfAUserMeetItsCapAllAtOnceToo() async throws {
    let (fixture, upstream) = try await Self.fixture {
      $0.budgets.append(Self.calls(.eachUser, 1))
    }
    let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<8 { group.addTask { try await status(fixture, "x-leeway-user: new\r\n") } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(statuses.sorted() == [200] + Array(repeating: 429, count: 7))
    try await fixture.stop()
    #expect(upstream.requests.count == 1)
  }

  @Test func callsThatNameNobodyShareOnePurse() async throws {
    let (fixture, _) = try await Self.fixture { $0.budgets.append(Self.calls(.eachUser, 1)) }
    #expect(try await status(fixture, "") == 200)
    let refused = try await fixture.call(
      GatewayFixture.request(GatewayFixture.body, headers: "x-leeway-user: \r\n"))
    #expect(refused.status == 429 && refused.text.contains("x-leeway-user"))
    try await fixture.stop()
  }

  @Test(arguments: [
    "x-leeway-user: a\r\nx-leeway-user: b\r\n",
    "x-leeway-user: \(String(repeating: "a", count: 129))\r\n",
  ])
  func anEndUserThatCannotBeTakenIsRefused(headers: String) async throws {
    let (fixture, upstream) = try await Self.fixture {
      $0.budgets.append(Self.calls(.eachUser, 9))
    }
    let refused = try await fixture.call(
      GatewayFixture.request(GatewayFixture.body, headers: headers))
    #expect(refused.status == 400 && refused.header("x-leeway-denial") == "request_invalid")
    #expect(refused.text.contains("at most 128 bytes"))
    try await fixture.stop()
    #expect(upstream.requests.isEmpty)
    // Where no budget asks who the user is, nobody looks.
    let (other, _) = try await Self.fixture { _ in }
    #expect(try await status(other, headers) == 200)
    try await other.stop()
  }

  @Test func aUsersNameIsHashedWithTheInstallationsSecretAndTheApp() {
    func hash(_ app: String, _ secret: [UInt8]) throws -> String {
      let policy = AppPolicy(app: app, budgets: [Self.calls(.eachUser, 1)])
      let text = Array("POST / HTTP/1.1\r\nHost: g\r\nx-leeway-user: ada\r\n\r\n".utf8)
      return try text.withUnsafeBytes { bytes in
        let head = try #require(try RequestHead.parse(bytes))
        return try #require(
          CallScopes(policy).user(in: head, bytes, key: SymmetricKey(data: secret)))
      }
    }
    #expect(throws: Never.self) {
      let first = try hash("shop", [1])
      #expect(try hash("shop", [1]) == first)
      #expect(try hash("shop", [2]) != first)
      #expect(try hash("other", [1]) != first)
    }
  }

  @Test func aTagDrawsOnItsPurseAndNobodyMakesOneUp() async throws {
    let (fixture, upstream) = try await Self.fixture { policy in
      policy.tags = ["eval", "nightly"]
      policy.budgets += [Self.calls(.tag(0), 2), Self.calls(.tag(1), 1)]
    }
    #expect(try await status(fixture, "x-leeway-tag: eval , nightly\r\n") == 200)
    #expect(
      try await status(fixture, "x-leeway-tag: eval\r\nx-leeway-tag: nightly\r\n") == 429)
    #expect(try await status(fixture, "x-leeway-tag: eval\r\n") == 200)
    #expect(try await status(fixture, "x-leeway-tag: eval\r\n") == 429)
    #expect(try await status(fixture, "") == 200)
    for tag in ["other", "eval,other", "eval nightly"] {
      let refused = try await fixture.call(
        GatewayFixture.request(GatewayFixture.body, headers: "x-leeway-tag: \(tag)\r\n"))
      #expect(refused.status == 400)
      #expect(refused.text.contains("Declared: eval, nightly."))
    }
    try await fixture.stop()
    #expect(upstream.requests.count == 3)
  }

  @Test func aKeysEnvironmentIsWhatItsCallsDrawOn() async throws {
    let database = try StoreDatabase.inMemory()
    for (key, environment) in [(GatewayFixture.key, ""), ("lw_demo_0123456789", "demo")] {
      let hash = SHA256.hash(data: Array(key.utf8)).map { String(format: "%02x", $0) }.joined()
      try database.issueKey(
        app: "team", hashHex: hash, hint: "x", label: "", environment: environment,
        at: GatewayFixture.now)
    }
    let (fixture, _) = try await Self.fixture(database: database) {
      $0.budgets.append(Self.calls(.environment("demo"), 1))
    }
    let demo = GatewayFixture.request(GatewayFixture.body, key: "lw_demo_0123456789")
    #expect(try await fixture.call(demo).status == 200)
    let refused = try await fixture.call(demo)
    #expect(refused.status == 429)
    #expect(refused.text.contains("environment 'demo' of this app"))
    for _ in 0..<2 { #expect(try await status(fixture, "") == 200) }
    try await fixture.stop()
  }

  @Test func tokensAreHeldAtTheirBoundAndChargedAsReported() async throws {
    let (fixture, _) = try await Self.fixture { policy in
      policy.budgets = [
        Budget(.app, id: "purse", caps: BudgetCaps(tokens: 1_000), windows: Self.always)
      ]
    }
    #expect(try await status(fixture, "") == 200)
    let account = fixture.gateway.ledger.account(
      AccountID(app: "team", budget: "purse", window: "purse"))
    let reserved = try fixture.events().compactMap { event -> Int64? in
      if case .reserved(let reserved) = event.kind { reserved.amounts.tokens } else { nil }
    }
    let settled = try #require(try fixture.settlement())
    #expect(account.settled.tokens == settled.outcome.tokens && account.settled.tokens > 0)
    #expect(account.reserved == .zero)
    #expect(reserved.count == 1 && reserved[0] >= account.settled.tokens)
    var last = 200
    for _ in 0..<200 where last == 200 { last = try await status(fixture, "") }
    #expect(last == 429)
    try await fixture.stop()
    let end = fixture.gateway.ledger.account(
      AccountID(app: "team", budget: "purse", window: "purse"))
    #expect(end.settled.tokens <= 1_000 && end.settled.tokens + reserved[0] > 1_000)
  }

  /// A model that is billed by the character may still report tokens: nothing was held for them.
  @Test func whatIsBilledByOtherUnitsDoesNotPassATokenBudget() async throws {
    let (fixture, upstream) = try await Self.fixture { policy in
      policy.budgets = [
        Budget(.app, id: "purse", caps: BudgetCaps(tokens: 1_000_000), windows: Self.always)
      ]
    }
    let refused = try await fixture.call(
      GatewayFixture.request(
        #"{"model":"tts-1","input":"Ahoy","voice":"alloy"}"#, path: "/v1/audio/speech"))
    #expect(refused.status == 400 && refused.header("x-leeway-denial") == "tokens_unbounded")
    try await fixture.stop()
    #expect(upstream.requests.isEmpty)
  }

  /// What a provider keeps is read for nothing: it is no call, even where no more may be made.
  @Test func whatIsFreeCountsAsNoCall() async throws {
    let (fixture, _) = try await Self.fixture { $0.budgets = [Self.calls(.app, 1)] }
    #expect(try await status(fixture, "") == 200)
    #expect(try await status(fixture, "") == 429)
    let read = "GET /v1/models HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer "
    for _ in 0..<2 {
      #expect(try await fixture.call(read + GatewayFixture.key + "\r\n\r\n").status == 200)
    }
    try await fixture.stop()
  }

  @Test func theSnapshotShowsWhatIsSharedOnce() async throws {
    let (fixture, _) = try await Self.fixture { policy in
      policy.budgets += [
        Budget(
          .shared(.team("search")), id: "purse", caps: BudgetCaps(tokens: 9_000, calls: 5),
          windows: Self.always), Self.calls(.eachUser, 5),
      ]
    }
    #expect(try await status(fixture, "") == 200)
    let snapshot = fixture.gateway.snapshot()
    #expect(snapshot.apps.map { $0.budgets.map(\.budget) } == [["day"], []])
    #expect(snapshot.shared.map(\.scope) == [.team("search")])
    #expect(snapshot.shared[0].lines.map(\.cap) == [.tokens(9_000), .calls(5)])
    #expect(snapshot.shared[0].lines[1].settled == .calls(1))
    try await fixture.stop()
  }
}
