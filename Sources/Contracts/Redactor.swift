// Takes obvious secrets, and where told personal data, out of text before it is stored.
//
// A scanner of our own instead of regular expressions: each byte is looked at a bounded number of
// times, whatever the text, and JSON escapes are understood, so that a body stays valid JSON.

/// What was taken out; the raw value stands in the text as `[redacted:KIND]`.
public enum RedactionKind: String, Hashable, Sendable, CaseIterable {
  case anthropicKey = "anthropic-key"
  case openAIKey = "openai-key"
  case googleKey = "google-key"
  case awsKey = "aws-key"
  case githubToken = "github-token"
  case slackToken = "slack-token"
  case stripeKey = "stripe-key"
  case leewayKey = "leeway-key"
  /// A key of another provider, or a value that is called a key or secret beside it.
  case apiKey = "api-key"
  case jsonWebToken = "jwt"
  case privateKey = "private-key"
  case bearer
  case password
  case email
  case paymentCard = "payment-card"
  case iban

  /// The text that stands in the value's place.
  public var marker: String { "[redacted:\(rawValue)]" }
}

/// A text without what was taken out.
public struct Redaction: Hashable, Sendable {
  public var text: String
  /// How many values of each kind were taken out.
  public var counts: [RedactionKind: Int]

  public init(text: String, counts: [RedactionKind: Int]) {
    self.text = text
    self.counts = counts
  }
}

/// Redacts text. Linear in the text's length; redacting twice changes nothing more.
public struct Redactor: Sendable {
  /// Whether e-mail addresses, payment card numbers and IBANs are taken out too.
  public var hidesPersonalData: Bool

  /// One redaction can uncover another (an address cut off by a key); more rounds than this cannot
  /// come from text that was not made for it, and each is linear.
  private static let roundsMax = 8

  public init(hidesPersonalData: Bool = false) { self.hidesPersonalData = hidesPersonalData }

  /// Redacts plain text, JSON, or an event stream.
  public func redact(_ text: String) -> Redaction {
    var result = Redaction(text: text, counts: [:])
    for _ in 0..<Self.roundsMax {
      let scan = result.text.withUTF8 {
        RedactionScan.scan($0, hidesPersonalData: hidesPersonalData)
      }
      guard scan.isChanged else { break }
      result.counts.merge(scan.counts, uniquingKeysWith: +)
      result.text = String(decoding: scan.output, as: UTF8.self)
    }
    return result
  }
}
