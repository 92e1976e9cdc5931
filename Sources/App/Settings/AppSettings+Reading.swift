// Reads an app's file over the defaults, key by key: what the app does not say, it inherits.

import Analyzer
import Foundation
import Metering

/// What the readers of app files need to know of the other files.
struct AppReadingContext {
  var upstreamNames: [String]
  var environment: [String: String]
}

extension AppSettings {
  /// The keys that belong to one app only, and so not into defaults.yaml.
  private static let ownKeys = ["sandbox"]

  /// Reads what the file says over the values that are there.
  mutating func read(_ root: SettingsMapping, isDefaults: Bool, context: AppReadingContext) {
    root.section("owner") { readOwner($0, environment: context.environment) }
    if let zone = root.take("timeZone")?.timeZone() { timeZone = zone }
    readUpstreams(root, context: context)
    readBudgets(root)
    readModels(root)
    if let count = root.take("outputTokensMax")?.integer(in: 1...10_000_000) {
      outputTokensMax = count
    }
    if let list = root.take("alertPercents") {
      let percents = list.list().compactMap { $0.integer(in: 1...1_000) }
      alertPercents = Set(percents).sorted().map(Int.init)
    }
    root.section("samples") { section in
      if let rate = section.take("rate")?.decimal(in: 0...1) { samples.rate = rate }
      if let flag = section.take("errorsAlways")?.flag() { samples.errorsAlways = flag }
    }
    if !isDefaults, let flag = root.take("sandbox")?.flag() { isSandbox = flag }
    if let list = root.take("classifiers") { classifiers = ClassifierDeclaration.read(list) }
    root.section("drift") { drift.read($0) }
    checkCritical(root)
    root.finish()
  }

  private mutating func readOwner(_ section: SettingsMapping, environment: [String: String]) {
    if let name = section.take("name")?.line("the owner's name") { owner.name = name }
    if let email = section.take("email")?.emailAddress() { owner.email = email }
    if let url = section.take("webhook")?.webURL(allowsQuery: true) { owner.webhook = Secret(url) }
    if let node = section.take("webhookEnv"), let variable = node.environmentName() {
      if section.has("webhook") {
        node.fault("the owner has both 'webhook' and 'webhookEnv'", "keep one of the two")
      }
      owner.webhook = node.secret(variable, environment: environment)
    }
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

  private mutating func readBudgets(_ root: SettingsMapping) {
    guard let node = root.take("budgets") else { return }
    if case .scalar(let scalar) = node.node, scalar.string == "none" {
      caps = [:]
      return
    }
    guard let section = node.mapping() else { return }
    for span in BudgetSpan.allCases {
      guard let node = section.take(span.rawValue) else { continue }
      if case .scalar(let scalar) = node.node, scalar.string == "none" {
        caps[span] = nil
      } else if let cap = node.money() {
        caps[span] = cap
      }
    }
    section.finish()
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
