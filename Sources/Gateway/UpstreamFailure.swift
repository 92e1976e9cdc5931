// What the gateway says when the fault is the upstream's, not the caller's.

/// Why an upstream gave no usable answer.
enum UpstreamFailure: String, Equatable, Sendable, CaseIterable {
  case nameUnresolved = "upstream_name_unresolved"
  case connectRefused = "upstream_connect_failed"
  case connectTimeout = "upstream_connect_timeout"
  case answerTimeout = "upstream_answer_timeout"
  case closedEarly = "upstream_closed_early"
  case answerInvalid = "upstream_answer_invalid"
  case stopping = "gateway_stopping"

  /// 502 or 504; 503 where the gateway itself stops.
  var httpStatus: Int {
    switch self {
    case .nameUnresolved, .connectRefused, .closedEarly, .answerInvalid: 502
    case .connectTimeout, .answerTimeout: 504
    case .stopping: 503
    }
  }

  /// What happened and what to do; `upstream` is its name in thresholds/, never its address.
  func message(upstream: String) -> String {
    switch self {
    case .nameUnresolved:
      "The host name of upstream '\(upstream)' cannot be resolved. Nothing was charged; "
        + "check its URL in thresholds/gateway.yaml and the gateway's DNS."
    case .connectRefused:
      "Upstream '\(upstream)' took no connection. Nothing was charged; try again shortly, or "
        + "check its URL in thresholds/gateway.yaml."
    case .connectTimeout:
      "Upstream '\(upstream)' took no connection in time. Nothing was charged; try again shortly."
    case .answerTimeout:
      "Upstream '\(upstream)' did not answer in time. It may have done the work, so the call was "
        + "charged at its estimate."
    case .closedEarly:
      "Upstream '\(upstream)' closed the connection without an answer. It may have done the work, "
        + "so the call was charged at its estimate."
    case .answerInvalid:
      "Upstream '\(upstream)' sent an answer that is not valid HTTP/1.1. It may have done the "
        + "work, so the call was charged at its estimate."
    case .stopping:
      "The gateway is shutting down and could not wait for the answer; try again shortly."
    }
  }
}
