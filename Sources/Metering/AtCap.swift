// What becomes of a call that a budget has no room for.

/// What a budget does at its cap; as thresholds/ spell it.
public enum AtCap: String, Sendable, CaseIterable {
  /// The call is refused, and trying again does not help.
  case deny
  /// The call passes, its owner is told once a window, and what goes over the cap stands there as
  /// debt: by the owner's choice the budget is no bound.
  case alert
  /// The call is refused, and its caller told when to come again.
  case throttle
  /// The call is tried anew as its app's `Substitute`; where that does not fit either, it is
  /// refused.
  case degrade
}

/// What an app gets in place of a call that does not fit.
public struct Substitute: Hashable, Sendable {
  /// The model that is called; nil: the one that was asked for.
  public var model: String?
  /// The most output tokens of each answer, whatever bound the caller set; nil: as asked for.
  public var outputTokensMax: Int64?

  public init(model: String?, outputTokensMax: Int64? = nil) {
    self.model = model
    self.outputTokensMax = outputTokensMax
  }
}

extension BudgetRefusal {
  /// Whole seconds after which the call may fit: at once when an open call ends, where those hold
  /// what it asks for; else with the window, and at most a minute, since some SDKs sleep whatever
  /// they are told. Nil: it never will.
  ///
  /// - Parameter windowsPass: another window follows this one.
  func retryAfterSeconds(at now: Timestamp, windowsPass: Bool) -> Int64? {
    guard estimate.count <= cap.count else { return nil }
    if settled.count.addingClamped(estimate.count) <= cap.count { return 1 }
    guard windowsPass else { return nil }
    let (left, isOver) = resetsAt.milliseconds.subtractingReportingOverflow(now.milliseconds)
    let seconds = isOver ? .max : left / 1_000 + (left % 1_000 > 0 ? 1 : 0)
    return min(max(seconds, 1), RateRefusal.retrySecondsMax)
  }
}

extension Budget {
  /// Another window follows each: not so of a purse.
  var windowsPass: Bool { if case .purse = windows { false } else { true } }

  /// The marks that alert, in percent of each cap. Where calls pass at the cap, their owner hears
  /// of that mark whatever others are wanted.
  func marks(of policy: AppPolicy) -> [Int] {
    let percents = alertPercents ?? policy.alertPercents
    return atCap != .alert || percents.contains(100) ? percents : percents + [100]
  }
}
