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
    ("quay-plain", "openai/chat-cache-write.json", 1),
    ("quay-batch", "openai/chat-cache-write.json", 1),
    ("quay-retry", "openai/chat-cache-write.json", 1),
    // The client leaves; the answer is read on all the same.
    ("quay-slow", "openai/chat-cache-write.json", 1),
    ("quay-stream", "openai/chat-router.sse", 1),
    ("quay-tools", "openai/chat-tools.json", 1),
    ("quay-tools-stream", "openai/chat-tools.sse", 1),
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
    ("claude-stream", "anthropic/messages-cumulative.sse", 3),
    ("claude-tools", "anthropic/messages-tools.json", 1),
    ("claude-cache", "anthropic/messages-cache-1h.sse", 1),
    ("gemini-plain", "gemini/generate-modalities.json", 1),
    ("gemini-stream", "gemini/stream-cumulative.sse", 1),
    ("gemini-blocked", "gemini/generate-blocked.json", 1),
    ("gemini-tools", "gemini/generate-tools.json", 1),
    ("gemini-tools-stream", "gemini/stream-tools.sse", 1),
    ("gemini-retry", "gemini/generate-modalities.json", 1),
    ("gemini-slow", "gemini/generate-modalities.json", 1),
  ]

  private static let providers = ["quay", "claude", "gemini"]
  /// Models that fail, and cost nothing: refused by the provider, or not there at any try.
  private static let failed = providers.flatMap { ["\($0)-error", "\($0)-down"] }
  /// Models whose stream ends in an error.
  private static let torn = providers.map { "\($0)-torn" }

  @Test(.enabled(if: packages, Peer.absence))
  func theClientsSeeWhatTheyWouldSeeWithoutAGateway() async throws {
    let installation = try Self.installation()
    let (upstream, port) = try await Self.startUpstream(installation)
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
    #expect(direct.count > 40)
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
    try await upstream.terminate()
  }

  /// A refusal is an error of the package's own, tried once; a stream that the gateway ends is an
  /// error too, and no answer that only looks whole.
  @Test(.enabled(if: packages, Peer.absence))
  func theClientsSeeARefusalAndACutForWhatTheyAre() async throws {
    let installation = try Self.installation()
    let (upstream, port) = try await Self.startUpstream(installation)
    _ = port
    let key = try await installation.key(for: "shop")
    let broke = try await installation.key(for: "broke")
    let gateway = try await installation.startGateway()
    let seen = try await Peer.run(
      "sdk_refusals.py", [gateway.gatewayURL, key, broke], directory: installation.url)
    // The package's own errors, and the status or the code that they tell.
    let wanted: [String: (type: String, code: String, said: String)] = [
      "openai.refused": ("RateLimitError", "429", "Budget 'day'"),
      "responses.refused": ("RateLimitError", "429", "Budget 'day'"),
      "anthropic.refused": ("RateLimitError", "429", "Budget 'day'"),
      "gemini.refused": ("ClientError", "429", "Budget 'day'"),
      "openai.cut": ("APIError", "answer_over_bound", "so the gateway ended it here"),
      "responses.cut": ("APIError", "answer_over_bound", "so the gateway ended it here"),
      "anthropic.cut": ("APIStatusError", "200", "so the gateway ended it here"),
      "gemini.cut": ("ServerError", "502", "so the gateway ended it here"),
    ]
    for (name, wanted) in wanted {
      let one = try #require(seen[name] as? [String: Any])
      #expect(one["type"] as? String == wanted.type, "\(name): \(one)")
      #expect("\(one["status"] ?? "")" == wanted.code, "\(name): \(one)")
      #expect((one["message"] as? String)?.contains(wanted.said) == true, "\(name): \(one)")
      #expect(one["tries"] as? Int == 1, "\(name): \(one)")
      #expect((one["parts"] as? Int ?? 0 > 0) == name.hasSuffix("cut"), "\(name): \(one)")
    }
    try await gateway.process.terminate()
    try await upstream.terminate()
  }

  private static func startUpstream(
    _ installation: TestInstallation
  ) async throws -> (RunningProcess, port: Int) {
    let upstream = try Peer.start(
      "metered_upstream.py", [samples.path], directory: installation.url)
    let port = try await port(of: upstream)
    try installation.write("thresholds/gateway.yaml", gateway(port: port))
    return (upstream, port)
  }

  private static func installation() throws -> TestInstallation {
    let models =
      expected.map(\.model) + ["claude-batch"] + failed + torn + providers.map { "\($0)-flood" }
    // A maximum of input and output, which a transcription and a speech are bounded by.
    let lines = models.map {
      "\($0): { from: 2026-01-01, inputPerMillion: \"1\", outputPerMillion: \"2\", "
        + "inputTokensMax: 20000, outputTokensMax: 20000 }"
    }
    let installation = try TestInstallation(
      apps: [
        "shop": "upstream: oai\nbudgets: { day: \"5.00\" }",
        "broke": "upstream: oai\nbudgets: { day: \"0.0000001\" }",
      ],
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
    // Two answers of one batch; its models' own names have no price here.
    let batch = rows.first { $0["model"] as? String == "claude-batch" } ?? [:]
    #expect(batch["callsReported"] as? Int == 1, "\(batch)")
    #expect(batch["chargeNanodollars"] as? Int == 599 * 1_000 + 19 * 2_000, "\(batch)")
    for model in failed {
      let row = rows.first { $0["model"] as? String == model } ?? [:]
      #expect(row["chargeNanodollars"] as? Int == 0, "\(model): \(row)")
    }
    for model in torn {
      let row = rows.first { $0["model"] as? String == model } ?? [:]
      #expect(row["callsEstimated"] as? Int == 1, "\(model): \(row)")
    }
    // Moderations, counts, lists, files and stored answers: known by their path, they cost nothing.
    // A message batch's results are among them: they were not read past the gateway.
    let free = rows.filter { $0["model"] as? String == "" }
    #expect(free.reduce(0) { $0 + ($1["calls"] as? Int ?? 0) } == 11, "\(free)")
    #expect(free.allSatisfy { $0["chargeNanodollars"] as? Int == 0 }, "\(free)")
    let known = Set(expected.map(\.model) + failed + torn + ["quay-speak", "claude-batch", ""])
    #expect(Set(rows.compactMap { $0["model"] as? String }) == known)
  }
}
