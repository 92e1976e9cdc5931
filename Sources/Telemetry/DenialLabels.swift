// Denials as metric cells: each code has a fixed place, so that a refusal is one addition.

import Metering

extension Denial {
  /// The place of this denial's code in `metricCodes`.
  ///
  /// The switch has no default on purpose: a new denial does not compile until it has a place.
  var metricIndex: Int {
    switch self {
    case .keyMissing: 0
    case .keyUnknown: 1
    case .keyRevoked: 2
    case .keysConflict: 3
    case .appCapped: 4
    case .modelForbidden: 5
    case .modelUnpriced: 6
    case .outputUnbounded: 7
    case .costUnbounded: 8
    case .pathUnmetered: 9
    case .budgetExhausted: 10
    case .windowUnknown: 11
    case .requestInvalid: 12
    case .bodyTooLarge: 13
    case .upstreamUnknown: 14
    case .credentialMissing: 15
    case .journalUnavailable: 16
    case .shuttingDown: 17
    case .inputUnavailable: 18
    case .inputBusy: 19
    case .tokensUnbounded: 20
    case .purseClosed: 21
    case .jobUnknown: 22
    case .appIsolated: 23
    case .answerOverBound: 24
    case .rateLimited(let refusal): refusal.unit == .concurrentCalls ? 26 : 25
    case .budgetThrottled: 27
    case .part(_, let denial): denial.metricIndex
    }
  }

  /// The codes by place; equal to `code` of the denial at that place (a test holds this).
  static let metricCodes = [
    "key_missing", "key_unknown", "key_revoked", "keys_conflict", "app_capped", "model_forbidden",
    "model_unpriced", "output_unbounded", "cost_unbounded", "path_unmetered", "budget_exhausted",
    "window_unknown", "request_invalid", "body_too_large", "upstream_unknown",
    "credential_missing", "journal_unavailable", "shutting_down", "input_unavailable",
    "input_busy", "tokens_unbounded", "purse_closed", "job_unknown", "app_isolated",
    "answer_over_bound", "rate_limited", "concurrency_limited", "budget_throttled",
  ]
}
