// Where an alert goes.

/// One receiver of alerts. It prints without its address, since a webhook's URL is often a secret.
public enum Recipient: Hashable, Sendable, CustomStringConvertible {
  /// Leeway's own log.
  case log
  case email(String)
  /// Takes a POST with the alert's JSON payload.
  case webhook(String)

  /// The word that is stored: `log`, `email` or `webhook`.
  public var channel: String {
    switch self {
    case .log: "log"
    case .email: "email"
    case .webhook: "webhook"
    }
  }

  /// The address or URL; empty for the log.
  public var address: String {
    switch self {
    case .log: ""
    case .email(let address): address
    case .webhook(let url): url
    }
  }

  /// All receivers of an owner: always the log, then what the owner has.
  public static func of(email: String?, webhook: String?) -> [Recipient] {
    var recipients: [Recipient] = [.log]
    if let email, !email.isEmpty { recipients.append(.email(email)) }
    if let webhook, !webhook.isEmpty { recipients.append(.webhook(webhook)) }
    return recipients
  }

  public var description: String { channel }
}
