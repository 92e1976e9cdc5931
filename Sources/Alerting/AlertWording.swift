// The words of alerts. A person on call reads these on a phone: what happened, how much, until
// when, and what they can do, in that order. Figures come in as text, so that the core rounds
// nothing.

/// A budget mark that spend has passed.
public struct BudgetAlertFacts: Hashable, Sendable {
  /// The app that answers for the budget; of a shared one its scope, `team:search`.
  public var app: String
  /// Whose budget it is, for the alert's identity: `support`, `team:search`, `tag:shop/nightly`.
  public var scope: String
  /// The same as a sentence begins with: `App 'support'`, `Team 'search'`.
  public var scopeText: String
  /// Where its caps stand: `app 'support' in thresholds/`.
  public var placeText: String
  /// `day`, `month`, `last 24h`.
  public var budget: String
  /// `2026-11-23` or `2026-11`.
  public var window: String
  /// `usd`, `tokens` or `calls`.
  public var unit: String
  /// The mark, in percent of the cap.
  public var percent: Int
  /// Whether calls are being refused because what is left covers no more of them.
  public var isRefusing: Bool
  /// Whether calls pass at the cap, by the owner's choice.
  public var isPassing = false
  /// Dollars without the sign, or a count: `8.01`, `1200`.
  public var spentText: String
  public var capText: String
  /// `2026-11-24 00:00 Europe/Berlin`; empty: it never resets.
  public var resetText: String
  public var link: String?

  public init(
    app: String, budget: String, window: String, unit: String = "usd", percent: Int,
    isRefusing: Bool = false, spentText: String, capText: String, resetText: String,
    link: String? = nil
  ) {
    self.app = app
    scope = app
    scopeText = "App '\(app)'"
    placeText = "app '\(app)' in thresholds/"
    self.unit = unit
    self.budget = budget
    self.window = window
    self.percent = percent
    self.isRefusing = isRefusing
    self.spentText = spentText
    self.capText = capText
    self.resetText = resetText
    self.link = link
  }
}

/// A verdict on one classifier of an app.
public struct DriftAlertFacts: Hashable, Sendable {
  /// One label's change.
  public struct Shift: Hashable, Sendable {
    public var label: String
    /// `2.0 %`.
    public var baselineText: String
    public var periodText: String
    /// `+3.0 points`.
    public var changeText: String

    public init(label: String, baselineText: String, periodText: String, changeText: String) {
      self.label = label
      self.baselineText = baselineText
      self.periodText = periodText
      self.changeText = changeText
    }
  }

  public var app: String
  public var classifier: String
  /// The verdict's word: `drifted`, `unreadable` …
  public var verdict: String
  public var baseline: String
  /// The period's name: `2026-11-22`.
  public var period: String
  /// Of the continuous alarm: since when, as far as can be told, `2026-11-22 14:05 UTC`; nil: the
  /// verdict is on a period.
  public var sinceText: String?
  /// Why, in one sentence; empty where there is nothing to add.
  public var reason: String
  /// The largest first.
  public var shifts: [Shift]
  /// Whether the app is now stopped because of it.
  public var isCapped: Bool
  /// The report.
  public var link: String?

  public init(
    app: String, classifier: String, verdict: String, baseline: String, period: String,
    reason: String = "", shifts: [Shift] = [], isCapped: Bool = false, link: String? = nil
  ) {
    self.app = app
    self.classifier = classifier
    self.verdict = verdict
    self.baseline = baseline
    self.period = period
    self.reason = reason
    self.shifts = shifts
    self.isCapped = isCapped
    self.link = link
  }
}

extension Alert {
  /// The alert of a budget mark. Once per app, window and mark.
  public static func budget(_ facts: BudgetAlertFacts, atMilliseconds: Int64) -> Alert {
    func amount(_ text: String) -> String {
      facts.unit == "usd" ? "$\(text)" : "\(text) \(facts.unit)"
    }
    let suffix = facts.unit == "usd" ? "Dollars" : facts.unit == "tokens" ? "Tokens" : "Calls"
    let isUsedUp = facts.percent >= 100
    var lines = [
      "\(facts.scopeText) has spent \(amount(facts.spentText)) of its \(amount(facts.capText)) "
        + "\(facts.budget) budget for \(facts.window), "
        + (facts.isRefusing
          ? "and what is left no longer covers its calls."
          : "past the \(facts.percent) % mark."),
      facts.resetText.isEmpty
        ? "The budget never resets." : "The budget resets at \(facts.resetText).",
    ]
    let until = facts.resetText.isEmpty ? "" : "Until then "
    if facts.isPassing {
      lines.append(
        "Its calls pass at the cap, as its owner chose (atCap: alert); what goes over it stands "
          + "there as debt.")
    } else if isUsedUp {
      lines.append(
        "\(until.isEmpty ? "Its" : until + "its") calls are refused (HTTP 429) with this reason.")
    } else {
      lines.append(
        "A call that no longer fits is refused (HTTP 429)"
          + (until.isEmpty ? "." : " until then."))
    }
    lines.append("To change the cap: budgets.\(facts.budget) of \(facts.placeText).")
    if let link = facts.link { lines.append("More: \(link)") }
    return Alert(
      key: AlertKey(
        kind: .budget,
        [facts.scope, facts.budget, facts.window, String(facts.percent)]
          // As alerts were known by before there were other units.
          + (facts.unit == "usd" ? [] : [facts.unit])),
      app: facts.app, kind: .budget,
      severity: isUsedUp ? .critical : facts.percent >= 80 ? .warning : .notice,
      title: isUsedUp
        ? "\(facts.scope): the \(facts.budget) budget is used up"
        : "\(facts.scope): \(facts.percent) % of the \(facts.budget) budget is spent",
      body: lines.joined(separator: "\n"), link: facts.link,
      fields: [
        AlertField("budget", .text(facts.budget)), AlertField("window", .text(facts.window)),
        AlertField("percent", .number(Int64(facts.percent))),
        AlertField("spent\(suffix)", .text(facts.spentText)),
        AlertField("cap\(suffix)", .text(facts.capText)),
        AlertField("resetsAt", .text(facts.resetText)),
      ], atMilliseconds: atMilliseconds)
  }

