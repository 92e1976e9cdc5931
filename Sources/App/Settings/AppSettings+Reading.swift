// Reads an app's file over the defaults, key by key: what the app does not say, it inherits.

import Foundation
import Labels
import Metering

/// What the readers of app files need to know of the other files.
struct AppReadingContext {
  var upstreamNames: [String]
  var teamNames: [String]
  var trained: TrainedModels
  var environment: [String: String]
}

extension AppSettings {
  /// The keys that belong to one app only, and so not into defaults.yaml.
  private static let ownKeys = ["sandbox"]

  /// Reads what the file says over the values that are there.
  mutating func read(_ root: SettingsMapping, isDefaults: Bool, context: AppReadingContext) {
    root.section("owner") { owner.read($0, environment: context.environment) }
    if let zone = root.take("timeZone")?.timeZone() { timeZone = zone }
    readUpstreams(root, context: context)
    readBudgets(root, context: context)
    for (key, limits) in [
      ("rates", \AppSettings.rates), ("ratesPerKey", \.ratesPerKey),
    ] as [(String, WritableKeyPath<AppSettings, RateLimits>)] {
      if let node = root.take(key) { self[keyPath: limits].read(node) }
    }
    readModels(root)
    if let count = root.take("outputTokensMax")?.integer(in: 1...10_000_000) {
      outputTokensMax = count
    }
    if let node = root.take("fit") {
      if node.isNone {
        (fitTokensMin, fitsCallersBound) = (nil, false)
      } else if let section = node.mapping() {
        if let count = section.need(
          "outputTokensMin", "the shortest answer that is of use, in tokens")?
          .integer(in: 1...10_000_000)
        {
          fitTokensMin = count
        }
        if let flag = section.take("callerBound")?.flag() { fitsCallersBound = flag }
        section.finish()
      }
    }
    readAtCap(root)
    if let list = root.take("alertPercents") { alertPercents = list.percents() }
    root.section("samples") { section in
      if let rate = section.take("rate")?.decimal(in: 0...1) { samples.rate = rate }
      if let flag = section.take("errorsAlways")?.flag() { samples.errorsAlways = flag }
    }
    if !isDefaults, let flag = root.take("sandbox")?.flag() { isSandbox = flag }
    if let list = root.take("classifiers") {
      classifiers = ClassifierDeclaration.read(list, trained: context.trained)
    }
    root.section("drift") { drift.read($0) }
    checkCritical(root)
    root.finish()
  }

  private mutating func readUpstreams(_ root: SettingsMapping, context: AppReadingContext) {
    guard let list = root.take("upstream") else { return }
    upstreams = list.list().compactMap { node in
      guard let name = node.line("an upstream's name") else { return nil }
      if !context.upstreamNames.contains(name) {
        node.fault(
          "there is no upstream '\(node.shown(name))' in gateway.yaml",
          NearestName.advice(for: name, among: context.upstreamNames))
      }
      return name
    }
  }

  private mutating func readBudgets(_ root: SettingsMapping, context: AppReadingContext) {
    if let node = root.take("team"), let name = node.line("a team's name") {
      team = node.isNone ? nil : name
      if let team, !context.teamNames.contains(team) {
        node.fault(
          "there is no team '\(node.shown(team))'",
          context.teamNames.isEmpty
            ? "declare it in teams/\(node.shown(team)).yaml"
            : NearestName.advice(for: team, among: context.teamNames))
      }
    }
    if let node = root.take("environment"), let name = node.settingsName("environment") {
      environment = name
    }
    for (key, budgets) in [
      ("budgets", \AppSettings.budgets), ("perKey", \.perKey), ("perUser", \.perUser),
      ("perModel", \.perModel),
    ] as [(String, WritableKeyPath<AppSettings, BudgetSettings>)] {
      if let node = root.take(key) { self[keyPath: budgets].read(node) }
    }
    Self.readNamed(root.take("environments"), "environment", into: &environments)
    let tags = root.take("tags")
    Self.readNamed(tags, "tag", into: &self.tags)
    if self.tags.count > TagSet.countMax {
      tags?.fault("there are \(self.tags.count) tags", "declare at most \(TagSet.countMax)")
    }
  }

  /// Budgets under names that the author chooses; a name of the defaults is inherited.
  private static func readNamed(
    _ node: SettingsNode?, _ what: String, into named: inout [String: BudgetSettings]
  ) {
    guard let section = node?.mapping() else { return }
    for (name, key, value) in section.entries() where key.settingsName(what) != nil {
      named[name, default: BudgetSettings()].read(value)
    }
  }

  private mutating func readModels(_ root: SettingsMapping) {
    guard let node = root.take("models") else { return }
    if case .scalar(let scalar) = node.node, scalar.string == "all" {
      models = nil
      return
    }
    models = node.list().compactMap { $0.line("a model's name") }
    if models?.isEmpty == true {
      node.fault("'models' allows none", "name models, or write `models: all`")
    }
  }

  /// Critical labels must be of classifiers that the app has.
  private func checkCritical(_ root: SettingsMapping) {
    let names = classifiers.map(\.name)
    let node = root.take("drift") ?? root.take("classifiers")
    for name in drift.critical.keys.sorted() where !names.contains(name) {
      node?.fault(
        "drift.critical names the classifier '\(name)', which this app does not have",
        NearestName.advice(for: name, among: names))
    }
  }
}
