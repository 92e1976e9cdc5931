// What people and machines read. The texts are compared whole: a change of words is a decision.

import Alerting
import Foundation
import TestSupport
import Testing

@Suite struct AlertWordingTests {
  private func budget(percent: Int) -> BudgetAlertFacts {
    BudgetAlertFacts(
      app: "support", budget: "day", window: "2026-11-23", percent: percent, spentText: "8.01",
      capText: "10.00", resetText: "2026-11-24 00:00 Europe/Berlin")
  }

  @Test func aBudgetMark() {
    let alert = Alert.budget(budget(percent: 80), atMilliseconds: 5)
    #expect(alert.key.text == "budget/support/day/2026-11-23/80")
    #expect(alert.severity == .warning)
    #expect(alert.title == "support: 80 % of the day budget is spent")
    #expect(
      alert.body == """
        App 'support' has spent $8.01 of its $10.00 day budget for 2026-11-23, past the 80 % mark.
        The budget resets at 2026-11-24 00:00 Europe/Berlin.
        A call that no longer fits is refused (HTTP 429) until then.
        To change the cap: budgets.day of app 'support' in thresholds/.
        """)
  }

  @Test func aBudgetUsedUp() {
    let alert = Alert.budget(budget(percent: 100), atMilliseconds: 5)
    #expect(alert.severity == .critical)
    #expect(alert.title == "support: the day budget is used up")
    #expect(alert.body.contains("Until then its calls are refused (HTTP 429)"))
    #expect(Alert.budget(budget(percent: 50), atMilliseconds: 5).severity == .notice)
  }

  @Test func aBudgetThatLetsPassSaysSo() {
    var facts = budget(percent: 100)
    facts.isPassing = true
    let body = Alert.budget(facts, atMilliseconds: 5).body
    #expect(body.contains("Its calls pass at the cap, as its owner chose (atCap: alert)"))
    #expect(!body.contains("429"))
  }

  private var drift: DriftAlertFacts {
    DriftAlertFacts(
      app: "prime", classifier: "answer", verdict: "drifted", baseline: "march",
      period: "2023-06", reason: "2 labels moved by more than 5 points.",
      shifts: [
        .init(
          label: "yes", baselineText: "63.5 %", periodText: "1.3 %", changeText: "-62.2 points"),
        .init(
          label: "no", baselineText: "36.1 %", periodText: "98.7 %", changeText: "+62.6 points"),
      ], isCapped: true, link: "https://leeway.example.com/reports/2023-06/prime.html")
  }

  @Test func aDriftVerdict() {
    let alert = Alert.drift(drift, atMilliseconds: 5)
    #expect(alert.key.text == "drift/prime/answer/march/2023-06/drifted")
    #expect(alert.severity == .critical)
    #expect(alert.title == "prime: answers have drifted (answer), app stopped")
    #expect(
      alert.body == """
        App 'prime', classifier 'answer': drifted in 2023-06, compared with baseline 'march'.
        2 labels moved by more than 5 points.
          yes: 63.5 % -> 1.3 % (-62.2 points)
          no: 36.1 % -> 98.7 % (+62.6 points)
        The app is stopped by its policy; `leeway restore prime` lets it run again.
        Report: https://leeway.example.com/reports/2023-06/prime.html
        """)
  }

  @Test func otherVerdictsAreMilderAndLongListsAreCut() {
    var facts = drift
    facts.verdict = "unreadable"
    facts.isCapped = false
    facts.shifts = (1...9).map {
      .init(label: "l\($0)", baselineText: "1 %", periodText: "2 %", changeText: "+1 point")
    }
    let alert = Alert.drift(facts, atMilliseconds: 5)
    #expect(alert.severity == .warning)
    #expect(alert.title == "prime: drift check says unreadable (answer)")
    #expect(alert.body.contains("  l5: "))
    #expect(!alert.body.contains("  l6: "))
    #expect(alert.body.contains("  and 4 more label(s)"))
    #expect(AlertSeverity.notice < .warning && AlertSeverity.warning < .critical)
  }

  @Test func differentMattersNeverShareAKey() {
    let one = AlertKey(kind: .budget, ["a/b", "c"])
    let other = AlertKey(kind: .budget, ["a", "b/c"])
    #expect(one != other)
    #expect(AlertKey(kind: .budget, ["a%2Fb"]) != AlertKey(kind: .budget, ["a/b"]))
    #expect(AlertKey(text: one.text) == one)
    let marks = [50, 80, 100].map { Alert.budget(budget(percent: $0), atMilliseconds: 1).key }
    #expect(Set(marks).count == 3)
    // When it was noticed is no part of what it is.
    #expect(
      Alert.budget(budget(percent: 80), atMilliseconds: 1).key
        == Alert.budget(budget(percent: 80), atMilliseconds: 2).key)
  }

  @Test func aTitleCannotForgeAHeader() {
    let alert = Alert.system(
      name: "x", occasion: "1", severity: .notice, title: "a\r\nBcc: everyone\u{0}", body: "b",
      atMilliseconds: 1)
    #expect(alert.title == "a  Bcc: everyone ")
  }

  @Test func thePayloadIsJSONWithEveryParticular() throws {
    let text = Alert.drift(drift, atMilliseconds: 1_795_392_000_123).payloadJSON
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
    let payload = try #require(object as? [String: Any])
    #expect(payload["key"] as? String == "drift/prime/answer/march/2023-06/drifted")
    #expect(payload["kind"] as? String == "drift")
    #expect(payload["severity"] as? String == "critical")
    #expect((payload["atMilliseconds"] as? NSNumber)?.int64Value == 1_795_392_000_123)
    #expect(payload["link"] as? String == drift.link)
    let details = try #require(payload["details"] as? [String: Any])
    #expect(details["isCapped"] as? Bool == true)
    let shifts = try #require(details["shifts"] as? [[String: String]])
    #expect(shifts.map { $0["label"] } == ["yes", "no"])
    #expect(shifts[0]["change"] == "-62.2 points")
    let mark = Alert.budget(budget(percent: 80), atMilliseconds: 5).payloadJSON
    #expect(
      mark.hasSuffix(
        #""details":{"budget":"day","window":"2026-11-23","percent":80,"spentDollars":"8.01","#
          + #""capDollars":"10.00","resetsAt":"2026-11-24 00:00 Europe/Berlin"}}"#))
  }

  /// Any text at all comes back from the payload as it went in.
  @Test func anyTextSurvivesThePayload() throws {
    try checkProperty("payload text", over: 0...0x2FFFF, runs: 300) { numbers in
      let scalars = numbers.compactMap { Unicode.Scalar(UInt32($0)) }
      let body = String(String.UnicodeScalarView(scalars))
      let alert = Alert.system(
        name: "x", occasion: "1", severity: .notice, title: "t", body: body, atMilliseconds: 1)
      let object = try JSONSerialization.jsonObject(with: Data(alert.payloadJSON.utf8))
      let read = (object as? [String: Any])?["body"] as? String
      try require(
        read.map { Array($0.unicodeScalars) } == Array(body.unicodeScalars), "\(read ?? "nil")")
    }
  }

  @Test func recipientsKeepTheirAddressesToThemselves() {
    let all = Recipient.of(email: "a@example.com", webhook: "https://h.example.com/s3cret")
    #expect(all.map(\.channel) == ["log", "email", "webhook"])
    #expect(!"\(all)".contains("s3cret"))
    #expect(all.map(\.address) == ["", "a@example.com", "https://h.example.com/s3cret"])
    #expect(Recipient.of(email: nil, webhook: "") == [.log])
  }
}
