// Redaction: what must go, what must stay, and that nothing is missed wherever it stands.

import Foundation
import TestSupport
import Testing

@testable import Contracts

/// Secrets of every kind, made up here: assembled from parts, so that no scanner takes this file
/// for a leak.
enum MadeUp {
  static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")

  static func random(_ count: Int, _ generator: inout SeededGenerator) -> String {
    // A digit at a fixed place, since real keys of this length have one all but surely.
    let text = (0..<count).map { _ in generator.pick(letters) }
    return String(text[..<4]) + "7k" + String(text[6...])
  }

  static func secret(_ kind: RedactionKind, _ generator: inout SeededGenerator) -> String {
    let capitals = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    switch kind {
    case .anthropicKey: return "sk-" + "ant-api03-" + random(60, &generator)
    case .openAIKey:
      return "sk-" + (generator.chance(0.5) ? "proj-" : "") + random(48, &generator)
    case .googleKey: return "AI" + "za" + random(35, &generator)
    case .awsKey: return "AK" + "IA" + String((0..<16).map { _ in generator.pick(capitals) })
    case .githubToken: return generator.pick(["ghp", "gho", "ghs"]) + "_" + random(36, &generator)
    case .slackToken: return "xox" + "b-123456789012-" + random(24, &generator)
    case .stripeKey: return "sk_" + "live_" + random(24, &generator)
    case .leewayKey: return "lw_" + random(32, &generator)
    case .jsonWebToken:
      return "ey" + "J" + random(30, &generator) + ".eyJ" + random(60, &generator) + "."
        + random(43, &generator)
    default: return "hf_" + random(34, &generator)
    }
  }

  static let prefixed: [RedactionKind] = [
    .anthropicKey, .openAIKey, .googleKey, .awsKey, .githubToken, .slackToken, .stripeKey,
    .leewayKey, .jsonWebToken, .apiKey,
  ]
}

@Suite struct RedactorTests {
  let redactor = Redactor()
  let strict = Redactor(hidesPersonalData: true)

  @Test(arguments: MadeUp.prefixed) func takesOutEveryKindOfKey(kind: RedactionKind) {
    var generator = SeededGenerator(seed: 7)
    for _ in 0..<50 {
      let secret = MadeUp.secret(kind, &generator)
      let result = redactor.redact("key: \(secret), next")
      #expect(result.text == "key: \(kind.marker), next")
      #expect(result.counts == [kind: 1])
    }
  }

  @Test func noSecretRemainsUnderRandomSurroundings() throws {
    let separators = [
      " ", "\n", "\\n", "\"", "\\\"", "=", ": ", "'", "(", "<", ",", "`", "\\u003e", "é", "→", "/",
      "\t", ";", "|", "[", "{\"k\":\"",
    ]
    try checkProperty("no secret remains", runs: 300, countMax: 8) { generator in
      let kind = generator.pick(MadeUp.prefixed)
      return (
        generator.pick(separators), MadeUp.secret(kind, &generator), generator.pick(separators)
      )
    } check: { parts in
      let text = parts.map { "the \($0.0)\($0.1)\($0.2) word" }.joined(separator: " and ")
      let redacted = redactor.redact(text)
      for part in parts {
        try require(!redacted.text.contains(part.1.suffix(12)), "\(part.1) is left")
      }
      try require(
        redacted.counts.values.reduce(0, +) == parts.count, "\(redacted.counts): \(redacted.text)")
      try require(redactor.redact(redacted.text).text == redacted.text, "not idempotent")
    }
  }

  @Test func isIdempotentOnAnything() throws {
    let pieces = [
      "sk-", "AKIA", "lw_", "7kQ2mZ8xWv3bN5", "@", ".", "com", "://", ":", "\\", "\\n", "u",
      "-----",
      "BEGIN RSA PRIVATE KEY", "END RSA PRIVATE KEY", "Bearer ", "api_key=", "password=", ";", " ",
      "eyJ", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "[redacted:email]", "/", "\"",
      "a1b2c3d4e5f6a7b8c9d0", "postgres", "é", "_", "-", "[redacted:password]", "me",
    ]
    try checkProperty("idempotent", runs: 3_000, countMax: 14) { generator in
      generator.pick(pieces)
    } check: { parts in
      let once = strict.redact(parts.joined())
      let twice = strict.redact(once.text)
      try require(twice.text == once.text, "\(once.text) → \(twice.text)")
      try require(twice.counts.isEmpty, "\(twice.counts)")
    }
  }

  @Test func proseAndCodeStay() {
    let texts = [
      "Use scikit-learn (sk-learn) and the sk-proj-template-for-beginners repository.",
      "The task-management-and-risk-assessment-2024 report; disk-usage 12345678901234567890.",
      "let lw_some_function_name_that_is_long = api_key(from: configuration)",
      "Send it as 'Authorization: Bearer YOUR_API_KEY' or \"api_key\": \"YOUR_API_KEY_HERE\".",
      "Bearer of bad news: basic authentication is on. password=… is a parameter of the form.",
      "https://example.com:8080/path?x=1@2 and ssh://git@example.com/repo.git",
      "A PEM file starts with -----BEGIN PRIVATE KEY----- and ends otherwise.",
      "{\"id\":\"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT\",\"created\":1741569952}",
      "commit 9fceb02d0ae598e95dc970b74767f19372d61af8, uuid 123e4567-e89b-12d3-a456-426614174000",
      "pi is 3.141592653589793, 0.4111111111111111 of it; 1795441416571 ms; tel. +49 30 123456",
      "4111 1111 1111 1112 has a wrong check digit, and so has DE88 3704 0044 0532 0130 00.",
      "@mention, user@localhost, a @ b, x@y",
    ]
    for text in texts {
      #expect(strict.redact(text) == Redaction(text: text, counts: [:]))
    }
  }

