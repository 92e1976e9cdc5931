// A program to look at: apps in every state, with names that try to become markup.

import Admin
import Metering
import Synchronization

struct ExampleControl: Control {
  struct Unavailable: Error {}

  var reportsDirectory: String
  /// What was ordered.
  final class Orders: Sendable {
    private let all = Mutex<[AdminOrder]>([])
    func withLock<Value>(_ body: (inout [AdminOrder]) -> Value) -> Value {
      all.withLock { body(&$0) }
    }
  }
  let orders = Orders()
  var problems: [ReadinessProblem] = []
  var hasOverview = true
  var apps = Self.exampleApps
  var shared: [Overview.SharedLine] = []
  var health = Self.exampleHealth

  func overview() async throws -> Overview {
    guard hasOverview else { throw Unavailable() }
    return Overview(
      version: "0.1.0", atText: "2026-11-23 16:42:10 UTC", periodText: "today (UTC)",
      openCalls: 12, apps: apps, shared: shared, health: health)
  }

  func metrics() async -> String { "# HELP up Is it?\n# TYPE up gauge\nup 1\n" }

  func place(_ order: AdminOrder) async throws -> Int64? {
    guard apps.contains(where: { $0.name == order.app }) else { return nil }
    return orders.withLock { orders in
      orders.append(order)
      return Int64(orders.count)
    }
  }

  func readiness() async -> [ReadinessProblem] { problems }

  static let exampleHealth = [
    Overview.HealthLine(name: "Journal", value: "writable", isFine: true),
    Overview.HealthLine(name: "Fold", value: "3 events behind", isFine: true),
    Overview.HealthLine(name: "Alerts", value: "1 waiting, 0 given up", isFine: true),
    Overview.HealthLine(name: "Samples", value: "18,204 (41 MB)", isFine: true),
  ]

  static func dollars(_ text: String) -> Money { Money(dollars: text) ?? .zero }

  static func budget(
    _ name: String, _ settled: String, of cap: String, held: String = "0", resets: String
  ) -> Overview.BudgetLine {
    Overview.BudgetLine(
      name: name, settled: .money(dollars(settled)), reserved: .money(dollars(held)),
      cap: .money(dollars(cap)), resetsAtText: resets)
  }

  static let exampleApps: [Overview.AppLine] = {
    let day = "2026-11-24 00:00 Europe/Berlin"
    let month = "2026-12-01 00:00 Europe/Berlin"
    return [
      Overview.AppLine(
        name: "support-chat", owner: "Mara Lindqvist", state: .running,
        budgets: [
          budget("day", "11.482", of: "40", held: "0.91", resets: day),
          budget("month", "402.1177", of: "900", held: "0.91", resets: month),
        ], spent: dollars("11.482"), calls: 18_204, errors: 23, refusals: 0,
        unknownUsage: 0,
        verdict: .init(
          word: "ok", tone: .good, detail: "refusal against 2026-10-launch",
          atText: "2026-11-23 02:10 UTC", reportPath: "2026-11-23/support-chat.html")),
      Overview.AppLine(
        name: "invoice-reader", owner: "Finance Platform", state: .running,
        budgets: [budget("day", "16.90", of: "20", held: "1.2", resets: day)],
        spent: dollars("16.90"), calls: 2_731, errors: 4, refusals: 17, unknownUsage: 2,
        verdict: .init(
          word: "watch", tone: .watch, detail: "category: other +3.1 points",
          atText: "2026-11-23 02:10 UTC", reportPath: "2026-11-23/invoice-reader.html")),
      Overview.AppLine(
        name: "prime-check", owner: "Research",
        state: .capped(
          reason: "Drift: answer [No] +62.4 points against march (order 7, analyzer)."),
        budgets: [budget("day", "0.0042", of: "5", resets: day)],
        spent: dollars("0.0042"), calls: 1_000, errors: 0, refusals: 212, unknownUsage: 0,
        verdict: .init(
          word: "drifted", tone: .bad, detail: "answer: [no] 2.4 % → 64.8 %",
          atText: "2026-11-23 02:10 UTC", reportPath: "2026-11-23/prime-check.html")),
      Overview.AppLine(
        name: "mail-triage", owner: "Operations", state: .running,
        budgets: [budget("day", "5", of: "5", resets: day)], spent: dollars("5"),
        calls: 6_002, errors: 1, refusals: 344, unknownUsage: 0,
        verdict: .init(
          word: "no-power", tone: .unclear, detail: "29 samples; 120 are needed",
          atText: "2026-11-23 02:10 UTC", reportPath: nil)),
      Overview.AppLine(
        name: "<script>alert(1)</script>", owner: "\"><img src=x onerror=alert(2)>",
        state: .running, budgets: [], spent: Money(nanodollars: 1_500), calls: 4, errors: 0,
        refusals: 0, unknownUsage: 0, verdict: nil),
    ]
  }()
}
