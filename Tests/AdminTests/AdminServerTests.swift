// The admin port over real sockets: what it answers, to whom, and with which headers.

import Foundation
import Logging
import TestSupport
import Testing

@testable import Admin

@Suite(.serialized) struct AdminServerTests {
  @Test func healthReadyAndMetrics() async throws {
    try await withServer(ExampleControl(reportsDirectory: "/nonexistent")) { port in
      let health = try await ask("/health", port: port)
      #expect(health.status == 200)
      #expect(health.text == "ok\n")
      let ready = try await ask("/ready", port: port)
      #expect(ready.status == 200)
      #expect(ready.text == #"{"problems":[],"status":"ready"}"# + "\n")
      let metrics = try await ask("/metrics", port: port)
      #expect(metrics.status == 200)
      #expect(metrics.header("content-type") == "text/plain; version=0.0.4; charset=utf-8")
      #expect(metrics.text.hasSuffix("up 1\n"))
    }
  }

  @Test func aPortThatIsTakenIsNamed() async throws {
    let control = ExampleControl(reportsDirectory: "/nonexistent")
    try await withServer(control) { port in
      let second = try AdminServer(
        control: control, port: port, logger: Logger(label: "admin-tests"))
      let fault = await #expect(throws: AdminFault.self) { try await second.run() }
      #expect(fault?.code == .listenFailed)
      #expect(fault?.message == "The admin port cannot listen on 127.0.0.1:\(port).")
    }
  }

  @Test func notReadySaysWhy() async throws {
    var control = ExampleControl(reportsDirectory: "/nonexistent")
    let problems = [ReadinessProblem(code: "journal_unavailable", message: "Disk \"full\".")]
    control.problems = problems
    try await withServer(control) { port in
      let ready = try await ask("/ready", port: port)
      #expect(ready.status == 503)
      #expect(ready.header("content-type") == "application/json")
      struct Body: Decodable {
        var status: String
        var problems: [ReadinessProblem]
      }
      let body = try JSONDecoder().decode(Body.self, from: Data(ready.text.utf8))
      #expect(body.status == "not_ready")
      #expect(body.problems == problems)
      #expect(try await ask("/health", port: port).status == 200)
    }
  }

  @Test(arguments: [
    "/", "/health", "/ready", "/metrics", "/reports/", "/nothing", "/reports/none.html",
  ])
  func everyAnswerKeepsABrowserInBounds(path: String) async throws {
    try await withServer(ExampleControl(reportsDirectory: "/nonexistent")) { port in
      let answer = try await ask(path, port: port)
      let policy = answer.header("content-security-policy") ?? ""
      #expect(policy.hasPrefix("default-src 'none'"))
      #expect(policy.contains("frame-ancestors 'none'"))
      #expect(!policy.contains("script"))
      #expect(answer.header("x-content-type-options") == "nosniff")
      #expect(answer.header("cache-control") == "no-store")
      #expect(answer.header("cross-origin-resource-policy") == "same-origin")
      #expect(answer.header("x-frame-options") == "DENY")
      #expect(answer.header("referrer-policy") == "no-referrer")
      #expect(answer.header("access-control-allow-origin") == nil)
    }
  }

  @Test(arguments: ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
  func onlyReadingExists(method: String) async throws {
    try await withServer(ExampleControl(reportsDirectory: "/nonexistent")) { port in
      for path in ["/", "/metrics", "/nothing"] {
        let answer = try await ask(path, port: port, method: method)
        #expect(answer.status == 405)
        #expect(answer.header("allow") == "GET, HEAD")
      }
    }
  }

  @Test func headHasTheHeadersAndNoBody() async throws {
    try await withServer(ExampleControl(reportsDirectory: "/nonexistent")) { port in
      let get = try await ask("/metrics", port: port)
      let head = try await ask("/metrics", port: port, method: "HEAD")
      #expect(head.status == 200)
      #expect(head.text == "")
      #expect(head.header("content-length") == String(get.text.utf8.count))
    }
  }

  @Test func aNameThatIsNotOursIsNotAnswered() async throws {
    let control = ExampleControl(reportsDirectory: "/nonexistent")
    try await withServer(control, allowedHosts: ["gateway.internal"]) { port in
      let evil = ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "1.2.3"]
      for host in evil + evil.map({ "\($0):\(port)" }) {
        let answer = try await ask("/", port: port, host: host)
        #expect(answer.status == 421, "\(host)")
        #expect(!answer.text.contains("support-chat"))
      }
      let ours = [
        "localhost", "LOCALHOST:\(port)", "127.0.0.1:\(port)", "[::1]:\(port)", "10.1.2.3",
        "gateway.internal", "Gateway.Internal.:9000", "x.localhost",
      ]
      for host in ours {
        let answer = try await ask("/health", port: port, host: host)
        #expect(answer.status == 200, "\(host)")
      }
    }
  }

  @Test func whatIsNotThereIsNotFound() async throws {
    try await withServer(ExampleControl(reportsDirectory: "/nonexistent")) { port in
      for path in ["/nothing", "/reports/2026-11-23/x.html"] {
        let answer = try await ask(path, port: port)
        #expect(answer.status == 404)
      }
    }
  }

  @Test func aHeaderFloodIsRefusedAndTheServerLives() async throws {
    try await withServer(ExampleControl(reportsDirectory: "/nonexistent")) { port in
      let flood = String(repeating: "X-A: \(String(repeating: "a", count: 100))\r\n", count: 2000)
      let answer = try? await exchange(
        "GET / HTTP/1.1\r\nHost: localhost\r\n\(flood)\r\n", port: port)
      #expect(answer?.status != 200)
      let health = try await ask("/health", port: port)
      #expect(health.status == 200)
    }
  }

  @Test func hostsAreComparedWhole() {
    #expect(HostRule(hosts: []).allows(nil))
    #expect(HostRule(hosts: ["A.b"]).allows("a.B:1"))
    #expect(!HostRule(hosts: ["a.b"]).allows("c.a.b"))
    #expect(!HostRule(hosts: []).allows("256.1.1.1"))
    #expect(!HostRule(hosts: []).allows("１.1.1.1"))
  }
}
