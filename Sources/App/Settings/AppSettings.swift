// What thresholds/apps/APP.yaml says over thresholds/defaults.yaml: one app's owner and policy.

import Foundation
import Labels
import Metering

/// Who answers for an app and hears its alerts.
public struct OwnerSettings: Hashable, Sendable {
  public var name = ""
  public var email: String?
  /// An HTTP(S) URL. It may hold a secret of the receiver, so it is kept from printing.
  public var webhook: Secret?

  public init() {}

  mutating func read(_ section: SettingsMapping, environment: [String: String]) {
    if let name = section.take("name")?.line("the owner's name") { self.name = name }
    if let email = section.take("email")?.emailAddress() { self.email = email }
    if let url = section.take("webhook")?.webURL(allowsQuery: true) { webhook = Secret(url) }
    if let node = section.take("webhookEnv"), let variable = node.environmentName() {
      if section.has("webhook") {
        node.fault("the owner has both 'webhook' and 'webhookEnv'", "keep one of the two")
      }
      webhook = node.secret(variable, environment: environment)
    }
  }
}

/// Which calls of an app are stored.
public struct SampleSettings: Hashable, Sendable {
  /// The share of calls, 0…1.
  public var rate = 1.0
  /// Whether a call that ends in an error is stored whatever the rate.
  public var errorsAlways = true

  public init() {}
}

/// One app.
public struct AppSettings: Sendable {
  public var name: String
  public var owner = OwnerSettings()
  /// Of the budgets' windows and of the app's reports.
  public var timeZone: TimeZone
  /// Upstreams for a bare `/v1/…` path, in order of choice.
  public var upstreams: [String] = []
  /// The team that it is of; nil: of none.
  public var team: String?
  /// The environment of keys that were issued for none.
  public var environment = AppPolicy.usualEnvironment
  /// Hard caps on all its calls.
  var budgets = BudgetSettings()
  /// Those that each of its keys, end users and models has.
  var perKey = BudgetSettings()
  var perUser = BudgetSettings()
  var perModel = BudgetSettings()
  /// By name; the environments that keys can be issued for, and the tags that calls may carry.
  var environments: [String: BudgetSettings] = [:]
  var tags: [String: BudgetSettings] = [:]
  /// How fast it may call, and each of its keys.
  public var rates = RateLimits()
  public var ratesPerKey = RateLimits()
  /// Its team and the organisation, where there are such: their budgets hold for it, too.
  var shared: [SharedSettings] = []
  /// Models that the app may call; nil: all. An entry that ends in `*` matches by prefix.
  public var models: [String]?
  /// The output bound for requests that set none, in tokens.
  public var outputTokensMax: Int64?
  /// The smallest bound that is put in where that does not fit into what is left; nil: none.
  public var fitTokensMin: Int64?
  /// Whether a bound of the caller's own is lowered so, too.
  public var fitsCallersBound = false
  /// What its own budgets do at their caps where they do not say it themselves, and what is called
  /// in place of a call that is degraded.
  var atCap = AtCap.deny
  var substitute: Substitute?
  var estimates = EstimateSettings()
  /// Ascending, percent of a cap.
  public var alertPercents = [50, 80, 100]
  public var samples = SampleSettings()
  /// Whether `leeway serve` shows a working command line with a key for this app.
  public var isSandbox = false
  public var classifiers: [ClassifierDeclaration] = []
  public var drift = DriftSettings()

  public init(name: String, timeZone: TimeZone) {
    self.name = name
    self.timeZone = timeZone
  }

  /// Its own budgets by holder, the widest first; tags are numbered by name.
  private var held: [(holder: BudgetHolder, budgets: BudgetSettings)] {
    [(.app, budgets)]
      + environments.sorted { $0.key < $1.key }.map { (.environment($0.key), $0.value) }
      + tagNames.enumerated().map { (.tag($0.offset), tags[$0.element] ?? .init()) }
      + [(.eachKey, perKey), (.eachUser, perUser), (.eachModel, perModel)]
  }

  var tagNames: [String] { tags.keys.sorted() }

  /// Whether some of its calls may be refused for what they use.
  public var isBudgeted: Bool {
    held.contains { !$0.budgets.isEmpty } || shared.contains { !$0.budgets.isEmpty }
  }

  /// What admission needs: the app's own budgets, then what it shares; of each the shortest first,
  /// since it is the first to refuse.
  public func policy(_ timelines: WindowTimelines) -> AppPolicy {
    var policy = AppPolicy(
      app: name,
      budgets: held.flatMap { holder, budgets in
        budgets.budgets(holder, timelines, timeZone: timeZone, atCap: atCap)
      } + shared.flatMap { $0.budgets(timelines, degrades: atCap == .degrade) },
      models: models, outputTokensDefault: outputTokensMax, alertPercents: alertPercents)
    policy.tags = tagNames
    policy.environment = environment
    policy.fitTokensMin = fitTokensMin
    policy.fitsCallersBound = fitsCallersBound
    policy.substitute = substitute
    policy.calibration = calibration
    policy.rates = rates
    policy.ratesPerKey = ratesPerKey
    return policy
  }
}
