// What kept the admin port from serving.

/// The one error of this module.
public struct AdminFault: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: String, Sendable {
    /// The address cannot be listened on.
    case listenFailed = "listen_failed"
  }

  public var code: Code
  public var message: String
  /// What a person can do.
  public var hint: String
  /// Can the same start succeed later with nothing else changed but time?
  public var isRetryable: Bool
  /// The system's own words.
  public var cause: String

  public init(_ code: Code, _ message: String, hint: String, isRetryable: Bool, cause: String) {
    self.code = code
    self.message = message
    self.hint = hint
    self.isRetryable = isRetryable
    self.cause = cause
  }

  public var description: String { "\(message) \(hint) (\(cause))" }
}
