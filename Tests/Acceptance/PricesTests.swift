// A new price table, from the diff to the charge: last week at the new prices, then calls at them.

import Foundation
import TestSupport
import Testing

@Suite struct PricesTests {
  /// Input at 0.25 where the installation has 0.15, output at 0.80 where it has 0.60 dollars a
  /// million; the other model as it is.
  private static let table = """
    {"model": "gpt-4o-mini", "provider": "openai", "mode": "chat", "max_output_tokens": 16384, \
    "input_cost_per_token": 2.5e-07, "output_cost_per_token": 8e-07}
    {"model": "gpt-4o", "provider": "openai", "mode": "chat", "max_output_tokens": 16384, \
    "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05}

    """

  @Test func anUpdateIsShownThenChargedAndOldCallsKeepTheirPrice() async throws {
    let installation = try TestInstallation(apps: ["shop": "budgets: { day: \"5.00\" }"])
    let key = try await installation.key(for: "shop")
    let gateway = try await installation.startGateway()
    #expect(try await gateway.chat(key: key).status == 200)
    let unpriced = try await gateway.chat(key: key, model: "o9")
    #expect(unpriced.status == 403)
    #expect(unpriced.body.contains("thresholds/prices/openai.yaml"), "\(unpriced.body)")
    #expect(unpriced.body.contains("inputPerMillion"), "\(unpriced.body)")
    try await gateway.process.terminate()
    let before = try await charge(installation)
    #expect(before > 0)

    try installation.write("new.jsonl", Self.table)
    let text = try await installation.succeed("prices", "diff", "new.jsonl", "--json")
    let diff = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    let week = try #require((diff["lastWeek"] as? [[String: Any]])?.first)
    #expect(week["calls"] as? Int == 1, "\(text)")
    #expect(week["chargeNanodollars"] as? Int == before)
    let expected = try #require(week["newNanodollars"] as? Int)
    #expect(expected > before)

    // A table that is cut off changes nothing.
    try installation.write("cut.jsonl", String(Self.table.dropLast(9)))
    let book = installation.url.appending(path: "thresholds/prices/openai.yaml")
    let bookBefore = try Data(contentsOf: book)
    #expect(try await installation.run("prices", "update", "cut.jsonl").status == 65)
    #expect(try Data(contentsOf: book) == bookBefore)

    try await installation.succeed("prices", "update", "new.jsonl")
    try await installation.succeed("check")
    try await installation.succeed("prices", "check")
    let second = try await installation.startGateway()
    #expect(try await second.chat(key: key).status == 200)
    try await second.process.terminate()
    // The same call again, at what the diff said that it would cost.
    #expect(try await charge(installation) == before + expected)
  }

  private func charge(_ installation: TestInstallation) async throws -> Int {
    let text = try await installation.succeed("usage", "--json")
    let rows = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]
    return (rows ?? []).compactMap { $0["chargeNanodollars"] as? Int }.reduce(0, +)
  }
}
