// Budgets as `leeway usage` shows them.

import Foundation
import Metering
import Store

/// One budget of one scope in its window of now, in one unit.
struct BudgetLine: Encodable {
  var scope: String
  var budget: String
  var window: String
  var unit: String
  /// Nanodollars, tokens or calls.
  var settled: Int64
  var reserved: Int64
  var cap: Int64
  /// What is settled over the cap: debt.
  var over: Int64
  /// What becomes of calls that do not fit.
  var atCap: String
  var resetsAt: String
  private var texts: [String] = []

  private enum CodingKeys: String, CodingKey {
    case scope, budget, window, unit, settled, reserved, cap, over, atCap, resetsAt
  }

  var isShared: Bool { [.team, .organisation].contains(BudgetScope(text: scope).kind) }

  private init(
    _ balance: BudgetBalance, _ line: (settled: Amount, reserved: Amount, cap: Amount)
  ) {
    scope = balance.scope.text
    budget = balance.budget
    window = balance.window
    unit = line.cap.unit.name
    (settled, reserved, cap) = (line.settled.count, line.reserved.count, line.cap.count)
    over = max(settled - cap, 0)
    atCap = balance.atCap.rawValue
    resetsAt = balance.resetsAtText
    texts = [
      line.settled.text, line.reserved.text, line.cap.text,
      over > 0 ? Amount(line.cap.unit, count: over).text : "-", atCap,
    ]
  }

  /// Every budget that has a name in policy, then those of keys, models and users that have a
  /// balance; a user stands there under its hash.
  static func read(
    _ settings: Settings, _ store: StoreDatabase, app: String?
  ) throws -> [BudgetLine] {
    let ledger = try store.checkpoint()
    let now = Clock.now()
    // A window of now is all that is asked for.
    let timelines = WindowTimelines(from: now, days: 1)
    let policies = settings.apps.filter { app == nil || $0.name == app }
      .map { $0.policy(timelines) }
    let balances =
      ledger.balances(of: policies, at: now) + ledger.balancesOfEach(of: policies, at: now)
    return balances.flatMap { balance in balance.lines.map { BudgetLine(balance, $0) } }
  }

  static func show(_ lines: [BudgetLine]) {
    Console.table(
      ["SCOPE", "BUDGET", "WINDOW", "USED", "HELD", "CAP", "OVER", "AT CAP", "RESETS"],
      lines.map { line in
        let resets = line.resetsAt.isEmpty ? "never" : line.resetsAt
        return [line.scope, line.budget, line.window] + line.texts + [resets]
      }, rightAligned: [3, 4, 5, 6])
  }
}
