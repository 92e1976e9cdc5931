// A budget and its windows. Windows are values: the core knows no calendar.

/// One window of a budget: spend counts from `start` up to, not including, `end`.
public struct WindowEdges: Hashable, Sendable, Codable {
  public var start: Timestamp
  public var end: Timestamp
  /// The window's name and part of its account's key: `2026-11-23`, `2026-11`.
  public var id: String
  /// `end` for people, in the budget's own time zone: `2026-11-24 00:00 Europe/Berlin`.
  public var endText: String

  public init(start: Timestamp, end: Timestamp, id: String, endText: String) {
    self.start = start
    self.end = end
    self.id = id
    self.endText = endText
  }
}

/// A hard cap on an app's spend per window.
public struct Budget: Hashable, Sendable {
  /// Unique within its app: `day`, `month`.
  public var id: String
  public var cap: Money
  /// Contiguous, ascending; a moment outside all of them refuses.
  public var windows: [WindowEdges]

  public init(id: String, cap: Money, windows: [WindowEdges]) {
    self.id = id
    self.cap = cap
    self.windows = windows
  }

  /// The window that holds a moment.
  public func window(at now: Timestamp) -> WindowEdges? {
    var low = 0
    var high = windows.count
    while low < high {
      let middle = (low + high) / 2
      if windows[middle].end <= now { low = middle + 1 } else { high = middle }
    }
    guard low < windows.count, windows[low].start <= now else { return nil }
    return windows[low]
  }
}

/// What admission needs to know of an app.
public struct AppPolicy: Sendable {
  public var app: String
  /// Empty: the app is metered but not capped.
  public var budgets: [Budget]
  /// Models the app may call; nil: all. An entry that ends in `*` matches by prefix.
  public var models: [String]?
  /// Bound of each answer's output tokens where the request names none; nil: the model's own
  /// maximum. It is put into the request of a budgeted app, so that the upstream obeys it.
  public var outputTokensDefault: Int64?
  /// Budget marks that alert, in percent of the cap, ascending.
  public var alertPercents: [Int]

  public init(
    app: String, budgets: [Budget], models: [String]? = nil, outputTokensDefault: Int64? = nil,
    alertPercents: [Int] = [50, 80, 100]
  ) {
    self.app = app
    self.budgets = budgets
    self.models = models
    self.outputTokensDefault = outputTokensDefault
    self.alertPercents = alertPercents
  }

  public var isBudgeted: Bool { !budgets.isEmpty }

  public func allows(model: String) -> Bool {
    guard let models else { return true }
    return models.contains { rule in
      rule.hasSuffix("*") ? model.hasPrefix(rule.dropLast()) : rule == model
    }
  }
}
