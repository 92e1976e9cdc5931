// kill -9 in the middle of load: no charge is lost, no reservation leaks, the balances carry on.

import Foundation
import Metering
import Store
import Synchronization
import Testing

@Suite struct CrashTests {
  @Test(.timeLimit(.minutes(5)), arguments: [40, 80, 150])
  func aKillUnderLoadLosesNoCharge(afterAnswers least: Int) async throws {
    // Slow enough that the kill finds calls open.
    let upstream = try UpstreamProcess(answer: "harbour", latencyMilliseconds: 100)
    try await upstream.start()
    let installation = try TestInstallation(
      upstreams: upstream.yaml,
      apps: [
        "shop": """
        budgets: { day: { usd: "50.00", tokens: 900000000 }, last 10m: { calls: 900000 } }
        perKey: { minute: { calls: 900000 } }
        perModel: { purse: "50.00" }
        models: [gpt-4o-mini]
        samples: { rate: 0 }
        """
      ])
    let key = try await installation.key(for: "shop")
    let gateway = try await installation.startGateway("gateway")
    let answered = Mutex(0)
    let load = LoadClient(url: gateway.gatewayURL, key: key)
    let running = Task {
      try? await load.run(calls: 100_000, atATime: 16) { status in
        if status == 200 { answered.withLock { $0 += 1 } }
      }
    }
    try await eventually("\(least) answers came", seconds: 60) {
      answered.withLock { $0 } >= least
    }
    try await gateway.process.kill9()
    _ = await running.value
    let answers = answered.withLock { $0 }

    // It starts again on what the crash left, takes a call, and stops in order.
    let second = try await installation.startGateway("gateway")
    #expect(try await second.chat(key: key, maxTokens: 64).status == 200)
    try await second.process.terminate()

    let events = try installation.journalEvents()
    var ledger = Ledger()
    events.forEach { ledger.apply($0) }
    let store = try installation.openStore()
    #expect(try store.checkpoint() == ledger)
    #expect(ledger.open.isEmpty, "a reservation leaked")
    var reserved: Set<CallID> = []
    var charged: [CallID: Int] = [:]
    var expired = 0
    for event in events {
      switch event.kind {
      case .reserved(let call): reserved.insert(call.call)
      case .settled(let call): charged[call.call, default: 0] += 1
      case .expired(let call, let charge):
        charged[call, default: 0] += 1
        expired += 1
        #expect(charge > .zero)
      default: break
      }
    }
    #expect(expired > 0, "the kill found no call open")
    #expect(charged.values.allSatisfy { $0 == 1 }, "a call was charged twice")
    #expect(Set(charged.keys).isSubset(of: reserved))
    // Every answer that a client got whole was charged, and the one after the restart.
    #expect(charged.count - expired >= answers + 1)
    let states = try store.calls(app: "shop", limit: 1_000_000).filter { $0.state == .expired }
    #expect(states.count == expired)
    print(
      "crash: \(answers) answers, \(charged.count) charged, "
        + "\(expired) of them at their estimate")
  }
}

extension TestInstallation {
  /// All events of the journal, from its first.
  func journalEvents() throws -> [LedgerEvent] {
    let (journal, tail) = try Journal.open(
      directory: url.appending(path: "samples/journal").path, foldedThrough: 0)
    try journal.close()
    return tail
  }

  func openStore() throws -> StoreDatabase {
    try StoreDatabase.open(path: url.appending(path: "samples/leeway.sqlite").path)
  }
}
