// What went wrong in a transfer, and whether trying again can help.

/// The one error of this module. It never holds credentials, nor a URL's path or query.
public struct CurlFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// Bounded: fit for a metric label.
  public enum Code: String, Sendable, CaseIterable {
    /// The request cannot be made as it stands; ours or the configuration's fault.
    case requestInvalid = "request_invalid"
    case hostUnresolved = "host_unresolved"
    case connectFailed = "connect_failed"
    case tlsFailed = "tls_failed"
    case timeout
    /// The connection broke, or what came was not the protocol.
    case transferBroken = "transfer_broken"
    case responseTooLarge = "response_too_large"
    /// The mail server refused: sender, recipient, login or message.
    case mailRefused = "mail_refused"
    case cancelled
    /// The client was shut down.
    case closed
  }

  public var code: Code
  public var message: String
  /// What a person can do.
  public var hint: String
  /// Can the same request succeed later?
  public var isRetryable: Bool
  /// libcurl's own words, or the server's reply code.
  public var cause: String

  public init(
    _ code: Code, _ message: String, hint: String, isRetryable: Bool, cause: String = ""
  ) {
    self.code = code
    self.message = message
    self.hint = hint
    self.isRetryable = isRetryable
    self.cause = cause
  }

  public var description: String {
    "\(message)\(cause.isEmpty ? "" : " (\(cause))") \(hint)"
  }

  static func requestInvalid(_ message: String, hint: String) -> CurlFault {
    CurlFault(.requestInvalid, message, hint: hint, isRetryable: false)
  }

  static let cancelled = CurlFault(
    .cancelled, "The transfer was cancelled.", hint: "", isRetryable: true)

  static let closed = CurlFault(
    .closed, "The transfer client is shut down.", hint: "It ends with the process.",
    isRetryable: true)
}
