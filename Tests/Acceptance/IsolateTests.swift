// `leeway isolate` against a gateway with a stream under way, in processes of their own.

import Foundation
import Store
import TestSupport
import Testing

@Suite struct IsolateTests {
  private static let event =
    #"data: {"id":"c","model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":"hello"}}]}"#
    + "\n\n"

  /// A provider whose stream says a word and never ends.
  private static func endlessProvider() throws -> HTTPServer {
    let provider = try HTTPServer()
    provider.start { _, socket in
      try socket.send(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
          + String(Self.event.utf8.count, radix: 16) + "\r\n" + Self.event + "\r\n")
      _ = try socket.receiveAll()
    }
    return provider
  }

  /// Opens a stream, does something once it runs, and reads what still comes.
  private static func stream(
    _ gateway: RunningGateway, key: String, during body: @Sendable () async throws -> Void
  ) async throws -> String {
    let port = try #require(URL(string: gateway.gatewayURL)?.port)
    let socket = try RawSocket(port: port, patienceSeconds: 120)
    let request =
      #"{"model":"gpt-4o-mini","max_tokens":900,"stream":true,"messages":[{"role":"user","#
      + #""content":"hi"}]}"#
    try socket.send(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer \(key)\r\n"
        + "Content-Length: \(request.utf8.count)\r\n\r\n\(request)")
    _ = try await onThread { try socket.receive(through: "hello") }
    try await body()
    return try await onThread { String(decoding: try socket.receiveAll(), as: UTF8.self) }
  }

  /// As docs/LIMITS.md says it.
  private static func order(
    _ what: String, secret: String, url: String
  ) async throws -> String {
    let script = """
      t=$(date +%s); p=/api/apps/shop/\(what); b='{"actor":"mara","reason":"odd calls"}'
      s=$(printf '%s\\nPOST\\n%s\\n%s' "$t" "$p" "$b" |
        openssl dgst -sha256 -hmac "$SECRET" | sed 's/.* //')
      curl -s --data "$b" -H "x-leeway-time: $t" -H "x-leeway-signature: $s" "$URL$p"
      """
    let directory = try TemporaryDirectory()
    let shell = try RunningProcess(
      URL(filePath: "/bin/sh"), ["-c", script], directory: directory.url,
      environment: ["SECRET": secret, "URL": url, "PATH": "/usr/bin:/bin"])
    return try await shell.wait(seconds: 60).output
  }

  @Test(.timeLimit(.minutes(4))) func aLiveStreamEndsAndTheAppStaysStoppedUntilRestored()
    async throws
  {
    let provider = try Self.endlessProvider()
    defer { provider.stop() }
    let installation = try TestInstallation(
      upstreams: "  rehearsal: { dialect: openai, url: \"http://127.0.0.1:\(provider.port)\" }",
      extra: "", apps: ["shop": "budgets: { day: \"5.00\" }"])
    try installation.write(
      "thresholds/gateway.yaml",
      """
      listen: { host: 127.0.0.1, port: 0 }
      admin: { host: 127.0.0.1, port: 0, secretEnv: ADMIN_SECRET }
      upstreams:
        rehearsal: { dialect: openai, url: "http://127.0.0.1:\(provider.port)" }
      """)
    let key = try await installation.key(for: "shop")
    let secret = "0123456789abcdef0123456789abcdef"
    let environment = ["ADMIN_SECRET": secret]
    let first = try await installation.startGateway("gateway", environment: environment)
    let rest = try await Self.stream(first, key: key) {
      try await installation.succeed("isolate", "shop", "--reason", "key lw_secret leaked")
    }
    #expect(rest.contains(#"data: {"error":{"message":"This app is isolated"#))
    #expect(rest.hasSuffix("0\r\n\r\n") && !rest.contains("lw_secret"))

    try await first.process.kill9()
    let second = try await installation.startGateway("gateway", environment: environment)
    let refused = try await second.chat(key: key)
    #expect(refused.status == 403 && refused.body.contains("leeway restore"))
    let metrics = try await second.request(second.adminURL + "/metrics").body
    #expect(metrics.contains(#"leeway_app_isolated{app="shop"} 1"#))
    #expect(metrics.contains(#"leeway_app_capped{app="shop"} 0"#))
    let page = try await second.request(second.adminURL + "/").body
    #expect(page.contains("isolated") && page.contains("key lw_secret leaked"))

    try await installation.succeed("restore", "shop", "--reason", "key revoked")
    let store = try StoreDatabase.open(
      path: installation.url.appending(path: "samples/leeway.sqlite").path)
    try await eventually("the app runs again") {
      try store.checkpoint().isolated.isEmpty
    }
    let cut = try await Self.stream(second, key: key) {
      let answer = try await Self.order("isolate", secret: secret, url: second.adminURL)
      #expect(answer.hasPrefix("{\"order\":"), "\(answer)")
    }
    #expect(cut.contains("This app is isolated"))
    let record = try await installation.succeed("orders", "--app", "shop")
    #expect(record.contains("isolate  shop  key lw_secret leaked"))
    #expect(record.contains("restore  shop  key revoked"))
    #expect(record.contains("admin mara") && record.contains("odd calls"))
    try store.close()
    try await second.process.terminate()
  }
}
