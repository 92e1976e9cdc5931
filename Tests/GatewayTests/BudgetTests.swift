// The hard cap under load, and what outlives a crash.

import Foundation
import Metering
import Store
import Testing
import TestSupport

@testable import Gateway

@Suite struct BudgetTests {
  /// Sixty-four callers at once against a cap that fits a part of them: no order of events in the
  /// journal ever passes the cap, and no refusal comes while there was room.
  @Test func aStormNeverPassesTheCap() async throws {
    let upstream = try ScriptedUpstream { _ in [.send(Script.json(Script.completion()))] }
    let cap: Int64 = 3_000_000
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, capNanodollars: cap,
      journalSettings: Self.relaxed)
    let port = fixture.port
    let statuses = Collected<Int>()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<64 {
        group.addTask {
          try await onThread {
            let socket = try RawSocket(port: port)
            for _ in 0..<12 {
              try socket.send(GatewayFixture.request(GatewayFixture.body))
              statuses.append([try socket.answer().status])
            }
          }
        }
      }
      try await group.waitForAll()
    }
    try await fixture.stop()
    let counts = Dictionary(statuses.all.map { ($0, 1) }, uniquingKeysWith: +)
    #expect(counts.values.reduce(0, +) == 64 * 12)
    #expect(Set(counts.keys) == [200, 429])
    #expect(upstream.requests.count == counts[200])
    try Self.checkJournal(fixture.events(), cap: Money(nanodollars: cap))
    #expect(
      fixture.account.settled
        == TestPrice.cost(
          input: 10 * Int64(counts[200] ?? 0), output: 5 * Int64(counts[200] ?? 0)))
    #expect(fixture.account.reserved == .zero)
  }

  private static var relaxed: JournalSettings {
    var settings = JournalSettings()
    settings.syncMilliseconds = 50
    return settings
  }

  /// Replays the journal and checks the invariant at every event.
  private static func checkJournal(_ events: [LedgerEvent], cap: Money) throws {
    let id = AccountID(app: "team", budget: "day", window: "always")
    var ledger = Ledger()
    for event in events {
      let before = ledger.account(id)
      if case .refused(let refused) = event.kind {
        let refusal = try #require(refused.budget)
        #expect(refusal.settled == .money(before.settled.money))
        #expect(refusal.reserved == .money(before.reserved.money))
        #expect(
          refusal.settled.count + refusal.reserved.count + refusal.estimate.count
            > cap.nanodollars)
      }
      ledger.apply(event)
      let after = ledger.account(id)
      #expect(
        after.settled.money.nanodollars + after.reserved.money.nanodollars <= cap.nanodollars)
    }
    #expect(ledger.open.isEmpty)
  }

  @Test func marksThatArePassedAreHandedOutOnce() async throws {
    // A call costs 1,010,000: five pass half of the cap, eight 80 % of it, ten the whole.
    let upstream = try ScriptedUpstream { _ in
      [.send(Script.json(Script.completion(output: 500)))]
    }
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, capNanodollars: 10_000_000)
    for _ in 0..<12 { _ = try await fixture.call(GatewayFixture.request(GatewayFixture.body)) }
    try await fixture.stop()
    #expect(fixture.crossings.all.map(\.percent).sorted() == [50, 80, 100])
    #expect(fixture.account.settled == Money(nanodollars: 10_100_000))
  }

  @Test func aRestartCarriesOnWithTheSameBalances() async throws {
    let upstream = try ScriptedUpstream { _ in [.send(Script.json(Script.completion()))] }
    let directory = try TemporaryDirectory()
    let first = try await GatewayFixture(upstreamPort: upstream.port, directory: directory)
    for _ in 0..<3 { _ = try await first.call(GatewayFixture.request(GatewayFixture.body)) }
    let before = first.gateway.ledger
    try await first.stop()
    let second = try await GatewayFixture(
      upstreamPort: upstream.port, directory: directory, database: first.database)
    #expect(second.gateway.ledger == before)
    let answer = try await second.call(GatewayFixture.request(GatewayFixture.body))
    #expect(answer.header("x-leeway-call") == "\(before.lastSequence + 1)")
    try await second.stop()
    #expect(second.account.settled == TestPrice.cost(input: 40, output: 20))
  }

  /// The process dies with a call open: what its journal holds is copied at that instant, as a disk
  /// would have it, and a new gateway starts from the copy.
  @Test func aCallThatWasOpenAtACrashIsChargedAtItsEstimate() async throws {
    let gate = Gate()
    let upstream = try ScriptedUpstream { _ in
      [.wait(gate), .send(Script.json(Script.completion()))]
    }
    let directory = try TemporaryDirectory()
    let first = try await GatewayFixture(upstreamPort: upstream.port, directory: directory)
    async let answer = first.call(GatewayFixture.request(GatewayFixture.body))
    try await eventually { upstream.requests.count == 1 }
    let reserved = first.account.reserved
    let copy = try TemporaryDirectory()
    try FileManager.default.copyItem(
      atPath: directory.path("journal"), toPath: copy.path("journal"))
    gate.open()
    #expect(try await answer.status == 200)
    try await first.stop()

    let second = try await GatewayFixture(
      upstreamPort: upstream.port, directory: copy, database: first.database)
    #expect(second.account.settled == reserved)
    #expect(second.account.reserved == .zero)
    guard case .expired(_, let charge) = try #require(try second.events().last).kind else {
      Issue.record("the open reservation was not flagged")
      return
    }
    #expect(charge == reserved && charge > .zero)
    try await second.stop()
  }

  @Test func withoutAJournalNothingBudgetedPasses() async throws {
    let upstream = try ScriptedUpstream { _ in [.send(Script.json(Script.completion()))] }
    var settings = JournalSettings()
    // Small enough that the next event needs a new segment.
    settings.segmentBytesMax = 1
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, journalSettings: settings)
    #expect(try await fixture.call(GatewayFixture.request(GatewayFixture.body)).status == 200)
    let path = fixture.directory.path("journal")
    try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
    // A file in the directory's place: segments cannot be made, whoever asks, root included.
    #expect(FileManager.default.createFile(atPath: path, contents: nil))
    let refused = try await fixture.call(GatewayFixture.request(GatewayFixture.body))
    #expect(refused.status == 503)
    #expect(refused.header("x-leeway-denial") == "journal_unavailable")
    #expect(fixture.account.reserved == .zero)
    let sent = upstream.requests.count
    _ = try await fixture.call(GatewayFixture.request(GatewayFixture.body))
    #expect(upstream.requests.count == sent)
    let free = try await fixture.call(
      GatewayFixture.request(GatewayFixture.body, key: GatewayFixture.freeKey))
    #expect(free.status == 200, "an app without a budget passes")

    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.moveItem(atPath: path + ".away", toPath: path)
    try await eventually { fixture.journal.isWritable }
    #expect(try await fixture.call(GatewayFixture.request(GatewayFixture.body)).status == 200)
    try await fixture.stop()
  }

  /// A budgeted app may list models; that is recorded as what it is, neither a charge nor a report.
  @Test(arguments: [nil, #""usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}"#])
  func aFreePathIsChargedOnlyWhatItsAnswerReports(usage: String?) async throws {
    let list = #"{"object":"list","model":"gpt-test","data":[]"# + (usage.map { "," + $0 } ?? "")
    let upstream = try ScriptedUpstream { _ in [.send(Script.json(list + "}"))] }
    let fixture = try await GatewayFixture(upstreamPort: upstream.port)
    let answer = try await fixture.call(
      "GET /v1/models HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer \(GatewayFixture.key)\r\n\r\n")
    #expect(answer.text == list + "}")
    try await fixture.stop()
    let last = try #require(try fixture.events().last)
    switch last.kind {
    case .released(_, let outcome):
      #expect(usage == nil)
      #expect(outcome.usage == .unknown)
      #expect(fixture.account == .init())
    case .settled(let settled):
      #expect(usage != nil)
      #expect(settled.charge == TestPrice.cost(input: 10, output: 5))
      #expect(settled.outcome.usage.source == .reported)
    default: Issue.record("expected an end, got \(last.kind)")
    }
  }
}
