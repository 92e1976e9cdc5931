// The spans that a budget can have, by the keys of `budgets:` in thresholds/.

/// How long one window of a budget lasts, aligned to the calendar of the app's time zone.
public enum BudgetSpan: String, Sendable, CaseIterable {
  case hour, day
  /// From Monday, as ISO 8601 counts weeks.
  case week
  case month, year
}
