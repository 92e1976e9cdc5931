// All of thresholds/, read at once: either complete settings, or every fault there is.

import Foundation
import Metering

/// Everything that policy says.
public struct Settings: Sendable {
  /// As it was named.
  public var thresholdsDirectory: String
  public var gateway: GatewaySettings
  /// Sorted by name.
  public var apps: [AppSettings]
  /// Teams by name, then the organisation where there is one.
  var shared: [SharedSettings]
  /// What the models of each upstream cost, by the upstream's name.
  private let prices: [String: PriceBook]

  init(
    thresholdsDirectory: String, gateway: GatewaySettings, apps: [AppSettings],
    shared: [SharedSettings] = [], prices: [String: PriceBook]
  ) {
    self.thresholdsDirectory = thresholdsDirectory
    self.gateway = gateway
    self.apps = apps
    self.shared = shared
    self.prices = prices
  }

  /// Reads a thresholds directory.
  ///
  /// - Parameters:
  ///   - environment: where credentials are looked up; an unset one is no fault here.
  ///   - now: when prices must hold for the models of budgeted apps.
  ///   - readsAllBooks: also reads the price books that no upstream names, to find their faults.
  /// - Returns: settings and no fault, or no settings and every fault, by file and line.
  public static func load(
    thresholdsDirectory: String, environment: [String: String], at now: Timestamp? = nil,
    readsAllBooks: Bool = false
  ) -> (Settings?, [Fault]) {
    let now = now ?? Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
    var reader = SettingsReader(directory: thresholdsDirectory, environment: environment)
    let settings = reader.read(at: now, readsAllBooks: readsAllBooks)
    let faults = reader.log.faults.sorted()
    return faults.isEmpty ? (settings, []) : (nil, faults)
  }

  public func app(_ name: String) -> AppSettings? { apps.first { $0.name == name } }

  /// What an upstream's models cost; nothing is priced where there is no such upstream.
  public func prices(of upstream: String) -> PriceBook { prices[upstream] ?? PriceBook() }

  /// The upstream of an app's bare `/v1/…` paths: the first of its choices that has what it needs,
  /// else the first, whose missing credential the gateway then reports.
  public func upstream(of app: AppSettings) -> UpstreamSettings? {
    let choices = app.upstreams.compactMap { gateway.upstream($0) }
    return choices.first(where: \.isUsable) ?? choices.first
  }
}

/// Reads the files in the order in which they need each other.
private struct SettingsReader {
  let directory: String
  let environment: [String: String]
  let log = FaultLog()

  init(directory: String, environment: [String: String]) {
    var directory = directory
    while directory.count > 1, directory.hasSuffix("/") { directory.removeLast() }
    self.directory = directory
    self.environment = environment
  }

  mutating func read(at now: Timestamp, readsAllBooks: Bool) -> Settings {
    var gateway = GatewaySettings()
    let listing = ThresholdsListing.read(directory, log: log)
    let books = listing.prices.map { String($0.dropLast(".yaml".count)) }
    if listing.hasGateway, let root = open("gateway.yaml") {
      gateway.read(root, environment: environment, books: books)
    }
    var upstreamPrices = UpstreamPrices()
    upstreamPrices.read(readsAllBooks ? books : gateway.upstreams.flatMap(\.prices)) {
      open("prices/\($0).yaml")
    }
    let prices = Dictionary(
      gateway.upstreams.map { ($0.name, upstreamPrices.prices(of: $0)) },
      uniquingKeysWith: { first, _ in first })
    let context = AppReadingContext(
      upstreamNames: gateway.upstreams.map(\.name),
      teamNames: listing.teams.map { String($0.dropLast(".yaml".count)) },
      trained: TrainedModels(folder: "\(directory)/classifiers"),
      environment: environment)
    // UTC always exists.
    var defaults = AppSettings(name: "", timeZone: .gmt)
    var defaultsRoot: SettingsMapping?
    if listing.hasDefaults, let root = open("defaults.yaml") {
      defaultsRoot = root
      defaults.read(root, isDefaults: true, context: context)
    }
    let shared = readShared(listing, defaults: defaults)
    var apps: [AppSettings] = []
    for name in listing.apps {
      var app = defaults
      app.name = String(name.dropLast(".yaml".count))
      let faultsBefore = log.faults.count
      let root = open("apps/\(name)")
      // An empty file takes every default; a broken one has said enough.
      if root == nil, log.faults.count > faultsBefore { continue }
      if let root { app.read(root, isDefaults: false, context: context) }
      app.shared = shared.filter { $0.scope.kind == .organisation || $0.scope.name == app.team }
      check(
        app, file: "\(directory)/apps/\(name)", roots: [root, defaultsRoot],
        prices: prices, at: now)
      apps.append(app)
    }
    return Settings(
      thresholdsDirectory: directory, gateway: gateway, apps: apps, shared: shared,
      prices: prices)
  }

