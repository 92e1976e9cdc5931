// Windows, allow-lists and the words of refusals.

import Metering
import TestSupport
import Testing

@Suite struct BudgetTests {
  private func windows(_ edges: [Int64]) -> [WindowEdges] {
    zip(edges, edges.dropFirst()).map { start, end in
      WindowEdges(
        start: Timestamp(milliseconds: start), end: Timestamp(milliseconds: end), id: "\(start)",
        endText: "at \(end)")
    }
  }

  @Test func aWindowHoldsFromItsStartUpToItsEnd() throws {
    let edges: [Int64] = [100, 123, 200, 201, 350]
    let budget = Budget(id: "day", cap: .zero, windows: windows(edges))
    for moment in Int64(50)...400 {
      let expected = windows(edges).first {
        $0.start.milliseconds <= moment && moment < $0.end.milliseconds
      }
      #expect(budget.window(at: Timestamp(milliseconds: moment)) == expected)
    }
    #expect(budget.window(at: Timestamp(milliseconds: 99)) == nil)
    #expect(budget.window(at: Timestamp(milliseconds: 100))?.id == "100")
    #expect(budget.window(at: Timestamp(milliseconds: 350)) == nil)
    let none = Budget(id: "day", cap: .zero, windows: [])
    #expect(none.window(at: Timestamp(milliseconds: 0)) == nil)
  }

  @Test func modelsAreAllowedByNameOrPrefix() {
    var policy = AppPolicy(app: "a", budgets: [])
    #expect(policy.allows(model: "anything"))
    policy.models = ["gpt-4o-mini", "claude-*"]
    #expect(policy.allows(model: "gpt-4o-mini"))
    #expect(!policy.allows(model: "gpt-4o-mini-2024-07-18"))
    #expect(policy.allows(model: "claude-3"))
    #expect(policy.allows(model: "claude-"))
    #expect(!policy.allows(model: "claude"))
    #expect(!policy.allows(model: "CLAUDE-3"))
    policy.models = []
    #expect(!policy.allows(model: "x"))
    policy.models = ["*"]
    #expect(policy.allows(model: "x"))
  }

  @Test func aRefusalSaysWhichBudgetHowMuchAndUntilWhen() {
    let denial = Denial.budgetExhausted(
      BudgetRefusal(
        scope: .app("shop"), budget: "day", window: "2026-11-23",
        settled: .money(Money(nanodollars: 4_990_000_000)),
        reserved: .money(Money(nanodollars: 1)), cap: .money(Money(nanodollars: 5_000_000_000)),
        estimate: .money(Money(nanodollars: 20_000_000)), resetsAt: Timestamp(milliseconds: 1),
        resetsAtText: "2026-11-24 00:00 UTC"))
    #expect(
      denial.message
        == "Budget 'day' of this app cannot cover this call in 2026-11-23: $4.99 spent and "
        + "$0.000000001 held by open calls of $5.00; this call may cost up to $0.02. It resets at "
        + "2026-11-24 00:00 UTC. A smaller output bound may fit; the app's owner can raise the "
        + "budget.")
    #expect(denial.httpStatus == 429)
  }

  static let denials: [Denial] = [
    .keyMissing, .keyUnknown, .keyRevoked, .keysConflict, .appCapped(reason: "drift."),
    .modelForbidden(model: "m", allowed: []), .modelUnpriced(model: "m"),
    .outputUnbounded(field: "max_tokens"), .costUnbounded(part: "an image"),
    .pathUnmetered(path: "/v1/x"), .windowUnknown(budget: "day"), .tokensUnbounded,
    .purseClosed(scope: .app("a"), budget: "purse", from: "", until: "2026-11-24 00:00 UTC"),
    .requestInvalid(message: "bad."),
    .bodyTooLarge(limitBytes: 1), .upstreamUnknown(name: "x"), .journalUnavailable,
    .shuttingDown, .inputUnavailable(reason: "late."), .inputBusy, .jobUnknown,
    .appIsolated(order: 7), .answerOverBound,
  ]

  @Test func codesAreFitForMetricLabelsAndMessagesForPeople() {
    #expect(Set(Self.denials.map(\.code)).count == Self.denials.count)
    for denial in Self.denials {
      #expect(denial.code.utf8.allSatisfy { $0 == UInt8(ascii: "_") || (97...122).contains($0) })
      #expect((400...503).contains(denial.httpStatus))
      #expect(!denial.message.isEmpty)
    }
  }

  @Test(arguments: denials) func ofAPartItSaysWhich(denial: Denial) {
    let part = Denial.part(place: "Line 3", denial)
    #expect(part.message == "Line 3: " + denial.message)
    #expect(part.code == denial.code && part.httpStatus == denial.httpStatus)
  }
}