  /// The most label changes that a message lists; the report has all.
  private static let shiftsMax = 5

  /// The alert of a verdict. Once per app, classifier, baseline, period and verdict.
  public static func drift(_ facts: DriftAlertFacts, atMilliseconds: Int64) -> Alert {
    let isDrifted = facts.verdict == "drifted"
    var lines = [
      "App '\(facts.app)', classifier '\(facts.classifier)': \(facts.verdict) "
        + (facts.sinceText.map { "since about \($0)" } ?? "in \(facts.period)")
        + ", compared with baseline '\(facts.baseline)'."
    ]
    if !facts.reason.isEmpty { lines.append(facts.reason) }
    let shown = facts.shifts.prefix(shiftsMax)
    lines += shown.map {
      "  \($0.label): \($0.baselineText) -> \($0.periodText) (\($0.changeText))"
    }
    if facts.shifts.count > shown.count {
      lines.append("  and \(facts.shifts.count - shown.count) more label(s)")
    }
    if facts.isCapped {
      lines.append(
        "The app is stopped by its policy; `leeway restore \(facts.app)` lets it run again.")
    }
    if facts.sinceText != nil { lines += alarmSteps(facts) }
    if let link = facts.link {
      lines.append("\(facts.sinceText == nil ? "Report" : "More"): \(link)")
    }
    let title =
      isDrifted
      ? "\(facts.app): answers have drifted (\(facts.classifier))"
      : "\(facts.app): drift check says \(facts.verdict) (\(facts.classifier))"
    return Alert(
      key: AlertKey(
        kind: .drift,
        [facts.app, facts.classifier, facts.baseline, facts.period, facts.verdict]),
      app: facts.app, kind: .drift, severity: severity(ofVerdict: facts.verdict),
      title: facts.isCapped ? title + ", app stopped" : title,
      body: lines.joined(separator: "\n"), link: facts.link, fields: fields(facts),
      atMilliseconds: atMilliseconds)
  }

  /// What to do about the continuous alarm, which stays open until then.
  private static func alarmSteps(_ facts: DriftAlertFacts) -> [String] {
    [
      "Look for what changed then: the model's version, the prompt, the callers.",
      "Once you know, `leeway drift acknowledge \(facts.app) \(facts.classifier) --reason TEXT` "
        + "looks for the next shift; a shift that stays is found again.",
      "If the new behaviour is right, make it the measure: "
        + "`leeway baseline pin \(facts.app) NAME --reason TEXT`.",
    ]
  }

  /// An alert of Leeway itself.
  ///
  /// - Parameter occasion: what sets this time apart from others, such as a day; part of the key.
  public static func system(
    name: String, occasion: String, app: String = "", severity: AlertSeverity, title: String,
    body: String, atMilliseconds: Int64
  ) -> Alert {
    Alert(
      key: AlertKey(kind: .system, [name, app, occasion]), app: app, kind: .system,
      severity: severity, title: title, body: body, atMilliseconds: atMilliseconds)
  }

  private static func severity(ofVerdict verdict: String) -> AlertSeverity {
    switch verdict {
    case "drifted": .critical
    case "unreadable", "instrument-changed": .warning
    default: .notice
    }
  }

  private static func fields(_ facts: DriftAlertFacts) -> [AlertField] {
    [
      AlertField("classifier", .text(facts.classifier)),
      AlertField("verdict", .text(facts.verdict)),
      AlertField("baseline", .text(facts.baseline)),
      facts.sinceText.map { AlertField("since", .text($0)) }
        ?? AlertField("period", .text(facts.period)),
      AlertField("isCapped", .flag(facts.isCapped)),
      AlertField(
        "shifts",
        .list(
          facts.shifts.map { shift in
            [
              AlertField("label", .text(shift.label)),
              AlertField("baseline", .text(shift.baselineText)),
              AlertField("period", .text(shift.periodText)),
              AlertField("change", .text(shift.changeText)),
            ]
          })),
    ]
  }
}
