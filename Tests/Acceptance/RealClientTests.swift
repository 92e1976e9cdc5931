// The official openai package against the real executable: what an app's author would see.

import Foundation
import Testing

@Suite struct RealClientTests {
  @Test(.enabled(if: Peer.has("openai"), Peer.absence))
  func theOpenAIPackageSeesWhatItWouldSeeWithoutAGateway() async throws {
    let upstream = try UpstreamProcess(answer: "harbour")
    try await upstream.start()
    let installation = try TestInstallation(
      upstreams: upstream.yaml,
      apps: [
        "shop": "budgets: { day: \"5.00\" }\nmodels: [gpt-4o-mini]",
        "broke": "budgets: { day: \"0.0000001\" }\nmodels: [gpt-4o-mini]",
      ])
    let key = try await installation.key(for: "shop")
    let capped = try await installation.key(for: "broke")
    let gateway = try await installation.startGateway()
    let seen = try await Peer.run(
      "openai_client.py", [gateway.gatewayURL + "/v1", key, capped], directory: installation.url)

    let plain = try #require(seen["plain"] as? [String: Any])
    let promptTokens = try #require(plain["prompt_tokens"] as? Int)
    let completionTokens = try #require(plain["completion_tokens"] as? Int)
    #expect(promptTokens > 0 && completionTokens > 0)
    #expect((plain["text"] as? String)?.isEmpty == false)

    // Who did not ask for stream usage sees no extra chunk; who did, sees exactly one.
    let stream = try #require(seen["stream"] as? [String: Any])
    let streamUsage = try #require(seen["stream_usage"] as? [String: Any])
    #expect((stream["usages"] as? [Any])?.isEmpty == true)
    #expect((streamUsage["usages"] as? [[Int]])?.count == 1)
    let (chunks, more) = (stream["chunks"] as? Int, streamUsage["chunks"] as? Int)
    #expect(try #require(chunks) + 1 == more)

    expectError(seen["bad_key"], "AuthenticationError", 401, code: "invalid_api_key")
    expectError(seen["capped"], "RateLimitError", 429, code: "insufficient_quota")
    expectError(seen["forbidden"], "PermissionDeniedError", 403, code: nil)
    let message = (seen["capped"] as? [String: Any])?["message"] as? String ?? ""
    #expect(message.contains("Budget 'day'") && message.contains("resets at"), "\(message)")

    // The ledger holds what the client saw, also for the stream that did not ask.
    try await gateway.process.terminate()
    let usage = try await installation.succeed("usage", "--json", "--app", "shop")
    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(usage.utf8)) as? [[String: Any]])
    let mini = try #require(rows.first { $0["model"] as? String == "gpt-4o-mini" })
    let asked = try #require(streamUsage["usages"] as? [[Int]])[0]
    #expect(mini["callsReported"] as? Int == 3)
    #expect(mini["callsEstimated"] as? Int == 0)
    #expect(stream["text"] as? String == streamUsage["text"] as? String)
    #expect(mini["inputTokens"] as? Int == promptTokens + 2 * asked[0])
    #expect(mini["outputTokens"] as? Int == completionTokens + 2 * asked[1])
  }

  private func expectError(_ seen: Any?, _ type: String, _ status: Int, code: String?) {
    let error = seen as? [String: Any] ?? [:]
    #expect(error["type"] as? String == type, "\(error)")
    #expect(error["status"] as? Int == status, "\(error)")
    // One try: the package does not hammer a gateway that has said no.
    #expect(error["tries"] as? Int == 1, "\(error)")
    if let code { #expect(error["code"] as? String == code, "\(error)") }
  }
}
