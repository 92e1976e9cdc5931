// botocore's client and Anthropic's package for Bedrock, with a key of the gateway's, before an
// upstream that takes only what is signed with keys of AWS's and checks that with botocore's code.

import Foundation
import Metering
import TestSupport
import Testing

@Suite struct SignedClientTests {
  private static let samples = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "samples/metered/bedrock")

  private static let packages =
    Certificate.isAvailable && ["anthropic", "botocore"].allSatisfy { Peer.has($0) }

  private static let claude = "eu.anthropic.claude-quay-v1:0"

  /// What the ledger must hold, by model: calls and tokens, as the answers say.
  private static let expected: [(model: String, calls: Int, input: Int, output: Int)] = [
    ("anthropic.claude-quay-v1:0", 2, 0, 0), (claude, 5, 3 * 412 + 2 * 16_731, 3 * 58 + 2 * 126),
    ("amazon.nova-quay-v1:0", 1, 533, 9), ("cohere.command-r-quay-v1:0", 1, 61, 13),
    ("amazon.titan-embed-text-quay", 1, 11, 0),
  ]

  @Test(.enabled(if: packages, Peer.absence))
  func clientsWithBearerKeysAreSignedFor() async throws {
    let installation = try TestInstallation(
      apps: ["shop": "upstream: aws\nbudgets: { day: \"50.00\" }\noutputTokensMax: 100"])
    let lines = (Self.expected.map(\.model) + ["meta.llama-quay"]).map {
      "\"\($0)\": { from: 2026-01-01, inputPerMillion: \"1\", outputPerMillion: \"2\" }"
    }
    try installation.write("thresholds/prices/bedrock.yaml", lines.joined(separator: "\n"))
    try Self.writeKeys(1, to: installation)
    let upstream = try Peer.start(
      "bedrock_upstream.py",
      [Self.samples.path, installation.url.appending(path: "keys.json").path],
      directory: installation.url)
    try await upstream.waitFor("ready ")
    let said = upstream.output.trimmingCharacters(in: .whitespacesAndNewlines)
    let port = try #require(said.split(separator: " ").last.flatMap { Int($0) }, "\(said)")
    let certificate = try Certificate()
    try installation.write(
      "thresholds/gateway.yaml", Self.gateway(port, installation, certificate))
    let key = try await installation.key(for: "shop")
    let gateway = try await installation.startGateway()
    // The certificate is for a name.
    let own = try #require(URL(string: gateway.gatewayURL)?.port)
    let arguments = ["https://localhost:\(own)/aws", key, certificate.chain]
    let seen = try await Peer.run(
      "bedrock_clients.py", arguments, directory: installation.url)
    Self.check(seen)
    let calls = Self.expected.reduce(0) { $0 + $1.calls }
    try await eventually("the calls are in the store", seconds: 30) {
      let rows = try await Self.usage(of: installation)
      return rows.reduce(0) { $0 + ($1["callsReported"] as? Int ?? 0) } >= calls
    }
    try await Self.checkLedger(of: installation)

    // The session's keys end; whoever renews them writes the file, and the gateway finds them.
    try Self.writeKeys(2, to: installation)
    try await eventually("the new keys sign", seconds: 30) {
      let again = try await Peer.run(
        "bedrock_clients.py", arguments, directory: installation.url)
      return (again["invoke.embed"] as? [String: Any])?["embedding"] != nil
    }
    _ = try await gateway.process.terminate()
  }

  private static func gateway(
    _ port: Int, _ installation: TestInstallation, _ certificate: Certificate
  ) -> String {
    """
    listen: { host: 127.0.0.1, port: 0 }
    tls: { certificate: "\(certificate.chain)", key: "\(certificate.key)" }
    admin: { host: 127.0.0.1, port: 0 }
    upstreams:
      aws:
        dialect: bedrock
        url: "http://127.0.0.1:\(port)"
        prices: [bedrock]
        sign:
          region: eu-west-1
          profile: gateway
          credentialsFile: "\(installation.url.appending(path: "aws-credentials").path)"
      rehearsal: { dialect: openai, rehearsal: true }
    """
  }

  /// Both sides' copies of the keys of one session.
  private static func writeKeys(_ number: Int, to installation: TestInstallation) throws {
    let (access, secret, token) = ("ASIAQUAY\(number)", "sec/ret+\(number)=", "tok//\(number)==")
    try installation.write(
      "keys.json", #"{"access":"\#(access)","secret":"\#(secret)","token":"\#(token)"}"#)
    try installation.write(
      "aws-credentials",
      """
      [default]
      aws_access_key_id = AKIAOTHER
      aws_secret_access_key = other
      [gateway]
      aws_access_key_id = \(access)
      aws_secret_access_key = \(secret)
      aws_session_token = \(token)
      """)
  }

  private static func check(_ seen: [String: Any]) {
    func member(_ name: String, _ key: String) -> Int? {
      (seen[name] as? [String: Any])?[key] as? Int
    }
    #expect(member("converse", "outputTokens") != nil, "\(seen)")
    let events = seen["converse.stream"] as? [String]
    #expect(events?.last == "metadata" && events?.contains("messageStop") == true, "\(seen)")
    for name in ["invoke", "invoke.profile", "anthropic"] {
      #expect(member(name, "output_tokens") == 58, "\(name): \(seen[name] ?? "nothing")")
    }
    #expect(seen["invoke.stream"] as? Int == 6, "\(seen)")
    #expect((seen["invoke.nova"] as? [String: Any])?["usage"] != nil, "\(seen)")
    #expect(seen["invoke.cohere"] as? String == "Two berths are free.")
    #expect((seen["invoke.embed"] as? [String: Any])?["embedding"] != nil, "\(seen)")
    let types = seen["anthropic.stream"] as? [String]
    #expect(types?.first == "message_start" && types?.last == "message_stop", "\(seen)")
    // An error of the provider's comes through as it is.
    let unknown = seen["unknown"] as? [String: Any]
    #expect((unknown?["message"] as? String)?.contains("no such model") == true, "\(seen)")
  }

  private static func usage(of installation: TestInstallation) async throws -> [[String: Any]] {
    let json = try await installation.succeed("usage", "--json", "--app", "shop")
    return try #require(
      try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]])
  }

  /// After one run of the clients with keys that hold.
  private static func checkLedger(of installation: TestInstallation) async throws {
    let rows = try await usage(of: installation)
    for (model, calls, input, output) in expected {
      let row = rows.first { $0["model"] as? String == model } ?? [:]
      #expect(row["callsReported"] as? Int == calls, "\(model): \(row)")
      #expect(row["callsEstimated"] as? Int == 0, "\(model): \(row)")
      guard input > 0 else { continue }
      #expect(row["inputTokens"] as? Int == input, "\(model): \(row)")
      #expect(row["outputTokens"] as? Int == output, "\(model): \(row)")
    }
  }
}
