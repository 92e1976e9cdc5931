// The fast redactor against the plain one, over texts made of what the rules look for.

import TestSupport
import Testing

@testable import Contracts

/// Makes pieces of text: whole secrets and personal data, their beginnings, and what may stand
/// around or inside them.
private struct PieceMaker {
  private static let prose = [
    " ", " ", " ", "\n", "\r\n", "\t", ".", ",", ";", ":", "-", "--", "_", "+", "%", "/", "//",
    "\"", "'", "=", "<", ">", "(", ")", "{", "}", "?", "#", "&", "é", "ß", "→", "😀", "中文",
    "\u{0}", "n", "u", "a", "Z", "4", "the", "second", "access", "passing", "reference", "basic",
    "shared", "\\", "\\\\", "\\n", "\\t", "\\/", "\\\"", "\\u00e9", "\\u12", "\\u",
    "tel. +49 30 123456", "+1 (555) 010-9999", "3.14159265", "0.4111111111111111",
  ]
  private static let marks = [
    "Bearer ", "BASIC ", "Basic ", "Password=", "pwd=", ": ", "\":\"", "\\\":\\\"", " => ",
    "http", "://", ":\\/\\/", "user", "@", "@", "bob", "ann.lee+x", ".com", "x.io", "-----",
    "-----BEGIN ", "RSA ", "PRIVATE KEY", "PRIVATE KEY BLOCK", "-----END ", "SecretAccessKey",
    "X-Goog-Api-Key", "clientSecret", "-----BEGIN PRIVATE " + "KEY-----",
    "[redacted:email]", "[redacted:password]", "[redacted:openai-key]", "DE89", "GB82 WEST",
    "DE89 3704 0044 0532 0130 00", "4111 1111 1111 1111",
  ]
  private static let texts = (PrefixRule.texts + NamedValueRule.texts).map(\.description)
  private static let local = ["bob", "a.b+c", "x_y-z", "-bob", "é", "%", "."]
  private static let domains = [
    "mail.example.org", "x.io", "localhost", "a..b", "a-b.c1.de", ".", "x.y1", "x.io--",
    "x.io-.de-",
  ]

  static func piece(_ generator: inout SeededGenerator) -> String {
    switch generator.int(0...15) {
    case 0: return MadeUp.secret(generator.pick(MadeUp.prefixed), &generator)
    case 1: return generator.pick(texts)
    case 2: return generator.pick(texts) + MadeUp.random(generator.int(14...60), &generator)
    case 3: return MadeUp.random(generator.int(6...70), &generator)
    case 4: return generator.pick(local) + "@" + generator.pick(domains)
    case 5: return card(&generator)
    case 6: return iban(&generator)
    case 7: return digits(generator.int(1...22), &generator)
    case 8...11: return generator.pick(marks)
    default: return generator.pick(prose)
    }
  }

  private static func digits(_ count: Int, _ generator: inout SeededGenerator) -> String {
    String((0..<count).map { _ in generator.pick(Array("0123456789")) })
  }

  /// A number of a card, most with the right check digit, in one piece or in groups.
  private static func card(_ generator: inout SeededGenerator) -> String {
    let prefix = generator.pick(["4", "51", "34", "37", "36", "6011", "2221", "3528", "305"])
    let body = prefix + digits(generator.int(10...15), &generator)
    var sum = 0
    for (place, digit) in body.reversed().enumerated() {
      let value = (digit.wholeNumberValue ?? 0) * (place % 2 == 0 ? 2 : 1)
      sum += value > 9 ? value - 9 : value
    }
    let check = generator.chance(0.9) ? (10 - sum % 10) % 10 : generator.int(0...9)
    return grouped(body + String(check), by: generator.pick(["", "", " ", "-"]))
  }

  /// An IBAN, most with the right check digits.
  private static func iban(_ generator: inout SeededGenerator) -> String {
    let (country, length) = generator.pick([
      ("DE", 22), ("FR", 27), ("GB", 22), ("NO", 15), ("MT", 31), ("XX", 20), ("NL", 18),
    ])
    var account = digits(length - 4, &generator)
    if generator.chance(0.5) { account = "ABCD" + account.dropFirst(4) }
    var remainder = 0
    for character in account + country + "00" {
      let value = character.hexDigitValue ?? Int(character.asciiValue ?? 0) - 55
      remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97
    }
    let check = generator.chance(0.9) ? 98 - remainder : generator.int(2...98)
    let text = country + (check < 10 ? "0" : "") + String(check) + account
    return grouped(text, by: generator.pick(["", " "]))
  }

  private static func grouped(_ text: String, by separator: String) -> String {
    text.enumerated().map { place, character in
      (place > 0 && place % 4 == 0 ? separator : "") + String(character)
    }.joined()
  }
}

@Suite struct RedactionOracleTests {
  private func requireSame(_ text: String) throws {
    for hidesPersonalData in [false, true] {
      let ours = Redactor(hidesPersonalData: hidesPersonalData).redact(text)
      let plain = RedactionOracle.redact(text, hidesPersonalData: hidesPersonalData)
      // Byte by byte: equal strings may be spelt differently.
      let isSame =
        ours.counts == plain.counts && ours.text.utf8.elementsEqual(plain.text.utf8)
      try require(isSame, "\(text.debugDescription): \(ours) instead of \(plain)")
    }
  }

  @Test func findsWhatThePlainOneFinds() throws {
    try checkProperty("as the oracle", runs: 3_000, countMax: 14) { generator in
      PieceMaker.piece(&generator)
    } check: { pieces in
      try requireSame(pieces.joined())
    }
  }

  @Test func findsTheSameInTextsThatWereCut() throws {
    try checkProperty("as the oracle, cut", runs: 150, countMax: 5) { generator in
      PieceMaker.piece(&generator)
    } check: { pieces in
      let bytes = Array(pieces.joined().utf8)
      for place in bytes.indices {
        // Cut off at either side, and with one byte missing.
        try requireSame(String(decoding: bytes[..<place], as: UTF8.self))
        try requireSame(String(decoding: bytes[place...], as: UTF8.self))
        let gap = bytes[..<place] + bytes[(place + 1)...]
        try requireSame(String(decoding: gap, as: UTF8.self))
      }
    }
  }
}