  @Test func valuesBesideTheirNames() {
    let secret = "wJalrXUtnFEMI" + "/K7MDENG/bPxRfiCYEXAMPLEKEY"
    #expect(
      redactor.redact("aws_secret_access_key = \(secret)\n").text
        == "aws_secret_access_key = [redacted:aws-key]\n")
    #expect(
      redactor.redact(#"{"SecretAccessKey": "\#(secret)"}"#).text
        == #"{"SecretAccessKey": "[redacted:aws-key]"}"#)
    #expect(
      redactor.redact("authorization: Bearer abcDEF123456ghiJKL789\r\n").text
        == "authorization: Bearer [redacted:bearer]\r\n")
    #expect(
      redactor.redact(#"{\"x-api-key\":\"0123456789abcdef0123\"}"#).text
        == #"{\"x-api-key\":\"[redacted:api-key]\"}"#)
  }

  @Test func connectionStrings() {
    #expect(
      redactor.redact("postgres://app:s3c:r@t@db:5432/x and amqp://u:p@h").text
        == "postgres://app:[redacted:password]@db:5432/x and amqp://u:[redacted:password]@h")
    #expect(
      redactor.redact("Server=db;User=sa;Password=hunter2;Encrypt=true").text
        == "Server=db;User=sa;Password=[redacted:password];Encrypt=true")
    #expect(
      redactor.redact(#""redis:\/\/:pw@cache""#).text == #""redis:\/\/:[redacted:password]@cache""#)
  }

  @Test func privateKeysWholeCutOffAndEscaped() {
    let body = String(repeating: "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", count: 4)
    let begin = "-----BEGIN " + "RSA PRIVATE KEY-----"
    let end = "-----END RSA " + "PRIVATE KEY-----"
    #expect(
      redactor.redact("a \(begin)\n\(body)\n\(end) b").text == "a [redacted:private-key] b")
    #expect(
      redactor.redact(#"{"k":"\#(begin)\n\#(body)\n\#(end)\n"}"#).text
        == #"{"k":"[redacted:private-key]\n"}"#)
    #expect(redactor.redact("\(begin)\n\(body)").text == "[redacted:private-key]")
  }

  @Test func personalDataBehindItsSwitch() {
    let text = "Ann <ann.lee+x@mail.example.org>, 4111-1111-1111-1111, DE89 3704 0044 0532 0130 00."
    #expect(redactor.redact(text).text == text)
    let result = strict.redact(text)
    #expect(
      result.text == "Ann <[redacted:email]>, [redacted:payment-card], [redacted:iban].")
    #expect(result.counts == [.email: 1, .paymentCard: 1, .iban: 1])
    #expect(strict.redact(#""a\nbob@x.io""#).text == #""a\n[redacted:email]""#)
  }

  @Test func anAddressMayStandBesideHyphens() {
    #expect(strict.redact("-bob@x.io").text == "[redacted:email]")
    #expect(strict.redact("To:\n-ann.lee@x.io\n").text == "To:\n[redacted:email]\n")
    #expect(strict.redact("<!--bob@x.io-->").text == "<![redacted:email]-->")
    #expect(strict.redact("bob@x.io- or").text == "[redacted:email]- or")
  }

  @Test func jsonStaysJSON() throws {
    var generator = SeededGenerator(seed: 3)
    for _ in 0..<300 {
      let kind = generator.pick(MadeUp.prefixed)
      let text =
        "a\n\"q\"\t\\x <b>\(MadeUp.secret(kind, &generator)) "
        + "me@example.org é\u{1F600}\r\n4111111111111111"
      let body = try JSONSerialization.data(withJSONObject: ["content": text])
      let redacted = strict.redact(String(decoding: body, as: UTF8.self)).text
      let parsed = try JSONSerialization.jsonObject(with: Data(redacted.utf8)) as? [String: String]
      #expect(parsed?["content"]?.contains(kind.marker) == true)
      #expect(parsed?["content"]?.contains("[redacted:payment-card]") == true)
      #expect(parsed?["content"]?.contains("[redacted:email]") == true)
    }
  }

  /// Texts made to be looked at again and again: doubling them may not quadruple the time.
  @Test(arguments: [
    "sk-", "eyJ-", "apikey=", "-----BEGIN PRIVATE KEY-----", "a@", "a.", "://a:", "4-", "bearer ",
    "DE89", "\\", "Bearer apikey=",
  ])
  func isLinear(piece: String) {
    func time(_ count: Int) -> Duration {
      let text = String(repeating: piece, count: count / piece.utf8.count)
      return (0..<3).map { _ in processorTime { _ = strict.redact(text) } }.min()!
    }
    _ = time(1_024)
    let (small, large) = (time(4_096), time(32_768))
    // Eight times the text: linear is 8, quadratic 64; the middle allows for cold caches.
    #expect(large < small * 24 + .milliseconds(50), "\(small) → \(large)")
  }
}
