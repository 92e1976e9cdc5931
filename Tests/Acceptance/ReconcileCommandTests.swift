// The command at a terminal: what it prints, how it ends, and what it refuses.

import Foundation
import Metering
import Store
import TestSupport
import Testing

@Suite struct ReconcileCommandTests {
  /// 2026-11-01T00:00:00Z.
  private static let start: Int64 = 1_793_491_200_000

  /// An installation whose ledger has two calls of 2026-11-01, of $0.30 and $0.12.
  private func installation() throws -> TestInstallation {
    let installation = try TestInstallation(
      upstreams: """
          rehearsal: { dialect: openai, rehearsal: true }
          openai: { dialect: openai, url: "https://api.openai.com", credentialEnv: NO_SUCH_KEY }
          azure: { dialect: openai, url: "https://a.openai.azure.com", credentialEnv: NO_SUCH_KEY }
        """, apps: ["shop": "budgets: { day: \"5.00\" }"])
    let events =
      Self.call(1, "gpt-4o", upstream: "openai", charge: 300_000_000)
      + Self.call(3, "gpt-4o", upstream: "azure", charge: 120_000_000)
      // Answered by Leeway itself: in no provider's export.
      + Self.call(5, "gpt-4o", upstream: "rehearsal", charge: 1)
    let store = try installation.openStore()
    try store.fold(events)
    try store.close()
    return installation
  }

  private static func call(
    _ number: UInt64, _ model: String, upstream: String, charge: Int64
  ) -> [LedgerEvent] {
    var usage = Usage(source: .reported)
    (usage.inputUncached, usage.cacheRead, usage.outputText) = (100, 20, 7)
    let at = Timestamp(milliseconds: start + Int64(number) * 1_000)
    return [
      LedgerEvent(
        sequence: number, at: at,
        kind: .reserved(
          .init(
            call: CallID(number), app: "shop", key: 1, upstream: upstream, model: model,
            isStream: false, amounts: Amounts(money: Money(nanodollars: charge)), accounts: []))),
      LedgerEvent(
        sequence: number + 1, at: at.adding(milliseconds: 500),
        kind: .settled(
          .init(
            call: CallID(number), charge: Money(nanodollars: charge),
            outcome: CallOutcome(
              status: 200, ending: .completed, usage: usage, responseModel: "",
              durationMilliseconds: 500, firstByteMilliseconds: 100)))),
    ]
  }

  private static func usage(_ requests: Int, key: String? = nil) -> String {
    """
    {"object": "page", "has_more": false, "data": [{"start_time": \(start / 1_000),
     "end_time": \(start / 1_000 + 86_400), "results": [
      {"object": "organization.usage.completions.result", "input_tokens": \(120 * requests),
       "input_cached_tokens": \(20 * requests), "output_tokens": \(7 * requests),
       "num_model_requests": \(requests), "model": "gpt-4o-2024-08-06",
       "api_key_id": \(key.map { "\"\($0)\"" } ?? "null")}]}]}
    """
  }

