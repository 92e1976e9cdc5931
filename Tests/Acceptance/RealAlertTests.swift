// A real mail server and a webhook receiver: the 80 % alert and the drift alert arrive exactly once
// each, with a kill -9 between raising and sending.

import Foundation
import TestSupport
import Testing

@Suite struct RealAlertTests {
  @Test(.enabled(if: Peer.has("aiosmtpd"), Peer.absence))
  func alertsArriveOnceAcrossAKill() async throws {
    let mailPort = try freePort()
    let hookPort = try freePort()
    let installation = try TestInstallation(
      extra: "mail: { smtpURL: \"smtp://127.0.0.1:\(mailPort)\", from: leeway@example.com }",
      apps: [
        "shop": """
        owner:
          name: Ada
          email: ada@example.com
          webhook: "http://127.0.0.1:\(hookPort)/hook"
        budgets: { day: "0.01" }
        alertPercents: [80]
        models: [gpt-4o]
        classifiers:
          - { name: kind, kind: field, column: kind }
        drift: { baseline: launch, where: [tag.batch=new] }
        """
      ])
    let key = try await installation.key(for: "shop")
    // The receivers are down: the alert is raised and stored, and cannot be sent.
    let first = try await installation.startGateway("gateway")
    var isRaised = false
    for _ in 0..<400 where !isRaised {
      let answer = try await first.chat(key: key, model: "gpt-4o", maxTokens: 64)
      isRaised = answer.status == 429
    }
    #expect(isRaised, "the cap was never reached")
    try await eventually("the alert is in the outbox") {
      let metrics = try await first.request(first.adminURL + "/metrics")
      return metrics.body.contains("leeway_alerts_pending 2")
        || metrics.body.contains("leeway_alerts_pending 3")
    }
    try await first.process.kill9()

    // A drift alert is raised by the night run while the receivers are still down.
    try await importDrift(installation)
    let record = installation.url.appending(path: "received.jsonl")
    let receivers = try Peer.start(
      "receivers.py", [String(mailPort), String(hookPort), record.path],
      directory: installation.url)
    try await receivers.waitFor("receivers are ready")
    let second = try await installation.startGateway()
    try await eventually("four messages arrive", seconds: 150) { received(record).count >= 4 }
    // One that is sent twice would come within a few retries.
    try await Task.sleep(for: .seconds(3))
    let messages = received(record)
    #expect(messages.count == 4, "\(messages)")
    for kind in ["mail", "webhook"] {
      let texts = messages.filter { $0["kind"] as? String == kind }.map { "\($0)" }
      #expect(texts.filter { $0.contains("80") && $0.contains("udget") }.count == 1, "\(texts)")
      #expect(texts.filter { $0.contains("drifted") }.count == 1, "\(texts)")
    }
    #expect(!messages.contains { "\($0)".contains(key) })
    let metrics = try await second.request(second.adminURL + "/metrics")
    #expect(metrics.body.contains("leeway_alerts_pending 0"))
    try await second.process.terminate()
    try await receivers.terminate()
  }

  /// A baseline of four fifths "answer", and yesterday's samples of one fifth.
  private func importDrift(_ installation: TestInstallation) async throws {
    let noon = Date().addingTimeInterval(-86_400).formatted(.iso8601)
    for (batch, answers) in [("old", 320), ("new", 80)] {
      let lines = (0..<400).map { index in
        """
        {"output":"text \(index)","model":"gpt-4o","kind":"\(index < answers ? "answer" : "no")",\
        "batch":"\(batch)","at":"\(noon)"}
        """
      }
      try installation.write("\(batch).jsonl", lines.joined(separator: "\n"))
      try await installation.succeed(
        "samples", "import", "\(batch).jsonl", "--app", "shop", "--map", "output=output",
        "--map", "model=model", "--map", "label.kind=kind", "--map", "tag.batch=batch",
        "--map", "time=at")
    }
    try await installation.succeed(
      "baseline", "pin", "shop", "launch", "--where", "tag.batch=old", "--reason", "first week")
    try await installation.succeed("analyze", "--once")
  }

  private func received(_ file: URL) -> [[String: Any]] {
    guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
    return text.split(separator: "\n").compactMap {
      try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
    }
  }
}
