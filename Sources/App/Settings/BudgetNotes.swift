// Caps that can never be the one that refuses, since another is always reached first. No fault: the
// policy holds all the same; but somebody may believe in a figure that decides nothing.

import Metering

enum BudgetNotes {
  /// A sentence for each.
  static func unreachable(in settings: Settings) -> [String] {
    var notes: [String] = []
    for app in settings.apps {
      let own = "app '\(app.name)'"
      notes += widths(app.budgets, app.atCap, of: own)
      for shared in app.shared {
        notes += covered(
          app.budgets, of: own, by: shared.budgets, shared.atCap ?? .deny, of: words(shared))
      }
      let parts =
        app.environments.sorted { $0.key < $1.key }
        .map { ("environment '\($0.key)' of \(own)", $0.value) }
        + app.tags.sorted { $0.key < $1.key }.map { ("tag '\($0.key)' of \(own)", $0.value) }
        + [
          ("each key of \(own)", app.perKey), ("each user of \(own)", app.perUser),
          ("each model of \(own)", app.perModel),
        ]
      for (name, budgets) in parts {
        notes +=
          widths(budgets, app.atCap, of: name)
          + covered(budgets, of: name, by: app.budgets, app.atCap, of: own)
      }
    }
    for shared in settings.shared {
      notes += widths(shared.budgets, shared.atCap ?? .deny, of: words(shared))
    }
    return notes
  }

  private static func words(_ shared: SharedSettings) -> String {
    "\(shared.scope.kind.rawValue) '\(shared.scope.name)'"
  }

  /// A cap of a part above that of the whole in the same window.
  private static func covered(
    _ part: BudgetSettings, of name: String, by whole: BudgetSettings, _ atCap: AtCap,
    of wholeName: String
  ) -> [String] {
    compared(
      part.caps.keys.sorted().map { ($0, $0) }, part, whole, passing: whole.passing(atCap)
    ) { key, _, cap, other in
      "the \(key.id) budget of \(name), \(cap), is above that of \(wholeName), \(other), which "
        + "refuses first"
    }
  }

  /// A cap of a window above that of a window that holds it.
  private static func widths(
    _ budgets: BudgetSettings, _ atCap: AtCap, of name: String
  ) -> [String] {
    let nested: [BudgetKey] = [
      .minute, .span(.hour), .span(.day), .span(.month), .span(.year), .purse,
    ]
    let pairs = nested.indices.flatMap { short in
      nested[(short + 1)...].map { (nested[short], $0) }
    }
    return compared(pairs, budgets, budgets, passing: budgets.passing(atCap)) {
      short, long, cap, other in
      "the \(short.id) budget of \(name), \(cap), is above its \(long.id) budget, \(other), which "
        + "refuses first"
    }
  }

  private static func compared(
    _ pairs: [(BudgetKey, BudgetKey)], _ left: BudgetSettings, _ right: BudgetSettings,
    passing: [BudgetKey], _ sentence: (BudgetKey, BudgetKey, String, String) -> String
  ) -> [String] {
    pairs.flatMap { first, second in
      BudgetUnit.allCases.compactMap { unit -> String? in
        guard let cap = left.caps[first]?[unit], let other = right.caps[second]?[unit],
          cap > other, !passing.contains(second)
        else { return nil }
        return sentence(
          first, second, Amount(unit, count: cap).text, Amount(unit, count: other).text)
      }
    }
  }
}
