// What becomes of calls that a budget has no room for, and how calls are held, as an app's file
// says it.
//
//   atCap: degrade            # deny (the default), alert, throttle or degrade
//   degrade: { model: gpt-4o-mini, outputTokensMax: 512 }
//   budgets: { month: { usd: "50.00", atCap: alert } }
//   estimates: { mode: calibrated, quantile: 0.99, overshootMax: "0.50" }

import Metering

extension SettingsNode {
  func atCap() -> AtCap? {
    word(AtCap.allCases.map(\.rawValue)).flatMap(AtCap.init(rawValue:))
  }
}

extension AppSettings {
  mutating func readAtCap(_ root: SettingsMapping) {
    if let atCap = root.take("atCap")?.atCap() { self.atCap = atCap }
    if let node = root.take("degrade") {
      substitute = node.isNone ? nil : node.substitute() ?? substitute
    }
    root.section("estimates") { estimates.read($0) }
  }

  /// Whether some budget that its calls draw on degrades.
  var degrades: Bool {
    let own = [budgets, perKey, perUser, perModel] + environments.values + tags.values
    return atCap == .degrade || own.contains { $0.atCap.values.contains(.degrade) }
  }

  /// What its open calls may together hold less than they can cost, where nothing is said: as much
  /// as its smallest cap in money, since less would hold most calls at their bound; nil: it has
  /// none.
  private var usualOvershootMax: Money? {
    let parts = [perKey, perUser, perModel] + environments.values + tags.values
    return budgets.caps.values.compactMap(\.money).min()
      ?? (parts + shared.map(\.budgets)).flatMap(\.caps.values).compactMap(\.money).min()
  }

  /// Nil: its calls hold the most that they can cost.
  var calibration: Calibration? {
    guard estimates.isCalibrated, let most = estimates.overshootMax ?? usualOvershootMax
    else { return nil }
    return Calibration(quantile: estimates.quantile, overshootMax: most)
  }
}

extension SettingsNode {
  fileprivate func substitute() -> Substitute? {
    guard let section = mapping() else { return nil }
    defer { section.finish() }
    let model = section.take("model")?.line("a model's name")
    let most = section.take("outputTokensMax")?.integer(in: 1...10_000_000)
    guard model != nil || most != nil else {
      fault("'\(name)' changes nothing", "name a cheaper `model`, an `outputTokensMax`, or both")
      return nil
    }
    return Substitute(model: model, outputTokensMax: most)
  }
}

/// How an app's calls are held.
struct EstimateSettings: Hashable, Sendable {
  var isCalibrated = false
  /// In ten-thousandths.
  var quantile: Int64 = 9_900
  /// Nil: the smallest cap.
  var overshootMax: Money?

  mutating func read(_ section: SettingsMapping) {
    if let mode = section.take("mode")?.word(["strict", "calibrated"]) {
      isCalibrated = mode == "calibrated"
    }
    let range = Calibration.quantiles
    let quantiles = Double(range.lowerBound) / 10_000...Double(range.upperBound) / 10_000
    if let quantile = section.take("quantile")?.decimal(in: quantiles) {
      self.quantile = Int64((quantile * 10_000).rounded())
    }
    if let most = section.take("overshootMax")?.money() { overshootMax = most }
  }
}

/// What of an app's substitute cannot be, or does little.
enum AtCapCheck {
  /// The first thing that keeps calls from being degraded, with what to do; nil: they are.
  static func fault(
    of app: AppSettings, prices: [String: PriceBook], at now: Timestamp
  ) -> (what: String, advice: String)? {
    guard app.degrades || app.substitute != nil else { return nil }
    guard let substitute = app.substitute else {
      return (
        "app '\(app.name)' degrades at the cap, and nothing says to what",
        "add `degrade: { model: MODEL }`, or `degrade: { outputTokensMax: TOKENS }`"
      )
    }
    guard let model = substitute.model else { return nil }
    if let models = app.models,
      !AppPolicy(app: "", budgets: [], models: models).allows(model: model)
    {
      return (
        "app '\(app.name)' degrades to model '\(model)', which it may not call",
        "add it to `models`, or name one of these"
      )
    }
    for upstream in app.upstreams {
      guard let book = prices[upstream], book.price(model: model, at: now) == nil else { continue }
      return (
        "app '\(app.name)' degrades to model '\(model)', which has no price at upstream "
          + "'\(upstream)', so no call could be",
        "add to \(book.file): \(Denial.pricingLine(model: model))"
      )
    }
    return nil
  }

