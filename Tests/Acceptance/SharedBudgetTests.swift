// Two apps of one team draw on its budget, over restarts; people see it on every surface.

import Foundation
import Testing

@Suite struct SharedBudgetTests {
  @Test(.timeLimit(.minutes(3))) func aTeamsCallsAreCountedOverItsAppsAndARestart() async throws {
    let installation = try TestInstallation(
      apps: [
        "shop": """
        team: search
        budgets: { day: "5.00" }
        environments: { demo: { last 24h: { calls: 1 } } }
        """,
        "desk": "team: search\nbudgets: { day: \"5.00\", month: { calls: 900 } }",
      ])
    try installation.write(
      "thresholds/teams/search.yaml", "owner: { name: Ada }\nbudgets: { month: { calls: 3 } }")
    let check = try await installation.run("check")
    #expect(check.status == 0)
    #expect(
      check.errors.contains(
        "the month budget of app 'desk', 900 calls, is above that of team 'search', 3 calls"))
    let shop = try await installation.key(for: "shop")
    let desk = try await installation.key(for: "desk")
    let demo = try await installation.succeed("keys", "issue", "shop", "--environment", "demo")
      .trimmingCharacters(in: .whitespacesAndNewlines)
    let unknown = try await installation.run("keys", "issue", "shop", "--environment", "dmo")
    #expect(unknown.status != 0 && unknown.errors.contains("did you mean 'demo'?"))

    var gateway = try await installation.startGateway("gateway")
    #expect(try await gateway.chat(key: shop).status == 200)
    #expect(try await gateway.chat(key: demo).status == 200)
    let second = try await gateway.chat(key: demo)
    #expect(second.status == 429)
    #expect(second.body.contains("Budget 'last 24h' of environment 'demo' of this app"))
    try await gateway.process.kill9()

    gateway = try await installation.startGateway("gateway")
    #expect(try await gateway.chat(key: desk).status == 200)
    let refused = try await gateway.chat(key: desk)
    #expect(refused.status == 429)
    #expect(refused.body.contains("Budget 'month' of team 'search' cannot cover this call"))
    #expect(refused.body.contains("3 calls used of 3 calls"))

    let page = try await gateway.request(gateway.adminURL + "/").body
    #expect(page.contains("team search") && page.contains("of 3 calls"))
    let metrics = try await gateway.request(gateway.adminURL + "/metrics").body
    #expect(metrics.contains(#"leeway_budget_settled_calls{scope="team:search",budget="month"} 3"#))
    try await eventually("the tables have followed") {
      let lines = try await installation.succeed("usage", "--budgets")
      return lines.split(separator: "\n").contains {
        $0.hasPrefix("team:search") && $0.contains("3 calls") && $0.contains("month")
      }
    }
    let usage = try await installation.succeed("usage")
    #expect(usage.contains("team:search") && !usage.contains("environment:"))
    try await gateway.process.terminate()
  }
}
