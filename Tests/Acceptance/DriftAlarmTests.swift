// The continuous alarm with the real program: an upstream whose answers change while calls come in.

import Foundation
import Synchronization
import TestSupport
import Testing

@Suite struct DriftAlarmTests {
  /// Heads and bodies that a webhook received.
  private final class Received: Sendable {
    private let bodies = Mutex<[String]>([])
    var alerts: [String] { bodies.withLock { $0.filter { $0.contains("\"kind\":\"drift\"") } } }
    func add(_ body: String) { bodies.withLock { $0.append(body) } }
  }

  @Test func answersThatChangeAreToldOnceAndStopTheApp() async throws {
    let received = Received()
    let hook = try HTTPServer()
    hook.startReading { _, body, socket in
      received.add(body)
      try HTTPServer.answer("{}", socket)
    }
    defer { hook.stop() }
    let port = try freePort()
    let installation = try TestInstallation(
      upstreams: "  rehearsal: { dialect: openai, url: \"http://127.0.0.1:\(port)\" }",
      apps: [
        "shop": """
        owner: { name: Ada, webhook: "http://127.0.0.1:\(hook.port)/hook" }
        classifiers:
          - { name: refusal, kind: refusal }
        drift: { baseline: launch, onDrift: cap }
        """
      ])
    let key = try await installation.key(for: "shop")
    let usual = try await upstream(port, "harbour", installation)
    let first = try await installation.startGateway()
    try await call(first, key, times: 50)
    try await eventually("the calls are stored") {
      try await installation.succeed("samples", "list", "--app", "shop", "--json")
        .components(separatedBy: "\"latencyMilliseconds\"").count == 51
    }
    // Pinned while the program runs: it is watched from now on.
    try await installation.succeed(
      "baseline", "pin", "shop", "launch", "--reason", "the first hour")
    try await call(first, key, times: 50)
    try await eventually("a quiet alarm has taken fifty outputs", seconds: 60) {
      try await monitors(installation).first.map {
        $0.outputs == 50 && $0.state == "quiet" && $0.evidence < $0.threshold
      } ?? false
    }
    #expect(received.alerts.isEmpty)

    try await usual.terminate()
    let changed = try await upstream(port, "refusal", installation)
    // Until the cap has come; the app is then refused.
    try await eventually("the app is stopped", seconds: 90) {
      let answer = try await first.chat(key: key)
      return answer.status == 403 || answer.status == 429
    }
    try await eventually("the owner is told") { received.alerts.count == 1 }
    let alert = try #require(received.alerts.first)
    #expect(alert.contains("drifted since about"), "\(alert)")
    #expect(alert.contains("such as “refusal”: 0.0"), "the baseline had none: \(alert)")
    #expect(alert.contains("leeway restore shop") && !alert.contains(key))
    let open = try #require(try await monitors(installation).first)
    #expect(open.state == "drifted" && open.evidence >= open.threshold && open.since != nil)
    let page = try await first.request(first.adminURL + "/")
    #expect(page.body.contains("alarm of refusal against launch"))

    // A loss of the process, and of the alarm nothing: no second message, and none lost.
    try await first.process.kill9()
    let second = try await installation.startGateway()
    try await Task.sleep(for: .seconds(5))
    #expect(received.alerts.count == 1)
    #expect(try await monitors(installation).first?.state == "drifted")

    let missing = try await installation.run(
      "drift", "acknowledge", "shop", "refusals", "--reason", "x")
    #expect(missing.status == 64 && missing.errors.contains("'refusal'"))
    let done = try await installation.succeed(
      "drift", "acknowledge", "shop", "refusal", "--reason", "the prompt was rolled back")
    #expect(done.contains("Acknowledged: drifted of 'refusal'"))
    let again = try await installation.run("drift", "acknowledge", "shop", "--reason", "again")
    #expect(again.status == 65)
    #expect(try await monitors(installation).first?.state == "quiet")
    try await installation.succeed("restore", "shop", "--reason", "the prompt was rolled back")
    try await eventually("the app runs again") {
      try await second.chat(key: key).status == 200
    }
    try await second.process.terminate()
    try await changed.terminate()
  }

  private struct Line: Decodable {
    var state: String
    var evidence: Double
    var threshold: Double
    var outputs: Int64
    var since: String?
  }

  private func monitors(_ installation: TestInstallation) async throws -> [Line] {
    let text = try await installation.succeed("drift", "shop", "--json")
    return (try? JSONDecoder().decode([Line].self, from: Data(text.utf8))) ?? []
  }

  private func upstream(
    _ port: Int, _ answer: String, _ installation: TestInstallation
  ) async throws -> RunningProcess {
    let process = try installation.start([
      "rehearse", "--port", String(port), "--answer", answer,
    ])
    try await process.waitFor("is ready")
    return process
  }

  private func call(_ gateway: RunningGateway, _ key: String, times: Int) async throws {
    for _ in 0..<times {
      let answer = try await gateway.chat(key: key)
      try #require(answer.status == 200, "\(answer.body)")
    }
  }
}