  private func json(_ result: CommandResult) throws -> [String: Any] {
    try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any],
      "\(result)")
  }

  @Test func whatIsEqualEndsWithNought() async throws {
    let installation = try installation()
    // Named as something else: the content tells.
    try installation.write("usage.csv", Self.usage(2))
    let result = try await installation.run("reconcile", "usage.csv")
    #expect(result.status == 0, "\(result)")
    #expect(result.output.contains("Rows: equal 1, differs 0"), "\(result.output)")
    #expect(result.output.contains("Added up over the upstreams azure, openai."))
    #expect(!result.output.contains("only the provider:"))
    let all = try await installation.run("reconcile", "usage.csv", "--all")
    #expect(all.output.contains("gpt-4o-2024-08-06 (ledger: gpt-4o)"), "\(all.output)")
    #expect(all.output.contains("0.42"))
  }

  @Test func whatDiffersEndsWithOne() async throws {
    let installation = try installation()
    try installation.write("usage.json", Self.usage(2, key: "key_1"))
    let one = try await installation.run(
      "reconcile", "usage.json", "--key", "key_1=openai", "--json")
    #expect(one.status == 1, "\(one)")
    let object = try json(one)
    #expect(object["isEqual"] as? Bool == false)
    #expect(
      object["counts"] as? [String: Int]
        == ["equal": 0, "differs": 1, "onlyProvider": 0, "onlyLedger": 1])
    let rows = try #require(object["rows"] as? [[String: Any]])
    #expect(rows.map { $0["key"] as? String } == ["azure", "openai"])
    let requests = (rows[1]["measures"] as? [String: [String: Any]])?["requests"]
    #expect(requests?["provider"] as? Int == 2 && requests?["ledger"] as? Int == 1)
    #expect(requests?["difference"] as? Int == 1)
    #expect(rows[1]["ledgerCostNanodollars"] as? Int == 300_000_000)
    let text = try await installation.run(
      "reconcile", "usage.json", "--upstream", "openai")
    #expect(text.status == 1, "\(text)")
    #expect(text.output.contains("differs"), "\(text.output)")
    try installation.write("round.json", Self.usage(2).replacing("gpt-4o-2024-08-06", with: "o3"))
    let round = try await installation.run("reconcile", "round.json")
    #expect(round.output.contains("usually calls that went round the gateway"), "\(round.output)")
  }

  @Test func moneyAloneNeverSaysThatCallsAreMissing() async throws {
    let installation = try installation()
    try installation.write(
      "cost.csv",
      "start_time,model,api_key,amount_value\n2026-11-01,gpt-4o,sk-proj-topsecret-Zz9x,0.42\n"
        + "2026-11-01,o3,sk-proj-topsecret-Zz9x,0.50\n")
    let result = try await installation.run("reconcile", "cost.csv")
    #expect(result.status == 1, "\(result)")
    #expect(result.output.contains("0.50"))
    #expect(result.output.contains("…Zz9x"))
    #expect(!result.output.contains("topsecret") && !result.errors.contains("topsecret"))
    #expect(!result.output.contains("went round"), "\(result.output)")
    #expect(result.output.contains("calls are not compared"))
    // A half of the whole is more than what is missing nowhere.
    let wide = try await installation.run(
      "reconcile", "cost.csv", "--tolerance", "60%", "--json")
    #expect(try json(wide)["isEqual"] as? Bool == false)
  }

  /// What holds the store may let it go: the same command again may do.
  @Test(.enabled(if: Command.peersPython != nil, Peer.absence))
  func aStoreThatIsHeldEndsWithSeventyFive() async throws {
    let installation = try installation()
    try installation.write("usage.json", Self.usage(2))
    let holder = try Peer.start(
      "store_lock.py", ["samples/leeway.sqlite"], directory: installation.url)
    try await holder.waitFor("ready")
    let held = try await installation.run("reconcile", "usage.json")
    #expect(held.status == 75 && held.output.isEmpty, "\(held)")
    #expect(held.errors.contains("busy"), "\(held.errors)")
    try await holder.kill9()
    let free = try await installation.run("reconcile", "usage.json")
    #expect(free.status == 0, "\(free)")
  }

  @Test func faultsHaveTheirStatus() async throws {
    let installation = try installation()
    try installation.write("usage.json", Self.usage(2))
    try installation.write("cut.json", String(Self.usage(2).dropLast()))
    try installation.write("some.csv", "date,requests\n2026-11-01,2\n")
    for arguments in [
      ["--tolerance", "1"], ["--upstream", "opnai"], ["--key", "key_1=openai"], ["--key", "x"],
    ] {
      let result = try await installation.start(["reconcile", "usage.json"] + arguments).wait()
      #expect(result.status == 64, "\(arguments): \(result)")
      #expect(result.output.isEmpty)
    }
    let nothing = try await installation.run("reconcile")
    #expect(nothing.status == 64)
    let cut = try await installation.run("reconcile", "cut.json")
    #expect(cut.status == 65 && cut.output.isEmpty, "\(cut)")
    #expect(cut.errors.contains("cut.json, line 1: the file ends in the middle"), "\(cut.errors)")
    let absent = try await installation.run("reconcile", "none.json")
    #expect(absent.status == 65, "\(absent)")
    // All upstreams are of one dialect, so that a table of anybody's is theirs.
    let table = try await installation.run("reconcile", "some.csv")
    #expect(table.status == 0, "\(table)")
  }
}