  /// A sentence for each budget that is no bound, by its owner's choice, and each figure that is
  /// idle; what calibrated holds can cost over a cap.
  static func notes(in settings: Settings, at now: Timestamp) -> [String] {
    settings.apps.flatMap { app in
      passing(app) + (substitute(app, in: settings, at: now).map { [$0] } ?? []) + holds(app)
    } + settings.shared.flatMap { passing($0) + together($0, in: settings) }
  }

  private static func passing(_ app: AppSettings) -> [String] {
    let parts = [
      (" its", app.budgets), (" each key", app.perKey), (" each user", app.perUser),
      (" each model", app.perModel),
    ]
    let named =
      app.environments.sorted { $0.key < $1.key }.map { (" environment '\($0.key)'", $0.value) }
      + app.tags.sorted { $0.key < $1.key }.map { (" tag '\($0.key)'", $0.value) }
    return (parts + named).flatMap { part, budgets in
      budgets.passing(app.atCap).map { key in
        "calls of app '\(app.name)' pass the cap of\(part) \(key.id) budget (atCap: alert)"
          + ": it is no bound, and what goes over it stands there as debt"
          + (part == " each user" ? "; of single users nobody is told" : "")
      }
    }
  }

  private static func passing(_ shared: SharedSettings) -> [String] {
    shared.budgets.passing(shared.atCap ?? .deny).map { key in
      "calls pass the cap of the \(key.id) budget of \(shared.scope.words) (atCap: alert): it is "
        + "no bound, and what goes over it stands there as debt"
    }
  }

  private static func substitute(
    _ app: AppSettings, in settings: Settings, at now: Timestamp
  ) -> String? {
    guard let model = app.substitute?.model else { return nil }
    if !app.degrades {
      return "app '\(app.name)' names a substitute ('\(model)'), and none of its budgets degrades"
    }
    for upstream in app.upstreams {
      let book = settings.prices(of: upstream)
      func cost(_ name: String) -> Money? {
        book.price(model: name, at: now)?.worstCase(inputTokens: 3_000, outputTokens: 1_000)
      }
      let dearer = (app.models ?? []).filter { $0 != model && !$0.hasSuffix("*") }.compactMap(cost)
      if let own = cost(model), let dearest = dearer.max(), own >= dearest {
        return
          "app '\(app.name)' degrades to model '\(model)', which is no cheaper than the others "
          + "that it may call"
      }
    }
    return nil
  }

  private static func holds(_ app: AppSettings) -> [String] {
    guard app.estimates.isCalibrated else { return [] }
    guard let rule = app.calibration else {
      return [
        "app '\(app.name)' is to be calibrated, and has no budget in money: nothing is held less"
      ]
    }
    let percent = "\(Double(rule.quantile) / 100)".replacingSuffix(".0", by: "")
    return [
      "app '\(app.name)' is calibrated: a call holds what \(percent) % of its model's calls cost, "
        + "once there are \(rule.historyMin) of them; what is settled can pass a cap by "
        + "$\(rule.overshootMax.dollarsText) at most (strict − held of all calls under way), of "
        + "which $\(rule.expectedOvershootMax.dollarsText) at most are to be expected"
    ]
  }

  private static func together(_ shared: SharedSettings, in settings: Settings) -> [String] {
    guard !shared.budgets.isEmpty else { return [] }
    let apps = settings.apps.filter { app in
      app.calibration != nil && app.shared.contains { $0.scope == shared.scope }
    }
    guard !apps.isEmpty else { return [] }
    let most = apps.compactMap(\.calibration).reduce(Money.zero) {
      $0.addingClamped($1.overshootMax)
    }
    return [
      "calibrated apps of \(shared.scope.words) (\(apps.map(\.name).joined(separator: ", "))) can "
        + "together pass its caps by $\(most.dollarsText) at most"
    ]
  }
}

extension BudgetSettings {
  /// The windows whose caps let pass.
  func passing(_ usual: AtCap) -> [BudgetKey] {
    caps.keys.filter { (atCap[$0] ?? usual) == .alert }.sorted()
  }
}

extension String {
  fileprivate func replacingSuffix(_ suffix: String, by other: String) -> String {
    hasSuffix(suffix) ? String(dropLast(suffix.count)) + other : self
  }
}
