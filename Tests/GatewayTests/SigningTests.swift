// Requests that the gateway signs: the signature is over the bytes that the upstream gets.

import Foundation
import Metering
import TestSupport
import Testing

@testable import Gateway

@Suite struct SigningTests {
  private static let secret = "wJalr/K7MDENG+bPxRfiCYEXAMPLEKEY"
  private static let path = "/aws/model/eu.anthropic.claude-x-v1%3A0/converse"
  private static let answer =
    #"{"output":{"message":{"role":"assistant","content":[{"text":"ok"}]}},"#
    + #""stopReason":"end_turn","usage":{"inputTokens":3,"outputTokens":2,"totalTokens":5}}"#

  private static func keys(_ number: Int, token: Bool = true) throws -> AWSCredentials {
    try #require(
      AWSCredentials(
        accessKey: "AKID\(number)", secretKey: secret,
        sessionToken: token ? "tok/\(number)==" : nil))
  }

  private func fixture(
    _ upstream: ScriptedUpstream, _ store: AWSCredentialStore, prefix: String = ""
  ) async throws -> GatewayFixture {
    try await GatewayFixture(
      upstreamPort: upstream.port,
      upstreams: [
        GatewayUpstream(
          name: "main", dialect: .openai, isTLS: false, host: "127.0.0.1", port: upstream.port),
        GatewayUpstream(
          name: "aws", dialect: .bedrock, isTLS: false, host: "127.0.0.1", port: upstream.port,
          pathPrefix: prefix,
          signing: UpstreamSigning(region: "eu-west-1", credentials: store)),
      ])
  }

  /// Signs what arrived as it arrived, and compares.
  private func check(
    _ request: ScriptedUpstream.Request, by keys: AWSCredentials, signs names: String,
    _ place: SourceLocation = #_sourceLocation
  ) throws {
    let lines = request.head.components(separatedBy: "\r\n")
    let target = lines[0].components(separatedBy: " ")[1]
    let fields = lines.dropFirst().compactMap { line -> (String, String)? in
      guard let colon = line.firstIndex(of: ":") else { return nil }
      return (String(line[..<colon]), String(line[line.index(after: colon)...]))
    }
    let signed = fields.filter { names.split(separator: ";").contains($0.0.lowercased()[...]) }
    let value = SigV4(region: "eu-west-1", service: "bedrock").authorization(
      of: SigV4Tests.request("POST", target, signed, request.body), by: keys,
      at: SigV4.Stamp(GatewayFixture.now))
    let sent = fields.filter { $0.0.lowercased() == "authorization" }.map {
      $0.1.trimmingCharacters(in: .whitespaces)
    }
    #expect(sent == [String(decoding: value, as: UTF8.self)], sourceLocation: place)
    #expect(sent.first?.contains("SignedHeaders=\(names),") == true, sourceLocation: place)
  }

  @Test func theSignatureIsOverWhatIsSent() async throws {
    let upstream = try ScriptedUpstream { _ in [.send(Script.json(Self.answer))] }
    let keys = try Self.keys(1)
    let fixture = try await fixture(upstream, AWSCredentialStore(keys), prefix: "/proxy")
    // What is left of a signature of the caller's own does not go on; what it asks for does.
    let leftovers =
      "X-Amz-Date: 19700101T000000Z\r\nx-amz-security-token: theirs\r\n"
      + "X-Amz-Content-Sha256: 00\r\nx-api-key: \(GatewayFixture.freeKey)\r\n"
    let answer = try await fixture.call(
      GatewayFixture.request(
        #"{"messages":[]}"#, key: GatewayFixture.freeKey, path: Self.path + "?z=1&a=2",
        headers: leftovers + "X-Amzn-Bedrock-Trace:  ENABLED  or   not\r\n"))
    #expect(answer.status == 200)
    let request = try #require(upstream.requests.first)
    #expect(request.head.hasPrefix("POST /proxy/model/eu.anthropic.claude-x-v1%3A0/converse?z=1&a"))
    try check(
      request, by: keys,
      signs: "content-type;host;x-amz-date;x-amz-security-token;x-amzn-bedrock-trace")
    let head = request.head.lowercased()
    #expect(!head.contains("1970") && !head.contains("theirs") && !head.contains("sha256: 00"))
    #expect(!head.contains(GatewayFixture.freeKey) && !head.contains(Self.secret.lowercased()))
    try await fixture.stop()
  }

  /// A body that the gateway changed, too large to be copied behind its head.
  @Test(arguments: [10, 100_000])
  func theBodyIsHashedWithItsSplices(length: Int) async throws {
    let upstream = try ScriptedUpstream { _ in [.send(Script.json(Self.answer))] }
    let keys = try Self.keys(1, token: false)
    let fixture = try await GatewayFixture(
      upstreamPort: upstream.port, capNanodollars: 1_000_000_000_000, outputTokensDefault: 9,
      upstreams: [
        GatewayUpstream(
          name: "main", dialect: .bedrock, isTLS: false, host: "127.0.0.1", port: upstream.port,
          signing: UpstreamSigning(region: "eu-west-1", credentials: AWSCredentialStore(keys)))
      ])
    let text = String(repeating: "a", count: length)
    let body = #"{"messages":[{"role":"user","content":[{"text":"\#(text)"}]}]}"#
    let answer = try await fixture.call(
      GatewayFixture.request(body, path: "/main/model/gpt-open/converse"))
    #expect(answer.status == 200 && answer.header("x-leeway-output-bound") == "9")
    let request = try #require(upstream.requests.first)
    #expect(request.text.hasPrefix(#"{"inferenceConfig":{"maxTokens":9},"messages""#))
    try check(request, by: keys, signs: "content-type;host;x-amz-date")
    try await fixture.stop()
  }

  /// Keys of a session end: those that are put in their place sign the next request, and the next
  /// try of one that a dead connection lost.
  @Test func newKeysSignFromTheNextRequestOn() async throws {
    let second = try Self.keys(2)
    let store = AWSCredentialStore(try Self.keys(1))
    let upstream = try ScriptedUpstream { request in
      if request.connection == 0, request.number == 1 {
        store.current = second
        return [.close]
      }
      return [.send(Script.json(Self.answer))]
    }
    let fixture = try await fixture(upstream, store)
    let port = fixture.port
    let statuses = try await onThread {
      let socket = try RawSocket(port: port)
      return try (0..<2).map { _ in
        try socket.send(
          GatewayFixture.request("{}", key: GatewayFixture.freeKey, path: Self.path))
        return try socket.answer().status
      }
    }
    #expect(statuses == [200, 200])
    let names = "content-type;host;x-amz-date;x-amz-security-token"
    let requests = upstream.requests
    #expect(requests.map(\.connection) == [0, 0, 1])
    for (request, number) in zip(requests, [1, 1, 2]) {
      try check(request, by: Self.keys(number), signs: names)
    }
    try await fixture.stop()
  }

  @Test func withoutTheirKeysRequestsAreNotSent() throws {
    let upstream = try GatewayUpstream(
      name: "aws", dialect: .bedrock, baseURL: "https://h", missingCredential: "AWS_ACCESS_KEY_ID")
    #expect(!upstream.isUsable)
  }
}
