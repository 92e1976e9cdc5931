// The official packages of three providers, against a provider and against a gateway before it:
// they must see the same to the letter, and the ledger must hold what the answers said.

import Foundation
import Metering
import Testing

@Suite struct MeteredClientTests {
  private static let samples = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "samples/metered")

  private static let packages = ["openai", "anthropic", "google.genai"].allSatisfy {
    Peer.has($0)
  }

  /// Which recording answers a model, and how often the clients are answered with it.
  private static let expected: [(model: String, file: String, calls: Int)] = [
    ("quay-plain", "openai/chat-cache-write.json", 2),
    ("quay-batch", "openai/chat-cache-write.json", 1),
    ("quay-retry", "openai/chat-cache-write.json", 1),
    // The client leaves; the answer is read on all the same.
    ("quay-slow", "openai/chat-cache-write.json", 1),
    ("quay-stream", "openai/chat-router.sse", 1),
    ("quay-response", "openai/responses-cache-reasoning.json", 1),
    ("quay-response-stream", "openai/responses-tool-call.sse", 1),
    ("quay-embed", "openai/embeddings.json", 1),
    ("quay-legacy", "openai/completions-stream.sse", 1),
    ("gpt-image-1", "openai/images.json", 2),
    ("gpt-image-1-mini", "openai/images-stream.sse", 1),
    ("quay-listen", "openai/transcription-tokens.json", 1),
    ("quay-listen-stream", "openai/transcription-stream.sse", 1),
    ("quay-speak-stream", "openai/speech-stream.sse", 1),
    ("claude-plain", "anthropic/messages-web-search.json", 1),
    ("claude-retry", "anthropic/messages-web-search.json", 1),
    ("claude-slow", "anthropic/messages-web-search.json", 1),
    ("claude-stream", "anthropic/messages-cumulative.sse", 2),
    ("claude-cache", "anthropic/messages-cache-1h.sse", 1),
    ("gemini-plain", "gemini/generate-modalities.json", 1),
    ("gemini-stream", "gemini/stream-cumulative.sse", 1),
    ("gemini-blocked", "gemini/generate-blocked.json", 1),
  ]

  @Test(.enabled(if: packages, Peer.absence))
  func theClientsSeeWhatTheyWouldSeeWithoutAGateway() async throws {
    let installation = try Self.installation()
    let upstream = try Peer.start(
      "metered_upstream.py", [Self.samples.path], directory: installation.url)
    let port = try await Self.port(of: upstream)
    try installation.write("thresholds/gateway.yaml", Self.gateway(port: port))
    let key = try await installation.key(for: "shop")
    let gateway = try await installation.startGateway()
    func run(_ name: String, _ openai: String, _ anthropic: String, _ gemini: String)
      async throws -> [String: Any]
    {
      try await Peer.run(
        "sdk_clients.py", [name, openai, anthropic, gemini, key], directory: installation.url)
    }
    let provider = "http://127.0.0.1:\(port)"
    let direct = try await run("direct", provider + "/v1", provider, provider)
    let base = gateway.gatewayURL
    let through = try await run("through", base + "/oai/v1", base + "/claude", base + "/gem")
    #expect(direct.count > 20)
    for (name, value) in direct {
      #expect(
        NSDictionary(dictionary: ["seen": value])
          == NSDictionary(dictionary: ["seen": through[name] ?? "nothing"]),
        "\(name): \(value) became \(through[name] ?? "nothing")")
    }
    // What the clients left is read on for four seconds, and the batch asked after within thirty.
    let store = try installation.openStore()
    try await eventually("no call is open", seconds: 90) { try store.checkpoint().open.isEmpty }
    try await Task.sleep(for: .seconds(5))
    _ = try await gateway.process.terminate()
    try await Self.checkLedger(of: installation)
  }

  private static func installation() throws -> TestInstallation {
    // A maximum of input and output, which a transcription and a speech are bounded by.
    let lines = (expected.map(\.model) + ["quay-error", "claude-error", "gemini-error"]).map {
      "\($0): { from: 2026-01-01, inputPerMillion: \"1\", outputPerMillion: \"2\", "
        + "inputTokensMax: 20000, outputTokensMax: 20000 }"
    }
    let installation = try TestInstallation(
      apps: ["shop": "upstream: oai\nbudgets: { day: \"5.00\" }"],
      prices: lines.joined(separator: "\n"))
    let speech = "quay-speak: { from: 2026-01-01, charactersInPerMillion: \"15\" }"
    try installation.write(
      "thresholds/prices/openai.yaml", (lines + [speech]).joined(separator: "\n"))
    for dialect in ["anthropic", "gemini"] {
      try installation.write("thresholds/prices/\(dialect).yaml", lines.joined(separator: "\n"))
    }
    return installation
  }

  private static func gateway(port: Int) -> String {
    let url = "http://127.0.0.1:\(port)"
    return """
      listen: { host: 127.0.0.1, port: 0 }
      admin: { host: 127.0.0.1, port: 0 }
      upstreams:
        oai: { dialect: openai, url: "\(url)" }
        claude: { dialect: anthropic, url: "\(url)" }
        gem: { dialect: gemini, url: "\(url)" }
        rehearsal: { dialect: openai, rehearsal: true }
      """
  }

  private static func port(of upstream: RunningProcess) async throws -> Int {
    try await upstream.waitFor("ready ")
    let said = upstream.output.trimmingCharacters(in: .whitespacesAndNewlines)
    return try #require(said.split(separator: " ").last.flatMap { Int($0) }, "\(said)")
  }

  /// Tokens by model, to the token, all of them reported.
  private static func checkLedger(of installation: TestInstallation) async throws {
    let json = try await installation.succeed("usage", "--json", "--app", "shop")
    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]])
    for (model, file, calls) in expected {
      let row = rows.first { $0["model"] as? String == model } ?? [:]
      let data = try Data(contentsOf: samples.appending(path: file + ".expected.json"))
      let wanted = try #require(
        try JSONSerialization.jsonObject(with: data) as? [String: Any])
      let usage = wanted["usage"] as? [String: Int] ?? [:]
      func sum(_ kind: UsageBucket.Kind) -> Int {
        usage.reduce(0) { total, entry in
          UsageBucket(name: entry.key)?.kind == kind ? total + entry.value : total
        }
      }
      #expect(row["callsReported"] as? Int == calls, "\(model): \(row)")
      #expect(row["callsEstimated"] as? Int == 0, "\(model): \(row)")
      #expect(row["inputTokens"] as? Int == calls * sum(.inputTokens), "\(model): \(row)")
      #expect(row["outputTokens"] as? Int == calls * sum(.outputTokens), "\(model): \(row)")
      // At the installation's prices, unless a unit beside the tokens has none.
      if sum(.units) == 0 {
        let cost = sum(.inputTokens) * 1_000 + sum(.outputTokens) * 2_000
        #expect(row["chargeNanodollars"] as? Int == calls * cost, "\(model): \(row)")
      }
    }
    // A sound says no usage: its characters were counted, and nothing of them is open.
    let speech = rows.first { $0["model"] as? String == "quay-speak" } ?? [:]
    #expect(speech["callsReported"] as? Int == 1, "\(speech)")
    #expect(speech["chargeNanodollars"] as? Int == 12 * 15_000, "\(speech)")
    for model in ["quay-error", "claude-error", "gemini-error"] {
      let row = rows.first { $0["model"] as? String == model } ?? [:]
      #expect(row["chargeNanodollars"] as? Int == 0, "\(model): \(row)")
    }
  }
}
