// What stops the rehearsal upstream from starting, and what to do about it.

/// The one error of this module.
public struct RehearsalFault: Error, CustomStringConvertible {
  /// The raw value is a bounded label for logs.
  public enum Code: String, Sendable {
    case recordingMissing = "recording_missing"
    case recordingUnreadable = "recording_unreadable"
    case settingInvalid = "setting_invalid"
    case listenFailed = "listen_failed"
    case alreadyStarted = "already_started"
  }

  public let code: Code
  /// What is wrong and where.
  public let message: String
  /// What to do about it.
  public let hint: String
  /// The same start may succeed later without a change.
  public let retryable: Bool
  public let cause: (any Error)?

  init(
    _ code: Code, _ message: String, hint: String, retryable: Bool = false,
    cause: (any Error)? = nil
  ) {
    self.code = code
    self.message = message
    self.hint = hint
    self.retryable = retryable
    self.cause = cause
  }

  public var description: String {
    let reason = cause.map { " (\($0))" } ?? ""
    return "\(code.rawValue): \(message)\(reason); \(hint)"
  }
}