  private func readShared(
    _ listing: ThresholdsListing, defaults: AppSettings
  ) -> [SharedSettings] {
    var shared: [SharedSettings] = []
    for file in listing.teams {
      let name = String(file.dropLast(".yaml".count))
      var team = SharedSettings(
        scope: .team(name), file: "teams/\(file)", defaults: defaults)
      if let root = open(team.file) { team.read(root, environment: environment) }
      shared.append(team)
    }
    if listing.hasOrganisation, let root = open("organisation.yaml") {
      let name = root.need("name", "name the organisation, as in `name: acme`")?.settingsName(
        "organisation")
      var organisation = SharedSettings(
        scope: .organisation(name ?? ""), file: "organisation.yaml", defaults: defaults)
      organisation.read(root, environment: environment)
      shared.append(organisation)
    }
    return shared
  }

  private func open(_ name: String) -> SettingsMapping? {
    SettingsFile.read("\(directory)/\(name)", shown: "\(directory)/\(name)", log: log)
  }

  /// What needs several files to judge: an upstream chosen, and a price for every model that a
  /// budgeted app may call.
  private func check(
    _ app: AppSettings, file: String, roots: [SettingsMapping?], prices: [String: PriceBook],
    at now: Timestamp
  ) {
    if app.upstreams.isEmpty {
      log.add(
        file, 1, "app '\(app.name)' has no upstream",
        "write `upstream: NAME` here or in defaults.yaml")
    }
    if let (what, advice) = AtCapCheck.fault(of: app, prices: prices, at: now) {
      let keys = ["degrade", "atCap"]
      let node = keys.lazy.flatMap { key in
        roots.lazy.compactMap { $0 }.filter { $0.has(key) }.compactMap { $0.take(key) }
      }.first
      log.add(node?.file ?? file, node?.line ?? 1, what, advice)
    }
    guard app.isBudgeted, let models = app.models else { return }
    // The list stands in the app's file or, inherited, in defaults.yaml.
    let list = roots.lazy.compactMap { $0 }.first { $0.has("models") }?.take("models")
    // An app may call any upstream by name, so a price in any of their books will do.
    let own = app.upstreams.compactMap { prices[$0]?.file }.first ?? "thresholds/prices/"
    for model in models
    where !prices.values.contains(where: { Self.isPriced(model, prices: $0, at: now) }) {
      let node = list?.list().first { $0.text() == model }
      let isPattern = model.hasSuffix("*")
      let what =
        isPattern
        ? "no model that matches '\(model)' has a price" : "model '\(model)' has no price"
      log.add(
        node?.file ?? file, node?.line ?? 1,
        "\(what) in force, so app '\(app.name)', which has a budget, could never call it",
        "add to \(own): \(Denial.pricingLine(model: isPattern ? "MODEL" : model))")
    }
  }

  private static func isPriced(_ rule: String, prices: PriceBook, at now: Timestamp) -> Bool {
    guard rule.hasSuffix("*") else { return prices.isPriced(rule, at: now) }
    return prices.names.contains { name in
      (PictureName(name)?.model ?? name).hasPrefix(rule.dropLast())
        && prices.price(model: name, at: now) != nil
    }
  }
}
