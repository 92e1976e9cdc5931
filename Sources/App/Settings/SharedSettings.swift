// What several apps share: thresholds/teams/TEAM.yaml and thresholds/organisation.yaml.

import Foundation
import Metering

/// A team or the organisation: who answers for it, and the budgets that all its apps draw on.
struct SharedSettings: Sendable {
  var scope: BudgetScope
  /// As thresholds/ shows it to people: `teams/search.yaml`.
  var file: String
  var owner: OwnerSettings
  var timeZone: TimeZone
  var alertPercents: [Int]
  var budgets = BudgetSettings()
  /// Nil: calls are refused, or degraded where their app does that. What its apps say of their own
  /// caps lets nothing pass here.
  var atCap: AtCap?

  /// Owner, time zone and marks are inherited from the defaults; budgets are not: those are of each
  /// app.
  init(scope: BudgetScope, file: String, defaults: AppSettings) {
    self.scope = scope
    self.file = file
    owner = defaults.owner
    timeZone = defaults.timeZone
    alertPercents = defaults.alertPercents
  }

  mutating func read(_ root: SettingsMapping, environment: [String: String]) {
    root.section("owner") { owner.read($0, environment: environment) }
    if let zone = root.take("timeZone")?.timeZone() { timeZone = zone }
    if let list = root.take("alertPercents") { alertPercents = list.percents() }
    if let atCap = root.take("atCap")?.atCap() { self.atCap = atCap }
    if let node = root.take("budgets") { budgets.read(node) }
    root.finish()
  }

  /// - Parameter degrades: the app's calls are degraded at its own caps.
  func budgets(_ timelines: WindowTimelines, degrades: Bool) -> [Budget] {
    budgets.budgets(
      .shared(scope), timelines, timeZone: timeZone, alertPercents: alertPercents,
      atCap: atCap ?? (degrades ? .degrade : .deny))
  }
}

extension SettingsNode {
  /// Marks, ascending, each once.
  func percents() -> [Int] {
    Set(list().compactMap { $0.integer(in: 1...1_000) }).sorted().map(Int.init)
  }
}
