// Answers of the gateway's own in the caller's wire format, so that its SDK raises the error that
// it is meant to.
//
// Headers follow what the official SDKs do with them: a budget refusal is tried once and raised as
// a rate-limit error, because it carries `x-should-retry: false` and no `retry-after`.

import Metering

/// An HTTP answer that the gateway gives itself. `content-length` is the gateway's to add.
public struct RefusalResponse: Sendable {
  public var status: Int
  /// Names in lower case.
  public var headers: [(String, String)]
  /// JSON, UTF-8.
  public var body: [UInt8]

  public init(status: Int, headers: [(String, String)], body: [UInt8]) {
    self.status = status
    self.headers = headers
    self.body = body
  }
}

/// Renders denials.
public enum Refusal {
  /// Renders a denial in a dialect's error shape.
  ///
  /// - Parameter requestID: the gateway's id of the request; goes into `x-request-id` and, where
  ///   the dialect has a place for it, into the body.
  public static func render(
    _ denial: Denial, dialect: DialectID, requestID: String
  ) -> RefusalResponse {
    error(denial).response(dialect: dialect, requestID: requestID)
  }

  static func error(_ denial: Denial) -> DialectError {
    let (type, code, parameter) = openAI(denial)
    return DialectError(
      status: denial.httpStatus, code: denial.code, message: denial.message, openAIType: type,
      openAICode: code, openAIParameter: parameter, retryHeaders: retryHeaders(denial))
  }

  /// Whether trying again can help, for SDKs that would otherwise guess from the status.
  private static func retryHeaders(_ denial: Denial) -> [(String, String)] {
    switch denial {
    case .budgetExhausted, .appCapped, .appIsolated, .purseClosed, .windowUnknown,
      .credentialMissing:
      [("x-should-retry", "false")]
    case .journalUnavailable, .shuttingDown, .inputBusy:
      [("x-should-retry", "true"), ("retry-after", "1")]
    case .rateLimited(let refusal):
      refusal.retryAfterSeconds.map {
        [("x-should-retry", "true"), ("retry-after", String($0))]
      } ?? [("x-should-retry", "false")]
    case .budgetThrottled(_, let seconds):
      [("x-should-retry", "true"), ("retry-after", String(seconds))]
    case .part(_, let denial): retryHeaders(denial)
    default: []
    }
  }

  private static func openAI(
    _ denial: Denial
  ) -> (type: String, code: String, parameter: String?) {
    switch denial {
    case .keyMissing, .keyUnknown, .keyRevoked: ("authentication_error", "invalid_api_key", nil)
    case .rateLimited(let refusal):
      (refusal.unit == .tokens ? "tokens" : "requests", "rate_limit_exceeded", nil)
    case .budgetThrottled: ("requests", "rate_limit_exceeded", nil)
    case .budgetExhausted, .appCapped, .purseClosed:
      ("insufficient_quota", "insufficient_quota", nil)
    case .modelForbidden, .modelUnpriced: ("permission_error", denial.code, "model")
    case .pathUnmetered, .appIsolated: ("permission_error", denial.code, nil)
    case .outputUnbounded(let field): ("invalid_request_error", denial.code, field)
    case .keysConflict, .costUnbounded, .tokensUnbounded, .requestInvalid, .bodyTooLarge,
      .upstreamUnknown, .jobUnknown:
      ("invalid_request_error", denial.code, nil)
    case .windowUnknown, .credentialMissing, .journalUnavailable, .shuttingDown,
      .inputUnavailable, .inputBusy, .answerOverBound:
      ("server_error", denial.code, nil)
    case .part(_, let denial): openAI(denial)
    }
  }
}

/// Renders failures that are no refusal by policy: an upstream's, or of the request's own framing.
public enum Failure {
  /// Renders a failure in a dialect's error shape.
  ///
  /// No header says whether to try again: SDKs guess right from the status.
  ///
  /// - Parameters:
  ///   - status: 400…599; from 500 on it is not the caller's fault.
  ///   - code: bounded, for machines; goes into `x-leeway-denial`.
  ///   - message: fixed text and names from the policy, never bytes of a peer.
  ///   - requestID: as for `Refusal.render`.
  public static func render(
    status: Int, code: String, message: String, dialect: DialectID, requestID: String
  ) -> RefusalResponse {
    DialectError(
      status: status, code: code, message: message,
      openAIType: status >= 500 ? "server_error" : "invalid_request_error", openAICode: code
    ).response(dialect: dialect, requestID: requestID)
  }
}
