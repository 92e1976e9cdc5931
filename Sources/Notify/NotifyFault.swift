// Why an alert did not reach its receiver, and whether trying again can help.

import Curl

/// The one error of this module. Addresses in it are redacted: a webhook's path is its password.
public struct NotifyFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// Bounded: fit for a metric label.
  public enum Code: String, Sendable, CaseIterable {
    /// The address cannot be used; the policy has to change.
    case addressInvalid = "address_invalid"
    /// No notifier is set up for this kind of receiver.
    case channelUnknown = "channel_unknown"
    /// The receiver could not be reached, or did not answer in time.
    case unreachable
    /// The receiver answered that it does not take this alert.
    case refused
    /// The receiver answered that it cannot take it now.
    case receiverBusy = "receiver_busy"
  }

  public var code: Code
  public var message: String
  /// What a person can do.
  public var hint: String
  /// Can the same alert be delivered later?
  public var isRetryable: Bool
  /// How long the receiver asked us to wait; nil: it did not say.
  public var retryAfterSeconds: Int?
  public var cause: String

  public init(
    _ code: Code, _ message: String, hint: String, isRetryable: Bool,
    retryAfterSeconds: Int? = nil, cause: String = ""
  ) {
    self.code = code
    self.message = message
    self.hint = hint
    self.isRetryable = isRetryable
    self.retryAfterSeconds = retryAfterSeconds
    self.cause = cause
  }

  public var description: String {
    let because = cause.isEmpty ? "" : " (\(cause))"
    return "\(message)\(because) \(hint) [\(code.rawValue)]"
  }

  init(_ fault: CurlFault) {
    let code: Code =
      switch fault.code {
      case .requestInvalid: .addressInvalid
      case .mailRefused: fault.isRetryable ? .receiverBusy : .refused
      case .hostUnresolved, .connectFailed, .tlsFailed, .timeout, .transferBroken,
        .responseTooLarge, .cancelled, .closed:
        .unreachable
      }
    // An endless answer is the receiver's fault of the moment; that the alert arrived is not known.
    self.init(
      code, fault.message, hint: fault.hint,
      isRetryable: fault.isRetryable || fault.code == .responseTooLarge, cause: fault.cause)
  }
}
