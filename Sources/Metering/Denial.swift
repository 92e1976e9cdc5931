// Why a call was refused, in words that a person can act on.

/// A budget that a call did not fit into, as it stood at that instant.
///
/// All four amounts are of one unit.
public struct BudgetRefusal: Hashable, Sendable, Codable {
  public var scope: BudgetScope
  public var budget: String
  public var window: String
  public var settled: Amount
  public var reserved: Amount
  public var cap: Amount
  public var estimate: Amount
  public var resetsAt: Timestamp
  /// Empty: it never resets.
  public var resetsAtText: String

  public init(
    scope: BudgetScope, budget: String, window: String, settled: Amount, reserved: Amount,
    cap: Amount, estimate: Amount, resetsAt: Timestamp, resetsAtText: String
  ) {
    self.scope = scope
    self.budget = budget
    self.window = window
    self.settled = settled
    self.reserved = reserved
    self.cap = cap
    self.estimate = estimate
    self.resetsAt = resetsAt
    self.resetsAtText = resetsAtText
  }
}

/// A refusal. `code` is bounded (fit for a metric label), `message` is for people.
public enum Denial: Hashable, Sendable {
  case keyMissing
  case keyUnknown
  case keyRevoked
  case keysConflict
  /// The app was capped from outside (a drift verdict, a person); the text says by whom and why.
  case appCapped(reason: String)
  /// The app was stopped at once, its open calls included. Not why: the reason is for those who may
  /// read the record, and an app's callers may be whom it is about.
  case appIsolated(order: Int64)
  case modelForbidden(model: String, allowed: [String])
  /// The text names the price file of the call's upstream.
  /// - Parameter unit: what the call is counted in where no tokens are; nil: tokens.
  case modelUnpriced(model: String, file: String = "", unit: UsageBucket? = nil)
  /// No bound of the output is known: the caller must set one.
  case outputUnbounded(field: String)
  /// The request's cost cannot be bounded; the text names the part.
  case costUnbounded(part: String)
  /// Usage of this path cannot be read yet, so that a budgeted app may not use it.
  case pathUnmetered(path: String)
  indirect case budgetExhausted(BudgetRefusal)
  /// The same, of a budget that makes callers wait: after so many seconds it may fit.
  indirect case budgetThrottled(BudgetRefusal, retryAfterSeconds: Int64)
  /// More calls or tokens in a minute, or at once, than the app or its key may have.
  indirect case rateLimited(RateRefusal)
  /// The app has a token budget or rate, and nothing bounds the call's tokens.
  case tokensUnbounded
  /// The purse is not open yet, or no longer.
  indirect case purseClosed(scope: BudgetScope, budget: String, from: String, until: String)
  /// The clock is outside every window that the policy knows.
  case windowUnknown(budget: String)
  case requestInvalid(message: String)
  case bodyTooLarge(limitBytes: Int)
  case upstreamUnknown(name: String)
  /// Our credential for the upstream is not set; the text names the environment variable.
  case credentialMissing(upstream: String, variable: String)
  /// The journal cannot be written; nothing budgeted passes until it can.
  case journalUnavailable
  case shuttingDown
  /// A batch's requests stand in a file that the upstream does not hand out; the text says why.
  case inputUnavailable(reason: String)
  /// The answer went beyond the most that its call may cost, and was ended there.
  case answerOverBound
  /// As many batches' files as may be are being read.
  case inputBusy
  /// The job or the file that a request names is another app's.
  case jobUnknown
  /// The refusal of one request of a batch; the text says of which.
  indirect case part(place: String, Denial)

