// The one error of this module.

/// Why the gateway cannot start or cannot do what an order asks.
public struct GatewayFault: Error, Sendable, CustomStringConvertible {
  /// Bounded; fit for a metric label.
  public enum Code: String, Sendable {
    case configurationInvalid = "configuration_invalid"
    case listenFailed = "listen_failed"
    case certificateUnreadable = "certificate_unreadable"
    case journalUnavailable = "journal_unavailable"
    case keysUnreadable = "keys_unreadable"
    case appUnknown = "app_unknown"
  }

  public var code: Code
  /// What happened, where, and whose fault it is; no secret in it.
  public var message: String
  /// What to do.
  public var hint: String
  public var isRetryable: Bool
  /// The text of the error beneath, empty where there is none.
  public var cause: String

  public init(
    code: Code, message: String, hint: String, isRetryable: Bool = false, cause: String = ""
  ) {
    self.code = code
    self.message = message
    self.hint = hint
    self.isRetryable = isRetryable
    self.cause = cause
  }

  static func configurationInvalid(_ message: String, hint: String) -> GatewayFault {
    GatewayFault(code: .configurationInvalid, message: message, hint: hint)
  }

  public var description: String {
    "\(message) \(hint)" + (cause.isEmpty ? "" : " (\(cause))")
  }
}