  public var code: String {
    switch self {
    case .keyMissing: "key_missing"
    case .keyUnknown: "key_unknown"
    case .keyRevoked: "key_revoked"
    case .keysConflict: "keys_conflict"
    case .appCapped: "app_capped"
    case .appIsolated: "app_isolated"
    case .modelForbidden: "model_forbidden"
    case .modelUnpriced: "model_unpriced"
    case .outputUnbounded: "output_unbounded"
    case .costUnbounded: "cost_unbounded"
    case .pathUnmetered: "path_unmetered"
    case .budgetExhausted: "budget_exhausted"
    case .budgetThrottled: "budget_throttled"
    case .tokensUnbounded: "tokens_unbounded"
    case .rateLimited(let refusal):
      refusal.unit == .concurrentCalls ? "concurrency_limited" : "rate_limited"
    case .purseClosed: "purse_closed"
    case .windowUnknown: "window_unknown"
    case .requestInvalid: "request_invalid"
    case .bodyTooLarge: "body_too_large"
    case .upstreamUnknown: "upstream_unknown"
    case .credentialMissing: "credential_missing"
    case .journalUnavailable: "journal_unavailable"
    case .shuttingDown: "shutting_down"
    case .inputUnavailable: "input_unavailable"
    case .inputBusy: "input_busy"
    case .jobUnknown: "job_unknown"
    case .answerOverBound: "answer_over_bound"
    case .part(_, let denial): denial.code
    }
  }

  /// The budget that the call did not fit into; nil: that is not why.
  public var budget: BudgetRefusal? {
    switch self {
    case .budgetExhausted(let refusal), .budgetThrottled(let refusal, _): refusal
    default: nil
    }
  }

  /// The HTTP status that carries this refusal in every dialect.
  public var httpStatus: Int {
    switch self {
    case .keyMissing, .keyUnknown, .keyRevoked: 401
    case .keysConflict, .outputUnbounded, .costUnbounded, .tokensUnbounded, .requestInvalid: 400
    case .appIsolated, .modelForbidden, .modelUnpriced, .pathUnmetered, .purseClosed: 403
    case .appCapped, .budgetExhausted, .budgetThrottled, .rateLimited: 429
    case .bodyTooLarge: 413
    case .upstreamUnknown, .jobUnknown: 404
    case .inputUnavailable, .answerOverBound: 502
    case .windowUnknown, .credentialMissing, .journalUnavailable, .shuttingDown, .inputBusy: 503
    case .part(_, let denial): denial.httpStatus
    }
  }

  /// What happened and what to do, with no secret in it.
  public var message: String {
    switch self {
    case .keyMissing:
      "No Leeway key was sent. Send the app's key as 'Authorization: Bearer lw_…'."
    case .keyUnknown:
      "This Leeway key is not known here. Ask the platform team for a key of this gateway "
        + "(leeway keys issue APP)."
    case .keyRevoked:
      "This Leeway key has been revoked. Ask the platform team for a new one."
    case .keysConflict:
      "The request carries two different keys in its headers; send one."
    case .appCapped(let reason):
      "This app is stopped: \(reason) It runs again when its owner or the platform team "
        + "restores it (leeway restore APP)."
    case .appIsolated(let order):
      "This app is isolated: no call of it passes, and those under way were ended. Why stands on "
        + "record under order \(order) (leeway orders). Ask the platform team; it lets it run "
        + "again with leeway restore APP."
    case .modelForbidden(let model, let allowed):
      "Model '\(model)' is not allowed for this app. Allowed: "
        + (allowed.isEmpty ? "none" : allowed.joined(separator: ", ")) + "."
    case .modelUnpriced(let model, let file, let unit):
      "Model '\(model)' has no price, so a budgeted app may not call it. Add it to "
        + "\(file.isEmpty ? "thresholds/prices/" : file): "
        + Self.pricingLine(model: model, unit: unit)
    case .outputUnbounded(let field):
      "The output of this call has no bound, so its cost cannot be held to the budget. "
        + "Set '\(field)' in the request, or outputTokensMax in the app's policy."
    case .costUnbounded(let part):
      "The cost of this call cannot be bounded because of \(part), so a budgeted app may not "
        + "make it."
    case .pathUnmetered(let path):
      "Usage of '\(path)' cannot be read yet, so a budgeted app may not call it."
    case .budgetExhausted(let refusal):
      Self.budgetMessage(refusal)
    case .budgetThrottled(let refusal, let seconds):
      "\(Self.budgetMessage(refusal)) Calls wait for this budget: try again in \(seconds) s."
    case .rateLimited(let refusal): refusal.message
    case .tokensUnbounded:
      "The tokens of this call cannot be bounded, so it cannot be held to a token budget or rate. "
        + "Set a bound of its output in the request, or outputTokensMax in the app's policy; where "
        + "the model is billed by other units, its owner caps it in money or calls."
    case .purseClosed(let scope, let budget, let from, let until):
      "Budget '\(budget)' of \(scope.words) \(Self.lifetime(from: from, until: until)). "
        + "\(Self.raiser(of: scope).capitalizedFirst) can open another."
    case .windowUnknown(let budget):
      "The gateway's clock is outside every known window of budget '\(budget)'. "
        + "Check the gateway's clock, then restart it."
    case .requestInvalid(let message): message
    case .bodyTooLarge(let limit):
      "The request body is larger than this gateway takes (\(limit) bytes). Its operator can raise "
        + "bounds.bodyBytesMax in thresholds/gateway.yaml."
    case .upstreamUnknown(let name):
      "There is no upstream '\(name)' here. The URL is http://GATEWAY/UPSTREAM/…; "
        + "its names stand in thresholds/gateway.yaml."
    case .credentialMissing(let upstream, let variable):
      "Upstream '\(upstream)' cannot be called: this gateway has no credential for it. Its "
        + "operator sets the environment variable \(variable) and restarts the gateway."
    case .journalUnavailable:
      "The gateway cannot write its journal, so budgeted calls wait until it can. "
        + "Nothing was charged; try again shortly."
    case .shuttingDown: "The gateway is shutting down; try again shortly."
    case .inputUnavailable(let reason):
      "The batch's input file cannot be read, so its cost is not known and no batch was made: "
        + reason
    case .answerOverBound:
      "The answer went beyond the most that this call may cost, so the gateway ended it here: the "
        + "upstream did not keep to the call's output bound. What came was charged."
    case .inputBusy:
      "The gateway is reading as many batches' input files as it may at a time, so no batch was "
        + "made; try again shortly."
    case .jobUnknown: "This app has no such batch, response or file."
    case .part(let place, let denial): "\(place): \(denial.message)"
    }
  }

  /// The one line of YAML that would price a model.
  ///
  /// - Parameter unit: what its calls are counted in where no tokens are.
  public static func pricingLine(model: String, unit: UsageBucket? = nil) -> String {
    let rates =
      switch unit {
      case .imagesOut: "imageOutEach: \"0.00\""
      case .charactersIn: "charactersInPerMillion: \"0.00\""
      case .audioInMilliseconds: "audioInPerSecond: \"0.00\""
      default: "inputPerMillion: \"0.00\", outputPerMillion: \"0.00\""
      }
    return "\"\(model)\": { from: YYYY-MM-DD, \(rates) }"
  }

  private static func budgetMessage(_ refusal: BudgetRefusal) -> String {
    var text = "Budget '\(refusal.budget)' of \(refusal.scope.words) cannot cover this call"
    // The window of a rolling budget is but its newest slice, which says nothing to a person.
    text += RollingWindow.isRolling(budget: refusal.budget) ? ": " : " in \(refusal.window): "
    text += "\(refusal.settled.text) \(refusal.cap.unit == .money ? "spent" : "used")"
    if refusal.reserved.count > 0 {
      text += " and \(refusal.reserved.text) held by open calls"
    }
    text += " of \(refusal.cap.text)"
    switch refusal.estimate {
    case .money: text += "; this call may cost up to \(refusal.estimate.text)"
    case .tokens: text += "; this call may use up to \(refusal.estimate.text)"
    case .calls: break
    }
    text += refusal.resetsAtText.isEmpty ? ". " : ". It resets at \(refusal.resetsAtText). "
    if refusal.scope.kind == .user, refusal.scope.name == BudgetScope.nobody {
      text += "Name the end user in the header x-leeway-user. "
    }
    text += refusal.cap.unit == .calls ? "" : "A smaller output bound may fit; "
    let raiser = raiser(of: refusal.scope)
    return text + (refusal.cap.unit == .calls ? raiser.capitalizedFirst : raiser)
      + " can raise the budget."
  }

  private static func lifetime(from: String, until: String) -> String {
    switch (from.isEmpty, until.isEmpty) {
    case (false, false): "is open from \(from) until \(until)"
    case (false, true): "opens at \(from)"
    default: "ended at \(until)"
    }
  }

  private static func raiser(of scope: BudgetScope) -> String {
    switch scope.holder.kind {
    case .team: "the team's owner"
    case .organisation: "the organisation's owner"
    default: "the app's owner"
    }
  }
}

extension String {
  fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
